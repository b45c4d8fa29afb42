package acts

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func goodsActs() []Act {
	return []Act{
		act("record-pledge", "Fund:RecordPledge", []Field{kind("amount", Amount).need(), kind("due", Day).need()}, func(f *form) fund.RecordPledge {
			return fund.RecordPledge{Account: f.ground.campaign.Account, Amount: f.amount("amount", f.ground.campaign.Plan.Goal.Currency), Due: f.day("due"), ID: f.id}
		}, func(g *ground, c fund.RecordPledge) error {
			_, _, err := g.campaign.RecordPledge(c, g.context())
			return err
		}),
		act("keep-pledge", "Fund:SettlePledge", []Field{kind("pledge", Name).need(), kind("page", Name).need(), kind("gift", Name).need()}, func(f *form) fund.SettlePledge {
			return fund.SettlePledge{Account: f.ground.campaign.Account, Gift: f.gift("page", "gift"), ID: f.id, Pledge: f.name("pledge")}
		}, (*ground).settles),
		act("cancel-pledge", "Fund:SettlePledge", []Field{kind("pledge", Name).need()}, func(f *form) fund.SettlePledge {
			return fund.SettlePledge{Account: f.ground.campaign.Account, ID: f.id, Pledge: f.name("pledge")}
		}, (*ground).settles),
		act("receive-goods", "Fund:ReceiveGoods", []Field{line("item").need(), kind("quantity", Number).need(), line("unit").need()}, func(f *form) fund.ReceiveGoods {
			return fund.ReceiveGoods{Account: f.ground.campaign.Account, ID: f.id, Item: f.text("item"), Quantity: f.number("quantity", 64), Unit: f.text("unit")}
		}, func(g *ground, c fund.ReceiveGoods) error {
			_, _, err := g.campaign.ReceiveGoods(c, g.context(g.Person))
			return err
		}),
		act("give-goods", "Fund:GiveGoods", []Field{kind("goods", Name).need(), kind("quantity", Number).need(), kind("receiver", Account).at("to").need(), kind("document", Document).at("evidence"),
			choice("kind", "document-kind.", fund.CitationKinds()...)}, func(f *form) fund.GiveGoods {
			return fund.GiveGoods{Account: f.ground.campaign.Account, Evidence: f.citation("document", "kind"), Goods: f.name("goods"), ID: f.id, Quantity: f.number("quantity", 64), To: f.account("receiver")}
		}, (*ground).gives),
	}
}

// gift proves that a gift stands in a page of the campaign.
func (f *form) gift(page, gift string) *tape.GiftProof {
	if len(f.faults) > 0 {
		return nil
	}
	gifts, err := f.ground.Ledger.GiftsOf(f.ground.ctx, f.ground.campaign.Account, f.name(page))
	if err != nil {
		f.fault(Fault{Field: page}, err)
		return nil
	}
	i := slices.IndexFunc(gifts, func(g tape.Gift) bool { return g.ID == f.name(gift) })
	if i < 0 {
		f.fault(Fault{Field: gift}, rule.Refuse(rule.NotFound, "there is no gift %.70s in page %.70s of %s", f.text(gift), f.text(page), f.ground.campaign.Account))
		return nil
	}
	proof, err := tape.NewGiftProof(f.name(page), gifts, i)
	f.fault(Fault{Field: gift}, err)
	return &proof
}

func (g *ground) settles(c fund.SettlePledge) error {
	pledge := record[fund.Pledge](g, fund.PledgeKey(c.Account, c.Pledge))
	if pledge == nil {
		return rule.Field("pledge", rule.Refuse(rule.NotFound, "there is no pledge %s of %s", c.Pledge, c.Account))
	}
	var gift *tape.Gift
	var kept *fund.Mark
	if c.Gift != nil {
		kept = record[fund.Mark](g, c.Kept())
		gifts, err := g.Ledger.GiftsOf(g.ctx, c.Account, c.Gift.Page)
		if err != nil {
			return err
		}
		gift = &gifts[c.Gift.Index]
	}
	_, _, err := g.campaign.SettlePledge(c, *pledge, gift, kept, g.context())
	return err
}

func (g *ground) gives(c fund.GiveGoods) error {
	if err := rule.Field("to", c.To.Check()); err != nil {
		return err
	}
	goods := record[fund.Goods](g, fund.GoodsKey(c.Account, c.Goods))
	if goods == nil {
		return rule.Field("goods", rule.Refuse(rule.NotFound, "there are no goods %s of %s", c.Goods, c.Account))
	}
	to := fund.Line{Payment: tape.Payment{To: c.To}}
	if c.To.Outside() {
		to.Payee, to.Flag = g.payee(c.To), g.flag(c.To)
	} else {
		to.Invitation, to.Campaign = record[fund.Invitation](g, fund.InvitationKey(c.Account, c.To)), g.of(c.To)
	}
	_, _, err := g.campaign.GiveGoods(c, *goods, to, g.context(g.Person))
	return err
}
