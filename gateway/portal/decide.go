package portal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

// named makes an entry's id out of what it is about: the same form sent twice
// asks for the same entry, which the ledger writes once.
func named(about tape.ID, what ...string) tape.ID {
	id := string(about) + "." + strings.Join(what, ".")
	if tape.ID(id).Check() == nil {
		return tape.ID(id)
	}
	digest := sha256.Sum256([]byte(id))
	return tape.ID(fmt.Sprintf("%s.%x", what[0], digest[:12]))
}

// decide answers the forms of a disbursement.
func (p *portal) decide(r *http.Request, session login.Session) (string, error) {
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	id, err := idIn(r, "id")
	if err != nil {
		return "", err
	}
	if err := roles(session, login.Maker, login.Checker); err != nil {
		return "", err
	}
	if err := p.staff(r.Context(), session); err != nil {
		return "", err
	}
	d, err := p.Model.Disbursement(r.Context(), account, id)
	if err != nil {
		return "", err
	}
	return p.decideOn(r, session, d)
}

// decideOn does what the form asks for.
func (p *portal) decideOn(r *http.Request, session login.Session, d readmodel.Disbursement) (string, error) {
	account, id := d.Account, d.Disbursement.ID
	back := pathTo("disbursements", string(account), string(id))
	switch act := r.PathValue("act"); act {
	case "approve":
		if err := roles(session, login.Checker); err != nil {
			return "", err
		}
		return p.prepare(r, session, signing.Request{Function: "Fund:Approve", Amount: d.Amount.String(),
			Command: fund.Approve{Account: account, Disbursement: id, ID: named(id, "approve", string(session.Person()))}})
	case "reject", "withdraw":
		reason := "withdrawn"
		if act == "reject" {
			reason = r.PostForm.Get("reason")
		}
		return p.prepare(r, session, signing.Request{Function: "Fund:Reject", Amount: d.Amount.String(),
			Command: fund.Reject{Account: account, Disbursement: id, ID: named(id, "reject"), Reason: reason}})
	case "list":
		return back, p.layOpen(r.Context(), account, id)
	case "order":
		return back, p.order(r.Context(), d)
	case "pay":
		return back, p.pay(r.Context(), d)
	case "close":
		return back, p.carryOne(r.Context(), "Fund:CloseDisbursement", fund.CloseDisbursement{Account: account, Disbursement: id, ID: named(id, "close")})
	}
	return "", rule.Refuse(rule.NotFound, "there is no such form")
}

func (p *portal) carryOne(ctx context.Context, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return p.carry(ctx, carried{function, argument})
}

// order sets the money of an approved disbursement apart, on the approvals that
// there are. One whose key is no longer in force, or who is no longer staff, is
// left out: the ledger would refuse all of them for it.
func (p *portal) order(ctx context.Context, d readmodel.Disbursement) error {
	order := fund.Order{Account: d.Account, Disbursement: d.Disbursement.ID, ID: named(d.Disbursement.ID, "order"), Approvers: []tape.ID{}}
	for _, approval := range d.Approvals {
		person, err := p.people.Persons.Person(ctx, approval.Person)
		if err != nil {
			return err
		}
		if key, err := person.InForce(tape.Instant(p.Now().UnixMilli())); err != nil || key.Duty != party.DutyStaff {
			continue
		}
		order.Approvers = append(order.Approvers, approval.Person)
	}
	return p.carryOne(ctx, "Fund:Order", order)
}

// pay orders at the bank what was approved: the lists are read back from the
// ledger, so that what is paid is what was laid open.
func (p *portal) pay(ctx context.Context, d readmodel.Disbursement) error {
	found, err := p.laidOpen(ctx, d, int(d.Chunks))
	if err != nil {
		return err
	}
	if len(found) < int(d.Chunks) {
		return rule.Refuse(rule.WrongState, "%d of %d lists of disbursement %s could be read back", len(found), d.Chunks, d.Disbursement.ID)
	}
	var commands []carried
	for _, one := range found {
		paid, err := p.paid(ctx, d, one)
		if err != nil {
			return err
		}
		if paid {
			continue
		}
		argument, err := canonical.Encode(fund.Pay{Account: d.Account, Disbursement: d.Disbursement.ID, ID: named(d.Disbursement.ID, "pay", fmt.Sprint(one.N)), Lines: one.command.Lines, N: one.N, Path: one.command.Path})
		if err != nil {
			return err
		}
		commands = append(commands, carried{"Fund:Pay", argument})
	}
	return p.carry(ctx, commands...)
}

// paid reports whether a list was ordered at the bank before: its first payee
// outside then has a payout. A list that pays accounts only is sent again under
// its own id, and answered as before.
func (p *portal) paid(ctx context.Context, d readmodel.Disbursement, one laid) (bool, error) {
	for i, payment := range one.command.Lines {
		if !payment.To.Outside() {
			continue
		}
		_, err := p.Model.Hold(ctx, d.Account, tape.ChunkHold(d.Disbursement.ID, one.N, i))
		if rule.Is(err, rule.NotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// say prepares a receiver's word on one payout.
func (p *portal) say(r *http.Request, session login.Session) (string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	hold, err := idIn(r, "hold")
	if err != nil {
		return "", err
	}
	list, err := p.Model.Payouts(ctx, readmodel.PayoutFilter{Account: account, ID: hold}, readmodel.Window{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", rule.Field("hold", rule.Refuse(rule.NotFound, "there is no payout %s of %s", hold, account))
	}
	payout := list.Items[0]
	command := fund.Confirm{Account: account, Hold: hold, Outcome: r.PostForm.Get("outcome"), Amount: payout.Amount}
	if command.Outcome == fund.Arrived {
		command.Amount = money.New(payout.Captured.Total()-payout.Returned.Total(), payout.Amount.Currency)
	} else {
		command.Reason = r.PostForm.Get("reason")
	}
	before := ""
	if payout.Confirmation != nil {
		before = payout.Confirmation.Entry
	}
	what := "dispute"
	if command.Outcome == fund.Arrived {
		what = "confirm"
	}
	command.ID = p.people.Drafts.OwnID(what, string(session.Person()), string(account), string(hold), before, command.Outcome, command.Reason, command.Amount.String())
	if err := command.Check(); err != nil {
		return "", err
	}
	return p.prepare(r, session, signing.Request{Function: "Fund:Confirm", Amount: command.Amount.String(), Command: command})
}

// publish makes a publication and prepares the command that freezes it.
func (p *portal) publish(r *http.Request, session login.Session) (string, error) {
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	if err := roles(session, login.Maker, login.Checker); err != nil {
		return "", err
	}
	if p.people.Shelf == nil {
		return "", rule.Refuse(rule.Unsupported, "this gateway keeps no documents")
	}
	text, command, err := disclosure.Draft(r.Context(), p.Model, disclosure.Ask{Account: account, Duty: r.PostForm.Get("duty")}, p.Now())
	if err != nil {
		return "", err
	}
	if _, err := p.people.Shelf.Put(text); err != nil {
		return "", err
	}
	return p.prepare(r, session, signing.Request{Function: "Fund:Publish", Amount: money.New(0, command.Figures.Settled.Currency).String(), Command: command})
}
