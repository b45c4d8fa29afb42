package acts

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// refundDays is how long a refund waits for the bank.
const refundDays = 60

// giftActs are about a gift as a whole, from the campaign where its money is. A
// gift that came in on another account names that account as its home.
func giftActs() []Act {
	gift := []Field{kind("page", Name).need(), kind("gift", Name).need(), kind("home", Account)}
	return []Act{
		act("refund-gift", "Tape:Refund", gift, func(f *form) tape.Refund {
			placed := f.placed(f.ground.campaign.Account)
			return tape.Refund{Account: f.ground.campaign.Account, Expires: f.ground.At + refundDays*tape.Day, Gift: placed.proof, ID: f.id, To: placed.gift.Giver()}
		}, func(g *ground, c tape.Refund) error {
			account, head, err := g.accountOf(c.Account)
			if err == nil {
				_, _, _, _, err = head.Refund(account, c, g.place, g.context())
			}
			return err
		}),
		act("correct-gift", "Tape:Correct", append(slices.Clone(gift), kind("receiver", Account).at("to").need(),
			choice("why", "correct-reason.", tape.CorrectReasons()...).at("reason").need()), func(f *form) tape.Correct {
			placed := f.placed(f.ground.campaign.Account)
			return tape.Correct{Account: f.ground.campaign.Account, Gift: placed.proof, ID: f.id, Reason: f.text("why"), To: f.account("receiver")}
		}, (*ground).corrects),
		act("identify-gift", "Tape:Identify", []Field{kind("home", Account).at("account").need(), kind("page", Name).need(), kind("gift", Name).need(), kind("payout", Name).at("hold")}, func(f *form) tape.Identify {
			placed := f.placed(f.account("home"))
			return tape.Identify{Account: f.account("home"), Gift: placed.proof, Hold: f.name("payout"), ID: f.id, To: f.ground.campaign.Account}
		}, func(g *ground, c tape.Identify) error {
			account, head, err := g.accountOf(c.Account)
			if err != nil || c.Hold != "" { // whether the payout came back is the ledger's to say
				return err
			}
			payee := g.account(c.To)
			if payee == nil {
				return g.err
			}
			_, _, err = head.Identify(account, c, g.place, &payee.Account, nil, g.context())
			return err
		}),
		act("withdraw-page", "Tape:Withdraw", []Field{kind("page", Name).need(), choice("why", "withdraw-reason.", tape.WithdrawReasons()...).at("reason").need()}, func(f *form) tape.Withdraw {
			return tape.Withdraw{Account: f.ground.campaign.Account, ID: f.id, Page: f.name("page"), Reason: f.text("why")}
		}, (*ground).withdraws),
		act("declare-page", "Fund:Declare", []Field{kind("page", Name).need()}, func(f *form) fund.Declare {
			return fund.Declare{Account: f.ground.campaign.Account, ID: f.id, Page: f.name("page")}
		}, (*ground).declares),
	}
}

// placed is a gift with its proof, where its money is.
type placed struct {
	gift  tape.Gift
	proof tape.GiftProof
}

// placed finds a gift by the page where it came in, and notes what the rules
// read about it on an account.
func (f *form) placed(at tape.AccountID) placed {
	home := f.account("home")
	if home == "" {
		home = at
	}
	if len(f.faults) > 0 {
		return placed{}
	}
	found, err := f.ground.placed(home, at, f.name("page"), f.name("gift"))
	f.fault(Fault{Field: "gift"}, err)
	return found
}

func (g *ground) placed(home, at tape.AccountID, page, gift tape.ID) (placed, error) {
	gifts, err := g.Ledger.GiftsOf(g.ctx, home, page)
	if err != nil {
		return placed{}, err
	}
	index := slices.IndexFunc(gifts, func(one tape.Gift) bool { return one.ID == gift })
	if index < 0 {
		return placed{}, rule.Refuse(rule.NotFound, "there is no gift %.70s on page %.70s of %s", gift, page, home)
	}
	trace, err := g.Ledger.TraceGift(g.ctx, readmodel.GiftAt{Account: home, Page: page, Index: index})
	if err != nil {
		return placed{}, err
	}
	received, err := g.Ledger.Page(g.ctx, home, page)
	if err != nil {
		return placed{}, err
	}
	stands := trace.Stands
	if stands.Span == nil || stands.Account != at {
		return placed{}, rule.Refuse(rule.WrongState, "its money is not at %s, but at %s or not there yet", at, stands.Account)
	}
	if whole := stands.Span.Length(); stands.Free.Units < whole && !g.spent {
		return placed{}, rule.Refuse(rule.Insufficient, "%s of the gift's %s is not free any more", money.New(whole-stands.Free.Units, stands.Free.Currency), gifts[index].Amount)
	}
	proof, err := tape.NewGiftProof(page, gifts, index)
	proof.Moved = stands.Moved
	g.place = tape.SettledGift{Page: received.Page, Settlement: &tape.Settlement{Span: *stands.Span}}
	if stands.Moved != nil {
		name := proof.Name(at)
		g.place.Inflow = &tape.Inflow{Gift: &name}
	} else if received.Span != nil {
		g.place.Settlement.Span = *received.Span
		if received.Fee != nil {
			g.place.Settlement.Fee = received.Fee.Units
		}
	}
	g.amount = money.New(stands.Span.Length(), stands.Free.Currency)
	return placed{gifts[index], proof}, err
}

// accountOf is an account, and a head on which the gift that was found free is free.
func (g *ground) accountOf(id tape.AccountID) (tape.Account, tape.Head, error) {
	account := g.account(id)
	if account == nil {
		return tape.Account{}, tape.Head{}, rule.Field("account", rule.Refuse(rule.NotFound, "account %s is not open", id))
	}
	return account.Account, tape.Head{V: 1, Account: id, Received: account.Received.Units}, nil
}

func (g *ground) corrects(c tape.Correct) error {
	account, head, err := g.accountOf(c.Account)
	if err != nil {
		return err
	}
	to := g.account(c.To)
	var payee *tape.Account
	if to != nil {
		payee = &to.Account
	}
	if _, _, err := head.Correct(account, c, g.place, payee, g.context()); err != nil {
		return err
	}
	stands := g.account(c.Account)
	left := tape.Head{V: 1, Account: c.Account, Received: stands.Received.Units, Spent: stands.Received.Units - stands.Free.Units + g.amount.Units}
	return fund.Corrects(&g.campaign, g.of(c.To), record[fund.Budget](g, fund.BudgetKey(c.Account)), left)
}

func (g *ground) withdraws(c tape.Withdraw) error {
	account, _, err := g.accountOf(c.Account)
	if err != nil {
		return err
	}
	source, err := g.page(c.Account, c.Page)
	if err != nil {
		return err
	}
	_, _, err = account.Withdraw(c, *source.Page, source.Settled, source.Processor, g.context())
	return err
}

func (g *ground) declares(c fund.Declare) error {
	account, head, err := g.accountOf(c.Account)
	if err != nil {
		return err
	}
	source, err := g.page(c.Account, c.Page)
	if err != nil {
		return err
	}
	_, _, _, err = g.campaign.Declare(c, account, head, source, g.context())
	return err
}

// page is a page of gifts with what it rests on and what became of it; its whole
// amount is what those sign who decide about it.
func (g *ground) page(account tape.AccountID, id tape.ID) (tape.Source, error) {
	page, err := g.Ledger.Page(g.ctx, account, id)
	if err != nil {
		return tape.Source{}, rule.Field("page", err)
	}
	source := tape.Source{Page: &page.Page, Settled: page.Withdrawn, Processor: record[tape.Processor](g, tape.ProcessorKey(account, id))}
	if source.Settled == nil && page.State != readmodel.PagePending {
		source.Settled = &tape.Settled{V: 1, N: page.Settlement}
	}
	g.amount = page.Total
	return source, nil
}
