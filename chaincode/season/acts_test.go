package season_test

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

const buyer = tape.AccountID("outside:buyer:roaster")

// harvests are one to three households with what each has delivered.
func (w *season) harvests() harvest.Shares {
	var all harvest.Shares
	for _, n := range w.random.Perm(2 * members)[:1+w.random.IntN(3)] {
		all = append(all, harvest.Share{Grams: 1 + w.random.Int64N(500_000), Household: household(n)})
	}
	return harvest.Together(all)
}

// sale sells what some households have delivered, and lets its settlement pay: first
// what each owes, to lenders and then to guarantors, then itself.
func (w *season) sale() error {
	all := w.harvests()
	composition, err := all.Composition()
	ok(w, composition, err)
	version := schemeTerms()
	version.WindowDays = w.random.Int32N(31)
	sale := harvest.Sale{V: 1, Scheme: scheme, ID: w.id("sale"), Grams: all.Grams(), Proceeds: cny(all.Grams()), Net: cny(all.Grams()), Composition: composition, State: harvest.SaleOpen}
	ctx := w.ctx("coop")
	open, chunks, err := settlement.NewSettlement(sale, all, w.id("settle"), ctx.At+30*tape.Day)
	ok(w, open, err)
	opened, entry, err := open.Open(settlement.Opening{Scheme: group.Scheme{Account: scheme, Organisation: "coop", Currency: "CNY"}, Version: version, Sale: sale, Shares: all, Free: sale.Proceeds}, ctx)
	ok(w, opened, err)
	before := w.openCalls()
	settled, err := opened.Settlement.Settle(chunks[0], all.Pages()[0], w.whatIsKnown(all), before, entry)
	if err != nil {
		w.Errorf("%+v are not settled: %v", all, err)
		return err
	}
	w.settles(settled, entry)
	for _, line := range settled.Part.Lines {
		if line.OnBehalfOf == "" {
			w.owesNothing(line, before, opened.Settlement.Terms)
		}
	}
	return nil
}

// whatIsKnown is what the ledger knows of households.
func (w *season) whatIsKnown(of harvest.Shares) []settlement.Known {
	known := make([]settlement.Known, len(of))
	for i, share := range of {
		for _, l := range w.loans {
			if l.Household == share.Household && l.State == loan.Running {
				known[i].Loans = append(known[i].Loans, l.Loan)
			}
			if l.call != nil && l.call.State != recourse.Closed {
				known[i].Calls = append(known[i].Calls, recourse.CallKey(scheme, l.ID, l.call.ID))
			}
		}
	}
	return known
}

func (w *season) openCalls() settlement.Calls {
	var calls settlement.Calls
	for _, l := range w.loans {
		if l.call != nil && l.call.State != recourse.Closed {
			calls = append(calls, *l.call)
		}
	}
	return calls
}

// settles keeps what a settlement has left, as the contract does.
func (w *season) settles(settled settlement.Settled, entry tape.Entry) {
	for _, line := range settled.Part.Lines {
		w.moves(buyer, line.To, line.Amount.Units)
	}
	for _, after := range settled.Loans {
		l := w.one(func(l *tracked) bool { return l.ID == after.ID })
		for _, p := range after.Book.Payments {
			if p.Entry == entry.Reference() {
				l.repaid += p.Amount.Units
			}
		}
		if l.Loan = after; after.State == loan.Closed {
			w.each(after, func(d *loan.Debts, borrower bool) loan.Debts { return d.End(after, borrower, entry) })
		}
	}
	for _, call := range settled.Calls {
		w.called(w.one(func(l *tracked) bool { return l.ID == call.Loan }), call, entry)
	}
}

// owesNothing: dues come before payouts, those to guarantors too. A guarantor may owe
// again while the lender still asks, for it is asked anew then whom it pays of what it
// bears, and where it is guaranteed itself, by what another has repaid in the same entry.
func (w *season) owesNothing(line tape.Payment, before settlement.Calls, t waterfall.Terms) {
	for n := range 2 * members {
		if settlement.Outside(household(n)) != line.To {
			continue
		}
		for _, l := range w.loans {
			if runs(l) && l.Household == household(n) {
				if claim, err := l.Claim(t, 0); len(ok(w, claim, err).Dues) > 0 {
					w.Errorf("%s got %s of a sale, and still owes %+v", l.Household, line.Amount, claim.Dues)
				}
			}
			guaranteed := slices.ContainsFunc(before, func(c recourse.Call) bool { return c.Debtor == household(n) })
			if l.call == nil || l.Household != household(n) && (guaranteed || calledOpen(l)) {
				continue
			}
			if claim := loan.Backed(*l.call, household(n), !calledOpen(l)); len(claim.Dues) > 0 {
				w.Errorf("%s got %s of a sale, and still owes guarantors of %s %+v", household(n), line.Amount, l.ID, claim.Dues)
			}
		}
	}
}

func late(w *season) func(*tracked) bool {
	return func(l *tracked) bool { return runs(l) && w.owed(l).DaysPastDue > 0 }
}

// notices are those of every day of the scheme, which everybody got.
func (w *season) notices(l *tracked) []*loan.Notice {
	told := []tape.AccountID{l.Household}
	for _, g := range l.Guarantors {
		told = append(told, g.Household)
	}
	return []*loan.Notice{{V: 1, Told: told}, {V: 1, Told: told}}
}

func (w *season) fileDefault() error {
	l := w.one(late(w))
	if l == nil {
		return errNothing
	}
	after, _, err := l.Default(loan.Default{Account: scheme, ID: w.id("default"), Loan: l.ID}, schemeTerms(), w.notices(l), w.ctx("bank", "maker", "checker"))
	if err == nil {
		l.Loan = after
	}
	return err
}

func (w *season) calling(l *tracked) loan.Calling {
	f := loan.Calling{Version: schemeTerms(), Group: *w.groups[groupOf(l)], Notices: w.notices(l)}
	f.Scheme.Organisation = "coop"
	for _, g := range l.Guarantors {
		bears := int64(0)
		for _, other := range w.loans {
			if other.Group == l.Group && other.call != nil && other != l {
				bears += loan.Bears(*other.call, g.Household)
			}
		}
		f.Bears = append(f.Bears, bears)
	}
	return f
}

// calls asks all guarantors for everything that is overdue.
func (w *season) calls() error {
	l := w.one(late(w))
	if l == nil || l.call != nil { // one call of each loan: a second is asked of in package recourse
		return errNothing
	}
	debt, t, err := l.Debt(w.calling(l), w.day)
	if err != nil {
		return err
	}
	c := recourse.MakeCall{Account: scheme, Amount: cny(0), ID: w.id("call"), Loan: l.ID}
	for _, due := range debt.Overdue {
		c.Amount.Units, c.Instalments = c.Amount.Units+due.Unpaid, append(c.Instalments, due.N)
	}
	for _, g := range debt.Guarantors {
		c.Guarantors = append(c.Guarantors, g.Household)
	}
	call, _, entry, err := debt.Call(c, t, nil, w.ctx("bank", "maker", "checker"))
	if err != nil {
		return err
	}
	if w.owed(l).DaysPastDue <= schemeTerms().DefaultDays {
		w.Errorf("%s is called %d days past due", l.ID, w.owed(l).DaysPastDue)
	}
	w.called(l, call, entry)
	return nil
}

func (w *season) guarantor(l *tracked) tape.AccountID {
	return l.Guarantors[w.random.IntN(len(l.Guarantors))].Household
}

func (w *season) guarantorPays() error {
	l := w.one(func(l *tracked) bool { return runs(l) && calledOpen(l) })
	if l == nil {
		return errNothing
	}
	g := w.guarantor(l)
	asked, _ := l.call.Owes(g)
	units := asked
	if w.chance(3) {
		units = 1 + w.random.Int64N(asked+2)
	}
	if err := w.pays(l, g, units, w.day, loan.UntilDue); err != nil {
		return err
	}
	if units > asked {
		w.Errorf("%s was asked for %d and paid %d", g, asked, units)
	}
	return nil
}

func (w *season) respread() error {
	l := w.one(calledOpen)
	if l == nil {
		return errNothing
	}
	call, entry, err := l.call.Respread(recourse.Respread{Account: scheme, Call: l.call.ID, Guarantor: w.guarantor(l), ID: w.id("late"), Loan: l.ID}, w.ctx("bank", "maker"))
	if err == nil {
		w.called(l, call, entry)
	}
	return err
}

func (w *season) release() error {
	l := w.one(calledOpen)
	if l == nil {
		return errNothing
	}
	debt, _, err := l.Debt(w.calling(l), w.day)
	if err != nil {
		return err
	}
	call, entry, err := l.call.Release(recourse.Release{Account: scheme, Call: l.call.ID, Guarantor: w.guarantor(l), ID: w.id("release"), Loan: l.ID}, debt, w.ctx("bank", "maker", "checker"))
	if err == nil {
		w.called(l, call, entry)
	}
	return err
}

// unable is a guarantor's death, or that it turned out otherwise.
func (w *season) unable() error {
	l := w.one(func(l *tracked) bool { return l.call != nil && l.call.State != recourse.Closed })
	if l == nil {
		return errNothing
	}
	c := recourse.DeclareUnable{Account: scheme, Call: l.call.ID, Evidence: []recourse.Citation{{Hash: merkle.Hash{1}, Kind: "death"}}, Guarantor: w.guarantor(l), ID: w.id("unable"), Lift: w.chance(4), Loan: l.ID}
	ctx := w.ctx("coop", "clerk", "maker")
	ctx.Approvals[1].Organisation = "bank"
	call, entry, err := l.call.Declare(c, ctx)
	if err == nil {
		w.called(l, call, entry)
	}
	return err
}

func (w *season) withdrawCall() error {
	l := w.one(calledOpen)
	if l == nil {
		return errNothing
	}
	call, entry, err := l.call.Withdraw(recourse.WithdrawCall{Account: scheme, Call: l.call.ID, ID: w.id("withdraw"), Loan: l.ID}, w.ctx("bank", "maker", "checker"))
	if err == nil {
		w.called(l, call, entry)
	}
	return err
}

// reimburse is the debtor's money for those who paid for it, once the lender is whole.
func (w *season) reimburse() error {
	l := w.one(borne)
	if l == nil || calledOpen(l) {
		return errNothing
	}
	before, units := l.call.Borne(), 1+w.random.Int64N(l.call.Borne()+1)
	call, parts, err := l.call.Return(units)
	if err != nil {
		return err
	}
	if call.Borne() != before-units {
		w.Errorf("guarantors bore %d, got %d back and bear %d", before, units, call.Borne())
	}
	for _, part := range parts {
		w.moves(l.Household, part.Household, part.Units)
	}
	w.called(l, call, w.ctx("coop").Entry(w.id("back"), "reimburse-call", string(scheme)))
	return nil
}

// contribute is what one guarantor gives another whose part it was too.
func (w *season) contribute() error {
	l := w.one(borne)
	if l == nil {
		return errNothing
	}
	for _, s := range l.call.Stands() {
		for _, owed := range s.Owed {
			if w.chance(2) {
				continue
			}
			units := 1 + w.random.Int64N(owed.Units+1)
			call, err := l.call.Give(owed.Household, recourse.Part{Household: s.Household, Units: units})
			if err != nil {
				return err
			}
			w.moves(owed.Household, s.Household, units)
			w.called(l, call, w.ctx("coop").Entry(w.id("give"), "contribute-call", string(scheme)))
			return nil
		}
	}
	return errNothing
}

func (w *season) restructure() error {
	l := w.one(runs)
	if l == nil {
		return errNothing
	}
	var persons []string
	for i := groupOf(l) * members; i < (groupOf(l)+1)*members; i++ {
		persons = append(persons, fmt.Sprint("h", i))
	}
	owed := w.owed(l)
	after, _, err := l.Restructure(loan.Restructure{Account: scheme, ID: w.id("change"), Loan: l.ID, TermEnd: w.day.AddMonths(14), Terms: w.kind()}, w.groups[groupOf(l)].Agreement.Expiry, l.call, nil, w.ctx("bank", append(persons, "maker", "checker")...))
	if err != nil {
		return err
	}
	l.Loan = after
	if now := w.owed(l); now.Payoff() != owed.Payoff() {
		w.Errorf("%s owed %d before its terms were changed, and %d then", l.ID, owed.Payoff(), now.Payoff())
	}
	return nil
}

// writeOff is in the lender's books alone: nothing of the debt goes.
func (w *season) writeOff() error {
	l := w.one(late(w))
	if l == nil {
		return errNothing
	}
	owed := w.owed(l)
	after, _, err := l.WriteOff(loan.WriteOff{Account: scheme, ID: w.id("off"), Loan: l.ID}, w.ctx("bank", "maker", "checker"))
	if err != nil {
		return err
	}
	l.Loan = after
	if now := w.owed(l); now.Payoff() != owed.Payoff() {
		w.Errorf("%s owed %d before it was written off, and %d then", l.ID, owed.Payoff(), now.Payoff())
	}
	return nil
}

func (w *season) addCosts() error {
	l := w.one(late(w))
	if l == nil {
		return errNothing
	}
	after, _, err := l.AddCosts(loan.AddCosts{Account: scheme, Amount: cny(1 + w.random.Int64N(5_000)), Evidence: party.Hash{1}, ID: w.id("costs"), Loan: l.ID}, w.ctx("bank", "maker", "checker"))
	if err == nil {
		l.Loan = after
	}
	return err
}

// audit asks what must hold after every step, whatever it was (rules/lending, sections 4.2 to 4.6).
func (w *season) audit() {
	w.Helper()
	total, out, open := int64(0), int64(0), map[tape.ID]int64{}
	for _, purse := range w.purses {
		total += purse
	}
	bears := map[tape.AccountID]int64{}
	for _, l := range w.loans {
		out += l.lent - l.repaid
		if l.State == loan.Running {
			open[l.Group] += w.principal(l)
		}
		if l.call != nil {
			if l.changed || l.call.State != recourse.Closed { // what is over was asked when it ended
				w.auditCall(l)
			}
			l.changed = false
			for _, g := range l.Guarantors {
				bears[g.Household] += loan.Bears(*l.call, g.Household)
			}
		}
	}
	if total != 0 {
		w.Errorf("%d units were made or lost", total)
	}
	if w.purses[lending] != -out {
		w.Errorf("the lender has %d, and its loans say %d", w.purses[lending], -out)
	}
	for k, g := range w.groups {
		if open[g.ID] > g.Agreement.GroupMax.Units {
			w.Errorf("group %s owes %d of at most %s", g.ID, open[g.ID], g.Agreement.GroupMax)
		}
		for i := k * members; i < (k+1)*members; i++ {
			if bears[household(i)] > g.Agreement.MemberMax.Units {
				w.Errorf("household %d bears and is asked for %d, and guaranteed %s", i, bears[household(i)], g.Agreement.MemberMax)
			}
		}
	}
}

// principal is what is owed of a loan, which its payments say as well.
func (w *season) principal(l *tracked) int64 {
	owed, paid := w.owed(l), int64(0)
	for _, p := range l.Book.Payments {
		if p.Date <= w.day {
			paid += p.Amount.Units
		}
	}
	if said := owed.Paid; said.Costs+said.Late+said.Interest+said.Principal+said.Over != paid || owed.Principal < 0 {
		w.Errorf("%s says that %d paid %+v, and owes %d", l.ID, paid, said, owed.Principal)
	}
	return owed.Principal
}

// auditCall compares a call with the debt and with what its guarantors have paid.
func (w *season) auditCall(l *tracked) {
	for _, invariant := range recourse.Invariants() {
		if err := invariant.Broken(*l.call); err != nil {
			w.Errorf("%s: %v", invariant.Name, err)
		}
	}
	paid := map[tape.AccountID]int64{}
	for _, p := range l.Book.Payments {
		if p.By != "" {
			paid[tape.AccountID(p.By)] += p.Amount.Units
		}
	}
	for _, g := range l.call.Guarantors {
		if g.Paid != paid[g.Household] && len(l.Restructured) == 0 {
			w.Errorf("%s paid %d by the call and %d by the loan", g.Household, g.Paid, paid[g.Household])
		}
	}
	if owed := w.owed(l); l.call.Open() > owed.Payoff() {
		w.Errorf("guarantors of %s are asked for %d, and %d is owed (Interpretation art. 3)", l.ID, l.call.Open(), owed.Payoff())
	}
}
