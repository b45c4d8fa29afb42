package acts

import (
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// bankActs are about lines of the bank that no import has given their meaning,
// and about payouts that came back or were never paid. Nobody signs them: the
// line is the evidence, and the ledger answers at once.
func bankActs() []Act {
	bankLine, hold, payouts := line("bank-line").at("line").need(), kind("hold", Name).need(), kind("payouts", Names).at("holds").need()
	page := kind("page", Name).need()
	acts := []Act{
		act("execute-payouts", "Tape:Execute", []Field{line("bank-line").at("items").need(), payouts}, (*form).executes, unsigned).of(Bank),
		act("return-payout", "Tape:Return", []Field{bankLine, hold}, func(f *form) tape.Return {
			at, body := f.bankLine(f.ground.campaign.Account)
			return tape.Return{Account: f.ground.campaign.Account, Amount: at.Amount, Hold: f.name("hold"), ID: f.id, Line: f.proof(at, body)}
		}, unsigned).of(Bank, Charity),
		act("charge-back", "Tape:ChargeBack", []Field{page, kind("gift", Name).need(), kind("home", Account), bankLine}, func(f *form) tape.ChargeBack {
			at, body := f.bankLine(f.ground.campaign.Account)
			f.ground.spent = true
			return tape.ChargeBack{Account: f.ground.campaign.Account, Gift: f.placed(f.ground.campaign.Account).proof, ID: f.id, Line: f.proof(at, body)}
		}, unsigned).of(Bank),
		act("expire-payout", "Tape:Expire", []Field{hold}, func(f *form) tape.Release {
			return tape.Release{Account: f.ground.campaign.Account, Hold: f.name("hold"), ID: f.id}
		}, unsigned).of(Charity, Bank, Regulator).to(deciders),
		act("reclaim-payouts", "Tape:Reclaim", []Field{payouts}, func(f *form) tape.Reclaim {
			return tape.Reclaim{Account: f.ground.campaign.Account, Holds: f.names("payouts"), ID: f.id}
		}, unsigned),
		act("restore-payout", "Fund:Restore", []Field{hold}, (*form).restores, unsigned),
		act("match-page", "Tape:Match", []Field{page, line("bank-line").at("lines").need()}, func(f *form) tape.Match {
			at, body := f.bankLine(f.ground.campaign.Account)
			gifts, err := f.ground.Ledger.GiftsOf(f.ground.ctx, f.ground.campaign.Account, f.name("page"))
			f.fault(Fault{Field: "page"}, err)
			return tape.NewMatch(f.ground.campaign.Account, f.id, f.name("page"), gifts, at.Statement, at.N, body)
		}, unsigned),
		act("settle-page", "Tape:Settle", []Field{kind("page", Name).at("items").need(), line("bank-line")}, (*form).settles, unsigned),
		act("receive-unclaimed", "Tape:ReceiveUnidentified", []Field{kind("unclaimed", Account).at("account").need(), line("bank-line").at("lines").need()}, func(f *form) tape.ReceiveUnidentified {
			at, body := f.bankLine(f.ground.campaign.Account)
			return tape.NewReceiveUnidentified(f.account("unclaimed"), f.id, at.Statement, at.N, body)
		}, unsigned),
	}
	for i := range acts {
		acts[i].Bank = true
	}
	return acts
}

// unsigned leaves the judgement to the ledger, which answers whoever carries
// the command before anything is written.
func unsigned[C any](*ground, C) error { return nil }

// bankLine is the line of an account's bank that was named as STATEMENT:NUMBER, and the page that it is on.
func (f *form) bankLine(of tape.AccountID) (readmodel.Line, []tape.Line) {
	text := f.text("bank-line")
	statement, digits, named := strings.Cut(text, ":")
	number, err := strconv.ParseInt(digits, 10, 32)
	if !named || err != nil {
		f.fault(Fault{Field: "bank-line"}, rule.Refuse(rule.Invalid, "names no line of a statement, such as E59HF5:12"))
		return readmodel.Line{}, nil
	}
	account := f.ground.account(of)
	if account == nil {
		return readmodel.Line{}, nil
	}
	at, err := f.ground.Ledger.FindLine(f.ground.ctx, account.Custodian, tape.ID(statement), int32(number))
	var body []tape.Line
	if err == nil {
		body, err = f.ground.Ledger.PageOfLines(f.ground.ctx, account.Custodian, at.Statement, at.N)
	}
	f.fail("bank-line", err)
	return at, body
}

// fail notes what cannot be read: a refusal beside its field, anything else ends the act.
func (f *form) fail(field string, err error) {
	if _, refused := refusalOf(err); !refused && err != nil && f.ground.err == nil {
		f.ground.err = err
	}
	f.fault(Fault{Field: field}, err)
}

func (f *form) proof(at readmodel.Line, body []tape.Line) tape.LineProof {
	if at.Index >= len(body) {
		return tape.LineProof{}
	}
	proof, err := tape.NewLineProof(at.Statement, at.N, body, at.Index)
	f.fail("bank-line", err)
	return proof
}

func (f *form) executes() tape.Execute {
	at, body := f.bankLine(f.ground.campaign.Account)
	if len(f.faults) > 0 || body == nil {
		return tape.Execute{}
	}
	command, err := tape.NewExecute(f.ground.campaign.Account, f.id, at.Statement, at.N, body, []tape.ExecutedLine{{Index: at.Index, Holds: f.names("payouts")}})
	f.fail("bank-line", err)
	return command
}

// restores finds the place of a payout in the disbursement that ordered it.
func (f *form) restores() fund.Restore {
	c := fund.Restore{Account: f.ground.campaign.Account, Hold: f.name("hold"), ID: f.id}
	hold, err := f.ground.Ledger.Hold(f.ground.ctx, c.Account, c.Hold)
	f.fail("hold", err)
	n, index, is := readmodel.Payout{Hold: hold}.Place()
	if err == nil && !is {
		f.fault(Fault{Field: "hold"}, rule.Refuse(rule.WrongState, "no disbursement ordered %s; it has no budget line", c.Hold))
	}
	c.Disbursement, c.N, c.Index = hold.Job, n, index
	return c
}

// settles names what a page rests on: its processor's file, the lines that a
// match has found, or the bank's page that was named.
func (f *form) settles() tape.Settle {
	page := f.name("page")
	item := tape.SettleItem{Source: string(page)}
	found, err := f.ground.Ledger.Page(f.ground.ctx, f.ground.campaign.Account, page)
	f.fail("page", err)
	file := record[tape.Processor](f.ground, tape.ProcessorKey(f.ground.campaign.Account, page))
	switch {
	case f.text("bank-line") != "":
		at, _ := f.bankLine(f.ground.campaign.Account)
		item.Lines = &tape.LinesRef{N: at.N, Statement: at.Statement}
	case file != nil:
		item.Processor = file.ID
	case found.Evidence == nil:
		f.fault(Fault{Field: "bank-line"}, rule.Refuse(rule.Invalid, "is empty: page %s rests on nothing yet; name a line of the bank's page, or let a maker and a checker declare it (declare-page)", page))
	}
	return tape.Settle{Account: f.ground.campaign.Account, ID: f.id, Items: []tape.SettleItem{item}}
}
