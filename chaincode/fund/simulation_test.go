package fund_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules of the fund and of the
// tape, and keeps far simpler books beside them: for each campaign the gifts it
// has, the payouts and where each stands. After each step both must agree.
// LIANBAO_SEED repeats a run; LIANBAO_STEPS makes it longer.

const (
	stepsInAll  = 60_000
	stepsShort  = 12_000
	stepsAWorld = 600
	earmarked   = speech + "-training"
)

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll)
	if testing.Short() {
		steps = min(steps, stepsShort)
	}
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused, homeward := map[string]int{}, map[string]int{}, 0
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := newSimulated(t, seed+n)
		for i := range stepsAWorld {
			name, err := w.step()
			if err != nil {
				refused[name]++
			} else {
				done[name]++
			}
			w.audit()
			if t.Failed() {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v", seed+n, stepsAWorld, i, name, err)
			}
		}
		homeward += w.homeward
	}
	for _, c := range steppers {
		if done[c.name] == 0 && steps >= stepsShort {
			t.Errorf("%s was never accepted in %d steps", c.name, steps)
		}
	}
	if homeward == 0 && steps >= stepsInAll { // about one in a thousand steps
		t.Errorf("nothing came home in %d steps", steps)
	}
	t.Logf("%d steps; accepted %v; refused %v; %d remainders freed budget lines", steps, done, refused, homeward)
}

// site is one campaign with all that hangs on it.
type site struct {
	campaign fund.Campaign
	account  tape.Account
	head     tape.Head
	budget   fund.Budget
	flags    map[tape.AccountID]*fund.Flag
	jobs     []*act
	inflows  []tape.Inflow
	gifts    []*present

	// grants is what the rules say of those whom it has paid.
	grants map[tape.AccountID]*fund.Granted

	// The simple books, in units: what givers gave, what other campaigns handed
	// over, what they paid; home is what each other has given back, on each line.
	given, handed, granted int64
	home                   map[tape.AccountID]map[tape.ID]int64
}

// present is a settled gift.
type present struct {
	gift   tape.Gift
	proof  tape.GiftProof
	place  tape.SettledGift
	refund *tape.Hold
	// declared: no line of the bank shows it.
	declared bool
}

// act is one disbursement on its way.
type act struct {
	d        fund.Disbursement
	chunks   [][]tape.Payment
	paths    [][]merkle.Node
	listed   []*fund.Listed
	approved map[tape.ID]*fund.Approved
	rejected *fund.Rejected
	ordered  *fund.Mark
	job      tape.Job
	ran      []*tape.Chunk
	payouts  []*payout
	onLedger map[tape.AccountID]int64 // paid to other campaigns
}

// passed is what it has paid to all other campaigns.
func (a *act) passed() (units int64) {
	for _, paid := range a.onLedger {
		units += paid
	}
	return units
}

// payout is one hold of a disbursement.
type payout struct {
	n, index int32
	hold     tape.Hold
	restored *fund.Restored
	said     *fund.Confirmation
}

type simulated struct {
	*testing.T
	random  *rand.Rand
	now     tape.Instant
	serial  int
	sites   map[tape.AccountID]*site
	outside int64 // units that left the ledger, less those that came back
	inside  int64 // units that came in
	// homeward counts the remainders that gave something back to budget lines.
	homeward int
}

// payees are on every campaign's list; "outside:household:kecaghbkndkcembeocccnojpdmjnkknd" is on none.
var payees = map[tape.AccountID]*fund.Payee{
	family: {Payee: family, Kind: fund.Household, Person: "h1", Agent: "agent"},
	shop:   {Payee: shop, Kind: fund.Supplier},
	clerk:  {Payee: clerk, Kind: fund.Staff, Person: "checker"},
}

var persons = []string{"maker", "checker", "agent", "h1", "other@coop"}

func newSimulated(t *testing.T, seed uint64) *simulated {
	w := &simulated{T: t, random: rand.New(rand.NewPCG(seed, 3)), now: noon, sites: map[tape.AccountID]*site{}}
	w.open(speech, fund.Filing, "", plan())
	other := plan()
	other.Leftover = speech
	w.open(children, fund.Filing, "", other)
	other.Goal, other.Lines = cny(70_000), plan().Lines[:1]
	w.open(earmarked, fund.Earmark, speech, other)
	w.open(school, fund.Grant, speech, other)
	return w
}

func (w *simulated) open(id tape.AccountID, basis fund.Basis, parent tape.AccountID, p fund.Plan) {
	w.Helper()
	c := fund.OpenCampaign{Account: id, Basis: basis, Custodian: custody, ID: w.id("open"), Parent: parent, Plan: p}
	state := fund.OpenState{Regulates: true, Keeps: true, Invitation: &fund.Invitation{V: 1, Partner: id, Organisation: "charity"}}
	if parent != "" {
		state.Parent = &w.sites[parent].campaign
	}
	campaign, budget, err := c.Apply(state, w.ctx("charity", "maker", "checker"))
	if err != nil {
		w.Fatal(err)
	}
	account, head, _, err := c.Tape().Apply(nil, nil, w.ctx("charity"))
	if err != nil {
		w.Fatal(err)
	}
	s := &site{campaign: campaign, account: account, head: head, budget: budget, flags: map[tape.AccountID]*fund.Flag{},
		grants: map[tape.AccountID]*fund.Granted{}, home: map[tape.AccountID]map[tape.ID]int64{}}
	w.sites[id] = s
	if basis == fund.Filing {
		if _, err := w.accept(s); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *simulated) id(kind string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", kind, w.serial))
}

func (w *simulated) ctx(organisation string, persons ...string) tape.Context {
	ctx := by(organisation, persons...)
	ctx.At = w.now
	ctx.Date, _ = zone.Date(w.now)
	if organisation == "bank" {
		ctx.Powers = []string{party.Custodian}
	}
	return ctx
}

func (w *simulated) chance(of int) bool { return w.random.IntN(of) == 0 }

func one[T any](w *simulated, list []T) T { return list[w.random.IntN(len(list))] }

// site is mostly the one campaign on which everything hangs.
func (w *simulated) site() *site {
	if w.random.IntN(3) > 0 {
		return w.sites[speech]
	}
	return w.sites[one(w, slices.Sorted(maps.Keys(w.sites)))]
}

// siteWith is mostly one that satisfies a condition, else the given one.
func (w *simulated) siteWith(s *site, is func(*site) bool) *site {
	var all []*site
	for _, id := range slices.Sorted(maps.Keys(w.sites)) {
		all = append(all, w.sites[id])
	}
	if found, is := some(w, all, is); is {
		return found
	}
	return s
}

// some returns one of those that satisfy a condition, now and then any.
func some[T any](w *simulated, list []T, is func(T) bool) (T, bool) {
	var none T
	if !w.chance(8) {
		list = slices.Collect(func(yield func(T) bool) {
			for _, item := range list {
				if is(item) && !yield(item) {
					return
				}
			}
		})
	}
	if len(list) == 0 {
		return none, false
	}
	return one(w, list), true
}

var steppers = []struct {
	name   string
	weight int
	do     func(*simulated, *site) error
}{
	{"give", 8, (*simulated).give}, {"refund", 3, (*simulated).refund}, {"propose", 10, (*simulated).propose}, {"list", 16, (*simulated).list}, {"approve", 16, (*simulated).approve},
	{"reject", 1, (*simulated).reject}, {"order", 12, (*simulated).order}, {"pay", 14, (*simulated).pay}, {"close", 4, (*simulated).closeJob}, {"capture", 8, (*simulated).capture},
	{"return", 3, (*simulated).giveBack}, {"release", 3, (*simulated).release}, {"reclaim", 4, (*simulated).reclaim}, {"restore", 5, (*simulated).restore}, {"confirm", 6, (*simulated).confirm},
	{"flag", 1, (*simulated).flag}, {"settle", 6, (*simulated).settle}, {"amend", 1, (*simulated).amend}, {"accept", 1, func(w *simulated, s *site) error { _, err := w.accept(s); return err }},
	{"end", 1, (*simulated).end}, {"carry", 3, (*simulated).carry},
}

func (w *simulated) step() (string, error) {
	w.now += tape.Instant(w.random.Int64N(int64(tape.Hour)))
	total := 0
	for _, c := range steppers {
		total += c.weight
	}
	pick := w.random.IntN(total)
	for _, c := range steppers {
		if pick -= c.weight; pick < 0 {
			return c.name, c.do(w, w.site())
		}
	}
	panic("unreachable")
}

// errNothing is why a step does nothing: there is nothing to do it with.
var errNothing = fmt.Errorf("nothing to do")

// give settles one gift by a line of the bank, now and then on the charity's word.
func (w *simulated) give(s *site) error {
	gift := tape.Gift{ID: w.id("gift"), Amount: cny(1 + w.random.Int64N(20_000))}
	c := tape.Receive{Account: s.account.ID, Count: 1, Gifts: []tape.Gift{gift}, ID: w.id("page"), Total: gift.Amount}
	encoded, err := c.Encode()
	if err != nil {
		return err
	}
	if c, err = tape.DecodeReceive(encoded); err != nil {
		return err
	}
	page, _, err := s.account.Receive(c, w.ctx("charity"))
	if err != nil {
		return err
	}
	declared := w.chance(4)
	head, settlement, err := w.shown(s, page, declared)
	if err != nil {
		return err
	}
	proof, err := tape.NewGiftProof(page.ID, []tape.Gift{gift}, 0)
	if err != nil {
		return err
	}
	s.head, s.given, w.inside = head, s.given+gift.Amount.Units, w.inside+gift.Amount.Units
	s.gifts = append(s.gifts, &present{gift: gift, proof: proof, place: tape.SettledGift{Page: page, Settlement: &settlement}, declared: declared})
	return nil
}

// shown settles a page of one gift by a line of the bank, or by declaring it.
func (w *simulated) shown(s *site, page tape.Page, declared bool) (tape.Head, tape.Settlement, error) {
	source := tape.Source{Page: &page}
	if declared {
		head, settlement, _, err := s.campaign.Declare(fund.Declare{Account: s.account.ID, ID: w.id("declare"), Page: page.ID}, s.account, s.head, source, w.ctx("charity", "maker", "checker"))
		return head, settlement, err
	}
	body, _, err := tape.LinesBody(tape.CreditSide, []tape.Line{{Number: 1, Date: "2026-01-01", Amount: page.Total}})
	if err != nil {
		return s.head, tape.Settlement{}, err
	}
	statement := w.id("s")
	source.Lines = &tape.Lines{V: 1, Account: custody, Statement: statement, LinesPage: body}
	item := tape.SettleItem{Lines: &tape.LinesRef{Statement: statement}, Source: string(page.ID)}
	head, result, _, err := s.head.Settle(s.account, tape.Settle{Account: s.account.ID, ID: w.id("settle"), Items: []tape.SettleItem{item}}, []tape.Source{source}, w.ctx("charity"))
	if err != nil {
		return head, tape.Settlement{}, err
	}
	return head, result.Settlements[0], nil
}

func (w *simulated) refund(s *site) error {
	gift, found := some(w, s.gifts, func(p *present) bool { return p.refund == nil })
	if !found {
		return errNothing
	}
	c := tape.Refund{Account: s.account.ID, Expires: w.now + tape.Day, Gift: gift.proof, ID: w.id("refund"), To: gift.gift.Giver()}
	head, hold, reversal, _, err := s.head.Refund(s.account, c, gift.place, w.ctx("charity", "maker", "checker"))
	if err != nil {
		return err
	}
	s.head = head
	gift.refund, gift.place.Reversal, gift.place.Hold = &hold, &reversal, &hold
	return nil
}

// receivers of a random payment, some of whom no plan allows.
var receivers = []tape.AccountID{family, family, shop, clerk, school, earmarked, children, "outside:household:kecaghbkndkcembeocccnojpdmjnkknd"}

// receiver is mostly one that the line may pay.
func (w *simulated) receiver(s *site, line fund.BudgetLine) tape.AccountID {
	switch {
	case w.chance(16):
		return one(w, receivers)
	case line.Kind != fund.Programme:
		return one(w, []tape.AccountID{shop, clerk})
	case s.account.ID == speech && line.ID == "training" && w.chance(2):
		return one(w, []tape.AccountID{school, earmarked})
	case s.account.ID == speech && w.chance(2):
		return school
	}
	return one(w, []tape.AccountID{family, shop})
}

func (w *simulated) propose(s *site) error {
	line := one(w, s.campaign.Plan.Lines)
	if w.chance(20) {
		line.ID = "books"
	}
	a := &act{approved: map[tape.ID]*fund.Approved{}, onLedger: map[tape.AccountID]int64{}}
	for range 1 + w.random.IntN(2) {
		var payments []tape.Payment
		to := w.receiver(s, line)
		for i := range 1 + w.random.IntN(3) {
			if w.chance(3) {
				to = w.receiver(s, line)
			}
			payments = append(payments, pay(tape.ID(fmt.Sprint("l", i)), 1+w.random.Int64N(4_000), to))
		}
		a.chunks = append(a.chunks, payments)
		a.d.Count += int32(len(payments))
	}
	job, runs, err := tape.NewJob(s.account.ID, w.id("d"), w.now+tape.Day*tape.Instant(1+w.random.IntN(9)), a.chunks)
	if err != nil {
		return err
	}
	c := fund.Propose{Account: s.account.ID, Amount: job.Amount, Chunks: job.Chunks, Count: a.d.Count, Expires: job.Expires, ID: job.ID, Line: line.ID, Root: job.Root}
	d, _, err := s.campaign.Propose(c, s.budget, w.ctx("charity", one(w, []string{"maker", "maker", "maker", "agent", "checker"})))
	if err != nil {
		return err
	}
	a.d, a.listed, a.ran = d, make([]*fund.Listed, len(runs)), make([]*tape.Chunk, len(runs))
	for _, run := range runs {
		a.paths = append(a.paths, run.Path)
	}
	s.jobs = append(s.jobs, a)
	return nil
}

// lines are the payments of a chunk with what is known of their payees.
func (w *simulated) lines(s *site, payments []tape.Payment) []fund.Line {
	lines := make([]fund.Line, len(payments))
	for i, p := range payments {
		lines[i] = fund.Line{Payment: p}
		if to := w.sites[p.To]; to != nil {
			lines[i].Campaign, lines[i].Invitation = &to.campaign, &fund.Invitation{V: 1, Partner: p.To}
			continue
		}
		lines[i].Payee, lines[i].Flag = payees[p.To], s.flags[p.To]
	}
	return lines
}

func (w *simulated) list(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool {
		return slices.Contains(a.listed, nil) && a.rejected == nil && a.d.Plan == s.campaign.Version
	})
	if !found {
		return errNothing
	}
	n := slices.Index(a.listed, nil)
	if n < 0 {
		return errNothing // the contract refuses: the key is taken
	}
	c := fund.List{Account: s.account.ID, Disbursement: a.d.ID, ID: w.id("list"), Lines: a.chunks[n], N: int32(n), Path: a.paths[n]}
	listed, _, err := s.campaign.List(c, a.d, w.lines(s, a.chunks[n]), w.ctx("charity"))
	if err == nil {
		a.listed[n] = &listed
	}
	return err
}

func (w *simulated) approve(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool {
		return !slices.Contains(a.listed, nil) && a.ordered == nil && a.rejected == nil && a.d.Plan == s.campaign.Version
	})
	if !found {
		return errNothing
	}
	ctx := w.ctx("charity", one(w, append([]string{"checker", "other@coop", "other@coop"}, persons...)))
	person := ctx.Approvals[0].Person
	approved, _, err := s.campaign.Approve(fund.Approve{Account: s.account.ID, Disbursement: a.d.ID, ID: w.id("approve")}, a.d, a.listed, a.rejected, a.approved[person], ctx)
	if err == nil {
		a.approved[person] = &approved
	}
	return err
}

func (w *simulated) reject(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool { return a.ordered == nil })
	if !found {
		return errNothing
	}
	c := fund.Reject{Account: s.account.ID, Disbursement: a.d.ID, ID: w.id("reject"), Reason: one(w, []string{"withdrawn", "budget"})}
	rejected, _, err := s.campaign.Reject(c, a.d, a.rejected, a.ordered, w.ctx("charity", one(w, persons)))
	if err == nil {
		a.rejected = &rejected
	}
	return err
}

func (w *simulated) order(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool {
		return len(a.approved) > 0 && a.ordered == nil && a.rejected == nil
	})
	if !found {
		return errNothing
	}
	c := fund.Order{Account: s.account.ID, Approvers: slices.Sorted(maps.Keys(a.approved)), Disbursement: a.d.ID, ID: w.id("order")}
	if w.chance(8) {
		c.Approvers = append(c.Approvers, "agent")
	}
	state := fund.OrderState{Disbursement: a.d, Rejected: a.rejected, Ordered: a.ordered, Budget: s.budget, Persons: []*party.Person{inForce(a.d.Maker.Person)},
		Policy: party.DefaultPolicy(party.Threshold{Amount: cny(9_000), Organisations: 2}).Approval}
	for _, person := range c.Approvers {
		state.Approved, state.Persons = append(state.Approved, a.approved[person]), append(state.Persons, inForce(person))
	}
	ordering, entry, err := s.campaign.Order(c, state, s.account, s.head, w.ctx("charity"))
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{s.head}, []tape.Keeper{ordering.Head, ordering.Job}, entry)
	w.decided(s, a)
	s.head, s.budget, a.job, a.ordered = ordering.Head, ordering.Budget, ordering.Job, &ordering.Mark
	w.withinTheCap(s, a)
	return nil
}

// decided looks at an order as somebody would who knows no rules: two persons
// who gain nothing, of two organisations above 90.00, and a list of all of it.
func (w *simulated) decided(s *site, a *act) {
	w.Helper()
	signed := map[tape.ID]string{a.d.Maker.Person: "charity"}
	for person, approved := range a.approved {
		signed[person] = approved.Approval.Organisation
	}
	organisations := map[string]bool{}
	for _, organisation := range signed {
		organisations[organisation] = true
	}
	total := int64(0)
	for n, payments := range a.chunks {
		if a.listed[n] == nil {
			w.Errorf("chunk %d was ordered and never listed", n)
		}
		for _, p := range payments {
			total += p.Amount.Units
			if payee := payees[p.To]; payee != nil && (signed[payee.Person] != "" || payee.Agent != "" && signed[payee.Agent] != "") {
				w.Errorf("%v decided on a payment to %s", slices.Sorted(maps.Keys(signed)), p.To)
			}
		}
	}
	if len(signed) < 2 || total > 9_000 && len(organisations) < 2 || total != a.d.Amount.Units || a.d.Plan != s.campaign.Version {
		w.Errorf("%d units were ordered by %v of %v under plan %d of %d", total, slices.Sorted(maps.Keys(signed)), slices.Sorted(maps.Keys(organisations)), a.d.Plan, s.campaign.Version)
	}
}

// withinTheCap: what was ordered for management is no more than its share of
// the gifts that the bank shows and that are not given back.
func (w *simulated) withinTheCap(s *site, a *act) {
	w.Helper()
	line, known := s.campaign.Plan.Line(a.d.Line)
	if !known || line.Kind != fund.Management {
		return
	}
	spent := int64(0)
	for _, of := range s.budget.Lines {
		if l, _ := s.campaign.Plan.Line(of.Line); l.Kind == fund.Management {
			spent += of.Units
		}
	}
	base := int64(0)
	for _, gift := range s.gifts {
		if gift.refund == nil && !gift.declared {
			base += gift.gift.Amount.Units
		}
	}
	if spent*1_000_000 > base*int64(s.campaign.Plan.ManagementPartsPerMillion) {
		w.Errorf("%s has ordered %d units for management of %d", s.account.ID, spent, base)
	}
}

// back is what came back of payouts and was not given back to a budget line.
func (s *site) back() int64 {
	back := int64(0)
	for _, a := range s.jobs {
		for _, p := range a.payouts {
			back += p.hold.Returned.Total()
			if p.hold.State == tape.HoldReclaimed {
				back += p.hold.Amount.Units - p.hold.Captured.Total()
			}
			if p.restored != nil {
				back -= p.restored.Units
			}
		}
	}
	return back
}

func (w *simulated) pay(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool {
		return a.ordered != nil && slices.Contains(a.ran, nil) && a.job.State == tape.JobOpen
	})
	if !found || a.ordered == nil {
		return errNothing
	}
	n := w.random.IntN(len(a.chunks))
	c := fund.Pay{Account: s.account.ID, Disbursement: a.d.ID, ID: w.id("pay"), Lines: a.chunks[n], N: int32(n), Path: a.paths[n]}
	if err := s.campaign.Pay(a.d, w.lines(s, c.Lines), w.ctx("charity")); err != nil {
		return err
	}
	accounts := make([]*tape.Account, len(c.Lines))
	for i, p := range c.Lines {
		if to := w.sites[p.To]; to != nil {
			accounts[i] = &to.account
		}
	}
	ran, entry, err := a.job.Run(s.account, c.Chunk(), a.ran[n], accounts, w.ctx("charity"))
	if err != nil {
		return err
	}
	after := []tape.Keeper{ran.Chunk}
	for i, hold := range ran.Holds {
		if payees[hold.To] == nil || s.flags[hold.To] != nil && len(s.flags[hold.To].Raised) > 0 {
			w.Errorf("%s pays %s", s.account.ID, hold.To)
		}
		after = append(after, hold)
		a.payouts = append(a.payouts, &payout{n: int32(n), index: indexOf(c.Lines, i), hold: hold})
	}
	w.passed(nil, after, entry)
	a.ran[n] = &ran.Chunk
	for _, to := range c.Campaigns() {
		granted := a.d.Grant(to, c.Lines, s.grants[to])
		s.grants[to] = &granted
	}
	for _, inflow := range ran.Inflows {
		if s.account.ID != speech || inflow.Account != school && inflow.Account != earmarked || a.d.Line != "training" && inflow.Account == earmarked {
			w.Errorf("%s hands %s to %s out of line %s", s.account.ID, inflow.Amount, inflow.Account, a.d.Line)
		}
		a.onLedger[inflow.Account] += inflow.Amount.Units
		to := w.sites[inflow.Account]
		to.inflows, to.granted = append(to.inflows, inflow), to.granted+inflow.Amount.Units
	}
	return nil
}

// indexOf is the place among all lines of the i-th one that is paid outside.
func indexOf(lines []tape.Payment, i int) int32 {
	for at, line := range lines {
		if line.To.Outside() {
			if i--; i < 0 {
				return int32(at)
			}
		}
	}
	panic("unreachable")
}

func (w *simulated) closeJob(s *site) error {
	a, found := some(w, s.jobs, func(a *act) bool { return a.ordered != nil && a.job.State == tape.JobOpen })
	if !found || a.ordered == nil {
		return errNothing
	}
	c := fund.CloseDisbursement{Abandon: w.chance(3), Account: s.account.ID, Disbursement: a.d.ID, ID: w.id("close")}
	var chunks []tape.Chunk
	for _, chunk := range a.ran {
		if chunk != nil {
			chunks = append(chunks, *chunk)
		}
	}
	job, head, _, err := a.job.Close(s.account, s.head, c.Job(), chunks, w.ctx("charity"))
	if err != nil {
		return err
	}
	if a.job, s.head = job, head; c.Abandon {
		s.budget = a.d.GiveBack(s.budget, job)
	}
	return nil
}

// payout finds one payout of a campaign.
func (w *simulated) payout(s *site, is func(*payout) bool) (*act, *payout, error) {
	for range 8 {
		if a, found := some(w, s.jobs, func(a *act) bool { return len(a.payouts) > 0 }); found && len(a.payouts) > 0 {
			if p := one(w, a.payouts); is(p) || w.chance(8) {
				return a, p, nil
			}
		}
	}
	return nil, nil, errNothing
}

// bankLine is a filed page of one line.
func (w *simulated) bankLine(side tape.Side, units int64) (tape.Lines, tape.LineProof, error) {
	lines := []tape.Line{{Number: 1, Date: "2026-01-01", Amount: cny(units)}}
	page, _, err := tape.LinesBody(side, lines)
	if err != nil {
		return tape.Lines{}, tape.LineProof{}, err
	}
	statement := w.id("s")
	proof, err := tape.NewLineProof(statement, 0, lines, 0)
	return tape.Lines{V: 1, Account: custody, Statement: statement, LinesPage: page}, proof, err
}

func (w *simulated) capture(s *site) error {
	_, p, err := w.payout(s, func(p *payout) bool { return p.hold.State == tape.HoldOpen })
	if err != nil {
		return err
	}
	units := p.hold.Spans.Total()
	if w.chance(3) {
		units = 1 + w.random.Int64N(units+1)
	}
	lines, proof, err := w.bankLine(tape.DebitSide, max(units, 1))
	if err != nil {
		return err
	}
	c := tape.Capture{Account: s.account.ID, Amount: cny(max(units, 1)), Hold: p.hold.ID, ID: w.id("capture"), Line: &proof}
	result, entry, err := p.hold.Capture(s.account, c, &lines, false, w.ctx("bank"))
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{p.hold}, []tape.Keeper{result.Hold}, entry)
	p.hold, w.outside = result.Hold, w.outside+c.Amount.Units
	return nil
}

func (w *simulated) giveBack(s *site) error {
	_, p, err := w.payout(s, func(p *payout) bool { return p.hold.Captured.Total() > p.hold.Returned.Total() })
	if err != nil {
		return err
	}
	units := max(1, p.hold.Captured.Total()-p.hold.Returned.Total())
	if w.chance(3) {
		units = 1 + w.random.Int64N(units)
	}
	lines, proof, err := w.bankLine(tape.CreditSide, units)
	if err != nil {
		return err
	}
	c := tape.Return{Account: s.account.ID, Amount: cny(units), Hold: p.hold.ID, ID: w.id("return"), Line: proof}
	result, entry, err := p.hold.Return(s.account, s.head, c, &lines, tape.Used{}, w.ctx("bank"))
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{p.hold, s.head}, []tape.Keeper{result.Hold, *result.Head}, entry)
	p.hold, s.head, w.outside = result.Hold, *result.Head, w.outside-units
	return nil
}

func (w *simulated) release(s *site) error {
	_, p, err := w.payout(s, func(p *payout) bool { return p.hold.State == tape.HoldOpen })
	if err != nil {
		return err
	}
	after, _, err := p.hold.Release(s.account, tape.Release{Account: s.account.ID, Hold: p.hold.ID, ID: w.id("release")}, w.ctx("charity", "maker", "checker"))
	if err == nil {
		p.hold = after
	}
	return err
}

func (w *simulated) reclaim(s *site) error {
	_, p, err := w.payout(s, func(p *payout) bool { return p.hold.State == tape.HoldReleased })
	if err != nil {
		return err
	}
	head, holds, entry, err := s.head.Reclaim(s.account, tape.Reclaim{Account: s.account.ID, Holds: []tape.ID{p.hold.ID}, ID: w.id("reclaim")}, []tape.Hold{p.hold}, w.ctx("charity"))
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{s.head, p.hold}, []tape.Keeper{head, holds[0]}, entry)
	s.head, p.hold = head, holds[0]
	return nil
}

func (w *simulated) restore(s *site) error {
	a, p, err := w.payout(s, func(p *payout) bool { return p.hold.State != tape.HoldOpen })
	if err != nil {
		return err
	}
	c := fund.Restore{Account: s.account.ID, Disbursement: a.d.ID, Hold: p.hold.ID, ID: w.id("restore"), Index: p.index, N: p.n}
	hold := p.hold
	if w.chance(8) { // a refund that was given the payout's name
		hold.Entry = "charity/refund"
	}
	budget, restored, _, err := s.campaign.Restore(c, a.d, hold, a.ran[p.n], p.restored, s.budget, w.ctx("charity"))
	if err != nil {
		return err
	}
	if hold.Entry != p.hold.Entry {
		w.Errorf("a refund freed the budget")
	}
	s.budget, p.restored = budget, &restored
	return nil
}

func (w *simulated) confirm(s *site) error {
	_, p, err := w.payout(s, func(p *payout) bool { return p.hold.To == family })
	if err != nil {
		return err
	}
	ctx := w.ctx("coop", one(w, []string{"h1@charity", "h1@charity", "maker@charity"}))
	ctx.Approvals[0].Custody = string(one(w, []party.Custody{party.Own, party.Card, party.AgentHeld}))
	paid := p.hold.Captured.Total() - p.hold.Returned.Total()
	c := fund.Confirm{Account: s.account.ID, Amount: cny(paid), Hold: p.hold.ID, ID: w.id("say"), Outcome: fund.Arrived}
	if w.chance(3) {
		c.Outcome, c.Reason, c.Amount = fund.Disputed, one(w, []string{"late", "not-arrived"}), p.hold.Amount
	}
	said, _, err := payees[p.hold.To].Confirm(c, p.hold, p.said, "", ctx)
	if err != nil {
		return err
	}
	if said.By.Person != "h1" || c.Outcome == fund.Arrived && (said.By.Custody == string(party.AgentHeld) || paid == 0) {
		w.Errorf("%+v confirms %s of %d", said.By, said.Amount, paid)
	}
	if p.said != nil && p.said.Outcome == fund.Disputed && said.Disputed != p.said.Entry {
		w.Errorf("the dispute %s is lost: %+v", p.said.Entry, said)
	}
	p.said = &said
	return nil
}

func (w *simulated) flag(s *site) error {
	payee := one(w, []tape.AccountID{family, shop, clerk})
	c := fund.SetFlag{Account: s.account.ID, ID: w.id("flag"), Payee: payee, Raise: w.chance(4), Reason: "cleared"}
	if c.Raise {
		c.Reason = "complaint"
	}
	known := s.flags[payee]
	organisation := one(w, []string{"charity", "regulator"})
	flag, _, err := s.campaign.Flag(c, payees[payee], known, w.ctx(organisation, "maker", "other"))
	if err != nil {
		return err
	}
	before := 0
	if known != nil {
		before = len(known.Raised)
	}
	own := slices.ContainsFunc(flag.Raised, func(r fund.RaisedFlag) bool { return r.Organisation == organisation })
	if own != c.Raise || c.Raise && len(flag.Raised) != before+1 || !c.Raise && len(flag.Raised) != before-1 {
		w.Errorf("%s (raise %t) makes %+v of %+v", organisation, c.Raise, flag, known)
	}
	s.flags[payee] = &flag
	return nil
}

// settle lays what another campaign paid.
func (w *simulated) settle(s *site) error {
	s = w.siteWith(s, func(s *site) bool { return len(s.inflows) > 0 })
	if len(s.inflows) == 0 {
		return errNothing
	}
	inflow := s.inflows[0]
	c := tape.Settle{Account: s.account.ID, ID: w.id("settle"), Items: []tape.SettleItem{{Source: inflow.Source}}}
	head, _, _, err := s.head.Settle(s.account, c, []tape.Source{{Inflow: &inflow}}, w.ctx("charity"))
	if err == nil {
		s.head, s.inflows = head, s.inflows[1:]
	}
	return err
}

// amend changes what the lines get, or drops one, or lets it be of another kind.
func (w *simulated) amend(s *site) error {
	p := s.campaign.Plan
	p.Lines = slices.Clone(p.Lines)
	p.Goal.Units = 0
	for i := range p.Lines {
		p.Lines[i].Amount.Units = 1 + w.random.Int64N(2*p.Lines[i].Amount.Units)
		p.Goal.Units += p.Lines[i].Amount.Units
	}
	switch w.random.IntN(6) {
	case 0:
		p.Goal.Units -= p.Lines[len(p.Lines)-1].Amount.Units
		p.Lines = p.Lines[:len(p.Lines)-1]
	case 1:
		p.Lines[len(p.Lines)-1].Kind = one(w, []string{fund.Programme, fund.Management})
	case 2:
		p.Lines = append(p.Lines, fund.BudgetLine{Amount: cny(500), ID: w.id("line"), Kind: fund.Management, Title: text("More")})
		p.Goal.Units += 500
	}
	var parent *fund.Campaign
	if s.campaign.Parent != "" {
		parent = &w.sites[s.campaign.Parent].campaign
	}
	before := s.campaign.Plan
	campaign, budget, _, err := s.campaign.Amend(fund.AmendCampaign{Account: s.account.ID, ID: w.id("amend"), Plan: p}, parent, nil, s.budget, w.ctx("charity", "maker", "checker"))
	if err != nil {
		return err
	}
	if campaign.Basis != fund.Filing && before.ChangesUse(campaign.Plan) {
		w.Errorf("%s changed the use of its money alone", s.account.ID)
	}
	s.campaign, s.budget = campaign, budget
	return nil
}

func (w *simulated) accept(s *site) (tape.Entry, error) {
	campaign, budget, entry, err := s.campaign.Accept(fund.AcceptFiling{Account: s.account.ID, ID: w.id("file"), Number: "1", Plan: s.campaign.Entry}, s.budget, w.ctx("regulator", "officer"))
	if err == nil {
		s.campaign, s.budget = campaign, budget
	}
	return entry, err
}

func (w *simulated) end(s *site) error {
	if w.chance(3) { // a grant or an earmark, while there is something to bring home
		s = w.siteWith(s, func(s *site) bool { return s.campaign.Parent != "" && s.head.Free().Total() > 0 })
	} else if !w.chance(6) || s.account.ID == speech && !w.chance(4) { // the others live on its money
		return errNothing
	}
	campaign, _, err := s.campaign.Close(fund.CloseCampaign{Account: s.account.ID, ID: w.id("end")}, w.ctx("charity", "maker", "checker"))
	if err == nil {
		s.campaign = campaign
	}
	return err
}

func (w *simulated) carry(s *site) error {
	s = w.siteWith(s, func(s *site) bool { return s.campaign.State == fund.Closed && s.head.Free().Total() > 0 })
	free := s.head.Free().Total()
	c := fund.Carry{Account: s.account.ID, Amount: cny(free), ID: w.id("carry")}
	if w.chance(8) {
		c.Amount.Units++
	}
	heir := w.sites[s.campaign.Plan.Leftover]
	if err := s.campaign.Carry(c, free, &heir.campaign, w.ctx("charity")); err != nil {
		return err
	}
	head, inflows, entry, err := s.head.Spend(s.account, s.campaign.Payment(c), []*tape.Account{&heir.account}, w.ctx("charity", "maker", "checker"))
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{s.head}, []tape.Keeper{head}, entry)
	budget, granted, err := heir.budget.Carry(c.Amount, heir.grants[s.account.ID])
	if err != nil {
		return err
	}
	w.cameHome(s.account.ID, heir, c.Amount.Units, heir.budget, budget)
	if granted != nil {
		heir.grants[s.account.ID] = granted
	}
	s.head, heir.budget, heir.handed = head, budget, heir.handed+c.Amount.Units
	heir.inflows = append(heir.inflows, inflows...)
	return nil
}

// grantedTo is what a campaign has paid another on a line, by its payouts, and has not got back.
func (s *site) grantedTo(to tape.AccountID, line tape.ID) int64 {
	units := -s.home[to][line]
	for _, a := range s.jobs {
		if a.d.Line == line {
			units += a.onLedger[to]
		}
	}
	return units
}

// cameHome looks at what a remainder gave back to budget lines: all of it that
// was paid to whoever brings it, to each line its share to the unit.
func (w *simulated) cameHome(from tape.AccountID, heir *site, units int64, before, after fund.Budget) {
	w.Helper()
	all := int64(0)
	for _, of := range before.Lines {
		all += heir.grantedTo(from, of.Line)
	}
	if heir.home[from] == nil {
		heir.home[from] = map[tape.ID]int64{}
	}
	returned, back := int64(0), min(units, all)
	for i, of := range before.Lines {
		paid, share := heir.grantedTo(from, of.Line), of.Units-after.Lines[i].Units
		// |share/back - paid/all| is below one unit, and nothing without anything paid.
		if apart := share*all - paid*back; apart <= -max(all, 1) || apart >= max(all, 1) || share < 0 || share > paid {
			w.Errorf("line %s of %s paid %d of %d to %s and gets %d of %d back", of.Line, heir.account.ID, paid, all, from, share, back)
		}
		heir.home[from][of.Line] += share
		returned += share
	}
	if returned != back || len(after.Lines) != len(before.Lines) {
		w.Errorf("%s brings %d home to %s, %d of it to its lines, which paid %d: %+v", from, units, heir.account.ID, returned, all, after.Lines)
	}
	if back > 0 {
		w.homeward++
	}
}

// passed checks what every accepted command that moves money must satisfy.
func (w *simulated) passed(before, after []tape.Keeper, entry tape.Entry) {
	w.Helper()
	if err := entry.Check(); err != nil {
		w.Errorf("%s: %v", entry.Kind, err)
	}
	if err := tape.Conserved(before, after, nil, entry); err != nil {
		w.Errorf("%s: %v", entry.Kind, err)
	}
}

// audit compares the rules' records with the simple books.
func (w *simulated) audit() {
	w.Helper()
	somewhere := w.outside
	for _, id := range slices.Sorted(maps.Keys(w.sites)) {
		s := w.sites[id]
		somewhere += w.auditSite(s)
		for _, inflow := range s.inflows {
			somewhere += inflow.Amount.Units
		}
	}
	if somewhere != w.inside {
		w.Errorf("%d units came in, %d are somewhere", w.inside, somewhere)
	}
}

// auditSite returns how many units a campaign's account keeps.
func (w *simulated) auditSite(s *site) int64 {
	w.Helper()
	kept := s.head.Free().Total()
	for _, gift := range s.gifts {
		if gift.refund != nil {
			kept += gift.refund.Spans.Total()
		}
	}
	onLine := map[tape.ID]int64{}
	var ordered, paid, confirmed int64
	for _, a := range s.jobs {
		if a.ordered == nil {
			continue
		}
		ran, left := a.passed(), a.d.Amount.Units
		for _, p := range a.payouts {
			ran += p.hold.Amount.Units
			kept += p.hold.Spans.Total()
			paid += p.hold.Captured.Total() - p.hold.Returned.Total()
			if p.said != nil {
				confirmed += p.said.Confirmed(p.hold).Units
			}
			if p.restored != nil {
				left -= p.restored.Units
			}
		}
		switch a.job.State {
		case tape.JobOpen:
			kept += a.d.Amount.Units - ran
		case tape.JobAbandoned:
			left -= a.d.Amount.Units - ran
		}
		onLine[a.d.Line] += left
		ordered += left
		paid += a.passed()
	}
	for to, granted := range s.grants {
		for line, units := range s.home[to] {
			onLine[line] -= units
		}
		for _, paid := range granted.Lines {
			if paid.Units != s.grantedTo(to, paid.Line) || paid.Units < 0 {
				w.Errorf("%s has paid %s %d on line %s that did not come home, the books say %d", s.account.ID, to, paid.Units, paid.Line, s.grantedTo(to, paid.Line))
			}
		}
	}
	for _, of := range s.budget.Lines {
		line, known := s.campaign.Plan.Line(of.Line)
		if of.Units != onLine[of.Line] || of.Units < 0 || of.Units > 0 && !known || of.Units > line.Amount.Units {
			w.Errorf("line %s of %s has ordered %d of %s, the books say %d", of.Line, s.account.ID, of.Units, line.Amount, onLine[of.Line])
		}
		delete(onLine, of.Line)
	}
	for line, units := range onLine {
		if units != 0 {
			w.Errorf("line %s of %s is lost with %d units on it", line, s.account.ID, units)
		}
	}
	received := s.given + s.granted + s.handed
	for _, inflow := range s.inflows {
		received -= inflow.Amount.Units
	}
	if confirmed > paid || paid > ordered || ordered-s.back() > received || s.head.Received != received || s.budget.Carried != s.handed {
		w.Errorf("%s confirmed %d, paid %d, ordered %d, received %d (%d), was handed %d (%d)", s.account.ID, confirmed, paid, ordered, s.head.Received, received, s.handed, s.budget.Carried)
	}
	return kept
}
