package words

import (
	"html/template"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct{ amount, want string }{
		{"412300.00 CNY", "412,300.00\u00a0CNY"},
		{"0.01 CNY", "0.01\u00a0CNY"},
		{"999 VND", "999\u00a0VND"},
		{"1000 VND", "1,000\u00a0VND"},
		{"135081775728 VND", "135,081,775,728\u00a0VND"},
		{"90071992547409.91 CNY", "90,071,992,547,409.91\u00a0CNY"},
		{"-1234.50 CNY", "\u22121,234.50\u00a0CNY"},
	} {
		var amount money.Amount
		if err := amount.UnmarshalText([]byte(c.amount)); err != nil {
			amount = money.New(-123450, "CNY") // balances may be negative, commands may not
		}
		if got := Money(amount); got != c.want {
			t.Errorf("%s is written %q, not %q", c.amount, got, c.want)
		}
	}
}

func languages(t *testing.T) map[string]*Language {
	t.Helper()
	all, err := Languages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDates(t *testing.T) {
	all := languages(t)
	for _, c := range []struct {
		tag, date, moment, month string
	}{
		{"en", "3 Mar 2026", "3 Mar 2026 09:05:00 UTC", "Mar 2026"},
		{"zh-CN", "2026年3月3日", "2026年3月3日 09:05:00 UTC", "2026年3月"},
	} {
		l := all[c.tag]
		var at tape.Instant
		if err := at.UnmarshalText([]byte("2026-03-03T09:05:00.000Z")); err != nil {
			t.Fatal(err)
		}
		if l.Date("2026-03-03") != c.date || l.Moment(at) != c.moment || l.Month("2026-03") != c.month {
			t.Errorf("%s writes %s, %s, %s", c.tag, l.Date("2026-03-03"), l.Moment(at), l.Month("2026-03"))
		}
		if l.Date("soon") != "soon" || l.Month("never") != "never" {
			t.Errorf("%s changes what is no date", c.tag)
		}
	}
}

func TestShare(t *testing.T) {
	for basisPoints, want := range map[int]string{410: "4.1\u00a0%", 1000: "10\u00a0%", 7005: "70.05\u00a0%", 0: "0\u00a0%"} {
		if got := Share(basisPoints); got != want {
			t.Errorf("%d is written %q", basisPoints, got)
		}
	}
}

func TestPrefer(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"", "en"}, {"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"}, {"zh", "zh-CN"}, {"zh-SG", "zh-CN"}, {"de", "en"}, {"en-GB, zh;q=0.5", "en"}, {"fr;q=0.9, zh;q=0.8", "zh-CN"}, {";;;", "en"}, {"zh-Hant;q=x", "en"},
	} {
		if got := Prefer(c.header); got != c.want {
			t.Errorf("%q prefers %s, not %s", c.header, got, c.want)
		}
	}
}

func TestPlural(t *testing.T) {
	all := languages(t)
	for _, c := range []struct {
		tag   string
		count int
		want  string
	}{{"en", 1, "due in 1 day"}, {"en", 1200, "due in 1,200 days"}, {"zh-CN", 1, "还有 1 天到期"}} {
		if got, err := all[c.tag].Number("clock.left", c.count); err != nil || got != c.want {
			t.Errorf("%s says %q of %d: %v", c.tag, got, c.count, err)
		}
	}
}

// TestMark: a value is text unless it was made as a piece of a page.
func TestMark(t *testing.T) {
	l := languages(t)["en"]
	got, err := l.Mark("piece.free", "Amount", template.HTML(`<a href="/x">1</a>`), "Account", "<script>")
	if err != nil || got != `<a href="/x">1</a> waits in &lt;script&gt; to be spent.` {
		t.Errorf("%q %v", got, err)
	}
}

func TestFaults(t *testing.T) {
	l := languages(t)["en"]
	if _, err := l.Say("there.is.no.such.key"); err == nil {
		t.Error("an unknown key was said")
	}
	if _, err := l.Say("units", "Span"); err == nil {
		t.Error("a placeholder without a value was taken")
	}
	if got, err := l.Word("kind.", "a-kind-of-tomorrow"); err != nil || got != "a-kind-of-tomorrow" {
		t.Errorf("%q %v", got, err)
	}
}
