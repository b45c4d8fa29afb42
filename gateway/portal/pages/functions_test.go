package pages

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// TestLink: a link as a piece of a sentence escapes what it is given, and leads nowhere but here.
func TestLink(t *testing.T) {
	for _, c := range []struct{ href, text, want string }{
		{"/en/entries/a/b", "62.00", `<a href="/en/entries/a/b">62.00</a>`},
		{`/en/"><script>`, "<b>", `<a href="/en/&#34;&gt;&lt;script&gt;">&lt;b&gt;</a>`},
		{"javascript:alert(1)", "<b>", "&lt;b&gt;"},
		{"//elsewhere.example/", "x", "x"},
	} {
		if got := string(link(c.href, c.text)); got != c.want {
			t.Errorf("%s: %s", c.href, got)
		}
	}
}

func TestEvidencePath(t *testing.T) {
	for _, c := range []struct {
		evidence tape.Evidence
		want     string
	}{
		{tape.Evidence{Kind: "statement", Reference: "lines/outside:bank:a/january/0"}, "/statements/outside:bank:a/january"},
		{tape.Evidence{Kind: "entry", Reference: "charity/spend-1/0"}, "/entries/charity/spend-1"},
		{tape.Evidence{Kind: "processor", Reference: "processor/charity:a:b/file"}, ""},
		{tape.Evidence{Kind: "self-declared"}, ""},
	} {
		if got := evidencePath(c.evidence); got != c.want {
			t.Errorf("%+v leads to %q", c.evidence, got)
		}
	}
}

// TestShortened: a label finds room beside its bar, also in Chinese, whose characters are twice as wide.
func TestShortened(t *testing.T) {
	for text, want := range map[string]string{"Training": "Training", strings.Repeat("a", 40): strings.Repeat("a", 26) + "…", strings.Repeat("字", 40): strings.Repeat("字", 13) + "…", strings.Repeat("字", 12): strings.Repeat("字", 12)} {
		if got := shortened(text); got != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// TestStack: the parts of the bar lie side by side and fill it, however small they are.
func TestStack(t *testing.T) {
	pieces := make([]views.Piece, 3)
	for i, units := range []int64{6200, 1, 3799} {
		pieces[i].Amount.Units = units
	}
	parts := stackOf(pieces)
	for i, want := range []string{"0.000% 62.000%", "62.000% 0.010%", "62.010% 37.990%"} {
		if got := parts[i].X + " " + parts[i].Width; got != want {
			t.Errorf("part %d is at %s", i, got)
		}
	}
}

// TestQR: a code has its quiet border, and is not the same for two addresses.
func TestQR(t *testing.T) {
	a, err := qrOf("https://ledger.example/en/gifts/GIFT-1")
	b, err2 := qrOf("https://ledger.example/en/gifts/GIFT-2")
	if err != nil || err2 != nil || a.Path == b.Path || !strings.HasPrefix(a.Path, "M4 4h1v1h-1z") {
		t.Errorf("%.40s %.40s %v %v", a.Path, b.Path, err, err2)
	}
}
