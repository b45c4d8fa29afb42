package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
	"github.com/lianbao/lianbao/gateway/typed"
)

// lifeRows are the most of each kind that a campaign's page shows.
const lifeRows = 100

// life is what belongs to a campaign beside its money.
func (p *portal) life(r *http.Request, account tape.AccountID) (views.Life, error) {
	ctx := r.Context()
	var life views.Life
	list, err := p.Model.Campaigns(ctx, readmodel.CampaignFilter{Parent: account}, readmodel.Window{Limit: lifeRows})
	if err != nil {
		return life, err
	}
	for _, child := range list.Items {
		life.Children = append(life.Children, views.Child{Account: child.Account, Title: trail.Text(child.Plan.Title), Basis: string(child.Basis)})
	}
	at := string(account) + "/"
	if life.Partners, err = kept[fund.Invitation](ctx, p.Model, "invited/"+at); err != nil {
		return life, err
	}
	if life.Agents, err = kept[fund.Agent](ctx, p.Model, "agent/"+at); err != nil {
		return life, err
	}
	if life.Pledges, err = kept[fund.Pledge](ctx, p.Model, "pledge/"+at); err != nil {
		return life, err
	}
	if life.Goods, err = kept[fund.Goods](ctx, p.Model, "goods/"+at); err != nil {
		return life, err
	}
	cited, err := kept[fund.Cited](ctx, p.Model, "cited/"+at)
	life.Cited, err = p.evidence(r, cited, err)
	return life, err
}

func kept[R any](ctx context.Context, model *readmodel.Model, prefix string) ([]R, error) {
	list, err := readmodel.RecordsOf[R](ctx, model, prefix, readmodel.Window{Limit: lifeRows})
	return list.Items, err
}

// citedFor are the documents that were cited for a payout or an entry.
func (p *portal) citedFor(ctx context.Context, account tape.AccountID, what ...string) ([]fund.Cited, error) {
	var found []fund.Cited
	window := readmodel.Window{Limit: windowMax}
	for {
		list, err := readmodel.RecordsOf[fund.Cited](ctx, p.Model, "cited/"+string(account)+"/", window)
		if err != nil {
			return nil, err
		}
		for _, cited := range list.Items {
			if slices.Contains(what, cited.For) || slices.Contains(what, cited.Entry) {
				found = append(found, cited)
			}
		}
		if window.After = list.Next; list.Next == "" {
			return found, nil
		}
	}
}

// changes are the parts of a plan that another would change.
func changes(before, after fund.Plan) []views.Compared {
	var changed []views.Compared
	one, two := planParts(before), planParts(after)
	for i := range one {
		if one[i].text != two[i].text {
			changed = append(changed, views.Compared{Label: one[i].label, Before: one[i].text, After: two[i].text})
		}
	}
	return changed
}

type planPart struct{ label, text string }

// planParts are a plan as people compare it, under the labels of its form.
func planParts(p fund.Plan) []planPart {
	both := func(t fund.Text) string { return strings.Trim(t.Zh+" / "+t.En, " /") }
	var lines, donors []string
	for _, line := range p.Lines {
		lines = append(lines, string(line.ID)+" ("+both(line.Title)+", "+line.Kind+"): "+words.Money(line.Amount))
	}
	for _, donor := range p.Donors {
		donors = append(donors, string(donor))
	}
	emergency := ""
	if p.Emergency {
		emergency = "✓"
	}
	return []planPart{{"title", both(p.Title)}, {"purpose", both(p.Purpose)}, {"beneficiaries", both(p.Beneficiaries)}, {"area", p.Area}, {"sector", p.Sector}, {"from", string(p.From)}, {"to", string(p.To)},
		{"goal", words.Money(p.Goal)}, {"lines", strings.Join(lines, "; ")}, {"management", typed.ShareText(p.ManagementPartsPerMillion) + " %"}, {"leftover", string(p.Leftover)},
		{"emergency", emergency}, {"donors", strings.Join(donors, ", ")}}
}

// waits is the plan that waits for the regulator beside the one in force; of a
// first plan all of it.
func waits(c fund.Campaign) []views.Compared {
	switch {
	case c.Pending != nil:
		return changes(c.Plan, *c.Pending)
	case c.State == fund.Draft:
		return changes(fund.Plan{}, c.Plan)
	}
	return nil
}
