package loan_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal once money goes out and comes back.

type spending struct {
	L   loan.Loan
	C   loan.Disburse
	D   loan.Disbursing
	Ctx tape.Context
}

func disburse(units int64) loan.Disburse {
	return loan.Disburse{Account: coffee, Amount: cny(units), Expires: noon + tape.Day, ID: "out-1", Loan: "l1", To: cash(1), Tranche: 1}
}

// together is a contracted loan that bank and union lend as one.
func together(t *testing.T) loan.Loan {
	t.Helper()
	l := contracted(t)
	l.Lenders = shared().Lenders
	return l
}

func TestDisburse(t *testing.T) {
	ruletest.Refusals(t, func() spending {
		return spending{together(t), disburse(1_200_000), disbursing(), by("bank", "maker", "checker")}
	},
		func(s spending) error {
			_, payment, _, err := s.L.Disburse(s.C, s.D, s.Ctx)
			if err == nil && payment.Amount != cny(360_000) {
				t.Errorf("the bank pays %s", payment.Amount)
			}
			return err
		}, []row[spending]{
			{func(s *spending) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no gateway"},
			{func(s *spending) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: coop lends nothing of l1"},
			{func(s *spending) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
			{func(s *spending) { s.L.State = loan.Approved }, "wrong-state: loan l1 is approved; money goes out under a contract"},
			{func(s *spending) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; money goes out under a contract"},
			{func(s *spending) { s.D.Group = nil }, "wrong-state: field loan: group g1 is not active; nothing is disbursed to it"},
			{func(s *spending) { s.D.Group.State = group.Frozen }, "wrong-state: field loan: group g1 is not active; nothing is disbursed to it"},
			// Frozen in fact: somebody is overdue, and nobody has filed it yet.
			{func(s *spending) { s.D.Standing[2].Debts.OverdueLoan = "loan/x/y" }, "wrong-state: field group: " + string(household(3)) + " is overdue with loan/x/y"},
			{func(s *spending) { s.L.Restructured = []loan.Restructured{{Date: today}} }, "wrong-state: field loan: the terms of loan l1 were changed, or it was written off"},
			{func(s *spending) { s.L.WrittenOff = &loan.WrittenOff{} }, "wrong-state: field loan: the terms of loan l1 were changed, or it was written off"},
			{func(s *spending) { s.C.Amount = money.New(1_200_000, "USD") }, "invalid: field amount: 12000.00 USD is not in CNY"},
			{func(s *spending) { s.C.Amount = cny(-1) }, "invalid: field amount: -0.01 CNY is not more than zero"},
			{func(s *spending) { s.C.Tranche = 2 }, "conflict: field tranche: is 2; bank begins number 1 of 2"},
			{func(s *spending) { s.C.Tranche = 0 }, "conflict: field tranche: is 0; bank begins number 1 of 2"},
			{func(s *spending) { s.Ctx = by("union", "maker", "checker") }, "conflict: field tranche: is 1; bank begins number 1 of 2"},
			{func(s *spending) { s.L.TranchesMax = 0 }, "conflict: field tranche: is 1; bank begins number 1 of 0"},
			{func(s *spending) { s.C.Amount = cny(1_200_001) }, "insufficient: field amount: 12000.01 CNY is more than 12000.00 CNY, what is left of loan l1"},
			{func(s *spending) { s.C.Amount = cny(1) }, "invalid: field amount: leaves nothing to bank"},
			{func(s *spending) {
				s.L.Lenders[1].PartsPerMillion, s.L.Lenders[0].PartsPerMillion, s.C.Amount = 300_000, 700_000, cny(1)
			}, "invalid: field amount: leaves nothing to union"},
			{func(s *spending) { s.C.To = cash(2) }, "forbidden: field to: is " + string(cash(2)) + "; loan l1 is paid to " + string(cash(1))},
			{func(s *spending) { s.C.To = shop }, "forbidden: field to: is outside:supplier:s1; loan l1 is paid to "},
			{func(s *spending) { s.C.Order = "order-1" }, "invalid: field order: loan l1 buys nothing by order"},
			{func(s *spending) { s.C.Expires = noon }, "invalid: field expires: is not within 1098 days"},
			{func(s *spending) { s.C.Expires = 9_000_000_000_000_000_000 }, "invalid: field expires: is not within 1098 days"},
			// The first instalment is due on 2026-02-01: what may come then has no schedule.
			{func(s *spending) { s.C.Expires = noon + 30*tape.Day + 1 }, "expired: field expires: the bank could pay it on 2026-02-01, and loan l1 has no schedule for that day: "},
			{func(s *spending) { s.L.TermEnd = "2026-12-31" }, "expired: field expires: the bank could pay it on 2026-01-01, and loan l1 has no schedule for that day: "},
		})
	late := disburse(1_200_000)
	late.Expires = noon + 30*tape.Day
	if _, _, _, err := together(t).Disburse(late, disbursing(), by("bank", "maker", "checker")); err != nil {
		t.Errorf("on the day before the first is due: %v", err)
	}
}

// TestJoin: what the first lender has begun, the others join as it stands.
func TestJoin(t *testing.T) {
	ruletest.Refusals(t, func() spending {
		l, _, _, err := together(t).Disburse(disburse(600_001), disbursing(), by("bank", "maker", "checker"))
		join := disburse(600_001)
		join.ID = "out-2"
		return spending{must(t, l, err), join, disbursing(), by("union", "maker", "checker")}
	}, func(s spending) error {
		l, payment, _, err := s.L.Disburse(s.C, s.D, s.Ctx)
		if err == nil && (payment.Amount != cny(420_001) || len(l.Tranches) != 1) {
			t.Errorf("the union pays %s of %d tranches", payment.Amount, len(l.Tranches))
		}
		return err
	}, []row[spending]{
		{func(s *spending) { s.C.Amount = cny(600_000) }, "conflict: field tranche: 1 of loan l1 is 6000.01 CNY to " + string(cash(1)) + "; all lenders pay the same"},
		{func(s *spending) { s.C.To = cash(2) }, "conflict: field tranche: 1 of loan l1 is 6000.01 CNY to " + string(cash(1))},
		{func(s *spending) { s.C.Order = "order-1" }, "conflict: field tranche: 1 of loan l1 is 6000.01 CNY"},
		{func(s *spending) { s.Ctx = by("bank", "maker", "checker") }, "wrong-state: field tranche: 1 of loan l1 is cancelled, or ordered by bank already"},
		{func(s *spending) { s.L.Tranches[0].Cancelled = true }, "wrong-state: field tranche: 1 of loan l1 is cancelled, or ordered by union already"},
		{func(s *spending) { s.C.Tranche = 2 }, "conflict: field tranche: is 2; bank begins number 2 of 2"},
		{func(s *spending) { s.Ctx, s.C.Tranche, s.C.Amount = by("bank", "maker", "checker"), 2, cny(600_000) }, "insufficient: field amount: 6000.00 CNY is more than 5999.99 CNY, what is left of loan l1"},
		{func(s *spending) { s.Ctx, s.C.Tranche = by("bank", "maker", "checker"), 3 }, "conflict: field tranche: is 3; bank begins number 2 of 2"},
	})
}

// buying is a contracted loan whose money buys seedlings, with an order that came.
func buying(t *testing.T) (loan.Loan, loan.Disbursing) {
	t.Helper()
	f := frame()
	p := locked()
	f.Product = &p
	l := applied(t, f)
	quote := must2(must2(l.Quote(plan()))(t).Hash())(t)
	l, _, err := l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: plan(), ID: "contract-1", Loan: "l1", Quote: quote}, 30, f, by("coop", "h1"))
	d := disbursing()
	d.Supplies = &loan.Order{V: 1, ID: "order-1", Loan: "l1", Supplier: shop, Category: "seedlings", Amount: cny(500_000), State: loan.Delivered}
	d.Supplier = &group.Supplier{V: 1, Account: shop, Categories: []string{"seedlings"}}
	return must(t, l, err), d
}

func TestPurposeLocked(t *testing.T) {
	ruletest.Refusals(t, func() spending {
		l, d := buying(t)
		c := disburse(500_000)
		c.To, c.Order = shop, "order-1"
		return spending{l, c, d, by("bank", "maker", "checker")}
	}, func(s spending) error { _, _, _, err := s.L.Disburse(s.C, s.D, s.Ctx); return err }, []row[spending]{
		// Cash from a locked loan.
		{func(s *spending) { s.C.To, s.C.Order, s.D.Supplies = cash(1), "", nil }, "not-found: field order: is not named; the money of loan l1 goes to suppliers for what was delivered, and never in cash"},
		{func(s *spending) { s.C.To = cash(1) }, "conflict: field to: order order-1 is of 5000.00 CNY from outside:supplier:s1"},
		{func(s *spending) { s.D.Supplies.Loan = "l2" }, "not-found: field order: there is no order order-1 of loan l1"},
		{func(s *spending) { s.D.Supplies.State = loan.Ordered }, "wrong-state: field order: order-1 is ordered; a supplier is paid for what household and cooperative have confirmed"},
		{func(s *spending) { s.D.Supplies.State = loan.Cancelled }, "wrong-state: field order: order-1 is cancelled"},
		{func(s *spending) { s.C.Amount = cny(500_001) }, "conflict: field to: order order-1 is of 5000.00 CNY from outside:supplier:s1"},
		{func(s *spending) { s.D.Supplier = nil }, "forbidden: field to: outside:supplier:s1 is no listed supplier of seedlings"},
		{func(s *spending) { s.D.Supplier.Withdrawn = true }, "forbidden: field to: outside:supplier:s1 is no listed supplier of seedlings"},
		{func(s *spending) { s.D.Supplier.Categories = []string{"tools"} }, "forbidden: field to: outside:supplier:s1 is no listed supplier of seedlings"},
		{func(s *spending) {
			s.L.Tranches, s.C.Tranche = []loan.Tranche{{Amount: cny(500_000), To: shop, Order: "order-1", Holds: []tape.ID{"out-0"}, Paid: today}}, 2
		}, "wrong-state: field order: order-1 is paid already"},
	})
	// One whose payout came back is paid by another tranche.
	l, d := buying(t)
	l.Tranches = []loan.Tranche{{Amount: cny(500_000), To: shop, Order: "order-1", Holds: []tape.ID{"out-0"}, Cancelled: true}}
	c := disburse(500_000)
	c.To, c.Order, c.Tranche = shop, "order-1", 2
	if _, _, _, err := l.Disburse(c, d, by("bank", "maker", "checker")); err != nil {
		t.Errorf("after a payout that came back: %v", err)
	}
}

type ordering struct {
	L        loan.Loan
	C        loan.OrderSupplies
	Supplier *group.Supplier
	Ctx      tape.Context
}

func TestOrderSupplies(t *testing.T) {
	ruletest.Refusals(t, func() ordering {
		l, d := buying(t)
		return ordering{l, loan.OrderSupplies{Account: coffee, Amount: cny(1_200_000), Category: "seedlings", ID: "order-1", Loan: "l1", Supplier: shop}, d.Supplier, by("coop", "h1")}
	}, func(s ordering) error { _, _, err := s.L.OrderSupplies(s.C, s.Supplier, s.Ctx); return err }, []row[ordering]{
		{func(s *ordering) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *ordering) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *ordering) { s.L.State = loan.Approved }, "wrong-state: loan l1 is approved; orders are made under a contract"},
		{func(s *ordering) { s.C.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *ordering) { s.C.Category = "tools" }, "forbidden: field category: is not one that loan l1 buys: [seedlings]"},
		{func(s *ordering) { s.L.Supplies = nil }, "forbidden: field category: is not one that loan l1 buys: []"},
		{func(s *ordering) { s.Supplier = nil }, "forbidden: field supplier: outside:supplier:s1 is no listed supplier of seedlings"},
		{func(s *ordering) { s.Supplier.Withdrawn = true }, "forbidden: field supplier: outside:supplier:s1 is no listed supplier"},
		{func(s *ordering) { s.Supplier.Categories = []string{"tools"} }, "forbidden: field supplier: outside:supplier:s1 is no listed supplier"},
		{func(s *ordering) { s.C.Amount = cny(1_200_001) }, "insufficient: field amount: 12000.01 CNY is more than 12000.00 CNY, what is left of loan l1"},
		{func(s *ordering) { s.Ctx = by("coop", "h2") }, "forbidden: h1 orders and has not signed"},
		{func(s *ordering) { s.Ctx = by("coop", "h1!agent-held") }, "forbidden: h1 orders by a key that is agent-held"},
	})
}

type confirming struct {
	O   loan.Order
	C   loan.ConfirmDelivery
	L   loan.Loan
	Ctx tape.Context
}

func TestConfirmDelivery(t *testing.T) {
	ruletest.Refusals(t, func() confirming {
		l, d := buying(t)
		d.Supplies.State = loan.Ordered
		return confirming{*d.Supplies, loan.ConfirmDelivery{Account: coffee, ID: "confirm-1", Invoice: "invented-invoice---01A", Order: "order-1", Place: "invented-place-----01A"}, l, by("bank", "h1", "maker@coop")}
	}, func(s confirming) error { _, _, err := s.O.Confirm(s.C, s.L, "coop", s.Ctx); return err }, []row[confirming]{
		{func(s *confirming) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no gateway"},
		{func(s *confirming) { s.C.Invoice = "12345" }, "invalid: field invoice: must be 22 characters of base64url"},
		{func(s *confirming) { s.C.Place = "12345" }, "invalid: field place: must be 22 characters of base64url"},
		{func(s *confirming) { s.O.State = loan.Delivered }, "wrong-state: field order: order-1 is delivered"},
		{func(s *confirming) { s.O.State = loan.Cancelled }, "wrong-state: field order: order-1 is cancelled"},
		{func(s *confirming) { s.Ctx = by("bank", "maker@coop") }, "forbidden: h1 confirms and has not signed"},
		{func(s *confirming) { s.Ctx = by("bank", "h1!agent-held", "maker@coop") }, "forbidden: h1 confirms by a key that is agent-held"},
		{func(s *confirming) { s.Ctx = by("bank", "h1") }, "forbidden: one of the staff of coop must sign"},
		{func(s *confirming) { s.Ctx = by("bank", "h1", "maker") }, "forbidden: one of the staff of coop must sign"},
		{func(s *confirming) { s.C.Invoice = "" }, "invalid: field invoice: and place are needed"},
		{func(s *confirming) { s.C.Place = "" }, "invalid: field invoice: and place are needed"},
	})
	l, d := buying(t)
	d.Supplies.State = loan.Ordered
	if o, _, err := d.Supplies.Confirm(loan.ConfirmDelivery{Cancel: true, Order: "order-1"}, l, "coop", by("coop", "h1")); err != nil || o.State != loan.Cancelled {
		t.Errorf("the borrower cancels alone: %s %v", o.State, err)
	}
}

type booking struct {
	L     loan.Loan
	C     loan.BookTranche
	Holds []*tape.Hold
	Ctx   tape.Context
}

// onItsWay is a tranche that bank and union have ordered.
func onItsWay(t *testing.T) loan.Loan {
	t.Helper()
	l, _, _, err := together(t).Disburse(disburse(1_200_000), disbursing(), by("bank", "maker", "checker"))
	join := disburse(1_200_000)
	join.ID = "out-2"
	l, _, _, err2 := must(t, l, err).Disburse(join, disbursing(), by("union", "maker", "checker"))
	return must(t, l, err2)
}

// reclaimed is a payout that the bank never made.
func reclaimed(id tape.ID) *tape.Hold {
	return &tape.Hold{V: 1, Account: lending, ID: id, To: cash(1), State: tape.HoldReclaimed}
}

// returned is one that came back.
func returned(id tape.ID, units int64, back int64) *tape.Hold {
	h := paid(id, units, today)
	h.Returned = tape.Spans{{Start: 0, End: back}}
	return h
}

func TestBookTranche(t *testing.T) {
	ruletest.Refusals(t, func() booking {
		return booking{onItsWay(t), loan.BookTranche{Account: coffee, ID: "book-1", Loan: "l1", Tranche: 1}, []*tape.Hold{paid("out-1", 360_000, today), paid("out-2", 840_000, "2026-01-03")}, by("coop")}
	}, func(s booking) error { _, _, err := s.L.BookTranche(s.C, s.Holds, s.Ctx); return err }, []row[booking]{
		{func(s *booking) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *booking) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *booking) { s.L.State = loan.Withdrawn }, "wrong-state: loan l1 is withdrawn; nothing of it is on its way"},
		{func(s *booking) { s.C.Tranche = 0 }, "not-found: field tranche: 0 of loan l1 is not on its way"},
		{func(s *booking) { s.C.Tranche = 2 }, "not-found: field tranche: 2 of loan l1 is not on its way"},
		{func(s *booking) { s.L.Tranches[0].Paid = today }, "not-found: field tranche: 1 of loan l1 is not on its way"},
		{func(s *booking) { s.L.Tranches[0].Cancelled = true }, "not-found: field tranche: 1 of loan l1 is not on its way"},
		{func(s *booking) { s.Holds[1] = nil }, "wrong-state: field tranche: union has not ordered its share yet"},
		{func(s *booking) { s.Holds[1].State = tape.HoldOpen }, "wrong-state: field tranche: the payout out-2 of union is open; the bank's line shows whether it was paid"},
		{func(s *booking) { s.Holds[1].State = tape.HoldReleased }, "wrong-state: field tranche: the payout out-2 of union is released"},
		{func(s *booking) { s.Holds[1] = returned("out-2", 840_000, 839_999) }, "wrong-state: field tranche: a part of the payout out-2 of union came back; it comes off when all of it has"},
		{func(s *booking) { s.Holds[1].State = tape.HoldReclaimed }, "wrong-state: field tranche: the payout out-2 of union is reclaimed"},
		{func(s *booking) { s.Holds[1].Paid = "2026-02-01" }, "invalid: field tranche.firstDue: 2026-02-01 is not later than the first advance"},
	})
	for _, c := range []struct {
		name  string
		holds []*tape.Hold
		want  loan.State
		day   tape.Date
		again int // orders that are to be made once more
	}{
		{"the last of both pays it", []*tape.Hold{paid("out-1", 360_000, today), paid("out-2", 840_000, "2026-01-03")}, loan.Running, "2026-01-03", 0},
		{"none was paid", []*tape.Hold{reclaimed("out-1"), reclaimed("out-2")}, loan.Contracted, "", 0},
		{"one was never ordered, the other not paid", []*tape.Hold{reclaimed("out-1"), nil}, loan.Contracted, "", 0},
		{"both came back", []*tape.Hold{returned("out-1", 360_000, 360_000), returned("out-2", 840_000, 840_000)}, loan.Contracted, "", 0},
		{"one was paid, one was not", []*tape.Hold{paid("out-1", 360_000, today), reclaimed("out-2")}, loan.Contracted, "", 1},
	} {
		l, _, err := onItsWay(t).BookTranche(loan.BookTranche{Tranche: 1}, c.holds, by("coop"))
		again := 0
		for _, id := range must(t, l, err).Tranches[0].Holds {
			if id == "" {
				again++
			}
		}
		if l.State != c.want || l.Tranches[0].Paid != c.day || again != c.again || l.Tranches[0].Cancelled != (c.day == "" && c.again == 0) {
			t.Errorf("%s: %s %+v", c.name, l.State, l.Tranches[0])
		}
	}
	// What came back is ordered once more by its lender, and then the tranche is whole.
	l, _, err := onItsWay(t).BookTranche(loan.BookTranche{Tranche: 1}, []*tape.Hold{paid("out-1", 360_000, today), reclaimed("out-2")}, by("coop"))
	again := disburse(1_200_000)
	again.ID = "out-3"
	l, payment, _, err := must(t, l, err).Disburse(again, disbursing(), by("union", "maker", "checker"))
	if must(t, l, err); payment.Amount != cny(840_000) || l.Tranches[0].Holds[1] != "out-3" {
		t.Errorf("once more: %s %v", payment.Amount, l.Tranches[0].Holds)
	}
}

// TestClosing: a loan is closed exactly when nothing is owed and nothing is on its way.
func TestClosing(t *testing.T) {
	waits, _, _, err := contracted(t).Disburse(disburse(700_000), disbursing(), by("bank", "maker", "checker"))
	waits, _, err2 := must(t, waits, err).BookTranche(loan.BookTranche{Tranche: 1}, []*tape.Hold{paid("out-1", 700_000, today)}, by("coop"))
	second := disburse(500_000)
	second.ID, second.Tranche = "out-2", 2
	waits, _, _, err = must(t, waits, err2).Disburse(second, disbursing(), by("bank", "maker", "checker"))
	waits, _ = pay(t, must(t, waits, err), 800_000, "2026-01-11", "2026-01-11", loan.Anything)
	if owed := must2(waits.Owed("2026-01-11"))(t); waits.State != loan.Running || owed.Payoff() != 0 || owed.Over != 800_000-701_151 {
		t.Errorf("with a tranche on its way it is %s, owed %+v", waits.State, owed)
	}
	cancelled, _, err := waits.BookTranche(loan.BookTranche{Tranche: 2}, []*tape.Hold{reclaimed("out-2")}, on("2026-01-12", "coop"))
	if must(t, cancelled, err).State != loan.Closed {
		t.Errorf("when that came back unpaid it is %s", cancelled.State)
	}
	arrived, _, err := waits.BookTranche(loan.BookTranche{Tranche: 2}, []*tape.Hold{paid("out-2", 500_000, "2026-01-12")}, on("2026-01-12", "coop"))
	if owed := must2(must(t, arrived, err).Owed("2026-01-12"))(t); arrived.State != loan.Running || owed.Principal != 500_000 || owed.Over != 98_849 {
		t.Errorf("when that arrived it is %s, owed %+v", arrived.State, owed)
	}
	// An instalment is paid ahead of its day; then the rest. Both together end the loan.
	ahead, _ := pay(t, running(t), 103_266, "2026-02-01", "2026-01-10", loan.UntilPayoff)
	rest := must2(ahead.Owed("2026-01-10"))(t).Payoff()
	ended, last := pay(t, ahead, rest, "2026-01-10", "2026-01-10", loan.UntilPayoff)
	if owed := must2(ended.Owed("2026-01-10"))(t); ended.State != loan.Closed || owed.Principal != 0 || owed.Ahead != 0 || rest+103_266 != 1_201_775 {
		t.Errorf("with money ahead it is %s by %d, owed %+v", ended.State, rest, owed)
	}
	// Then the money ahead has paid four thousand units of interest less, and principal instead.
	if last.Interest != 1_775-6_115 || last.Principal != rest+4_340 {
		t.Errorf("the last payment paid %+v", last)
	}
}

type repaying struct {
	L   loan.Loan
	C   loan.Repay
	A   loan.Arrived
	Ctx tape.Context
}

func TestRepay(t *testing.T) {
	ruletest.Refusals(t, func() repaying {
		l := running(t)
		l.Lenders = shared().Lenders
		return repaying{l, loan.Repay{Account: coffee, By: shop, ID: "repay-1", Loan: "l1"}, loan.Arrived{Amount: cny(100_001), Date: "2026-02-01"}, on("2026-02-10", "bank")}
	}, func(s repaying) error {
		l, onward, _, err := s.L.Repay(s.C, s.A, s.Ctx)
		if err == nil && (len(onward) != 1 || onward[0].Amount != cny(70_001) || onward[0].To != unions || onward[0].OnBehalfOf != household(1) || l.Book.Payments[0].By != string(shop)) {
			t.Errorf("onward goes %+v; the book says %+v", onward, l.Book.Payments)
		}
		return err
	}, []row[repaying]{
		{func(s *repaying) { s.Ctx = on("2026-02-10", "union") }, "forbidden: union (role gateway) does not lend l1; bank does"},
		{func(s *repaying) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) does not lend l1"},
		{func(s *repaying) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *repaying) { s.A.Used = &loan.Repayment{V: 1, Entry: "bank/repay-0"} }, "wrong-state: field gift: has repaid a loan already, by entry bank/repay-0"},
		{func(s *repaying) { s.C.By = "Shop" }, "invalid: field by: is not an account"},
		{func(s *repaying) { s.L.State = loan.Closed }, "wrong-state: field gift: loan l1 is closed; only a loan that was disbursed is repaid"},
		{func(s *repaying) { s.A.Date = "2026-02-11" }, "invalid: field gift.date: 2026-02-11 is not 2026-01-01 to 2026-02-10"},
		{func(s *repaying) { s.A.Amount = money.New(1, "USD") }, "invalid: field gift.amount: 0.01 USD is not in CNY"},
	})
}

// refunding is a loan that bought seedlings for 5,000.00, of which the nursery pays 2,000.01 back when an instalment is overdue.
func refunding(t *testing.T) repaying {
	t.Helper()
	l, d := buying(t)
	c := disburse(500_000)
	c.To, c.Order = shop, "order-1"
	l, _, _, err := l.Disburse(c, d, by("bank", "maker", "checker"))
	l, _, err2 := must(t, l, err).BookTranche(loan.BookTranche{Tranche: 1}, []*tape.Hold{paid("out-1", 500_000, today)}, by("coop"))
	l = must(t, l, err2)
	l.Lenders = shared().Lenders
	return repaying{l, loan.Repay{Account: coffee, By: shop, ID: "repay-1", Loan: "l1", Order: "order-1"}, loan.Arrived{Amount: cny(200_001), Date: "2026-02-10", Supplies: d.Supplies}, on("2026-02-10", "bank")}
}

func TestRefund(t *testing.T) {
	ruletest.Refusals(t, func() repaying { return refunding(t) }, func(s repaying) error {
		l, onward, entry, err := s.L.Repay(s.C, s.A, s.Ctx)
		if err != nil {
			return err
		}
		before, after := must2(s.L.Owed("2026-02-10"))(t), must2(l.Owed("2026-02-10"))(t)
		if after.Principal != before.Principal-200_001 || after.Paid != (loan.Paid{Principal: 200_001}) || before.Payoff()-after.Payoff() != 200_001 {
			t.Errorf("it paid %+v; %+v was owed, then %+v", after.Paid, before, after)
		}
		if order := s.C.Refunded(s.A, entry); len(onward) != 1 || onward[0].Amount != cny(140_001) || order.Refunded != 200_001 {
			t.Errorf("onward goes %+v; the order is %+v", onward, order)
		}
		return nil
	}, []row[repaying]{
		{func(s *repaying) { s.C.Order = "" }, "invalid: field order: is missing: outside:supplier:s1 was paid by loan l1"},
		{func(s *repaying) { s.A.Supplies = nil }, "not-found: field order: there is no order order-1 of loan l1"},
		{func(s *repaying) { s.A.Supplies.Loan = "l2" }, "not-found: field order: there is no order order-1 of loan l1"},
		{func(s *repaying) { s.C.By = "" }, "conflict: field by: is not outside:supplier:s1, the supplier of order order-1"},
		{func(s *repaying) { s.C.By = cash(1) }, "conflict: field by: is not outside:supplier:s1, the supplier of order order-1"},
		{func(s *repaying) { s.L.Tranches[0].Paid = "" }, "wrong-state: field order: order-1 is not paid; nothing of it comes back"},
		{func(s *repaying) { s.A.Amount = cny(500_001) }, "insufficient: field gift: brings 5000.01 CNY; of order order-1 5000.00 CNY can come back"},
		{func(s *repaying) { s.A.Supplies.Refunded = 300_000 }, "insufficient: field gift: brings 2000.01 CNY; of order order-1 2000.00 CNY can come back"},
	})
	// What is more than all principal pays interest (1,975.82 × 6 % for 30 and for 9 days: 12.66), then what enforcing has cost, and never interest before principal.
	s := refunding(t)
	s.L.Book.Charges = []loan.Charge{{Date: "2026-02-09", Costs: 5_000}}
	s.L.Book.Payments = []loan.Payment{{Amount: cny(302_500), Date: "2026-01-02", Entry: "bank/repay-0"}}
	l, _, _, err := s.L.Repay(s.C, s.A, s.Ctx)
	if owed := must2(must(t, l, err).Owed("2026-02-10"))(t); owed.Principal != 0 || owed.Payoff() != 1_266+5_000-2_419 {
		t.Errorf("more than all principal: %+v, pay-off %d", owed, owed.Payoff())
	}
}

type paying struct {
	L    loan.Loan
	P    loan.Pays
	When tape.Date
}

func TestPay(t *testing.T) {
	ruletest.Refusals(t, func() paying {
		return paying{running(t), loan.Pays{Amount: cny(103_266), Date: "2026-02-01", Mostly: loan.UntilDue}, "2026-02-01"}
	}, func(s paying) error {
		_, _, err := s.L.Pay(s.P, on(s.When, "bank").Entry("repay-1", "repay", string(coffee)))
		return err
	}, []row[paying]{
		{func(s *paying) { s.L.State = loan.Contracted }, "wrong-state: loan l1 is contracted; only a loan that was disbursed is repaid"},
		{func(s *paying) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; only a loan that was disbursed is repaid"},
		{func(s *paying) { s.P.Amount = money.New(5, "USD") }, "invalid: field amount: 0.05 USD is not in CNY"},
		{func(s *paying) { s.P.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *paying) { s.P.Date = "2026-2-1" }, "invalid: field date: is not a date"},
		{func(s *paying) { s.P.Date = "2025-12-31" }, "invalid: field date: 2025-12-31 is not 2026-01-01 to 2026-02-01"},
		{func(s *paying) { s.P.Date = "2026-02-02" }, "invalid: field date: 2026-02-02 is not 2026-01-01 to 2026-02-01"},
		{func(s *paying) { s.P.AheadDays, s.P.Date, s.P.Mostly = 30, "2026-03-04", loan.UntilPayoff }, "invalid: field date: 2026-03-04 is not 2026-01-01 to 2026-03-03"},
		{func(s *paying) { s.P.Amount = cny(103_267) }, "insufficient: field amount: 1032.67 CNY is more than 1032.66 CNY, what loan l1 owes"},
		{func(s *paying) { s.P.Mostly, s.P.Amount = "", cny(103_267) }, "insufficient: field amount: 10"},
		{func(s *paying) { s.P.Amount, s.P.Mostly = cny(1_206_116), loan.UntilPayoff }, "insufficient: field amount: 12061.16 CNY is more than 12061.15 CNY, what loan l1 owes"},
		{func(s *paying) {
			for range loan.PaymentsMax {
				s.L.Book.Payments = append(s.L.Book.Payments, loan.Payment{Amount: cny(1), Date: "2026-01-02"})
			}
			s.P.Amount = cny(1)
		}, "invalid: the loan has 320 payments already, and no more than that"},
	})
}
