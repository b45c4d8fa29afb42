package importing

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
)

const (
	books   = tape.AccountID("charity:sunrise:books")
	meals   = tape.AccountID("charity:sunrise:meals")
	unknown = tape.AccountID("charity:sunrise:unknown")
	away    = tape.AccountID("charity:sunrise:away")
	bankOne = tape.AccountID("outside:bank:sunrise-1")
)

// campaigns opens two campaigns and the account of unidentified money at one
// bank account, and a campaign at another.
func (w *world) campaigns() {
	for _, c := range []tape.Open{{Account: books, ID: "o1"}, {Account: meals, ID: "o2"}, {Account: unknown, Unidentified: books, ID: "o3"}, {Account: away, Custodian: "outside:bank:sunrise-2", ID: "o4"}} {
		c.Attribution, c.Currency = tape.FIFO, "CNY"
		if c.Custodian == "" {
			c.Custodian = bankOne
		}
		w.must("charity", "gateway", "Tape:Open", c)
	}
}

// giver is somebody who has announced a gift.
type giver struct {
	giving.Announcement
	code string
}

func (w *world) announce(n int, account tape.AccountID, name string) giver {
	ask := giving.Ask{Attempt: fmt.Sprintf("%032x", n), Account: account, Amount: money.New(50_00, "CNY"), Donor: donation.Donor{Kind: donation.Named, Name: name}}
	made, code, err := w.giving.Announce(ask)
	if err != nil {
		w.Fatal(err)
	}
	return giver{made, code.String()}
}

const memoHeader = "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n"

// memos is a statement: lines are amounts in yuan and memos.
func (w *world) memos(name string, lines ...[2]string) string {
	var text strings.Builder
	text.WriteString(memoHeader)
	for i, line := range lines {
		fmt.Fprintf(&text, "%d,2026-03-%02d,,R%d,0.00,%s,CNY,p%d,%s\n", i+1, i%28+1, i, line[0], i, line[1])
	}
	return w.file(name, text.String())
}

// spoiled is a reference of which one digit is wrong.
func spoiled(r donation.Reference) string {
	digit := r[10]
	return string(r[:10]) + string('0'+(digit-'0'+1)%10) + string(r[11:])
}

// town is a statement with every kind of memo, and its givers.
func (w *world) town() (file string, givers []giver) {
	w.campaigns()
	// An anonymous giver who never pays; the others pay, one of them elsewhere.
	a, b := w.announce(1, books, "Invented Ada"), w.announce(2, meals, "Invented Bo")
	c, d := w.announce(3, away, "Invented Chi"), w.announce(4, books, "Invented Dee")
	givers = []giver{a, b, c, d}
	var lines [][2]string
	for range 12 {
		lines = append(lines, [2]string{"3.00", "no reference at all in this memo"})
	}
	lines = append(lines,
		[2]string{"50.00", "gift " + a.Reference.Grouped()},
		[2]string{"20.00", "捐款" + strings.ToLower(string(b.Reference)) + "谢谢"}, // another amount than announced
		[2]string{"50.00", spoiled(a.Reference)},
		[2]string{"7.00", string(a.Reference) + " and " + string(b.Reference)}, // whose is it?
		[2]string{"8.00", string(c.Reference)},                                 // an account that this bank account does not hold
		[2]string{"9.00", "again " + string(a.Reference)},
		[2]string{"1.00", string(a.Reference) + " " + spoiled(b.Reference)})
	return w.memos("town.csv", lines...), givers
}

func (w *world) townOrder(file string, strict bool) Order {
	o := w.order(file)
	o.pageLines, o.settlePages = 4, 2
	if o.Account = books; strict {
		o.Unclaimed = unknown
	}
	return o
}

// TestAnnounced: a line with a reference is the gift of its announcement, on
// the account that the reference names; what names nobody is a gift to the
// account as before, or unclaimed where an account is named for that.
func TestAnnounced(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprintf("strict %v", strict), func(t *testing.T) {
			w := newWorld(t)
			file, givers := w.town()
			r, err := w.run(w.townOrder(file, strict))
			if err != nil {
				t.Fatal(err)
			}
			// 12 × 3, 50 spoiled, 7 of two, 8 elsewhere: 101.00 that nobody has announced.
			wantBooks, wantUnknown := "161.00 CNY", "0.00 CNY"
			if strict {
				wantBooks, wantUnknown = "60.00 CNY", "101.00 CNY"
			}
			if got := fmt.Sprint(w.received(books), w.received(meals), w.received(unknown)); got != fmt.Sprint(wantBooks, " 20.00 CNY ", wantUnknown) {
				t.Errorf("the tapes received %s", got)
			}
			if r.Announced != 4 || r.Settled != 19 || r.Gifts != 19 || !slices.Equal(r.Others, []tape.AccountID{meals}) {
				t.Errorf("%+v", r)
			}
			if strict && (r.Unclaimed != 15 || r.UnclaimedTotal.String() != "101.00 CNY" || r.UnclaimedAccount != unknown || r.FirstGift != "line-1") {
				t.Errorf("%+v", r)
			}
			w.checkUses(givers, 3, 1, 0, 0)
			again, err := w.run(w.townOrder(file, strict))
			if err != nil || !again.Repeated || again.Announced != 4 || again.Unclaimed != r.Unclaimed {
				t.Errorf("again: %+v, %v", again, err)
			}
			if w.asked != 1 {
				t.Errorf("the gateway was asked %d times", w.asked)
			}
		})
	}
}

// checkUses compares how many gifts each code finds, and that the ledger holds them.
func (w *world) checkUses(givers []giver, want ...int) {
	w.Helper()
	seen, ledger := map[tape.ID]bool{}, w.ledgerText()
	for i, g := range givers {
		found, err := w.giving.Find(g.code)
		if err != nil || len(found.Uses) != want[i] {
			w.Errorf("giver %d has %d gifts, %v; want %d", i, len(found.Uses), err, want[i])
		}
		for _, use := range found.Uses {
			if seen[use.Gift] || use.Account != g.Account || !strings.Contains(ledger, string(use.Gift)) {
				w.Errorf("gift %s of giver %d: twice, elsewhere or not on the ledger", use.Gift, i)
			}
			seen[use.Gift] = true
			opening, err := w.giving.Opening(g.code, use.Gift)
			if err != nil || !strings.Contains(ledger, opening.Commitment) || giving.Commitment(opening.Salt, g.Donor.Name) != opening.Commitment && g.Donor.Name != "" {
				w.Errorf("the commitment of %s: %+v, %v", use.Gift, opening, err)
			}
		}
	}
}

// ledgerText is every byte of every block and of the state.
func (w *world) ledgerText() string {
	var text strings.Builder
	for number := range w.network.Height() {
		raw, err := proto.Marshal(w.network.Block(number))
		if err != nil {
			w.Fatal(err)
		}
		text.Write(raw)
	}
	for key, value := range w.network.State().Between("", "~") {
		text.WriteString(key)
		text.Write(value.Data)
	}
	return text.String()
}

// kept is everything in the folders of both sides.
func (w *world) kept() string {
	var text strings.Builder
	for _, side := range []string{"charity", "bank"} {
		files, _ := filepath.Glob(filepath.Join(w.folder, side, "*"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				w.Fatal(err)
			}
			text.WriteString(file)
			text.Write(data)
		}
	}
	return text.String()
}

// TestAnnouncedKilled ends the import at every command and at the question
// whose the memos are, on both sides of it, and runs it again.
func TestAnnouncedKilled(t *testing.T) {
	whole := newWorld(t)
	file, _ := whole.town()
	want, err := whole.run(whole.townOrder(file, true))
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if testing.Short() {
		step = 4
	}
	for _, what := range []fault{killedBefore, killedAfter, doubled} {
		for at := 1; at <= whole.sent; at += step {
			w := newWorld(t)
			file, givers := w.town()
			w.fault = func(sent int) fault {
				if sent == at {
					return what
				}
				return none
			}
			if _, err := w.run(w.townOrder(file, true)); (err == nil) != (what == doubled) {
				t.Fatalf("fault %d at command %d: %v", what, at, err)
			}
			got, err := w.run(w.townOrder(file, what == killedBefore)) // the plan remembers what was asked for
			if err != nil {
				t.Fatalf("fault %d at command %d: the second run says %v", what, at, err)
			}
			if figures(got) != figures(want) || got.Unclaimed != want.Unclaimed && what != killedAfter || got.Announced != want.Announced {
				t.Errorf("fault %d at command %d\n got %s\nwant %s", what, at, figures(got), figures(want))
			}
			if sum := w.received(books).Units + w.received(meals).Units + w.received(unknown).Units; sum != want.Total.Units {
				t.Errorf("fault %d at command %d: the tapes received %d", what, at, sum)
			}
			w.checkUses(givers, 3, 1, 0, 0)
		}
	}
}

// TestUnclaimedRefused is what cannot take unclaimed money.
func TestUnclaimedRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Order)
		want   string
	}{
		{"no such account", func(o *Order) { o.Unclaimed = "charity:sunrise:nobody" }, "not-found: field unclaimed"},
		{"a campaign", func(o *Order) { o.Unclaimed = meals }, "wrong-state: field unclaimed: charity:sunrise:meals does not hold unidentified money"},
		{"another bank account", func(o *Order) { o.Account = away }, "conflict: field unclaimed"},
	} {
		w := newWorld(t)
		w.campaigns()
		o := w.townOrder(w.memos("x.csv", [2]string{"1.00", "x"}), true)
		test.change(&o)
		if _, err := w.run(o); err == nil || !strings.Contains(err.Error(), test.want) || w.sent > 0 {
			t.Errorf("%s: %v, %d commands", test.name, err, w.sent)
		}
	}
}

// TestUnclaimedAlone: without an account for gifts it is the one that the
// unidentified money is kept for.
func TestUnclaimedAlone(t *testing.T) {
	w := newWorld(t)
	file, _ := w.town()
	o := w.townOrder(file, true)
	o.Account = ""
	r, err := w.run(o)
	if err != nil || r.Account != books || r.Opened || r.BankAccount != bankOne {
		t.Fatalf("%+v, %v", r, err)
	}
	o.Unclaimed = "charity:sunrise:other"
	if _, err := w.run(o); !rule.Is(err, rule.Exists) {
		t.Errorf("another account for what was imported: %v", err)
	}
}

// TestNamesStayHere: of 200 names that were announced and met their lines, none
// is in the ledger's bytes, in what the import keeps, or in what it says.
func TestNamesStayHere(t *testing.T) {
	w := newWorld(t)
	w.campaigns()
	var names []string
	var lines [][2]string
	for i := range 200 {
		name := fmt.Sprintf("Erfunden%03d 虚构%c%c", i, rune('\u4e00'+i*37), rune('\u5000'+i*53))
		g := w.announce(i, books, name)
		names = append(names, name, g.code, strings.ReplaceAll(g.code, " ", ""), string(g.Reference))
		lines = append(lines, [2]string{"5.00", "from " + name + " " + string(g.Reference)})
	}
	o := w.townOrder(w.memos("names.csv", lines...), true)
	o.pageLines, o.settlePages = 40, 20
	r, err := w.run(o)
	if err != nil || r.Announced != 200 {
		t.Fatalf("%+v, %v", r, err)
	}
	text := w.ledgerText() + fmt.Sprintf("%+v", r) + w.kept()
	for _, name := range names {
		if strings.Contains(text, name) {
			t.Errorf("%q is found", name)
		}
	}
	if !strings.Contains(text, string(r.FirstGift)) || !strings.Contains(w.kept(), string(r.FirstGift)) {
		t.Error("the search finds nothing at all")
	}
}
