package fund

import (
	"errors"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of a disbursement: 50 chunks of 200 are 10,000 payments.
const (
	ChunksMax    = 50
	EvidenceMax  = 20
	ApproversMax = 16
)

// Propose fixes what would be paid and to whom. Its maker signs; nothing moves.
type Propose struct {
	Account  tape.AccountID `json:"account"`
	Amount   money.Amount   `json:"amount"`
	Chunks   int32          `json:"chunks"`
	Count    int32          `json:"count"`
	Evidence []Citation     `json:"evidence,omitempty"`
	Expires  tape.Instant   `json:"expires"`
	// ID is the entry's and the disbursement's.
	ID   tape.ID     `json:"id"`
	Line tape.ID     `json:"line"`
	Root merkle.Hash `json:"root"`
}

// job is the tape's command that a disbursement will be ordered by.
func (d Disbursement) job() tape.OpenJob {
	return tape.OpenJob{Account: d.Account, Amount: d.Amount, Chunks: d.Chunks, Expires: d.Expires, ID: d.ID, Root: d.Root}
}

// Propose judges the command.
func (c Campaign) Propose(command Propose, budget Budget, ctx tape.Context) (Disbursement, tape.Entry, error) {
	refuse := func(err error) (Disbursement, tape.Entry, error) { return Disbursement{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.spends(ctx)); err != nil {
		return refuse(err)
	}
	d := Disbursement{V: 1, Account: c.Account, ID: command.ID, Line: command.Line, Amount: command.Amount, Count: command.Count,
		Chunks: command.Chunks, Root: command.Root, Expires: command.Expires, Evidence: command.Evidence, Plan: c.Version, At: ctx.At}
	if err := rule.First(d.job().Check(c.Plan.Goal.Currency), checkEvidence(command.Evidence)); err != nil {
		return refuse(err)
	}
	if command.Chunks > ChunksMax || command.Count < command.Chunks || command.Count > command.Chunks*tape.ChunkLinesMax {
		return refuse(rule.Field("chunks", rule.Refuse(rule.Invalid, "%d payments do not fill %d chunks of 1 to %d; %d chunks at most", command.Count, command.Chunks, tape.ChunkLinesMax, ChunksMax)))
	}
	if command.Expires <= ctx.At || command.Expires > ctx.At+tape.HoldDaysMax*tape.Day {
		return refuse(rule.Field("expires", rule.Refuse(rule.Invalid, "%s is not within %d days after %s", command.Expires, tape.HoldDaysMax, ctx.At)))
	}
	line, known := c.Plan.Line(command.Line)
	if !known {
		return refuse(rule.Field("line", rule.Refuse(rule.NotFound, "the plan of %s has no budget line %s; money is spent for what it was given for", c.Account, command.Line)))
	}
	if err := c.programmeFirst(line); err != nil {
		return refuse(err)
	}
	if left := budget.Left(line); command.Amount.Units > left.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Insufficient, "line %s has %s left of %s; %s was asked", line.ID, left, line.Amount, command.Amount)))
	}
	if err := party.SignedByOne(ctx, c.Organisation, "proposes, the maker"); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "propose", string(c.Account))
	d.Maker, d.Entry = ctx.Approvals[0], entry.Reference()
	return d, entry, nil
}

// checkEvidence refuses documents of another kind and the same one twice.
func checkEvidence(evidence []Citation) error {
	if len(evidence) > EvidenceMax {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "holds %d documents; %d at most", len(evidence), EvidenceMax))
	}
	for i, citation := range evidence {
		if err := rule.Field("kind", rule.OneOf(citation.Kind, CitationKinds()...)); err != nil {
			return rule.Item("evidence", i, err)
		}
		if citation.Hash == (merkle.Hash{}) || slices.ContainsFunc(evidence[:i], func(c Citation) bool { return c.Hash == citation.Hash }) {
			return rule.Item("evidence", i, rule.Field("hash", rule.Refuse(rule.Invalid, "is empty or stands twice")))
		}
	}
	return nil
}

// List lays open chunk N of a proposal, so that those who approve know whom it
// pays, and everything the ledger knows against it is said before they sign.
type List struct {
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	ID           tape.ID        `json:"id"`
	Lines        []tape.Payment `json:"lines"`
	N            int32          `json:"n"`
	Path         []merkle.Node  `json:"path"`
}

// check refuses a list that could not be paid, so that nobody approves it.
func (c List) check(currency money.Currency) error {
	if len(c.Lines) == 0 || len(c.Lines) > tape.ChunkLinesMax {
		return rule.Field("lines", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Lines), tape.ChunkLinesMax))
	}
	for i, line := range c.Lines {
		if line.Origin != "" {
			return rule.Item("lines", i, rule.Field("origin", rule.Refuse(rule.Invalid, "a disbursement brings no money back")))
		}
	}
	_, err := tape.Spend{Account: c.Account, ID: c.ID, Payments: c.Lines}.Total(currency)
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	path, sentence := refusal.Pointer()
	return rule.Field("lines"+strings.TrimPrefix(path, "payments"), rule.Refuse(refusal.Code, "%s", sentence))
}

// List judges the command; lines stand in its order, with what is known of their payees.
func (c Campaign) List(command List, d Disbursement, lines []Line, ctx tape.Context) (Listed, tape.Entry, error) {
	refuse := func(err error) (Listed, tape.Entry, error) { return Listed{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.spends(ctx), c.proposedUnder(d), command.check(c.Plan.Goal.Currency), c.payable(d, lines)); err != nil {
		return refuse(err)
	}
	persons, err := concerned(d, lines)
	if err != nil {
		return refuse(err)
	}
	leaf, err := tape.ChunkLeaf(command.N, command.Lines)
	if err != nil {
		return refuse(err)
	}
	if _, err := merkle.Verify(d.Root, d.Amount.Units, int(d.Chunks), int(command.N), leaf, command.Path); err != nil {
		return refuse(rule.Field("path", rule.Refuse(rule.Conflict, "chunk %d is not under the root of disbursement %s", command.N, d.ID)))
	}
	entry := ctx.Entry(command.ID, "list", string(c.Account))
	return Listed{V: 1, N: command.N, Count: int32(len(command.Lines)), Total: money.New(leaf.Amount, d.Amount.Currency),
		Concerned: persons, Partners: c.partners(lines), Entry: entry.Reference()}, entry, nil
}

// proposedUnder refuses a proposal of another plan: what was approved then may
// mean something else now.
func (c Campaign) proposedUnder(d Disbursement) error {
	if d.Plan != c.Version {
		return rule.Refuse(rule.WrongState, "disbursement %s was proposed under plan %d of %s, which is at plan %d; propose again", d.ID, d.Plan, c.Account, c.Version)
	}
	return nil
}

// concerned lists who is paid or serves who is paid: they neither propose nor
// approve it.
func concerned(d Disbursement, lines []Line) ([]tape.ID, error) {
	var persons []tape.ID
	for i, line := range lines {
		of := line.persons()
		if slices.Contains(of, d.Maker.Person) {
			return nil, rule.Item("lines", i, rule.Refuse(rule.Forbidden, "%s proposed disbursement %s, and is paid by it or serves who is", d.Maker.Person, d.ID))
		}
		persons = append(persons, of...)
	}
	slices.Sort(persons)
	return slices.Compact(persons), nil
}

// partners are the other organisations whose accounts are paid.
func (c Campaign) partners(lines []Line) []string {
	var all []string
	for _, line := range lines {
		if line.Campaign != nil && line.Campaign.Organisation != c.Organisation {
			all = append(all, line.Campaign.Organisation)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// persons are the payee and its agent, as far as there are any.
func (l Line) persons() []tape.ID {
	if l.Payee == nil {
		return nil
	}
	return l.Payee.persons()
}

// payable judges each payment of a chunk by the plan and by its payee.
func (c Campaign) payable(d Disbursement, lines []Line) error {
	budget, known := c.Plan.Line(d.Line)
	if !known {
		return rule.Refuse(rule.WrongState, "the plan of %s has no budget line %s any more; propose again", c.Account, d.Line)
	}
	for i, line := range lines {
		if err := c.pays(line, budget); err != nil {
			return rule.Item("lines", i, err)
		}
	}
	return nil
}

// Approve is one checker's approval. It moves nothing, so approvers of several
// organisations sign side by side, each through a gateway of its own.
type Approve struct {
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	ID           tape.ID        `json:"id"`
}

// Approve judges the command; listed are the chunks that were laid open,
// already the caller's earlier approval, nil for none.
func (c Campaign) Approve(command Approve, d Disbursement, listed []*Listed, rejected *Rejected, already *Approved, ctx tape.Context) (Approved, tape.Entry, error) {
	refuse := func(err error) (Approved, tape.Entry, error) { return Approved{}, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway {
		return refuse(rule.Refuse(rule.Forbidden, "approvals are carried by a gateway, not by the role %.20q", ctx.Role))
	}
	if len(ctx.Approvals) != 1 {
		return refuse(rule.Refuse(rule.Invalid, "one person signs an approval; %d signed", len(ctx.Approvals)))
	}
	approval := ctx.Approvals[0]
	if !party.Decides(approval) {
		return refuse(rule.Refuse(rule.Forbidden, "staff approve; %s is %s of %s, its key %s", approval.Person, approval.Duty, approval.Organisation, approval.Custody))
	}
	if approval.Person == d.Maker.Person {
		return refuse(rule.Refuse(rule.Forbidden, "%s proposed disbursement %s; another person must approve it", approval.Person, d.ID))
	}
	if already != nil {
		return refuse(rule.Refuse(rule.Exists, "%s has approved disbursement %s, by entry %s", approval.Person, d.ID, already.Entry))
	}
	if err := rule.First(c.spends(ctx), d.undecided(rejected), c.proposedUnder(d), d.laidOpen(listed)); err != nil {
		return refuse(err)
	}
	if err := d.gainsNothing(approval, listed); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "approve", string(c.Account))
	return Approved{V: 1, Approval: approval, Entry: entry.Reference()}, entry, nil
}

// gainsNothing refuses who is paid by what they approve, and whose organisation is.
func (d Disbursement) gainsNothing(approval tape.Approval, listed []*Listed) error {
	for n, chunk := range listed {
		if slices.Contains(chunk.Concerned, approval.Person) {
			return rule.Refuse(rule.Forbidden, "%s is paid by chunk %d of disbursement %s or serves who is; another person must approve it", approval.Person, n, d.ID)
		}
		if slices.Contains(chunk.Partners, approval.Organisation) {
			return rule.Refuse(rule.Forbidden, "chunk %d of disbursement %s pays an account of %s; staff of another organisation must approve it", n, d.ID, approval.Organisation)
		}
	}
	return nil
}

func (d Disbursement) undecided(rejected *Rejected) error {
	if rejected != nil {
		return rule.Refuse(rule.WrongState, "disbursement %s was rejected (%s), by entry %s", d.ID, rejected.Reason, rejected.Entry)
	}
	return nil
}

// laidOpen refuses a proposal of which the approvers have not seen every payment.
func (d Disbursement) laidOpen(listed []*Listed) error {
	count := int32(0)
	for n, chunk := range listed {
		if chunk == nil {
			return rule.Refuse(rule.WrongState, "chunk %d of disbursement %s is not listed yet; nobody approves what it has not seen", n, d.ID)
		}
		count += chunk.Count
	}
	if count != d.Count {
		return rule.Refuse(rule.Conflict, "disbursement %s lists %d payments, %d were proposed", d.ID, count, d.Count)
	}
	return nil
}

// Reject ends a proposal: a checker's no, or its maker's change of mind.
type Reject struct {
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	ID           tape.ID        `json:"id"`
	// Reason is withdrawn, wrong-payee, wrong-amount, evidence, budget or other.
	Reason string `json:"reason"`
}

// Reject judges the command.
func (c Campaign) Reject(command Reject, d Disbursement, rejected *Rejected, ordered *Mark, ctx tape.Context) (Rejected, tape.Entry, error) {
	refuse := func(err error) (Rejected, tape.Entry, error) { return Rejected{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), rule.Field("reason", rule.OneOf(command.Reason, "withdrawn", "wrong-payee", "wrong-amount", "evidence", "budget", "other")),
		d.undecided(rejected)); err != nil {
		return refuse(err)
	}
	if ordered != nil {
		return refuse(rule.Refuse(rule.WrongState, "disbursement %s was ordered, by entry %s", d.ID, ordered.Entry))
	}
	if err := party.SignedByOne(ctx, c.Organisation, "rejects"); err != nil {
		return refuse(err)
	}
	if by := ctx.Approvals[0].Person; (by == d.Maker.Person) != (command.Reason == "withdrawn") {
		return refuse(rule.Field("reason", rule.Refuse(rule.Invalid, "is %s; its maker %s withdraws, everybody else gives another reason", command.Reason, d.Maker.Person)))
	}
	entry := ctx.Entry(command.ID, "reject", string(c.Account))
	return Rejected{V: 1, Reason: command.Reason, By: ctx.Approvals[0], Entry: entry.Reference()}, entry, nil
}

// Order sets the money of an approved disbursement apart as a job of its name.
type Order struct {
	Account tape.AccountID `json:"account"`
	// Approvers are the persons on whose approvals it rests.
	Approvers    []tape.ID `json:"approvers"`
	Disbursement tape.ID   `json:"disbursement"`
	ID           tape.ID   `json:"id"`
}

// Check refuses a malformed command.
func (c Order) Check() error {
	if len(c.Approvers) == 0 || len(c.Approvers) > ApproversMax {
		return rule.Field("approvers", rule.Refuse(rule.Invalid, "names %d; 1 to %d are possible", len(c.Approvers), ApproversMax))
	}
	for i, person := range c.Approvers {
		if err := person.Check(); err != nil {
			return rule.Item("approvers", i, err)
		}
		if slices.Contains(c.Approvers[:i], person) {
			return rule.Item("approvers", i, rule.Refuse(rule.Invalid, "%s stands twice", person))
		}
	}
	return nil
}

// OrderState is what Order reads beside the account and its head.
type OrderState struct {
	Disbursement Disbursement
	Approved     []*Approved // in the order of Approvers
	// Persons are the maker and then the approvers, as they stand now.
	Persons  []*party.Person
	Rejected *Rejected
	Ordered  *Mark
	Budget   Budget
	Policy   party.ApprovalPolicy
}

// Ordering is what an order comes to.
type Ordering struct {
	Head   tape.Head
	Job    tape.Job
	Budget Budget
	Mark   Mark
}

// Order judges the command.
func (c Campaign) Order(command Order, state OrderState, account tape.Account, head tape.Head, ctx tape.Context) (Ordering, tape.Entry, error) {
	refuse := func(err error) (Ordering, tape.Entry, error) { return Ordering{}, tape.Entry{}, err }
	d := state.Disbursement
	if err := rule.First(c.governs(ctx), command.Check(), c.spends(ctx), d.undecided(state.Rejected), c.proposedUnder(d)); err != nil {
		return refuse(err)
	}
	if state.Ordered != nil {
		return refuse(rule.Refuse(rule.WrongState, "disbursement %s was ordered, by entry %s", d.ID, state.Ordered.Entry))
	}
	approvals, err := state.approvals(command, ctx)
	if err != nil {
		return refuse(err)
	}
	if err := state.Policy.Approve(d.Amount, approvals, c.Organisation); err != nil {
		return refuse(err)
	}
	line, known := c.Plan.Line(d.Line)
	if !known {
		return refuse(rule.Refuse(rule.WrongState, "the plan of %s has no budget line %s any more; propose again", c.Account, d.Line))
	}
	if err := c.programmeFirst(line); err != nil {
		return refuse(err)
	}
	budget, err := state.Budget.order(c.Plan, line, d.Amount, head)
	if err != nil {
		return refuse(err)
	}
	after, job, _, err := head.OpenJob(account, d.job(), ctx)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "order", string(c.Account))
	job.Entry, entry.Intents = entry.Reference(), approvals
	return Ordering{Head: after, Job: job, Budget: budget, Mark: Mark{V: 1, Entry: entry.Reference()}}, entry, nil
}

// approvals are those of the maker and the approvers, as long as their keys are
// still in force: whoever lost one may not be who approved.
func (s OrderState) approvals(command Order, ctx tape.Context) ([]tape.Approval, error) {
	approvals := []tape.Approval{s.Disbursement.Maker}
	for i, approved := range s.Approved {
		if approved == nil {
			return nil, rule.Item("approvers", i, rule.Refuse(rule.NotFound, "%s has not approved disbursement %s", command.Approvers[i], s.Disbursement.ID))
		}
		approvals = append(approvals, approved.Approval)
	}
	for i, person := range s.Persons {
		if person == nil {
			return nil, rule.Refuse(rule.NotFound, "there is no person %s", approvals[i].Person)
		}
		key, err := person.InForce(ctx.At)
		if err != nil {
			return nil, err
		}
		if key.Duty != party.DutyStaff {
			return nil, rule.Refuse(rule.Forbidden, "%s is %s now; staff decide on disbursement %s", person.ID, key.Duty, s.Disbursement.ID)
		}
	}
	return approvals, nil
}

// Pay runs chunk N: payees outside get a hold, which their bank's line
// executes, accounts of the ledger their money at once.
type Pay struct {
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	ID           tape.ID        `json:"id"`
	Lines        []tape.Payment `json:"lines"`
	N            int32          `json:"n"`
	Path         []merkle.Node  `json:"path"`
}

// Chunk is the tape's command.
func (c Pay) Chunk() tape.RunChunk {
	return tape.RunChunk{Account: c.Account, ID: c.ID, Job: c.Disbursement, Lines: c.Lines, N: c.N, Path: c.Path}
}

// Campaigns are those that the chunk pays, each once, in the order of its lines.
func (c Pay) Campaigns() []tape.AccountID {
	var campaigns []tape.AccountID
	for _, line := range c.Lines {
		if !line.To.Outside() && !slices.Contains(campaigns, line.To) {
			campaigns = append(campaigns, line.To)
		}
	}
	return campaigns
}

// Pay judges what has changed since the lists were approved: a payee may have
// been flagged, a partner's invitation withdrawn. tape.Job.Run judges the rest.
func (c Campaign) Pay(d Disbursement, lines []Line, ctx tape.Context) error {
	return rule.First(c.governs(ctx), c.payable(d, lines))
}

// CloseDisbursement ends a disbursement: when all is paid, or to give up the rest.
type CloseDisbursement struct {
	Abandon      bool           `json:"abandon,omitempty"`
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	ID           tape.ID        `json:"id"`
}

// Job is the tape's command.
func (c CloseDisbursement) Job() tape.CloseJob {
	return tape.CloseJob{Abandon: c.Abandon, Account: c.Account, ID: c.ID, Job: c.Disbursement}
}

// GiveBack returns what an abandoned job left to its budget line.
func (d Disbursement) GiveBack(budget Budget, job tape.Job) Budget {
	return budget.spend(d.Line, -job.Left.Total())
}

// Restore gives back to its budget line what a payout did not pay in the end:
// it was released, or the bank returned it.
type Restore struct {
	Account      tape.AccountID `json:"account"`
	Disbursement tape.ID        `json:"disbursement"`
	Hold         tape.ID        `json:"hold"`
	ID           tape.ID        `json:"id"`
	// N and Index say which payment of the disbursement the hold is.
	Index int32 `json:"index"`
	N     int32 `json:"n"`
}

// Restore judges the command; chunk is the one that is said to have ordered the
// payout, restored what was given back of it before.
func (c Campaign) Restore(command Restore, d Disbursement, hold tape.Hold, chunk *tape.Chunk, restored *Restored, budget Budget, ctx tape.Context) (Budget, Restored, tape.Entry, error) {
	refuse := func(err error) (Budget, Restored, tape.Entry, error) { return budget, Restored{}, tape.Entry{}, err }
	if err := c.governs(ctx); err != nil {
		return refuse(err)
	}
	// No other hold bears a chunk's name, and the chunk names the entry that ordered it.
	if tape.ChunkHold(d.ID, command.N, int(command.Index)) != command.Hold || chunk == nil || chunk.Entry != hold.Entry {
		return refuse(rule.Field("hold", rule.Refuse(rule.Conflict, "%s is not payment %d of chunk %d of disbursement %s", command.Hold, command.Index, command.N, d.ID)))
	}
	before := Restored{}
	if restored != nil {
		before = *restored
	}
	units := hold.Back() - before.Units
	if units <= 0 && before.Units > 0 {
		return refuse(rule.Field("hold", rule.Refuse(rule.WrongState, "%s was restored, by entry %s", command.Hold, before.Entry)))
	}
	if units <= 0 {
		return refuse(rule.Field("hold", rule.Refuse(rule.WrongState, "%s is %s and nothing of it came back", command.Hold, hold.State)))
	}
	entry := ctx.Entry(command.ID, "restore", string(c.Account))
	return budget.spend(d.Line, -units), Restored{V: 1, Units: before.Units + units, Entry: entry.Reference()}, entry, nil
}
