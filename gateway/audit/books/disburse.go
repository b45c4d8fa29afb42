package books

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// disbursement is what one person proposed to pay.
type disbursement struct {
	proposed fund.Propose
	maker    tape.Approval
	// plan is the version of the plan that it was proposed under.
	plan int32
	// listed are the chunks that were laid open, by number.
	listed   map[int32]chunk
	approved map[tape.ID]tape.Approval
	rejected bool
}

// chunk is a list of payments as it stands in the tree of its disbursement.
type chunk struct {
	node  node
	count int
	// concerned are those whom it pays or who serve these, each once, in order.
	concerned []tape.ID
	// partners are the other organisations whose accounts it pays.
	partners []string
}

// payout is money on its way to a payee outside.
type payout struct {
	to           tape.AccountID
	amount       money.Amount
	disbursement tape.ID
	// outcome is what the receiver said last, about the amount said; restored is
	// what was given back to the budget line, in minor units.
	outcome  string
	reason   string
	said     money.Amount
	by       tape.ID // the payee's person who said it, or in whose name it was said
	restored int64
	// confirmed of it stands in the figures.
	confirmed int64
}

func (b *Books) disbursement(c *campaign, id tape.ID) (*disbursement, error) {
	d, known := c.disbursements[id]
	if !known {
		return nil, fmt.Errorf("disbursement %s of %s was never proposed", id, c.account.id)
	}
	return d, nil
}

func (b *Books) propose() error {
	command, c, err := about(b, func(c fund.Propose) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.DisbursementKey(command.Account, command.ID)
	b.once("disbursement", key)
	b.signers()
	if len(b.entry.Intents) != 1 {
		return fmt.Errorf("%d persons made it, not one", len(b.entry.Intents))
	}
	maker := b.entry.Intents[0]
	b.signedBy(key, c.organisation)
	if c.line(command.Line).ID == "" {
		b.problem(key, "the plan has no such budget line", "", string(command.Line))
	}
	c.disbursements[command.ID] = &disbursement{proposed: command, maker: maker, plan: c.version, listed: map[int32]chunk{}, approved: map[tape.ID]tape.Approval{}}
	want := fund.Disbursement{ID: command.ID, Line: command.Line, Amount: command.Amount, Count: command.Count, Chunks: command.Chunks, Root: command.Root, Plan: c.version, Maker: maker}
	noted(b, key, "what was proposed", spelledDisbursement(want), spelledDisbursement)
	return nil
}

func spelledDisbursement(d fund.Disbursement) string {
	return fmt.Sprintf("%s on line %s of plan %d to %d payees in %d chunks with root %s, by %s", d.Amount, d.Line, d.Plan, d.Count, d.Chunks, d.Root, d.Maker.Person)
}

// payments are the lines of a chunk, also as they are spelled: the leaf of a
// tree holds them so.
type payments struct {
	Account      tape.AccountID  `json:"account"`
	Disbursement tape.ID         `json:"disbursement"`
	Lines        json.RawMessage `json:"lines"`
	N            int32           `json:"n"`
	lines        []tape.Payment
}

func (p payments) account() tape.AccountID { return p.Account }

// read returns the chunk's place in the tree: RFC 6962's leaf, with its sum.
func (p *payments) read() (chunk, error) {
	if err := json.Unmarshal(p.Lines, &p.lines); err != nil {
		return chunk{}, err
	}
	total := int64(0)
	for _, line := range p.lines {
		total += line.Amount.Units
	}
	message := binary.BigEndian.AppendUint64([]byte{0}, uint64(total))
	message = fmt.Appendf(message, `{"lines":%s,"n":%d}`, p.Lines, p.N)
	return chunk{node: node{sha256.Sum256(message), total}, count: len(p.lines)}, nil
}

func (b *Books) list() error {
	command, c, err := about(b, payments.account)
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	found, err := command.read()
	if err != nil {
		return err
	}
	key := fund.ListedKey(command.Account, command.Disbursement, command.N)
	b.once("list", key)
	b.ofPlan(key, c, d)
	found.concerned, found.partners = c.concerned(command.lines), b.partners(c, command.lines)
	if slices.Contains(found.concerned, d.maker.Person) {
		b.problem(key, "who proposed it is paid by it or serves who is", "", string(d.maker.Person))
	}
	d.listed[command.N] = found
	said := func(n, count int32, total money.Amount, concerned []tape.ID, partners []string) string {
		return fmt.Sprintf("chunk %d, %d payees, %s, concerning %q and %q", n, count, total, concerned, partners)
	}
	noted(b, key, "what was listed", said(command.N, int32(found.count), money.New(found.node.sum, c.account.currency), found.concerned, found.partners),
		func(r fund.Listed) string { return said(r.N, r.Count, r.Total, r.Concerned, r.Partners) })
	return nil
}

// partners are the organisations of other campaigns that are paid, each once, in order.
func (b *Books) partners(c *campaign, lines []tape.Payment) []string {
	var all []string
	for _, line := range lines {
		if paid := b.trail.campaigns[line.To]; paid != nil && paid.organisation != c.organisation {
			all = append(all, paid.organisation)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// concerned are the persons of payees outside, and those who serve them.
func (c *campaign) concerned(lines []tape.Payment) []tape.ID {
	var persons []tape.ID
	for _, line := range lines {
		persons = append(persons, c.persons(line.To)...)
	}
	slices.Sort(persons)
	return slices.Compact(persons)
}

// ofPlan checks that the plan is still the one that a proposal was made under.
func (b *Books) ofPlan(key string, c *campaign, d *disbursement) {
	b.differs(key, "the plan that the proposal was made under", fmt.Sprint(d.plan), fmt.Sprint(c.version))
}

// laidOpen checks that every chunk has been listed, and that the lists are what
// was proposed: they come to its root, its amount and its number of payees.
func (b *Books) laidOpen(key string, d *disbursement) {
	var leaves []node
	count := 0
	for n := range d.proposed.Chunks {
		one, listed := d.listed[n]
		if !listed {
			b.problem(key, fmt.Sprintf("chunk %d was not listed before it was approved", n), "", "")
			return
		}
		leaves, count = append(leaves, one.node), count+one.count
	}
	if len(leaves) == 0 {
		b.problem(key, "a disbursement of no chunks is approved", "", "")
		return
	}
	top := tree(leaves)
	root := binary.BigEndian.AppendUint64(append([]byte{2}, top.hash[:]...), uint64(top.sum))
	sum := merkle.Hash(sha256.Sum256(binary.BigEndian.AppendUint64(root, uint64(len(leaves)))))
	b.differs(key, "the lists are what was proposed", fmt.Sprintf("%d payees, %d units, root %s", d.proposed.Count, d.proposed.Amount.Units, d.proposed.Root),
		fmt.Sprintf("%d payees, %d units, root %s", count, top.sum, sum))
}

func (b *Books) approve() error {
	command, c, err := about(b, func(c fund.Approve) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	b.signers()
	if len(b.entry.Intents) != 1 {
		return fmt.Errorf("%d persons approve with one approval", len(b.entry.Intents))
	}
	by := b.entry.Intents[0]
	key := fund.ApprovedKey(command.Account, command.Disbursement, by.Person)
	b.once("approval", key)
	if !ofStaff(by) {
		b.problem(key, "who approves is staff", "staff", people(b.entry.Intents))
	}
	if by.Person == d.maker.Person {
		b.problem(key, "who proposed it approves it", "another person than "+string(d.maker.Person), string(by.Person))
	}
	for _, one := range d.listed {
		if slices.Contains(one.concerned, by.Person) {
			b.problem(key, "who is paid or serves who is approves it", "", string(by.Person))
		}
		if slices.Contains(one.partners, by.Organisation) {
			b.problem(key, "whose organisation is paid approves it", "", by.Organisation)
		}
	}
	b.ofPlan(key, c, d)
	b.laidOpen(key, d)
	d.approved[by.Person] = by
	noted(b, key, "who approved", spelled(by), func(r fund.Approved) string { return spelled(r.Approval) })
	return nil
}

func (b *Books) reject() error {
	command, c, err := about(b, func(c fund.Reject) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	b.signers()
	b.signedBy(fund.RejectedKey(command.Account, command.Disbursement), c.organisation)
	d.rejected = true
	noted(b, fund.RejectedKey(command.Account, command.Disbursement), "why it was rejected", command.Reason, func(r fund.Rejected) string { return r.Reason })
	return nil
}

// order moves the money of a disbursement into its job.
func (b *Books) order() error {
	command, c, err := about(b, func(c fund.Order) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	key := fund.OrderedKey(command.Account, command.Disbursement)
	b.once("order of disbursement", key)
	b.marked(key)
	b.approvedBefore(key, c, d, command)
	b.ofPlan(key, c, d)
	b.spends(key, c, c.line(d.proposed.Line))
	given := c.given()
	c.ordered[d.proposed.Line] += d.proposed.Amount.Units
	b.moves(command.Account, setApart, d.proposed.Line, d.proposed.Amount.Units)
	b.withinPlan(c, d.proposed.Line, given)
	b.noteBudget(c)
	return b.openJobOf(c.account, command.Disbursement, d.proposed.Amount)
}

// approvedBefore checks that an order rests on approvals that entries before it
// have recorded, of other persons than its maker.
func (b *Books) approvedBefore(key string, c *campaign, d *disbursement, command fund.Order) {
	if d.rejected {
		b.problem(key, "a disbursement is ordered that was rejected", "", b.entry.Reference())
	}
	approvals := []tape.Approval{d.maker}
	for _, person := range command.Approvers {
		approval, recorded := d.approved[person]
		switch {
		case !recorded:
			b.problem(fund.ApprovedKey(command.Account, command.Disbursement, person), "an order rests on an approval that no entry before it has recorded", "", string(person))
		case person == d.maker.Person:
			b.problem(key, "an order rests on its maker's own approval", "", string(person))
		default:
			approvals = append(approvals, approval)
		}
	}
	for _, a := range approvals {
		if person, in := b.person(a.Person); person.Revoked != 0 || in.Suspended != 0 || in.Witness == "" || b.entry.At < in.From {
			b.problem(party.PersonKey(a.Person), "an order rests on the word of somebody whose key is not in force", "", string(a.Person))
		} else if in.Duty != party.DutyStaff {
			b.problem(party.PersonKey(a.Person), "an order rests on the word of somebody who is not staff", "staff", string(in.Duty))
		}
	}
	b.agreed(key, d.proposed.Amount, approvals, c.organisation)
	b.differs(key, "those on whose word the order rests", people(approvals), people(b.entry.Intents))
}

// spends checks that the campaign's plan is in force and its time has come.
// What answers a disaster may be spent on the programme before it is filed, for
// as many days as the law gives (Charity Law art. 73).
func (b *Books) spends(key string, c *campaign, line fund.BudgetLine) {
	early := c.plan.Emergency && line.Kind == fund.Programme && b.entry.BusinessDate <= emergencyUntil(c.plan)
	if c.state == fund.Closed || c.state == fund.Draft && !early {
		b.problem(key, "the money of a campaign is ordered whose plan is not in force", string(fund.Active), string(c.state))
	}
	if b.entry.BusinessDate < c.plan.From {
		b.problem(key, "money is ordered before the campaign begins", string(c.plan.From), string(b.entry.BusinessDate))
	}
}

// emergencyUntil is the last day on which the law of its first day lets an
// answer to a disaster wait for its filing; none where it knows no such wait.
func emergencyUntil(plan fund.Plan) tape.Date {
	laws, err := fund.Laws()
	if err != nil {
		return ""
	}
	var until tape.Date
	for _, law := range laws { // the oldest first
		for _, duty := range law.Duties {
			if law.InForce <= plan.From && duty.Duty == "filing" && duty.EmergencyOnly {
				until = plan.From.AddDays(duty.Days)
			}
		}
	}
	return until
}

// given is what givers gave by evidence and did not take back, in minor units,
// without what other campaigns handed over.
func (c *campaign) given() int64 {
	return max(0, c.account.end()-c.account.declared-c.account.withdrawn-c.carried)
}

// withinPlan checks that no more is ordered on a line than the plan gives it,
// and on management lines no more than the plan's share of what was given.
func (b *Books) withinPlan(c *campaign, id tape.ID, given int64) {
	key, line := fund.BudgetKey(c.account.id), c.line(id)
	if c.ordered[id] > line.Amount.Units {
		b.problem(key, "more is ordered on line "+string(id)+" than the plan gives it", fmt.Sprintf("%d units at most", line.Amount.Units), fmt.Sprint(c.ordered[id]))
	}
	if line.Kind != fund.Management {
		return
	}
	management := int64(0)
	for _, one := range c.plan.Lines {
		if one.Kind == fund.Management {
			management += c.ordered[one.ID]
		}
	}
	// management ≤ given × parts / 1,000,000, in 128 bits
	high, low := bits.Mul64(uint64(max(0, management)), 1_000_000)
	limitHigh, limitLow := bits.Mul64(uint64(given), uint64(max(0, c.plan.ManagementPartsPerMillion)))
	if high > limitHigh || high == limitHigh && low > limitLow {
		b.problem(key, "management costs are above the plan's cap", fmt.Sprintf("%d parts per million of %d units at most", c.plan.ManagementPartsPerMillion, given),
			fmt.Sprint(management))
	}
}

// pay runs one chunk: it pays what was listed, to those who may be paid today.
func (b *Books) pay() error {
	command, c, err := about(b, payments.account)
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	found, err := command.read()
	if err != nil {
		return err
	}
	if listed := d.listed[command.N]; listed.node != found.node {
		b.problem(fund.ListedKey(command.Account, command.Disbursement, command.N), "what is paid is not what was listed", fmt.Sprintf("%x", listed.node.hash), fmt.Sprintf("%x", found.node.hash))
	}
	for i, line := range command.lines {
		b.payable(c, line.To, c.line(d.proposed.Line))
		if line.To.Outside() {
			key := tape.HoldKey(command.Account, tape.ChunkHold(command.Disbursement, command.N, i))
			b.trail.payouts[key] = &payout{to: line.To, amount: line.Amount, disbursement: command.Disbursement}
		} else {
			b.moves(command.Account, paidOut, d.proposed.Line, line.Amount.Units)
		}
	}
	b.grants(c, d.proposed.Line, command.lines)
	return b.runChunkOf(tape.RunChunk{Account: command.Account, Job: command.Disbursement, Lines: command.lines, N: command.N})
}

// payable checks one payment: outside, somebody who is enrolled for that kind
// of line and not flagged; on the ledger, a grant or an earmark of the campaign.
func (b *Books) payable(c *campaign, to tape.AccountID, line fund.BudgetLine) {
	if !to.Outside() {
		b.payableAccount(c, to, line)
		return
	}
	payee, enrolled := c.payees[to]
	if !enrolled {
		b.problem(fund.PayeeKey(c.account.id, to), "somebody is paid who is not enrolled", "", b.entry.Reference())
		return
	}
	if len(c.flagged[to]) > 0 {
		b.problem(fund.FlagKey(c.account.id, to), "somebody is paid who is flagged", "", b.entry.Reference())
	}
	if payee.Kind == fund.Staff && line.Kind == fund.Programme || payee.Kind == fund.Household && line.Kind != fund.Programme {
		b.problem(fund.PayeeKey(c.account.id, to), "the kind of payee does not fit the budget line", "", payee.Kind+" on a line for "+line.Kind)
	}
}

func (b *Books) payableAccount(c *campaign, to tape.AccountID, line fund.BudgetLine) {
	target := b.trail.campaigns[to]
	if target != nil && target.parent == c.account.id {
		b.shares(c, target)
	}
	switch {
	case line.Kind != fund.Programme:
		b.problem(fund.CampaignKey(c.account.id), "an account is paid out of another line than the programme's", fund.Programme, line.Kind)
	case target == nil:
		b.problem(fund.CampaignKey(c.account.id), "an account is paid that is no campaign", "", string(to))
	case target.state == fund.Closed, target.parent != c.account.id:
		b.problem(fund.CampaignKey(c.account.id), "an account is paid that is no open grant or earmark of the campaign", "", string(to))
	case target.basis == fund.Grant && !c.invited[to]:
		b.problem(fund.InvitationKey(c.account.id, to), "a partner is paid that is not invited", "", b.entry.Reference())
	case target.basis == fund.Earmark && slices.ContainsFunc(target.plan.Lines, func(l fund.BudgetLine) bool { return l.ID != line.ID }):
		b.problem(fund.CampaignKey(to), "an earmark is paid that spends on other lines", string(line.ID), b.entry.Reference())
	}
}

func (b *Books) closeDisbursement() error {
	command, c, err := about(b, func(c fund.CloseDisbursement) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	d, err := b.disbursement(c, command.Disbursement)
	if err != nil {
		return err
	}
	left, err := b.closeJobOf(tape.CloseJob{Abandon: command.Abandon, Account: command.Account, Job: command.Disbursement})
	if err != nil {
		return err
	}
	if command.Abandon {
		c.ordered[d.proposed.Line] -= left
		b.moves(command.Account, setApart, d.proposed.Line, -left)
		b.noteBudget(c)
	}
	return nil
}

// restore gives back to its line what a payout did not pay in the end.
func (b *Books) restore() error {
	command, c, err := about(b, func(c fund.Restore) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	holdKey := tape.HoldKey(command.Account, command.Hold)
	p, h := b.trail.payouts[holdKey], b.holds[holdKey]
	if p == nil || h == nil {
		return fmt.Errorf("payout %s of %s was never ordered", command.Hold, command.Account)
	}
	d, err := b.disbursement(c, p.disbursement)
	if err != nil {
		return err
	}
	key := fund.RestoredKey(command.Account, command.Hold)
	b.differs(key, "the disbursement of the payout", string(p.disbursement), string(command.Disbursement))
	back := h.returned - p.restored
	if h.reclaimed {
		back += p.amount.Units - h.paid.Total()
	}
	if back <= 0 {
		b.problem(key, "a payout is restored of which nothing came back since", "", b.entry.Reference())
	}
	p.restored += back
	noted(b, key, "what of the payout was restored so far", fmt.Sprint(p.restored), func(r fund.Restored) string { return fmt.Sprint(r.Units) })
	c.ordered[d.proposed.Line] -= back
	b.noteBudget(c)
	return nil
}

// confirm is the receiver's own word, of the person whom the payee's record
// names. What arrived it says by a key in its own hands, over exactly what the
// bank has paid; it may dispute by any key.
func (b *Books) confirm() error {
	command, c, err := about(b, func(c fund.Confirm) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	holdKey := tape.HoldKey(command.Account, command.Hold)
	p, h := b.trail.payouts[holdKey], b.holds[holdKey]
	if p == nil || h == nil {
		return fmt.Errorf("payout %s of %s was never ordered", command.Hold, command.Account)
	}
	key := fund.ConfirmationKey(command.Account, command.Hold)
	b.signers()
	person := c.personOn(p.to, b.entry.At)
	b.receiver(key, person, command.Outcome)
	if command.Outcome == fund.Arrived && p.outcome == fund.Disputed && p.by != person {
		b.problem(key, "what another person of the payee disputed is settled", string(p.by), string(person))
	}
	if p.outcome == command.Outcome && p.said == command.Amount && p.reason == command.Reason {
		b.problem(key, "the receiver says the same twice", "", b.entry.Reference())
	}
	want := p.amount
	if command.Outcome == fund.Arrived {
		want.Units = h.paid.Total() - h.returned
		if want.Units == 0 {
			b.problem(key, "a payout is confirmed that no line of the bank shows", "", command.Amount.String())
		}
	}
	b.differs(key, "the amount that is "+command.Outcome, want.String(), command.Amount.String())
	p.outcome, p.reason, p.said, p.by = command.Outcome, command.Reason, command.Amount, person
	b.saidOf(command.Account, p, h)
	said := func(payee tape.AccountID, outcome string, amount money.Amount, by tape.ID) string {
		return fmt.Sprintf("%s: %s %s, by %s", payee, outcome, amount, by)
	}
	noted(b, key, "what the receiver said", said(p.to, command.Outcome, command.Amount, person),
		func(r fund.Confirmation) string {
			return said(r.Payee, r.Outcome, r.Amount, cmp.Or(r.For, r.By.Person))
		})
	return nil
}

// receiver checks that a payee's own person signed alone, or its guardian, and
// what arrived with a key that nobody else holds.
func (b *Books) receiver(key string, person tape.ID, outcome string) {
	signed := b.entry.Intents
	ward, _ := b.person(person)
	if len(signed) != 1 || signed[0].Person != person && signed[0].Person != ward.GuardianOn(b.entry.At) || person == "" {
		b.problem(key, "somebody else confirms than the payee's own person", string(person), people(signed))
		return
	}
	if custody := signed[0].Custody; outcome == fund.Arrived && !slices.Contains([]string{"own", "card"}, custody) {
		b.problem(key, "a key confirms that is not in the receiver's hands", "own or card", custody)
	}
}
