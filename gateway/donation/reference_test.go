package donation

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func draw(t interface{ Fatal(...any) }, campaign string) Reference {
	r, err := NewReference(campaign, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// byHand is the standard's rule, written another way: move the first four to
// the end, spell letters as 10..35, and take the whole number.
func byHand(text string) int64 {
	var digits strings.Builder
	for _, r := range text[4:] + text[:4] {
		if r >= 'A' {
			digits.WriteString(big.NewInt(int64(r - 'A' + 10)).String())
		} else {
			digits.WriteRune(r)
		}
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	return n.Mod(n, big.NewInt(97)).Int64()
}

func TestRemainderOfPublishedReferences(t *testing.T) {
	// Examples that banks and the standard's readers print.
	for _, text := range []string{"RF18539007547034", "RF471234567890", "RF45G72UUR", "RF6518K5"} {
		if got := remainder(text[4:] + text[:4]); got != 1 || byHand(text) != 1 {
			t.Errorf("%s gives %d", text, got)
		}
	}
}

func TestNewReference(t *testing.T) {
	r, err := NewReference("RCEF", bytes.NewReader(make([]byte, 64)))
	if err != nil || r != "RF56RCEF00000000000A" || byHand(string(r)) != 1 {
		t.Error(r, err)
	}
	if _, err := NewReference("RCEF", bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Error("a reference without random bits", err)
	}
	for _, wrong := range []string{"", "A", "RCE", "RCEFH", "rcef", "RCE1", "RICE", "赈灾项目", "RC E", "RCEF\n"} {
		if _, err := NewReference(wrong, rand.Reader); !rule.Is(err, rule.Invalid) {
			t.Errorf("%q is taken for a campaign", wrong)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		campaign := rapid.StringOfN(rapid.RuneFrom([]rune(referenceLetters)), campaignLength, campaignLength, -1).Draw(t, "campaign")
		r := draw(t, campaign)
		parsed, err := ParseReference(string(r))
		if err != nil || parsed != r || r.Campaign() != campaign || byHand(string(r)) != 1 || len(r) != 20 {
			t.Fatal(r, err)
		}
		if strings.ReplaceAll(r.Grouped(), " ", "") != string(r) || len(r.Grouped()) != 24 {
			t.Fatal(r.Grouped())
		}
		if found := FindReferences(r.Grouped()); !slices.Equal(found, []Reference{r}) {
			t.Fatal(found)
		}
	})
}

func TestParseReferenceIsStrict(t *testing.T) {
	good := string(draw(t, "RCEF"))
	for _, wrong := range []string{"", "RF", " " + good, good + " ", strings.ToLower(good), Reference(good).Grouped(), good + "0", good[:len(good)-1],
		"RF18539007547034", "RF００" + good[4:], good + "\n"} {
		if _, err := ParseReference(wrong); !rule.Is(err, rule.Invalid) {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// TestSecondCheckDigits: 97 and 00, 98 and 01, 02 and 99 have one remainder; only one of each is a spelling.
func TestSecondCheckDigits(t *testing.T) {
	second := map[string]string{"97": "00", "98": "01", "02": "99"}
	met := 0
	for range 2000 {
		r := string(draw(t, "RCEF"))
		if other, is := second[r[2:4]]; is {
			met++
			wrong := r[:2] + other + r[4:]
			if _, err := ParseReference(wrong); err == nil || byHand(wrong) != 1 {
				t.Errorf("%s is taken beside %s", wrong, r)
			}
		}
	}
	if met == 0 {
		t.Error("none was met")
	}
}

// TestOneWrongCharacterIsFound tries every character of the keyboard, and some
// more, at every place, and every exchange of neighbours.
func TestOneWrongCharacterIsFound(t *testing.T) {
	keyboard := []rune{'Ａ', '０', '捐', '-', ' '}
	for r := ' '; r < 0x7f; r++ {
		keyboard = append(keyboard, r)
	}
	check := func(t *testing.T, r Reference, wrong string) {
		if _, err := ParseReference(wrong); err == nil && wrong != string(r) {
			t.Fatalf("%s passes for %s", wrong, r)
		}
		if found := FindReferences("捐款" + wrong + "谢谢"); len(found) > 0 && found[0] != r {
			t.Fatalf("%s is found as %s instead of %s", wrong, found, r)
		}
		if found := FindReferences(wrong); len(found) > 0 && plain(wrong) != string(r) {
			t.Fatalf("%s is found as %s", wrong, found)
		}
	}
	for _, campaign := range []string{"RCEF", "AAAA", "YYYY", "MXWV", "RFRF", "FRFR", "HEAR", "VYVY"} {
		r := draw(t, campaign)
		for at := range r {
			for _, other := range keyboard {
				check(t, r, string(r[:at])+string(other)+string(r[at+1:]))
			}
			if at > 0 && r[at] != r[at-1] {
				check(t, r, string(r[:at-1])+string(r[at])+string(r[at-1])+string(r[at+1:]))
			}
		}
	}
}

func TestFindReferences(t *testing.T) {
	first, second := withCheck(t, "RF00RCEF00000000000A"), withCheck(t, "RF00KATA12345678901Y")
	a, b := string(first), string(second)
	full := strings.Map(func(r rune) rune { return r - '!' + '！' }, a)
	for _, c := range []struct {
		memo string
		want []Reference
	}{
		{a, []Reference{first}},
		{strings.ToLower(a), []Reference{first}},
		{first.Grouped(), []Reference{first}},
		{"捐款" + a + "谢谢", []Reference{first}},
		{"赈灾捐款：" + full + "，张三", []Reference{first}},
		{strings.ToLower(full), []Reference{first}},
		{a[:7] + "\r\n" + a[7:15] + "\n  " + a[15:], []Reference{first}},
		{a[:4] + "-" + a[4:7] + "–" + a[7:11] + "—" + a[11:], []Reference{first}},
		{a[:9] + "\u200b" + a[9:12] + "\u00a0" + a[12:16] + "　" + a[16:], []Reference{first}},
		{"REF" + a, []Reference{first}},
		{"RFRF" + a, []Reference{first}},
		{"RF00RF" + a + "20240910", []Reference{first}},
		{a + " 2024-09-10 100.00", []Reference{first}},
		{a + b, []Reference{first, second}},
		{b + "和" + first.Grouped() + "和" + a, []Reference{second, first}},
		{a[:10] + "捐" + a[10:], nil},
		{a[:len(a)-1], nil},
		{"RF18539007547034", nil},
		{"", nil},
		{"RF", nil},
		{"捐款100元", nil},
		{strings.Repeat("RF", 5000), nil},
	} {
		if got := FindReferences(c.memo); !slices.Equal(got, c.want) {
			t.Errorf("%.80q: found %v, want %v", c.memo, got, c.want)
		}
	}
}

// withCheck puts the right check digits into a text.
func withCheck(t *testing.T, text string) Reference {
	t.Helper()
	for n := range 100 {
		digits := string([]byte{byte('0' + n/10), byte('0' + n%10)})
		if r, err := ParseReference(text[:2] + digits + text[4:]); err == nil {
			return r
		}
	}
	t.Fatal(text)
	return ""
}

func FuzzFindReferences(f *testing.F) {
	f.Add("捐款 rf56-RCEF 0000 0000 000A 谢谢")
	f.Fuzz(func(t *testing.T, memo string) {
		for _, r := range FindReferences(memo) {
			if _, err := ParseReference(string(r)); err != nil {
				t.Error(r, err)
			}
		}
	})
}
