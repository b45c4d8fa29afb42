// Package trail tells the portal what campaigns are beside their money: it
// fills the portal's views from the read model and the disclosure sheet.
package trail

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Trail implements portal.Campaigns.
type Trail struct {
	Model *readmodel.Model
	// Now is the clock by which days are counted.
	Now func() time.Time
}

// List names the accounts that are campaigns.
func (t Trail) List(ctx context.Context, after string, limit int) ([]tape.AccountID, string, error) {
	list, err := t.Model.Campaigns(ctx, readmodel.CampaignFilter{}, readmodel.Window{After: after, Limit: limit})
	accounts := make([]tape.AccountID, len(list.Items))
	for i, campaign := range list.Items {
		accounts[i] = campaign.Account
	}
	return accounts, list.Next, err
}

// Campaign is what was filed and published about a campaign, nil where the account is none.
func (t Trail) Campaign(ctx context.Context, account tape.AccountID) (*views.CampaignFacts, error) {
	sheet, err := disclosure.Of(ctx, t.Model, account, t.Now())
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plan := sheet.Campaign.Plan
	facts := &views.CampaignFacts{Title: Text(plan.Title), Purpose: Text(plan.Purpose), Area: views.Text{Chinese: plan.Area, English: plan.Area},
		From: plan.From, To: plan.To, Goal: &plan.Goal, Confirmed: sheet.Sums.Confirmed, Disputed: sheet.Sums.Disputed,
		Beneficiaries: Text(plan.Beneficiaries), State: string(sheet.Campaign.State), Basis: string(sheet.Campaign.Basis), Regulator: plan.Regulator, Leftover: plan.Leftover,
		Parent: sheet.Campaign.Parent, Cap: int(plan.ManagementPartsPerMillion) / basisPoints, Pending: sheet.Campaign.Pending != nil}
	if sheet.Campaign.Filing != nil {
		facts.Filing = sheet.Campaign.Filing.Number
	}
	for i, line := range sheet.Lines {
		facts.Budget = append(facts.Budget, budget(line, sheet.Left[i]))
	}
	for _, due := range sheet.Clock {
		facts.Clock = append(facts.Clock, views.Duty{Key: Duty(due.Duty), Due: due.Date, Source: due.Article, Done: due.State == fund.Met || due.State == fund.Late,
			Late: due.State == fund.Late, Days: due.Days, Entry: entryOf(sheet.Published, due.Publication)})
	}
	for _, p := range sheet.Published {
		facts.Publications = append(facts.Publications, Published(p))
	}
	facts.Ratios = ratios(sheet)
	return facts, late(facts, sheet)
}

// Title is the name of the campaign of an account, nil where the account is none.
func (t Trail) Title(ctx context.Context, account tape.AccountID) (*views.Text, error) {
	campaign, err := t.Model.Campaign(ctx, account)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	title := Text(campaign.Plan.Title)
	return &title, nil
}

// Published is a publication as pages show it.
func Published(p fund.Publication) views.Publication {
	return views.Publication{N: p.N, Duty: Duty(p.Duty), From: p.From, To: p.To, Date: p.Date, Entry: p.Entry, Hash: p.Document.String()}
}

// late are the gifts that have waited for longer than the law lets them wait unseen.
func late(facts *views.CampaignFacts, sheet disclosure.Sheet) error {
	law, err := fund.LawOn(sheet.Today)
	if err != nil {
		return err
	}
	facts.LateDays = law.SettleDays
	for _, l := range sheet.Late {
		facts.Late = append(facts.Late, views.Late{Page: l.Page, Total: l.Total, Count: int(l.Count), Since: l.Since, Days: l.Days})
	}
	return nil
}

// duties are the portal's words for the duties of the law.
var duties = map[string]string{"filing": "filing", "emergency": "five-daily", "progress": "three-monthly", "final": "final-report",
	"remainder": "leftover", "evaluation": "evaluation", "annual": "annual-report", "other": "other"}

// Duty is the portal's word for a duty; one that it has no word for stays as it is.
func Duty(duty string) string {
	if word, known := duties[duty]; known {
		return word
	}
	return duty
}

// Text is a text in both languages; where one is missing the other stands for it.
func Text(t fund.Text) views.Text {
	shown := views.Text{Chinese: t.Zh, English: t.En}
	if shown.Chinese == "" {
		shown.Chinese = t.En
	}
	if shown.English == "" {
		shown.English = t.Zh
	}
	return shown
}

// budget is a line as people read it: what still waits for the bank is ordered.
func budget(line disclosure.Line, left money.Amount) views.Budget {
	paid := line.Sums.Paid.Units + line.Sums.Passed.Units
	currency := line.Amount.Currency
	return views.Budget{ID: string(line.ID), Kind: line.Kind, Title: Text(line.Title), Planned: line.Amount, Paid: money.New(paid, currency), Passed: line.Sums.Passed,
		Ordered: money.New(line.Sums.Ordered.Units-paid, currency), Confirmed: line.Sums.Confirmed, Payees: int(line.Sums.Payouts),
		CameBack: money.New(line.Sums.Returned.Units+line.Sums.Recovered.Units, currency), Recovered: line.Sums.Recovered, Left: left}
}

func entryOf(published []fund.Publication, n int32) string {
	for _, p := range published {
		if p.N == n {
			return p.Entry
		}
	}
	return ""
}

// basisPoints of one in parts per million.
const basisPoints = 100

func ratios(sheet disclosure.Sheet) []views.Ratio {
	if len(sheet.Lines) == 0 {
		return nil
	}
	share := fund.PartsPerMillion(sheet.Management.Units, sheet.Given.Units)
	return []views.Ratio{{Key: "management", Share: int(share / basisPoints), Limit: int(sheet.Campaign.Plan.ManagementPartsPerMillion) / basisPoints,
		Over: sheet.Management.Units > sheet.Cap.Units, Part: sheet.Management, Whole: sheet.Given, Source: sheet.Law}}
}

// Confirmation is the receiver's word on a payout, nil where the payee is not asked for one.
func (t Trail) Confirmation(ctx context.Context, account tape.AccountID, hold tape.ID) (*views.Confirmation, error) {
	list, err := t.Model.Payouts(ctx, readmodel.PayoutFilter{Account: account, ID: hold}, readmodel.Window{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	word := list.Items[0].Confirmation
	if word == nil {
		return nil, nil
	}
	zone, err := disclosure.Zone(ctx, t.Model)
	if err != nil {
		return nil, err
	}
	date, err := zone.Date(word.At)
	state := "confirmed"
	if word.Outcome == fund.Disputed {
		state = "disputed"
	}
	return &views.Confirmation{State: state, Date: date, Custody: word.By.Custody, Guardian: word.For != "", Entry: word.Entry}, err
}
