// Package disclosure is what a charity shows and publishes about a campaign:
// its sums, its budget line by line, the clock of what the law has it publish,
// and the ratios of a year. It adds up what the read model holds; limits and
// deadlines are chaincode/fund's.
package disclosure

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Sums are what a campaign, or one line of its budget, has come to.
type Sums struct {
	// Raised is what gifts and other accounts brought, Settled what of it stands
	// on the tape. Of Settled, Declared rests on the charity's word alone and
	// Granted came from other accounts; the rest lines of the bank have shown.
	Raised   money.Amount `json:"raised"`
	Settled  money.Amount `json:"settled"`
	Declared money.Amount `json:"declared"`
	Granted  money.Amount `json:"granted"`
	// Ordered is what was set apart for payees, less what was given up or came
	// back. Paid of it has left by a line of the bank, Passed to other accounts
	// of the ledger; Recovered came home from those and is in neither any more.
	// What a partner gave home is Remitted there, and granted to it no more.
	Ordered   money.Amount `json:"ordered"`
	Paid      money.Amount `json:"paid"`
	Passed    money.Amount `json:"passed"`
	Recovered money.Amount `json:"recovered"`
	Remitted  money.Amount `json:"remitted"`
	// Confirmed of Paid has its receiver's signature, Disputed the opposite.
	Confirmed money.Amount `json:"confirmed"`
	Disputed  money.Amount `json:"disputed"`
	// Returned came back from the bank, Refunded went back to givers, Reversed
	// was charged back, Fee stayed with a payment processor.
	Returned money.Amount `json:"returned"`
	Refunded money.Amount `json:"refunded"`
	Reversed money.Amount `json:"reversed"`
	Fee      money.Amount `json:"fee"`
	// Gifts and Payouts count, the latter those that the bank has paid.
	Gifts   int64 `json:"gifts"`
	Payouts int64 `json:"payouts"`
}

func newSums(c money.Currency) Sums {
	zero := money.New(0, c)
	return Sums{Raised: zero, Settled: zero, Declared: zero, Granted: zero, Ordered: zero, Paid: zero, Passed: zero, Recovered: zero, Remitted: zero,
		Confirmed: zero, Disputed: zero, Returned: zero, Refunded: zero, Reversed: zero, Fee: zero}
}

// Shown is what of Settled lines of the bank have shown.
func (s Sums) Shown() money.Amount {
	return money.New(s.Settled.Units-s.Declared.Units-s.Granted.Units, s.Settled.Currency)
}

// Total adds flows up.
func Total(flows []readmodel.Flow, currency money.Currency) Sums {
	sums := newSums(currency)
	for _, f := range flows {
		sums.add(f)
	}
	return sums
}

// add counts one flow.
func (s *Sums) add(f readmodel.Flow) {
	units := f.Amount.Units
	switch f.Kind {
	case readmodel.FlowRaised:
		s.Raised.Units += units
		s.Gifts += f.Count
	case readmodel.FlowSettled:
		s.Settled.Units += units
	case readmodel.FlowDeclared:
		s.Settled.Units += units
		s.Declared.Units += units
	case readmodel.FlowRefunded:
		s.Refunded.Units += units
	case readmodel.FlowReversed:
		s.Reversed.Units += units
	case readmodel.FlowFee:
		s.Fee.Units += units
	default:
		s.addMoved(f)
		s.addPaid(f)
	}
}

// addMoved counts money between accounts of the ledger.
func (s *Sums) addMoved(f readmodel.Flow) {
	units := f.Amount.Units
	switch f.Kind {
	case readmodel.FlowGranted:
		s.grant(units)
	case readmodel.FlowRemitted:
		s.grant(-units)
		s.Remitted.Units += units
	case readmodel.FlowPassed:
		s.Passed.Units += units
	case readmodel.FlowRecovered:
		s.Ordered.Units -= units
		s.Passed.Units -= units
		s.Recovered.Units += units
	}
}

func (s *Sums) grant(units int64) {
	s.Raised.Units += units
	s.Settled.Units += units
	s.Granted.Units += units
}

// addPaid counts what was ordered, what the bank did, and what receivers said about it.
func (s *Sums) addPaid(f readmodel.Flow) {
	units := f.Amount.Units
	switch f.Kind {
	case readmodel.FlowOrdered:
		s.Ordered.Units += units
	case readmodel.FlowReleased:
		s.Ordered.Units -= units
	case readmodel.FlowPaid:
		s.Paid.Units += units
		s.Payouts += f.Count
	case readmodel.FlowReturned:
		s.Ordered.Units -= units
		s.Paid.Units -= units
		s.Returned.Units += units
		s.Payouts -= f.Count
	case readmodel.FlowConfirmed:
		s.Confirmed.Units += units
	case readmodel.FlowDisputed:
		s.Disputed.Units += units
	}
}

// Line is one line of the budget and what was spent on it.
type Line struct {
	fund.BudgetLine
	Sums Sums `json:"sums"`
}

// Month is what came and went in one calendar month.
type Month struct {
	// Month is written 2026-11.
	Month string `json:"month"`
	Sums  Sums   `json:"sums"`
}

// Late is a page of gifts that waits for its bank line for longer than it should.
type Late struct {
	Page  tape.ID      `json:"page"`
	Total money.Amount `json:"total"`
	Count int32        `json:"count"`
	Since tape.Date    `json:"since"`
	// Due is the last day on which it was not late.
	Due  tape.Date `json:"due"`
	Days int       `json:"days"`
}

// Sheet is everything about one campaign.
type Sheet struct {
	Campaign readmodel.Campaign `json:"campaign"`
	Today    tape.Date          `json:"today"`
	Sums     Sums               `json:"sums"`
	// Free can be spent now, Waiting was received and has no span yet.
	Free    money.Amount `json:"free"`
	Waiting money.Amount `json:"waiting"`
	Lines   []Line       `json:"lines"`
	// Left of each of Lines may still be ordered, as the contract counts it: what
	// came back is free once it was given back to its line.
	Left   []money.Amount `json:"left"`
	Months []Month        `json:"months"`
	// Management is what was ordered on management lines, Cap the most that may
	// be: a share of Given, which givers gave and is still here or was ordered.
	Management money.Amount       `json:"management"`
	Given      money.Amount       `json:"given"`
	Cap        money.Amount       `json:"cap"`
	Law        string             `json:"law"`
	Clock      []fund.Due         `json:"clock"`
	Published  []fund.Publication `json:"published"`
	Late       []Late             `json:"late"`
}

// Books is the read model as far as a sheet needs it.
type Books interface {
	Account(ctx context.Context, id tape.AccountID) (readmodel.Account, error)
	Head(ctx context.Context, account tape.AccountID) (tape.Head, error)
	Campaign(ctx context.Context, account tape.AccountID) (readmodel.Campaign, error)
	Flows(ctx context.Context, account tape.AccountID) ([]readmodel.Flow, error)
	Publications(ctx context.Context, account tape.AccountID) ([]fund.Publication, error)
	Pages(ctx context.Context, filter readmodel.PageFilter, window readmodel.Window) (readmodel.List[readmodel.GiftPage], error)
	Record(ctx context.Context, key string) (readmodel.Record, error)
	Records(ctx context.Context, prefix string, window readmodel.Window) (readmodel.List[readmodel.Record], error)
}

// Zone is the civil time of the ledger's business dates.
func Zone(ctx context.Context, books Books) (tape.Zone, error) {
	record, err := books.Record(ctx, party.LedgerKey())
	if err != nil {
		return "", err
	}
	var ledger party.Ledger
	err = json.Unmarshal(record.Value, &ledger)
	return ledger.Zone, err
}

// Of makes the sheet of a campaign as it stands at a moment.
func Of(ctx context.Context, books Books, account tape.AccountID, now time.Time) (Sheet, error) {
	s := Sheet{Left: []money.Amount{}, Clock: []fund.Due{}, Published: []fund.Publication{}, Late: []Late{}, Months: []Month{}}
	zone, err := Zone(ctx, books)
	if err != nil {
		return s, err
	}
	if s.Today, err = zone.Date(tape.Instant(now.UnixMilli())); err != nil {
		return s, err
	}
	if s.Campaign, err = books.Campaign(ctx, account); err != nil {
		return s, err
	}
	stands, err := books.Account(ctx, account)
	if err != nil {
		return s, err
	}
	s.Free, s.Waiting = stands.Free, stands.Pending
	flows, err := books.Flows(ctx, account)
	if err != nil {
		return s, err
	}
	s.count(flows)
	if err := s.budget(ctx, books); err != nil {
		return s, err
	}
	published, err := books.Publications(ctx, account)
	if err != nil {
		return s, err
	}
	s.Published = append(s.Published, published...)
	invited, err := books.Records(ctx, invitations(account), readmodel.Window{Limit: 1})
	if err != nil {
		return s, err
	}
	if err := s.clock(zone, fund.Facts{Published: published, Until: until(flows, s.Today), Partners: len(invited.Items) > 0}); err != nil {
		return s, err
	}
	return s, s.late(ctx, books, zone)
}

// budget is what the contract lets management cost, by its own function, and
// what it lets be ordered on each line.
func (s *Sheet) budget(ctx context.Context, books Books) error {
	head, err := books.Head(ctx, s.Campaign.Account)
	if err != nil {
		return err
	}
	record, err := books.Record(ctx, fund.BudgetKey(s.Campaign.Account))
	if err != nil {
		return err
	}
	var budget fund.Budget
	if err := json.Unmarshal(record.Value, &budget); err != nil {
		return err
	}
	given := budget.Given(head)
	s.Given, s.Cap = money.New(given, s.Campaign.Plan.Goal.Currency), s.Campaign.Plan.ManagementCap(given)
	for _, line := range s.Campaign.Plan.Lines {
		s.Left = append(s.Left, budget.Left(line))
	}
	return nil
}

// count adds the flows up as a whole, by line and by month.
func (s *Sheet) count(flows []readmodel.Flow) {
	currency := s.Campaign.Plan.Goal.Currency
	s.Sums, s.Management = Total(flows, currency), money.New(0, currency)
	for _, line := range s.Campaign.Plan.Lines {
		s.Lines = append(s.Lines, Line{line, newSums(currency)})
	}
	for _, f := range flows {
		month := string(f.Day[:len("2026-11")])
		if n := len(s.Months); n == 0 || s.Months[n-1].Month != month { // flows stand in the order of their days
			s.Months = append(s.Months, Month{month, newSums(currency)})
		}
		s.Months[len(s.Months)-1].Sums.add(f)
		for i := range s.Lines {
			if s.Lines[i].ID == f.Line {
				s.Lines[i].Sums.add(f)
			}
		}
	}
	for _, line := range s.Lines {
		if line.Kind == fund.Management {
			s.Management.Units += line.Sums.Ordered.Units
		}
	}
}

// invitations is what the keys of a campaign's invitations begin with.
func invitations(account tape.AccountID) string { return fund.InvitationKey(account, "") }

// until is the last day on which there was money: today while some is left,
// ordered or not, else the last day on which any came or went.
func until(flows []readmodel.Flow, today tape.Date) tape.Date {
	var last tape.Date
	had := int64(0)
	for _, f := range flows {
		units := kept(f)
		if had += units; units != 0 {
			last = max(last, f.Day)
		}
	}
	if had > 0 {
		return today
	}
	return last
}

// kept is what a flow adds to the money that a campaign has, on its tape or on the way to a payee.
func kept(f readmodel.Flow) int64 {
	switch f.Kind {
	case readmodel.FlowSettled, readmodel.FlowDeclared, readmodel.FlowGranted, readmodel.FlowReturned, readmodel.FlowRecovered:
		return f.Amount.Units
	case readmodel.FlowPaid, readmodel.FlowPassed, readmodel.FlowRemitted, readmodel.FlowRefunded, readmodel.FlowReversed, readmodel.FlowFee:
		return -f.Amount.Units
	}
	return 0
}

func (s *Sheet) clock(zone tape.Zone, facts fund.Facts) error {
	law, err := fund.LawOn(s.Today)
	if err != nil {
		return err
	}
	clock, err := law.Clock(s.Campaign.Campaign, zone, facts, s.Today)
	s.Law, s.Clock = law.ID, append(s.Clock, clock...)
	return err
}

// lateShown bounds the list of pages that wait.
const lateShown = 100

func (s *Sheet) late(ctx context.Context, books Books, zone tape.Zone) error {
	law, err := fund.LawOn(s.Today)
	if err != nil {
		return err
	}
	pages, err := books.Pages(ctx, readmodel.PageFilter{Account: s.Campaign.Account, State: readmodel.PagePending}, readmodel.Window{Limit: lateShown})
	if err != nil {
		return err
	}
	for _, page := range pages.Items {
		at, err := received(ctx, books, page)
		if err != nil {
			return err
		}
		since, err := zone.Date(at)
		if err != nil {
			return err
		}
		if days := since.DaysUntil(s.Today); days > law.SettleDays {
			s.Late = append(s.Late, Late{page.ID, page.Total, page.Count, since, since.AddDays(law.SettleDays), days})
		}
	}
	return nil
}

// received is when the gifts of a page came: what a match left over has waited
// since the page that was matched.
func received(ctx context.Context, books Books, page readmodel.GiftPage) (tape.Instant, error) {
	whole, left := strings.CutSuffix(string(page.ID), string(tape.UnmatchedSuffix))
	if !left {
		whole, left = strings.CutSuffix(string(page.ID), string(tape.MatchedSuffix))
	}
	if !left {
		return page.At, nil
	}
	parents, err := books.Pages(ctx, readmodel.PageFilter{Account: page.Account, ID: tape.ID(whole)}, readmodel.Window{Limit: 1})
	if err != nil || len(parents.Items) == 0 || parents.Items[0].State != readmodel.PageSplit {
		return page.At, err
	}
	return received(ctx, books, parents.Items[0])
}

// Figures are the sums in the form in which they are published.
func (s Sheet) Figures() fund.Figures {
	paid := money.New(s.Sums.Paid.Units+s.Sums.Passed.Units, s.Sums.Paid.Currency)
	return fund.Figures{Raised: s.Sums.Raised, Settled: s.Sums.Settled, Ordered: s.Sums.Ordered, Paid: paid,
		Confirmed: s.Sums.Confirmed, Management: s.Management}
}
