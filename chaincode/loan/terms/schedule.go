package terms

import (
	"math/big"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Advance is principal that is disbursed on a day.
type Advance struct {
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date"`
}

// Instalment is one row of a schedule, in minor units.
type Instalment struct {
	// Balance is the principal that is left behind it.
	Balance   int64     `json:"balance,string"`
	Due       tape.Date `json:"due"`
	Fee       int64     `json:"fee,omitempty,string"`
	Interest  int64     `json:"interest,string"`
	N         int32     `json:"n"`
	Principal int64     `json:"principal,string"`
}

// Total is what is paid that day.
func (i Instalment) Total() int64 { return i.Principal + i.Interest + i.Fee }

// Schedule is when a loan comes back, and what it costs.
type Schedule struct {
	Currency money.Currency `json:"currency"`
	// DisbursementFees are paid at each advance, in minor units.
	DisbursementFees []int64      `json:"-"`
	Instalments      []Instalment `json:"instalments"`
}

// plan is a loan while its schedule is reckoned.
type plan struct {
	Terms
	advances []Advance
	dues     []tape.Date
	// principal is all that is advanced, balance what is owed of it behind the last row.
	principal, balance int64
	rows               []Instalment
	// shares are the parts of principal by instalment, where they do not follow from a level.
	shares []int64
}

// Schedule reckons when the advances come back. Of advances that fall into a
// period, interest runs from their days; one on a due's day counts behind it.
func (t Terms) Schedule(advances []Advance) (Schedule, error) {
	p, err := t.scheduled(advances)
	if err != nil {
		return Schedule{}, err
	}
	s := Schedule{Currency: advances[0].Amount.Currency, Instalments: p.rows}
	s.DisbursementFees, err = p.disbursementFees()
	return s, err
}

// scheduled is a plan with all its rows.
func (t Terms) scheduled(advances []Advance) (*plan, error) {
	p, err := t.plan(advances)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Method == Annuity:
		err = p.annuity()
	case t.flat():
		err = p.flatInterest()
	default:
		err = p.declining()
	}
	if err != nil {
		return nil, err
	}
	return p, p.fees()
}

func (t Terms) plan(advances []Advance) (*plan, error) {
	p, err := t.advanced(advances)
	if err != nil {
		return nil, err
	}
	p.dues = t.dueDates(advances[0].Date)
	return p, p.checkAdvances()
}

// advanced is a plan that has no dues yet.
func (t Terms) advanced(advances []Advance) (*plan, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if len(advances) == 0 || len(advances) > AdvancesMax {
		return nil, rule.Field("advances", rule.Refuse(rule.Invalid, "are %d, not 1 to %d", len(advances), AdvancesMax))
	}
	p := &plan{Terms: t, advances: advances}
	currency := advances[0].Amount.Currency
	for i, advance := range advances {
		if err := advance.check(currency); err != nil {
			return nil, rule.Item("advances", i, err)
		}
		if i > 0 && advance.Date < advances[i-1].Date {
			return nil, rule.Item("advances", i, rule.Field("date", rule.Refuse(rule.Invalid, "lies before the one before it")))
		}
		var err error
		if p.principal, err = money.Sum(p.principal, advance.Amount.Units); err != nil {
			return nil, rule.Item("advances", i, err)
		}
	}
	return p, nil
}

// checkAdvances refuses what the days and the currency of the terms do not go with.
func (p *plan) checkAdvances() error {
	if p.dues[0] <= p.advances[0].Date && !p.Revolving { // of a line nothing is due before it is drawn
		return rule.Field("firstDue", rule.Refuse(rule.Invalid, "%s is not later than the first advance", p.dues[0]))
	}
	last, currency := p.advances[len(p.advances)-1].Date, p.advances[0].Amount.Currency
	if last >= p.dues[len(p.dues)-1] {
		return rule.Field("advances", rule.Refuse(rule.Invalid, "one of %s is not earlier than the last due, %s", last, p.dues[len(p.dues)-1]))
	}
	if p.flat() && last != p.advances[0].Date {
		return rule.Field("advances", rule.Refuse(rule.Invalid, "with flat interest all are on one day"))
	}
	if p.Instalment != (money.Amount{}) && p.Instalment.Currency != currency {
		return rule.Field("instalment", rule.Refuse(rule.Invalid, "%s is not in %s", p.Instalment, currency))
	}
	for i, fee := range p.Fees {
		if fee.PartsPerMillion == 0 && fee.Amount.Currency != currency {
			return rule.Item("fees", i, rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not in %s", fee.Amount, currency)))
		}
	}
	if days := p.advances[0].Date.DaysUntil(p.dues[len(p.dues)-1]); days > 2*daysMax {
		return rule.Field("firstDue", rule.Refuse(rule.Invalid, "the loan would last %d days, %d at most", days, 2*daysMax))
	}
	return nil
}

func (a Advance) check(currency money.Currency) error {
	if _, err := a.Amount.Currency.Exponent(); err != nil {
		return rule.Field("amount", err)
	}
	return rule.First(rule.Field("amount", a.Amount.Positive(currency)), rule.Field("date", checkDay(a.Date)))
}

// start is the day on which period k begins; the first begins with the first advance.
func (p *plan) start(k int) tape.Date {
	if k == 0 {
		return p.advances[0].Date
	}
	return p.dues[k-1]
}

// advancedIn are the advances of period k: from its first day to the one before its due.
func (p *plan) advancedIn(k int) []Advance {
	var found []Advance
	for _, advance := range p.advances {
		if advance.Date >= p.start(k) && advance.Date < p.dues[k] {
			found = append(found, advance)
		}
	}
	return found
}

// part is which part of a year, or how many intervals, lie between two days of period k.
func (p *plan) part(k int, from, to tape.Date) (fraction, error) {
	if p.DayCount != Periods {
		numerator, denominator, err := p.DayCount.Year(from, to, p.dues[len(p.dues)-1])
		return fraction{numerator, denominator}, err
	}
	intervals := p.intervals(k, from, to)
	if p.RatePer == PerInterval {
		return intervals, nil
	}
	year := p.Every.year()
	return fraction{intervals.numerator * year.numerator, intervals.denominator * year.denominator}, nil
}

// intervals counts the intervals between two days of period k. The first
// period's are counted back from its due, and what is not whole as days of that interval.
func (p *plan) intervals(k int, from, to tape.Date) fraction {
	if k > 0 {
		return within(p.dues[k-1], p.dues[k], from, to)
	}
	sum := fraction{0, 1}
	for n := -p.Every.fewest(to.DaysUntil(p.dues[0])); ; n-- {
		begin, end := p.Every.after(p.dues[0], n-1), p.Every.after(p.dues[0], n)
		if end <= from {
			return sum
		}
		sum = sum.add(within(begin, end, max(begin, from), min(end, to)))
	}
}

// within is which part of an interval lies between two of its days.
func within(begin, end, from, to tape.Date) fraction {
	return fraction{int64(max(0, from.DaysUntil(to))), int64(begin.DaysUntil(end))}.reduced()
}

func (f fraction) reduced() fraction {
	shared := divisor(f.numerator, f.denominator)
	return fraction{f.numerator / shared, f.denominator / shared}
}

// interest is what period k costs on the balance it begins with and what is
// advanced within it: each span without change is one division.
func (p *plan) interest(k int, balance int64) (int64, error) {
	var sum int64
	from := p.start(k)
	if balance == 0 && p.dues[k] <= from { // a line of which nothing is drawn yet
		return 0, nil
	}
	for _, advance := range append(p.advancedIn(k), Advance{Date: p.dues[k]}) {
		part, err := p.part(k, from, advance.Date)
		if err != nil {
			return 0, err
		}
		units, err := cost(balance, p.RatePartsPerMillion, part, p.Rounding, p.interestMultiple())
		if err != nil {
			return 0, err
		}
		sum += units
		balance += advance.Amount.Units
		from = advance.Date
	}
	return sum, nil
}

// drawn is what is advanced within period k.
func (p *plan) drawn(k int) int64 {
	var sum int64
	for _, advance := range p.advancedIn(k) {
		sum += advance.Amount.Units
	}
	return sum
}

// row writes an instalment down. The balance before it has all that was drawn.
func (p *plan) row(principal, interest int64) {
	p.balance -= principal
	p.rows = append(p.rows, Instalment{N: int32(len(p.rows) + 1), Due: p.dues[len(p.rows)], Principal: principal, Interest: interest, Balance: p.balance})
}

// declining pays parts of principal and interest on what is left.
func (p *plan) declining() error {
	var deferred int64
	for k := range p.dues {
		interest, err := p.interest(k, p.balance)
		if err != nil {
			return err
		}
		interest, deferred = p.graced(k, interest, deferred)
		p.balance += p.drawn(k)
		if err := p.share(); err != nil {
			return err
		}
		p.row(p.shares[k], interest)
	}
	return nil
}

// graced waives or defers the interest of the first instalments.
func (p *plan) graced(k int, interest, deferred int64) (due, left int64) {
	switch {
	case k >= int(p.GraceInterestInstalments):
		return interest + deferred, 0
	case p.GraceInterest == Deferred:
		return 0, interest + deferred
	}
	return 0, 0
}

// share says what principal each instalment of a declining loan pays. What is
// drawn in a later period is shared anew among the instalments that are left.
func (p *plan) share() error {
	k, paying := len(p.rows), int(p.GracePrincipalInstalments)
	if k > 0 && p.drawn(k) == 0 {
		return nil
	}
	paying = max(k, paying)
	p.shares = append(p.shares, make([]int64, len(p.dues)-len(p.shares))...)
	clear(p.shares[k:paying])
	if p.Method == Bullet || p.Method == AfterSale {
		p.shares[len(p.dues)-1] = p.balance
		return nil
	}
	shares, err := apportion(big.NewRat(p.balance, 1), p.weights(paying), true, p.difference(), p.instalmentRounding(), p.instalmentMultiple())
	copy(p.shares[paying:], shares)
	return err
}

// weights are the parts of the principal that the instalments from one on pay,
// none of which lies in the grace.
func (p *plan) weights(from int) []*big.Rat {
	weights := make([]*big.Rat, len(p.dues)-from)
	for i := range weights {
		weights[i] = big.NewRat(1, 1)
		if p.Method == Crop {
			weights[i] = big.NewRat(int64(p.CropPrincipalPartsPerMillion[from-int(p.GracePrincipalInstalments)+i]), million)
		}
	}
	return weights
}

// flatInterest pays interest on the whole principal to the end.
func (p *plan) flatInterest() error {
	grace := int(p.GracePrincipalInstalments)
	parts := make([]*big.Rat, len(p.dues))
	for k := range p.dues {
		part, err := p.part(k, p.start(k), p.dues[k])
		if err != nil {
			return err
		}
		parts[k] = part.rat()
	}
	principals, err := apportion(big.NewRat(p.principal, 1), p.weights(grace), true, p.difference(), p.instalmentRounding(), p.instalmentMultiple())
	if err != nil {
		return err
	}
	interests, err := p.flatInterests(parts)
	if err != nil {
		return err
	}
	p.balance = p.principal
	for k := range p.dues {
		principal := int64(0)
		if k >= grace {
			principal = principals[k-grace]
		}
		p.row(principal, interests[k])
	}
	p.gather()
	return nil
}

// gather lets the instalment that repays the last of the principal pay what
// interest rounding would leave to later ones: nobody owes interest on nothing.
func (p *plan) gather() {
	end := 0
	for p.rows[end].Balance > 0 {
		end++
	}
	for i := end + 1; i < len(p.rows); i++ {
		p.rows[end].Interest += p.rows[i].Interest
		p.rows[i].Interest = 0
	}
}

// flatInterests are the interests of all instalments. A crop's list shares out
// what the instalments behind the grace bear; those of the grace bear their own.
func (p *plan) flatInterests(parts []*big.Rat) ([]int64, error) {
	free, grace := int(p.GraceInterestInstalments), 0
	if p.Method == Crop {
		grace = int(p.GracePrincipalInstalments)
	}
	if p.GraceInterest == Deferred {
		parts[free] = sum(parts[:free+1])
	}
	interests := make([]int64, free, len(parts))
	if grace > free {
		own, err := p.flatShares(sum(parts[free:grace]), parts[free:grace])
		if err != nil {
			return nil, err
		}
		interests = append(interests, own...)
	}
	grace = max(grace, free)
	weights := parts[grace:]
	if p.Method == Crop {
		weights = make([]*big.Rat, len(parts)-grace)
		for i, part := range p.CropInterestPartsPerMillion {
			weights[i] = big.NewRat(int64(part), million)
		}
	}
	rest, err := p.flatShares(sum(parts[grace:]), weights)
	return append(interests, rest...), err
}

func (p *plan) flatShares(year *big.Rat, weights []*big.Rat) ([]int64, error) {
	total := new(big.Rat).Mul(big.NewRat(p.principal, 1), p.rate())
	return apportion(total.Mul(total, year), weights, false, p.interestDifference(), p.Rounding, p.interestMultiple())
}

func sum(list []*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, r := range list {
		total.Add(total, r)
	}
	return total
}

// fees adds what is paid besides interest with each instalment.
func (p *plan) fees() error {
	for _, fee := range p.Fees {
		if fee.At != AtInstalment {
			continue
		}
		units, err := fee.of(p.principal, p.Rounding)
		if err != nil {
			return err
		}
		for i := range p.rows {
			if p.rows[i].Fee, err = money.Sum(p.rows[i].Fee, units); err != nil {
				return err
			}
		}
	}
	return nil
}

// disbursementFees are what is paid at each advance.
func (p *plan) disbursementFees() ([]int64, error) {
	fees := make([]int64, len(p.advances))
	for _, fee := range p.Fees {
		for i, advance := range p.advances {
			if fee.At != AtDisbursement {
				break
			}
			units, err := fee.of(advance.Amount.Units, p.Rounding)
			if err != nil {
				return nil, err
			}
			if fees[i], err = money.Sum(fees[i], units); err != nil {
				return nil, err
			}
		}
	}
	return fees, nil
}

// of is the fee for an amount of principal.
func (f Fee) of(units int64, rounding Rounding) (int64, error) {
	if f.PartsPerMillion == 0 {
		return f.Amount.Units, nil
	}
	return divide(new(big.Int).Mul(big.NewInt(units), big.NewInt(int64(f.PartsPerMillion))), big.NewInt(million), rounding, 1)
}
