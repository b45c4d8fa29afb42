package disclosure

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Register is the read model as far as an organisation's year needs it.
type Register interface {
	Books
	Campaigns(ctx context.Context, filter readmodel.CampaignFilter, window readmodel.Window) (readmodel.List[readmodel.Campaign], error)
}

// Annual is what an organisation did in a year, and whether it kept the law's ratios.
type Annual struct {
	Organisation string `json:"organisation"`
	// Kind is what the law takes it for, by its own word on the ledger; Unstated
	// that it has not said so and is measured as the strictest kind.
	Kind     string    `json:"kind"`
	Unstated bool      `json:"unstated,omitempty"`
	Year     fund.Year `json:"year"`
	// Before is the year before, whose income a ratio is of.
	Before fund.Year    `json:"before"`
	Law    string       `json:"law"`
	Ratios []fund.Ratio `json:"ratios"`
	// Running says that the year has not ended: its ratios may still change.
	Running bool `json:"running,omitempty"`
}

// strictest is the kind for which the law's limits are the narrowest: what an
// organisation is taken for that has not said what it is.
const strictest = "public-foundation"

// Publisher is how an organisation has named itself on the ledger; nil where it has not.
func Publisher(ctx context.Context, books Books, organisation string) (*fund.Publisher, error) {
	record, err := books.Record(ctx, fund.PublisherKey(organisation))
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	named := new(fund.Publisher)
	return named, json.Unmarshal(record.Value, named)
}

// Annuals adds up all campaigns of an organisation, year by year and currency
// by currency, and judges them as the kind of organisation that it says it is.
// Money that goes from one of its campaigns to another is neither spent by the
// one nor income of the other.
func Annuals(ctx context.Context, register Register, organisation string, now time.Time) ([]Annual, error) {
	zone, err := Zone(ctx, register)
	if err != nil {
		return nil, err
	}
	named, err := Publisher(ctx, register, organisation)
	if err != nil {
		return nil, err
	}
	today, err := zone.Date(tape.Instant(now.UnixMilli()))
	if err != nil {
		return nil, err
	}
	years := yearBook{}
	window := readmodel.Window{Limit: 1000}
	for {
		list, err := register.Campaigns(ctx, readmodel.CampaignFilter{Organisation: organisation}, window)
		if err != nil {
			return nil, err
		}
		for _, campaign := range list.Items {
			flows, err := register.Flows(ctx, campaign.Account)
			if err != nil {
				return nil, err
			}
			years.add(campaign.Plan, flows)
		}
		if window.After = list.Next; list.Next == "" {
			break
		}
	}
	judged := Annual{Organisation: organisation, Kind: strictest, Unstated: named == nil}
	if named != nil {
		judged.Kind = named.Kind
	}
	return years.judge(judged, today)
}

// yearBook holds the years by currency and number.
type yearBook map[money.Currency]map[int]*fund.Year

func (b yearBook) year(currency money.Currency, number int) *fund.Year {
	if b[currency] == nil {
		b[currency] = map[int]*fund.Year{}
	}
	if b[currency][number] == nil {
		b[currency][number] = &fund.Year{Year: strconv.Itoa(number), Currency: currency}
	}
	return b[currency][number]
}

// add counts the flows of one campaign.
func (b yearBook) add(plan fund.Plan, flows []readmodel.Flow) {
	for _, f := range flows {
		if f.Own {
			continue
		}
		number, _ := strconv.Atoi(string(f.Day[:4]))
		year, units := b.year(f.Amount.Currency, number), f.Amount.Units
		switch f.Kind {
		case readmodel.FlowSettled, readmodel.FlowDeclared, readmodel.FlowGranted:
			year.Income += units
		case readmodel.FlowRefunded, readmodel.FlowReversed, readmodel.FlowRemitted:
			year.Income -= units
		case readmodel.FlowFee:
			year.Fundraising += units
		case readmodel.FlowPaid, readmodel.FlowPassed:
			*spending(year, plan, f.Line) += units
		case readmodel.FlowReturned, readmodel.FlowRecovered:
			*spending(year, plan, f.Line) -= units
		}
	}
}

// spending is the sum that a budget line counts to.
func spending(year *fund.Year, plan fund.Plan, line tape.ID) *int64 {
	found, _ := plan.Line(line)
	switch found.Kind {
	case fund.Management:
		return &year.Management
	case fund.Fundraising:
		return &year.Fundraising
	}
	return &year.Programme
}

// judge fills in, for each year, what is known of the organisation.
func (b yearBook) judge(of Annual, today tape.Date) ([]Annual, error) {
	annuals := []Annual{}
	for _, currency := range slices.Sorted(maps.Keys(b)) {
		for _, number := range slices.Sorted(maps.Keys(b[currency])) {
			end := tape.Date(strconv.Itoa(number) + "-12-31")
			law, err := fund.LawOn(min(end, today))
			if err != nil {
				continue // a year before any law that is known here
			}
			before := fund.Year{Year: strconv.Itoa(number - 1), Currency: currency}
			earlier := b.before(currency, number)
			if len(earlier) > 0 {
				before = earlier[0]
			}
			of.Year, of.Before, of.Law, of.Running = *b[currency][number], before, law.ID, today <= end
			of.Ratios = append([]fund.Ratio{}, law.Judge(of.Kind, earlier, of.Year)...)
			annuals = append(annuals, of)
		}
	}
	return annuals, nil
}

// before are the years before one that the ledger knows, the last first, up to
// the first of which it knows nothing.
func (b yearBook) before(currency money.Currency, number int) []fund.Year {
	var earlier []fund.Year
	for known := b[currency][number-1]; known != nil; known = b[currency][number-1-len(earlier)] {
		earlier = append(earlier, *known)
	}
	return earlier
}
