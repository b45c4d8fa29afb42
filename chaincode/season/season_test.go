// Package season_test lets random seasons pass over the rules of loans, guarantor
// calls and sales together: what one of them leaves, the next one finds.
package season_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	stepsInAll  = 100_000
	stepsAWorld = 250
	scheme      = tape.AccountID("coop:coop:coffee")
	lending     = tape.AccountID("lender:bank:coffee")
	noon        = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone +08:00
	today       = tape.Date("2026-01-01")
	shards      = 2 // of worlds, which fill the processors
	members     = 4 // of each of the two groups
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func household(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))) + ":coffee")
}

func fingerprint(n int) string { return fmt.Sprintf("invented-household-%02dA", n) }

// season is two groups of households, what they owe, and everybody's purse: what
// came in less what went out. The lender's, the buyers' and the households' come to nothing together.
type season struct {
	*testing.T
	seed   uint64
	random *rand.Rand
	day    tape.Date
	serial int
	groups []*group.Group
	debts  map[string]*loan.Debts // by fingerprint
	loans  []*tracked
	purses map[tape.AccountID]int64
}

// tracked is a loan and the call of its guarantors.
type tracked struct {
	loan.Loan
	call *recourse.Call
	// lent and repaid are what left the lender and what reached it.
	lent, repaid int64
	bad          bool
	// changed says that the call was changed by this step.
	changed bool
}

// TestSeasons prints its seed; LIANBAO_SEED repeats a run, LIANBAO_STEPS makes it longer.
func TestSeasons(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", uint64(stepsInAll))
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	var done, refused [shards]map[string]int
	t.Run("worlds", func(t *testing.T) {
		for shard := range uint64(shards) {
			done[shard], refused[shard] = map[string]int{}, map[string]int{}
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for n := shard; n*stepsAWorld < steps; n += shards {
					newSeason(t, seed+n).passes(done[shard], refused[shard])
				}
			})
		}
	})
	for _, a := range acts {
		if done[0][a.name]+done[1][a.name] == 0 && steps >= stepsInAll {
			t.Errorf("%s was never accepted in %d steps", a.name, steps)
		}
	}
	t.Logf("%d steps; accepted %v; refused %v", steps, done, refused)
}

// passes lets one world go its way, and counts what was accepted and what refused.
func (w *season) passes(done, refused map[string]int) {
	for i := range stepsAWorld {
		name, err := w.step()
		if err != nil {
			refused[name]++
		} else {
			done[name]++
		}
		w.audit()
		if w.Failed() {
			w.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v", w.seed, stepsAWorld, i, name, err)
		}
	}
}

func newSeason(t *testing.T, seed uint64) *season {
	w := &season{T: t, seed: seed, random: rand.New(rand.NewPCG(seed, 11)), day: today, debts: map[string]*loan.Debts{}, purses: map[tape.AccountID]int64{}}
	for k := range 2 {
		g := group.Group{V: 1, Scheme: scheme, ID: tape.ID(fmt.Sprint("g", k)), State: group.Active, At: noon, Entry: "bank/approve-1", Agreement: group.Agreement{Expiry: "2028-06-30", Form: "joint-and-several",
			GroupMax: cny(10_000_000), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(2_000_000 + w.random.Int64N(4_000_000)), MutualRecourse: true, Shares: group.EqualShares, Terms: 1}}
		for i := range members {
			g.Members = append(g.Members, group.GroupMember{Household: household(k*members + i), Fingerprint: fingerprint(k*members + i), Joined: noon - tape.Day})
		}
		w.groups = append(w.groups, &g)
	}
	return w
}

var acts = []struct {
	name   string
	weight int
	do     func(*season) error
}{
	{"borrow", 5, (*season).borrow}, {"pay out", 8, (*season).payOut}, {"pay what is due", 8, (*season).payDue}, {"pay what came late", 3, (*season).payLate}, {"pay too much", 1, (*season).payMore},
	{"a sale", 10, (*season).sale}, {"default", 6, (*season).fileDefault}, {"call", 8, (*season).calls}, {"guarantor pays", 10, (*season).guarantorPays}, {"respread", 4, (*season).respread},
	{"release", 1, (*season).release}, {"unable", 2, (*season).unable}, {"withdraw call", 1, (*season).withdrawCall}, {"debtor pays back", 5, (*season).reimburse}, {"among guarantors", 4, (*season).contribute},
	{"restructure", 1, (*season).restructure}, {"write off", 1, (*season).writeOff}, {"add costs", 1, (*season).addCosts},
}

var errNothing = rule.Refuse(rule.NotFound, "nothing to do")

func (w *season) step() (string, error) {
	if w.chance(3) {
		w.day = w.day.AddDays(1 + w.random.IntN(12))
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	pick := w.random.IntN(total)
	for _, a := range acts {
		if pick -= a.weight; pick < 0 {
			return a.name, a.do(w)
		}
	}
	panic("unreachable")
}

func (w *season) chance(of int) bool { return w.random.IntN(of) == 0 }

func (w *season) id(kind string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", kind, w.serial))
}

func (w *season) ctx(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon + tape.Instant(today.DaysUntil(w.day))*tape.Day, Date: w.day, Rules: 1, Command: "c", Subject: loan.Subject}
	for _, name := range persons {
		a := tape.Approval{Person: tape.ID(name), Organisation: organisation, Custody: "own", Duty: "staff"}
		switch {
		case name[0] == 'h':
			a.Organisation, a.Duty = "coop", "member"
		case name == "clerk":
			a.Organisation = "coop"
		}
		ctx.Approvals = append(ctx.Approvals, a)
	}
	return ctx
}

func ok[R any](w *season, record R, err error) R {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return record
}

// one of the loans that fit, nil for none.
func (w *season) one(fits func(*tracked) bool) *tracked {
	var found []*tracked
	for _, l := range w.loans {
		if fits(l) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.random.IntN(len(found))]
}

func runs(l *tracked) bool       { return l.State == loan.Running }
func calledOpen(l *tracked) bool { return l.call != nil && l.call.State == recourse.Open }
func borne(l *tracked) bool      { return l.call != nil && l.call.Borne() > 0 }

func (w *season) own(n int) []loan.Loan {
	var own []loan.Loan
	for _, key := range w.known(n).Loans {
		for _, l := range w.loans {
			if l.Reference() == key {
				own = append(own, l.Loan)
			}
		}
	}
	return own
}

func (w *season) known(n int) *loan.Debts {
	if d := w.debts[fingerprint(n)]; d != nil {
		return d
	}
	return &loan.Debts{}
}

func (w *season) callsOf(n int) []recourse.Call {
	var calls []recourse.Call
	for _, concerned := range w.known(n).Calls {
		for _, l := range w.loans {
			if l.call != nil && recourse.CallKey(scheme, l.ID, l.call.ID) == concerned.Call {
				calls = append(calls, *l.call)
			}
		}
	}
	return calls
}

// standing is what is known of each member of a group.
func (w *season) standing(k int) []loan.Standing {
	var all []loan.Standing
	for i := k * members; i < (k+1)*members; i++ {
		member := &group.Member{V: 1, Household: household(i), Person: tape.ID(fmt.Sprint("h", i)), Fingerprint: fingerprint(i), State: group.Admitted}
		facts, err := w.debts[fingerprint(i)].Facts(household(i), w.own(i), w.callsOf(i), w.day)
		ok(w, facts, err)
		borrowed, err := w.debts[fingerprint(i)].Borrowed(*w.groups[k], household(i), w.own(i), w.day)
		all = append(all, loan.Standing{Member: member, Debts: facts, Borrowed: ok(w, borrowed, err)})
	}
	return all
}

func groupOf(l *tracked) int { return int(l.Group[1] - '0') }

func schemeTerms() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24, LivingFloor: cny(0), MemberMax: cny(60_000_00),
		MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30}
}

func (w *season) kind() terms.Terms {
	t := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 72_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 4 + w.random.Int32N(5), Every: terms.Interval{Months: 1}, LateRatePartsPerMillion: 36_000, LateOn: terms.LateOnPrincipal}
	if w.chance(2) {
		t.Method = terms.EqualPrincipal
	}
	return t
}

// borrow brings an application of one household to a contract.
func (w *season) borrow() error {
	n := w.random.IntN(2 * members)
	k := n / members
	g := w.groups[k]
	kind := w.kind()
	product := loan.Product{V: 1, Scheme: scheme, ID: "season", Version: 1, Organisation: "bank", Conditions: loan.Conditions{Lenders: []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 1_000_000}},
		OfferDays: 30, PrincipalMin: cny(1_000), PrincipalMax: cny(3_000_000), Purposes: []string{"inputs"}, TermDaysMax: 400, Terms: kind, TranchesMax: 1}}
	f := loan.Frame{Scheme: group.Scheme{V: 1, Account: scheme, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank"}, At: noon}, Version: schemeTerms(), Offer: &loan.Offer{V: 1, Latest: 1, Version: 1},
		Product: &product, Group: g, Standing: w.standing(k), Assessment: loan.Assessment{Outcome: loan.Approve, Score: 82, Limit: cny(3_000_000), Model: "coffee-1"}}
	c := loan.Apply{Account: scheme, Amount: cny(1_000 + w.random.Int64N(2_000_000)), Group: g.ID, Household: household(n), ID: w.id("l"), Product: "season", ProductVersion: 1, Purpose: "inputs", Terms: kind}
	var persons []string
	for i := k * members; i < (k+1)*members; i++ {
		persons = append(persons, fmt.Sprint("h", i))
	}
	l, _, err := c.Apply(f, w.ctx("coop", persons...))
	if err != nil {
		return err
	}
	if l.State != loan.Approved {
		return errNothing
	}
	advances := []terms.Advance{{Amount: c.Amount, Date: w.day}}
	quote, err := l.Quote(advances)
	ok(w, quote, err)
	hash, err := quote.Hash()
	ok(w, hash, err)
	contract := loan.ContractLoan{Account: scheme, Advances: advances, ID: w.id("contract"), Loan: l.ID, Quote: hash}
	l, entry, err := l.ContractLoan(contract, 30, f, w.ctx("coop", fmt.Sprint("h", n)))
	if err != nil {
		return err
	}
	w.loans = append(w.loans, &tracked{Loan: l, bad: w.chance(3)})
	w.each(l, func(d *loan.Debts, borrower bool) loan.Debts { return d.Begin(l, borrower, entry) })
	return nil
}

func (w *season) each(l loan.Loan, change func(d *loan.Debts, borrower bool) loan.Debts) {
	next := change(w.debts[l.Fingerprint], true)
	w.debts[l.Fingerprint] = &next
	for _, g := range l.Guarantors {
		next := change(w.debts[g.Fingerprint], false)
		w.debts[g.Fingerprint] = &next
	}
}

// payOut disburses a contract and books it. Nothing leaves while a member is overdue.
func (w *season) payOut() error {
	l := w.one(func(l *tracked) bool { return l.State == loan.Contracted })
	if l == nil {
		return errNothing
	}
	standing := w.standing(groupOf(l))
	c := loan.Disburse{Account: scheme, Amount: l.Principal, Expires: w.ctx("bank").At + 3*tape.Day, ID: w.id("out"), Loan: l.ID, To: tape.AccountID("outside:household:" + string(l.Household[len("household:"):len(l.Household)-len(":coffee")])), Tranche: 1}
	after, _, _, err := l.Disburse(c, loan.Disbursing{Group: w.groups[groupOf(l)], Standing: standing}, w.ctx("bank", "maker", "checker"))
	if err != nil {
		return err
	}
	for _, s := range standing {
		if s.Debts.OverdueLoan != "" {
			w.Errorf("%s was paid out while %s is overdue", l.ID, s.Member.Household)
		}
	}
	hold := &tape.Hold{V: 1, Account: lending, ID: c.ID, To: c.To, Amount: c.Amount, Captured: tape.Spans{{Start: 0, End: c.Amount.Units}}, Paid: w.day, State: tape.HoldCaptured}
	after, _, err = after.BookTranche(loan.BookTranche{Account: scheme, ID: w.id("book"), Loan: l.ID, Tranche: 1}, []*tape.Hold{hold}, w.ctx("coop"))
	l.Loan = ok(w, after, err)
	l.lent = l.Principal.Units
	w.moves(lending, l.Household, l.lent)
	return nil
}

func (w *season) moves(from, to tape.AccountID, units int64) {
	w.purses[from] -= units
	w.purses[to] += units
}

// pays puts a payment into the book and lets it count for the call, as the contract does.
func (w *season) pays(l *tracked, by tape.AccountID, units int64, date tape.Date, most loan.Mostly) error {
	entry := w.ctx("bank").Entry(w.id("pay"), "repay", string(scheme))
	p := loan.Pays{Amount: cny(units), Date: date, Mostly: most, AheadDays: 31}
	if by != l.Household {
		p.By = string(by)
	}
	before, err := l.Owed(w.day)
	ok(w, before, err)
	after, _, err := l.Pay(p, entry)
	if err != nil {
		return err
	}
	if calledOpen(l) {
		who := tape.AccountID("")
		if by != l.Household {
			who = by
		}
		call, err := l.Count(after, *l.call, who, cny(units), w.day)
		if err != nil {
			return err
		}
		w.called(l, call, entry)
	}
	if most != loan.Anything && units > before.Payoff()+before.Payoff()/50+100 { // interest of the window's days, at most
		w.Errorf("%s owes %d to end and was paid %d", l.ID, before.Payoff(), units)
	}
	l.Loan, l.repaid = after, l.repaid+units
	w.moves(by, lending, units)
	if after.State == loan.Closed {
		w.each(after, func(d *loan.Debts, borrower bool) loan.Debts { return d.End(after, borrower, entry) })
	}
	return nil
}

// called keeps a call that was changed, and whom it concerns.
func (w *season) called(l *tracked, call recourse.Call, entry tape.Entry) {
	l.call, l.changed = &call, true
	all := []string{l.Fingerprint}
	for _, g := range l.Guarantors {
		all = append(all, g.Fingerprint)
	}
	for i, print := range all {
		of := l.Household
		if i > 0 {
			of = l.Guarantors[i-1].Household
		}
		next := w.debts[print].Concerned(l.Loan, call, of, entry)
		w.debts[print] = &next
	}
}

func (w *season) owed(l *tracked) loan.Owed {
	owed, err := l.Owed(w.day)
	return ok(w, owed, err)
}

func (w *season) payDue() error {
	l := w.one(runs)
	if l == nil || l.bad && !w.chance(8) {
		return errNothing
	}
	owed := w.owed(l)
	return w.pays(l, l.Household, min(owed.Due(), owed.Payoff()), w.day, loan.UntilDue)
}

// payLate is a line of the bank of days ago.
func (w *season) payLate() error {
	l := w.one(runs)
	if l == nil {
		return errNothing
	}
	return w.pays(l, l.Household, 1+w.random.Int64N(100_000), w.day.AddDays(-w.random.IntN(10)), loan.Anything)
}

func (w *season) payMore() error {
	l := w.one(runs)
	if l == nil {
		return errNothing
	}
	return w.pays(l, l.Household, w.owed(l).Payoff()+1+w.random.Int64N(500), w.day, loan.Anything)
}
