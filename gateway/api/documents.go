package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/document"
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
	if !s.authorized(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.write(w, s.problem(unauthorized, "documents are the organisation's own; send its token as Authorization: Bearer"))
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

func (s *Server) shredDocument(w http.ResponseWriter, r *http.Request) {
	if err := s.Documents.Shred(r.Context(), r.PathValue("id")); err != nil {
		s.write(w, s.fail(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
