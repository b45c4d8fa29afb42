package acts

import (
	"context"
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func settlementActs() []Act {
	lasting := func(g *ground) Answers {
		return Answers{Texts: map[string]string{"expires": string(g.context().Date.AddDays(settleDays)), "households": strconv.Itoa(settlement.HouseholdsMax)}}
	}
	expires := kind("expires", Day).need()
	return []Act{
		plain("open-settlement", "Settlement:OpenSettlement", "sale", []Field{expires, kind("households", Number).need()}, func(g *ground, c settlement.OpenSettlement) []Signer {
			return g.staff(g.unsettled(c.Sale))
		}).from(lasting),
		about("pay-again", "Settlement:PayAgain", "sale", []Field{kind("hold", Name).need(), expires}, steps[settlement.PayAgain]{finish: func(f *form, c *settlement.PayAgain) {
			c.Page = f.ground.pageOf(c.Sale, c.Hold)
		}}, func(g *ground, c settlement.PayAgain) []Signer { return g.staff(g.back(c.Hold)) }).from(lasting),
		plain("choose-prepayment", "Settlement:ChoosePrepayment", "", []Field{kind("household", Account).need(), kind("loan", Name).need(), kind("amount", Amount).need()},
			func(g *ground, c settlement.ChoosePrepayment) []Signer { return g.personOf(c.Household) }).of(Household).to(servers).on(HouseholdPage),
	}
}

// settleDays is how long the bank has to pay out what a sale leaves.
const settleDays = 60

// pages are those of a sale: the grams of every household in it.
func (g *ground) pages(sale tape.ID) []harvest.Page {
	var pages []harvest.Page
	for n := int32(0); sale.Check() == nil; n++ {
		page := record[harvest.Page](g, harvest.ShareKey(g.subject, sale, n))
		if page == nil {
			break
		}
		pages = append(pages, *page)
	}
	return pages
}

// shares are those of all pages of a sale.
func (g *ground) shares(sale tape.ID) harvest.Shares {
	var shares harvest.Shares
	for _, page := range g.pages(sale) {
		shares = append(shares, page.Shares...)
	}
	return shares
}

func (g *ground) settlement(sale tape.ID) *settlement.Settlement {
	if sale.Check() != nil {
		return nil
	}
	return record[settlement.Settlement](g, settlement.Key(g.subject, sale))
}

// unsettled is what an opening moves: the proceeds, or what a settlement that was
// given up has left.
func (g *ground) unsettled(sale tape.ID) money.Amount {
	given := g.settlement(sale)
	if given == nil || given.State != settlement.Abandoned || !given.Paid {
		return g.proceeds(sale)
	}
	shares := g.shares(sale)
	if g.err != nil {
		return money.Amount{}
	}
	var left money.Amount
	left, g.err = given.Held(shares)
	return left
}

// payout is a hold of the scheme's account, nil where there is none.
func (g *ground) payout(id tape.ID) *tape.Hold {
	if id.Check() != nil {
		return nil
	}
	hold, err := g.Ledger.Hold(g.ctx, g.subject, id)
	if known(g, hold, err) == nil {
		return nil
	}
	return &hold.Hold
}

// back is what of a payout came back and was not ordered again.
func (g *ground) back(id tape.ID) money.Amount {
	hold := g.payout(id)
	if hold == nil {
		return money.Amount{}
	}
	came := settlement.CameBack{Hold: *hold, Of: record[settlement.Again](g, settlement.AgainKey(g.subject, id))}
	return money.New(came.Units(), hold.Amount.Currency)
}

// pageOf is the page of a sale on which the household of a payout stands, 0 where it is on none.
func (g *ground) pageOf(sale, id tape.ID) int32 {
	hold := g.payout(id)
	if hold == nil {
		return 0
	}
	return int32(max(0, slices.IndexFunc(g.pages(sale), func(page harvest.Page) bool {
		return slices.ContainsFunc(page.Shares, func(share harvest.Share) bool { return settlement.Outside(share.Household) == hold.To })
	})))
}

// Settling is what is left to do of the settlement of a sale.
type Settling struct {
	// Open is the id under which it is to be opened; empty where it was.
	Open tape.ID
	// Chunks still to run, each under the id that every run gives it; Of is how many there are.
	Chunks []Prepared
	Of     int
	// Close ends it once all have run; nil where it is closed, or is to be opened.
	Close *Prepared
}

// Settle says what is left to do of the settlement of a sale. It is asked again
// after every interruption: what has run is found on the ledger, and what is sent
// twice is answered as before. One that was given up is opened again for the others.
func Settle(ctx context.Context, asker Asker, scheme tape.AccountID, sale tape.ID) (Settling, error) {
	g := &ground{Asker: asker, ctx: ctx, subject: scheme}
	if err := rule.First(rule.Field("account", scheme.Check()), rule.Field("sale", sale.Check())); err != nil {
		return Settling{}, err
	}
	opened := g.settlement(sale)
	switch {
	case opened == nil:
		return Settling{Open: "settle-" + sale}, g.err
	case opened.State == settlement.Abandoned: // behind a dot, since chunks are numbered behind a dash
		return Settling{Open: "settle-" + sale + ".again-" + tape.ID(strconv.Itoa(len(opened.Earlier)))}, nil
	case opened.State == settlement.Closed:
		return Settling{Of: int(opened.Chunks)}, nil
	}
	return g.running(*opened)
}

// running is what is left to do of a settlement that is open.
func (g *ground) running(opened settlement.Settlement) (Settling, error) {
	sale, shares := g.sale(opened.Sale), g.shares(opened.Sale)
	if g.err != nil {
		return Settling{}, g.err
	}
	if sale == nil {
		return Settling{}, rule.Refuse(rule.NotFound, "sale %s does not exist", opened.Sale)
	}
	open := settlement.OpenSettlement{Account: g.subject, Households: opened.Households, ID: opened.Job, Sale: opened.Sale}
	chunks, err := open.Commands(*sale, shares, &opened)
	if err != nil {
		return Settling{}, err
	}
	left := Settling{Of: len(chunks)}
	for _, chunk := range chunks {
		_, err := g.Ledger.Entry(g.ctx, g.Organisation, chunk.ID)
		if rule.Is(err, rule.NotFound) {
			left.Chunks = append(left.Chunks, Prepared{Function: "Settlement:SettleHouseholds", Command: chunk, ID: chunk.ID})
		} else if err != nil {
			return Settling{}, err
		}
	}
	id := opened.Job + ".closed"
	left.Close = &Prepared{Function: "Settlement:CloseSettlement", Command: settlement.CloseSettlement{Account: g.subject, ID: id, Sale: opened.Sale}, ID: id}
	return left, nil
}
