package trail

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/export/threesixty"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func texts(t fund.Text) iati.Texts {
	var all iati.Texts
	if t.En != "" {
		all = append(all, iati.Text{Language: "en", Text: t.En})
	}
	if t.Zh != "" {
		all = append(all, iati.Text{Language: "zh", Text: t.Zh})
	}
	return all
}

// Facts are the campaigns' records as exports need them. It implements books.Facts.
type Facts struct {
	Model *readmodel.Model
}

// organisation names one that has not said how it is registered by its name on
// the ledger, without an identifier.
func organisation(name string, named *fund.Publisher) iati.Organisation {
	if named == nil {
		return iati.Organisation{Names: iati.Texts{{Language: "en", Text: name}}}
	}
	return iati.Organisation{Ref: named.Identifier, Type: named.Type, Names: texts(named.Name)}
}

// identifier names the activity of an account: both sides of a grant write the
// same. It begins with the identifier that the organisation named first, so that
// another one changes no activity's name; it is empty where there is none.
func identifier(account tape.AccountID, named *fund.Publisher) string {
	if named == nil {
		return ""
	}
	return named.First + "-" + strings.ReplaceAll(string(account), ":", "-")
}

// Campaign is what is published of the campaign that an account is kept for.
func (f Facts) Campaign(ctx context.Context, account tape.AccountID) (books.Campaign, error) {
	found, err := f.Model.Campaign(ctx, account)
	if err != nil {
		return books.Campaign{}, err
	}
	c := found.Campaign
	named, err := disclosure.Publisher(ctx, f.Model, found.Organisation)
	if err != nil {
		return books.Campaign{}, err
	}
	dates, err := f.dates(ctx, c)
	if err != nil {
		return books.Campaign{}, err
	}
	country, _, _ := strings.Cut(c.Plan.Area, "-")
	activity := iati.Activity{Identifier: identifier(account, named), Reporting: organisation(found.Organisation, named), Language: "en", Humanitarian: c.Plan.Emergency,
		Title: texts(c.Plan.Title), Description: texts(c.Plan.Purpose), Status: status(c), Dates: dates,
		Countries: []iati.Country{{Code: country}}, Sectors: []iati.Sector{{Code: c.Plan.Sector}}, Budgets: budgets(c.Plan)}
	grants := books.Grants{Code: strings.ReplaceAll(string(account), ":", "-"), Area: c.Plan.Area, Individual: individual(c.Plan)}
	if named != nil {
		activity.Language = named.Language
		grants.Prefix, grants.License, grants.Source = named.Prefix, named.License, named.Source
		if named.First != named.Identifier {
			activity.Former = []iati.Former{{Ref: named.First, Type: "B1"}}
		}
	}
	activity.Related, err = f.parent(ctx, c)
	return books.Campaign{Activity: activity, Grants: grants}, err
}

// parent is the activity whose money a grant or an earmark spends, where its organisation has named itself.
func (f Facts) parent(ctx context.Context, c fund.Campaign) ([]iati.Related, error) {
	if c.Parent == "" {
		return nil, nil
	}
	parent, err := f.Model.Campaign(ctx, c.Parent)
	if err != nil {
		return nil, err
	}
	named, err := disclosure.Publisher(ctx, f.Model, parent.Organisation)
	if err != nil || named == nil {
		return nil, err
	}
	return []iati.Related{{Ref: identifier(c.Parent, named), Type: "1"}}, nil
}

// purposes are codes of 360Giving's list grantToIndividualsPurpose by the
// beginning of a plan's sector, the longest first.
var purposes = []struct{ sector, code string }{
	{"72040", "GTIP070"}, // emergency food aid: food and essential items
	{"16030", "GTIP060"}, // housing: other housing related costs
	{"16040", "GTIP060"},
	{"72", "GTIP170"}, // emergency response: exceptional costs
	{"11", "GTIP130"}, // education: education and training
	{"12", "GTIP120"}, // health: health, care and wellbeing services
	{"13", "GTIP120"},
}

// emergencyReason is 360Giving's code for an emergency or a crisis.
const emergencyReason = "GTIR100"

// individual is why and for what a campaign pays people, as far as its plan
// says it of all of them alike. Nothing is taken from what is known of a person.
func individual(plan fund.Plan) threesixty.Individual {
	var of threesixty.Individual
	if plan.Emergency {
		of.Reason = emergencyReason
	}
	for _, p := range purposes {
		if strings.HasPrefix(plan.Sector, p.sector) {
			of.Purposes = []string{p.code}
			break
		}
	}
	return of
}

func status(c fund.Campaign) iati.Status {
	switch c.State {
	case fund.Draft:
		return iati.Pipeline
	case fund.Closed:
		return iati.Finalisation
	}
	return iati.Implementation
}

// dates are what was planned, and what has come to pass.
func (f Facts) dates(ctx context.Context, c fund.Campaign) ([]iati.ActivityDate, error) {
	dates := []iati.ActivityDate{{Type: iati.PlannedStart, Date: c.Plan.From}, {Type: iati.PlannedEnd, Date: c.Plan.To}}
	if c.State != fund.Closed {
		return dates, nil
	}
	zone, err := disclosure.Zone(ctx, f.Model)
	if err != nil {
		return nil, err
	}
	closed, err := zone.Date(c.Closed)
	return append(dates, iati.ActivityDate{Type: iati.ActualStart, Date: min(c.Plan.From, closed)}, iati.ActivityDate{Type: iati.ActualEnd, Date: closed}), err
}

// budgets cut the goal into parts of a year at most, in proportion to their days.
func budgets(plan fund.Plan) []iati.Budget {
	var parts []iati.Budget
	var days []int64
	for from := plan.From; from <= plan.To; {
		to := min(from.AddMonths(12).AddDays(-1), plan.To)
		parts = append(parts, iati.Budget{From: from, To: to, Valued: plan.From})
		days = append(days, int64(from.DaysUntil(to))+1)
		from = to.AddDays(1)
	}
	shares, err := money.Split(plan.Goal.Units, days)
	if err != nil {
		return nil
	}
	for i := range parts {
		parts[i].Value = money.New(shares[i], plan.Goal.Currency)
	}
	return parts
}

// Party is who stands behind an account: a partner by its own campaign, a
// payee by its kind and never by more.
func (f Facts) Party(ctx context.Context, account tape.AccountID) (books.Party, error) {
	if !account.Outside() {
		campaign, err := f.Model.Campaign(ctx, account)
		if rule.Is(err, rule.NotFound) {
			return f.holder(ctx, account)
		}
		if err != nil {
			return books.Party{}, err
		}
		named, err := disclosure.Publisher(ctx, f.Model, campaign.Organisation)
		by := organisation(campaign.Organisation, named)
		by.Activity = identifier(account, named)
		if campaign.Basis != fund.Grant {
			return books.Party{Kind: books.Own, Organisation: by}, err
		}
		return books.Party{Kind: books.Partner, Organisation: by, Regrant: threesixty.CommonRegrant}, err
	}
	list, err := f.Model.Payees(ctx, readmodel.PayeeFilter{Payee: account}, readmodel.Window{Limit: 1})
	if err != nil {
		return books.Party{}, err
	}
	kind := books.Unnamed
	if len(list.Items) > 0 && list.Items[0].Kind == fund.Household {
		kind = books.Household
	}
	return books.Party{Kind: kind}, nil
}

// holder is the organisation that keeps an account which is no campaign's, such
// as the own funds that bear a chargeback.
func (f Facts) holder(ctx context.Context, account tape.AccountID) (books.Party, error) {
	kept, err := f.Model.Account(ctx, account)
	if err != nil {
		return books.Party{}, err
	}
	named, err := disclosure.Publisher(ctx, f.Model, kept.Organisation)
	return books.Party{Kind: books.Own, Organisation: organisation(kept.Organisation, named)}, err
}

// Promises are the pledges of a campaign that were not cancelled.
func (f Facts) Promises(ctx context.Context, account tape.AccountID) ([]books.Promise, error) {
	var promises []books.Promise
	window := readmodel.Window{Limit: 1000}
	for {
		list, err := f.Model.Records(ctx, "pledge/"+string(account)+"/", window)
		if err != nil {
			return nil, err
		}
		for _, record := range list.Items {
			var p fund.Pledge
			if err := json.Unmarshal(record.Value, &p); err != nil {
				return nil, err
			}
			if p.State == "cancelled" {
				continue
			}
			organisation, id, _ := strings.Cut(p.Entry, "/")
			entry, err := f.Model.Entry(ctx, organisation, tape.ID(id))
			if err != nil {
				return nil, err
			}
			promises = append(promises, books.Promise{Reference: string(p.ID), Date: entry.BusinessDate, Amount: p.Amount})
		}
		if window.After = list.Next; list.Next == "" {
			return promises, nil
		}
	}
}
