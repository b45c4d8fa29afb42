package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/gateway/outbox"
)

// positionHeader carries a place on the ledger: the number of the block that
// holds what was written. It is good at every organisation's gateway.
const positionHeader = "Lianbao-Position"

// ServeHTTP answers a request: first who may ask, then from which position of
// the ledger on, then whether it was answered before.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if failure := recover(); failure == http.ErrAbortHandler {
			panic(failure) // what was begun must not look whole
		} else if failure != nil {
			s.Log.Error("a handler panicked", "path", r.URL.Path, "failure", failure, "stack", string(debug.Stack()))
			s.write(w, s.problem(internal, "the gateway failed; its log says why"))
		}
	}()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r = r.WithContext(context.WithValue(r.Context(), serverKey{}, s))
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		s.mux.ServeHTTP(w, r)
		return
	}
	if closed(r) && !s.admits(w, r, "send a token of the organisation as Authorization: Bearer") {
		return
	}
	if p := s.waitFor(r); p != nil {
		s.write(w, p)
		return
	}
	s.answer(w, r)
}

// answer takes the way that fits the request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/api/v1/events", strings.Contains(r.URL.Path, "/exports/"), strings.HasPrefix(r.URL.Path, "/api/v1/documents"), strings.HasPrefix(r.URL.Path, "/api/v1/personal"):
		s.mux.ServeHTTP(w, r) // as it comes: they are long
	case strings.HasPrefix(r.URL.Path, givingPath):
		w.Header().Set("Cache-Control", "no-store")
		s.mux.ServeHTTP(w, r)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.tagged(w, r)
	case r.Header.Get("Idempotency-Key") != "":
		s.once(w, r)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// waitFor holds a request until the own peer's blocks up to a position have been read.
func (s *Server) waitFor(r *http.Request) *Problem {
	wanted := r.Header.Get(positionHeader)
	if wanted == "" {
		return nil
	}
	block, err := strconv.ParseUint(wanted, 10, 63)
	if err != nil {
		return s.problem("invalid", positionHeader+" is not a position; take it from the answer to a write")
	}
	ctx, cancel := context.WithTimeout(r.Context(), positionWait)
	defer cancel()
	if err := s.Model.WaitFor(ctx, block); err != nil {
		return s.problem(unavailable, "block "+wanted+" has not arrived here yet; ask again")
	}
	return nil
}

// recorder keeps an answer instead of sending it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(status int)         { r.status = status }
func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }

func (r *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // whoever left does not read it
}

// tagged answers a read with an ETag over its content, and 304 to whoever has it.
func (s *Server) tagged(w http.ResponseWriter, r *http.Request) {
	record := newRecorder()
	s.mux.ServeHTTP(record, r)
	if record.status == http.StatusOK {
		digest := sha256.Sum256(record.body.Bytes())
		tag := `"` + hex.EncodeToString(digest[:12]) + `"`
		record.header.Set("ETag", tag)
		record.header.Set("Cache-Control", "no-cache")
		if matches(r.Header.Values("If-None-Match"), tag) {
			record.status = http.StatusNotModified
			record.body.Reset()
			record.header.Del("Content-Type")
		}
	}
	record.send(w)
}

func matches(fields []string, tag string) bool {
	for _, field := range fields {
		for one := range strings.SplitSeq(field, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// once answers a request that carries an idempotency key: the first answer is
// kept and given again. Answers that say "try again" are not kept.
func (s *Server) once(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > idempotencyChars {
		s.write(w, s.problem("invalid", "the Idempotency-Key is longer than 255 characters"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pageBytesMax))
	if err != nil {
		s.write(w, s.unread(err))
		return
	}
	if !s.begin(key) {
		s.write(w, s.problem(inProgress, "a request with this Idempotency-Key is being answered; ask again"))
		return
	}
	defer s.end(key)
	digest := requestDigest(r, body)
	first, found, err := s.Outbox.Answered(r.Context(), key)
	switch {
	case err != nil:
		s.write(w, s.fail(err))
	case found && !bytes.Equal(first.Digest, digest):
		s.write(w, s.problem(keyReused, "this Idempotency-Key was sent with another request; choose a new key"))
	case found:
		replay(w, first)
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.first(w, r, key, digest)
	}
}

func (s *Server) unread(err error) *Problem {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return s.problem(tooLarge, "the body is longer than "+strconv.FormatInt(long.Limit, 10)+" bytes")
	}
	return s.problem("invalid", "the body could not be read")
}

func requestDigest(r *http.Request, body []byte) []byte {
	digest := sha256.New()
	digest.Write([]byte(r.Method + " " + r.URL.RequestURI() + "\n"))
	digest.Write(body)
	return digest.Sum(nil)
}

// first answers for the first time. The command itself stands in the outbox
// before the answer does: after a crash between the two the same request meets
// the same command and gets its answer.
func (s *Server) first(w http.ResponseWriter, r *http.Request, key string, digest []byte) {
	record := newRecorder()
	s.mux.ServeHTTP(record, r)
	if keeps(record.status) {
		var header []string
		for _, name := range slices.Sorted(maps.Keys(record.header)) {
			header = append(header, name+": "+record.header.Get(name))
		}
		answer := outbox.Answer{Digest: digest, Status: record.status, Header: header, Body: record.body.Bytes()}
		if err := s.Outbox.Answer(context.WithoutCancel(r.Context()), key, answer); err != nil {
			s.write(w, s.fail(err))
			return
		}
	}
	record.send(w)
}

// keeps reports whether an answer is final for its request.
func keeps(status int) bool {
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusMethodNotAllowed, http.StatusUnauthorized:
		return false
	}
	return status < http.StatusInternalServerError
}

func replay(w http.ResponseWriter, a outbox.Answer) {
	for _, line := range a.Header {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Set(name, value)
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // whoever left does not read it
}

func (s *Server) begin(key string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.answering[key] {
		return false
	}
	s.answering[key] = true
	return true
}

func (s *Server) end(key string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.answering, key)
}
