package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// revolving costs a thousandth of what is drawn a day, for six months.
func revolving() terms.Terms {
	return terms.Terms{Method: terms.Bullet, Revolving: true, RatePartsPerMillion: 365_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 6, Every: terms.Interval{Months: 1}}
}

// lines is a frame whose product is a line of bank and union.
func lines() loan.Frame {
	f := frame()
	p := product()
	p.Conditions.Terms, p.Conditions.TranchesMax, p.Conditions.Lenders = revolving(), 6, shared().Lenders
	f.Product = &p
	return f
}

// line is a contracted line of 12,000.00 CNY that can be drawn until 30 June.
func line(t *testing.T) loan.Loan {
	t.Helper()
	c := apply()
	c.Terms = revolving()
	l, _, err := c.Apply(lines(), by("coop", "h1", "h2", "h3", "h4"))
	l = must(t, l, err)
	quote := must2(must2(l.Quote(plan()))(t).Hash())(t)
	l, _, err = l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: plan(), ID: "contract-1", Loan: "l1", Quote: quote}, 30, lines(), by("coop", "h1"))
	return must(t, l, err)
}

func draw(units int64, tranche int32) loan.DrawLoan {
	return loan.DrawLoan{Account: coffee, Amount: cny(units), ID: "draw-1", Loan: "l1", Tranche: tranche}
}

// drawn is a line with a draw that waits for its lenders.
func drawn(t *testing.T, l loan.Loan, units int64, day tape.Date) loan.Loan {
	t.Helper()
	l, _, err := l.Draw(draw(units, int32(len(l.Tranches)+1)), disbursing(), on(day, "coop", "h1"))
	return must(t, l, err)
}

// paidOut is a line of which both lenders have paid the last draw.
func paidOut(t *testing.T, l loan.Loan, day tape.Date) loan.Loan {
	t.Helper()
	n := len(l.Tranches)
	var holds []*tape.Hold
	for _, lender := range l.Lenders {
		c := disburse(l.Tranches[n-1].Amount.Units)
		c.ID, c.Tranche, c.Expires = tape.ID(fmt.Sprint("out-", n, lender.Organisation)), int32(n), on(day, "bank").At+tape.Day
		after, payment, _, err := l.Disburse(c, disbursing(), on(day, lender.Organisation, "maker", "checker"))
		l = must(t, after, err)
		holds = append(holds, paid(c.ID, payment.Amount.Units, day))
	}
	l, _, err := l.BookTranche(loan.BookTranche{Account: coffee, ID: "book-1", Loan: "l1", Tranche: int32(n)}, holds, on(day, "coop"))
	return must(t, l, err)
}

// repaid is a line of which something was paid back.
func repaid(t *testing.T, l loan.Loan, units int64, day tape.Date) loan.Loan {
	t.Helper()
	l, _, err := l.Pay(loan.Pays{Amount: cny(units), Date: day, Mostly: loan.Anything}, on(day, "bank").Entry("pay-1", "repay-loan", string(coffee)))
	return must(t, l, err)
}

type drawing struct {
	L   loan.Loan
	C   loan.DrawLoan
	D   loan.Disbursing
	Ctx tape.Context
}

func TestDraw(t *testing.T) {
	ruletest.Refusals(t, func() drawing {
		l := paidOut(t, drawn(t, line(t), 700_000, today), today)
		return drawing{repaid(t, l, 200_000, today), draw(700_000, 2), disbursing(), by("agent", "h1")}
	}, func(s drawing) error {
		l, _, err := s.L.Draw(s.C, s.D, s.Ctx)
		if err == nil && (l.Tranches[1].Drawn != today || l.Tranches[1].To != cash(1) || len(l.Tranches[1].Holds) != 2) {
			t.Errorf("the draw: %+v", l.Tranches[1])
		}
		return err
	}, []row[drawing]{
		{func(s *drawing) { s.Ctx.Role = "auditor" }, "forbidden: agent (role auditor) is no gateway"},
		{func(s *drawing) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *drawing) { s.L.State = loan.Closed }, "wrong-state: loan l1 is closed; draws are made under a contract"},
		{func(s *drawing) { s.L.Terms.Revolving = false }, "wrong-state: field loan: l1 is no line of credit; its lenders disburse it"},
		{func(s *drawing) { s.Ctx = by("coop", "h2") }, "forbidden: h1 draws and has not signed"},
		{func(s *drawing) { s.Ctx = by("coop", "h1!agent-held") }, "forbidden: h1 draws by a key that is agent-held"},
		{func(s *drawing) { s.C.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *drawing) { s.C.Amount.Currency = "USD" }, "invalid: field amount: 7000.00 USD is not in CNY"},
		// The limit is 12,000.00: 7,000.00 are out, 2,000.00 came back.
		{func(s *drawing) { s.C.Amount = cny(700_001) }, "insufficient: field amount: 7000.01 CNY is more than 7000.00 CNY, what can be drawn of loan l1"},
		{func(s *drawing) { s.L, s.C.Tranche = drawn(t, s.L, 1_000, today), 3 }, "insufficient: field amount: 7000.00 CNY is more than 6990.00 CNY"},
		{func(s *drawing) { s.C.Amount = cny(1) }, "invalid: field amount: leaves nothing to bank"},
		{func(s *drawing) { s.Ctx.Date = s.L.Terms.LastDue("") }, "expired: field loan: l1 could be drawn until the day before 2026-07-01"},
		{func(s *drawing) { s.L.Defaulted = today }, "wrong-state: field loan: l1 was in default, written off, or its terms were changed; nothing more is drawn of it"},
		{func(s *drawing) { s.L.WrittenOff = &loan.WrittenOff{} }, "wrong-state: field loan: l1 was in default, written off, or its terms were changed"},
		{func(s *drawing) { s.L.Restructured = []loan.Restructured{{}} }, "wrong-state: field loan: l1 was in default, written off, or its terms were changed"},
		{func(s *drawing) { s.D.Group = nil }, "wrong-state: field loan: group g1 is not active"},
		{func(s *drawing) { s.D.Group.State = group.Frozen }, "wrong-state: field loan: group g1 is not active; nothing is disbursed to it"},
		{func(s *drawing) { s.D.Standing[0].Debts.OverdueLoan = "loan/x/y" }, "wrong-state: field group: " + string(household(1)) + " is overdue with loan/x/y"},
		{func(s *drawing) { s.D.Standing[1].Debts.OpenCall = "call/x" }, "wrong-state: field group: " + string(household(2)) + " has not paid the call call/x"},
		{func(s *drawing) { s.C.Tranche = 1 }, "conflict: field tranche: is 1; the next draw is number 2, and 6 are possible"},
		{func(s *drawing) { s.L.TranchesMax = 1 }, "conflict: field tranche: is 2; the next draw is number 2, and 1 are possible"},
		{func(s *drawing) { s.L = repaid(t, s.L, 500_001, today) }, "wrong-state: 0.01 CNY of loan l1 are its household's"},
		{func(s *drawing) { s.L.Book.Given = []loan.Given{{Amount: cny(1), Date: today}} }, "wrong-state: 0.00 CNY of loan l1 are its household's, or it chose today what becomes of them"},
		{func(s *drawing) { s.C.Order = "order-1" }, "invalid: field order: loan l1 buys nothing by order"},
		{func(s *drawing) { s.L.Supplies = []string{"seedlings"} }, "not-found: field order: is not named; the money of loan l1 goes to suppliers"},
		{func(s *drawing) { s.C.Cancel, s.C.Tranche = true, 1 }, "wrong-state: field tranche: 1 is no draw of loan l1 that waits for its lenders"},
		{func(s *drawing) { s.C.Cancel = true }, "wrong-state: field tranche: 2 is no draw of loan l1 that waits for its lenders"},
		{func(s *drawing) { s.L, s.C.Cancel = drawn(t, s.L, 1_000, today), true }, "conflict: field amount: or the order is not that of draw 2 of loan l1, which is of 10.00 CNY"},
	})
}

// TestHonour: of a line its lenders pay what its household has drawn, and nothing else.
func TestHonour(t *testing.T) {
	ruletest.Refusals(t, func() spending {
		return spending{drawn(t, line(t), 700_000, today), disburse(700_000), disbursing(), by("bank", "maker", "checker")}
	},
		func(s spending) error { _, _, _, err := s.L.Disburse(s.C, s.D, s.Ctx); return err }, []row[spending]{
			{func(s *spending) { s.C.Tranche = 2 }, "forbidden: field tranche: is 2; loan l1 is a line, and its household draws what its lenders pay"},
			{func(s *spending) { s.C.Amount = cny(700_001) }, "conflict: field tranche: 1 of loan l1 is 7000.00 CNY to "},
			{func(s *spending) { s.Ctx = by("union", "maker", "checker") }, "conflict: field tranche: is 1; bank begins it"},
			{func(s *spending) { s.D.Group.State = group.Frozen }, "wrong-state: field loan: group g1 is not active"},
			{func(s *spending) { s.L.Defaulted = today }, "wrong-state: field loan: l1 was in default"},
			{func(s *spending) { s.Ctx.Date = "2026-07-01" }, "expired: field loan: l1 could be drawn until the day before 2026-07-01"},
			// A payment that the bank took back in between leaves no room for it.
			{func(s *spending) {
				s.L.Book = paidOut(t, drawn(t, line(t), 600_000, today), today).Book
			}, "insufficient: field amount: with 7000.00 CNY more would be out of loan l1 than its limit, 12000.00 CNY"},
		})
}

// TestALine is drawn, repaid, drawn again above what any draw was, and ended.
func TestALine(t *testing.T) {
	l := paidOut(t, drawn(t, line(t), 1_000_000, today), today)
	// 31 days of 10,000.00: 310.00 interest fall due, and no principal.
	if o := must2(l.Owed("2026-02-01"))(t); o.Due() != 31_000 || o.Payoff() != 1_031_000 {
		t.Errorf("on 1 February: %+v", o)
	}
	l = repaid(t, l, 1_031_000, "2026-02-01")
	if left := must2(l.Available("2026-02-01"))(t); l.State != loan.Running || left != cny(1_200_000) {
		t.Errorf("repaid it is %s, and %s can be drawn", l.State, left)
	}
	// Nothing ran while nothing was out.
	l = paidOut(t, drawn(t, l, 1_200_000, "2026-03-11"), "2026-03-11")
	if o := must2(l.Owed("2026-04-01"))(t); o.Due() != 1_200*21 || o.Principal != 1_200_000 {
		t.Errorf("on 1 April: %+v", o)
	}
	if o := must2(l.Owed("2026-07-01"))(t); o.Principal != 1_200_000 || o.Dues[len(o.Dues)-1].Principal != 1_200_000 || o.Dues[0].Principal != 0 {
		t.Errorf("at its end: %+v", o)
	}
	early := repaid(t, l, must2(l.Owed("2026-03-20"))(t).Payoff(), "2026-03-20")
	end := loan.WithdrawLoan{Account: coffee, ID: "end-1", Loan: "l1"}
	for _, c := range []struct {
		name string
		l    loan.Loan
		ctx  tape.Context
		want string
	}{
		{"owed", l, on("2026-03-20", "coop", "h1"), "wrong-state: 12108.00 CNY of loan l1 are owed, or a tranche of it is on its way; a line ends when nothing is"},
		{"before its end by others", early, on("2026-03-20", "coop"), "forbidden: h1, who asked for loan l1, signs alone"},
		{"by its household", early, on("2026-03-20", "coop", "h1"), ""},
		{"with a draw that nobody paid", drawn(t, early, 500_000, "2026-03-20"), on("2026-03-20", "coop", "h1"), ""},
		{"after its end by anybody", early, on("2026-07-01", "agent"), ""},
		{"after its end by another household", early, on("2026-07-01", "agent", "h2"), "forbidden: h1, who asked for loan l1, signs alone"},
	} {
		ended, _, err := c.l.Withdraw(end, c.ctx)
		if got := ""; err != nil {
			if got = err.Error(); got != c.want {
				t.Errorf("%s: %s", c.name, got)
			}
		} else if c.want != "" || ended.State != loan.Closed || ended.Tranches[len(ended.Tranches)-1].Paid == "" != ended.Tranches[len(ended.Tranches)-1].Cancelled {
			t.Errorf("%s: %s", c.name, ended.State)
		}
	}
	if last := repaid(t, l, must2(l.Owed("2026-07-01"))(t).Payoff(), "2026-07-01"); last.State != loan.Closed {
		t.Errorf("paid at its end it is %s", last.State)
	}
	back, _, err := drawn(t, early, 500_000, "2026-03-20").Draw(loan.DrawLoan{Account: coffee, Amount: cny(500_000), Cancel: true, ID: "draw-9", Loan: "l1", Tranche: 3}, disbursing(), on("2026-03-20", "coop", "h1"))
	if left := must2(back.Available("2026-03-20"))(t); err != nil || left != cny(1_200_000) || !back.Tranches[2].Cancelled {
		t.Errorf("a draw taken back leaves %s: %v", left, err)
	}
}

// TestALineCounts as its whole limit against group and borrower, whatever is drawn, until it can be drawn no more.
func TestALineCounts(t *testing.T) {
	half := paidOut(t, drawn(t, line(t), 500_000, today), today)
	ended := half
	ended.Defaulted = "2026-01-05"
	for _, c := range []struct {
		name string
		l    loan.Loan
		day  tape.Date
		want int64
	}{
		{"not drawn", line(t), today, 1_200_000},
		{"a draw waits", drawn(t, half, 100_000, today), today, 1_200_000},
		{"drawn in part", half, today, 1_200_000},
		{"behind its end", half, "2026-07-01", 500_000},
		{"in default", ended, "2026-01-05", 500_000},
	} {
		sum, _, err := loan.Exposure([]loan.Loan{c.l}, "CNY", c.day)
		borrowed, err2 := (&loan.Debts{V: 1, Loans: []string{c.l.Reference()}}).Borrowed(*formed(group.Active), household(1), []loan.Loan{c.l}, c.day)
		if err != nil || err2 != nil || sum.Units != c.want || borrowed.Open.Units != c.want {
			t.Errorf("%s: %s, %+v; %v %v", c.name, sum, borrowed, err, err2)
		}
	}
	behind := paidOut(t, drawn(t, line(t), 500_000, "2026-02-10"), "2026-02-10")
	if b := must2((&loan.Debts{V: 1}).Borrowed(*formed(group.Active), household(1), []loan.Loan{behind}, "2026-02-20"))(t); b.OnTime != 0 || b.Loans != 1 {
		t.Errorf("nothing has fallen due of it, and %d are on time", b.OnTime)
	}
}

// TestAnOfferOfALine assumes its limit drawn at once and kept to the end.
func TestAnOfferOfALine(t *testing.T) {
	l := line(t)
	l.State = loan.Approved
	halves := []terms.Advance{{Amount: cny(600_000), Date: today}, {Amount: cny(600_000), Date: "2026-01-10"}}
	_, _, err := l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: halves, ID: "contract-1", Loan: "l1"}, 30, lines(), by("coop", "h1"))
	if err == nil || err.Error() != "invalid: field advances: are 2; the offer of a line is reckoned as though its whole limit were drawn at once" {
		t.Errorf("in two parts: %v", err)
	}
	c := conditions()
	c.Terms, c.TranchesMax = revolving(), loan.DrawsMax+1
	if err := c.Check("CNY"); err == nil || err.Error() != "invalid: field tranchesMax: is 97; 1 to 96 is possible" {
		t.Errorf("drawn too often: %v", err)
	}
}
