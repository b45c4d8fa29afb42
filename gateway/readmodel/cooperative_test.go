package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const season = tape.AccountID("coop:coop:season")

// seasonBlocks are two blocks: what was applied for, and what became of it. The
// second changes the records of the first.
func seasonBlocks(t *testing.T) []Block {
	t.Helper()
	lent := func(id tape.ID, state loan.State, household tape.AccountID, lenders ...string) loan.Loan {
		l := loan.Loan{V: 1, Scheme: season, ID: id, State: state, Household: household, Group: "g1", Principal: vnd(1000), Guarantors: []loan.Guarantor{{Household: "household:guard:season"}}}
		for _, lender := range lenders {
			l.Lenders = append(l.Lenders, loan.Lender{Organisation: lender})
		}
		return l
	}
	entry := tape.Entry{V: 1, ID: "carry", Organisation: "coop", Kind: "admit", Subject: string(season), BusinessDate: "2026-01-05",
		Postings: []tape.Posting{{From: "outside:bank:main", To: season, Amount: vnd(500)}, {From: season, To: "outside:supplier:s", Amount: vnd(200), Memo: true}},
		Intents: []tape.Approval{{Person: "agent-1", Organisation: "coop", Custody: "own", Duty: "agent"}, {Person: "h1", Organisation: "coop", Custody: "agent-held", Duty: "member"},
			{Person: "clerk", Organisation: "coop", Custody: "own", Duty: "staff"}}}
	var blocks []Block
	for n, records := range []map[string]any{
		{
			"loan/" + string(season) + "/l1":            lent("l1", loan.Applied, "household:one:season", "bank", "union"),
			"loan/" + string(season) + "/l2":            lent("l2", loan.Running, "household:two:season", "bank"),
			"member/" + string(season) + "/one":         group.Member{V: 1, Household: "household:one:season", Person: "h1", Agent: "agent-1", State: group.Admitted},
			"member/" + string(season) + "/two":         group.Member{V: 1, Household: "household:two:season", Person: "h2", Next: &group.NextPerson{Person: "h3"}, State: group.Admitted},
			"order/" + string(season) + "/o1":           loan.Order{V: 1, ID: "o1", Amount: vnd(1), Loan: "l2", Date: "2026-01-02"},
			"order/" + string(season) + "/o2":           loan.Order{V: 1, ID: "o2", Amount: vnd(1), Loan: "l1", Date: "2026-02-02"},
			"lot/" + string(season) + "/delivered":      harvest.Lot{V: 1, ID: "delivered", Household: "household:one:season", Delivery: &harvest.Delivery{}},
			"lot/" + string(season) + "/made-by-a-mill": harvest.Lot{V: 1, ID: "made-by-a-mill", Household: "household:one:season"},
			"entry/coop/carry":                          entry,
		},
		{"loan/" + string(season) + "/l1": lent("l1", loan.Contracted, "household:one:season", "bank", "union"), "loan/" + string(season) + "/l2": lent("l2", loan.Closed, "household:two:season", "bank"),
			"progress/" + string(season) + "/l1": loan.Progress{V: 1, Payments: []loan.Payment{{Amount: vnd(7), Date: "2026-02-01", Entry: "bank/paid"}}, At: 9, Entry: "bank/paid"}},
	} {
		var writes []Write
		for key, record := range records {
			value, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			writes = append(writes, Write{Key: key, Value: value})
		}
		slices.SortFunc(writes, func(a, b Write) int { return strings.Compare(a.Key, b.Key) })
		block := Block{Number: uint64(n), Hash: []byte{byte(n + 1)}, Transactions: []Transaction{{ID: fmt.Sprint("t", n), Valid: true, Function: "Loan:Apply", Writes: writes}}}
		if n > 0 {
			block.PreviousHash = blocks[n-1].Hash
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// TestSeasonLists: loans by who has to do with them, members, orders, deliveries,
// what agents signed and what moved; and the same tables however the blocks come.
func TestSeasonLists(t *testing.T) {
	ctx, blocks := context.Background(), seasonBlocks(t)
	m, other := open(t), open(t)
	for _, block := range blocks {
		if err := m.Apply(ctx, block); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Apply(ctx, blocks...); err != nil {
		t.Fatal(err)
	}
	if one, two := digested(t, m), digested(t, other); one != two {
		t.Errorf("block by block the tables are %s, at once %s", one, two)
	}
	for _, c := range []struct {
		what string
		got  func() ([]string, error)
		want string
	}{
		{"all loans", loansOf(m, LoanFilter{}), "l1 contracted, l2 closed"},
		{"of a scheme", loansOf(m, LoanFilter{Scheme: season}), "l1 contracted, l2 closed"},
		{"of another", loansOf(m, LoanFilter{Scheme: "coop:coop:other"}), ""},
		{"of a household", loansOf(m, LoanFilter{Household: "household:two:season"}), "l2 closed"},
		{"of a co-lender", loansOf(m, LoanFilter{Lender: "union"}), "l1 contracted"},
		{"that one guarantees", loansOf(m, LoanFilter{Guarantor: "household:guard:season"}), "l1 contracted, l2 closed"},
		{"of a group", loansOf(m, LoanFilter{Scheme: season, Group: "g2"}), ""},
		{"open ones", loansOf(m, LoanFilter{Outstanding: true}), "l1 contracted"},
		{"by state", loansOf(m, LoanFilter{State: loan.Closed}), "l2 closed"},
		{"members", membersOf(m, MemberFilter{Scheme: season}), "h1, h2"},
		{"for whom one signs", membersOf(m, MemberFilter{Person: "h1"}), "h1"},
		{"for whom one will sign", membersOf(m, MemberFilter{Person: "h3"}), "h2"},
		{"whom an agent serves", membersOf(m, MemberFilter{Agent: "agent-1"}), "h1"},
		{"orders of a loan", ordersOf(m, OrderFilter{Scheme: season, Loan: "l2"}), "o1"},
		{"orders since", ordersOf(m, OrderFilter{Scheme: season, Since: "2026-01-03"}), "o2"},
		{"agents", func() ([]string, error) {
			found, err := m.Agents(ctx)
			var names []string
			for _, id := range found {
				names = append(names, string(id))
			}
			return names, err
		}, "agent-1"},
	} {
		got, err := c.got()
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.what, text, c.want)
		}
	}
	paid, err := RecordOf[loan.Loan](ctx, m, loan.Key(season, "l1"))
	if err != nil || paid.State != loan.Contracted || paid.Entry != "bank/paid" || len(paid.Book.Payments) != 1 || paid.Book.Payments[0].Amount != vnd(7) {
		t.Errorf("what was paid of l1: %+v, %v", paid, err)
	}
	stray := Block{Number: 2, Hash: []byte{3}, PreviousHash: blocks[1].Hash, Transactions: []Transaction{{ID: "t2", Valid: true, Writes: []Write{{Key: "progress/" + string(season) + "/l9", Value: []byte(`{"v":1}`)}}}}}
	if err := m.Apply(ctx, stray); err != nil {
		t.Fatal(err)
	}
	if after, err := m.Digest(ctx); err != nil || len(after.Aside) != 1 || !strings.Contains(after.Aside[0].Reason, "which was never written") {
		t.Errorf("the progress of a loan that is none: %v, %v", after.Aside, err)
	}
	lots, err := m.Deliveries(ctx, "household:one:season", Window{})
	if err != nil || len(lots.Items) != 1 || lots.Items[0].ID != "delivered" {
		t.Errorf("deliveries: %v, %v", lots.Items, err)
	}
	held, err := m.AgentSignatures(ctx, "h1", Window{})
	if err != nil || len(held.Items) != 1 || held.Items[0].Entry != "coop/carry" || held.Items[0].Custody != "agent-held" || held.Items[0].Kind != "admit" {
		t.Errorf("what an agent holds signed: %+v, %v", held.Items, err)
	}
}

// TestTurnovers: what stood before a period, what moved in it, what stood behind it; accruals beside money.
func TestTurnovers(t *testing.T) {
	m := open(t)
	if err := m.Apply(t.Context(), seasonBlocks(t)...); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to tape.Date
		want     string
	}{
		{"2025-01-01", "2026-01-04", ""},
		{"2026-01-01", "2026-01-31", "coop:coop:season false 0 500 0 500; outside:bank:main false 0 0 500 -500; coop:coop:season true 0 0 200 -200; outside:supplier:s true 0 200 0 200"},
		{"2026-02-01", "2026-02-28", "coop:coop:season false 500 0 0 500; outside:bank:main false -500 0 0 -500; coop:coop:season true -200 0 0 -200; outside:supplier:s true 200 0 0 200"},
	} {
		found, err := m.Turnovers(t.Context(), c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range found {
			got = append(got, fmt.Sprintf("%s %v %d %d %d %d", one.Account, one.Memo, one.Opening, one.Reached, one.Left, one.Closing))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, text, c.want)
		}
	}
}

func digested(t *testing.T, m *Model) string {
	t.Helper()
	digest, err := m.Digest(t.Context())
	if err != nil || len(digest.Aside) > 0 {
		t.Fatalf("%v, %v", digest.Aside, err)
	}
	return digest.SHA256
}

func loansOf(m *Model, filter LoanFilter) func() ([]string, error) {
	return func() ([]string, error) {
		var names []string
		list, err := m.Loans(context.Background(), filter, Window{})
		for _, l := range list.Items {
			names = append(names, string(l.ID)+" "+string(l.State))
		}
		return names, err
	}
}

func membersOf(m *Model, filter MemberFilter) func() ([]string, error) {
	return func() ([]string, error) {
		var names []string
		list, err := m.Members(context.Background(), filter, Window{})
		for _, one := range list.Items {
			if one.Scheme != season {
				return nil, fmt.Errorf("%s is of %s", one.Household, one.Scheme)
			}
			names = append(names, string(one.Person))
		}
		return names, err
	}
}

func ordersOf(m *Model, filter OrderFilter) func() ([]string, error) {
	return func() ([]string, error) {
		var names []string
		list, err := m.Orders(context.Background(), filter, Window{})
		for _, o := range list.Items {
			names = append(names, string(o.ID))
		}
		return names, err
	}
}
