package readmodel

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// DisbursementState is where a disbursement stands.
type DisbursementState string

// A disbursement is proposed until it is ordered or rejected, and ordered
// until its chunks are paid or the rest is given up.
const (
	Proposed  DisbursementState = "proposed"
	Rejected  DisbursementState = "rejected"
	InPayment DisbursementState = "ordered"
	Closed    DisbursementState = "closed"
	Abandoned DisbursementState = "abandoned"
)

// Campaign is a campaign as it stands, and where on the ledger it was opened.
type Campaign struct {
	fund.Campaign
	Block uint64 `json:"block"`
}

// CampaignFilter chooses campaigns; empty fields choose all.
type CampaignFilter struct {
	Organisation string
	State        fund.State
	Parent       tape.AccountID
}

// Campaigns lists campaigns by their account.
func (m *Model) Campaigns(ctx context.Context, filter CampaignFilter, window Window) (List[Campaign], error) {
	q := query{list: "campaigns", key: "account", named: true, columns: "ordinal, body", from: "campaigns"}
	q.where("organisation = ?", filter.Organisation)
	q.where("state = ?", string(filter.State))
	q.where("parent = ?", string(filter.Parent))
	return read(ctx, m, window, q, campaignOf)
}

func campaignOf(scan func(...any) error, key any) (Campaign, error) {
	var c Campaign
	var at int64
	var body []byte
	if err := scan(key, &at, &body); err != nil {
		return c, err
	}
	c.Block = ordinal(at).block()
	return c, json.Unmarshal(body, &c.Campaign)
}

// Campaign returns one campaign.
func (m *Model) Campaign(ctx context.Context, account tape.AccountID) (Campaign, error) {
	q := query{list: "campaign", key: "account", named: true, columns: "ordinal, body", from: "campaigns"}
	q.where("account = ?", string(account))
	list, err := read(ctx, m, Window{}, q, campaignOf)
	return one(list, err, "campaign %s", account)
}

// CampaignAt returns a campaign as it stood after a block.
func (m *Model) CampaignAt(ctx context.Context, account tape.AccountID, block uint64) (fund.Campaign, error) {
	var c fund.Campaign
	behind, err := ordinalOf(block+1, 0, 0)
	if err != nil {
		return c, err
	}
	return c, m.view(ctx, func(s *session) error {
		var body []byte
		found, err := s.get(ctx, "SELECT body FROM campaigns_before WHERE account = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT 1", []any{string(account), int64(behind)}, &body)
		if err != nil {
			return err
		}
		if !found {
			return rule.Refuse(rule.NotFound, "there was no campaign %s at block %d", account, block)
		}
		return json.Unmarshal(body, &c)
	})
}

// Flow is what flowed through an account on one day.
type Flow struct {
	Day  tape.Date `json:"day"`
	Kind FlowKind  `json:"kind"`
	// Line is the budget line, empty where none is concerned.
	Line tape.ID `json:"line,omitempty"`
	// Own says that the money stays with one organisation: it is between two campaigns of its.
	Own    bool         `json:"own,omitempty"`
	Amount money.Amount `json:"amount"`
	Count  int64        `json:"count"`
}

// Flows lists what flowed through an account, day by day.
func (m *Model) Flows(ctx context.Context, account tape.AccountID) ([]Flow, error) {
	return m.flows(ctx, `SELECT day, kind, line, own, units, count, currency FROM flows JOIN accounts ON accounts.id = flows.account
		WHERE account = ? ORDER BY day, kind, line, own`, string(account))
}

// FlowsUntil lists what flowed through an account in blocks up to one, on days up to one.
func (m *Model) FlowsUntil(ctx context.Context, account tape.AccountID, block uint64, day tape.Date) ([]Flow, error) {
	return m.flows(ctx, `SELECT day, kind, line, own, sum(units), sum(count), currency FROM flows_by_block AS f JOIN accounts ON accounts.id = f.account
		WHERE account = ? AND f.block <= ? AND day <= ? GROUP BY day, kind, line, own ORDER BY day, kind, line, own`, string(account), int64(block), string(day))
}

func (m *Model) flows(ctx context.Context, query string, arguments ...any) ([]Flow, error) {
	flows := []Flow{}
	err := m.view(ctx, func(s *session) error {
		return s.each(ctx, query, arguments, func(scan func(...any) error) error {
			var f Flow
			var day, kind, line, currency string
			if err := scan(&day, &kind, &line, &f.Own, &f.Amount.Units, &f.Count, &currency); err != nil {
				return err
			}
			f.Day, f.Kind, f.Line, f.Amount.Currency = tape.Date(day), FlowKind(kind), tape.ID(line), money.Currency(currency)
			flows = append(flows, f)
			return nil
		})
	})
	return flows, err
}

// Disbursement is a proposal, who approved it and how far it has come.
type Disbursement struct {
	fund.Disbursement
	State DisbursementState `json:"state"`
	// Listed is the number of chunks laid open, Ran that of the chunks paid.
	Listed    int32           `json:"listed"`
	Ran       int32           `json:"ran"`
	Approvals []tape.Approval `json:"approvals"`
	Block     uint64          `json:"block"`
}

// DisbursementFilter chooses disbursements; empty fields choose all.
type DisbursementFilter struct {
	Account tape.AccountID
	ID      tape.ID
	State   DisbursementState
	Line    tape.ID
}

// Disbursements lists disbursements in the order in which they were proposed.
func (m *Model) Disbursements(ctx context.Context, filter DisbursementFilter, window Window) (List[Disbursement], error) {
	q := query{list: "disbursements", key: "ordinal", from: "disbursements AS d", columns: `state, listed, body,
		coalesce((SELECT ran FROM jobs WHERE jobs.account = d.account AND jobs.id = d.id), 0),
		coalesce((SELECT json_group_array(json(a.body)) FROM (SELECT body FROM approvals WHERE account = d.account AND disbursement = d.id ORDER BY ordinal) AS a), '[]')`}
	q.where("account = ?", string(filter.Account))
	q.where("id = ?", string(filter.ID))
	q.where("state = ?", string(filter.State))
	q.where("line = ?", string(filter.Line))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Disbursement, error) {
		var d Disbursement
		var body, approvals []byte
		var state string
		if err := scan(key, &state, &d.Listed, &body, &d.Ran, &approvals); err != nil {
			return d, err
		}
		d.State, d.Block = DisbursementState(state), ordinal(*key.(*int64)).block()
		var approved []fund.Approved
		if err := json.Unmarshal(approvals, &approved); err != nil {
			return d, err
		}
		for _, a := range approved {
			d.Approvals = append(d.Approvals, a.Approval)
		}
		return d, json.Unmarshal(body, &d.Disbursement)
	})
}

// Disbursement returns one disbursement.
func (m *Model) Disbursement(ctx context.Context, account tape.AccountID, id tape.ID) (Disbursement, error) {
	list, err := m.Disbursements(ctx, DisbursementFilter{Account: account, ID: id}, Window{})
	return one(list, err, "disbursement %s of %s", id, account)
}

// Payee is somebody whom a campaign may pay.
type Payee struct {
	fund.Payee
	Account tape.AccountID `json:"account"`
	// Flagged is the reason of the oldest flag that stands, empty without one; FlaggedSince is when it was raised.
	Flagged      string       `json:"flagged,omitempty"`
	FlaggedSince tape.Instant `json:"flaggedSince,omitempty"`
	Block        uint64       `json:"block"`
}

// PayeeFilter chooses payees; empty fields choose all.
type PayeeFilter struct {
	Account tape.AccountID
	Payee   tape.AccountID
	// Person is who has the payee's word at the moment At.
	Person tape.ID
	At     tape.Instant
	Agent  tape.ID
	// BankAccount and Device are fingerprints.
	BankAccount, Device string
	// Flagged leaves out those without a flag.
	Flagged bool
}

// Payees lists payees in the order in which they were enrolled.
func (m *Model) Payees(ctx context.Context, filter PayeeFilter, window Window) (List[Payee], error) {
	q := query{list: "payees", key: "ordinal", from: "payees", columns: "account, flagged, flagged_since, body"}
	q.where("account = ?", string(filter.Account))
	q.where("payee = ?", string(filter.Payee))
	if filter.Person != "" {
		q.conditions = append(q.conditions, "(person = ? AND (next_person = '' OR next_from > ?) OR next_person = ? AND next_from <= ?)")
		q.arguments = append(q.arguments, string(filter.Person), int64(filter.At), string(filter.Person), int64(filter.At))
	}
	q.where("agent = ?", string(filter.Agent))
	q.where("bank_account = ?", filter.BankAccount)
	q.where("device = ?", filter.Device)
	if filter.Flagged {
		q.conditions = append(q.conditions, "flagged <> ''")
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Payee, error) {
		var p Payee
		var account string
		var body []byte
		if err := scan(key, &account, &p.Flagged, &p.FlaggedSince, &body); err != nil {
			return p, err
		}
		p.Account, p.Block = tape.AccountID(account), ordinal(*key.(*int64)).block()
		return p, json.Unmarshal(body, &p.Payee)
	})
}

// Suspicion is one thing behind several payees of a campaign.
type Suspicion struct {
	// Kind is payee-account, device, person or agent.
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Count int    `json:"count"`
}

// agentPayeesMany is the number of payees above which an agent is shown as one who serves many.
const agentPayeesMany = 50

// Suspicions lists bank accounts, devices and persons that stand behind more
// than one payee of a campaign, and agents who serve many.
func (m *Model) Suspicions(ctx context.Context, account tape.AccountID) ([]Suspicion, error) {
	found := []Suspicion{}
	err := m.view(ctx, func(s *session) error {
		for _, c := range []struct {
			kind, column string
			more         int
		}{{"payee-account", "bank_account", 1}, {"device", "device", 1}, {"person", "person", 1}, {"agent", "agent", agentPayeesMany}} {
			err := s.each(ctx, "SELECT "+c.column+", count(*) FROM payees WHERE account = ? AND "+c.column+" <> '' GROUP BY "+c.column+" HAVING count(*) > ? ORDER BY count(*) DESC, "+c.column,
				[]any{string(account), c.more}, func(scan func(...any) error) error {
					suspicion := Suspicion{Kind: c.kind}
					err := scan(&suspicion.Value, &suspicion.Count)
					found = append(found, suspicion)
					return err
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// Payout is a hold of a campaign with its budget line and its receiver's word.
type Payout struct {
	Hold
	// Reference is what the bank is asked to write into the memo.
	Reference donation.PayoutReference `json:"reference"`
	Line      tape.ID                  `json:"line,omitempty"`
	// Flagged is the reason of a flag that stands on its payee, FlaggedSince when it was raised: what was
	// ordered before is not stopped by it.
	Flagged      string             `json:"flagged,omitempty"`
	FlaggedSince tape.Instant       `json:"flaggedSince,omitempty"`
	Confirmation *fund.Confirmation `json:"confirmation,omitempty"`
}

// Place is the payout's place in the job that ordered it, which its name
// spells; false where no chunk of a job did.
func (p Payout) Place() (chunk, index int32, is bool) {
	rest, of := strings.CutPrefix(string(p.ID), string(p.Job)+".")
	first, second, cut := strings.Cut(rest, ".")
	n, one := strconv.ParseInt(first, 10, 32)
	i, two := strconv.ParseInt(second, 10, 32)
	return int32(n), int32(i), of && cut && p.Job != "" && one == nil && two == nil
}

// PayoutFilter chooses payouts; empty fields choose all.
type PayoutFilter struct {
	Account tape.AccountID
	ID      tape.ID
	Payee   tape.AccountID
	State   tape.HoldState
	Line    tape.ID
	// Outcome is arrived, disputed, or none for what has no receiver's word.
	Outcome string
	// Disbursement is the job that ordered it.
	Disbursement tape.ID
	// Reference is its own, or that of the file it is in.
	Reference donation.PayoutReference
}

// Payouts lists payouts in the order in which they were ordered.
func (m *Model) Payouts(ctx context.Context, filter PayoutFilter, window Window) (List[Payout], error) {
	q := query{list: "payouts", key: "h.ordinal", columns: "h.job, h.body, h.reference, coalesce(d.line, ''), coalesce(c.body, x''), coalesce(p.flagged, ''), coalesce(p.flagged_since, 0)",
		from: `holds AS h LEFT JOIN disbursements AS d ON d.account = h.account AND d.id = h.job
			LEFT JOIN confirmations AS c ON c.account = h.account AND c.hold = h.id
			LEFT JOIN payees AS p ON p.account = h.account AND p.payee = h.payee`}
	q.where("h.account = ?", string(filter.Account))
	q.where("h.id = ?", string(filter.ID))
	q.where("h.payee = ?", string(filter.Payee))
	q.where("h.state = ?", string(filter.State))
	q.where("h.job = ?", string(filter.Disbursement))
	q.where("d.line = ?", string(filter.Line))
	if filter.Reference != "" {
		q.conditions = append(q.conditions, `h.ordinal IN (SELECT ordinal FROM holds WHERE reference = ? UNION ALL
			SELECT f.ordinal FROM chunks JOIN holds AS f ON f.account = chunks.account AND f.job = chunks.job AND f.id GLOB chunks.job || '.' || chunks.n || '.*'
			WHERE chunks.reference = ?)`)
		q.arguments = append(q.arguments, string(filter.Reference), string(filter.Reference))
	}
	if filter.Outcome == "none" {
		q.conditions = append(q.conditions, "c.outcome IS NULL")
	} else {
		q.where("c.outcome = ?", filter.Outcome)
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Payout, error) {
		var p Payout
		var line string
		var body, confirmation []byte
		if err := scan(key, &p.Job, &body, &p.Reference, &line, &confirmation, &p.Flagged, &p.FlaggedSince); err != nil {
			return p, err
		}
		p.Block, p.Line = ordinal(*key.(*int64)).block(), tape.ID(line)
		if len(confirmation) > 0 {
			p.Confirmation = new(fund.Confirmation)
			if err := json.Unmarshal(confirmation, p.Confirmation); err != nil {
				return p, err
			}
		}
		return p, json.Unmarshal(body, &p.Hold.Hold)
	})
}

// ReferencesMost is how many references are looked up at once.
const ReferencesMost = 200

// Referenced is what a payout's reference names: a payout, or those of a file.
type Referenced struct {
	Reference donation.PayoutReference `json:"reference"`
	Payouts   []Payout                 `json:"payouts"`
}

// PayoutsByReference looks references up, in their order; those that name
// nothing have no payouts.
func (m *Model) PayoutsByReference(ctx context.Context, references []donation.PayoutReference) ([]Referenced, error) {
	if len(references) > ReferencesMost {
		return nil, rule.Field("reference", rule.Refuse(rule.Invalid, "names %d references; %d at most are looked up at once", len(references), ReferencesMost))
	}
	found := make([]Referenced, len(references))
	for i, reference := range references {
		list, err := m.Payouts(ctx, PayoutFilter{Reference: reference}, Window{Limit: limitMax})
		if err != nil {
			return nil, err
		}
		found[i] = Referenced{Reference: reference, Payouts: list.Items}
	}
	return found, nil
}

// Publications lists what was published about a campaign, by number.
func (m *Model) Publications(ctx context.Context, account tape.AccountID) ([]fund.Publication, error) {
	var published []fund.Publication
	window := Window{Limit: limitMax}
	for {
		list, err := m.Records(ctx, "publication/"+string(account)+"/", window)
		if err != nil {
			return nil, err
		}
		for _, record := range list.Items {
			var p fund.Publication
			if err := json.Unmarshal(record.Value, &p); err != nil {
				return nil, err
			}
			published = append(published, p)
		}
		if window.After = list.Next; list.Next == "" {
			break
		}
	}
	slices.SortFunc(published, func(a, b fund.Publication) int { return int(a.N - b.N) }) // their keys sort 10 before 2
	return published, nil
}
