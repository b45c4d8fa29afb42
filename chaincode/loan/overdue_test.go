package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What becomes of a loan that is not paid, with every refusal.

type noticing struct {
	L   loan.Loan
	C   loan.GiveNotice
	S   group.Scheme
	V   group.SchemeTerms
	Ctx tape.Context
}

func TestGiveNotice(t *testing.T) {
	ruletest.Refusals(t, func() noticing {
		return noticing{running(t), loan.GiveNotice{Account: coffee, Days: 15, ID: "notice-15", Instalment: 1, Loan: "l1"}, scheme(), version(), on("2026-02-16", "coop", "maker")}
	}, func(s noticing) error {
		n, _, err := s.L.GiveNotice(s.C, s.S, s.V, s.Ctx)
		if err == nil && (n.DaysPastDue != 15 || fmt.Sprint(n.Told) != fmt.Sprint([]tape.AccountID{household(1), household(2), household(3), household(4)}) || n.Owed.Units < 103_266) {
			t.Errorf("the notice says %+v", n)
		}
		return err
	}, []row[noticing]{
		{func(s *noticing) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *noticing) { s.Ctx = on("2026-02-16", "union", "maker") }, "forbidden: union neither lends l1 nor runs coop:coop:coffee"},
		{func(s *noticing) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a running loan is overdue"},
		{func(s *noticing) { s.Ctx = on("2026-02-16", "coop") }, "forbidden: one of the staff of coop must sign"},
		{func(s *noticing) { s.Ctx = on("2026-02-16", "coop", "maker@bank") }, "forbidden: one of the staff of coop must sign"},
		{func(s *noticing) { s.C.Days = 2 }, "invalid: field days: is 2; notices of coop:coop:coffee go out after [1 15] days"},
		{func(s *noticing) { s.C.Instalment = 2 }, "conflict: field instalment: is 2; the oldest that is overdue of loan l1 is number 1 (0 for none)"},
		{func(s *noticing) { s.Ctx.Date, s.C.Instalment = "2026-02-01", 0 }, "conflict: field instalment: is 0; the oldest that is overdue of loan l1 is number 0"},
		{func(s *noticing) { s.Ctx.Date = "2026-02-15" }, "early: field days: is 15; loan l1 is 14 days past due"},
	})
}

type defaulting struct {
	L       loan.Loan
	C       loan.Default
	V       group.SchemeTerms
	Notices []*loan.Notice
	Ctx     tape.Context
}

func TestDefault(t *testing.T) {
	ruletest.Refusals(t, func() defaulting {
		return defaulting{running(t), loan.Default{Account: coffee, ID: "default-1", Loan: "l1"}, version(), []*loan.Notice{{V: 1}, {V: 1}}, on("2026-03-04", "bank", "maker", "checker")}
	}, func(s defaulting) error { _, _, err := s.L.Default(s.C, s.V, s.Notices, s.Ctx); return err }, []row[defaulting]{
		{func(s *defaulting) { s.Ctx = on("2026-03-04", "coop", "maker") }, "forbidden: coop (role gateway) does not lend l1; bank does"},
		{func(s *defaulting) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *defaulting) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a running loan is in default"},
		{func(s *defaulting) { s.L.Defaulted = "2026-03-03" }, "wrong-state: loan l1 is in default since 2026-03-03"},
		{func(s *defaulting) { s.Ctx.Date = "2026-03-03" }, "early: loan l1 is 30 days past due; it is in default after 30"},
		{func(s *defaulting) { s.Notices[1] = nil }, "wrong-state: the notice after 15 days about instalment 1 of loan l1 was not given"},
	})
	// A default that was cured is history: another needs its own days and notices.
	l := running(t)
	l.Defaulted = "2026-03-04"
	l, _ = pay(t, l, 210_000, "2026-03-10", "2026-03-10", loan.UntilPayoff)
	if got := must2(l.Stage("2026-03-10"))(t); got != "running" {
		t.Errorf("cured it is %s", got)
	}
	if got := must2(l.Stage("2026-04-02"))(t); got != "overdue" {
		t.Errorf("a day past due again it is %s", got)
	}
	again := on("2026-05-02", "bank", "maker", "checker")
	if _, _, err := l.Default(loan.Default{}, version(), []*loan.Notice{nil, nil}, again); fmt.Sprint(err) != "wrong-state: the notice after 1 days about instalment 3 of loan l1 was not given" {
		t.Errorf("a second default: %v", err)
	}
	l, _, err := l.Default(loan.Default{}, version(), []*loan.Notice{{V: 1}, {V: 1}}, again)
	if got := must2(must(t, l, err).Stage("2026-05-02"))(t); got != "defaulted" || l.Defaulted != "2026-05-02" {
		t.Errorf("a second default: %s since %s", got, l.Defaulted)
	}
	if keys := must2(l.NoticeKeys(version(), "2026-05-02"))(t); fmt.Sprint(keys) != "[notice/coop:coop:coffee/l1/3/1 notice/coop:coop:coffee/l1/3/15]" {
		t.Errorf("its notices are %v", keys)
	}
}

type staying struct {
	C   loan.DeclareStay
	V   group.SchemeTerms
	Ctx tape.Context
}

func TestDeclareStay(t *testing.T) {
	ruletest.Refusals(t, func() staying {
		return staying{loan.DeclareStay{Account: coffee, From: "2025-12-01", ID: "stay-1", Kind: "frost", To: "2026-05-29"}, version(), by("county", "maker")}
	}, func(s staying) error { _, _, err := s.C.Declare(s.V, s.Ctx); return err }, []row[staying]{
		{func(s *staying) { s.Ctx = by("bank", "maker") }, "forbidden: bank (role gateway) holds no power of a regulator"},
		{func(s *staying) { s.Ctx.Role = "auditor" }, "forbidden: county (role auditor) holds no power of a regulator"},
		{func(s *staying) { s.Ctx = by("county") }, "forbidden: one of the staff of county must sign"},
		{func(s *staying) { s.C.Kind = "war" }, "invalid: field kind: is not one of drought, "},
		{func(s *staying) { s.C.From = "1 December" }, "invalid: field from: is not a date"},
		{func(s *staying) { s.C.To = "" }, "invalid: field to: is not a date"},
		{func(s *staying) { s.C.To = "2026-05-30" }, "invalid: field to: 2026-05-30 is not within 180 days from 2025-12-01"},
		{func(s *staying) { s.C.To = "2025-11-30" }, "invalid: field to: 2025-11-30 is not within 180 days from 2025-12-01"},
		{func(s *staying) { s.C.To = "2025-12-31" }, "invalid: field to: 2025-12-31 has passed"},
	})
}

type restructuring struct {
	L      loan.Loan
	C      loan.Restructure
	Expiry tape.Date
	Called *recourse.Call
	Claims []pool.Claim
	Ctx    tape.Context
}

// longer is what is agreed when twelve instalments are too much: six, without late charges.
func longer() terms.Terms {
	return terms.Terms{Method: terms.EqualPrincipal, RatePartsPerMillion: 48_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 6, Every: terms.Interval{Months: 3}}
}

var everybody = []string{"maker", "checker", "h1", "h2", "h3", "h4"}

func restructure() loan.Restructure {
	return loan.Restructure{Account: coffee, ID: "restructure-1", Loan: "l1", TermEnd: "2028-06-30", Terms: longer()}
}

func TestRestructure(t *testing.T) {
	ruletest.Refusals(t, func() restructuring {
		return restructuring{running(t), restructure(), "2028-06-30", &recourse.Call{State: recourse.Met}, []pool.Claim{{ID: "claim-0", Account: "pool:insurer:county", Lender: "union", State: pool.Closed}, {ID: "claim-1", Account: "pool:insurer:county", Lender: "bank", State: pool.Review}}, on("2026-02-20", "bank", everybody...)}
	}, func(s restructuring) error {
		_, _, err := s.L.Restructure(s.C, s.Expiry, s.Called, s.Claims, s.Ctx)
		return err
	}, []row[restructuring]{
		{func(s *restructuring) { s.Ctx = on("2026-02-20", "coop", everybody...) }, "forbidden: coop (role gateway) does not lend l1; bank does"},
		{func(s *restructuring) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *restructuring) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a running loan has terms to change"},
		{func(s *restructuring) { s.C.Terms.Instalments = 0 }, "invalid: field terms.instalments: is 0"},
		{func(s *restructuring) { s.C.Terms.RatePartsPerMillion = -1 }, "invalid: field terms.ratePartsPerMillion: "},
		{func(s *restructuring) { s.C.TermEnd = "soon" }, "invalid: field termEnd: is not a date"},
		{func(s *restructuring) { s.C.Terms.Fees = []terms.Fee{{At: terms.AtDisbursement, PartsPerMillion: 1}} }, "invalid: field terms.fees[0].at: is disbursement"},
		{func(s *restructuring) { s.C.Terms = revolving() }, "invalid: field terms.revolving: is for new loans; nothing more is disbursed once terms are changed"},
		{func(s *restructuring) { s.L.Tranches = append(s.L.Tranches[:1:1], loan.Tranche{Amount: cny(1)}) }, "wrong-state: a tranche of loan l1 is on its way"},
		{func(s *restructuring) { s.Called = &recourse.Call{ID: "call-1", State: recourse.Open} }, "wrong-state: call call-1 of the guarantors of loan l1 is open"},
		{func(s *restructuring) { s.Claims[1].State = pool.Approved }, "wrong-state: claim claim-1 of bank on pool:insurer:county for loan l1 is approved; its terms are changed when the pool has returned it"},
		{func(s *restructuring) { s.Claims[1].State = pool.Paid }, "wrong-state: claim claim-1 of bank on pool:insurer:county for loan l1 is paid; "},
		{func(s *restructuring) { s.Claims[0].State = pool.Sharing }, "wrong-state: claim claim-0 of union on pool:insurer:county for loan l1 is sharing; "},
		{func(s *restructuring) { s.L.Book.Payments = []loan.Payment{{Amount: cny(5), Date: "2026-02-21"}} }, "wrong-state: an instalment of loan l1 is paid ahead of its day"},
		{func(s *restructuring) { s.Ctx = on("2026-02-20", "bank", "maker", "checker", "h2", "h3", "h4") }, "forbidden: h1 borrows and has not signed"},
		{func(s *restructuring) { s.Ctx = on("2026-02-20", "bank", "maker", "checker", "h1", "h2", "h4") }, "forbidden: h3 guarantees and has not signed"},
		{func(s *restructuring) {
			s.Ctx = on("2026-02-20", "bank", "maker", "checker", "h1", "h2", "h3", "h4!agent-held")
		}, "forbidden: h4 guarantees by a key that is agent-held"},
		{func(s *restructuring) { s.Expiry = "2028-06-29" }, "invalid: field termEnd: is 2028-06-30; the agreement of group g1 ends on 2028-06-29, and no loan outlasts it"},
		{func(s *restructuring) { s.C.TermEnd = "2027-08-19" }, "invalid: field terms: the last instalment would fall due on 2027-08-20, behind 2027-08-19"},
		{func(s *restructuring) { s.C.Terms.FirstDue = "2026-02-20" }, "invalid: field terms.firstDue: 2026-02-20 is not later than the first advance"},
		{func(s *restructuring) {
			s.L.Book.Payments = []loan.Payment{{Amount: cny(1_300_000), Date: "2026-02-01"}}
			s.L.Book.Advances = append(s.L.Book.Advances[:1:1], terms.Advance{Amount: cny(1), Date: "2026-02-10"})
			s.L.Tranches = append(s.L.Tranches[:1:1], loan.Tranche{Amount: cny(1), Paid: "2026-02-10"})
		}, "wrong-state: the lenders of loan l1 owe 938.85 CNY to its household; that is settled first"},
	})
}

// TestRestructured: what was owed is carried to the unit, and history stays.
func TestRestructured(t *testing.T) {
	before := must2(running(t).Owed("2026-02-20"))(t)
	l, _, err := running(t).Restructure(restructure(), "2028-06-30", nil, nil, on("2026-02-20", "bank", everybody...))
	l = must(t, l, err)
	after := must2(l.Owed("2026-02-20"))(t)
	if after.Payoff() != before.Payoff() || after.Principal != 1_200_000 || after.Due() != before.Payoff()-1_200_000 || after.DaysPastDue != 0 {
		t.Errorf("owed before %+v, after %+v", before, after)
	}
	if r := l.Restructured[0]; r.DaysPastDue != 19 || r.Observed != "2027-02-20" || l.TermEnd != "2028-06-30" {
		t.Errorf("history says %+v, the loan ends on %s", r, l.TermEnd)
	}
	// Numbers go on: a notice about the first instalment of before is none about the first of now.
	if owed := must2(l.Owed("2026-05-21"))(t); owed.Oldest != 13 || owed.DaysPastDue != 1 {
		t.Errorf("the oldest is number %d, %d days past due", owed.Oldest, owed.DaysPastDue)
	}
	if _, err := l.Owed("2026-02-19"); fmt.Sprint(err) != "wrong-state: field date: 2026-02-19 lies before the terms of loan l1 were changed, on 2026-02-20" {
		t.Errorf("a day before: %v", err)
	}
	// A payment of an earlier day comes to light: it counts from the change on, and pays what was carried first.
	paidLate, paid := pay(t, l, after.Due()+1, "2026-02-01", "2026-03-01", loan.Anything)
	if p := paidLate.Book.Payments[0]; p.Date != "2026-02-20" || paid.Principal != 1 || paid.Interest+paid.Late != after.Due() {
		t.Errorf("an earlier payment stands on %s and paid %+v", p.Date, paid)
	}
	if _, _, _, err := l.Disburse(disburse(1), disbursing(), on("2026-03-01", "bank", "maker", "checker")); err == nil {
		t.Error("something more is disbursed under changed terms")
	}
}

type writing struct {
	L   loan.Loan
	C   loan.WriteOff
	Ctx tape.Context
}

// defaulted is a running loan of which nothing was ever paid.
func defaulted(t *testing.T) loan.Loan {
	t.Helper()
	l := running(t)
	l.Defaulted = "2026-03-04"
	return l
}

func TestWriteOff(t *testing.T) {
	ruletest.Refusals(t, func() writing {
		return writing{defaulted(t), loan.WriteOff{Account: coffee, ID: "write-off-1", Loan: "l1"}, on("2026-05-03", "bank", "maker", "checker")}
	}, func(s writing) error { _, _, err := s.L.WriteOff(s.C, s.Ctx); return err }, []row[writing]{
		{func(s *writing) { s.Ctx.Organisation = "union" }, "forbidden: union (role gateway) does not lend l1; bank does"},
		{func(s *writing) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *writing) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a running loan is written off"},
		{func(s *writing) { s.L.WrittenOff = &loan.WrittenOff{Date: "2026-05-01"} }, "wrong-state: loan l1 was written off on 2026-05-01"},
		{func(s *writing) { s.Ctx.Date = "2026-05-02" }, "early: loan l1 is special-mention, 90 days past due; only a non-performing loan in default is written off"},
		{func(s *writing) { s.L.Defaulted = "" }, "early: loan l1 is substandard, 91 days past due; only"},
		{func(s *writing) { s.L.Defaulted = "2026-01-31" }, "early: loan l1 is substandard, 91 days past due; only"}, // of an instalment that was paid since
	})
	// Written off, everybody owes what they owed, and repayments go on.
	l, _, err := defaulted(t).WriteOff(loan.WriteOff{}, on("2026-05-03", "bank", "maker", "checker"))
	before := must2(defaulted(t).Owed("2026-06-10"))(t)
	if after := must2(must(t, l, err).Owed("2026-06-10"))(t); after.Payoff() != before.Payoff() || after.DaysPastDue != before.DaysPastDue {
		t.Errorf("owed before %+v, after %+v", before, after)
	}
	l, _ = pay(t, l, 500_000, "2026-06-10", "2026-06-10", loan.UntilPayoff)
	owed, position := must2(l.Owed("2026-06-10"))(t), must2(l.Position("2026-06-10"))(t)
	if position.WrittenOff != owed.Principal || l.WrittenOff.Amount != cny(1_200_000) || must2(l.Stage("2026-06-10"))(t) != "written-off" {
		t.Errorf("after a repayment: %+v of %d", position, owed.Principal)
	}
	l, _ = pay(t, l, owed.Payoff(), "2026-06-10", "2026-06-10", loan.UntilPayoff)
	if l.State != loan.Closed || l.WrittenOff == nil {
		t.Errorf("paid off it is %s, written off %v", l.State, l.WrittenOff)
	}
	if position := must2(l.Position("2026-05-02"))(t); position.WrittenOff != 0 || position.Principal != 1_200_000 {
		t.Errorf("before it was written off: %+v", position)
	}
}

type costing struct {
	L   loan.Loan
	C   loan.AddCosts
	Ctx tape.Context
}

func TestAddCosts(t *testing.T) {
	ruletest.Refusals(t, func() costing {
		return costing{defaulted(t), loan.AddCosts{Account: coffee, Amount: cny(30_000), Evidence: party.Hash{1}, ID: "costs-1", Loan: "l1"}, on("2026-04-01", "bank", "maker", "checker")}
	}, func(s costing) error { _, _, err := s.L.AddCosts(s.C, s.Ctx); return err }, []row[costing]{
		{func(s *costing) { s.Ctx.Organisation = "union" }, "forbidden: union (role gateway) does not lend l1; bank does"},
		{func(s *costing) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *costing) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a running loan is enforced"},
		{func(s *costing) { s.C.Amount = money.New(5, "USD") }, "invalid: field amount: 0.05 USD is not in CNY"},
		{func(s *costing) { s.C.Amount = cny(-5) }, "invalid: field amount: -0.05 CNY is not more than zero"},
		{func(s *costing) { s.L.Defaulted = "" }, "wrong-state: loan l1 is not in default; nothing of it is enforced"},
		{func(s *costing) { s.C.Evidence = party.Hash{} }, "invalid: field evidence: is empty; it is the salted hash of the bill"},
		{func(s *costing) { s.C.Amount = cny(1_200_001) }, "invalid: field amount: 12000.01 CNY is more than was lent, or loan l1 bears 24 charges already"},
		{func(s *costing) { s.L.Book.Charges = make([]loan.Charge, loan.ChargesMax) }, "invalid: field amount: 300.00 CNY is more than was lent, or loan l1 bears 24 charges already"},
	})
	l, _, err := defaulted(t).AddCosts(loan.AddCosts{Amount: cny(30_000), Evidence: party.Hash{1}}, on("2026-04-01", "bank", "maker", "checker"))
	l = must(t, l, err)
	// Costs come first (Civil Code art. 561); a payment of before them pays none.
	if _, paid := pay(t, l, 40_000, "2026-04-01", "2026-04-01", loan.UntilDue); paid != (loan.Paid{Costs: 30_000, Late: 471, Interest: 6_115, Principal: 3_414}) { // 971.51 × 3 % × 59 / 365 = 4.71
		t.Errorf("paid %+v", paid)
	}
	if _, paid := pay(t, l, 40_000, "2026-03-31", "2026-04-01", loan.Anything); paid.Costs != 0 {
		t.Errorf("a payment of the day before paid %+v", paid)
	}
}

// TestLateLine: a payment that comes to light late is put in its place, and each
// says what it paid: together the payment, whatever others paid before.
func TestLateLine(t *testing.T) {
	l, first := pay(t, running(t), 50_000, "2026-02-20", "2026-02-20", loan.UntilPayoff)
	if l.LastOverdue != "2026-02-20" {
		t.Errorf("it was overdue on %s", l.LastOverdue)
	}
	l, second := pay(t, l, 103_266, "2026-02-01", "2026-02-25", loan.Anything)
	if first.Late == 0 || second.Late != -first.Late || second.Principal+second.Interest+second.Late != 103_266 {
		t.Errorf("first %+v, then %+v", first, second)
	}
	owed := must2(l.Owed("2026-02-25"))(t)
	if owed.Paid.Late != 0 || owed.Paid.Interest+owed.Paid.Principal != 153_266 || owed.Principal != 1_200_000-first.Principal-second.Principal {
		t.Errorf("both have paid %+v, %d is owed", owed.Paid, owed.Principal)
	}
	// It was paid on its day: it never was overdue.
	onTime, _ := pay(t, running(t), 103_266, "2026-02-01", "2026-02-25", loan.Anything)
	if onTime.LastOverdue != "" {
		t.Errorf("paid on its day, it was overdue on %s", onTime.LastOverdue)
	}
	partly, _ := pay(t, running(t), 103_266, "2026-02-05", "2026-02-25", loan.Anything)
	if partly.LastOverdue != "2026-02-05" {
		t.Errorf("paid four days late, it was overdue on %q", partly.LastOverdue)
	}
}

// TestTolerance: what is missing within it makes nobody overdue, and is owed.
func TestTolerance(t *testing.T) {
	within, _ := pay(t, running(t), 103_256, "2026-02-01", "2026-02-01", loan.UntilDue)
	beyond, _ := pay(t, running(t), 103_255, "2026-02-01", "2026-02-01", loan.UntilDue)
	if a, b := must2(within.Owed("2026-02-02"))(t), must2(beyond.Owed("2026-02-02"))(t); a.DaysPastDue != 0 || a.Due() != 10 || b.DaysPastDue != 1 {
		t.Errorf("10 units are missing: %+v; 11: %+v", a, b)
	}
}
