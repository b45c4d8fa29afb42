package trail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// WorkKind says what somebody has to do.
type WorkKind string

// What an organisation's staff have to do, and why it is on the list.
const (
	WorkFile      WorkKind = "file"      // a plan waits for its filing number
	WorkApprove   WorkKind = "approve"   // a proposal waits for another person
	WorkOther     WorkKind = "other"     // a proposal waits for a person of another organisation
	WorkList      WorkKind = "list"      // a proposal whose payments are not laid open
	WorkOrder     WorkKind = "order"     // approved and not ordered
	WorkPay       WorkKind = "pay"       // ordered, with payments that have not been made
	WorkBank      WorkKind = "bank"      // an order that its bank has not executed
	WorkDispute   WorkKind = "dispute"   // a receiver says that it did not arrive
	WorkSettle    WorkKind = "settle"    // gifts that wait for a line of the bank
	WorkUnclaimed WorkKind = "unclaimed" // money that nobody has claimed
	WorkFlag      WorkKind = "flag"      // a payee whose payouts are stopped
	WorkSuspect   WorkKind = "suspect"   // one bank account, device or agent behind several payees
	WorkPublish   WorkKind = "publish"   // something is to be published
	WorkWitness   WorkKind = "witness"   // a person's key waits for a second organisation
)

// Work is one item of a work list.
type Work struct {
	Kind    WorkKind       `json:"kind"`
	Account tape.AccountID `json:"account"`
	// ID is the disbursement, payout, page, payee or duty that it is about.
	ID     string        `json:"id"`
	Amount *money.Amount `json:"amount,omitempty"`
	// Count is how many payments, gifts or payees it is about; 0 where that says nothing.
	Count int `json:"count,omitempty"`
	// Due is when it is due; the list begins with what is due first.
	Due tape.Date `json:"due"`
	// Since is when it came onto the list, empty where that is not known.
	Since tape.Date `json:"since,omitempty"`
	// Maker proposed it: another person must approve.
	Maker tape.ID `json:"maker,omitempty"`
	// Reason says why in one word: a dispute's, a flag's, a duty.
	Reason string `json:"reason,omitempty"`
}

// Days until things are due. They order a list and forbid nothing.
const (
	approveDays   = 3
	disputeDays   = 5
	unclaimedDays = 30
	witnessDays   = 3
	publishAhead  = 30
	workRows      = 200
)

// workOf gathers an organisation's work list.
type workOf struct {
	Trail
	organisation string
	zone         tape.Zone
	today        tape.Date
	policy       party.ApprovalPolicy
	// banks are the bank accounts whose lines were looked through.
	banks map[tape.AccountID]bool
	items []Work
}

// Work is what the staff of an organisation have to do, what is due first standing first.
func (t Trail) Work(ctx context.Context, organisation string) ([]Work, error) {
	zone, err := disclosure.Zone(ctx, t.Model)
	if err != nil {
		return nil, err
	}
	today, err := zone.Date(tape.Instant(t.Now().UnixMilli()))
	if err != nil {
		return nil, err
	}
	policy, err := t.policy(ctx)
	if err != nil {
		return nil, err
	}
	w := &workOf{Trail: t, organisation: organisation, zone: zone, today: today, policy: policy, banks: map[tape.AccountID]bool{}, items: []Work{}}
	window := readmodel.Window{Limit: workRows}
	for {
		list, err := t.Model.Campaigns(ctx, readmodel.CampaignFilter{}, window)
		if err != nil {
			return nil, err
		}
		for _, campaign := range list.Items {
			if err := w.campaign(ctx, campaign); err != nil {
				return nil, err
			}
		}
		if window.After = list.Next; list.Next == "" {
			break
		}
	}
	if err := errors.Join(w.unclaimed(ctx), w.persons(ctx)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(w.items, func(a, b Work) int { return cmp.Compare(a.Due, b.Due) })
	return w.items, nil
}

// policy is what was voted about who approves.
func (t Trail) policy(ctx context.Context) (party.ApprovalPolicy, error) {
	record, err := t.Model.Record(ctx, party.PolicyKey())
	if err != nil {
		return party.ApprovalPolicy{}, err
	}
	var voted party.PolicyRecord
	err = json.Unmarshal(record.Value, &voted)
	return voted.Policy.Approval, err
}

func (w *workOf) add(item Work) { w.items = append(w.items, item) }

func (w *workOf) campaign(ctx context.Context, c readmodel.Campaign) error {
	if waits := c.State == fund.Draft || c.Pending != nil; waits && (c.Plan.Regulator == w.organisation || c.Organisation == w.organisation) {
		w.add(Work{Kind: WorkFile, Account: c.Account, ID: c.Entry, Due: c.Plan.From})
	}
	if err := w.banked(ctx, c); err != nil {
		return err
	}
	if c.Organisation != w.organisation {
		return w.ofOthers(ctx, c)
	}
	for _, gather := range []func(context.Context, readmodel.Campaign) error{w.proposals, w.orders, w.payouts, w.payees, w.published} {
		if err := gather(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *workOf) proposals(ctx context.Context, c readmodel.Campaign) error {
	list, err := w.Model.Disbursements(ctx, readmodel.DisbursementFilter{Account: c.Account, State: readmodel.Proposed}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		since, err := w.zone.Date(d.At)
		if err != nil {
			return err
		}
		item := Work{Kind: WorkApprove, Account: c.Account, ID: string(d.ID), Amount: &d.Amount, Count: int(d.Count), Since: since,
			Due: since.AddDays(approveDays), Maker: d.Maker.Person, Reason: string(d.Line)}
		persons, organisations, err := w.missing(ctx, d)
		if err != nil {
			return err
		}
		switch {
		case d.Listed < d.Chunks:
			item.Kind = WorkList
		case persons > 0 && organisations < persons: // one of the own staff is missing
		case organisations > 0:
			item.Kind = WorkOther
		default:
			item.Kind = WorkOrder
		}
		w.add(item)
	}
	return nil
}

// missing is how many persons, and how many organisations, the voted policy
// still wants for a proposal. An approval whose key is no longer in force, or
// whose person is no longer staff, does not count: the order leaves it out.
func (w *workOf) missing(ctx context.Context, d readmodel.Disbursement) (persons, organisations int, err error) {
	signed := []tape.Approval{d.Maker}
	for _, a := range d.Approvals {
		holds, err := w.holds(ctx, a.Person)
		if err != nil {
			return 0, 0, err
		}
		if holds {
			signed = append(signed, a)
		}
	}
	var names, of []string
	for _, a := range signed {
		if party.Decides(a) && !slices.Contains(names, string(a.Person)) {
			names = append(names, string(a.Person))
		}
		if party.Decides(a) && !slices.Contains(of, a.Organisation) {
			of = append(of, a.Organisation)
		}
	}
	for _, t := range w.policy.Thresholds {
		if t.Amount.Currency == d.Amount.Currency && d.Amount.Units > t.Amount.Units {
			organisations = max(0, int(t.Organisations)-len(of))
		}
	}
	return max(0, int(w.policy.Approvers)-len(names), organisations), organisations, nil
}

// approved reports whether this organisation has approved, by a key that still holds.
func (w *workOf) approved(ctx context.Context, d readmodel.Disbursement) (bool, error) {
	for _, a := range d.Approvals {
		if a.Organisation != w.organisation {
			continue
		}
		if holds, err := w.holds(ctx, a.Person); holds || err != nil {
			return holds, err
		}
	}
	return false, nil
}

// holds reports whether a person is staff by a key in force.
func (w *workOf) holds(ctx context.Context, id tape.ID) (bool, error) {
	person, err := persons.Register{Records: w.Model}.Person(ctx, id)
	if err != nil {
		return false, err
	}
	key, err := person.InForce(tape.Instant(w.Now().UnixMilli()))
	return err == nil && key.Duty == party.DutyStaff, nil
}

// ofOthers is what waits for the approval of this organisation's staff in a
// campaign of another: proposals above the sum that one organisation may decide.
func (w *workOf) ofOthers(ctx context.Context, c readmodel.Campaign) error {
	list, err := w.Model.Disbursements(ctx, readmodel.DisbursementFilter{Account: c.Account, State: readmodel.Proposed}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		_, organisations, err := w.missing(ctx, d)
		if err != nil {
			return err
		}
		own, err := w.approved(ctx, d)
		if err != nil {
			return err
		}
		if organisations == 0 || own || d.Listed < d.Chunks {
			continue
		}
		since, err := w.zone.Date(d.At)
		if err != nil {
			return err
		}
		w.add(Work{Kind: WorkApprove, Account: c.Account, ID: string(d.ID), Amount: &d.Amount, Count: int(d.Count), Since: since,
			Due: since.AddDays(approveDays), Maker: d.Maker.Person, Reason: string(d.Line)})
	}
	return nil
}

func (w *workOf) orders(ctx context.Context, c readmodel.Campaign) error {
	list, err := w.Model.Disbursements(ctx, readmodel.DisbursementFilter{Account: c.Account, State: readmodel.InPayment}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		due, err := w.zone.Date(d.Expires)
		if err != nil {
			return err
		}
		if d.Ran < d.Chunks {
			w.add(Work{Kind: WorkPay, Account: c.Account, ID: string(d.ID), Amount: &d.Amount, Count: int(d.Chunks - d.Ran), Due: due, Reason: string(d.Line)})
		}
	}
	return nil
}

func (w *workOf) payouts(ctx context.Context, c readmodel.Campaign) error {
	open, err := w.Model.Payouts(ctx, readmodel.PayoutFilter{Account: c.Account, State: tape.HoldOpen}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, p := range open.Items {
		due, err := w.zone.Date(p.Expires)
		if err != nil {
			return err
		}
		w.add(Work{Kind: WorkBank, Account: c.Account, ID: string(p.ID), Amount: &p.Amount, Due: due})
	}
	disputed, err := w.Model.Payouts(ctx, readmodel.PayoutFilter{Account: c.Account, Outcome: fund.Disputed}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, p := range disputed.Items {
		since, err := w.zone.Date(p.Confirmation.At)
		if err != nil {
			return err
		}
		w.add(Work{Kind: WorkDispute, Account: c.Account, ID: string(p.ID), Amount: &p.Amount, Since: since, Due: since.AddDays(disputeDays), Reason: p.Confirmation.Reason})
	}
	return nil
}

func (w *workOf) payees(ctx context.Context, c readmodel.Campaign) error {
	flagged, err := w.Model.Payees(ctx, readmodel.PayeeFilter{Account: c.Account, Flagged: true}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, p := range flagged.Items {
		w.add(Work{Kind: WorkFlag, Account: c.Account, ID: string(p.Payee.Payee), Due: w.today, Reason: p.Flagged})
	}
	suspicions, err := w.Model.Suspicions(ctx, c.Account)
	if err != nil {
		return err
	}
	for _, s := range suspicions {
		w.add(Work{Kind: WorkSuspect, Account: c.Account, ID: s.Value, Count: s.Count, Due: w.today, Reason: s.Kind})
	}
	return nil
}

func (w *workOf) published(ctx context.Context, c readmodel.Campaign) error {
	sheet, err := disclosure.Of(ctx, w.Model, c.Account, w.Now())
	if err != nil {
		return err
	}
	for _, due := range sheet.Clock {
		if open := due.State == fund.Running || due.State == fund.Overdue; open && due.From != "" && due.To <= w.today && due.Days <= publishAhead {
			w.add(Work{Kind: WorkPublish, Account: c.Account, ID: due.Duty, Due: due.Date, Reason: due.Duty})
		}
	}
	for _, late := range sheet.Late {
		w.add(Work{Kind: WorkSettle, Account: c.Account, ID: string(late.Page), Amount: &late.Total, Count: int(late.Count), Since: late.Since, Due: late.Due})
	}
	return nil
}

// persons are those whose key waits for this organisation's witness. Reason is
// who holds the key, Maker whose it is.
func (w *workOf) persons(ctx context.Context) error {
	list, err := w.Model.Persons(ctx, readmodel.PersonFilter{Witness: w.organisation}, readmodel.Window{Limit: workRows})
	if err != nil {
		return err
	}
	for _, p := range list.Items {
		since, err := w.zone.Date(p.At)
		if err != nil {
			return err
		}
		if key := persons.Waiting(p.Person); key != nil {
			w.add(Work{Kind: WorkWitness, ID: string(p.ID), Since: since, Due: since.AddDays(witnessDays), Maker: p.ID, Reason: string(key.Custody)})
		}
	}
	return nil
}

// unclaimed is the money that nobody has claimed.
func (w *workOf) unclaimed(ctx context.Context) error {
	window := readmodel.Window{Limit: workRows}
	for {
		list, err := w.Model.Accounts(ctx, readmodel.AccountFilter{Organisation: w.organisation}, window)
		if err != nil {
			return err
		}
		for _, a := range list.Items {
			if a.Unidentified != "" && a.Free.Units > 0 {
				w.add(Work{Kind: WorkUnclaimed, Account: a.ID, ID: string(a.Unidentified), Amount: &a.Free, Due: w.today.AddDays(unclaimedDays)})
			}
		}
		if window.After = list.Next; list.Next == "" {
			return nil
		}
	}
}
