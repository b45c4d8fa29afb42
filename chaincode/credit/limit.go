package credit

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// LimitRule is a model's rule of how a limit begins, grows and is cut.
type LimitRule struct {
	// CallMonths is how long after a guarantor call in the group no limit in it grows.
	CallMonths int32 `json:"callMonths"`
	// CutBasisPoints are taken off, in ten-thousandths, after a default of one's own.
	CutBasisPoints int32 `json:"cutBasisPoints"`
	// DaysPastDueMax is the most that the last loan may have been late in a clean cycle.
	DaysPastDueMax int32 `json:"daysPastDueMax"`
	// First is the limit before the first loan.
	First money.Amount `json:"first"`
	// GrowthBasisPoints are added, in ten-thousandths, after a clean cycle.
	GrowthBasisPoints int32 `json:"growthBasisPoints"`
	// SeasonDays is the least time between two steps.
	SeasonDays int32 `json:"seasonDays"`
}

const (
	basisPoints = 10_000
	// growthMax keeps a model from what progressive lending fails by: limits that
	// grow too quickly (lending rules 3.2 and 4.8).
	growthMax = 2_000
)

func (l LimitRule) check() error {
	if err := amountOf(l.First, l.First.Currency); err != nil {
		return rule.Field("first", err)
	}
	return rule.First(rule.Field("growthBasisPoints", rule.Within(int64(l.GrowthBasisPoints), 0, growthMax)),
		rule.Field("cutBasisPoints", rule.Within(int64(l.CutBasisPoints), 0, basisPoints)),
		rule.Field("daysPastDueMax", rule.Within(int64(l.DaysPastDueMax), 0, 30)),
		rule.Field("callMonths", rule.Within(int64(l.CallMonths), 0, 60)),
		rule.Field("seasonDays", rule.Within(int64(l.SeasonDays), 1, 1096)))
}

// LimitFacts are what a limit is judged from.
type LimitFacts struct {
	Day tape.Date `json:"day"`
	// GroupShareCap is what the group can bear of this member, IncomeCap what its income can, ProductCap what the product gives.
	GroupShareCap money.Amount `json:"groupShareCap"`
	IncomeCap     money.Amount `json:"incomeCap"`
	// LastCall is the day of the last guarantor call in the group; none for none.
	LastCall tape.Date `json:"lastCall,omitempty"`
	// LastClosed is when the last loan was paid off, DaysPastDueMax the most days that it was late; none before the first.
	LastClosed     tape.Date `json:"lastClosed,omitempty"`
	DaysPastDueMax int32     `json:"daysPastDueMax"`
	// LastCut is when the limit was last cut, LastStep when it last grew.
	LastCut  tape.Date `json:"lastCut,omitempty"`
	LastStep tape.Date `json:"lastStep,omitempty"`
	// LastDefault is the day of the household's own last default.
	LastDefault tape.Date `json:"lastDefault,omitempty"`
	// Limit is what it has; zero before its first.
	Limit money.Amount `json:"limit"`
	// MembersRegular says that no member of the group is overdue.
	MembersRegular bool         `json:"membersRegular"`
	ProductCap     money.Amount `json:"productCap"`
}

// The codes by which a limit says what was done, and why nothing was.
const (
	LimitFirst       = "first"
	LimitGrown       = "grown"
	LimitKept        = "kept"
	LimitCut         = "cut"
	NoCycle          = "no-cycle"          // no loan was paid off since the limit last changed
	PastDue          = "past-due"          // the last loan was late for too long
	CallInGroup      = "call-in-group"     // a guarantor call in the group was not long ago
	MembersIrregular = "members-irregular" // another member is overdue
	Season           = "season"            // one step a season
	OwnDefault       = "own-default"
	CappedByProduct  = "capped-by-product"
	CappedByGroup    = "capped-by-group"
	CappedByIncome   = "capped-by-income"
)

// LimitCodes lists them.
func LimitCodes() []string {
	return []string{LimitFirst, LimitGrown, LimitKept, LimitCut, NoCycle, PastDue, CallInGroup, MembersIrregular, Season, OwnDefault, CappedByProduct, CappedByGroup, CappedByIncome}
}

// Limit is a household's credit limit, how it came to be, and why.
type Limit struct {
	Amount money.Amount `json:"amount"`
	// Change is first, grown, kept or cut.
	Change  string   `json:"change"`
	Reasons []string `json:"reasons"`
}

// Limit moves a limit by rule: cut once after each own default, grown by one step
// after a clean cycle, else kept; and never above any cap. A call that the
// household paid as guarantor is no reason to cut.
func (m Model) Limit(f LimitFacts) (Limit, error) {
	if err := f.check(m.Limits); err != nil {
		return Limit{}, err
	}
	l := Limit{Change: LimitKept, Reasons: []string{}}
	units := f.Limit.Units
	unclean := f.unclean(m.Limits)
	switch {
	case f.LastDefault != "" && f.LastDefault > f.LastCut:
		l.Change, l.Reasons = LimitCut, append(l.Reasons, OwnDefault)
		units, _ = money.Portion(units, int64(basisPoints-m.Limits.CutBasisPoints), basisPoints)
	case units == 0 && f.LastCut == "":
		l.Change, units = LimitFirst, m.Limits.First.Units
	case len(unclean) == 0:
		step, _ := money.Portion(units, int64(m.Limits.GrowthBasisPoints), basisPoints)
		l.Change, units = LimitGrown, units+step
	default:
		l.Reasons = append(l.Reasons, unclean...)
	}
	for _, upper := range []struct {
		amount money.Amount
		code   string
	}{{f.ProductCap, CappedByProduct}, {f.GroupShareCap, CappedByGroup}, {f.IncomeCap, CappedByIncome}} {
		if units > upper.amount.Units {
			units, l.Reasons = upper.amount.Units, append(l.Reasons, upper.code)
		}
	}
	l.Amount = money.New(units, f.Limit.Currency)
	return l, nil
}

// unclean lists why a limit does not grow today.
func (f LimitFacts) unclean(l LimitRule) []string {
	var reasons []string
	add := func(holds bool, code string) {
		if holds {
			reasons = append(reasons, code)
		}
	}
	last := max(f.LastStep, f.LastCut)
	add(f.LastClosed == "" || f.LastClosed <= last, NoCycle)
	add(f.DaysPastDueMax > l.DaysPastDueMax, PastDue)
	add(f.LastCall != "" && f.LastCall.AddMonths(int(l.CallMonths)) > f.Day, CallInGroup)
	add(!f.MembersRegular, MembersIrregular)
	add(last != "" && last.AddDays(int(l.SeasonDays)) > f.Day, Season)
	return reasons
}

func (f LimitFacts) check(l LimitRule) error {
	currency := l.First.Currency
	if err := rule.First(rule.Field("day", f.Day.Check()), rule.Field("limit", amountOf(f.Limit, currency)), rule.Field("productCap", amountOf(f.ProductCap, currency)),
		rule.Field("groupShareCap", amountOf(f.GroupShareCap, currency)), rule.Field("incomeCap", amountOf(f.IncomeCap, currency)),
		rule.Field("daysPastDueMax", rule.Within(int64(f.DaysPastDueMax), 0, 1<<31-1))); err != nil {
		return err
	}
	for _, fact := range []struct {
		name string
		day  tape.Date
	}{{"lastCall", f.LastCall}, {"lastClosed", f.LastClosed}, {"lastCut", f.LastCut}, {"lastDefault", f.LastDefault}, {"lastStep", f.LastStep}} {
		if fact.day == "" {
			continue
		}
		if err := fact.day.Check(); err != nil {
			return rule.Field(fact.name, err)
		}
		if fact.day > f.Day {
			return rule.Field(fact.name, rule.Refuse(rule.Invalid, "is %s, after %s, when the limit is judged", fact.day, f.Day))
		}
	}
	return nil
}
