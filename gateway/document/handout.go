package document

import (
	"context"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
)

// SaltHeader carries what somebody needs beside the bytes to check a citation.
const SaltHeader = "Lianbao-Document-Salt"

// HandOut sends a document to who may read it, which the caller has judged, and
// notes in the log who that is. It is the one way on which documents leave: an
// error comes before anything was sent, and what breaks off does not look whole.
func (a *Archive) HandOut(ctx context.Context, w http.ResponseWriter, id string, log *slog.Logger) error {
	body, meta, err := a.Open(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // it was read, nothing can be lost
	log = log.With("document", meta.ID, "hash", meta.Hash.String())
	log.Info("a document was handed out")
	name := meta.Kind + "-" + meta.Hash.String()[:8]
	if endings, err := mime.ExtensionsByType(meta.MediaType); err == nil && len(endings) > 0 {
		name += endings[0]
	}
	for header, value := range map[string]string{"Content-Type": meta.MediaType, "Content-Length": strconv.FormatInt(meta.Size, 10), "Cache-Control": "no-store",
		"Content-Disposition": mime.FormatMediaType("attachment", map[string]string{"filename": name}), SaltHeader: meta.Salt.String()} {
		w.Header().Set(header, value)
	}
	if _, err := io.Copy(w, body); err != nil {
		log.Error("a document broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
