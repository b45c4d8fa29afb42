package readmodel

import (
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// FlowKind says what a sum of money did.
type FlowKind string

// The kinds of flows. What was ordered and paid stays counted when it is
// released or returned, which are kinds of their own; what was refunded,
// confirmed or disputed and is so no more is taken off again.
const (
	FlowRaised  FlowKind = "raised"  // gifts received, with or without evidence
	FlowSettled FlowKind = "settled" // gifts that have their span
	FlowGranted FlowKind = "granted" // money of another account, settled
	FlowOrdered FlowKind = "ordered" // set apart for payees
	// FlowReleased was ordered and given up; FlowPaid left by a line of the
	// bank, FlowReturned came back by one.
	FlowReleased FlowKind = "released"
	FlowPaid     FlowKind = "paid"
	FlowReturned FlowKind = "returned"
	FlowPassed   FlowKind = "passed" // went to another account of the ledger
	FlowRefunded FlowKind = "refunded"
	FlowReversed FlowKind = "reversed" // charged back by the giver's bank
	FlowFee      FlowKind = "fee"      // kept by a payment processor
	// FlowConfirmed has its receiver's signature, FlowDisputed the opposite.
	FlowConfirmed FlowKind = "confirmed"
	FlowDisputed  FlowKind = "disputed"
)

// flow is one addition to an account's flows, on the day of the transaction's entry.
type flow struct {
	account tape.AccountID
	kind    FlowKind
	line    tape.ID
	units   int64
	count   int
}

func (w *writer) flow(account tape.AccountID, kind FlowKind, line tape.ID, units int64, count int) {
	if units != 0 && !account.Outside() {
		w.flows = append(w.flows, flow{account, kind, line, units, count})
	}
}

// saveFlows writes what the transaction added.
func (w *writer) saveFlows() error {
	if len(w.flows) == 0 {
		return nil
	}
	if w.entry == nil {
		return rule.Refuse(rule.Conflict, "money moved without an entry")
	}
	for _, f := range w.flows {
		if err := w.exec(`INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET units = units + excluded.units, count = count + excluded.count`,
			string(f.account), string(w.entry.BusinessDate), string(f.kind), string(f.line), f.units, f.count); err != nil {
			return err
		}
		if err := w.exec(`INSERT INTO flows_by_block VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET units = units + excluded.units, count = count + excluded.count`,
			string(f.account), int64(w.base.block()), string(w.entry.BusinessDate), string(f.kind), string(f.line), f.units, f.count); err != nil {
			return err
		}
	}
	return nil
}

// lineOf is the budget line of a disbursement, empty where the job is none.
func (w *writer) lineOf(account tape.AccountID, job string) (tape.ID, error) {
	if job == "" {
		return "", nil
	}
	var line string
	_, err := w.get("SELECT line FROM disbursements WHERE account = ? AND id = ?", []any{string(account), job}, &line)
	return tape.ID(line), err
}

// lineOfHold is the budget line that a hold was ordered on.
func (w *writer) lineOfHold(account tape.AccountID, hold tape.ID) (line tape.ID, purpose string, err error) {
	var job string
	if _, err := w.get("SELECT job, purpose FROM holds WHERE account = ? AND id = ?", []any{string(account), string(hold)}, &job, &purpose); err != nil {
		return "", "", err
	}
	line, err = w.lineOf(account, job)
	return line, purpose, err
}

// postingFlows counts what a posting did at both its ends. Money that reaches
// an account of the ledger is counted there when it is settled.
func (w *writer) postingFlows(p tape.Posting) error {
	if p.Memo {
		return nil
	}
	if p.From.Outside() {
		return w.cameFlows(p)
	}
	if w.entry.Kind == "identify" || w.entry.Kind == correctKind {
		return w.rebookedFlows(p)
	}
	kind, line, err := w.wentAs(p)
	w.flow(p.From, kind, line, p.Amount.Units, 1)
	return err
}

// wentAs is what money that left an account did, and the budget line it was for.
func (w *writer) wentAs(p tape.Posting) (FlowKind, tape.ID, error) {
	switch w.entry.Kind {
	case "pay", "run-chunk":
		line, err := w.paidLine(p.From)
		return FlowPassed, line, err
	case "capture", "execute":
		line, purpose, err := w.lineOfHold(p.From, p.Line)
		switch {
		case purpose == refundKind:
			return FlowRefunded, line, err
		case p.To.Outside():
			return FlowPaid, line, err
		}
		return FlowPassed, line, err
	case "spend", "carry":
		w.flow(p.From, FlowOrdered, "", p.Amount.Units, 1)
		return FlowPassed, "", nil
	case "settle":
		return FlowFee, "", nil
	}
	return FlowReversed, "", nil
}

// rebookedFlows takes a gift off the figures of the account that it left: it was
// not that account's. A line that was a payout's return is counted as one.
func (w *writer) rebookedFlows(p tape.Posting) error {
	w.flow(p.From, FlowRaised, "", -p.Amount.Units, -1)
	w.flow(p.From, FlowSettled, "", -p.Amount.Units, -1)
	if p.Inflow != "" {
		return nil
	}
	return w.returnedFlows(p)
}

// cameFlows counts money that came from outside: only a return has not been counted as a gift.
func (w *writer) cameFlows(p tape.Posting) error {
	if w.entry.Kind != "return" {
		return nil
	}
	return w.returnedFlows(p)
}

// returnedFlows counts a payout, or a refund, that came back.
func (w *writer) returnedFlows(p tape.Posting) error {
	line, purpose, err := w.lineOfHold(p.To, p.Line)
	if err != nil {
		return err
	}
	if purpose == refundKind {
		w.flow(p.To, FlowRefunded, "", -p.Amount.Units, -1)
		return nil
	}
	w.flow(p.To, FlowReturned, line, p.Amount.Units, 1)
	outcome, units, err := w.outcome(p.To, p.Line)
	if err == nil && outcome == fund.Arrived { // what came back is with its receiver no more
		w.flow(p.To, FlowConfirmed, line, -min(units, p.Amount.Units), -1)
	}
	return err
}

// outcome is what the receiver of a payout has said, ” for nothing.
func (w *writer) outcome(account tape.AccountID, hold tape.ID) (outcome string, units int64, err error) {
	_, err = w.get("SELECT outcome, units FROM confirmations WHERE account = ? AND hold = ?", []any{string(account), string(hold)}, &outcome, &units)
	return outcome, units, err
}

// paidLine is the budget line of the disbursement whose chunk the transaction runs.
func (w *writer) paidLine(account tape.AccountID) (tape.ID, error) {
	if w.function != "Fund:Pay" {
		return "", nil
	}
	var c fund.Pay
	if err := canonical.Decode(w.argument, &c); err != nil {
		return "", err
	}
	return w.lineOf(account, string(c.Disbursement))
}

// campaign keeps a campaign as it stands, and as it stood.
func (w *writer) campaign(_ int, rest string, value []byte) error {
	var c fund.Campaign
	if err := json.Unmarshal(value, &c); err != nil {
		return err
	}
	if string(c.Account) != rest {
		return rule.Refuse(rule.Conflict, "the campaign calls itself %s", c.Account)
	}
	if err := w.exec("INSERT INTO campaigns_before VALUES (?, ?, ?)", rest, int64(w.base), filled(value)); err != nil {
		return err
	}
	return w.exec(`INSERT INTO campaigns VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET
		basis = excluded.basis, state = excluded.state, parent = excluded.parent, body = excluded.body`,
		rest, int64(w.base), c.Organisation, string(c.Basis), string(c.State), string(c.Parent), filled(value))
}

func (w *writer) disbursement(n int, rest string, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	var d fund.Disbursement
	if err := json.Unmarshal(value, &d); err != nil {
		return err
	}
	at, err := w.item(n)
	if err != nil {
		return err
	}
	return w.exec("INSERT INTO disbursements VALUES (?, ?, ?, ?, ?, 0, ?)", int64(at), account, id, string(d.Line), string(Proposed), filled(value))
}

func (w *writer) listed(_ int, rest string, value []byte) error {
	account, id, _, err := cutNumber(rest)
	if err != nil {
		return err
	}
	return w.change("UPDATE disbursements SET listed = listed + 1 WHERE account = ? AND id = ?", account, id)
}

func (w *writer) approved(_ int, rest string, value []byte) error {
	account, tail, err := cut(rest)
	if err != nil {
		return err
	}
	id, person, err := cut(tail)
	if err != nil {
		return err
	}
	return w.exec("INSERT INTO approvals VALUES (?, ?, ?, ?, ?)", account, id, person, int64(w.base), filled(value))
}

func (w *writer) rejected(_ int, rest string, value []byte) error {
	return w.disbursementState(rest, Rejected, value)
}

func (w *writer) ordered(_ int, rest string, value []byte) error {
	return w.disbursementState(rest, InPayment, value)
}

// disbursementState also keeps the record, which says by which entry and why.
func (w *writer) disbursementState(rest string, state DisbursementState, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	if err := w.change("UPDATE disbursements SET state = ? WHERE account = ? AND id = ?", string(state), account, id); err != nil {
		return err
	}
	prefix := "ordered/"
	if state == Rejected {
		prefix = "rejected/"
	}
	return w.other(Write{Key: prefix + rest, Value: value})
}

func (w *writer) payee(n int, rest string, value []byte) error {
	account, payee, err := cut(rest)
	if err != nil {
		return err
	}
	var p fund.Payee
	if err := json.Unmarshal(value, &p); err != nil {
		return err
	}
	at, err := w.item(n)
	if err != nil {
		return err
	}
	// Who had no key is enrolled again to get one: the same payee, in its old place, with its flag.
	return w.exec(`INSERT INTO payees VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?) ON CONFLICT (account, payee) DO UPDATE SET
		kind = excluded.kind, person = excluded.person, agent = excluded.agent, bank_account = excluded.bank_account, device = excluded.device, body = excluded.body`,
		int64(at), account, payee, p.Kind, string(p.Person), string(p.Agent), p.BankAccount, p.Device, filled(value))
}

func (w *writer) flag(_ int, rest string, value []byte) error {
	account, payee, err := cut(rest)
	if err != nil {
		return err
	}
	var f fund.Flag
	if err := json.Unmarshal(value, &f); err != nil {
		return err
	}
	var oldest fund.RaisedFlag
	if len(f.Raised) > 0 {
		oldest = f.Raised[0]
	}
	if err := w.change("UPDATE payees SET flagged = ?, flagged_since = ? WHERE account = ? AND payee = ?", oldest.Reason, int64(oldest.Since), account, payee); err != nil {
		return err
	}
	return w.other(Write{Key: "flag/" + rest, Value: value})
}

// confirmation keeps the receiver's last word, and counts what changed by it.
func (w *writer) confirmation(_ int, rest string, value []byte) error {
	account, hold, err := cut(rest)
	if err != nil {
		return err
	}
	var c fund.Confirmation
	if err := json.Unmarshal(value, &c); err != nil {
		return err
	}
	line, _, err := w.lineOfHold(c.Account, c.Hold)
	if err != nil {
		return err
	}
	before, units, err := w.outcome(c.Account, c.Hold)
	if err != nil {
		return err
	}
	if before == fund.Disputed && c.Outcome == fund.Arrived {
		w.flow(c.Account, FlowDisputed, line, -units, -1)
	}
	kind := FlowConfirmed
	if c.Outcome == fund.Disputed {
		kind = FlowDisputed
	}
	w.flow(c.Account, kind, line, c.Amount.Units, 1)
	return w.exec("INSERT OR REPLACE INTO confirmations VALUES (?, ?, ?, ?, ?, ?)", account, hold, int64(w.base), c.Outcome, c.Amount.Units, filled(value))
}
