package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// documentRoutes keep and give out evidence. Documents are the organisation's
// own: reading them needs its token as well.
func (s *Server) documentRoutes() {
	s.mux.HandleFunc("POST /api/v1/documents", s.putDocument)
	s.mux.HandleFunc("GET /api/v1/documents/{id}", s.getDocument)
	s.mux.HandleFunc("DELETE /api/v1/documents/{id}", s.shredDocument)
}

// saltHeader carries what somebody needs beside the bytes to check a citation.
const saltHeader = "Lianbao-Document-Salt"

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
	citation, err := s.Documents.Put(r.Context(), kind, mediaType, http.MaxBytesReader(w, r.Body, document.BytesMax+1))
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

func (s *Server) getDocument(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r, "documents are the organisation's own; send its token as Authorization: Bearer") {
		return
	}
	body, meta, err := s.Documents.Open(r.Context(), r.PathValue("id"))
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", meta.MediaType)
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(saltHeader, meta.Salt.String())
	if _, err := io.Copy(w, body); err != nil {
		// What was sent looks whole unless the connection breaks.
		s.Log.Error("a document broke off", "document", meta.ID, "error", err)
		panic(http.ErrAbortHandler)
	}
}

// evidenceYears is how long accounting vouchers and what they rest on are kept,
// from the end of the year: Measures for the Administration of Accounting
// Archives (Ministry of Finance and State Archives Administration, Order 79 of
// 2015), article 14 and its first table.
const evidenceYears = 30

// personalReason is why evidence may go before its time: somebody's personal data must.
const personalReason = "personal-data"

func (s *Server) shredDocument(w http.ResponseWriter, r *http.Request) {
	id, reason := r.PathValue("id"), r.URL.Query().Get("reason")
	if reason != "" && reason != personalReason {
		s.write(w, s.fail(rule.Field("reason", rule.Refuse(rule.Invalid, "%.40q is not %s", reason, personalReason))))
		return
	}
	err := s.keepsEvidence(r.Context(), id)
	if err == nil || rule.Is(err, rule.WrongState) && reason == personalReason {
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
	hash := merkle.Hash(meta.Hash)
	for _, search := range []func(context.Context, merkle.Hash) (string, error){s.citedBy, s.proposedOn} {
		entry, err := search(ctx, hash)
		if err == nil && entry != "" {
			err = s.kept(ctx, id, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// citedAtOnce is how many citations are read at once.
const citedAtOnce = 1000

// citedBy is the entry that cites a document, empty for none.
func (s *Server) citedBy(ctx context.Context, hash merkle.Hash) (string, error) {
	window := readmodel.Window{Limit: citedAtOnce}
	for {
		list, err := s.Model.Records(ctx, "cited/", window)
		if err != nil {
			return "", err
		}
		for _, record := range list.Items {
			var cited fund.Cited
			if strings.HasSuffix(record.Key, "/"+hash.String()) {
				err := json.Unmarshal(record.Value, &cited)
				return cited.Entry, err
			}
		}
		if window.After = list.Next; list.Next == "" {
			return "", nil
		}
	}
}

// proposedOn is the entry of a disbursement that rests on a document, empty for none.
func (s *Server) proposedOn(ctx context.Context, hash merkle.Hash) (string, error) {
	window := readmodel.Window{Limit: citedAtOnce}
	for {
		list, err := s.Model.Disbursements(ctx, readmodel.DisbursementFilter{}, window)
		if err != nil {
			return "", err
		}
		for _, d := range list.Items {
			if slices.ContainsFunc(d.Evidence, func(c fund.Citation) bool { return c.Hash == hash }) {
				return d.Entry, nil
			}
		}
		if window.After = list.Next; list.Next == "" {
			return "", nil
		}
	}
}

func (s *Server) kept(ctx context.Context, id, cited string) error {
	organisation, entry, _ := strings.Cut(cited, "/")
	by, err := s.Model.Entry(ctx, organisation, tape.ID(entry))
	if err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, string(by.BusinessDate))
	if err != nil {
		return err
	}
	until := time.Date(day.Year()+evidenceYears, time.December, 31, 0, 0, 0, 0, time.UTC)
	if time.Now().After(until.AddDate(0, 0, 1)) {
		return nil
	}
	return rule.Refuse(rule.WrongState, "document %s is cited by entry %s and kept until %s, %d years from the end of the year; what must go before is personal data, and says so by ?reason=%s",
		id, cited, until.Format(time.DateOnly), evidenceYears, personalReason)
}
