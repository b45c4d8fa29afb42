package tape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// executing is a batch on its way: three holds of 30, 20 and 10 yuan, the first
// two paid by one line each and the third by the last of four lines.
type executing struct {
	account tape.Account
	holds   []tape.Hold
	lines   []tape.Line
	paid    []tape.ExecutedLine
	filed   *tape.Lines
	used    []bool
	command tape.Execute
	context tape.Context
}

func newExecuting() *executing {
	account := tape.Account{ID: "charity:one:a", Currency: "CNY", Organisation: "charity", Custodian: bank}
	s := &executing{account: account, used: make([]bool, 3),
		context: tape.Context{Organisation: "bank", Role: "gateway", Powers: []string{"custodian"}, Date: "2026-02-10"}}
	start := int64(0)
	for i, units := range []int64{3000, 2000, 1000} {
		id := tape.ID(fmt.Sprint("d1.0.", i))
		s.holds = append(s.holds, tape.Hold{V: 1, Account: account.ID, ID: id, To: payeeOutside, Amount: money.New(units, "CNY"),
			Spans: tape.Spans{{Start: start, End: start + units}}, State: tape.HoldOpen})
		start += units
	}
	for i, units := range []int64{3000, 2000, 70, 1000} {
		s.lines = append(s.lines, tape.Line{Number: int32(i + 1), Date: tape.Date(fmt.Sprintf("2026-02-%02d", i+1)), Amount: money.New(units, "CNY")})
	}
	s.paid = []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"d1.0.0"}}, {Index: 1, Holds: []tape.ID{"d1.0.1"}}, {Index: 3, Holds: []tape.ID{"d1.0.2"}}}
	return s
}

// make files the page and builds the command of what the test has chosen.
func (s *executing) make(t *testing.T, side tape.Side) {
	t.Helper()
	head, _, err := tape.LinesBody(side, s.lines)
	if err != nil {
		t.Fatal(err)
	}
	s.filed = &tape.Lines{V: 1, Account: bank, Statement: "s1", LinesPage: head}
	if s.command, err = tape.NewExecute(s.account.ID, "execute-1", "s1", 0, s.lines, s.paid); err != nil {
		t.Fatal(err)
	}
}

func TestExecute(t *testing.T) {
	bulk := func(s *executing) { // one line for the first two
		s.lines[0].Amount = money.New(5000, "CNY")
		s.paid = []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"d1.0.0", "d1.0.1"}}}
		s.holds = s.holds[:2]
	}
	released := func(day tape.Date) func(*executing) {
		return func(s *executing) { s.holds[1].State, s.holds[1].Released = tape.HoldReleased, day }
	}
	nothing := func(*executing) {}
	for _, c := range []struct {
		name   string
		before func(*executing) // the page is filed
		after  func(*executing) // and the command made
		want   string           // the postings, or the refusal
	}{
		{"one line each", nothing, nothing, "d1.0.0 30.00 CNY by 1, d1.0.1 20.00 CNY by 2, d1.0.2 10.00 CNY by 4"},
		{"one line for two", bulk, nothing, "d1.0.0 30.00 CNY by 1, d1.0.1 20.00 CNY by 1"},
		{"what was captured in part", func(s *executing) { s.holds[0].Spans[0].Start, s.lines[0].Amount = 1000, money.New(2000, "CNY") }, nothing,
			"d1.0.0 20.00 CNY by 1, d1.0.1 20.00 CNY by 2, d1.0.2 10.00 CNY by 4"},
		{"released on the line's day", nothing, released("2026-02-02"), "d1.0.0 30.00 CNY by 1, d1.0.1 20.00 CNY by 2, d1.0.2 10.00 CNY by 4"},
		{"released before", nothing, released("2026-02-01"), "wrong-state: field items[1]: hold d1.0.1 was released on 2026-02-01, the line is of 2026-02-02"},
		{"reclaimed", nothing, func(s *executing) { s.holds[1].State = tape.HoldReclaimed }, "wrong-state: field items[1]: hold d1.0.1 is reclaimed"},
		{"captured", nothing, func(s *executing) { s.holds[2].State = tape.HoldCaptured }, "wrong-state: field items[2]: hold d1.0.2 is captured"},
		{"another organisation", nothing, func(s *executing) { s.context.Organisation = "charity" }, "forbidden: charity (role gateway) does not keep the bank account outside:bank:main"},
		{"a custodian no more", nothing, func(s *executing) { s.context.Powers = nil }, "forbidden: bank (role gateway) does not keep"},
		{"no id", nothing, func(s *executing) { s.command.ID = "" }, "invalid: field id"},
		{"nothing", nothing, func(s *executing) { s.command.Items = nil }, "invalid: field items: name 0 payouts; 1 to 400 are possible"},
		{"a line for nothing", nothing, func(s *executing) { s.command.Items[1].Holds = nil }, "invalid: field items[1].holds: names no payout"},
		{"a payout twice", nothing, func(s *executing) { s.command.Items[2].Holds = s.command.Items[0].Holds }, "invalid: field items[2]: payout d1.0.0 stands twice"},
		{"no page", nothing, func(s *executing) { s.filed = nil }, "not-found: page 0 of statement s1 of outside:bank:main is not filed"},
		{"another bank account's page", nothing, func(s *executing) { s.filed.Account = "outside:bank:other" }, "not-found: page 0 of statement s1 of outside:bank:main is not filed"},
		{"money that came", nothing, func(s *executing) { s.filed.Side = tape.CreditSide }, "conflict: page 0 of statement s1 holds credit lines"},
		{"a line that is not on the page", nothing, func(s *executing) { s.command.Items[0].Line[0] = "9" }, "invalid: field path: the path does not lead to the root"},
		{"a line twice", nothing, func(s *executing) { s.command.Items[1].Index, s.command.Items[1].Line = 0, s.command.Items[0].Line }, "invalid: field path: leaf 0 of 4"},
		{"no line", nothing, func(s *executing) { s.command.Items[0].Line[2] = "much" }, "invalid: field items[0].line.amount"},
		{"used", nothing, func(s *executing) { s.used[2] = true }, "wrong-state: field items[2]: line 4 of statement s1 has been used already"},
		{"less than is held", func(s *executing) { s.lines[1].Amount = money.New(1999, "CNY") }, nothing, "conflict: field items[1]: line 2 carries 19.99 CNY, 20.00 CNY is to be paid to d1.0.1"},
		{"more than is held", func(s *executing) { bulk(s); s.lines[0].Amount.Units++ }, nothing, "conflict: field items[0]: line 1 carries 50.01 CNY, 50.00 CNY is to be paid to d1.0.0 and others up to d1.0.1"},
		{"other money", func(s *executing) {
			for i := range s.lines {
				s.lines[i].Amount.Currency = "USD"
			}
		}, nothing, "conflict: field items[0]: line 1 carries 30.00 USD, 30.00 CNY is to be paid"},
		{"an account of the ledger", nothing, func(s *executing) { s.holds[0].To = "charity:two:a" }, "invalid: field items[0]: hold d1.0.0 pays charity:two:a on the ledger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newExecuting()
			c.before(s)
			s.make(t, tape.DebitSide)
			c.after(s)
			if got := s.run(t); !strings.HasPrefix(got, c.want) {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// run judges the batch and writes what became of it.
func (s *executing) run(t *testing.T) string {
	holds, entry, err := s.account.Execute(s.command, s.holds, s.filed, s.used[:len(s.command.Items)], s.context)
	if err != nil {
		return err.Error()
	}
	if err := entry.Check(); err != nil {
		t.Error(err)
	}
	var before, after []tape.Keeper
	var paid []string
	for i, hold := range holds {
		before, after = append(before, s.holds[i]), append(after, hold)
		if hold.State != tape.HoldCaptured || len(hold.Spans) > 0 || hold.Captured.Total() != s.holds[i].Spans.Total() {
			t.Errorf("after it the hold is %+v", hold)
		}
		if day := s.lines[entry.Evidence[i].Line-1].Date; hold.Paid != day {
			t.Errorf("hold %s was paid on %s, says the hold; the line says %s", hold.ID, hold.Paid, day)
		}
		paid = append(paid, fmt.Sprintf("%s %s by %d", entry.Postings[i].Line, entry.Postings[i].Amount, entry.Evidence[i].Line))
	}
	if err := tape.Conserved(before, after, nil, entry); err != nil {
		t.Error(err)
	}
	return strings.Join(paid, ", ")
}

// TestExecuteAsManyAsThereMayBe: one more is refused.
func TestExecuteAsManyAsThereMayBe(t *testing.T) {
	s := newExecuting()
	s.holds, s.lines, s.paid, s.used = nil, nil, nil, make([]bool, tape.ExecuteMax+1)
	for i := range tape.ExecuteMax + 1 {
		id := tape.ID(fmt.Sprint("h", i))
		start := int64(100 * i)
		s.holds = append(s.holds, tape.Hold{V: 1, Account: s.account.ID, ID: id, To: payeeOutside, Amount: money.New(100, "CNY"), Spans: tape.Spans{{Start: start, End: start + 100}}, State: tape.HoldOpen})
		s.lines = append(s.lines, tape.Line{Number: int32(i + 1), Date: "2026-02-01", Amount: money.New(100, "CNY")})
		s.paid = append(s.paid, tape.ExecutedLine{Index: i, Holds: []tape.ID{id}})
	}
	s.make(t, tape.DebitSide)
	if got := s.run(t); got != "invalid: field items: name 401 payouts; 1 to 400 are possible" {
		t.Error(got)
	}
	s.paid, s.holds = s.paid[:tape.ExecuteMax], s.holds[:tape.ExecuteMax]
	s.make(t, tape.DebitSide)
	if got := s.run(t); strings.Count(got, ",") != tape.ExecuteMax-1 {
		t.Error(got)
	}
}
