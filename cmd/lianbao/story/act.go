package story

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const day = tape.Day

// signed sends a command that persons have signed, and returns the block that holds it.
func (t *teller) signed(ctx context.Context, organisation, function, action string, account tape.AccountID, amount money.Amount, command any, signers ...founding.Signer) (uint64, error) {
	decision := founding.Decision{Action: action, Subject: string(account), Amount: amount.String(), Deadline: t.begun + 29*day}
	argument, err := founding.Envelope(t.Charter.Ledger, command, decision, signers...)
	if err != nil {
		return 0, err
	}
	block, err := t.Gateways[organisation].Send(ctx, function, argument)
	return t.note(block), err
}

// record sends a command that nobody needs to sign.
func (t *teller) record(ctx context.Context, organisation, function string, command any) (uint64, error) {
	block, err := t.Gateways[organisation].SendRecord(ctx, function, command)
	return t.note(block), err
}

// note remembers the last block that the story wrote.
func (t *teller) note(block uint64) uint64 {
	for {
		last := t.last.Load()
		if block <= last || t.last.CompareAndSwap(last, block) {
			return block
		}
	}
}

// names says how the charity and its partner are registered, by what org-id.guide
// keeps for invented organisations.
func (t *teller) names(ctx context.Context) error {
	for _, c := range []struct {
		organisation, kind string
		name               fund.Text
	}{
		{charity, "public-foundation", fund.Text{En: "Sunrise Foundation (invented)", Zh: "旭日基金会（虚构）"}},
		{coop, "association", fund.Text{En: "Moonlight Builders' Cooperative (invented)", Zh: "月光建筑合作社（虚构）"}},
	} {
		maker, checker, err := founding.Staff(t.Folder, c.organisation)
		if err != nil {
			return err
		}
		command := fund.NamePublisher{ID: "story.name", Organisation: c.organisation, Imprint: fund.Imprint{Identifier: "XE-EXAMPLE-invented-" + c.organisation, Kind: c.kind, Language: "en",
			Name: c.name, Prefix: "360G-example-" + c.organisation, Type: "22"}}
		decision := founding.Decision{Action: "name-publisher", Subject: c.organisation, Deadline: t.begun + 29*day}
		argument, err := founding.Envelope(t.Charter.Ledger, command, decision, maker, checker)
		if err != nil {
			return err
		}
		block, err := t.Gateways[c.organisation].Send(ctx, "Fund:NamePublisher", argument)
		if err != nil {
			return err
		}
		t.note(block)
	}
	return nil
}

// staff sends a command of the charity that maker and checker have signed.
func (t *teller) staff(ctx context.Context, function, action string, account tape.AccountID, amount money.Amount, command any) (uint64, error) {
	return t.signed(ctx, charity, function, action, account, amount, command, t.maker, t.checker)
}

// sees waits until an organisation's own peer holds a block: what is sent there
// next is judged with it.
func (t *teller) sees(ctx context.Context, organisation string, block uint64) error {
	var page readmodel.List[readmodel.BlockSummary]
	return t.Gateways[organisation].Get(ctx, "/blocks", url.Values{"limit": {"1"}}, block, &page)
}

// opens opens a campaign; one by filing gets its number from the regulator.
func (t *teller) opens(ctx context.Context, c fund.OpenCampaign, number string) error {
	block, err := t.staff(ctx, "Fund:OpenCampaign", "open-campaign", c.Account, c.Zero(), c)
	if err != nil || number == "" {
		return err
	}
	if err := t.sees(ctx, regulator, block); err != nil {
		return err
	}
	block, err = t.signed(ctx, regulator, "Fund:AcceptFiling", "accept-filing", c.Account, c.Zero(), fund.AcceptFiling{Account: c.Account,
		ID: c.ID + ".filing", Number: number, Plan: charity + "/" + string(c.ID)}, t.supervisor)
	if err != nil {
		return err
	}
	return t.sees(ctx, charity, block)
}

// enrols puts payees on a campaign's list.
func (t *teller) enrols(ctx context.Context, account tape.AccountID, id tape.ID, zero money.Amount, payees []fund.NewPayee) error {
	_, err := t.signed(ctx, charity, "Fund:Enrol", "enrol", account, zero, fund.Enrol{Account: account, ID: id, Payees: payees}, t.maker)
	return err
}

// proposes brings a disbursement up to the lists that its approvers read.
func (t *teller) proposes(ctx context.Context, account tape.AccountID, id, line tape.ID, payments []tape.Payment) (fund.Pay, error) {
	job, chunks, err := tape.NewJob(account, id, t.begun+60*day, [][]tape.Payment{payments})
	if err != nil {
		return fund.Pay{}, err
	}
	propose := fund.Propose{Account: account, Amount: job.Amount, Chunks: 1, Count: int32(len(payments)), Expires: job.Expires, ID: id, Line: line, Root: job.Root}
	if _, err := t.signed(ctx, charity, "Fund:Propose", "propose", account, job.Amount, propose, t.maker); err != nil {
		return fund.Pay{}, err
	}
	list := fund.List{Account: account, Disbursement: id, ID: id + ".list", Lines: payments, Path: chunks[0].Path}
	_, err = t.record(ctx, charity, "Fund:List", list)
	return fund.Pay{Account: account, Disbursement: id, ID: id + ".pay", Lines: payments, Path: chunks[0].Path}, err
}

// disburses takes a disbursement from its proposal to the orders for the bank.
func (t *teller) disburses(ctx context.Context, account tape.AccountID, id, line tape.ID, payments []tape.Payment) error {
	pay, err := t.proposes(ctx, account, id, line, payments)
	if err != nil {
		return err
	}
	total := money.New(0, payments[0].Amount.Currency)
	for _, p := range payments {
		if total, err = total.Add(p.Amount); err != nil {
			return err
		}
	}
	approve := fund.Approve{Account: account, Disbursement: id, ID: id + ".approve"}
	if _, err := t.signed(ctx, charity, "Fund:Approve", "approve", account, total, approve, t.checker); err != nil {
		return err
	}
	if _, err := t.record(ctx, charity, "Fund:Order", fund.Order{Account: account, Approvers: []tape.ID{t.checker.Person}, Disbursement: id, ID: id + ".order"}); err != nil {
		return err
	}
	if _, err := t.record(ctx, charity, "Fund:Pay", pay); err != nil {
		return err
	}
	_, err = t.record(ctx, charity, "Fund:CloseDisbursement", fund.CloseDisbursement{Account: account, Disbursement: id, ID: id + ".close"})
	return err
}

// debits are the lines of a bank's statement, from its order for the bank on:
// one for each payout, with the memo by which the import knows it.
func debits(holds []hold) []row {
	var rows []row
	for i, h := range holds {
		rows = append(rows, row{fmt.Sprintf("Rfake-payout-%02d", i+1), h.amount, money.New(0, h.amount.Currency), h.reference()})
	}
	return rows
}

// reference is what the bank is asked to write into the memo.
func (h hold) reference() string { return donation.ReferenceOfPayout(h.account, h.id).Grouped() }

// executed refuses an import that has not executed every payout that the story's bank has paid.
func executed(r importing.Result, holds []hold) error {
	if r.Executed.Count != len(holds) || len(r.Payouts) > 0 {
		return rule.Refuse(rule.Conflict, "statement %s executed %d payouts of %d and leaves %v; lianbao reset and up begin anew", r.Statement, r.Executed.Count, len(holds), r.Payouts)
	}
	return nil
}

// hold names a payout.
type hold struct {
	account tape.AccountID
	id      tape.ID
	amount  money.Amount
}

// payouts are the holds that a disbursement of one chunk orders.
func payouts(account tape.AccountID, disbursement tape.ID, payments []tape.Payment) []hold {
	var holds []hold
	for i, p := range payments {
		if p.To.Outside() {
			holds = append(holds, hold{account, tape.ChunkHold(disbursement, 0, i), p.Amount})
		}
	}
	return holds
}

// registers brings the keys of invented people, which lie on invented devices
// of this folder and not with the gateway. The regulator brings them, the
// charity witnesses.
func (t *teller) registers(ctx context.Context, persons []tape.ID) error {
	work, working := errgroup.WithContext(ctx)
	for _, person := range persons {
		work.Go(func() error {
			signer, err := founding.Device(t.Folder, charity, person, t.Charter.Ledger)
			if err != nil {
				return err
			}
			return t.register(working, signer, party.Own, party.DutyMember)
		})
	}
	return work.Wait()
}

func (t *teller) register(ctx context.Context, signer founding.Signer, custody party.Custody, duty party.Duty) error {
	block, err := t.brings(ctx, signer, custody, duty)
	if err != nil {
		return err
	}
	if err := t.sees(ctx, charity, block); err != nil {
		return err
	}
	_, err = t.record(ctx, charity, "Party:Witness", party.WitnessCommand{Address: sign.Address(signer.Key), Duty: duty, ID: "witness-" + signer.Person, Person: signer.Person})
	return err
}

// brings leaves a key with the regulator's word alone: it waits for the charity's.
func (t *teller) brings(ctx context.Context, signer founding.Signer, custody party.Custody, duty party.Duty) (uint64, error) {
	proof, err := sign.Possession(signer.Key, t.Charter.Ledger, party.Possession{Person: signer.Person, Custody: custody, Duty: duty, Organisation: charity, Registrar: regulator})
	if err != nil {
		return 0, err
	}
	return t.record(ctx, regulator, "Party:Register", party.RegisterCommand{Address: sign.Address(signer.Key), Custody: custody, Duty: duty, ID: "register-" + signer.Person,
		Organisation: charity, Person: signer.Person, Proof: proof})
}

// says is a household's own word on a payout, carried by the cooperative.
func (t *teller) says(ctx context.Context, h hold, person tape.ID, outcome, reason string) error {
	signer, err := founding.Device(t.Folder, charity, person, t.Charter.Ledger)
	if err != nil {
		return err
	}
	_, err = t.signed(ctx, coop, "Fund:Confirm", "confirm", h.account, h.amount, fund.Confirm{Account: h.account, Amount: h.amount, Hold: h.id,
		ID: h.id + "." + tape.ID(outcome), Outcome: outcome, Reason: reason}, signer)
	return err
}

// arrivalPause is how often it is asked whether money has arrived. The
// gateway settles by itself what comes from other accounts.
const arrivalPause = 50 * time.Millisecond

func (t *teller) arrived(ctx context.Context, account tape.AccountID, amount money.Amount) error {
	for {
		var stands readmodel.Account
		if err := t.Gateways[charity].Get(ctx, "/accounts/"+url.PathEscape(string(account)), nil, 0, &stands); err != nil {
			return err
		}
		if stands.Received.Units >= amount.Units {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(arrivalPause):
		}
	}
}

// giftsOf reads the gifts of one page of a campaign.
func (t *teller) giftsOf(ctx context.Context, account tape.AccountID, page tape.ID) ([]tape.Gift, error) {
	var all []tape.Gift
	after := ""
	for {
		var list readmodel.List[readmodel.Gift]
		query := url.Values{"page": {string(page)}, "limit": {"1000"}, "after": {after}}
		if err := t.Gateways[charity].Get(ctx, "/accounts/"+url.PathEscape(string(account))+"/gifts", query, 0, &list); err != nil {
			return nil, err
		}
		for _, gift := range list.Items {
			all = append(all, tape.Gift{ID: gift.ID, Amount: gift.Amount, Donor: gift.Donor, Reference: gift.Reference})
		}
		if after = list.Next; after == "" {
			break
		}
	}
	if len(all) < 2 {
		return nil, rule.Refuse(rule.NotFound, "the gifts of the story are not there; lianbao reset and up begin anew")
	}
	return all, nil
}
