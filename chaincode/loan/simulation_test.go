package loan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// The simulation lets seasons pass over loans of all kinds: tranches that arrive or
// come back, before they are booked and after, payments in time, late, ahead of their day, known only later, too
// much, taken back by the bank, a supplier's refund; changes of terms, defaults, costs, write-offs. A second book beside the
// rules walks through each loan day by day. After each step both must agree.
// LIANBAO_SEED repeats a run; LIANBAO_STEPS makes it longer.

const (
	stepsInAll  = 2_000
	stepsForAll = 30_000 // by then everything was accepted once
	stepsAWorld = 500
	loansAtOnce = 4
)

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll)
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused := map[string]int{}, map[string]int{}
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := newSeason(t, seed+n)
		for i := range stepsAWorld {
			name, err := w.step()
			if err != nil {
				refused[name]++
			} else {
				done[name]++
			}
			if t.Failed() {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v", seed+n, stepsAWorld, i, name, err)
			}
		}
	}
	for _, a := range acts {
		if done[a.name] == 0 && steps >= stepsForAll {
			t.Errorf("%s was never accepted in %d steps", a.name, steps)
		}
	}
	t.Logf("%d steps; accepted %v; refused %v", steps, done, refused)
}

// season is a world of loans.
type season struct {
	*testing.T
	random *rand.Rand
	day    tape.Date
	serial int
	loans  []*tracked
	// touched is the loan of this step.
	touched *tracked
}

// tracked is a loan and what was done with it.
type tracked struct {
	loan.Loan
	// holds are the payouts of each tranche.
	holds [][]*tape.Hold
	// brought is all that was ever paid, told what the rules said that it paid.
	brought int64
	told    loan.Paid
	// marks are what each payment has repaid, for the bank to take back.
	marks []loan.Repayment
	// bad ones are paid seldom.
	bad bool
	// history is what may never shrink.
	history loan.Loan
}

// kinds are terms of every method.
func kinds() []terms.Terms {
	base := terms.Terms{RatePartsPerMillion: 72_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Every: terms.Interval{Months: 1}, LateRatePartsPerMillion: 36_000, LateOn: terms.LateOnPrincipal}
	with := func(change func(*terms.Terms)) terms.Terms {
		t := base
		change(&t)
		return t
	}
	return []terms.Terms{
		with(func(t *terms.Terms) { t.Method, t.Instalments = terms.Annuity, 6 }),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.Every, t.Difference, t.DayCount = terms.Annuity, 12, terms.Interval{Weeks: 2}, terms.Level, terms.Act360
		}),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.LateOn = terms.EqualPrincipal, 5, terms.LateOnInstalment
		}),
		with(func(t *terms.Terms) { t.Method, t.Instalments = terms.Flat, 6 }),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.LateRatePartsPerMillion, t.LateOn = terms.Bullet, 3, 0, ""
		}),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.CropPrincipalPartsPerMillion = terms.Crop, 4, []int32{0, 333_333, 0, 666_667}
		}),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.CropPrincipalPartsPerMillion, t.CropInterestPartsPerMillion = terms.Crop, 3, []int32{100_000, 400_000, 500_000}, []int32{0, 500_000, 500_000}
		}),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.Every, t.SaleDays = terms.AfterSale, 1, terms.Interval{Months: 5}, 10
		}),
		with(func(t *terms.Terms) { t.Method, t.Instalments, t.Revolving = terms.Bullet, 10, true }),
		with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.Revolving, t.DayCount, t.Every = terms.Bullet, 5, true, terms.Act360, terms.Interval{Weeks: 6}
		}),
	}
}

func newSeason(t *testing.T, seed uint64) *season {
	w := &season{T: t, random: rand.New(rand.NewPCG(seed, 5)), day: today}
	for range loansAtOnce {
		w.loans = append(w.loans, w.contracted())
	}
	return w
}

func (w *season) chance(of int) bool { return w.random.IntN(of) == 0 }

func (w *season) id(kind string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", kind, w.serial))
}

func (w *season) ctx(organisation string, persons ...string) tape.Context {
	return on(w.day, organisation, persons...)
}

// contracted is a new loan that its household has signed today.
func (w *season) contracted() *tracked {
	f, c := frame(), apply()
	list := kinds()
	p := f.Product
	p.Conditions.Terms = list[w.random.IntN(len(list))]
	if w.chance(2) {
		p.Conditions.Lenders = shared().Lenders
	}
	if p.Conditions.TranchesMax = 1 + w.random.Int32N(3); p.Conditions.Terms.Method == terms.Flat || len(p.Conditions.Terms.CropInterestPartsPerMillion) > 0 {
		p.Conditions.TranchesMax = 1
	}
	if p.Conditions.Terms.Revolving {
		p.Conditions.TranchesMax = loan.DrawsMax
	}
	f.Group.Agreement.Expiry = w.day.AddMonths(30)
	c.ID, c.Amount, c.Terms = w.id("l"), cny(100_000+w.random.Int64N(2_000_000)), p.Conditions.Terms
	l, _, err := c.Apply(f, w.ctx("coop", "h1", "h2", "h3", "h4"))
	if err != nil {
		w.Fatal(err)
	}
	advances := []terms.Advance{{Amount: c.Amount, Date: w.day}}
	hash := must2(must2(l.Quote(advances))(w.T).Hash())(w.T)
	l, _, err = l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: advances, ID: w.id("contract"), Loan: l.ID, Quote: hash}, 30, f, w.ctx("coop", "h1"))
	return &tracked{Loan: must(w.T, l, err), bad: w.chance(3), history: l}
}

var acts = []struct {
	name   string
	weight int
	do     func(*season, *tracked) error
}{
	{"disburse", 8, (*season).disburse}, {"draw", 10, (*season).draw}, {"book", 10, (*season).book}, {"pay what is due", 14, (*season).payDue}, {"pay something", 8, (*season).paySome}, {"pay what came late", 6, (*season).payLate},
	{"pay all", 3, (*season).payAll}, {"pay too much", 1, (*season).payMore}, {"settle a sale", 8, (*season).settle}, {"default", 8, (*season).fileDefault}, {"add costs", 4, (*season).addCosts},
	{"restructure", 2, (*season).change}, {"return a tranche", 3, (*season).comesBack}, {"take back", 3, (*season).takeBack}, {"return a part", 2, (*season).returnPart}, {"refund", 3, (*season).refund}, {"choose", 3, (*season).choose}, {"write off", 4, (*season).writeOff}, {"withdraw", 2, (*season).withdraw},
}

// errNothing is why a step does nothing: there is nothing to do it with.
var errNothing = rule.Refuse(rule.NotFound, "nothing to do")

func (w *season) step() (string, error) {
	if w.chance(3) {
		w.day = w.day.AddDays(w.random.IntN(12))
	}
	i := w.random.IntN(len(w.loans))
	if l := w.loans[i]; l.State == loan.Closed && !w.chance(4) || l.State == loan.Withdrawn || l.State == loan.Contracted && w.day > l.Contract.Date.AddDays(40) || w.day > l.TermEnd.AddMonths(9) {
		w.loans[i] = w.contracted()
	}
	w.touched = w.loans[i]
	if w.touched.State == loan.Contracted && !w.chance(8) { // mostly the money is on its way soon
		return w.begin(w.touched)
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	pick := w.random.IntN(total)
	for _, a := range acts {
		if pick -= a.weight; pick < 0 {
			err := a.do(w, w.touched)
			w.audit()
			return a.name, err
		}
	}
	panic("unreachable")
}

// begin orders a tranche, or lets the bank pay it.
func (w *season) begin(l *tracked) (string, error) {
	name, do := "disburse", (*season).disburse
	if l.Terms.Revolving && l.waits() < 0 {
		name, do = "draw", (*season).draw
	}
	if n := l.waits(); n >= 0 && !slices.Contains(l.Tranches[n].Holds, "") {
		name, do = "book", (*season).book
	}
	err := do(w, l)
	w.audit()
	return name, err
}

// waits is which tranche is on its way, -1 for none.
func (l *tracked) waits() int {
	return slices.IndexFunc(l.Tranches, func(t loan.Tranche) bool { return t.Paid == "" && !t.Cancelled })
}

// twice judges a command twice: both must be the same to the byte.
func (w *season) twice(judge func() (loan.Loan, tape.Entry, error)) (loan.Loan, error) {
	before := spelled(w.touched.Loan)
	one, entry, err := judge()
	other, entry2, err2 := judge()
	if fmt.Sprint(err) != fmt.Sprint(err2) {
		w.Errorf("once %v, then %v", err, err2)
	}
	if after := spelled(w.touched.Loan); after != before {
		w.Errorf("the rule changed what it was given:\n%s\n%s", before, after)
	}
	if err != nil {
		return w.touched.Loan, err
	}
	a, b := must2(canonical.Encode([]any{one, entry}))(w.T), must2(canonical.Encode([]any{other, entry2}))(w.T)
	if string(a) != string(b) {
		w.Errorf("once %s, then %s", a, b)
	}
	return one, nil
}

// disburse orders a tranche by its next lender.
func (w *season) disburse(l *tracked) error {
	d := disbursing()
	c := loan.Disburse{Account: coffee, Expires: noon + tape.Instant(today.DaysUntil(w.day)+3)*tape.Day, ID: w.id("out"), Loan: l.ID, To: cash(1), Tranche: int32(len(l.Tranches))}
	lender := -1
	if n := l.waits(); n >= 0 {
		open := l.Tranches[n]
		if lender = slices.Index(open.Holds, ""); lender >= 0 {
			c.Amount, c.Tranche = open.Amount, int32(n+1)
		}
	}
	if lender < 0 {
		left := l.Principal.Units
		for _, t := range l.Tranches {
			if !t.Cancelled {
				left -= t.Amount.Units
			}
		}
		if lender = 0; w.chance(2) {
			left = w.random.Int64N(max(0, left) + 1) // of a line more was drawn by and by
		}
		c.Amount, c.Tranche = cny(left), c.Tranche+1
	}
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		after, _, entry, err := l.Disburse(c, d, w.ctx(l.Lenders[lender].Organisation, "maker", "checker"))
		return after, entry, err
	})
	if err != nil {
		return err
	}
	l.Loan = after
	if len(l.holds) < len(l.Tranches) {
		l.holds = append(l.holds, make([]*tape.Hold, len(l.Lenders)))
	}
	l.holds[c.Tranche-1][lender] = &tape.Hold{ID: c.ID, State: tape.HoldOpen}
	return nil
}

// draw lets the household draw on a line, or take back what it drew.
func (w *season) draw(l *tracked) error {
	if !l.Terms.Revolving {
		return errNothing
	}
	before, n := must2(l.Available(w.day))(w.T), l.waits()
	c := loan.DrawLoan{Account: coffee, Amount: cny(1 + w.random.Int64N(before.Units+l.Principal.Units/10)), ID: w.id("draw"), Loan: l.ID, Tranche: int32(len(l.Tranches) + 1)}
	if n >= 0 && w.chance(4) {
		c.Amount, c.Cancel, c.Tranche = l.Tranches[n].Amount, true, int32(n+1)
	}
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) { return l.Draw(c, disbursing(), w.ctx("coop", "h1")) })
	if err != nil {
		return err
	}
	l.Loan = after
	if c.Cancel {
		return nil
	}
	l.holds = append(l.holds, make([]*tape.Hold, len(l.Lenders)))
	if now := must2(l.Available(w.day))(w.T); now.Units != before.Units-c.Amount.Units || now.Units < 0 {
		w.Errorf("%s could be drawn, %s were, and %s can be", before, c.Amount, now)
	}
	return nil
}

// book lets the bank pay the payouts of a tranche, or not, and books it.
func (w *season) book(l *tracked) error {
	n := l.waits() + 1
	if n == 0 {
		return errNothing
	}
	for i, hold := range l.holds[n-1] {
		if hold == nil || hold.State != tape.HoldOpen {
			continue
		}
		switch {
		case w.chance(8):
			l.holds[n-1][i] = reclaimed(hold.ID)
		case !w.chance(4):
			l.holds[n-1][i] = paid(hold.ID, 1, w.day.AddDays(-w.random.IntN(3)))
		}
	}
	return w.noted(l, n)
}

// noted books what the bank has done of a tranche.
func (w *season) noted(l *tracked, n int) error {
	before, brought := w.paid(l), int64(0)
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		return l.BookTranche(loan.BookTranche{Account: coffee, ID: tape.ID(fmt.Sprint("book-", w.serial)), Loan: l.ID, Tranche: int32(n)}, l.holds[n-1], w.ctx("coop"))
	})
	if err != nil {
		return err
	}
	if len(after.Book.Payments) > len(l.Book.Payments) { // it had no schedule without the tranche
		brought = l.Tranches[n-1].Amount.Units
	}
	l.Loan = after
	w.undone(l, before, brought)
	for i, id := range after.Tranches[n-1].Holds {
		if id == "" {
			l.holds[n-1][i] = nil
		}
	}
	return nil
}

// paid is what all payments have paid under the terms in force, those that are dated ahead on their days.
func (w *season) paid(l *tracked) loan.Paid {
	return must2(l.Owed(w.latest(l.Loan)))(w.T).Paid
}

// latest is the day by which all payments count.
func (w *season) latest(l loan.Loan) tape.Date {
	day := w.day
	for _, p := range l.Book.Payments {
		day = max(day, p.Date)
	}
	return day
}

// undone notes what payments pay now that something was booked or undone.
func (w *season) undone(l *tracked, before loan.Paid, brought int64) {
	now := w.paid(l)
	l.brought += brought
	l.told = loan.Paid{Costs: l.told.Costs + now.Costs - before.Costs, Late: l.told.Late + now.Late - before.Late, Interest: l.told.Interest + now.Interest - before.Interest,
		Principal: l.told.Principal + now.Principal - before.Principal, Over: l.told.Over + now.Over - before.Over}
}

// comesBack lets the bank return payouts of a tranche that was booked.
func (w *season) comesBack(l *tracked) error {
	if len(l.Tranches) == 0 {
		return errNothing
	}
	n := w.random.IntN(len(l.Tranches))
	if l.Tranches[n].Paid == "" {
		return errNothing
	}
	whole, some := w.chance(2), w.random.IntN(len(l.Lenders))
	for i, hold := range l.holds[n] {
		if whole || i == some {
			l.holds[n][i] = returned(hold.ID, 1, 1)
		}
	}
	advanced, principal := l.Book.Advances, l.Tranches[n].Amount.Units
	if err := w.noted(l, n+1); err != nil {
		return err
	}
	if l.Tranches[n].Paid != "" || l.Tranches[n].Cancelled != !slices.ContainsFunc(l.holds[n], func(h *tape.Hold) bool { return h != nil && len(h.Returned) == 0 }) {
		w.Errorf("after it came back: %+v", l.Tranches[n])
	}
	if len(l.Book.Advances) == len(advanced) && !slices.ContainsFunc(l.Book.Payments, func(p loan.Payment) bool { return p.Principal && p.Amount.Units == principal }) {
		w.Errorf("a tranche of %d came back, and is advanced still", principal)
	}
	return nil
}

// takeBack lets the bank take a payment back.
func (w *season) takeBack(l *tracked) error {
	if len(l.marks) == 0 {
		return errNothing
	}
	i, before := w.random.IntN(len(l.marks)), w.paid(l)
	f := loan.TakingBack{Repaid: &l.marks[i], Reversal: &tape.Reversal{V: 1, Kind: "chargeback"}}
	var mark loan.Repayment
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		taken, entry, err := l.TakeBack(loan.TakeBack{Account: coffee, ID: "back-1", Loan: l.ID}, f, w.ctx("coop"))
		mark = taken.Repaid
		return taken.Loan, entry, err
	})
	if err != nil {
		return err
	}
	was, lacked := l.Loan, int64(0)
	l.Loan, l.marks[i] = after, mark
	for _, one := range l.Lacking[len(was.Lacking):] {
		lacked += one.Units
	}
	if parts := mark.Amount.Units * 300_000 / 1_000_000; len(l.Lenders) == 2 && (lacked < mark.Amount.Units-parts-1 || lacked > mark.Amount.Units-parts) {
		w.Errorf("of %s that the bank took back the other lender returns %d", mark.Amount, lacked)
	}
	brought := -mark.Amount.Units
	if len(after.Book.Payments) == len(was.Book.Payments) { // it was made under other terms
		brought = 0
	}
	w.undone(l, before, brought)
	return nil
}

// returnPart lets the other lender return its part of what the bank took back.
func (w *season) returnPart(l *tracked) error {
	lacks := l.Lacks("union")
	var payment tape.Payment
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		after, paid, entry, err := l.Return(loan.ReturnPart{Account: coffee, ID: "part-1", Loan: l.ID}, w.ctx("union", "maker", "checker"))
		payment = paid
		return after, entry, err
	})
	if err != nil {
		return err
	}
	if l.Loan = after; payment.Amount.Units != lacks || payment.To != lending || l.Lacks("union") != 0 {
		w.Errorf("it lacked %d and returns %+v; then %+v", lacks, payment, l.Lacking)
	}
	return nil
}

// pay puts a payment into the book.
func (w *season) pay(l *tracked, units int64, date tape.Date, most loan.Mostly) error {
	return w.pays(l, loan.Pays{Amount: cny(units), Date: date, Mostly: most, AheadDays: 40})
}

// choose lets the household have paid back what is over, or keep it for another loan.
func (w *season) choose(l *tracked) error {
	c, other := loan.ChooseOverpayment{Account: coffee, ID: "choice-1", Loan: l.ID}, w.loans[w.random.IntN(len(w.loans))]
	var kept *loan.Loan
	if other != l && w.chance(2) {
		c.For, kept = other.ID, &other.Loan
	}
	before := must2(l.Owed(w.day))(w.T)
	var next *loan.Loan
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		after, then, entry, err := l.ChooseOverpayment(c, kept, w.ctx("coop", "h1"))
		next = then
		return after, entry, err
	})
	if err != nil {
		return err
	}
	l.Loan = after
	given := l.Book.Given[len(l.Book.Given)-1].Amount.Units
	if now := must2(l.Owed(w.day))(w.T); before.Ahead == 0 && now.Over != before.Over-given {
		w.Errorf("%d were over, %d were given, %d are over", before.Over, given, now.Over)
	}
	if next != nil {
		then := other.Loan
		other.Loan = *next
		w.undone(other, must2(then.Owed(w.latest(then)))(w.T).Paid, given)
	}
	return nil
}

// refund lets a supplier pay back of what the loan bought: principal falls by it, and nothing else while any is owed.
func (w *season) refund(l *tracked) error {
	before, units := w.owed(l), 1+w.random.Int64N(400_000)
	if err := w.pays(l, loan.Pays{Amount: cny(units), Date: w.day, By: string(shop), Principal: true, Mostly: loan.Anything}); err != nil {
		return err
	}
	if after := must2(l.Owed(max(w.day, l.Book.Advances[len(l.Book.Advances)-1].Date)))(w.T); before.Ahead == 0 && after.Principal != max(0, before.Principal-units) && len(l.Book.Advances) == 1 {
		w.Errorf("a refund of %d made %+v of %+v", units, after, before)
	}
	return nil
}

func (w *season) pays(l *tracked, p loan.Pays) error {
	units, date, most := p.Amount.Units, p.Date, p.Mostly
	if l.State == loan.Running && units == 0 || l.bad && !w.chance(6) && most != loan.UntilPayoff {
		return errNothing
	}
	entry := w.ctx("bank").Entry(w.id("pay"), "repay", string(coffee))
	var said loan.Paid
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		after, paid, err := l.Pay(p, entry)
		said = paid
		return after, entry, err
	})
	if err != nil {
		return err
	}
	if said.Costs+said.Late+said.Interest+said.Principal+said.Over != units {
		w.Errorf("a payment of %d paid %+v", units, said)
	}
	l.Loan, l.brought = after, l.brought+units
	l.marks = append(l.marks, loan.Repayment{V: 1, Loan: l.Reference(), Amount: cny(units), Date: date, Entry: entry.Reference()})
	l.told = loan.Paid{Costs: l.told.Costs + said.Costs, Late: l.told.Late + said.Late, Interest: l.told.Interest + said.Interest, Principal: l.told.Principal + said.Principal, Over: l.told.Over + said.Over}
	return nil
}

func (w *season) owed(l *tracked) loan.Owed { return must2(l.Owed(w.day))(w.T) }

func (w *season) payDue(l *tracked) error {
	owed := w.owed(l)
	return w.pay(l, min(owed.Due(), owed.Payoff()), w.day, loan.UntilDue)
}

func (w *season) paySome(l *tracked) error {
	if payoff := w.owed(l).Payoff(); payoff > 0 && !l.bad {
		return w.pay(l, min(payoff, 1+w.random.Int64N(150_000)), w.day, loan.UntilPayoff)
	}
	return errNothing
}

// payLate is a line of the bank of days ago, sometimes of before the last change of terms.
func (w *season) payLate(l *tracked) error {
	return w.pay(l, 1+w.random.Int64N(150_000), w.day.AddDays(-w.random.IntN(25)), loan.Anything)
}

func (w *season) payAll(l *tracked) error {
	if l.bad && !w.chance(8) {
		return errNothing
	}
	err := w.pay(l, w.owed(l).Payoff(), w.day, loan.UntilPayoff)
	if waits := slices.ContainsFunc(l.Tranches, func(t loan.Tranche) bool { return t.Paid == "" && !t.Cancelled }); err == nil && l.State != loan.Closed && !waits && !l.Revolves(w.day) {
		w.Errorf("paid off it is %s", l.State)
	}
	return err
}

func (w *season) payMore(l *tracked) error {
	return w.pay(l, w.owed(l).Payoff()+1+w.random.Int64N(500), w.day, loan.Anything)
}

// settle pays the loan from a sale's share, which may not reach.
func (w *season) settle(l *tracked) error {
	if l.bad && !w.chance(4) {
		return errNothing
	}
	t := waterfall.Terms{Day: w.day, LivingFloor: cny(0), WindowDays: w.random.Int32N(40)}
	prepayment := int64(0)
	if w.chance(4) {
		prepayment = w.random.Int64N(300_000)
	}
	claim := must2(l.Claim(t, prepayment))(w.T)
	if len(claim.Dues) == 0 {
		return errNothing
	}
	share := int64(10_000_000)
	if w.chance(2) {
		share = w.random.Int64N(200_000)
	}
	outcome := must2(t.Apply(waterfall.Position{Household: household(1), Share: cny(share), Debts: []waterfall.Debt{claim.Debt}, Dues: claim.Dues}))(w.T)
	for i, due := range claim.Dues {
		units := int64(0)
		for _, line := range outcome.Lines {
			if line.Rank == due.Rank && line.Date == due.Date {
				units += line.Amount.Units
			}
		}
		if units == 0 {
			continue
		}
		if on := claim.PayOn[i]; on > w.day && units == due.Amount.Units && must2(l.Owed(on))(w.T).Due() != units {
			w.Errorf("a sale pays %s on %s; then %+v is owed", cny(units), on, must2(l.Owed(on))(w.T))
		}
		if err := w.pay(l, units, claim.PayOn[i], loan.UntilPayoff); err != nil {
			w.Errorf("a sale pays %s of %+v on %s: %v", cny(units), due, claim.PayOn[i], err)
			return err
		}
	}
	if share < 10_000_000 || l.State == loan.Closed {
		return nil
	}
	if again := must2(l.Claim(t, 0))(w.T); len(again.Dues) > 0 {
		w.Errorf("a sale paid %+v, and would pay %+v once more", claim.Dues, again.Dues)
	}
	return nil
}

func (w *season) fileDefault(l *tracked) error {
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		return l.Default(loan.Default{Account: coffee, ID: "default-1", Loan: l.ID}, version(), []*loan.Notice{{V: 1}, {V: 1}}, w.ctx("bank", "maker", "checker"))
	})
	l.Loan = after
	return err
}

func (w *season) addCosts(l *tracked) error {
	c := loan.AddCosts{Account: coffee, Amount: cny(1 + w.random.Int64N(5_000)), Evidence: party.Hash{1}, ID: "costs-1", Loan: l.ID}
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) { return l.AddCosts(c, w.ctx("bank", "maker", "checker")) })
	l.Loan = after
	return err
}

func (w *season) change(l *tracked) error {
	list := kinds()
	c := loan.Restructure{Account: coffee, ID: "restructure-1", Loan: l.ID, TermEnd: w.day.AddMonths(14), Terms: list[w.random.IntN(len(list))]}
	owed := w.owed(l)
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		return l.Restructure(c, w.day.AddMonths(14), nil, nil, w.ctx("bank", everybody...))
	})
	if l.Loan = after; err != nil {
		return err
	}
	if now := w.owed(l); now.Payoff() != owed.Payoff() || now.Principal != owed.Principal {
		w.Errorf("before its terms were changed it owed %+v, then %+v", owed, now)
	}
	return nil
}

func (w *season) writeOff(l *tracked) error {
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		return l.WriteOff(loan.WriteOff{Account: coffee, ID: "write-off-1", Loan: l.ID}, w.ctx("bank", "maker", "checker"))
	})
	l.Loan = after
	return err
}

func (w *season) withdraw(l *tracked) error {
	after, err := w.twice(func() (loan.Loan, tape.Entry, error) {
		return l.Withdraw(loan.WithdrawLoan{Account: coffee, ID: "withdraw-1", Loan: l.ID}, w.ctx("coop", "h1"))
	})
	l.Loan = after
	return err
}

// invariants hold for every loan after every step.
var invariants = []struct {
	name  string
	holds func(w *season, l *tracked, owed loan.Owed, book second) error
}{
	{"what the rules say stands is what the second book says", func(_ *season, _ *tracked, o loan.Owed, b second) error {
		var dues []terms.Due
		for _, charges := range []bool{true, false} {
			for _, due := range b.dues {
				if due.total() > 0 && charges == (due.n == 0) {
					dues = append(dues, terms.Due{Costs: due.costs, Due: due.day, Interest: due.interest, Late: due.late, N: due.n, Principal: due.principal})
				}
			}
		}
		if o.Principal != b.principal || o.Accrued != b.accrued || !slices.Equal(o.Dues, dues) || o.Paid != b.paid || o.Over != b.over {
			return fmt.Errorf("%+v, not %+v %+v", o, b, dues)
		}
		return nil
	}},
	{"every unit that came is in one place", func(_ *season, l *tracked, o loan.Owed, _ second) error {
		came := int64(0)
		for _, p := range l.Book.Payments {
			came += p.Amount.Units
		}
		if parts := o.Paid; parts.Costs+parts.Late+parts.Interest+parts.Principal+parts.Over != came-o.Ahead {
			return fmt.Errorf("%d came, %d of it ahead; it paid %+v", came, o.Ahead, parts)
		}
		if t := l.told; t.Costs+t.Late+t.Interest+t.Principal+t.Over != l.brought {
			return fmt.Errorf("in all %d came; it paid %+v", l.brought, t)
		}
		return nil
	}},
	{"principal owed is what was advanced less what was paid of it, and nothing is below nothing", func(_ *season, l *tracked, o loan.Owed, _ second) error {
		advanced := int64(0)
		for _, a := range l.Book.Advances {
			advanced += a.Amount.Units
		}
		least := min(o.Principal, o.Accrued, o.Ahead, o.Over, o.Paid.Costs, o.Paid.Late, o.Paid.Interest, o.Paid.Principal)
		for _, due := range o.Dues {
			least = min(least, due.Costs, due.Late, due.Interest, due.Principal)
		}
		if o.Principal != advanced-o.Paid.Principal || least < 0 {
			return fmt.Errorf("%d was advanced; %+v", advanced, o)
		}
		return nil
	}},
	{"a loan is closed exactly when nothing is owed and nothing is on its way", func(_ *season, l *tracked, o loan.Owed, _ second) error {
		waits, out := false, false
		for _, t := range l.Tranches {
			waits, out = waits || t.Paid == "" && !t.Cancelled, out || len(l.Book.Advances) > 0
		}
		// A line waits for its household, or its end, although nothing is owed.
		if ended := out && !waits && o.Payoff() == 0; ended != (l.State == loan.Closed) && (!ended || !l.Terms.Revolving) {
			return fmt.Errorf("it is %s: %+v", l.State, o)
		}
		if l.State == loan.Closed && (o.Principal != 0 || o.Accrued != 0 || o.Due() != 0 || o.Ahead != 0) {
			return fmt.Errorf("closed, it owes %+v", o)
		}
		return nil
	}},
	{"days past due are those of the oldest instalment of which more than the tolerance is missing", func(w *season, l *tracked, o loan.Owed, b second) error {
		days := int32(0)
		for _, due := range b.dues {
			if due.n > 0 && due.day < w.day && due.total() > l.ToleranceUnits && days == 0 {
				days = int32(due.day.DaysUntil(w.day))
			}
		}
		if o.DaysPastDue != days || (o.Oldest == 0) != (days == 0) {
			return fmt.Errorf("%d, by the second book %d", o.DaysPastDue, days)
		}
		return nil
	}},
	{"of a line interest is a day's part of what was out that day, and principal is due at its end alone", func(w *season, l *tracked, o loan.Owed, b second) error {
		if !l.Terms.Revolving {
			return nil
		}
		interest, spans := o.Paid.Interest+o.Accrued, int64(len(l.Book.Advances)+len(l.Book.Payments)+len(l.Book.Schedule)+1)
		for _, due := range o.Dues {
			if interest += due.Interest; due.Principal > 0 && w.day < l.Terms.LastDue("") {
				return fmt.Errorf("principal is due: %+v", o.Dues)
			}
		}
		year := int64(365)
		if l.Terms.DayCount == terms.Act360 {
			year = 360
		}
		if exact := b.unitDays * int64(l.Terms.RatePartsPerMillion) / (year * 1_000_000); interest < exact-spans || interest > exact+spans {
			return fmt.Errorf("%d of interest for %d unit days, which cost %d", interest, b.unitDays, exact)
		}
		return nil
	}},
	{"a claim is never more than ends the loan, and paying it leaves nothing due", func(w *season, l *tracked, o loan.Owed, _ second) error {
		claim := must2(l.Claim(waterfall.Terms{Day: w.day, LivingFloor: cny(0), WindowDays: 31}, 0))(w.T)
		total := int64(0)
		for _, due := range claim.Dues {
			total += due.Amount.Units
		}
		if l.State == loan.Running && (total > o.Payoff() || total < min(o.Due(), o.Payoff()) || claim.Debt.Owed.Units != o.Payoff()) {
			return fmt.Errorf("%+v of %+v", claim, o)
		}
		return nil
	}},
	{"history stays", func(_ *season, l *tracked, _ loan.Owed, _ second) error {
		was := l.history
		kept := len(l.Restructured) >= len(was.Restructured) && slices.Equal(l.Restructured[:len(was.Restructured)], was.Restructured)
		if !kept || l.LastOverdue < was.LastOverdue || l.Defaulted < was.Defaulted || was.WrittenOff != nil && l.WrittenOff == nil || len(l.Tranches) < len(was.Tranches) {
			return fmt.Errorf("%+v, and then %+v", was, l.Loan)
		}
		l.history = l.Loan
		return nil
	}},
	{"a portfolio has all principal once", func(w *season, l *tracked, o loan.Owed, _ second) error {
		p := must2(loan.ClassesOn(w.day))(w.T).Reckon("CNY", []loan.Position{must2(l.Position(w.day))(w.T)}, 0, 30)
		sum := int64(0)
		for _, class := range p.ByClass {
			sum += class.Units
		}
		if p.Gross+p.WrittenOff != o.Principal || sum != p.Gross || p.AtRisk[1].Units > p.AtRisk[0].Units || p.NonPerforming > p.AtRisk[1].Units {
			return fmt.Errorf("%+v of %+v", p, o)
		}
		return nil
	}},
}

func (w *season) audit() {
	l := w.touched
	owed, book := w.owed(l), reckon(w.T, l.Loan, w.day)
	for _, i := range invariants {
		if err := i.holds(w, l, owed, book); err != nil {
			w.Errorf("%s, %s, %s: %v", i.name, l.Terms.Method, w.day, err)
		}
	}
}

// second is a loan's book as somebody keeps it on paper, day by day.
type second struct {
	principal, accrued int64
	over               int64
	paid               loan.Paid
	dues               []*owing
	// unitDays adds up what was out on each day.
	unitDays int64
}

// owing is what is owed of one instalment, or of a charge where n is 0.
type owing struct {
	n                                int32
	day, lateFrom                    tape.Date
	costs, late, interest, principal int64
}

func (o owing) total() int64 { return o.costs + o.late + o.interest + o.principal }

// halfEven divides and rounds to the nearest, of two to the even one.
func halfEven(n, by int64) int64 {
	q, r := n/by, n%by
	if 2*r > by || 2*r == by && q%2 == 1 {
		q++
	}
	return q
}

// reckon keeps the second book up to a day. It takes the schedule from package
// terms, and nothing else.
func reckon(t *testing.T, l loan.Loan, day tape.Date) second {
	t.Helper()
	var b second
	if len(l.Book.Advances) == 0 {
		for _, p := range l.Book.Payments {
			if p.Date <= day {
				b.paid.Over += p.Amount.Units
			}
		}
		b.give(l, day)
		return b
	}
	n := 1
	for n < len(l.Book.Advances) && l.Book.Advances[n].Date <= day {
		n++
	}
	rows, year := must2(l.Terms.Schedule(l.Book.Advances[:n]))(t).Instalments, int64(365)
	if l.Terms.DayCount == terms.Act360 {
		year = 360
	}
	begin := l.Book.Advances[0].Date
	start, from, ran, k := begin, begin, int64(0), 0
	for k < len(rows) && rows[k].Due < begin { // of a line that nobody had drawn by then
		k++
	}
	run := func(to tape.Date) { // interest up to a day
		if l.Terms.Method != terms.Flat && len(l.Terms.CropInterestPartsPerMillion) == 0 {
			b.accrued += halfEven(b.principal*int64(l.Terms.RatePartsPerMillion)*int64(from.DaysUntil(to)), year*1_000_000)
		} else if k < len(rows) && b.principal > 0 && to > from {
			all := min(rows[k].Interest, halfEven(rows[k].Interest*int64(start.DaysUntil(to)), int64(start.DaysUntil(rows[k].Due))))
			b.accrued, ran = b.accrued+all-ran, all
		}
		from = to
	}
	for d := begin; d <= day; d = d.AddDays(1) {
		if k < len(rows) && rows[k].Due == d {
			run(d)
			principal := b.principal - rows[k].Balance
			for _, due := range b.dues {
				principal -= due.principal
			}
			b.dues = append(b.dues, &owing{n: l.Book.Before + rows[k].N, day: d, lateFrom: d, interest: b.accrued, principal: max(0, principal)})
			b.accrued, ran, start, k = 0, 0, d, k+1
		}
		b.visit(l, d, d == day, n, year, run)
		if d < day {
			b.unitDays += b.principal
		}
	}
	b.ripen(l.Book.Before+rows[len(rows)-1].N, rows[len(rows)-1].Due, day)
	rest := second{} // what a refund left pays what enforcing has cost
	for _, due := range b.dues {
		if due.n == 0 {
			rest.dues = append(rest.dues, due)
		}
	}
	rest.pay(b.paid.Over, 0)
	b.paid.Costs, b.paid.Late, b.paid.Interest, b.paid.Over = b.paid.Costs+rest.paid.Costs, b.paid.Late+rest.paid.Late, b.paid.Interest+rest.paid.Interest, rest.paid.Over
	b.give(l, day)
	return b
}

// give takes off what is over what was disposed of; what is short is owed.
func (b *second) give(l loan.Loan, day tape.Date) {
	b.over = b.paid.Over
	for i, one := range l.Book.Given {
		if one.Date > day {
			continue
		}
		if b.over -= one.Amount.Units; b.over < 0 && (i+1 == len(l.Book.Given) || l.Book.Given[i+1].Date > day) {
			b.dues, b.over = append(b.dues, &owing{day: one.Date, costs: -b.over}), 0
		}
	}
}

// visit is what happens on a day beside what falls due: advances, charges, payments.
func (b *second) visit(l loan.Loan, d tape.Date, last bool, n int, year int64, run func(tape.Date)) {
	stops := last
	for _, a := range l.Book.Advances[:n] {
		stops = stops || a.Date == d
	}
	var units, back []int64 // back pays principal before anything else
	for _, p := range l.Book.Payments {
		if p.Date == d || p.Date < d && d == l.Book.Advances[0].Date {
			if units, back = append(units, p.Amount.Units), append(back, 0); p.Principal {
				units[len(units)-1], back[len(back)-1] = 0, p.Amount.Units
			}
		}
	}
	for _, c := range l.Book.Charges {
		if c.Date == d {
			b.dues = append(b.dues, &owing{day: d, costs: c.Costs, late: c.Late, interest: c.Interest})
		}
	}
	stops = stops || slices.Max(append(back, 0)) > 0 || b.reaches(units)
	if stops {
		run(d)
		for _, due := range b.dues {
			base := due.principal
			if l.Terms.LateOn == terms.LateOnInstalment {
				base += due.interest
			}
			if due.n > 0 {
				due.late += halfEven(base*int64(l.Terms.LateRatePartsPerMillion)*int64(due.lateFrom.DaysUntil(d)), year*1_000_000)
				due.lateFrom = d
			}
		}
	}
	for _, a := range l.Book.Advances[:n] {
		if a.Date == d {
			b.principal += a.Amount.Units
		}
	}
	for i, one := range units {
		b.pay(one, back[i])
	}
}

// reaches reports whether payments are more than the charges that are open: only then do they touch the schedule.
func (b *second) reaches(units []int64) bool {
	open := int64(0)
	for _, due := range b.dues {
		if due.n == 0 {
			open += due.total()
		}
	}
	for _, one := range units {
		open -= one
	}
	return open < 0
}

// pay gives a payment to charges, then to instalments, the oldest first, then to interest, then to principal.
func (b *second) pay(units, back int64) {
	take := func(owed, paid *int64) {
		part := min(units, *owed)
		*owed, *paid, units = *owed-part, *paid+part, units-part
	}
	if back > 0 {
		units = back
		for _, due := range b.dues {
			before := due.principal
			take(&due.principal, &b.paid.Principal)
			b.principal -= before - due.principal
		}
		take(&b.principal, &b.paid.Principal)
	}
	for _, charges := range []bool{true, false} {
		for _, due := range b.dues {
			if charges != (due.n == 0) || charges && back > 0 {
				continue
			}
			take(&due.costs, &b.paid.Costs)
			take(&due.late, &b.paid.Late)
			take(&due.interest, &b.paid.Interest)
			before := due.principal
			take(&due.principal, &b.paid.Principal)
			b.principal -= before - due.principal
		}
	}
	take(&b.accrued, &b.paid.Interest)
	take(&b.principal, &b.paid.Principal)
	b.paid.Over += units
}

// ripen makes interest due that no instalment will ever ask for.
func (b *second) ripen(n int32, last, day tape.Date) {
	due, latest := int64(0), (*owing)(nil)
	for _, one := range b.dues {
		if due += one.principal; one.n > 0 && one.total() > 0 {
			latest = one
		}
	}
	if b.accrued == 0 || due != b.principal {
		return
	}
	if latest == nil {
		latest = &owing{n: n, day: min(last, day)}
		b.dues = append(b.dues, latest)
	}
	latest.interest, b.accrued = latest.interest+b.accrued, 0
}
