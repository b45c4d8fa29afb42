package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
)

// PublicationInput says what is to be published about a campaign.
type PublicationInput struct {
	Writing
	Account string `path:"account"`
	Body    struct {
		Duty string `json:"duty,omitempty" doc:"The duty that it meets; left out, the next one that the clock shows." enum:"emergency,progress,final,remainder,evaluation,annual,other"`
		From string `json:"from,omitempty" doc:"First day; left out, that of the period that meets the duty." example:"2026-01-01"`
		To   string `json:"to,omitempty" doc:"Last day; left out, that of the period that meets the duty." example:"2026-03-31"`
	}
}

// PublicationDraft is a document that is kept, and the command that freezes it.
type PublicationDraft struct {
	Body struct {
		Document string       `json:"document" doc:"SHA-256 of the document; read it under /api/v1/publications."`
		Command  fund.Publish `json:"command" doc:"What a person of the charity signs, action publish, amount zero."`
	}
}

func (s *Server) publicationRoutes() {
	post(s, "/api/v1/campaigns/{account}/publications", "Make a publication: the document is kept, the command is for a person to sign", bodyBytesMax, s.draftPublication,
		func(o *huma.Operation) { o.DefaultStatus = http.StatusOK })
	s.mux.HandleFunc("GET /api/v1/publications/{document}", s.publication)
}

func (s *Server) draftPublication(ctx context.Context, in *PublicationInput) (*PublicationDraft, error) {
	ask := disclosure.Ask{Account: tape.AccountID(in.Account), Duty: in.Body.Duty, From: tape.Date(in.Body.From), To: tape.Date(in.Body.To)}
	text, command, err := disclosure.Draft(ctx, s.Model, ask, time.Now())
	if err != nil {
		return nil, err
	}
	hash, err := s.Shelf.Put(text)
	if err != nil {
		return nil, err
	}
	draft := new(PublicationDraft)
	draft.Body.Document, draft.Body.Command = hash.String(), command
	return draft, nil
}

// publication answers with a document byte for byte, so that its hash can be compared.
func (s *Server) publication(w http.ResponseWriter, r *http.Request) {
	var hash merkle.Hash
	err := hash.UnmarshalText([]byte(r.PathValue("document")))
	if err != nil {
		s.write(w, s.fail(rule.Refuse(rule.Invalid, "%.70q is not a document's hash, 64 hexadecimal digits", r.PathValue("document"))))
		return
	}
	text, err := s.Shelf.Get(hash)
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(text) // whoever left does not read it
}
