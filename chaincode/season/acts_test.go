package season_test

import (
	"fmt"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

const buyer = tape.AccountID("outside:buyer:roaster")

// owing is one debt of a household as a sale pays it.
type owing struct {
	of    *tracked
	claim loan.Claim
	// backs says that guarantors are owed, not the lender.
	backs bool
}

// owings are what a household owes to lenders, then to guarantors.
func (w *season) owings(n int, t waterfall.Terms) []owing {
	var all []owing
	for _, l := range w.loans {
		if l.Household == household(n) && l.State == loan.Running {
			claim, err := l.Claim(t, 0)
			all = append(all, owing{l, ok(w, claim, err), false})
		}
	}
	for _, l := range w.loans {
		if l.call != nil {
			all = append(all, owing{l, loan.Backed(*l.call, household(n), l.call.State != recourse.Open), true})
		}
	}
	return all
}

// sale gives one household its share of a sale's net: first what it owes, then itself.
func (w *season) sale() error {
	n := w.random.IntN(2 * members)
	t := waterfall.Terms{Day: w.day, LivingFloor: cny(0), WindowDays: w.random.Int32N(31)}
	position := waterfall.Position{Household: household(n), Share: cny(w.random.Int64N(500_000))}
	all := w.owings(n, t)
	for _, o := range all {
		if len(o.claim.Dues) > 0 {
			position.Debts, position.Dues = append(position.Debts, o.claim.Debt), append(position.Dues, o.claim.Dues...)
		}
	}
	asked := map[*tracked]bool{}
	for _, l := range w.loans {
		asked[l] = calledOpen(l)
	}
	outcome, err := t.Apply(position)
	if err != nil {
		return err
	}
	w.moves(buyer, household(n), position.Share.Units)
	for _, o := range all {
		if err := w.sold(n, o, outcome.Lines); err != nil {
			w.Errorf("a sale pays %+v of %+v: %v", outcome.Lines, o.claim.Dues, err)
			return err
		}
	}
	if outcome.Rest.Units == 0 {
		return nil
	}
	// Dues before payouts. Where this sale has made the lender whole, the next one pays its guarantors.
	for _, o := range w.owings(n, t) {
		if len(o.claim.Dues) > 0 && !(o.backs && asked[o.of]) {
			w.Errorf("%s got %s of a sale, and still owes %+v", household(n), outcome.Rest, o.claim.Dues)
		}
	}
	return nil
}

// sold books what a sale pays of one debt.
func (w *season) sold(n int, o owing, lines []waterfall.Line) error {
	if o.backs {
		var own []waterfall.Line
		for _, line := range lines {
			if line.Debt == o.claim.Debt.Reference && len(o.claim.Dues) > 0 {
				own = append(own, line)
				w.moves(household(n), line.Creditor, line.Amount.Units)
			}
		}
		if len(own) == 0 {
			return nil
		}
		call, err := loan.Repaid(*o.of.call, household(n), own)
		if err == nil {
			w.called(o.of, call, w.ctx("coop").Entry(w.id("sold"), "settle-households", string(scheme)))
		}
		return err
	}
	for i, due := range o.claim.Dues {
		units := int64(0)
		for _, line := range lines {
			if line.Debt == due.Debt && line.Rank == due.Rank && line.Date == due.Date {
				units += line.Amount.Units
			}
		}
		if units == 0 {
			continue
		}
		if err := w.pays(o.of, household(n), units, o.claim.PayOn[i], loan.UntilPayoff); err != nil {
			return err
		}
	}
	return nil
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
	if l == nil {
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
