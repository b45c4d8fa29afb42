package portal

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestEvidence: a proposal takes documents, its page shows them with the
// command that verifies them, staff download them, and the log says who did.
func TestEvidence(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	propose := "/en/campaigns/" + string(speech) + "/propose"
	maker.request(http.MethodGet, propose, nil)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)[1]
	form := maker.body
	fields := []string{"id", id, "line", "training", "payee", string(family), "amount", "60.00", "document-kind-1", "invoice"}
	const secret = "invoice 7 of an invented supplier"
	for _, file := range []string{"invoice.exe", "invoice.png"} {
		maker.body = form
		maker.uploads(propose, "document-1-file", file, secret, fields...)
		maker.reads("This was not done", "document-1")
	}
	maker.body = form
	maker.uploads(propose, "document-1-file", "invoice.txt", secret, fields...)
	maker.reads("Propose to pay 60.00 CNY to 1 payee")
	maker.signs("maker")
	page := "/en/disbursements/" + string(speech) + "/" + id
	maker.request(http.MethodGet, page, nil)
	maker.reads("lianbao evidence verify FILE --hash ")
	path := regexp.MustCompile(`href="(/en/documents/([0-9a-f]{64}))"`).FindStringSubmatch(maker.body)
	if path == nil {
		t.Fatalf("no document on %s", maker.body)
	}
	maker.request(http.MethodGet, path[1], nil)
	maker.reads("text/plain", "33 bytes", path[2], "--salt ")
	maker.request(http.MethodGet, path[1]+"/file", nil)
	if maker.body != secret || !strings.Contains(w.log.String(), "a document was handed out") || !strings.Contains(w.log.String(), "person=maker") {
		t.Errorf("downloaded %q; the log says %s", maker.body, w.log)
	}
	w.nowhere(secret)
	stranger, child := &visitor{town: w}, w.logsIn("child")
	stranger.request(http.MethodGet, page, nil)
	if stranger.reads("invoice", path[2]); strings.Contains(stranger.body, path[1]) {
		t.Error("a stranger is led to the document")
	}
	for _, v := range []*visitor{stranger, child} {
		for _, address := range []string{path[1], path[1] + "/file"} {
			if v.request(http.MethodGet, address, nil); strings.Contains(v.body, secret) || strings.Contains(v.body, "--salt") {
				t.Errorf("others read %s: %d", address, v.code)
			}
		}
	}
	for address, code := range map[string]int{"/en/documents/" + strings.Repeat("ab", 32): 404, "/en/documents/x": 400, "/en/documents/" + strings.Repeat("ab", 32) + "/file": 409} {
		if maker.request(http.MethodGet, address, nil); maker.code != code {
			t.Errorf("%s: %d", address, maker.code)
		}
	}
}
