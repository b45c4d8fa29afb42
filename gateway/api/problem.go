package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
)

// The codes of problems that are not the rules' but the gateway's own.
const (
	unavailable  rule.Code = "unavailable"
	unauthorized rule.Code = "unauthorized"
	tooLarge     rule.Code = "too-large"
	keyReused    rule.Code = "key-reused"
	inProgress   rule.Code = "in-progress"
	notAllowed   rule.Code = "not-allowed"
	internal     rule.Code = "internal"
)

// answer is how a code looks in HTTP.
type answer struct {
	status    int
	title     string
	retryable bool
}

// answers is the one table from codes to HTTP.
var answers = map[rule.Code]answer{
	rule.Invalid:      {http.StatusUnprocessableEntity, "Not well formed", false},
	rule.Forbidden:    {http.StatusForbidden, "Not allowed", false},
	rule.NotFound:     {http.StatusNotFound, "Does not exist", false},
	rule.Exists:       {http.StatusConflict, "The id is taken by other content", false},
	rule.Conflict:     {http.StatusConflict, "Two statements disagree", false},
	rule.Insufficient: {http.StatusConflict, "Not enough settled money", false},
	rule.WrongState:   {http.StatusConflict, "Not possible in this state", false},
	rule.Expired:      {http.StatusGone, "A deadline has passed", false},
	rule.Early:        {http.StatusConflict, "A waiting period has not ended", false},
	rule.Unsupported:  {http.StatusNotImplemented, "Version not known here", false},
	unavailable:       {http.StatusServiceUnavailable, "The ledger cannot take it now", true},
	unauthorized:      {http.StatusUnauthorized, "No valid token", false},
	tooLarge:          {http.StatusRequestEntityTooLarge, "Too long", false},
	keyReused:         {http.StatusUnprocessableEntity, "The idempotency key was used for another request", false},
	inProgress:        {http.StatusConflict, "The same request is being answered", true},
	notAllowed:        {http.StatusMethodNotAllowed, "Method not allowed", false},
	internal:          {http.StatusInternalServerError, "The gateway failed", false},
}

// Problem is a refusal or a failure as RFC 9457 writes it.
type Problem struct {
	Type   string `json:"type" doc:"Names the kind of problem; the last part is its code."`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail" doc:"One sentence that names what to mend."`
	Code   string `json:"code" doc:"A code of the closed list of refusals, or one of the gateway's own." example:"insufficient"`
	// Organisation is whose gateway answers.
	Organisation string `json:"organisation"`
	Transaction  string `json:"transaction,omitempty" doc:"The transaction on the ledger that it is about."`
	Retryable    bool   `json:"retryable" doc:"Whether the same request may succeed later."`
	Errors       []Flaw `json:"errors,omitempty"`
}

// Flaw is one field that is at fault.
type Flaw struct {
	Pointer string `json:"pointer" doc:"JSON pointer into what was sent." example:"/payouts/3/amount"`
	Detail  string `json:"detail"`
}

// Error prints the problem as refusals are printed.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	if !p.Retryable {
		return nil
	}
	return http.Header{"Retry-After": {"1"}}
}

func (s *Server) problem(code rule.Code, detail string) *Problem {
	a, known := answers[code]
	if !known {
		code, a = internal, answers[internal]
	}
	return &Problem{Type: "https://lianbao.dev/problems/" + string(code), Title: a.title, Status: a.status, Detail: detail,
		Code: string(code), Organisation: s.Organisation, Retryable: a.retryable}
}

// refusal writes the rules' no. The field that it names becomes a pointer.
func (s *Server) refusal(r *rule.Refusal) *Problem {
	path, sentence := r.Pointer()
	p := s.problem(r.Code, sentence)
	if path != "" {
		p.Detail = sentence + " (field " + path + ")"
		p.Errors = []Flaw{{Pointer: pointerOf(path), Detail: sentence}}
	}
	return p
}

// pointerOf turns payouts[3].amount into /payouts/3/amount.
func pointerOf(path string) string {
	return "/" + strings.NewReplacer("[", "/", "].", "/", "]", "", ".", "/").Replace(path)
}

// fail turns any error into a problem. What nobody expected is logged and not
// shown: it could tell a stranger about the machine.
func (s *Server) fail(err error) *Problem {
	var (
		p         *Problem
		refusal   *rule.Refusal
		transient *fabric.Transient
		busy      *lane.Busy
		begun     *personal.Unfinished
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &begun):
		return s.problem(unavailable, "record "+string(begun.Record)+" in "+string(begun.Collection)+" was begun and is gone on with; send it again with this record, and it is not done twice")
	case errors.As(err, &transient):
		return s.problem(unavailable, transient.Text)
	case errors.As(err, &busy):
		return s.problem(unavailable, strings.TrimPrefix(busy.Error(), "unavailable: "))
	case errors.As(err, &refusal):
		return s.refusal(refusal)
	case errors.Is(err, outbox.ErrClosed):
		return s.problem(unavailable, "the gateway is stopping or its disk failed; nothing was accepted")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return s.problem(unavailable, "it took too long; ask again")
	}
	s.Log.Error("a request failed", "error", err)
	return s.problem(internal, "the gateway failed; its log says why")
}

// codesOfStatus are the codes of what the HTTP library refuses by itself.
var codesOfStatus = map[int]rule.Code{
	http.StatusBadRequest: rule.Invalid, http.StatusUnprocessableEntity: rule.Invalid, http.StatusNotAcceptable: rule.Invalid,
	http.StatusUnsupportedMediaType: rule.Invalid, http.StatusRequestTimeout: unavailable,
	http.StatusRequestEntityTooLarge: tooLarge, http.StatusNotFound: rule.NotFound, http.StatusMethodNotAllowed: notAllowed,
}

// speak makes the HTTP library's own refusals look like ours.
func (s *Server) speak(status int, message string, flaws ...error) huma.StatusError {
	code, known := codesOfStatus[status]
	if !known {
		code = internal
	}
	p := s.problem(code, message)
	for _, flaw := range flaws {
		var detailed huma.ErrorDetailer
		if !errors.As(flaw, &detailed) {
			p.Detail += ": " + flaw.Error()
			continue
		}
		d := detailed.ErrorDetail()
		path := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body"), ".")
		p.Detail += "; " + d.Message
		if path != "" {
			p.Detail += " (field " + path + ")"
			p.Errors = append(p.Errors, Flaw{Pointer: pointerOf(path), Detail: d.Message})
		}
	}
	return p
}

// write sends a problem outside the HTTP library.
func (s *Server) write(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		slog.Error("a problem cannot be written", "error", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	maps.Copy(w.Header(), p.GetHeaders())
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // whoever left does not read it
}
