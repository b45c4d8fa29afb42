package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/personal"
)

// documentRoutes keep and give out evidence. Documents are the organisation's
// own: reading them needs its token as well.
func (s *Server) documentRoutes() {
	s.mux.HandleFunc("POST /api/v1/documents", s.putDocument)
	s.mux.HandleFunc("GET /api/v1/documents", s.findDocuments)
	s.mux.HandleFunc("GET /api/v1/documents/{id}", s.getDocument)
	s.mux.HandleFunc("DELETE /api/v1/documents/{id}", s.shredDocument)
}

func (s *Server) putDocument(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Query().Get("kind")
	if !slices.Contains(fund.CitationKinds(), kind) {
		s.write(w, s.fail(rule.Field("kind", rule.Refuse(rule.Invalid, "%.40q is not one of %v", kind, fund.CitationKinds()))))
		return
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		s.write(w, s.fail(rule.Refuse(rule.Invalid, "say by Content-Type what the document is; there are %v", document.MediaTypes())))
		return
	}
	body, about := http.MaxBytesReader(w, r.Body, document.BytesMax+1), r.URL.Query()["about"]
	var citation document.Citation
	if sending := r.Header.Get("Idempotency-Key"); sending == "" {
		citation, err = s.Documents.Put(r.Context(), kind, mediaType, body, about...)
	} else {
		citation, err = s.Documents.PutOnce(r.Context(), "program "+sending, kind, mediaType, body, about...)
	}
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		err = rule.Refuse(rule.Invalid, "the document is longer than %d bytes", document.BytesMax)
	}
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	s.json(w, http.StatusCreated, citation)
}

// findDocuments lists what is kept about a payee.
func (s *Server) findDocuments(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r, "documents are the organisation's own; send its token as Authorization: Bearer") {
		return
	}
	payee := tape.AccountID(r.URL.Query().Get("about"))
	if payee.Check() != nil {
		s.write(w, s.fail(rule.Field("about", rule.Refuse(rule.Invalid, "is not the ledger's name of a payee; write ?about=outside:household:…"))))
		return
	}
	found, err := s.Documents.About(string(payee))
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	s.json(w, http.StatusOK, struct {
		Items []document.Meta `json:"items"`
	}{append([]document.Meta{}, found...)})
}

func (s *Server) getDocument(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r, "documents are the organisation's own; send its token as Authorization: Bearer") {
		return
	}
	if err := s.Documents.HandOut(r.Context(), w, r.PathValue("id"), s.Log.With("program", s.Organisation)); err != nil {
		s.write(w, s.fail(err))
	}
}

func (s *Server) shredDocument(w http.ResponseWriter, r *http.Request) {
	id, reason := r.PathValue("id"), r.URL.Query().Get("reason")
	if reason != "" && reason != personal.ShreddedFor {
		s.write(w, s.fail(rule.Field("reason", rule.Refuse(rule.Invalid, "%.40q is not %s", reason, personal.ShreddedFor))))
		return
	}
	err := s.keepsEvidence(r.Context(), id)
	if err == nil || rule.Is(err, rule.WrongState) && reason == personal.ShreddedFor {
		if err == nil {
			reason = ""
		} else {
			s.Log.Warn("evidence is shredded before its time", "document", id, "reason", reason)
		}
		err = s.Documents.ShredFor(r.Context(), id, reason)
	}
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// keepsEvidence refuses to let go of a document that the ledger cites, as long
// as it has to be kept. One that was shredded already may be shredded again,
// which removes what an interruption left.
func (s *Server) keepsEvidence(ctx context.Context, id string) error {
	meta, err := s.Documents.Meta(id)
	if err != nil || !meta.Shredded.IsZero() {
		return err
	}
	by, err := s.Model.Citing(ctx, merkle.Hash(meta.Hash))
	if err != nil || by == nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, string(by.BusinessDate))
	if err != nil {
		return err
	}
	until := document.EvidenceUntil(day)
	if time.Now().After(until.AddDate(0, 0, 1)) {
		return nil
	}
	return rule.Refuse(rule.WrongState, "document %s is cited by entry %s and kept until %s, %d years from the end of the year; what must go before is personal data, and says so by ?reason=%s",
		id, by.Reference(), until.Format(time.DateOnly), document.EvidenceYears, personal.ShreddedFor)
}
