package acts

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func evidenceActs() []Act {
	return []Act{
		act("cite", "Fund:Cite", []Field{kind("document", Document).at("evidence").need(), choice("kind", "document-kind.", fund.CitationKinds()...).need(), line("for").need()}, func(f *form) fund.Cite {
			return fund.Cite{Account: f.ground.campaign.Account, Evidence: f.citation("document", "kind"), For: f.text("for"), ID: f.id}
		}, func(g *ground, c fund.Cite) error {
			known := make([]bool, len(c.Evidence))
			for i, hash := range c.Hashes() {
				known[i] = record[fund.Cited](g, fund.CitedKey(c.Account, hash)) != nil
			}
			_, _, err := g.campaign.Cite(c, known, g.cites(c), g.context(g.Person))
			return err
		}).to(deciders),
		act("abandon-disbursement", "Fund:CloseDisbursement", []Field{kind("disbursement", Name).need()}, func(f *form) fund.CloseDisbursement {
			return fund.CloseDisbursement{Abandon: true, Account: f.ground.campaign.Account, Disbursement: f.name("disbursement"), ID: f.id}
		}, func(g *ground, c fund.CloseDisbursement) error {
			d, err := g.Ledger.Disbursement(g.ctx, c.Account, c.Disbursement)
			if err != nil {
				return rule.Field("disbursement", err)
			}
			if d.State != readmodel.InPayment {
				return rule.Field("disbursement", rule.Refuse(rule.WrongState, "disbursement %s is %s; what was ordered and is not paid can be given up", c.Disbursement, d.State))
			}
			return nil
		}),
	}
}

// cites reads what documents are cited for.
func (g *ground) cites(c fund.Cite) fund.Cites {
	var found fund.Cites
	if organisation, id, named := strings.Cut(c.For, "/"); named {
		entry, err := g.Ledger.Entry(g.ctx, organisation, tape.ID(id))
		if known(g, entry, err) != nil {
			found.Entry = &entry.Entry
		}
		return found
	}
	hold, err := g.Ledger.Hold(g.ctx, c.Account, tape.ID(c.For))
	found.Payout = known(g, hold, err) != nil
	d, err := g.Ledger.Disbursement(g.ctx, c.Account, tape.ID(c.For))
	found.Disbursement = known(g, d, err) != nil
	return found
}
