package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/lianbao/lianbao/chaincode/contract"
)

// Peer is one organisation's own peer.
type Peer interface {
	// Height is the number of blocks that it holds.
	Height(ctx context.Context) (uint64, error)
	// Evaluate asks the contracts on this peer, and on no other.
	Evaluate(ctx context.Context, function string, argument []byte) ([]byte, error)
}

// PeerState is what a peer was found to hold.
type PeerState struct {
	Organisation string `json:"organisation"`
	Height       uint64 `json:"height"`
	Records      int    `json:"records"`
	Equal        bool   `json:"equal"`
	// Fault says why the comparison could not be made.
	Fault string `json:"fault,omitempty"`
}

// Attempts to find a peer at rest: a state that is read page by page while
// blocks arrive is the state of no block.
const (
	quietAttempts = 20
	quietPause    = 250 * time.Millisecond
)

// Advance replays blocks until a height is reached.
type Advance func(ctx context.Context, height uint64) error

// ComparePeer holds a peer's state against the replayed one, at one height.
func (a *Auditor) ComparePeer(ctx context.Context, organisation string, p Peer, advance Advance) {
	before, state := a.report.Differences, PeerState{Organisation: organisation}
	err := a.comparePeer(ctx, &state, p, advance)
	if err != nil {
		state.Fault = err.Error()
		a.report.Incomplete = true
		a.add(Finding{Check: CheckState, Organisation: organisation, What: "the state could not be compared: " + err.Error()})
	}
	state.Equal = err == nil && a.report.Differences == before
	a.report.Peers = append(a.report.Peers, state)
}

func (a *Auditor) comparePeer(ctx context.Context, state *PeerState, p Peer, advance Advance) error {
	for range quietAttempts {
		height, err := p.Height(ctx)
		if err != nil {
			return err
		}
		if height < a.Height() {
			if err := pause(ctx, a.options.Pause); err != nil { // it is catching up
				return err
			}
			continue
		}
		if err := advance(ctx, height); err != nil {
			return err
		}
		found, records, err := a.walk(ctx, state.Organisation, p)
		if err != nil {
			return err
		}
		after, err := p.Height(ctx)
		if err != nil {
			return err
		}
		if state.Height, state.Records = height, records; after != height {
			continue
		}
		for _, f := range found {
			a.add(f)
		}
		return nil
	}
	return fmt.Errorf("its height did not stay the same, or stay with the others'; the last was %d, %d blocks are replayed", state.Height, a.Height())
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// walk goes through both states in the order of their keys.
func (a *Auditor) walk(ctx context.Context, organisation string, p Peer) (found []Finding, records int, err error) {
	next, stop := iter.Pull2(a.records())
	defer stop()
	key, value, more := next()
	differs := func(key string, expected, has []byte) {
		found = append(found, Finding{Check: CheckState, Organisation: organisation, Key: key, What: "the peer's record differs", Expected: string(expected), Found: string(has)})
	}
	err = eachRecord(ctx, p, func(r contract.Record) {
		records++
		for more && key < r.Key {
			differs(key, value, nil)
			key, value, more = next()
		}
		if !more || key > r.Key {
			differs(r.Key, nil, []byte(r.Value))
			return
		}
		if string(value) != r.Value {
			differs(key, value, []byte(r.Value))
		}
		key, value, more = next()
	})
	for err == nil && more {
		differs(key, value, nil)
		key, value, more = next()
	}
	return found, records, err
}

// eachRecord reads a peer's state page by page.
func eachRecord(ctx context.Context, p Peer, each func(contract.Record)) error {
	after := ""
	for {
		query, err := json.Marshal(contract.RangeQuery{After: after, Limit: contract.RangeMax})
		if err != nil {
			return err
		}
		body, err := p.Evaluate(ctx, "Audit:Range", query)
		if err != nil {
			return err
		}
		var answer contract.RangeAnswer
		if err := json.Unmarshal(body, &answer); err != nil {
			return fmt.Errorf("its answer cannot be read: %w", err)
		}
		for _, r := range answer.Records {
			if r.Key <= after {
				return fmt.Errorf("record %q came after %q", r.Key, after)
			}
			each(r)
			after = r.Key
		}
		if !answer.More || len(answer.Records) == 0 {
			return nil
		}
	}
}
