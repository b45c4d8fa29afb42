package pool_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules and keeps far simpler books
// beside them: the purses of pool and lender, and what each loan's debtor has
// paid. After each step both must agree. LIANBAO_SEED repeats a run;
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
		w := newSimulated(t, seed+n)
		for i := range stepsAWorld {
			s := steppers[w.random.IntN(len(steppers))]
			err := s.do(w)
			if err != nil {
				refused[s.name]++
			} else {
				done[s.name]++
			}
			w.audit()
			if t.Failed() {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v", seed+n, stepsAWorld, i, s.name, err)
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

// simulated is one pool, one lender and its loans.
type simulated struct {
	*testing.T
	random    *rand.Rand
	lender    pool.Lender
	snapshots map[tape.Date]*pool.Snapshot
	quarter   tape.Date
	cases     []*trouble
	// balance is what is free in the pool, held what is approved, spent what went out less what came back.
	balance, held, spent, began int64
	n                           int
}

// trouble is a loan, its claim, and what simple books know of it.
type trouble struct {
	loan  pool.Loan
	claim *pool.Claim
	// got is what the lender has got from anybody, less its costs; came is what debtor and guarantors have paid of what they owed.
	got, came int64
}

var steppers = []struct {
	name string
	do   func(*simulated) error
}{
	{"freeze", (*simulated).freeze}, {"lend", (*simulated).lend}, {"submit", (*simulated).submit}, {"verify", (*simulated).verify}, {"review", (*simulated).review}, {"approve", (*simulated).approve}, {"approve", (*simulated).approve},
	{"return", (*simulated).giveBack}, {"reject", (*simulated).reject}, {"pay", (*simulated).pay}, {"pay", (*simulated).pay}, {"repay", (*simulated).repay}, {"recover", (*simulated).recover}, {"recover", (*simulated).recover}, {"recover", (*simulated).recover}, {"sell", (*simulated).sell}, {"sell", (*simulated).sell}, {"close", (*simulated).close},
}

func newSimulated(t *testing.T, seed uint64) *simulated {
	w := &simulated{T: t, random: newRandom(seed), lender: *lender(), snapshots: map[tape.Date]*pool.Snapshot{}, quarter: "2025-03-31"}
	w.lender.Quarter, w.balance = "", 10_000+w.random.Int64N(200_000)
	w.began = w.balance
	return w
}

func (w *simulated) chance(n int) bool { return w.random.IntN(n) == 0 }

func (w *simulated) id(name string) tape.ID {
	w.n++
	return tape.ID(name + "-" + strconv.Itoa(w.n))
}

// freeze fixes the next quarter; the clock stands, so there are not many.
func (w *simulated) freeze() error {
	f := pool.Figures{Gross: 1000 + w.random.Int64N(1000), WrittenOff: w.random.Int64N(20)}
	if f.NonPerforming = w.random.Int64N(60); w.chance(8) {
		f.NonPerforming += 100
	}
	s, next, _, err := county().Freeze(pool.Freeze{Account: fund, Figures: f, ID: w.id("freeze"), Lender: "bank", Quarter: w.quarter}, &w.lender, record(1), f, w.snapshots[w.quarter], by("county", "head", "maker@bank"))
	if err != nil {
		return err
	}
	w.snapshots[w.quarter], w.lender, w.quarter = &s, next, pool.QuarterAfter(w.quarter)
	return nil
}

// lend makes a loan that its borrower will not pay.
func (w *simulated) lend() error {
	if len(w.cases) > 30 {
		return errNothing
	}
	l := loan()
	l.Loan, l.Principal, l.Interest, l.Guaranteed = w.id("loan"), 1+w.random.Int64N(1000), w.random.Int64N(100), 0
	l.Owed = l.Principal + l.Interest + w.random.Int64N(50)
	l.Contracted, l.Defaulted = l.Contracted.AddDays(w.random.IntN(200)), l.Defaulted.AddDays(-w.random.IntN(150))
	w.cases = append(w.cases, &trouble{loan: l})
	return nil
}

// one is a case whose claim is in a state, "" for none.
func (w *simulated) one(states ...pool.State) *trouble {
	var found []*trouble
	for _, c := range w.cases {
		state := pool.State("")
		if c.claim != nil {
			state = c.claim.State
		}
		if slices.Contains(states, state) || w.chance(20) && c.claim != nil {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.random.IntN(len(found))]
}

func (w *simulated) ground(c *trouble) pool.Ground {
	return pool.Ground{Loan: c.loan, Lender: &w.lender, Terms: record(1), AtContract: w.snapshots[pool.QuarterBefore(c.loan.Contracted)], AtDefault: w.snapshots[pool.QuarterBefore(c.loan.Defaulted)],
		Consent: &pool.Consent{V: 1, Lender: "bank"}}
}

func (w *simulated) submit() error {
	c := w.one("", pool.Returned, pool.Rejected)
	if c == nil {
		return errNothing
	}
	command := submit()
	command.ID, command.Claim, command.Loan = w.id("submit"), "claim-"+c.loan.Loan, c.loan.Loan
	known := c.claim
	if known != nil && known.State == pool.Rejected {
		command.Claim, known = w.id("claim"), nil
	}
	claim, _, _, err := county().Submit(command, pool.SubmitState{Ground: w.ground(c), Known: known, Last: c.claim}, by("bank", "maker", "checker"))
	if err == nil {
		c.claim = &claim
	}
	return err
}

func (w *simulated) step(claim *pool.Claim) pool.Step {
	return pool.Step{Account: fund, Claim: claim.ID, ID: w.id("step")}
}

func (w *simulated) verify() error {
	c := w.one(pool.Submitted)
	if c == nil {
		return errNothing
	}
	next, _, err := c.claim.Verify(w.step(c.claim), w.ground(c), by("coop", "clerk"))
	if err == nil {
		c.claim = &next
	}
	return err
}

func (w *simulated) review() error {
	c := w.one(pool.Verified)
	if c == nil {
		return errNothing
	}
	next, _, err := county().TakeUp(w.step(c.claim), *c.claim, by("county", "officer"))
	if err == nil {
		c.claim = &next
	}
	return err
}

func (w *simulated) approve() error {
	c := w.one(pool.Review)
	if c == nil {
		return errNothing
	}
	next, lender, _, err := county().Approve(w.step(c.claim), *c.claim, w.ground(c), cny(w.balance), by("county", "officer", "head"))
	if err != nil {
		return err
	}
	if lender.Used > lender.Base/10 {
		w.Errorf("the lender was promised %d of a year's %d", lender.Used, lender.Base/10)
	}
	c.claim, w.lender = &next, lender
	w.balance, w.held = w.balance-next.Compensation, w.held+next.Compensation
	return nil
}

func (w *simulated) decline(c *trouble) pool.Decline {
	return pool.Decline{Account: fund, Claim: c.claim.ID, ID: w.id("decline"), Reason: "figures"}
}

func (w *simulated) giveBack() error {
	c := w.one(pool.Submitted, pool.Verified, pool.Review, pool.Approved)
	if c == nil || !w.chance(2) {
		return errNothing
	}
	ctx := by("county", "head")
	if c.claim.State == pool.Submitted {
		ctx = by("coop", "clerk")
	}
	next, lender, _, err := county().Return(w.decline(c), *c.claim, &w.lender, ctx)
	if err != nil {
		return err
	}
	w.balance, w.held = w.balance+c.claim.Compensation, w.held-c.claim.Compensation
	if (lender != nil) != (c.claim.State == pool.Approved) {
		w.Errorf("%s changes the lender to %+v", c.claim.State, lender)
	}
	if lender != nil {
		w.lender = *lender
	}
	c.claim = &next
	return nil
}

func (w *simulated) reject() error {
	c := w.one(pool.Review)
	if c == nil || !w.chance(3) {
		return errNothing
	}
	next, _, _, err := county().Reject(w.decline(c), *c.claim, by("county", "officer", "head"))
	if err == nil {
		c.claim = &next
	}
	return err
}

func (w *simulated) pay() error {
	c := w.one(pool.Approved)
	if c == nil {
		return errNothing
	}
	next, p, _, err := county().Pay(pool.Step{Account: fund, Claim: c.claim.ID, ID: w.id("pay")}, *c.claim, c.loan, by("county"))
	if err != nil {
		return err
	}
	w.held, w.spent, c.got = w.held-p.Amount.Units, w.spent+p.Amount.Units, c.got+p.Amount.Units
	c.claim = &next
	return nil
}

// repay lets a guarantor pay before the pool has: a claim that waits is for another loss then.
func (w *simulated) repay() error {
	c := w.one("", pool.Submitted, pool.Verified, pool.Review, pool.Approved, pool.Returned, pool.Rejected)
	if c == nil || !w.chance(8) || c.claim != nil && slices.Contains([]pool.State{pool.Paid, pool.Sharing, pool.Closed}, c.claim.State) {
		return errNothing
	}
	units := w.random.Int64N(1 + (c.loan.Owed-c.loan.Guaranteed)/2)
	c.loan.Guaranteed, c.got, c.came = c.loan.Guaranteed+units, c.got+units, c.came+units
	return nil
}

// recover lets a payment come, of more than is owed now and then, and shares it:
// the books take it up to what is owed, and the rest is nobody's recovery.
func (w *simulated) recover() error {
	c := w.one(pool.Paid, pool.Sharing)
	if c == nil {
		return errNothing
	}
	units := 1 + w.random.Int64N(1+(c.loan.Owed-c.came)/4+int64(w.random.IntN(5)))
	taken := min(units, c.loan.Owed-c.came)
	cost := int64(0)
	if w.chance(3) {
		cost = w.random.Int64N(1 + units/3)
	}
	command, payment := recoverClaim(units, cost)
	command.Claim, command.ID = c.claim.ID, w.id("recover")
	loan := c.loan
	loan.Recovered += taken
	next, shares, _, _, err := county().Recover(command, *c.claim, loan, payment, by("bank", "maker", "head@county"))
	if err != nil {
		return err
	}
	c.loan = loan
	if shares.Cost != cost || shares.Over != units-taken || shares.Cost+shares.ToPool+shares.ToLender+shares.Over != units || shares.ToPool < 0 || shares.ToLender < 0 {
		w.Errorf("%d with a cost of %d are shared as %+v", units, cost, shares)
	}
	w.balance, w.spent = w.balance+shares.ToPool, w.spent-shares.ToPool
	c.got, c.came, c.claim = c.got+shares.ToLender, c.came+taken, &next
	return nil
}

// sell lets a sale pay what is overdue: the lender's own part first, then others, then the pool's.
func (w *simulated) sell() error {
	c := w.one(pool.Paid, pool.Sharing)
	if c == nil || c.came == c.loan.Owed {
		return errNothing
	}
	due := 1 + w.random.Int64N(1+(c.loan.Owed-c.came)/3)
	due = min(due, c.loan.Owed-c.came)
	behind := c.claim.Due(due, c.loan)
	own, toPool := due-behind, int64(0)
	if w.chance(3) {
		own = w.random.Int64N(1 + own)
	} else if behind > 0 {
		toPool = w.random.Int64N(1 + behind)
		if w.chance(2) {
			toPool = behind
		}
	}
	if own+toPool == 0 {
		return errNothing
	}
	loan := c.loan
	loan.Recovered += own + toPool
	sold, err := c.claim.Sold(own+toPool, toPool, nil, loan, by("coop").Entry(w.id("sold"), "settle-households", string(scheme)))
	if err != nil {
		if c.claim.State == pool.Paid || c.claim.State == pool.Sharing {
			w.Errorf("of %d due, %d of it the pool's, %d and %d are paid: %v", due, behind, own, toPool, err)
		}
		return err
	}
	if toPool == behind && own == due-behind && own > 0 && sold.Claim.Waits != 0 {
		w.Errorf("all that was due is paid, the lender its part of it, and the pool waits for %d", sold.Claim.Waits)
	}
	if _, err := c.claim.Sold(own+toPool, behind+1, nil, loan, tape.Entry{}); err == nil {
		w.Errorf("the pool got a unit more than its %d of %d", behind, due)
	}
	c.loan, c.claim = loan, &sold.Claim
	w.balance, w.spent = w.balance+toPool, w.spent-toPool
	c.got, c.came = c.got+own, c.came+own+toPool
	return nil
}

func (w *simulated) close() error {
	c := w.one(pool.Paid, pool.Sharing)
	if c == nil || !w.chance(10) {
		return errNothing
	}
	command := closeClaim()
	command.ID, command.Claim = w.id("close"), c.claim.ID
	next, _, err := county().Close(command, *c.claim, by("county", "head", "maker@bank"))
	if err == nil {
		c.claim = &next
	}
	return err
}

// audit compares the claims with the purses.
func (w *simulated) audit() {
	w.Helper()
	held, spent := int64(0), int64(0)
	for _, c := range w.cases {
		if c.got > c.loan.Owed || c.came > c.loan.Owed {
			w.Errorf("%s: of %d owed the lender has %d, %d came in", c.loan.Loan, c.loan.Owed, c.got, c.came)
		}
		if c.claim == nil {
			continue
		}
		for _, invariant := range pool.Invariants() {
			if err := invariant.Broken(*c.claim, c.loan); err != nil {
				w.Errorf("%s: %v", invariant.Name, err)
			}
		}
		switch c.claim.State {
		case pool.Approved:
			held += c.claim.Compensation
		case pool.Paid, pool.Sharing, pool.Closed:
			spent += c.claim.Compensation - c.claim.ToPool
			if c.claim.Received() != c.got {
				w.Errorf("%s: the lender has %d, the books say %d", c.claim.ID, c.claim.Received(), c.got)
			}
		}
	}
	if held != w.held || spent != w.spent || w.balance+w.held+w.spent != w.began || w.balance < 0 {
		w.Errorf("the pool began with %d: %d free, %d held (%d), %d spent (%d)", w.began, w.balance, w.held, held, w.spent, spent)
	}
	for i, quarter := range slices.Sorted(maps.Keys(w.snapshots)) {
		if i > 0 && w.snapshots[pool.QuarterBefore(quarter)] == nil {
			w.Errorf("a quarter before %s is missing", quarter)
		}
	}
}
