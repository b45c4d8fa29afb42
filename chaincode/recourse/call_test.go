package recourse_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// play runs a script of a call on A's debt of 3,000.00 that B, C and D
// guarantee: pay B 100000, lower 100, late C, unable D, able D, release C,
// withdraw, back 100 (the debtor repays), give C B 100.
func play(t *testing.T, script string, change func(*recourse.Debt)) (recourse.Call, error) {
	t.Helper()
	d := debt()
	change(&d)
	c, _, _, err := d.Call(makeCall(), terms(), nil, by("bank", "maker", "checker"))
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(script, ";") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" {
			continue
		}
		if c, err = step(c, tape.ID(fmt.Sprint(word, n)), n, word, strings.Fields(rest)); err != nil {
			return c, err
		}
		for _, invariant := range recourse.Invariants() {
			if err := invariant.Broken(c); err != nil {
				t.Errorf("%s, at %q: %s: %v", script, line, invariant.Name, err)
			}
		}
	}
	return c, nil
}

func step(c recourse.Call, id tape.ID, n int, word string, of []string) (recourse.Call, error) {
	var err error
	units := int64(0)
	if len(of) > 0 {
		_, _ = fmt.Sscan(of[len(of)-1], &units)
	}
	lender, late := by("bank", "maker", "checker"), onDay("2026-03-10", by("bank", "maker"))
	switch word {
	case "pay":
		c, err = c.Take(household(of[0]), units)
	case "lower":
		c, err = c.Lower(units)
	case "back":
		var parts []recourse.Part
		if _, parts, err = c.Return(units); err == nil {
			command, arrivals := arrived(n, parts)
			command.ID = id
			c, _, _, err = c.Reimburse(command, recourse.Debt{}, arrivals, lender)
		}
	case "give":
		p := payment(n, outside(of[0]), outside(of[1]), units)
		c, _, _, err = c.Contribute(recourse.Contribute{Amount: cny(units), Call: c.ID, From: household(of[0]), ID: id, Loan: c.Loan, Payment: p.Source, Account: scheme, To: household(of[1])}, recourse.Arrival{Payment: &p}, lender)
	case "late":
		c, _, err = c.Respread(recourse.Respread{Call: c.ID, Guarantor: household(of[0]), ID: id, Loan: c.Loan, Account: scheme}, late)
	case "unable", "able":
		u := declare(of[0])
		u.ID, u.Lift = id, word == "able"
		c, _, err = c.Declare(u, by("bank", "maker", "clerk@coop"))
	case "release":
		c, _, err = c.Release(recourse.Release{Call: c.ID, Guarantor: household(of[0]), ID: id, Loan: c.Loan, Account: scheme}, recourse.Debt{}, lender)
	case "withdraw":
		c, _, err = c.Withdraw(recourse.WithdrawCall{Call: c.ID, ID: id, Loan: c.Loan, Account: scheme}, lender)
	default:
		err = fmt.Errorf("no such word: %s", word)
	}
	return c, err
}

// stands tells a call: state, what is open, and of each guarantor its share, what
// it bears, what it is asked for itself and in others' place, and what it is owed.
func stands(c recourse.Call) string {
	said := []string{fmt.Sprintf("%s %d", c.State, c.Open())}
	names := map[tape.AccountID]string{household("B"): "B", household("C"): "C", household("D"): "D"}
	for _, s := range c.Stands() {
		text := fmt.Sprintf("%s %d/%d", names[s.Household], s.Share, s.Borne)
		if s.Asked+s.Spread > 0 {
			text += fmt.Sprintf(" asked %d+%d", s.Asked, s.Spread)
		}
		for _, owed := range s.Owed {
			text += fmt.Sprintf(" %s:%d", names[owed.Household], owed.Units)
		}
		said = append(said, text)
	}
	return strings.Join(said, ", ")
}

// TestCall: scripts, and where everybody stands after them.
func TestCall(t *testing.T) {
	parts := func(shares ...int32) func(*recourse.Debt) {
		return func(d *recourse.Debt) {
			for i, share := range shares {
				d.Guarantors[i].Share = share
			}
		}
	}
	caps := func(units ...int64) func(*recourse.Debt) {
		return func(d *recourse.Debt) {
			for i, most := range units {
				d.Guarantors[i].Left = cny(most)
			}
		}
	}
	for _, c := range []struct {
		change func(*recourse.Debt)
		script string
		want   string
	}{
		{parts(), "", "open 300000, B 100000/0 asked 100000+0, C 100000/0 asked 100000+0, D 100000/0 asked 100000+0"},
		{parts(2, 1, 1), "", "open 300000, B 150000/0 asked 150000+0, C 75000/0 asked 75000+0, D 75000/0 asked 75000+0"},
		{caps(50_000, 500_000, 500_000), "", "open 300000, B 50000/0 asked 50000+0, C 125000/0 asked 125000+0, D 125000/0 asked 125000+0"},
		// Each pays its share in parts.
		{parts(), "pay B 40000; pay B 60000; pay C 1; pay D 100000", "open 99999, B 100000/100000, C 100000/1 asked 99999+0, D 100000/100000"},
		{parts(), "pay B 100000; pay C 100000; pay D 100000", "met 0, B 100000/100000, C 100000/100000, D 100000/100000"},
		// One is late: the others are asked for its part; it still owes it, to the lender or to who has paid it.
		{parts(), "pay B 100000; late C", "open 200000, B 100000/100000 asked 0+50000, C 100000/0 asked 100000+0, D 100000/0 asked 100000+50000"},
		{parts(), "pay B 100000; late C; pay B 50000", "open 150000, B 100000/150000 C:50000, C 100000/0 asked 50000+0, D 100000/0 asked 100000+50000"},
		{parts(), "pay B 100000; late C; pay B 50000; pay C 30000", "open 120000, B 100000/150000 C:50000, C 100000/30000 asked 20000+0, D 100000/0 asked 100000+20000"},
		{parts(), "pay B 100000; late C; pay B 50000; pay D 150000", "met 0, B 100000/150000 C:50000, C 100000/0, D 100000/150000 C:50000"},
		{parts(), "pay B 100000; late C; late D", "open 200000, B 100000/100000 asked 0+200000, C 100000/0 asked 100000+0, D 100000/0 asked 100000+0"},
		{caps(120_000, 500_000, 500_000), "pay B 100000; late C", "open 200000, B 100000/100000 asked 0+20000, C 100000/0 asked 100000+0, D 100000/0 asked 100000+80000"},
		{parts(1, 1, 3), "late D; pay B 60000", "open 240000, B 60000/60000 asked 0+90000, C 60000/0 asked 60000+90000, D 180000/0 asked 180000+0"},
		// JLG-1 and JLG-2 as a call: B pays all, C and D owe it; D cannot.
		{parts(), "late C; late D; pay B 300000", "met 0, B 100000/300000 C:100000 D:100000, C 100000/0, D 100000/0"},
		{parts(), "late C; late D; pay B 300000; unable D", "met 0, B 150000/300000 C:150000, C 150000/0, D 0/0"},
		{parts(), "late C; late D; pay B 300000; unable D; able D", "met 0, B 100000/300000 C:100000 D:100000, C 100000/0, D 100000/0"},
		{parts(), "late C; late D; pay B 300000; unable D; give C B 150000", "met 0, B 150000/150000, C 150000/150000, D 0/0"},
		{parts(), "unable D", "open 300000, B 150000/0 asked 150000+0, C 150000/0 asked 150000+0, D 0/0"},
		{parts(), "pay D 40000; unable D; unable C", "open 260000, B 260000/0 asked 260000+0, C 0/0, D 40000/40000"},
		{caps(100_000, 100_000, 100_000), "unable D; pay B 100000; pay C 100000", "open 100000, B 100000/100000, C 100000/100000, D 0/0"},
		// A release before and after payments, of who has paid a part, and together with inability in either order.
		{parts(), "release C", "open 200000, B 100000/0 asked 100000+0, C 0/0, D 100000/0 asked 100000+0"},
		{parts(), "pay B 100000; pay C 40000; release C; pay D 100000", "met 0, B 100000/100000, C 40000/40000, D 100000/100000"},
		{parts(), "release C; late D; pay B 200000", "met 0, B 100000/200000 D:100000, C 0/0, D 100000/0"},
		{parts(2, 1, 1), "release B", "open 150000, B 0/0, C 75000/0 asked 75000+0, D 75000/0 asked 75000+0"},
		{parts(), "unable D; release C", "open 150000, B 150000/0 asked 150000+0, C 0/0, D 0/0"},
		{parts(), "release C; unable D", "open 150000, B 150000/0 asked 150000+0, C 0/0, D 0/0"},
		{parts(), "release B; release C; release D", "closed 0, B 0/0, C 0/0, D 0/0"},
		// The debtor pays the lender after all: less is asked, and who has paid too much is owed by the others.
		{parts(), "lower 150000", "open 150000, B 50000/0 asked 50000+0, C 50000/0 asked 50000+0, D 50000/0 asked 50000+0"},
		{parts(), "pay B 100000; lower 150000", "open 50000, B 50000/100000 C:25000 D:25000, C 50000/0 asked 25000+0, D 50000/0 asked 25000+0"},
		{parts(), "lower 300000", "closed 0, B 0/0, C 0/0, D 0/0"},
		// What the debtor repays once the lender is whole, in odd units.
		{parts(), "late C; late D; pay B 300000; back 90001", "met 0, B 70000/209999 C:70000 D:69999, C 70000/0, D 69999/0"},
		{parts(), "late C; late D; pay B 300000; give C B 100000; back 30001", "met 0, B 90000/179999 D:89999, C 90000/90000, D 89999/0"},
		{parts(), "late C; late D; pay B 300000; back 300000", "closed 0, B 0/0, C 0/0, D 0/0"},
		{parts(), "pay B 100000; withdraw; back 50000", "met 0, B 16667/50000 C:16667 D:16666, C 16667/0, D 16666/0"},
		{parts(), "withdraw", "closed 0, B 0/0, C 0/0, D 0/0"},
		// More than is asked, owed, or borne.
		{parts(), "pay B 100000; pay B 1", "insufficient: field amount: is 0.01 CNY; 0.00 CNY is asked of"},
		{parts(), "pay B 100000; lower 200000; back 100001", "insufficient: field amount: is 1000.01 CNY; the guarantors are without 1000.00 CNY"},
		{parts(), "late C; late D; pay B 300000; give C B 100001", "insufficient: field amount: is 1000.01 CNY; "},
		{parts(), "release C; unable C", "wrong-state: field guarantor: "},
	} {
		call, err := play(t, c.script, c.change)
		got := stands(call)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s:\n got %s\nwant %s", c.script, got, c.want)
		}
	}
}

// TestClocks: each guarantor has its own, and what it is asked in another's place another.
func TestClocks(t *testing.T) {
	c := called(t, paid("B", 100_000), respread("C", "2026-02-01"))
	for i, want := range []struct{ until, spread tape.Date }{{"2026-01-31", "2026-03-03"}, {"2026-01-31", ""}, {"2026-01-31", "2026-03-03"}} {
		if g := c.Guarantors[i]; g.Until != want.until || g.SpreadUntil != want.spread {
			t.Errorf("%s has until %s and %s, not %s and %s", g.Household, g.Until, g.SpreadUntil, want.until, want.spread)
		}
	}
}

// TestGive: who pays all it owes at once pays each what it owes that one.
func TestGive(t *testing.T) {
	d, command := debt(), makeCall()
	d.Guarantors, command.Guarantors, d.Notices = append(d.Guarantors, recourse.Bound{Household: household("E"), Left: cny(500_000), Months: 24}), households("B", "C", "D", "E"), append(d.Notices, recourse.Notice{Household: household("E"), Day: 1}, recourse.Notice{Household: household("E"), Day: 15})
	d.Overdue[0].Unpaid, command.Amount, command.Instalments = 40, cny(40), []int32{3}
	c, _, _, err := d.Call(command, terms(), nil, by("bank", "maker"))
	for _, step := range []func(recourse.Call) (recourse.Call, error){respread("D", "2026-02-01"), respread("E", "2026-02-01"), paid("B", 20), paid("C", 20)} {
		if err == nil {
			c, err = step(c)
		}
	}
	if _, owes := c.Owes(household("D")); err != nil || fmt.Sprint(owes) != fmt.Sprint([]recourse.Part{{Household: household("B"), Units: 5}, {Household: household("C"), Units: 5}}) {
		t.Fatalf("D owes %v, %v", owes, err)
	}
	_, owes := c.Owes(household("D"))
	after, err := c.Give(household("D"), owes...)
	if _, left := after.Owes(household("D")); err != nil || left != nil {
		t.Errorf("D still owes %v, %v", left, err)
	}
	for _, wrong := range [][]recourse.Part{{owes[0], owes[0]}, {{Household: household("E"), Units: 1}}, {{Household: household("A"), Units: 1}}, {{Household: household("B"), Units: 0}}} {
		if _, err := c.Give(household("D"), wrong...); err == nil {
			t.Errorf("D paid %v", wrong)
		}
	}
}

// TestEntries: what a payment leaves on the ledger, and who gets what of the debtor's.
func TestEntries(t *testing.T) {
	c := called(t, paid("B", 100_000))
	if lender, others := c.Owes(household("A")); lender != 0 || fmt.Sprint(others) != fmt.Sprint([]recourse.Part{{Household: household("B"), Units: 100_000}}) {
		t.Errorf("the debtor owes %d, %v", lender, others)
	}
	if lender, others := c.Owes(household("C")); lender != 100_000 || others != nil {
		t.Errorf("C owes %d, %v", lender, others)
	}
	c = withdrawn(t, c)
	if lender, others := c.Owes(household("C")); lender != 0 || fmt.Sprint(others) != fmt.Sprint([]recourse.Part{{Household: household("B"), Units: 33_333}}) {
		t.Errorf("C owes %d, %v", lender, others)
	}
	command, arrivals := arrived(8, []recourse.Part{{Household: household("B"), Units: 1}})
	c, counted, entry, err := c.Reimburse(command, recourse.Debt{}, arrivals, by("coop"))
	if err != nil || counted != (recourse.Counted{V: 1, Call: "call-1", Entry: "coop/back-1"}) || c.Entry != "coop/back-1" || entry.Kind != "reimburse-call" || entry.Subject != string(scheme) ||
		!slices.Equal(entry.Evidence, []tape.Evidence{{Kind: "entry", Reference: "bank/settle-1/8"}}) || entry.Check() != nil || c.Guarantors[0].Returned != 1 {
		t.Errorf("%+v %+v %v", counted, entry, err)
	}
}

// TestPaidSince: who has paid its part in time. B's time ends on January 31.
func TestPaidSince(t *testing.T) {
	for _, c := range []struct {
		name string
		call recourse.Call
		pays int64 // by B
		on   tape.Date
		want []tape.AccountID
	}{
		{"all of it", called(t), 100_000, "2026-01-31", households("B")},
		{"a unit less", called(t), 99_999, "2026-01-31", nil},
		{"the rest of it", called(t, paid("B", 1)), 99_999, "2026-01-31", households("B")},
		{"a day late", called(t), 100_000, "2026-02-01", nil},
		{"late, as the lender has said", called(t, respread("B", "2026-02-01")), 100_000, "2026-01-31", nil},
		{"after another", called(t, paid("C", 100_000)), 100_000, "2026-01-01", households("B")},
	} {
		next, err := c.call.Take(household("B"), c.pays)
		if got := next.PaidSince(c.call, c.on); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
	before := called(t)
	for _, change := range []func(recourse.Call) (recourse.Call, error){released("B"), unable("B")} {
		next, err := change(called(t, paid("B", 60_000)))
		if got := next.PaidSince(before, "2026-01-01"); err != nil || got != nil {
			t.Errorf("%v paid a part, and not all of it (%v)", got, err)
		}
	}
}
