package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Limits of the stream of entries.
const (
	heartbeat       = 15 * time.Second
	eventWrite      = 10 * time.Second
	eventsBehindMax = 20_000
)

// events streams entries. An event's id is its block and its number among the
// entries of that block, so a stream goes on at any gateway where it ended at another.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	next, skip, p := s.beginning(r)
	if p != nil {
		s.write(w, p)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := &eventStream{Server: s, writer: w, control: http.NewResponseController(w), request: r, next: next, skip: skip}
	if err := stream.run(); r.Context().Err() == nil {
		s.Log.Debug("a stream of events ended", "error", err)
	}
}

// beginning reads Last-Event-ID: the block to go on with and how many of its entries were received.
func (s *Server) beginning(r *http.Request) (next uint64, skip int, p *Problem) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return s.position(r.Context()), 0, nil
	}
	block, number, _ := strings.Cut(last, ".")
	next, err1 := strconv.ParseUint(block, 10, 63)
	skip, err2 := strconv.Atoi(number)
	if err1 != nil || err2 != nil || skip < 0 {
		return 0, 0, s.problem("invalid", "Last-Event-ID is not one of this stream: block.number")
	}
	return next, skip + 1, nil
}

type eventStream struct {
	*Server
	writer  http.ResponseWriter
	control *http.ResponseController
	request *http.Request
	next    uint64 // the block to send next
	skip    int    // its entries that were sent before
}

// run sends until the caller goes away or something fails; it always ends with an error.
func (e *eventStream) run() error {
	if err := e.send(": entries of the ledger\n\n"); err != nil {
		return err
	}
	for {
		if err := e.wait(); err != nil {
			return err
		}
		end := e.position(e.request.Context())
		entries, err := e.since(end)
		if err != nil {
			return err
		}
		if err := e.write(entries); err != nil {
			return err
		}
		e.next = max(e.next, end)
	}
}

// wait returns when the next block has been read, and keeps the stream alive meanwhile.
func (e *eventStream) wait() error {
	arrived := make(chan error, 1)
	go func() { arrived <- e.Model.WaitFor(e.request.Context(), e.next) }()
	for {
		select {
		case err := <-arrived:
			return err
		case <-time.After(heartbeat):
			if err := e.send(": \n\n"); err != nil {
				return err
			}
		}
	}
}

// since collects the entries of the blocks from next to end. It reads from the
// newest back: a stream that is followed is never far behind.
func (e *eventStream) since(end uint64) ([]readmodel.Entry, error) {
	var found []readmodel.Entry
	window := readmodel.Window{Newest: true, Limit: 1000}
	for {
		list, err := e.Model.Entries(e.request.Context(), readmodel.EntryFilter{}, window)
		if err != nil {
			return nil, err
		}
		for _, entry := range list.Items {
			if entry.Block < e.next {
				slices.Reverse(found)
				return found, nil
			}
			if entry.Block < end {
				found = append(found, entry)
			}
		}
		if len(found) > eventsBehindMax {
			return nil, e.send("event: behind\ndata: {\"detail\":\"too far behind; read /api/v1/entries first\"}\n\n")
		}
		if window.After = list.Next; window.After == "" {
			slices.Reverse(found)
			return found, nil
		}
	}
}

func (e *eventStream) write(entries []readmodel.Entry) error {
	block, number := e.next, 0
	for _, entry := range entries {
		if entry.Block != block {
			block, number = entry.Block, 0
		}
		number++
		if block == e.next && number <= e.skip {
			continue
		}
		data, err := json.Marshal(entry)
		if err != nil {
			return err
		}
		if err := e.send(fmt.Sprintf("id: %d.%d\nevent: %s\ndata: %s\n\n", block, number-1, entry.Kind, data)); err != nil {
			return err
		}
	}
	e.skip = 0
	return nil
}

func (e *eventStream) send(text string) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventWrite)); err != nil {
		return err
	}
	if _, err := e.writer.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}
