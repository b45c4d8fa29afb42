package books

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// pledge is money that was promised, goods are a gift in kind: neither is on a tape.
type pledge struct {
	amount  money.Amount
	settled bool
}

type goods struct{ quantity, given int64 }

// publish numbers and chains what was published, and counts its figures again.
func (b *Books) publish() error {
	command, c, err := about(b, func(c fund.Publish) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.PublicationKey(command.Account, command.N)
	b.signers()
	b.signedBy(key, c.organisation)
	b.differs(key, "the number of the publication", fmt.Sprint(c.publications+1), fmt.Sprint(command.N))
	b.counted(key, c, command)
	previous := ""
	if c.publications > 0 {
		previous = c.document.String()
	}
	c.publications, c.document = command.N, command.Document
	said := func(n int32, duty, previous string, document merkle.Hash, figures fund.Figures) string {
		return fmt.Sprintf("%d for %s, behind %q, document %s, figures %s", n, duty, previous, document, spelled(figures))
	}
	noted(b, key, "what was published", said(command.N, command.Duty, previous, command.Document, command.Figures),
		func(r fund.Publication) string { return said(r.N, r.Duty, r.Previous, r.Document, r.Figures) })
	noted(b, fund.PublicationsKey(command.Account), "the last publication", fmt.Sprintf("%d, document %s", command.N, command.Document),
		func(r fund.Publications) string { return fmt.Sprintf("%d, document %s", r.N, r.Document) })
	return nil
}

// citeDocuments books documents; each stands for one thing.
func (b *Books) citeDocuments() error {
	command, c, err := about(b, func(c fund.Cite) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	b.signers()
	b.signedBy(fund.CampaignKey(command.Account), c.organisation)
	if _, payout := b.trail.payouts[tape.HoldKey(command.Account, tape.ID(command.For))]; !payout && c.disbursements[tape.ID(command.For)] == nil && b.subjects[command.For] != string(command.Account) {
		b.problem(fund.CampaignKey(command.Account), "documents are cited for nothing of the campaign", "", command.For)
	}
	for _, document := range command.Evidence {
		key := fund.CitedKey(command.Account, document.Hash)
		b.once("document", key)
		noted(b, key, "what the document stands for", document.Kind+" for "+command.For, func(r fund.Cited) string { return r.Kind + " for " + r.For })
	}
	return nil
}

func (b *Books) recordPledge() error {
	command, c, err := about(b, func(c fund.RecordPledge) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.PledgeKey(command.Account, command.ID)
	b.once("pledge", key)
	if command.Due < b.entry.BusinessDate {
		b.problem(key, "a pledge is due before it was promised", string(b.entry.BusinessDate)+" at least", string(command.Due))
	}
	c.pledges[command.ID] = &pledge{amount: command.Amount}
	notePledge(b, key, command.Amount, "open")
	return nil
}

func notePledge(b *Books, key string, amount money.Amount, state string) {
	noted(b, key, "the pledge", fmt.Sprintf("%s, %s", amount, state), func(r fund.Pledge) string { return fmt.Sprintf("%s, %s", r.Amount, r.State) })
}

// settlePledge says what became of a promise: a gift of that amount, which is a
// leaf of a page on the ledger, or nothing.
func (b *Books) settlePledge() error {
	command, c, err := about(b, func(c fund.SettlePledge) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	p, known := c.pledges[command.Pledge]
	if !known {
		return fmt.Errorf("pledge %s was never recorded", command.Pledge)
	}
	key := fund.PledgeKey(command.Account, command.Pledge)
	if p.settled {
		b.problem(key, "a pledge is settled twice", "", b.entry.Reference())
	}
	p.settled = true
	state := "cancelled"
	if command.Gift != nil {
		state = "kept"
		kept := command.Kept()
		b.once("gift that keeps a pledge", kept)
		b.marked(kept)
	}
	notePledge(b, key, p.amount, state)
	return nil
}

func (b *Books) receiveGoods() error {
	command, c, err := about(b, func(c fund.ReceiveGoods) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.GoodsKey(command.Account, command.ID)
	b.once("goods", key)
	b.signers()
	b.signedBy(key, c.organisation)
	c.goods[command.ID] = &goods{quantity: command.Quantity}
	noteGoods(b, key, c.goods[command.ID])
	return nil
}

func noteGoods(b *Books, key string, g *goods) {
	noted(b, key, "how many of the goods were given on", fmt.Sprintf("%d of %d", g.given, g.quantity), func(r fund.Goods) string { return fmt.Sprintf("%d of %d", r.Given, r.Quantity) })
}

// giveGoods hands goods on to somebody who may be paid, never more than came.
func (b *Books) giveGoods() error {
	command, c, err := about(b, func(c fund.GiveGoods) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	g, known := c.goods[command.Goods]
	if !known {
		return fmt.Errorf("goods %s never came", command.Goods)
	}
	key := fund.GoodsKey(command.Account, command.Goods)
	b.signers()
	b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.payable(c, command.To, fund.BudgetLine{ID: "goods", Kind: fund.Programme})
	for _, by := range b.entry.Intents {
		if slices.Contains(b.partners(c, []tape.Payment{{To: command.To}}), by.Organisation) {
			b.problem(key, "staff of an organisation give goods to its own account", "", string(by.Person))
		}
		if slices.Contains(c.concerned([]tape.Payment{{To: command.To}}), by.Person) {
			b.problem(key, "who gives goods gets them or serves who does", "", string(by.Person))
		}
	}
	g.given += command.Quantity
	if command.Quantity < 1 || g.given > g.quantity {
		b.problem(key, "more goods are given on than came", fmt.Sprint(g.quantity), fmt.Sprint(g.given))
	}
	noteGoods(b, key, g)
	return nil
}
