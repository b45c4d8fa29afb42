package group_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules, in two schemes that share
// their households, with arrears that come and go and persons who die. After
// each step every invariant is asked. LIANBAO_SEED repeats a run; LIANBAO_STEPS
// makes it longer.

const (
	stepsInAll  = 20_000
	stepsShort  = 10_000
	stepsAWorld = 1000
	peopleMax   = 20
)

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll)
	if testing.Short() {
		steps = min(steps, stepsShort)
	}
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused := map[string]int{}, map[string]int{}
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := newSimulated(t, seed+n)
		for i := range stepsAWorld {
			w.now += tape.Instant(w.random.Int64N(int64(tape.Day)))
			name, err := w.step()
			if err != nil {
				refused[name]++
			} else {
				done[name]++
			}
			for _, invariant := range invariants {
				if fault := invariant.holds(w); fault != "" {
					t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s (%v): %s: %s", seed+n, stepsAWorld, i, name, err, invariant.name, fault)
				}
			}
		}
	}
	for _, c := range steppers {
		if done[c.name] == 0 && steps >= stepsShort {
			t.Errorf("%s was never accepted in %d steps", c.name, steps)
		}
	}
	t.Logf("%d steps; accepted %v; refused %v", steps, done, refused)
}

// frame is one scheme with its members and groups.
type frame struct {
	scheme  group.Scheme
	terms   *group.Terms
	members map[int]*group.Member
	groups  []*group.Group
}

type simulated struct {
	*testing.T
	random    *rand.Rand
	now       tape.Instant
	serial    int
	frames    []*frame
	standings map[int]*group.Standing
	persons   map[tape.ID]*party.Person
	signers   map[string]*group.Signer
	kin       map[string]*group.Kin
	debts     map[int]group.Debts
}

func newSimulated(t *testing.T, seed uint64) *simulated {
	w := &simulated{T: t, random: rand.New(rand.NewPCG(seed, 11)), now: noon, standings: map[int]*group.Standing{}, persons: map[tape.ID]*party.Person{},
		signers: map[string]*group.Signer{}, kin: map[string]*group.Kin{}, debts: map[int]group.Debts{}}
	for _, account := range []tape.AccountID{coffee, tea} {
		s := scheme()
		s.Account = account
		of := terms()
		of.Terms.CoolingDays, of.Terms.RefillDays, of.Terms.ExclusionMonths = 2, 20, 1
		w.frames = append(w.frames, &frame{scheme: s, terms: of, members: map[int]*group.Member{}})
	}
	return w
}

func (w *simulated) id(kind string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", kind, w.serial))
}

func (w *simulated) ctx(organisation string, persons ...string) tape.Context {
	ctx := by(organisation, persons...)
	ctx.At = w.now
	ctx.Date, _ = zone.Date(w.now)
	return ctx
}

func (w *simulated) chance(of int) bool { return w.random.IntN(of) == 0 }

var houses = map[string]tape.AccountID{}

// house is the name of household n in a scheme.
func house(s tape.AccountID, n int) tape.AccountID {
	key := fmt.Sprint(s, n)
	if houses[key] == "" {
		houses[key] = drawn(s, n)
	}
	return houses[key]
}

func drawn(s tape.AccountID, n int) tape.AccountID {
	name := strings.Split(string(s), ":")[2]
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint(name, n))) + ":" + name)
}

// number finds a household by its fingerprint.
func number(print string) int {
	n, _ := strconv.Atoi(print[len("invented-household-") : len("invented-household-")+2])
	return n
}

func (w *simulated) person(id tape.ID) *party.Person {
	if w.persons[id] == nil {
		w.persons[id] = registered(id, party.DutyMember)
	}
	return w.persons[id]
}

func (w *simulated) candidate(f *frame, household tape.AccountID, n int) group.Candidate {
	c := group.Candidate{Member: f.members[n], Standing: w.standings[n], Debts: w.owes(f, n)}
	if c.Member != nil {
		c.Person = w.person(c.Member.PersonOn(w.now))
	}
	c.Debts.Household = household
	return c
}

func (w *simulated) owes(f *frame, n int) group.Debts {
	d := w.debts[n]
	d.Household = house(f.scheme.Account, n)
	if w.standings[n] != nil {
		d.ExcludedUntil = w.standings[n].ExcludedUntil
	}
	return d
}

func (w *simulated) kinOf(fingerprints []string) []*group.Kin {
	var all []*group.Kin
	for _, key := range group.KinKeys(fingerprints) {
		all = append(all, w.kin[key])
	}
	return all
}

// signer is the person of household n as a signature by a key, now and then of other hands.
func (w *simulated) signer(f *frame, n int) string {
	name := "h0"
	if m := f.members[n]; m != nil {
		name = string(m.PersonOn(w.now))
	}
	if w.chance(40) {
		return name + "!agent-held"
	}
	return name
}

// group picks one that stands in one of some states, now and then any.
func (w *simulated) group(f *frame, states ...group.State) *group.Group {
	var some []*group.Group
	for _, g := range f.groups {
		if slices.Contains(states, g.State) || w.chance(30) {
			some = append(some, g)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.random.IntN(len(some))]
}

var errNothing = fmt.Errorf("nothing to do")

var steppers = []struct {
	name   string
	weight int
	do     func(*simulated, *frame) error
}{
	{"admit", 14, (*simulated).admit}, {"leave", 1, (*simulated).leave}, {"replace", 1, (*simulated).replace}, {"relate", 1, (*simulated).relate}, {"owe", 7, (*simulated).owe},
	{"form", 10, (*simulated).form}, {"sign", 40, (*simulated).sign}, {"endorse", 10, (*simulated).endorse}, {"approve", 20, (*simulated).approve}, {"reject", 1, (*simulated).reject},
	{"freeze", 8, (*simulated).freeze}, {"cure", 16, (*simulated).cure}, {"exit", 2, (*simulated).exit}, {"expel", 2, (*simulated).expel}, {"refill", 8, (*simulated).refill},
	{"die", 1, (*simulated).die}, {"wind-down", 2, (*simulated).windDown}, {"close", 2, (*simulated).end},
}

func (w *simulated) step() (string, error) {
	total := 0
	for _, c := range steppers {
		total += c.weight
	}
	pick := w.random.IntN(total)
	for _, c := range steppers {
		if pick -= c.weight; pick < 0 {
			return c.name, c.do(w, w.frames[w.random.IntN(len(w.frames))])
		}
	}
	panic("unreachable")
}

func (w *simulated) admit(f *frame) error {
	n := 1 + w.random.IntN(peopleMax)
	who := tape.ID(fmt.Sprintf("h%d-%d", n, w.random.IntN(2)))
	key := group.SignerKey(f.scheme.Account, who)
	c := group.Admit{Account: f.scheme.Account, Adult: true, Capacity: true, Fingerprint: fingerprint(n), Household: house(f.scheme.Account, n), ID: w.id("admit"), Person: who}
	admission, _, err := f.scheme.Admit(c, group.AdmitState{Member: f.members[n], Standing: w.standings[n], Signer: w.signers[key], Person: w.person(who)}, w.ctx("coop", "maker", "checker"))
	if err != nil {
		return err
	}
	f.members[n], w.standings[n], w.signers[key] = &admission.Member, &admission.Standing, &admission.Signer
	return nil
}

func (w *simulated) leave(f *frame) error {
	n := 1 + w.random.IntN(peopleMax)
	m, _, err := f.scheme.Leave(group.Leave{Account: f.scheme.Account, Household: house(f.scheme.Account, n), ID: w.id("leave")}, f.members[n], w.standings[n], w.owes(f, n), w.ctx("bank", w.signer(f, n)))
	if err == nil {
		f.members[n] = &m
	}
	return err
}

func (w *simulated) replace(f *frame) error {
	n := 1 + w.random.IntN(peopleMax)
	who := tape.ID(fmt.Sprintf("h%d-%d", n, w.random.IntN(3)))
	key := group.SignerKey(f.scheme.Account, who)
	c := group.ReplaceSigner{Account: f.scheme.Account, Household: house(f.scheme.Account, n), ID: w.id("replace"), Person: who, Reason: "other-adult"}
	m, s, _, err := f.scheme.ReplaceSigner(c, group.ReplaceState{Member: f.members[n], Standing: w.standings[n], Signer: w.signers[key], Person: w.person(who)}, w.ctx("coop", "maker", "checker"))
	if err == nil {
		f.members[n], w.signers[key] = &m, &s
	}
	return err
}

func (w *simulated) relate(f *frame) error {
	one, other := 1+w.random.IntN(peopleMax), 1+w.random.IntN(peopleMax)
	key := group.KinKey(fingerprint(one), fingerprint(other))
	c := group.Relate{Account: f.scheme.Account, Household: house(f.scheme.Account, one), ID: w.id("kin"), Other: house(f.scheme.Account, other), Withdraw: w.kin[key] != nil && !w.kin[key].Withdrawn}
	k, _, err := f.scheme.Relate(c, f.members[one], f.members[other], w.kin[key], w.ctx("coop", "maker", "checker"))
	if err == nil {
		w.kin[key] = &k
	}
	return err
}

// troubled are the households of which something is unpaid.
func (w *simulated) troubled() []int {
	var all []int
	for n := 1; n <= peopleMax; n++ {
		if d := w.debts[n]; d.OverdueLoan != "" || d.OpenCall != "" || d.OpenRecourse != "" {
			all = append(all, n)
		}
	}
	return all
}

// owe changes what a household owes; its rules are another package's.
func (w *simulated) owe(f *frame) error {
	n := 1 + w.random.IntN(peopleMax)
	if trouble := w.troubled(); len(trouble) > 0 && !w.chance(3) {
		n = trouble[w.random.IntN(len(trouble))]
		clear := group.Debts{LastOverdue: w.debts[n].LastOverdue}
		if w.debts[n].OverdueLoan != "" {
			clear.LastOverdue = w.ctx("coop").Date
		}
		w.debts[n] = clear
		return nil
	}
	late := false
	if g := w.group(f, group.Active); g != nil && w.chance(2) {
		n, late = number(g.Members[0].Fingerprint), true
	}
	d := w.debts[n]
	if late = late && d.OverdueLoan == ""; d.OverdueLoan != "" {
		d.LastOverdue = w.ctx("coop").Date
		d.OverdueLoan, d.OpenCall = "", ""
	}
	d.OpenLoans, d.GroupLoans, d.OpenRecourse = int32(w.random.IntN(2)), int32(w.random.IntN(3)), ""
	switch w.random.IntN(20) {
	case 0:
		d.OverdueLoan, d.OpenLoans = "loan/1", 1
	case 1:
		d.OpenCall = "call/1"
	case 2:
		d.OpenRecourse = "call/2"
	}
	if late {
		d.OverdueLoan, d.OpenLoans = "loan/1", 1
	}
	w.debts[n] = d
	return nil
}

// free are households in a random order, mostly without those who are evidently refused.
func (w *simulated) free(f *frame) []int {
	order := w.random.Perm(peopleMax)
	for i := range order {
		order[i]++
	}
	if w.chance(6) {
		return order
	}
	return slices.DeleteFunc(order, func(n int) bool {
		m := f.members[n]
		return m == nil || m.State != group.Admitted || w.standings[n].Group != nil
	})
}

func (w *simulated) form(f *frame) error {
	a := agreement(0)
	a.Lenders = []string{"bank", "union"}[:1+w.random.IntN(2)]
	a.Expiry = w.ctx("coop").Date.AddDays(30 + w.random.IntN(400))
	order := w.free(f)
	order = order[:min(len(order), 2+w.random.IntN(5))]
	var all []group.Candidate
	var prints []string
	for i, n := range order {
		share := group.Share{Household: house(f.scheme.Account, n)}
		if a.Shares == group.AgreedShares || i == 0 && w.chance(2) {
			a.Shares, share.PartsPerMillion = group.AgreedShares, int32(1_000_000/len(order))
			if i == 0 {
				share.PartsPerMillion += int32(1_000_000 % len(order))
			}
		}
		a.Members = append(a.Members, share)
		all, prints = append(all, w.candidate(f, share.Household, n)), append(prints, fingerprint(n))
	}
	g, _, err := f.scheme.FormGroup(group.FormGroup{Account: f.scheme.Account, Agreement: a, Group: w.id("g"), ID: w.id("form")}, f.terms, all, w.kinOf(prints), w.ctx("coop", "maker", "checker"))
	if err == nil {
		f.groups = append(f.groups, &g)
	}
	return err
}

// sign is mostly by one who has not signed.
func (w *simulated) sign(f *frame) error {
	g := w.group(f, group.Draft, group.Signing)
	for _, other := range f.groups {
		if other.Joining != nil && w.chance(2) {
			g = other
		}
	}
	if g == nil {
		return errNothing
	}
	c := group.SignGroup{Account: f.scheme.Account, Agreement: g.AgreementHash, Group: g.ID, ID: w.id("sign")}
	households := g.Agreement.Members
	if g.Joining != nil {
		c.Joining, households = g.Joining.Household, g.Joining.Members
	}
	for range 3 { // mostly one who has not
		c.Household = households[w.random.IntN(len(households))].Household
		if g.Joining != nil && !slices.ContainsFunc(g.Joining.Signed, func(s group.Signature) bool { return s.Household == c.Household }) ||
			g.Joining == nil && slices.ContainsFunc(g.Members, func(m group.GroupMember) bool { return m.Household == c.Household && m.Signed == nil }) {
			break
		}
	}
	n := w.who(f, c.Household)
	next, _, err := g.Sign(c, f.members[n], w.ctx("insurer", w.signer(f, n)))
	if err == nil {
		*g = next
	}
	return err
}

func (w *simulated) who(f *frame, household tape.AccountID) int {
	for n := 1; n <= peopleMax; n++ {
		if house(f.scheme.Account, n) == household {
			return n
		}
	}
	return 0
}

func (w *simulated) endorse(f *frame) error {
	g := w.group(f, group.Review)
	if g == nil {
		return errNothing
	}
	next, _, err := f.scheme.Endorse(group.Endorse{Account: f.scheme.Account, Group: g.ID, ID: w.id("endorse")}, *g, w.ctx("coop", "maker", "checker"))
	if err == nil {
		*g = next
	}
	return err
}

func (w *simulated) approve(f *frame) error {
	g := w.group(f, group.Review)
	for _, other := range f.groups {
		if other.Joining != nil && w.chance(2) {
			g = other
		}
	}
	if g == nil {
		return errNothing
	}
	var all []group.Candidate
	for _, household := range g.Candidates() {
		all = append(all, w.candidate(f, household, w.who(f, household)))
	}
	kin := w.kinOf(g.Fingerprints())
	next, standings, entry, err := g.Approve(group.ApproveGroup{Account: f.scheme.Account, Group: g.ID, ID: w.id("approve")}, all, kin, w.ctx([]string{"bank", "union"}[w.random.IntN(2)], "maker", "checker"))
	if err != nil {
		return err
	}
	if entry.BusinessDate > next.Agreement.Expiry {
		w.Fatalf("group %s was approved on %s, behind its expiry", next.ID, entry.BusinessDate)
	}
	for _, one := range kin[:len(standings)*(len(standings)-1)/2] {
		if one != nil && !one.Withdrawn {
			w.Fatalf("group %s was approved with close kin in it", next.ID)
		}
	}
	households := g.Candidates()
	for i, s := range standings {
		if entry.BusinessDate <= s.ExcludedUntil || w.debts[w.who(f, households[i])].OverdueLoan != "" {
			w.Fatalf("group %s took in %s, which is excluded or overdue", next.ID, households[i])
		}
		w.standings[w.who(f, households[i])] = &s
	}
	*g = next
	return nil
}

func (w *simulated) reject(f *frame) error {
	g := w.group(f, group.Draft, group.Signing, group.Review)
	if g == nil {
		return errNothing
	}
	next, _, err := f.scheme.Reject(group.RejectGroup{Account: f.scheme.Account, Group: g.ID, ID: w.id("reject"), Reason: "other"}, *g, w.ctx([]string{"bank", "coop"}[w.random.IntN(2)], "maker", "checker"))
	if err == nil {
		*g = next
	}
	return err
}

func (w *simulated) debtsOf(f *frame, members []group.GroupMember) []group.Debts {
	var all []group.Debts
	for _, m := range members {
		all = append(all, w.owes(f, number(m.Fingerprint)))
	}
	return all
}

func (w *simulated) freeze(f *frame) error {
	g := w.group(f, group.Active)
	if g == nil {
		return errNothing
	}
	next, _, err := g.Freeze(group.Freeze{Account: f.scheme.Account, Group: g.ID, ID: w.id("freeze")}, w.debtsOf(f, g.Concerned()), w.ctx("regulator"))
	if err == nil {
		*g = next
	}
	return err
}

func (w *simulated) cure(f *frame) error {
	g := w.group(f, group.Frozen)
	if g == nil {
		return errNothing
	}
	debts := w.debtsOf(f, g.Concerned())
	next, entry, err := g.Cure(group.Cure{Account: f.scheme.Account, Group: g.ID, ID: w.id("cure")}, f.terms.Terms, debts, w.ctx("regulator"))
	if err != nil {
		return err
	}
	for _, d := range debts {
		if d.OverdueLoan != "" || d.OpenCall != "" || d.LastOverdue != "" && d.LastOverdue.DaysUntil(entry.BusinessDate) <= int(f.terms.Terms.CoolingDays) {
			w.Fatalf("group %s was cured with %+v", g.ID, d)
		}
	}
	*g = next
	return nil
}

// leaver picks a household of a group, and what is known of it.
func (w *simulated) leaver(f *frame) (*group.Group, int, group.Leaving) {
	g := w.group(f, group.Active, group.Frozen)
	if g == nil || len(g.Living()) == 0 {
		return nil, 0, group.Leaving{}
	}
	living := g.Living()
	n := number(living[w.random.IntN(len(living))].Fingerprint)
	return g, n, group.Leaving{Member: *f.members[n], Standing: *w.standings[n], Debts: w.owes(f, n)}
}

func (w *simulated) exit(f *frame) error {
	g, n, leaving := w.leaver(f)
	if g == nil {
		return errNothing
	}
	next, standing, _, err := g.Exit(group.Exit{Account: f.scheme.Account, Group: g.ID, Household: house(f.scheme.Account, n), ID: w.id("exit"), Tail: w.chance(2)}, f.terms.Terms, leaving, w.ctx("bank", w.signer(f, n)))
	if err == nil {
		*g, w.standings[n] = next, &standing
	}
	return err
}

func (w *simulated) expel(f *frame) error {
	g, n, leaving := w.leaver(f)
	if g == nil {
		return errNothing
	}
	var others []group.Member
	var persons []string
	for _, m := range g.Living() {
		if o := number(m.Fingerprint); o != n {
			others, persons = append(others, *f.members[o]), append(persons, w.signer(f, o))
		}
	}
	if w.chance(3) && len(persons) > 0 {
		persons = persons[1:]
	}
	c := group.Expel{Account: f.scheme.Account, Assume: w.chance(2), Group: g.ID, Household: house(f.scheme.Account, n), ID: w.id("expel")}
	next, standing, _, err := g.Expel(c, f.terms.Terms, leaving, others, w.ctx("bank", persons...))
	if err == nil {
		*g, w.standings[n] = next, &standing
	}
	return err
}

func (w *simulated) refill(f *frame) error {
	g := w.group(f, group.Active, group.Frozen)
	if g == nil {
		return errNothing
	}
	all := w.free(f)
	if len(all) == 0 {
		return errNothing
	}
	n := all[0]
	c := group.Refill{Account: f.scheme.Account, Group: g.ID, Household: house(f.scheme.Account, n), ID: w.id("refill")}
	prints, living := []string{fingerprint(n)}, g.Living()
	for _, m := range living {
		c.Members, prints = append(c.Members, group.Share{Household: m.Household}), append(prints, m.Fingerprint)
	}
	c.Members = append(c.Members, group.Share{Household: c.Household})
	if g.Agreement.Shares == group.AgreedShares {
		for i := range c.Members {
			c.Members[i].PartsPerMillion = int32(1_000_000 / len(c.Members))
		}
		c.Members[0].PartsPerMillion += int32(1_000_000 % len(c.Members))
	}
	next, _, err := f.scheme.Refill(c, *g, f.terms.Terms, w.candidate(f, c.Household, n), w.kinOf(prints), w.ctx("coop", "maker", "checker"))
	if err == nil {
		*g = next
	}
	return err
}

func (w *simulated) die(f *frame) error {
	n := 1 + w.random.IntN(peopleMax)
	m := f.members[n]
	if m == nil || !w.chance(3) {
		return errNothing
	}
	state := group.DiedState{Member: m, Standing: w.standings[n], Person: w.person(m.PersonOn(w.now)), Terms: f.terms.Terms, Debts: w.owes(f, n)}
	if in := w.standings[n].Group; in != nil && in.Scheme == f.scheme.Account {
		i := slices.IndexFunc(f.groups, func(g *group.Group) bool { return g.ID == in.Group })
		state.Group = f.groups[i]
	}
	death, _, err := f.scheme.MemberDied(group.MemberDied{Account: f.scheme.Account, Household: house(f.scheme.Account, n), ID: w.id("died")}, state, w.ctx("coop", "maker", "checker@bank"))
	if err != nil {
		return err
	}
	if f.members[n] = &death.Member; death.Group != nil {
		*state.Group, w.standings[n] = *death.Group, death.Standing
	}
	return nil
}

func (w *simulated) windDown(f *frame) error {
	g := w.group(f, group.Active, group.Frozen)
	if g == nil {
		return errNothing
	}
	var living []group.Leaving
	var persons []string
	for _, m := range g.Living() {
		n := number(m.Fingerprint)
		living, persons = append(living, group.Leaving{Member: *f.members[n], Standing: *w.standings[n], Debts: w.owes(f, n)}), append(persons, w.signer(f, n))
	}
	c := group.WindDown{Account: f.scheme.Account, Group: g.ID, ID: w.id("wind"), Reason: []string{group.ExpiredTerm, group.BelowMinimum, group.Vote}[w.random.IntN(3)]}
	next, standings, _, err := g.WindDown(c, f.terms.Terms, living, w.ctx("bank", persons...))
	if err != nil {
		return err
	}
	for i, m := range g.Living() {
		w.standings[number(m.Fingerprint)] = &standings[i]
	}
	*g = next
	return nil
}

func (w *simulated) end(f *frame) error {
	g := w.group(f, group.WindingDown)
	if g == nil {
		return errNothing
	}
	next, _, err := g.Close(group.CloseGroup{Account: f.scheme.Account, Group: g.ID, ID: w.id("close")}, group.Outstanding{Loans: int32(w.random.IntN(2))}, w.ctx("bank"))
	if err == nil {
		*g = next
	}
	return err
}

// invariants hold after every step.
var invariants = []struct {
	name  string
	holds func(*simulated) string
}{
	{"a household lives in one active or frozen group at most, and its standing names that", oneGroup},
	{"an active group has as many as the scheme wants, all signed by their own hands over one agreement", complete},
	{"no agreement outlives the months of the scheme", shortLived},
	{"two members are two households and two persons", distinct},
	{"the guarantors' shares of any loan are agreed for all or for none", agreed},
	{"who left left once, and who lives has not", once},
}

func live(g *group.Group) bool { return g.State == group.Active || g.State == group.Frozen }

func oneGroup(w *simulated) string {
	places := map[int][]group.Place{}
	for _, f := range w.frames {
		for _, g := range f.groups {
			for _, m := range g.Living() {
				if live(g) {
					places[number(m.Fingerprint)] = append(places[number(m.Fingerprint)], group.Place{Scheme: g.Scheme, Group: g.ID})
				}
			}
		}
	}
	for n := 1; n <= peopleMax; n++ {
		in := w.standings[n]
		if len(places[n]) > 1 || in != nil && (in.Group != nil) != (len(places[n]) == 1) || in != nil && in.Group != nil && *in.Group != places[n][0] {
			return fmt.Sprintf("household %d: %+v and %+v", n, places[n], in)
		}
	}
	return ""
}

func complete(w *simulated) string {
	for _, f := range w.frames {
		for _, g := range f.groups {
			if !w.chance(len(f.groups)) { // one of them a step: hashing is most of the work
				continue
			}
			hash, err := g.Agreement.Hash(g.Scheme, g.ID)
			if err != nil || hash != g.AgreementHash {
				return fmt.Sprintf("group %s: its agreement is another: %v", g.ID, err)
			}
			n := len(g.Living())
			if g.State == group.Active && n < int(f.terms.Terms.GroupSizeMin) || live(g) && n > int(f.terms.Terms.GroupSizeMax) {
				return fmt.Sprintf("group %s is %s with %d", g.ID, g.State, n)
			}
			for _, m := range g.Members {
				if live(g) && (m.Signed == nil || m.Joined == 0 || m.Signed.Custody == "agent-held" || m.Signed.Household != m.Household) {
					return fmt.Sprintf("group %s: %+v has not signed", g.ID, m)
				}
			}
			if live(g) && (g.Endorsed == nil || len(g.Approved) != len(g.Agreement.Lenders)) {
				return fmt.Sprintf("group %s: not endorsed or approved", g.ID)
			}
		}
	}
	return ""
}

func shortLived(w *simulated) string {
	for _, f := range w.frames {
		for _, g := range f.groups {
			if g.Effective != "" && g.Agreement.Expiry > g.Effective.AddMonths(int(f.terms.Terms.GroupMonthsMax)) {
				return fmt.Sprintf("group %s: %s to %s", g.ID, g.Effective, g.Agreement.Expiry)
			}
			if g.MayBorrow(g.Members[0].Household, f.terms.Terms, nil, g.Agreement.Expiry.AddDays(1)) == nil {
				return fmt.Sprintf("group %s lends behind its expiry", g.ID)
			}
		}
	}
	return ""
}

func distinct(w *simulated) string {
	for _, f := range w.frames {
		for _, g := range f.groups {
			seen := map[string]bool{}
			for _, m := range g.Living() {
				names := []string{m.Fingerprint, string(m.Household)}
				if m.Signed != nil {
					names = append(names, string(m.Signed.Person))
				}
				for _, name := range names {
					if seen[name] {
						return fmt.Sprintf("group %s: %s twice", g.ID, name)
					}
					seen[name] = true
				}
			}
		}
	}
	return ""
}

func agreed(w *simulated) string {
	for _, f := range w.frames {
		for _, g := range f.groups {
			if g.State != group.Active {
				continue
			}
			for _, m := range g.Living() {
				guarantors, err := g.Guarantors(m.Household, w.now)
				parts := 0
				for _, share := range guarantors {
					parts += min(1, int(share.PartsPerMillion))
				}
				want := len(guarantors)
				if g.Agreement.Shares == group.EqualShares {
					want = 0
				}
				if err != nil || parts != want || len(guarantors) != len(g.Living())-1 {
					return fmt.Sprintf("group %s: %+v, %v", g.ID, guarantors, err)
				}
			}
		}
	}
	return ""
}

func once(w *simulated) string {
	for _, f := range w.frames {
		for _, g := range f.groups {
			for _, m := range g.Members {
				if (m.Gone == "") != (m.Left == 0) || m.Gone == "" && (m.Tail || m.Assumed) {
					return fmt.Sprintf("group %s: %+v", g.ID, m)
				}
			}
		}
	}
	return ""
}
