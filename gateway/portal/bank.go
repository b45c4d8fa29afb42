package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// Limits of a campaign's page about the bank.
const (
	bankRows = 50
	bankFits = 4
	// payoutsLooked are looked through for what a line may belong to.
	payoutsLooked = 1000
)

// bank is what the bank has shown of a campaign's money, and what waits for it.
func (p *portal) bank(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	account, err := p.Model.Account(ctx, id)
	if err != nil {
		return nil, "", err
	}
	page := views.Bank{Account: id, Custodian: account.Custodian, Ordered: money.New(0, account.Currency), File: p.Exports != nil}
	if page.Receivable, err = trail.Receivable(ctx, p.Model, account.Account); err != nil {
		return nil, "", err
	}
	if page.Title, err = p.title(ctx, id); err != nil {
		return nil, "", err
	}
	if page.Acts, err = p.bankActs(r, account); err != nil {
		return nil, "", err
	}
	if session := p.session(r); session.LoggedIn() && p.people.Processors != nil {
		_, refused := p.mayBring(r, session)
		page.Bring = refused == nil
	}
	for _, load := range []func(context.Context, *views.Bank) error{p.processors, p.waitingPages, p.bankOrders, p.takenBack} {
		if err := load(ctx, &page); err != nil {
			return nil, "", err
		}
	}
	return page, "", p.openLines(ctx, &page)
}

// bankActs are the acts about the bank's lines that who is logged in may do.
func (p *portal) bankActs(r *http.Request, account readmodel.Account) ([]string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil, nil
	}
	campaign, err := p.Model.Campaign(r.Context(), account.ID)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	side := acts.SideOf(campaign.Campaign, account.Custodian, p.Organisation)
	var names []string
	for _, act := range acts.Of(acts.Campaign) {
		if act.Bank && act.May([]acts.Side{side}, session.Has) {
			names = append(names, act.Name)
		}
	}
	return names, nil
}

func (p *portal) processors(ctx context.Context, page *views.Bank) error {
	list, err := p.Model.Processors(ctx, page.Account, readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	for _, file := range list.Items {
		row := views.ProcessorFile{Processor: file, Net: file.Total}
		if file.Fee != nil {
			row.Net.Units -= file.Fee.Units
		}
		// The evidence is lines/<bank account>/<statement>/<page>.
		if parts := strings.Split(file.Line.Reference, "/"); len(parts) == 4 {
			row.Statement = tape.ID(parts[2])
		}
		gifts, err := p.Model.Page(ctx, file.Account, file.Page)
		if err != nil {
			return err
		}
		row.Settled = gifts.State == readmodel.PageSettled
		page.Processors = append(page.Processors, row)
	}
	return nil
}

func (p *portal) waitingPages(ctx context.Context, page *views.Bank) error {
	list, err := p.Model.Pages(ctx, readmodel.PageFilter{Account: page.Account, State: readmodel.PagePending}, readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	zone, err := disclosure.Zone(ctx, p.Model)
	if err != nil {
		return err
	}
	for _, gifts := range list.Items {
		since, err := zone.Date(gifts.At)
		if err != nil {
			return err
		}
		page.Waiting = append(page.Waiting, views.WaitingPage{ID: gifts.ID, Count: gifts.Count, Total: gifts.Total, Since: since, Days: since.DaysUntil(p.today())})
	}
	return nil
}

// bankOrders counts the payouts that wait for the bank.
func (p *portal) bankOrders(ctx context.Context, page *views.Bank) error {
	window := readmodel.Window{Limit: windowMax}
	for {
		list, err := p.Model.Holds(ctx, readmodel.HoldFilter{Account: page.Account, State: tape.HoldOpen}, window)
		if err != nil {
			return err
		}
		for _, hold := range list.Items {
			if hold.To.Outside() {
				page.Orders++
				page.Ordered.Units += hold.Spans.Total()
			}
		}
		if window.After = list.Next; list.Next == "" {
			return nil
		}
	}
}

// takenBack are the last gifts that were taken back or went elsewhere.
func (p *portal) takenBack(ctx context.Context, page *views.Bank) error {
	list, err := p.Model.Reversals(ctx, page.Account, readmodel.Window{Limit: listRows, Newest: true})
	for _, reversal := range list.Items {
		row := views.BackRow{Kind: reversal.Kind, Amount: money.New(reversal.Span.Length(), page.Receivable.Currency), Entry: reversal.Entry}
		if !strings.Contains(reversal.Source, "/") { // it came on a page, not by an inflow
			row.Path = pathTo("campaigns", string(page.Account), "gifts") + "?page=" + url.QueryEscape(reversal.Source)
		}
		page.Back = append(page.Back, row)
	}
	return err
}

// openLines are the lines that nothing rests on, each with what it may belong to.
func (p *portal) openLines(ctx context.Context, page *views.Bank) error {
	fits, err := p.fitsOf(ctx, page)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		side tape.Side
		rows *[]views.BankLine
		more *bool
	}{{tape.CreditSide, &page.Credits, &page.MoreCredits}, {tape.DebitSide, &page.Debits, &page.MoreDebits}} {
		list, err := p.Model.OpenLines(ctx, readmodel.OpenLineFilter{Account: page.Custodian, Side: side.side}, readmodel.Window{Limit: bankRows})
		if err != nil {
			return err
		}
		*side.more = list.Next != ""
		for _, line := range list.Items {
			*side.rows = append(*side.rows, bankLine(page, line, fits))
		}
	}
	return nil
}

// fitting is what waits for a line of one amount, on one side; Since is when it began to.
type fitting struct {
	views.BankFit
	side  tape.Side
	units int64
	since tape.Date
}

// fitsOf gathers what lines may belong to: references are hashed on the
// ledger, so it is the amount that tells, and for pages the day.
func (p *portal) fitsOf(ctx context.Context, page *views.Bank) ([]fitting, error) {
	var all []fitting
	for _, waits := range page.Waiting {
		all = append(all, fitting{views.BankFit{Kind: "page", ID: waits.ID, Path: pathTo("campaigns", string(page.Account), "gifts") + "?page=" + url.QueryEscape(string(waits.ID))}, tape.CreditSide, waits.Total.Units, waits.Since})
	}
	for _, state := range []tape.HoldState{tape.HoldOpen, tape.HoldReleased, tape.HoldCaptured} {
		list, err := p.Model.Holds(ctx, readmodel.HoldFilter{Account: page.Account, State: state}, readmodel.Window{Limit: payoutsLooked, Newest: true})
		if err != nil {
			return nil, err
		}
		for _, hold := range list.Items {
			fit := fitting{views.BankFit{Kind: "payout", ID: hold.ID, Path: pathTo("payouts", string(page.Account), string(hold.ID))}, tape.DebitSide, hold.Spans.Total(), ""}
			if state == tape.HoldCaptured {
				fit.Kind, fit.side, fit.units = "paid", tape.CreditSide, hold.Captured.Total()-hold.Returned.Total()
			}
			if hold.To.Outside() && fit.units > 0 {
				all = append(all, fit)
			}
		}
	}
	return all, nil
}

// bankLine is a line with what fits it, the nearest day first.
func bankLine(page *views.Bank, line readmodel.Line, fits []fitting) views.BankLine {
	row, name := views.BankLine{Line: line}, string(line.Statement)+":"+strconv.Itoa(int(line.Number))
	var found []fitting
	for _, fit := range fits {
		if fit.side == line.Side && fit.units == line.Amount.Units {
			found = append(found, fit)
		}
	}
	slices.SortStableFunc(found, func(a, b fitting) int { return cmp.Compare(away(line.Date, a.since), away(line.Date, b.since)) })
	for _, fit := range found[:min(bankFits, len(found))] {
		switch fit.Kind {
		case "page":
			fit.Act = bankAct(page, "match-page", name, "page", fit.ID)
		case "payout":
			fit.Act = bankAct(page, "execute-payouts", name, "payouts", fit.ID)
		case "paid":
			fit.Act = bankAct(page, "return-payout", name, "hold", fit.ID)
		}
		row.Fits = append(row.Fits, fit.BankFit)
	}
	if len(found) > 0 {
		return row
	}
	if row.Act = bankAct(page, "charge-back", name, "", ""); line.Side == tape.CreditSide {
		row.Act = bankAct(page, "receive-unclaimed", name, "", "")
	}
	return row
}

// away is how many days lie between a line and what it may belong to.
func away(line, since tape.Date) int {
	if since == "" {
		return 0
	}
	days := since.DaysUntil(line)
	return max(days, -days)
}

// bankAct leads to the form of an act about a line; nil for who may not do it.
func bankAct(page *views.Bank, act, line, field string, value tape.ID) *views.GiftAct {
	if !slices.Contains(page.Acts, act) {
		return nil
	}
	query := url.Values{"bank-line": {line}}
	if field != "" {
		query.Set(field, string(value))
	}
	return &views.GiftAct{Act: act, Path: pathTo("campaigns", string(page.Account), "acts", act) + "?" + query.Encode()}
}
