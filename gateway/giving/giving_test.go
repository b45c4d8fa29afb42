package giving

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

const books = tape.AccountID("charity:sunrise:books")

// shop is a store in a folder, with a clock that tests move.
type shop struct {
	*testing.T
	*Store
	settings Settings
	now      time.Time
	attempts int
}

func newShop(t *testing.T) *shop {
	s := &shop{T: t, now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	folder := t.TempDir()
	s.settings = Settings{Folder: filepath.Join(folder, "giving"), Key: filepath.Join(folder, "key", "giving.key"), Clock: func() time.Time { return s.now }, segmentLines: 4}
	s.open()
	t.Cleanup(func() { _ = s.Close() }) // some tests have closed it
	return s
}

func (s *shop) open() {
	s.Helper()
	var err error
	if s.Store, err = Open(s.settings); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) again() {
	s.Helper()
	if err := s.Close(); err != nil {
		s.Fatal(err)
	}
	s.open()
}

func (s *shop) ask(name string) Ask {
	s.attempts++
	a := Ask{Attempt: fmt.Sprintf("%032x", s.attempts), Account: books, Amount: money.New(100_00, "CNY"), Donor: donation.Donor{Kind: donation.Named, Name: name}}
	if name == "" {
		a.Donor = donation.Donor{Kind: donation.Anonymous}
	}
	return a
}

func (s *shop) announce(name string) (Announcement, string) {
	s.Helper()
	made, code, err := s.Announce(s.ask(name))
	if err != nil {
		s.Fatal(err)
	}
	return made, code.String()
}

// bytes are everything that lies in the store's folder.
func (s *shop) bytes() string {
	s.Helper()
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(s.settings.Folder, "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// plain are all records, opened.
func (s *shop) plain() string {
	s.Helper()
	var all strings.Builder
	j, err := openJournal(s.settings.Folder, s.sealing, s.settings.segmentLines, func(_ place, r record) error {
		_, err := fmt.Fprintf(&all, "%+v %+v %+v %+v %+v\n", r.Announced, r.Used, r.Waived, r.Numbered, r.Erased)
		return err
	})
	if err := errors.Join(err, j.close()); err != nil {
		s.Fatal(err)
	}
	return all.String()
}

func TestCode(t *testing.T) {
	shape := regexp.MustCompile(`^([2-9ACEFHJKMNPRTUWXY]{4} ){6}[2-9ACEFHJKMNPRTUWXY]{4}$`)
	seen := map[string]bool{}
	for i := range 256 {
		for _, c := range []Code{{byte(i)}, {15: byte(i)}} {
			if !shape.MatchString(c.String()) {
				t.Fatalf("%q", c)
			}
			seen[c.String()] = true
		}
	}
	if len(seen) != 511 {
		t.Errorf("%d codes of 511", len(seen))
	}
	code := Code{1, 2, 3}.String()
	for _, typed := range []string{strings.ToLower(code), strings.ReplaceAll(code, " ", ""), strings.ReplaceAll(code, " ", "-"), " " + code + "\n"} {
		if hashOf(typed) != hashOf(code) {
			t.Errorf("%q is another code", typed)
		}
	}
	if spelled(strings.ToLower(strings.ReplaceAll(code, " ", ""))) != code {
		t.Errorf("%q is printed as %q", code, spelled(strings.ToLower(code)))
	}
	if hashOf(code) == hashOf(code[1:]) {
		t.Error("another code has the same hash")
	}
}

// TestAnnounce: what is announced is found by its code and reference, after a
// start as before, and nothing of it can be read on the disk.
func TestAnnounce(t *testing.T) {
	s := newShop(t)
	codes := map[string]Announcement{}
	for i := range 11 { // three files of four lines
		made, code := s.announce(fmt.Sprintf("Invented Giver %d", i))
		codes[code] = made
	}
	s.again()
	for code, made := range codes {
		found, err := s.Find(code)
		if err != nil || found.ID != made.ID || found.Donor != made.Donor || found.Reference != made.Reference || !found.At.Equal(s.now) {
			t.Errorf("%+v, %v; want %+v", found, err, made)
		}
		if _, err := donation.ParseReference(string(made.Reference)); err != nil {
			t.Error(err)
		}
		text := s.bytes() + s.plain()
		if strings.Contains(text, code) || strings.Contains(text, strings.ReplaceAll(code, " ", "")) {
			t.Error("the code stands in the store")
		}
		if strings.Contains(s.bytes(), made.Donor.Name) || strings.Contains(s.bytes(), string(made.Reference)) {
			t.Error("the store can be read")
		}
	}
	if files, _ := filepath.Glob(filepath.Join(s.settings.Folder, segmentPattern)); len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
}

// TestTwice: a form sent twice is one announcement.
func TestTwice(t *testing.T) {
	s := newShop(t)
	ask := s.ask("Invented Giver")
	first, code, err := s.Announce(ask)
	if err != nil {
		t.Fatal(err)
	}
	s.again()
	second, same, err := s.Announce(ask)
	if err != nil || second.ID != first.ID || same != code {
		t.Errorf("%+v %v, %v", second, same, err)
	}
	ask.Amount = money.New(1, "CNY")
	if _, _, err := s.Announce(ask); !rule.Is(err, rule.Exists) {
		t.Errorf("other content: %v", err)
	}
}

func TestRefusedAsks(t *testing.T) {
	s := newShop(t)
	for _, test := range []struct {
		name   string
		change func(*Ask)
		want   string
	}{
		{"no mark", func(a *Ask) { a.Attempt = "" }, "invalid: field attempt"},
		{"a mark in capitals", func(a *Ask) { a.Attempt = strings.Repeat("A", 32) }, "invalid: field attempt"},
		{"nothing", func(a *Ask) { a.Amount = money.New(0, "CNY") }, "invalid: field amount"},
		{"less", func(a *Ask) { a.Amount = money.New(-1, "CNY") }, "invalid: field amount"},
		{"no account", func(a *Ask) { a.Account = "books" }, "invalid: field account"},
		{"no name", func(a *Ask) { a.Donor.Name = "" }, "invalid: field name: is missing"},
		{"a name with a line break", func(a *Ask) { a.Donor.Name = "a\nb" }, "invalid: field name"},
		{"a long name", func(a *Ask) { a.Donor.Name = strings.Repeat("名", 61) }, "invalid: field name"},
		{"anonymous with a name", func(a *Ask) { a.Donor.Kind = donation.Anonymous }, "invalid: field name"},
		{"anonymous and published", func(a *Ask) { a.Donor, a.Publish = donation.Donor{Kind: donation.Anonymous}, true }, "invalid: field publish"},
	} {
		ask := s.ask("Secretname")
		test.change(&ask)
		_, _, err := s.Announce(ask)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "Secretname") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestWrongCodes: whatever is wrong about a code, the answer is one.
func TestWrongCodes(t *testing.T) {
	s := newShop(t)
	_, code := s.announce("Invented Giver")
	_, gone := s.announce("Another")
	if _, err := s.Erase(gone, never); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, wrong := range []string{"", "x", Code{1}.String(), code[:20], gone, strings.Repeat("2", 10_000), "\xff\xfe"} {
		_, err := s.Find(wrong)
		if !rule.Is(err, rule.NotFound) || want != "" && err.Error() != want {
			t.Errorf("%.30q: %v", wrong, err)
		}
		want = err.Error()
	}
}

func never(Use) (bool, error)  { return false, nil }
func always(Use) (bool, error) { return true, nil }

// TestClaims: a line finds its gift, twice the same, two lines two gifts of one
// giver, and nothing links them.
func TestClaims(t *testing.T) {
	s := newShop(t)
	made, code := s.announce("Invented Giver")
	nameless, _ := s.announce("")
	memos := []Memo{{made.Reference, "line-a"}, {"RF00XXXX00000000000X", "line-b"}, {made.Reference, "line-c"}, {nameless.Reference, "line-d"}}
	first, err := s.Claims(memos)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.Find(code); err != nil || len(found.Uses) > 0 {
		t.Errorf("asking has taken %+v, %v", found.Uses, err)
	}
	for range 2 {
		if err := s.Take([]Taking{{made.ID, "line-a"}, {"gone", "line-b"}, {made.ID, "line-c"}, {made.ID, "line-c"}}); err != nil {
			t.Fatal(err)
		}
	}
	s.again()
	second, err := s.Claims(memos)
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i] != second[i] {
			t.Errorf("line %d: %+v, then %+v", i, first[i], second[i])
		}
	}
	if first[1].Known || first[0].Gift == first[2].Gift || first[0].Donor == first[2].Donor || first[0].Account != books {
		t.Errorf("%+v", first)
	}
	found, err := s.Find(code)
	if err != nil || len(found.Uses) != 2 || found.Uses[0].Gift != first[0].Gift || found.Uses[1].Gift != first[2].Gift {
		t.Errorf("%+v, %v", found.Uses, err)
	}
	for i, claim := range first {
		if !claim.Known {
			continue
		}
		gift := tape.Receive{Account: books, ID: "p", Count: 1, Total: money.New(5, "CNY"), Gifts: []tape.Gift{{ID: claim.Gift, Amount: money.New(5, "CNY"), Donor: claim.Donor}}}
		argument, err := gift.Encode()
		if err == nil {
			_, err = tape.DecodeReceive(argument)
		}
		if err != nil {
			t.Errorf("line %d: the ledger refuses %v", i, err)
		}
	}
	opening, err := s.Opening(code, first[0].Gift)
	if err != nil || opening.Giver != "Invented Giver" || opening.Commitment != first[0].Donor || Commitment(opening.Salt, opening.Giver) != first[0].Donor {
		t.Errorf("%+v, %v", opening, err)
	}
	if _, err := s.Claims(make([]Memo, MemosMax+1)); !rule.Is(err, rule.Invalid) {
		t.Errorf("too many: %v", err)
	}
	if err := s.Take(make([]Taking, MemosMax+1)); !rule.Is(err, rule.Invalid) {
		t.Errorf("too many taken: %v", err)
	}
}

// TestAttach: money that is claimed later belongs to one code.
func TestAttach(t *testing.T) {
	s := newShop(t)
	_, code := s.announce("Invented Giver")
	_, other := s.announce("Another")
	use := Use{Account: "charity:sunrise:unknown", Gift: "line-7", Page: "S.page-0"}
	for range 2 {
		if err := s.Attach(code, use); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Attach(other, use); !rule.Is(err, rule.WrongState) {
		t.Errorf("a second giver: %v", err)
	}
	if err := s.Attach("wrong", use); !rule.Is(err, rule.NotFound) {
		t.Errorf("no code: %v", err)
	}
	if found, err := s.Find(code); err != nil || len(found.Uses) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestErase: of what never arrived nothing is left; of what did, only who gave.
func TestErase(t *testing.T) {
	for _, test := range []struct {
		name   string
		stands Stands
		kept   bool
	}{{"not arrived", never, false}, {"arrived", always, true}} {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			made, code := s.announce("Invented Giver")
			for i := range 6 {
				s.announce(fmt.Sprintf("Other %d", i))
			}
			if err := s.Take([]Taking{{made.ID, "a"}}); err != nil {
				t.Fatal(err)
			}
			salt := s.byID[made.ID].Salt
			if !strings.Contains(s.plain(), salt) {
				t.Fatal("the salt is not in the store")
			}
			kept, err := s.Erase(code, test.stands)
			if err != nil || kept != test.kept {
				t.Fatalf("%v, %v", kept, err)
			}
			for range 2 {
				text := s.plain()
				if strings.Contains(text, salt) || strings.Contains(text, string(made.Reference)) || strings.Contains(text, "Invented Giver") && !test.kept {
					t.Errorf("left over: %s", text)
				}
				if test.kept && s.byID[made.ID].Donor.Name != "Invented Giver" {
					t.Error("the record of article 38 is gone")
				}
				if _, err := s.Find(code); !rule.Is(err, rule.NotFound) {
					t.Errorf("the code: %v", err)
				}
				if again, err := s.Claims([]Memo{{made.Reference, "b"}}); err != nil || again[0].Known {
					t.Errorf("the reference: %+v, %v", again, err)
				}
				if got := len(s.byCode); got != 6 {
					t.Errorf("%d others are left", got)
				}
				s.again()
			}
			// The file grows on after it was rewritten.
			s.announce("After")
			s.again()
			if len(s.byCode) != 7 {
				t.Errorf("%d are there", len(s.byCode))
			}
		})
	}
}

// TestSweep: after 90 days what no line met is gone.
func TestSweep(t *testing.T) {
	s := newShop(t)
	met, metCode := s.announce("Met")
	_, lateCode := s.announce("Late")
	s.now = s.now.AddDate(0, 0, 89)
	_, freshCode := s.announce("Fresh")
	if err := s.Take([]Taking{{met.ID, "a"}}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(never); err != nil || n != 0 {
		t.Errorf("after 89 days %d, %v", n, err)
	}
	s.now = s.now.AddDate(0, 0, 2)
	if n, err := s.Sweep(never); err != nil || n != 1 {
		t.Errorf("after 91 days %d, %v", n, err)
	}
	s.again()
	if _, err := s.Find(lateCode); !rule.Is(err, rule.NotFound) || strings.Contains(s.plain(), "Late") {
		t.Errorf("late: %v", err)
	}
	for _, code := range []string{metCode, freshCode} {
		if _, err := s.Find(code); err != nil {
			t.Error(err)
		}
	}
	s.now = s.now.AddDate(0, 0, 200)
	if n, err := s.Sweep(always); err != nil || n != 1 {
		t.Errorf("at the end %d, %v", n, err)
	}
	if _, err := s.Find(metCode); err != nil {
		t.Errorf("what arrived: %v", err)
	}
}

// TestNumbers run without gaps, by year, one a gift.
func TestNumbers(t *testing.T) {
	s := newShop(t)
	var got []string
	for _, one := range []struct {
		gift  tape.ID
		day   tape.Date
		issue bool
	}{{"a", "2026-03-01", true}, {"b", "2026-03-01", false}, {"b", "2026-03-02", true}, {"a", "2026-04-01", true}, {"c", "2027-01-01", true}, {"d", "2026-12-31", true}, {"b", "2027-01-01", false}} {
		number, found, err := s.Number(Use{Account: books, Gift: one.gift}, Paper{To: books}, one.day, one.issue)
		if err != nil {
			t.Fatal(err)
		}
		text := "none"
		if found {
			text = number.Text("charity") + " of " + number.IssuedOn
		}
		got = append(got, text)
		s.again()
	}
	want := []string{"CHARITY-2026-000001 of 2026-03-01", "none", "CHARITY-2026-000002 of 2026-03-02", "CHARITY-2026-000001 of 2026-03-01",
		"CHARITY-2027-000001 of 2027-01-01", "CHARITY-2026-000003 of 2026-12-31", "CHARITY-2026-000002 of 2026-03-02"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}

// TestReplaced: another paper about a gift is another receipt, and makes the one before void.
func TestReplaced(t *testing.T) {
	s := newShop(t)
	use := Use{Account: books, Gift: "a"}
	var got []string
	for _, one := range []struct {
		paper Paper
		issue bool
	}{{Paper{To: books}, true}, {Paper{To: "charity:sunrise:other"}, false}, {Paper{To: "charity:sunrise:other"}, true}, {Paper{To: "charity:sunrise:other"}, true}, {Paper{To: "charity:sunrise:other", Revision: 1}, true}} {
		number, _, err := s.Number(use, one.paper, "2026-03-01", one.issue)
		if err != nil {
			t.Fatal(err)
		}
		text := number.Text("charity")
		if number.Instead != nil {
			text += " instead of " + number.Instead.Text("charity")
		}
		got = append(got, text)
		s.again()
	}
	want := []string{"CHARITY-2026-000001", "CHARITY-2026-000001", "CHARITY-2026-000002 instead of CHARITY-2026-000001", "CHARITY-2026-000002 instead of CHARITY-2026-000001",
		"CHARITY-2026-000003 instead of CHARITY-2026-000002"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}

// TestWaive: a receipt is waived when it is announced or later, and asked for again; the record stays.
func TestWaive(t *testing.T) {
	s := newShop(t)
	early := s.ask("Early")
	early.Donor.Kind = donation.Waived
	_, first, err := s.Announce(early)
	if err != nil {
		t.Fatal(err)
	}
	made, later := s.announce("Later")
	_, nameless := s.announce("")
	for _, step := range []struct {
		code   string
		wanted bool
		want   donation.DonorKind
	}{{first.String(), true, donation.Named}, {later, false, donation.Waived}, {later, false, donation.Waived}, {later, true, donation.Named}, {later, false, donation.Waived}} {
		if err := s.Waive(step.code, step.wanted); err != nil {
			t.Fatal(err)
		}
		s.again()
		if found, err := s.Find(step.code); err != nil || found.Donor.Kind != step.want {
			t.Errorf("%+v: %+v, %v", step, found.Donor, err)
		}
	}
	if _, again, err := s.Announce(early); err != nil || again != first {
		t.Errorf("the form sent twice: %v", err)
	}
	for code, want := range map[string]rule.Code{nameless: rule.WrongState, "wrong": rule.NotFound} {
		if err := s.Waive(code, false); !rule.Is(err, want) {
			t.Errorf("%v is not %s", err, want)
		}
	}
	if err := s.Take([]Taking{{made.ID, "a"}}); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Erase(later, always); err != nil || !kept || s.byID[made.ID].donor() != (donation.Donor{Kind: donation.Waived, Name: "Later"}) {
		t.Errorf("%v: the record says %+v", err, s.byID[made.ID].donor())
	}
	s.again()
	if s.byID[made.ID].donor().Kind != donation.Waived {
		t.Error("the record forgets that the receipt was waived")
	}
}

// TestIssue: what staff write is one receipt a gift, corrected in its place, and erased by its code.
func TestIssue(t *testing.T) {
	s := newShop(t)
	issue := Issue{Use: Use{Account: books, Gift: "line-7", Page: "page-1"}, Amount: money.New(5_00, "CNY"), To: books, Name: "Invented Wrong", By: "maker", Proof: "T-1"}
	first, code, err := s.Issue(issue)
	if err != nil || len(first.Uses) != 1 || first.Reference != "" || first.Issued.By != "maker" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, same, err := s.Issue(issue); err != nil || again.ID != first.ID || same != code || again.Issued.Revision != 0 {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	goods := issue
	goods.Use.Goods, goods.Goods = true, &donation.Goods{Quantity: 3}
	if other, otherCode, err := s.Issue(goods); err != nil || other.ID == first.ID || otherCode == code {
		t.Errorf("goods under the id of a gift: %v", err)
	}
	issue.Name = "Invented Right"
	if next, same, err := s.Issue(issue); err != nil || next.ID != first.ID || same != code || next.Issued.Revision != 1 || len(next.Uses) != 1 {
		t.Errorf("corrected: %+v, %v", next, err)
	}
	s.again()
	if found, bears, is := s.Written(issue.Use); !is || bears != code || found.Donor.Name != "Invented Right" || found.Issued.Revision != 1 || len(found.Uses) != 1 {
		t.Errorf("%+v", found)
	}
	if strings.Count(s.plain(), "Invented Wrong") != 1 {
		t.Errorf("the wrong name is left beside that of the goods: %s", s.plain())
	}
	for want, wrong := range map[string]func(*Issue){"invalid: field name": func(i *Issue) { i.Name = "" }, "invalid: field proof": func(i *Issue) { i.Proof = " " }, "invalid: field proof: ": func(i *Issue) { i.Proof = strings.Repeat("9", 61) }} {
		bad := issue
		wrong(&bad)
		if _, _, err := s.Issue(bad); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	made, givers := s.announce("Invented Giver")
	if err := s.Take([]Taking{{made.ID, "a"}}); err != nil {
		t.Fatal(err)
	}
	found, _ := s.Find(givers)
	issue.Use = found.Uses[0]
	if _, _, err := s.Issue(issue); !rule.Is(err, rule.WrongState) || !s.Claimed(issue.Use) {
		t.Errorf("a giver's own: %v", err)
	}
	if kept, err := s.Erase(code.String(), always); err != nil || !kept {
		t.Errorf("%v, %v", kept, err)
	}
	if _, _, err := s.Issue(Issue{Use: first.Uses[0], Amount: first.Amount, To: books, Name: "Invented Third", By: "maker", Proof: "T-2"}); !rule.Is(err, rule.WrongState) {
		t.Errorf("after it was erased: %v", err)
	}
}

// TestDamage: a torn end is cut off, everything else is refused by name.
func TestDamage(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(*shop, string)
		want   string
	}{
		{"a torn end", func(s *shop, path string) { change(s, path, func(text string) string { return text + "torn" }) }, ""},
		{"a changed sign", func(s *shop, path string) {
			change(s, path, func(text string) string { return text[:30] + string(text[30]^1) + text[31:] })
		}, "line 1 of announced-000002.log"},
		{"lines exchanged", func(s *shop, path string) {
			change(s, path, func(text string) string {
				rows := strings.SplitAfter(text, "\n")
				return rows[1] + rows[0]
			})
		}, "line 1 of announced-000002.log does not open"},
		{"a file less", func(s *shop, path string) { _ = os.Remove(strings.Replace(path, "2.log", "1.log", 1)) }, "announced-000001.log is missing"},
		{"no key", func(s *shop, _ string) { _ = os.Remove(s.settings.Key) }, "not-found: field key"},
		{"an open key", func(s *shop, _ string) { _ = os.Chmod(s.settings.Key, 0o644) }, "forbidden: field key"},
		{"another key", func(s *shop, _ string) {
			change(s, s.settings.Key, func(string) string { return strings.Repeat("ab", 32) + "\n" })
		}, "does not open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			for range 6 {
				s.announce("Invented")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			test.damage(s, filepath.Join(s.settings.Folder, "announced-000002.log"))
			opened, err := Open(s.settings)
			if test.want == "" {
				if err != nil || len(opened.byCode) != 6 {
					t.Fatal(err)
				}
				s.Store = opened
				s.announce("After")
				s.again()
				if len(s.byCode) != 7 {
					t.Errorf("%d are there", len(s.byCode))
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func change(s *shop, path string, edit func(string) string) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(edit(string(text))), 0o600)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// TestKilled lets a process announce until it is killed: what it said was kept is there.
func TestKilled(t *testing.T) {
	if folder := os.Getenv("LIANBAO_ANNOUNCE"); folder != "" {
		announceForEver(folder)
	}
	folder := t.TempDir()
	command := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
	command.Env = append(os.Environ(), "LIANBAO_ANNOUNCE="+folder)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var codes []string
	var code string
	for len(codes) < 20 {
		if _, err := fmt.Fscanln(out, &code); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	s, err := Open(Settings{Folder: folder, Key: filepath.Join(folder, "giving.key")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, code := range codes {
		if _, err := s.Find(code); err != nil {
			t.Error(err)
		}
	}
}

func announceForEver(folder string) {
	s, err := Open(Settings{Folder: folder, Key: filepath.Join(folder, "giving.key")})
	for err == nil {
		ask := Ask{Account: books, Amount: money.New(5, "CNY"), Donor: donation.Donor{Kind: donation.Anonymous}}
		if ask.Attempt, err = s.NewAttempt(); err == nil {
			var code Code
			_, code, err = s.Announce(ask)
			fmt.Println(strings.ReplaceAll(code.String(), " ", ""))
		}
	}
	os.Exit(1)
}

func TestLimit(t *testing.T) {
	now := time.Unix(0, 0)
	l := &Limit{Each: 2, All: 5, Window: time.Minute, Clock: func() time.Time { return now }}
	for i, step := range []struct {
		address string
		want    bool
	}{{"192.0.2.1", false}, {"192.0.2.1", false}, {"192.0.2.1", true}, {"2001:db8::/64", false}, {"2001:db8::/64", false}, {"2001:db8::/64", true}, {"192.0.2.9", false}, {"192.0.2.10", true}} {
		if got := l.Reached(step.address); got != step.want {
			t.Errorf("step %d: %v", i, got)
		} else if !got {
			l.Count(step.address)
		}
	}
	now = now.Add(time.Minute)
	if l.Reached("192.0.2.1") {
		t.Error("it does not begin anew")
	}
}
