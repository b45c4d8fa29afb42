package recourse_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules and keeps far simpler books
// beside them: everybody's purse. After each step the purses and the call must
// agree, and every invariant must hold. LIANBAO_SEED repeats a run;
// LIANBAO_STEPS makes it longer.

const (
	stepsInAll  = 20_000
	stepsAWorld = 500
)

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll)
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused := map[string]int{}, map[string]int{}
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := &simulated{T: t, random: newRandom(seed + n)}
		w.begin()
		for i := range stepsAWorld {
			name, err := w.step()
			if err != nil {
				refused[name]++
			} else {
				done[name]++
			}
			w.audit()
			if t.Failed() {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v: %+v", seed+n, stepsAWorld, i, name, err, w.call)
			}
		}
	}
	for _, s := range steppers {
		if done[s.name] == 0 && steps >= stepsInAll {
			t.Errorf("%s was never accepted in %d steps", s.name, steps)
		}
	}
	t.Logf("done %v, refused %v", done, refused)
}

// simulated is one call and everybody's purse: what came in less what went out.
type simulated struct {
	*testing.T
	random *rand.Rand
	call   recourse.Call
	debt   recourse.Debt
	purses map[tape.AccountID]int64
	n      int
	date   tape.Date
}

const bank = tape.AccountID("outside:bank:main")

var steppers = []struct {
	name string
	do   func(*simulated) error
}{
	{"pay", (*simulated).pay}, {"pay", (*simulated).pay}, {"lower", (*simulated).lower}, {"respread", (*simulated).respread}, {"release", (*simulated).release},
	{"declare", (*simulated).declare}, {"reimburse", (*simulated).reimburse}, {"reimburse", (*simulated).reimburse}, {"contribute", (*simulated).contribute}, {"contribute", (*simulated).contribute}, {"withdraw", (*simulated).withdraw},
}

func (w *simulated) chance(n int) bool { return w.random.IntN(n) == 0 }

// units are mostly few: roundings show.
func (w *simulated) units(most int64) int64 { return 1 + w.random.Int64N(max(1, most)) }

func (w *simulated) id(name string) tape.ID {
	w.n++
	return tape.ID(name + "-" + string(tape.PseudonymFrom(string(rune(w.n)))))
}

// begin makes a new debt and its call.
func (w *simulated) begin() {
	w.Helper()
	for range 100 {
		w.debt, w.purses, w.date = debt(), map[tape.AccountID]int64{}, "2026-01-01"
		amount, agreed := w.units(1000), w.chance(2)
		w.debt.Guarantors, w.debt.Overdue = nil, []recourse.Instalment{{N: 1, Due: "2025-12-01", Unpaid: amount}}
		terms, command := terms(), makeCall()
		terms.NoticeDays, command.Amount, command.Instalments, command.Guarantors = nil, cny(amount), []int32{1}, nil
		for _, name := range []string{"B", "C", "D", "E", "F"}[:1+w.random.IntN(5)] {
			g := recourse.Bound{Household: household(name), Left: cny(1000), Months: 6}
			if agreed {
				g.Share = 1 + w.random.Int32N(7)
			}
			if w.chance(3) {
				g.Left = cny(w.random.Int64N(1000))
			}
			w.debt.Guarantors, command.Guarantors = append(w.debt.Guarantors, g), append(command.Guarantors, g.Household)
		}
		call, _, _, err := w.debt.Call(command, terms, nil, by("bank", "maker", "checker"))
		if w.call = call; err == nil {
			return
		}
	}
	w.Fatal("no call in a hundred")
}

func (w *simulated) step() (string, error) {
	if w.call.State == recourse.Closed || w.chance(60) {
		w.begin()
	}
	s := steppers[w.random.IntN(len(steppers))]
	return s.name, s.do(w)
}

func (w *simulated) one() recourse.Guarantor {
	return w.call.Guarantors[w.random.IntN(len(w.call.Guarantors))]
}

func (w *simulated) payment(from, to tape.AccountID, units int64) recourse.Payment {
	w.n++
	return payment(w.n, from, to, units)
}

func (w *simulated) move(p recourse.Payment) {
	w.purses[p.From] -= p.Amount.Units
	w.purses[p.To] += p.Amount.Units
}

func (w *simulated) pay() error {
	g := w.one()
	owed, _ := w.call.Owes(g.Household)
	p := w.payment(g.Household, bank, w.units(owed+1))
	if !w.chance(3) {
		p.Amount = cny(max(1, owed))
	}
	call, err := w.call.Take(g.Household, p.Amount.Units)
	if err != nil {
		return err
	}
	if p.Amount.Units > owed {
		w.Errorf("%s was asked for %d and paid %s", g.Household, owed, p.Amount)
	}
	// What the lender no longer asks of one who paid it, a co-guarantor may: in all it owes so much less.
	if before, after := all(w.call.Owes(g.Household)), all(call.Owes(g.Household)); after != before-p.Amount.Units {
		w.Errorf("%s owed %d, paid %s and owes %d", g.Household, before, p.Amount, after)
	}
	w.call = call
	w.move(p)
	return nil
}

func all(lender int64, others []recourse.Part) int64 {
	for _, part := range others {
		lender += part.Units
	}
	return lender
}

func (w *simulated) lower() error {
	if !w.chance(3) {
		return errNothing
	}
	p := w.payment(w.call.Debtor, bank, w.units(w.call.Open()/2+1))
	call, err := w.call.Lower(p.Amount.Units)
	if err == nil {
		w.call = call
		w.move(p)
	}
	return err
}

func (w *simulated) respread() error {
	w.date = w.date.AddDays(w.random.IntN(40))
	call, _, err := w.call.Respread(recourse.Respread{Call: "call-1", Guarantor: w.one().Household, ID: w.id("late"), Loan: "loan-1", Account: scheme}, onDay(w.date, by("bank", "maker")))
	if err == nil {
		w.call = call
	}
	return err
}

func (w *simulated) release() error {
	if !w.chance(3) {
		return errNothing
	}
	g, open := w.one(), w.call.Open()
	asked := map[tape.AccountID]int64{}
	for _, s := range w.call.Stands() {
		asked[s.Household] = s.Asked
	}
	call, _, err := w.call.Release(recourse.Release{Call: "call-1", Guarantor: g.Household, ID: w.id("release"), Loan: "loan-1", Account: scheme}, recourse.Debt{}, by("bank", "maker", "checker"))
	if err != nil {
		return err
	}
	if call.Open() != open-asked[g.Household] {
		w.Errorf("%d open, %d after the release of %s, who was asked for %d", open, call.Open(), g.Household, asked[g.Household])
	}
	for _, s := range call.Stands() { // a release asks nobody for more, but for an odd unit
		if s.Household != g.Household && s.Asked > asked[s.Household]+1 {
			w.Errorf("%s was asked for %d, and %d after the release of %s", s.Household, asked[s.Household], s.Asked, g.Household)
		}
	}
	w.call = call
	return nil
}

func (w *simulated) declare() error {
	if !w.chance(3) {
		return errNothing
	}
	command := recourse.DeclareUnable{Call: "call-1", Evidence: []recourse.Citation{{Hash: merkle.Hash{1}, Kind: "death"}}, Guarantor: w.one().Household, ID: w.id("unable"), Lift: w.chance(3), Loan: "loan-1", Account: scheme}
	call, _, err := w.call.Declare(command, by("coop", "clerk", "maker@bank"))
	if err == nil {
		w.call = call
	}
	return err
}

// reimburse lets the debtor's money reach each guarantor, now and then a unit less
// to the first than is its own: then nothing counts.
func (w *simulated) reimburse() error {
	_, parts, err := w.call.Return(w.units(w.call.Borne() + 1))
	if err != nil {
		return err
	}
	short := parts[0].Units > 1 && w.chance(5)
	if short {
		parts[0].Units--
	}
	command, arrivals := arrived(w.n, parts)
	w.n, command.ID = w.n+len(parts), w.id("back")
	call, _, _, err := w.call.Reimburse(command, recourse.Debt{}, arrivals, by("coop"))
	if short {
		if _, same, _ := w.call.Return(command.Amount.Units); err == nil && !slices.Equal(same, parts) {
			w.Errorf("%v were counted of %s", parts, command.Amount)
		}
	}
	if err != nil {
		return err
	}
	w.call = call
	for _, arrival := range arrivals {
		w.move(*arrival.Payment)
	}
	return nil
}

func (w *simulated) contribute() error {
	for _, s := range w.call.Stands() {
		for _, owed := range s.Owed {
			if w.chance(3) {
				continue
			}
			p := w.payment(owed.Household, s.Household, w.units(owed.Units+1))
			call, _, _, err := w.call.Contribute(recourse.Contribute{Amount: p.Amount, Call: "call-1", From: p.From, ID: w.id("give"), Loan: "loan-1", Payment: p.Source, Account: scheme, To: p.To}, recourse.Arrival{Payment: &p}, by("coop"))
			if err != nil {
				return err
			}
			w.call = call
			w.move(p)
			return nil
		}
	}
	return errNothing
}

func (w *simulated) withdraw() error {
	if !w.chance(8) {
		return errNothing
	}
	call, _, err := w.call.Withdraw(recourse.WithdrawCall{Call: "call-1", ID: w.id("withdraw"), Loan: "loan-1", Account: scheme}, by("bank", "maker", "checker"))
	if err == nil {
		w.call = call
	}
	return err
}

// audit compares the call with the purses, and asks every invariant.
func (w *simulated) audit() {
	w.Helper()
	for _, invariant := range recourse.Invariants() {
		if err := invariant.Broken(w.call); err != nil {
			w.Errorf("%s: %v", invariant.Name, err)
		}
	}
	got := w.purses[bank]
	if got > w.call.Amount.Units || got+w.call.Open() > w.call.Amount.Units {
		w.Errorf("the lender called %s, got %d and asks for %d", w.call.Amount, got, w.call.Open())
	}
	lost := int64(0)
	for _, purse := range w.purses {
		lost += purse
	}
	for _, g := range w.call.Guarantors {
		if purse := w.purses[g.Household]; -purse != g.Borne() || purse > 0 || -purse > g.Max {
			w.Errorf("%s has a purse of %d and bears %d of at most %d", g.Household, purse, g.Borne(), g.Max)
		}
	}
	if lost != 0 || -w.purses[w.call.Debtor] > money.Max {
		w.Errorf("%d units are lost: %v", lost, w.purses)
	}
}
