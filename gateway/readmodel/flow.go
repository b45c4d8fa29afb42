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
	FlowRaised FlowKind = "raised" // gifts received, with or without evidence
	// FlowSettled are gifts that have their span by a line of the bank,
	// FlowDeclared by the charity's word alone.
	FlowSettled  FlowKind = "settled"
	FlowDeclared FlowKind = "declared"
	FlowGranted  FlowKind = "granted" // money of another account, settled
	// FlowRecovered is what a partner did not need and gave back to the campaign
	// that had passed it on, settled there; FlowRemitted is the same at the
	// partner, whose money it is no more.
	FlowRecovered FlowKind = "recovered"
	FlowRemitted  FlowKind = "remitted"
	FlowOrdered   FlowKind = "ordered" // set apart for payees
	// FlowReleased was ordered and given up; FlowPaid left by a line of the
	// bank, FlowReturned came back by one.
	FlowReleased FlowKind = "released"
	FlowPaid     FlowKind = "paid"
	FlowReturned FlowKind = "returned"
	FlowPassed   FlowKind = "passed" // went to another account of the ledger
	FlowRefunded FlowKind = "refunded"
	FlowReversed FlowKind = "reversed" // charged back by the giver's bank
	FlowFee      FlowKind = "fee"      // kept by a payment processor
	// FlowConfirmed of what is paid has its receiver's signature, FlowDisputed the opposite.
	FlowConfirmed FlowKind = "confirmed"
	FlowDisputed  FlowKind = "disputed"
)

// flow is one addition to an account's flows, on the day of the transaction's entry.
type flow struct {
	account tape.AccountID
	kind    FlowKind
	line    tape.ID
	// own says that it is between two campaigns of one organisation.
	own   bool
	units int64
	count int
}

func (w *writer) flow(account tape.AccountID, kind FlowKind, line tape.ID, units int64, count int) {
	w.flowWith(account, kind, line, false, units, count)
}

func (w *writer) flowWith(account tape.AccountID, kind FlowKind, line tape.ID, own bool, units int64, count int) {
	if units != 0 && !account.Outside() {
		w.flows = append(w.flows, flow{account, kind, line, own, units, count})
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
		if err := w.exec(`INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET units = units + excluded.units, count = count + excluded.count`,
			string(f.account), string(w.entry.BusinessDate), string(f.kind), string(f.line), f.own, f.units, f.count); err != nil {
			return err
		}
		if err := w.exec(`INSERT INTO flows_by_block VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET units = units + excluded.units, count = count + excluded.count`,
			string(f.account), int64(w.base.block()), string(w.entry.BusinessDate), string(f.kind), string(f.line), f.own, f.units, f.count); err != nil {
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
	switch {
	case err != nil:
		return err
	case kind == FlowPassed:
		return w.passedFlows(p, line)
	case kind == FlowPaid:
		return w.paidFlow(p, line)
	}
	w.flow(p.From, kind, line, p.Amount.Units, 1)
	return nil
}

// passedFlows counts money that went to another account of the ledger. What
// goes home to the campaign that handed it over was never spent here.
func (w *writer) passedFlows(p tape.Posting, line tape.ID) error {
	own, err := w.ownCampaigns(p.From, p.To)
	if err != nil {
		return err
	}
	home := w.homeUnits()
	w.flowWith(p.From, FlowRemitted, line, own, home, 1)
	on := p.Amount.Units - home
	w.flowWith(p.From, FlowPassed, line, own, on, 1)
	switch w.entry.Kind {
	case "spend", "carry": // no order came before
		w.flow(p.From, FlowOrdered, "", on, 1)
	}
	return nil
}

// ownCampaigns reports whether two accounts are campaigns of one organisation.
func (w *writer) ownCampaigns(one, other tape.AccountID) (bool, error) {
	var same int
	return w.get("SELECT 1 FROM campaigns AS a JOIN campaigns AS b ON a.organisation = b.organisation WHERE a.account = ? AND b.account = ?",
		[]any{string(one), string(other)}, &same)
}

// homeUnits are those that the transaction gives back to budget lines.
func (w *writer) homeUnits() (units int64) {
	for _, one := range w.home {
		units += one.Units
	}
	return units
}

// granted notes what a remainder gives back of what its campaign was paid on
// each budget line: what has become less in the record.
func (w *writer) granted(_ int, rest string, value []byte) error {
	var before, after fund.Granted
	if err := json.Unmarshal(value, &after); err != nil {
		return err
	}
	key := "granted/" + rest
	var known []byte
	found, err := w.get("SELECT value FROM records WHERE key = ?", []any{key}, &known)
	if err != nil {
		return err
	}
	if found && w.function == "Fund:Carry" {
		if err := json.Unmarshal(known, &before); err != nil {
			return err
		}
	}
	for _, one := range before.Lines {
		for _, left := range after.Lines {
			if left.Line == one.Line && left.Units < one.Units {
				w.home = append(w.home, fund.Ordered{Line: one.Line, Units: one.Units - left.Units})
			}
		}
	}
	return w.other(Write{Key: key, Value: value})
}

// holdBefore is a hold as it stood before the transaction.
func (w *writer) holdBefore(account tape.AccountID, id tape.ID) (hold tape.Hold, err error) {
	var body []byte
	found, err := w.get("SELECT body FROM holds WHERE account = ? AND id = ?", []any{string(account), string(id)}, &body)
	if err != nil || !found {
		return hold, orMissing(err, "payout %s", id)
	}
	return hold, json.Unmarshal(body, &hold)
}

// paidUnits is what the bank has paid of a hold, less what came back.
func paidUnits(hold tape.Hold) int64 { return hold.Captured.Total() - hold.Returned.Total() }

// paidFlow counts what a line of the bank paid; a payout in several parts is one payout.
func (w *writer) paidFlow(p tape.Posting, line tape.ID) error {
	before, err := w.holdBefore(p.From, p.Line)
	w.flow(p.From, FlowPaid, line, p.Amount.Units, since(paidUnits(before), paidUnits(before)+p.Amount.Units))
	return err
}

// since is 1 where there is something now and was nothing before, -1 the other way round.
func since(before, now int64) int { return int(min(now, 1) - min(before, 1)) }

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
		return FlowPassed, "", nil
	case "settle":
		return FlowFee, "", nil
	}
	return FlowReversed, "", nil
}

// rebookedFlows takes a gift off the figures of the account that it left: it was
// not that account's. A line that was a payout's return is counted as one.
func (w *writer) rebookedFlows(p tape.Posting) error {
	if p.Inflow != "" {
		return nil // the inflow names the gift
	}
	w.flow(p.From, FlowRaised, "", -p.Amount.Units, -1)
	w.flow(p.From, FlowSettled, "", -p.Amount.Units, -1)
	return w.returnedFlows(p)
}

// giftFlows counts one settled gift, or takes it off, as what it rests on.
func (w *writer) giftFlows(account tape.AccountID, gift tape.GiftName, units int64, count int) error {
	var rests []byte
	if _, err := w.get("SELECT rests FROM pages WHERE account = ? AND id = ?", []any{string(gift.Account), string(gift.Page)}, &rests); err != nil {
		return err
	}
	var evidence tape.Evidence
	if len(rests) > 0 {
		if err := json.Unmarshal(rests, &evidence); err != nil {
			return err
		}
	}
	w.flow(account, FlowRaised, "", units, count)
	w.flow(account, settledAs(evidence), "", units, count)
	return nil
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
	before, err := w.holdBefore(p.To, p.Line)
	w.flow(p.To, FlowReturned, line, p.Amount.Units, -since(paidUnits(before), paidUnits(before)-p.Amount.Units))
	return err
}

// word is what the receiver of a payout last said, the zero value for nothing.
func (w *writer) word(account tape.AccountID, hold tape.ID) (word fund.Confirmation, err error) {
	var body []byte
	found, err := w.get("SELECT body FROM confirmations WHERE account = ? AND hold = ?", []any{string(account), string(hold)}, &body)
	if err != nil || !found {
		return word, err
	}
	return word, json.Unmarshal(body, &word)
}

// saidFlows counts what is confirmed and disputed now and was not before, and
// the other way round: by a new word, by money that was paid or came back.
func (w *writer) saidFlows(line tape.ID, before fund.Confirmation, was tape.Hold, now fund.Confirmation, is tape.Hold) {
	for _, one := range []struct {
		kind        FlowKind
		before, now int64
	}{{FlowConfirmed, before.Confirmed(was).Units, now.Confirmed(is).Units}, {FlowDisputed, before.Contested(was).Units, now.Contested(is).Units}} {
		w.flow(is.Account, one.kind, line, one.now-one.before, since(one.before, one.now))
	}
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
	next := fund.NextPerson{}
	if p.Next != nil {
		next = *p.Next
	}
	// Who had no key is enrolled again to get one: the same payee, in its old place, with its flag.
	return w.exec(`INSERT INTO payees VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?) ON CONFLICT (account, payee) DO UPDATE SET
		kind = excluded.kind, person = excluded.person, next_person = excluded.next_person, next_from = excluded.next_from, agent = excluded.agent, bank_account = excluded.bank_account, device = excluded.device, body = excluded.body`,
		int64(at), account, payee, p.Kind, string(p.Person), string(next.Person), int64(next.From), string(p.Agent), p.BankAccount, p.Device, filled(value))
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
	before, err := w.word(c.Account, c.Hold)
	if err != nil {
		return err
	}
	stands, err := w.holdBefore(c.Account, c.Hold)
	if err != nil {
		return err
	}
	w.saidFlows(line, before, stands, c, stands)
	return w.exec("INSERT OR REPLACE INTO confirmations VALUES (?, ?, ?, ?, ?, ?)", account, hold, int64(w.base), c.Outcome, c.Amount.Units, filled(value))
}
