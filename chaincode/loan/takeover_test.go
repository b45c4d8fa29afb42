package loan_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

type takingOver struct {
	L   loan.Loan
	C   loan.TakeOver
	Ctx tape.Context
}

// ranBefore is a loan of 12,000.00 CNY of the first of August, of which the first instalment was paid.
func ranBefore() loan.TakeOver {
	return loan.TakeOver{Account: coffee, Advances: []terms.Advance{{Amount: cny(700_000), Date: "2025-08-01"}, {Amount: cny(500_000), Date: "2025-08-15"}}, Evidence: party.Hash{1}, ID: "take-1", Loan: "l1",
		Payments: []terms.Payment{{Amount: cny(103_183), Date: "2025-09-01"}}, Terms: annuity()}
}

var knowing = []string{"maker", "checker", "maker@coop", "h1", "h2", "h3", "h4"}

func without(name string) tape.Context {
	var persons []string
	for _, one := range knowing {
		if one != name {
			persons = append(persons, one)
		}
	}
	return by("bank", persons...)
}

func TestTakeOver(t *testing.T) {
	ruletest.Refusals(t, func() takingOver { return takingOver{applied(t, frame()), ranBefore(), by("bank", knowing...)} },
		func(s takingOver) error { _, _, err := s.L.TakeOver(s.C, "coop", s.Ctx); return err }, []row[takingOver]{
			{func(s *takingOver) { s.Ctx = by("coop", knowing...) }, "forbidden: coop (role gateway) does not lend l1; bank does"},
			{func(s *takingOver) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
			{func(s *takingOver) { s.L.State = loan.Contracted }, "wrong-state: loan l1 is contracted; only what was approved is taken over"},
			{func(s *takingOver) { s.L.Supplies = []string{"seedling"} }, "forbidden: field loan: l1 pays suppliers for what was delivered"},
			{func(s *takingOver) { s.Ctx = without("h1") }, "forbidden: h1 borrows and has not signed"},
			{func(s *takingOver) { s.Ctx = without("h3") }, "forbidden: h3 guarantees and has not signed"},
			{func(s *takingOver) { s.Ctx = without("maker@coop") }, "forbidden: one of the staff of coop must sign"},
			{func(s *takingOver) { s.C.Evidence = party.Hash{} }, "invalid: field evidence: is empty"},
			{func(s *takingOver) { s.C.Terms.RatePartsPerMillion++ }, "conflict: field terms: are not those that were approved for loan l1"},
			{func(s *takingOver) { s.C.Terms.FirstDue = "2025-08-01" }, "invalid: field terms.firstDue: 2025-08-01 is not later than the first advance"},
			{func(s *takingOver) { s.L.TermEnd = "2026-07-31" }, "invalid: field terms: put the last instalment on 2026-08-01; loan l1 ends on 2026-07-31"},
			{func(s *takingOver) { s.C.Advances = nil }, "invalid: field advances: are 0; 1 to 2 tranches are possible"},
			{func(s *takingOver) { s.L.Terms.Revolving = true }, "forbidden: field loan: l1 is a line of credit; what one lent before is taken over by a product that is drawn once"},
			{func(s *takingOver) { s.L.TranchesMax = 1 }, "invalid: field advances: are 2; 1 to 1 tranches are possible"},
			{func(s *takingOver) { s.C.Advances[0].Amount = cny(0) }, "invalid: field advances[0].amount: 0.00 CNY is not more than zero"},
			{func(s *takingOver) { s.C.Advances[1].Date = "soon" }, "invalid: field advances[1].date: is not a date"},
			{func(s *takingOver) { s.C.Advances[1].Date = "2025-07-31" }, "invalid: field advances[1].date: 2025-07-31 is not 2025-08-01 to 2025-12-31"},
			{func(s *takingOver) { s.C.Advances[1].Date = today }, "invalid: field advances[1].date: 2026-01-01 is not 2025-08-01 to 2025-12-31"},
			{func(s *takingOver) { s.C.Advances[0].Date = "2022-12-29" }, "invalid: field advances[0].date: 2022-12-29 is not 2022-12-30 to 2025-12-31"},
			{func(s *takingOver) { s.C.Advances[0].Amount.Units-- }, "conflict: field advances: come to 11999.99 CNY; loan l1 is of 12000.00 CNY"},
			{func(s *takingOver) { s.C.Payments[0].Amount.Currency = "USD" }, "invalid: field payments[0].amount: 1031.83 USD is not in CNY"},
			{func(s *takingOver) { s.C.Payments[0].Date = "2025-07-31" }, "invalid: field payments[0].date: 2025-07-31 is not 2025-08-01 to 2026-01-01"},
			{func(s *takingOver) { s.C.Payments[0].Date = "2026-01-02" }, "invalid: field payments[0].date: 2026-01-02 is not 2025-08-01 to 2026-01-01"},
			{func(s *takingOver) { s.C.Payments = make([]terms.Payment, loan.PaymentsMax+1) }, "invalid: field payments: are 321; 320 at most"},
			{func(s *takingOver) { s.C.Payments[0].Amount = cny(9_000_000) }, "insufficient: field payments[0].amount: 90000.00 CNY is more than"},
		})
}

// TestTakenOver: what is owed, how late it was and who lent it follow from the history, and no pool is asked for it.
func TestTakenOver(t *testing.T) {
	l, entry, err := applied(t, frame()).TakeOver(ranBefore(), "coop", by("bank", knowing...))
	l = must(t, l, err)
	owed := must2(l.Owed(today))(t)
	if entry.Kind != "take-over-loan" || len(entry.Postings) != 0 || l.State != loan.Running || owed.DaysPastDue != 92 || owed.Oldest != 2 || l.DaysPastDueMax != 0 {
		t.Errorf("taken over: %+v, owed %+v", entry, owed)
	}
	if l.Contract.Date != "2025-08-01" || l.TakenOver.Date != today || len(l.Tranches) != 2 || l.Tranches[1].Paid != "2025-08-15" {
		t.Errorf("its contract %+v, tranches %+v", l.Contract, l.Tranches)
	}
	late := ranBefore()
	late.Payments = append(late.Payments, terms.Payment{Amount: cny(104_000), Date: "2025-10-20"})
	l, _, err = applied(t, frame()).TakeOver(late, "coop", by("bank", knowing...))
	if l = must(t, l, err); l.DaysPastDueMax != 19 || l.LastOverdue != "2025-10-20" {
		t.Errorf("its days past due: %d, last on %s", l.DaysPastDueMax, l.LastOverdue)
	}
	l.Defaulted = today
	if _, err := l.Lost("bank", group.Scheme{}, 90, nil, today); err == nil || err.Error() != "forbidden: field loan: l1 was taken over; a pool compensates what was lent on the ledger" {
		t.Errorf("a claim on a pool: %v", err)
	}
	ended := ranBefore()
	payoff := must2(must2(takenOver(t, ranBefore()))(t).Owed(today))(t).Payoff()
	ended.Payments = append(ended.Payments, terms.Payment{Amount: cny(payoff), Date: today})
	if _, _, err := applied(t, frame()).TakeOver(ended, "coop", by("bank", knowing...)); err == nil || err.Error() != "wrong-state: field payments: have repaid loan l1; there is nothing to take over" {
		t.Errorf("a loan that is repaid: %v", err)
	}
}

func takenOver(t *testing.T, c loan.TakeOver) (loan.Loan, error) {
	l, _, err := applied(t, frame()).TakeOver(c, "coop", by("bank", knowing...))
	return l, err
}
