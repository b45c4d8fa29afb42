package document

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// headBytes is how much of a document is looked at to tell what it is.
const headBytes = 1024

// form is a media type that is taken.
type form struct {
	// begins reports whether a document that begins with head can be of this form.
	begins func(head []byte) bool
	// clean copies a document without what would tell more than it shows, and
	// names what it left out. It refuses what is not whole.
	clean func(r *bufio.Reader, w io.Writer) (removed []string, err error)
}

// media is the closed list.
var media = map[string]form{
	"image/jpeg":      {prefix("\xff\xd8\xff"), cleanJPEG},
	"image/png":       {prefix(pngSignature), cleanPNG},
	"image/webp":      {isWebP, cleanWebP},
	"application/pdf": {prefix("%PDF-"), copyPDF},
	"text/plain":      {isText, copyText},
	"text/csv":        {isText, copyText},
}

// MediaTypes lists what is taken, in alphabetical order.
func MediaTypes() []string { return slices.Sorted(maps.Keys(media)) }

func prefix(text string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(text)) }
}

func unknownMedia(name string) error {
	return rule.Field("mediaType", rule.Refuse(rule.Invalid, "documents of type %.60q are not taken; taken are %s", name, strings.Join(MediaTypes(), ", ")))
}

// judge compares what a document is said to be with how it begins, and
// returns its media type without parameters.
func judge(claim string, head []byte) (string, error) {
	name, _, err := mime.ParseMediaType(claim)
	if err != nil {
		name = claim
	}
	if len(head) == 0 {
		return "", rule.Refuse(rule.Invalid, "the document is empty")
	}
	for _, said := range []string{activeType(name), activeContent(head)} {
		if said != "" {
			return "", rule.Field("mediaType", rule.Refuse(rule.Invalid, "this is %s, which can act when it is opened; send a picture or a PDF of it", said))
		}
	}
	f, known := media[name]
	if !known {
		return "", unknownMedia(name)
	}
	if !f.begins(head) {
		return "", rule.Field("mediaType", rule.Refuse(rule.Invalid, "the document is said to be %s, but begins like %s", name, seems(head)))
	}
	return name, nil
}

// seems names how a document begins, as well as can be told.
func seems(head []byte) string {
	for _, name := range MediaTypes() {
		if media[name].begins(head) {
			return name
		}
	}
	name, _, _ := mime.ParseMediaType(http.DetectContentType(head))
	return name
}

func activeType(name string) string {
	switch {
	case name == "text/html", name == "application/xhtml+xml":
		return "HTML"
	case strings.HasPrefix(name, "image/svg"):
		return "SVG"
	case strings.HasSuffix(name, "/xml"), strings.HasSuffix(name, "+xml"):
		return "XML"
	case strings.HasSuffix(name, "javascript"), strings.HasSuffix(name, "ecmascript"):
		return "JavaScript"
	}
	return ""
}

// marks betray markup near the beginning of what is said to be text. Pictures
// and PDFs are told by their first bytes and are not searched: their own
// metadata is XML.
var marks = []struct{ text, name string }{
	{"<svg", "SVG"}, {"<!doctype html", "HTML"}, {"<html", "HTML"}, {"<head", "HTML"}, {"<body", "HTML"},
	{"<script", "HTML"}, {"<iframe", "HTML"}, {"<?xml", "XML"},
}

func activeContent(head []byte) string {
	if !isText(head) {
		return ""
	}
	lower := bytes.ToLower(head)
	for _, mark := range marks {
		if bytes.Contains(lower, []byte(mark.text)) {
			return mark.name
		}
	}
	if strings.HasPrefix(http.DetectContentType(bytes.TrimPrefix(head, []byte("\ufeff"))), "text/html") {
		return "HTML"
	}
	return ""
}

// isText accepts UTF-8 and GB 18030, which Chinese banks still write: neither
// has a control character inside another. UTF-16 has zeros and is not text here.
func isText(head []byte) bool {
	return len(head) > 0 && bytes.IndexFunc(head, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) || r == 0x7f }) < 0 &&
		!bytes.HasPrefix(head, []byte("%PDF-"))
}

// copyText changes nothing and refuses a control character anywhere.
func copyText(r *bufio.Reader, w io.Writer) ([]string, error) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		if n > 0 && !isText(buffer[:n]) {
			return nil, broken("text", "a control character stands in it")
		}
		if _, failed := w.Write(buffer[:n]); failed != nil {
			return nil, failed
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// copyPDF changes nothing: a PDF is a graph of objects that may be compressed,
// signed or both, and what was cut out of it would not be the invoice any more.
// It refuses a PDF whose end is missing.
func copyPDF(r *bufio.Reader, w io.Writer) ([]string, error) {
	tail := &tail{}
	if _, err := io.Copy(io.MultiWriter(w, tail), r); err != nil {
		return nil, err
	}
	if !bytes.Contains(tail.bytes, []byte("%%EOF")) {
		return nil, broken("PDF", "its end is missing")
	}
	return nil, nil
}

// tail keeps the last bytes written to it.
type tail struct{ bytes []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.bytes = append(t.bytes, p[max(0, len(p)-headBytes):]...)
	t.bytes = append([]byte(nil), t.bytes[max(0, len(t.bytes)-headBytes):]...)
	return len(p), nil
}

func broken(form, format string, arguments ...any) error {
	return rule.Refuse(rule.Invalid, "this is not a whole %s: "+format, append([]any{form}, arguments...)...)
}

// cut says that a document ends too early; other errors of its reader stay as they are.
func cut(form string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return broken(form, "its end is missing")
	}
	return err
}

// dropRest reads what follows the end of a picture, where phones put films and
// second pictures, and says so when there was something.
func dropRest(r io.Reader, removed []string) ([]string, error) {
	n, err := io.Copy(io.Discard, r)
	if n > 0 {
		removed = note(removed, "data after the end")
	}
	return removed, err
}

// otherChunks stands for all chunks without a name of ours: theirs is up to
// whoever made the file, and a citation goes to the ledger.
const otherChunks = "other chunks"

func note(removed []string, what string) []string {
	if slices.Contains(removed, what) {
		return removed
	}
	return append(removed, what)
}
