// Package terms says what a loan costs: day counts, interest, schedules,
// annual percentage rates, pay-off, and who gets what of a payment. It is
// arithmetic that a bank officer can check on paper. It knows no groups, no
// signatures and no accounts, and computes in whole numbers only.
//
// The README is the specification, docs/loans.md tells the same for those who type.
package terms

import (
	"math/big"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of terms. They guard the arithmetic; what a product allows is the product's.
const (
	// RateMax is ten times the principal, a year or an interval.
	RateMax = 10 * million
	// InstalmentsMax is fifty years of months.
	InstalmentsMax = 600
	// AdvancesMax is how many tranches a loan has at most.
	AdvancesMax = 100
	// multipleMax is the largest multiple that instalments are rounded to, in minor units.
	multipleMax = 1_000_000
	feesMax     = 20
	// daysMax is how many days the intervals of a loan come to, somewhat more than sixty years.
	daysMax = 22_000
)

// Method says how principal comes back.
type Method string

// The methods.
const (
	// Annuity (等额本息) has equal instalments of principal and interest.
	Annuity Method = "annuity"
	// EqualPrincipal (等额本金) has equal parts of principal, and interest on what is left.
	EqualPrincipal Method = "equal-principal"
	// Flat has equal parts of principal, and interest on the whole principal to the end.
	Flat Method = "flat"
	// Bullet (到期一次还本) has the principal in the last instalment, interest in each.
	Bullet Method = "bullet"
	// Crop has parts of principal, and perhaps of interest, by a list.
	Crop Method = "crop"
	// AfterSale has one instalment, due when the harvest is sold, and at latest on a day.
	AfterSale Method = "after-sale"
)

var methods = []Method{Annuity, EqualPrincipal, Flat, Bullet, Crop, AfterSale}

// Difference says where what rounding leaves goes.
type Difference string

// The differences.
const (
	// Last leaves it to the last instalment.
	Last Difference = "last"
	// First moves what the last instalment would differ by to the first.
	First Difference = "first"
	// Level reckons each instalment anew from what is left.
	Level Difference = "level"
	// Cumulative rounds what is left after each instalment, not the instalment.
	Cumulative Difference = "cumulative"
	// SplitUp hands every unit out, largest remainder first (money.Split).
	SplitUp Difference = "split"
	// Adjust, of annuities, moves all instalments once by an n-th of what the last
	// differs, where that brings the last nearer; what still differs is the last's.
	Adjust Difference = "adjust"
)

// GraceInterest says what becomes of interest in instalments that pay none.
type GraceInterest string

// Waived interest is never paid; Deferred interest is paid in the first instalment behind the grace.
const (
	Waived   GraceInterest = "waived"
	Deferred GraceInterest = "deferred"
)

// Interval is a number of months, weeks or days: exactly one of them.
type Interval struct {
	Days   int32 `json:"days,omitempty"`
	Months int32 `json:"months,omitempty"`
	Weeks  int32 `json:"weeks,omitempty"`
}

// Check refuses none, two, and what is longer than fifty years.
func (i Interval) Check() error {
	if i.Days < 0 || i.Months < 0 || i.Weeks < 0 || i.Days > 18_300 || i.Weeks > 2_600 || i.Months > 600 {
		return rule.Refuse(rule.Invalid, "is not 1 to 600 months, 1 to 2600 weeks or 1 to 18300 days")
	}
	if given := min(i.Days, 1) + min(i.Months, 1) + min(i.Weeks, 1); given != 1 {
		return rule.Refuse(rule.Invalid, "needs exactly one of months, weeks, days")
	}
	return nil
}

// after is the day n intervals behind a day, or before it where n is negative.
func (i Interval) after(day tape.Date, n int) tape.Date {
	if i.Months != 0 {
		return day.AddMonths(n * int(i.Months))
	}
	return day.AddDays(n * int(i.Days+7*i.Weeks))
}

// days is about how many days an interval has, for limits.
func (i Interval) days() int64 { return int64(i.Days) + 7*int64(i.Weeks) + 30*int64(i.Months) }

// fewest is how many intervals lie in some days at least.
func (i Interval) fewest(days int) int { return days / int(i.Days+7*i.Weeks+31*i.Months) }

// year is the part of a year that PERIODS counts for one interval.
func (i Interval) year() fraction {
	switch {
	case i.Months != 0:
		return fraction{int64(i.Months), 12}
	case i.Weeks != 0:
		return fraction{int64(i.Weeks), 52}
	}
	return fraction{int64(i.Days), 365}
}

// Fee is what is paid besides interest, at each disbursement or with each instalment:
// an amount, or parts per million of the principal that is disbursed.
type Fee struct {
	Amount money.Amount `json:"amount,omitzero"`
	// At is disbursement or instalment.
	At              string `json:"at"`
	PartsPerMillion int32  `json:"partsPerMillion,omitempty"`
}

// The times of fees.
const (
	AtDisbursement = "disbursement"
	AtInstalment   = "instalment"
)

func (f Fee) check() error {
	if err := rule.OneOf(f.At, AtDisbursement, AtInstalment); err != nil {
		return rule.Field("at", err)
	}
	if (f.Amount == money.Amount{}) == (f.PartsPerMillion == 0) {
		return rule.Refuse(rule.Invalid, "needs either an amount or partsPerMillion")
	}
	if f.PartsPerMillion < 0 || f.PartsPerMillion > million {
		return rule.Field("partsPerMillion", rule.Refuse(rule.Invalid, "is not 1 to 1000000"))
	}
	if f.PartsPerMillion == 0 {
		return rule.Field("amount", f.Amount.Positive(f.Amount.Currency))
	}
	return nil
}

// Terms are what a loan costs and when it comes back. A product has them
// without days; a contract adds FirstDue or DueDates. An empty field means what its comment says.
type Terms struct {
	// Allocation is the order in which a payment pays what is due; "" is Law.
	Allocation Order `json:"allocation,omitempty"`
	// CropInterestPartsPerMillion are the parts of the flat interest that each
	// instalment behind the grace pays; none means interest on what is left.
	CropInterestPartsPerMillion []int32 `json:"cropInterestPartsPerMillion,omitempty"`
	// CropPrincipalPartsPerMillion are the parts of the principal that each
	// instalment behind the grace pays. They sum to 1000000.
	CropPrincipalPartsPerMillion []int32  `json:"cropPrincipalPartsPerMillion,omitempty"`
	DayCount                     DayCount `json:"dayCount"`
	// Difference says where what rounding leaves of the principal goes; "" is Last.
	Difference Difference `json:"difference,omitempty"`
	// DueDates are the days of all instalments where they do not lie at equal
	// intervals; then Every and FirstDue are empty.
	DueDates []tape.Date `json:"dueDates,omitempty"`
	// Every is the interval between dues.
	Every Interval `json:"every,omitzero"`
	Fees  []Fee    `json:"fees,omitempty"`
	// FirstDue is the first instalment's day; "" is one interval behind the first
	// advance. After sale it is the day at latest.
	FirstDue tape.Date `json:"firstDue,omitempty"`
	// GraceInterest is needed where instalments pay no interest.
	GraceInterest GraceInterest `json:"graceInterest,omitempty"`
	// GraceInterestInstalments is how many instalments pay no interest, from the first; 0 for none.
	GraceInterestInstalments int32 `json:"graceInterestInstalments,omitempty"`
	// GracePrincipalInstalments is how many instalments pay no principal, from the first; 0 for none.
	GracePrincipalInstalments int32 `json:"gracePrincipalInstalments,omitempty"`
	// Instalment is what an annuity pays each time where that is agreed: the number of
	// instalments follows from it, and Instalments is 0.
	Instalment money.Amount `json:"instalment,omitzero"`
	// InstalmentMultipleUnits: parts of principal, or an annuity's instalments, are multiples of so many minor units; 0 is 1.
	InstalmentMultipleUnits int32 `json:"instalmentMultipleUnits,omitempty"`
	// InstalmentRounding rounds them; "" is as Rounding says.
	InstalmentRounding Rounding `json:"instalmentRounding,omitempty"`
	Instalments        int32    `json:"instalments"`
	// InterestDifference says where what rounding leaves of flat interest goes; "" is as Difference says.
	InterestDifference Difference `json:"interestDifference,omitempty"`
	// InterestMultipleUnits: interest is a multiple of so many minor units; 0 is 1.
	InterestMultipleUnits int32 `json:"interestMultipleUnits,omitempty"`
	// LateGraceDays is how many days behind its due an instalment bears no late
	// charge; on the day after, it bears it for all days.
	LateGraceDays int32 `json:"lateGraceDays,omitempty"`
	// LateOn is what the late charge is reckoned on: LateOnPrincipal or LateOnInstalment.
	LateOn string `json:"lateOn,omitempty"`
	// LateRatePartsPerMillion is the yearly rate that overdue money bears besides the
	// loan's own; 0 for none.
	LateRatePartsPerMillion int32  `json:"lateRatePartsPerMillion,omitempty"`
	Method                  Method `json:"method"`
	// OddDays says who bears it where an annuity's first period is not one whole
	// interval: "" all instalments alike, OddDaysFirst the first alone.
	OddDays string `json:"oddDays,omitempty"`
	// RatePartsPerMillion is the interest of a year, or of an interval; 94822 is 9.4822 %.
	RatePartsPerMillion int32 `json:"ratePartsPerMillion"`
	// RatePer is "" for a year, or PerInterval; then DayCount is PERIODS.
	RatePer string `json:"ratePer,omitempty"`
	// Revolving (循环额度): what is repaid can be drawn again until the last due. Interest
	// on what is drawn falls due with each instalment, all principal with the last.
	Revolving bool     `json:"revolving,omitempty"`
	Rounding  Rounding `json:"rounding"`
	// SaleDays is how many days behind a sale an after-sale loan is due.
	SaleDays int32 `json:"saleDays,omitempty"`
}

// Words of Terms.
const (
	PerInterval      = "interval"
	LateOnPrincipal  = "principal"
	LateOnInstalment = "instalment"
	OddDaysFirst     = "first"
)

// Check refuses terms that no schedule could be made of.
func (t Terms) Check() error {
	return rule.First(
		rule.Field("method", oneOf(t.Method, methods)),
		rule.Field("ratePartsPerMillion", checkRate(t.RatePartsPerMillion)),
		rule.Field("dayCount", t.DayCount.Check()),
		rule.Field("rounding", t.Rounding.Check()),
		t.checkCounts(), t.checkDates(), t.checkRate(), t.checkRounding(),
		t.checkGrace(), t.checkCrop(), t.checkInstalment(), t.checkOddDays(), t.checkLate(), t.checkFees(), t.checkRevolving(),
		rule.Field("allocation", t.Allocation.Check()),
	)
}

func (t Terms) checkCounts() error {
	least := int32(1)
	if t.Instalment != (money.Amount{}) {
		least = 0
	}
	if t.Instalments < least || t.Instalments > InstalmentsMax {
		return rule.Field("instalments", rule.Refuse(rule.Invalid, "is %d, not %d to %d", t.Instalments, least, InstalmentsMax))
	}
	if t.Method == AfterSale && t.Instalments != 1 {
		return rule.Field("instalments", rule.Refuse(rule.Invalid, "is %d; an after-sale loan has 1", t.Instalments))
	}
	if t.SaleDays < 0 || t.SaleDays > 366 || t.SaleDays > 0 && t.Method != AfterSale {
		return rule.Field("saleDays", rule.Refuse(rule.Invalid, "is not 0 to 366, or the loan is not due after a sale"))
	}
	return nil
}

func (t Terms) checkDates() error {
	if len(t.DueDates) > 0 {
		return t.checkDueDates()
	}
	if t.FirstDue != "" {
		if err := checkDay(t.FirstDue); err != nil {
			return rule.Field("firstDue", err)
		}
	}
	if err := t.Every.Check(); err != nil {
		return rule.Field("every", err)
	}
	if days := int64(t.Instalments) * t.Every.days(); days > daysMax {
		return rule.Field("instalments", rule.Refuse(rule.Invalid, "with their interval come to %d days, %d at most", days, daysMax))
	}
	return nil
}

func (t Terms) checkDueDates() error {
	if t.Every != (Interval{}) || t.FirstDue != "" {
		return rule.Field("dueDates", rule.Refuse(rule.Invalid, "cannot stand beside every and firstDue"))
	}
	if len(t.DueDates) != int(t.Instalments) {
		return rule.Field("dueDates", rule.Refuse(rule.Invalid, "are %d days for %d instalments", len(t.DueDates), t.Instalments))
	}
	for i, day := range t.DueDates {
		if err := checkDay(day); err != nil {
			return rule.Item("dueDates", i, err)
		}
		if i > 0 && day <= t.DueDates[i-1] {
			return rule.Item("dueDates", i, rule.Refuse(rule.Invalid, "is not later than the one before"))
		}
	}
	return nil
}

func (t Terms) checkRate() error {
	if t.DayCount == Periods && len(t.DueDates) > 0 {
		return rule.Field("dayCount", rule.Refuse(rule.Invalid, "is PERIODS, which needs equal intervals"))
	}
	if t.RatePer != "" && t.RatePer != PerInterval {
		return rule.Field("ratePer", rule.OneOf(t.RatePer, PerInterval))
	}
	if t.RatePer == PerInterval && t.DayCount != Periods {
		return rule.Field("dayCount", rule.Refuse(rule.Invalid, "must be PERIODS where the rate is of an interval"))
	}
	return nil
}

func (t Terms) checkRounding() error {
	if t.InstalmentRounding != "" {
		if err := t.InstalmentRounding.Check(); err != nil {
			return rule.Field("instalmentRounding", err)
		}
	}
	if t.InstalmentMultipleUnits < 0 || t.InstalmentMultipleUnits > multipleMax {
		return rule.Field("instalmentMultipleUnits", rule.Refuse(rule.Invalid, "is not 0 to %d", multipleMax))
	}
	if t.InterestMultipleUnits < 0 || t.InterestMultipleUnits > multipleMax {
		return rule.Field("interestMultipleUnits", rule.Refuse(rule.Invalid, "is not 0 to %d", multipleMax))
	}
	if err := oneOf(t.difference(), t.differences()); err != nil {
		return rule.Field("difference", err)
	}
	if t.InterestDifference != "" && !t.flat() {
		return rule.Field("interestDifference", rule.Refuse(rule.Invalid, "is for flat interest only"))
	}
	return rule.Field("interestDifference", oneOf(t.interestDifference(), t.differences()))
}

// differences are those that a method knows.
func (t Terms) differences() []Difference {
	switch t.Method {
	case Annuity:
		return []Difference{Last, First, Level, Adjust}
	case EqualPrincipal, Flat, Crop:
		return []Difference{Last, First, Level, Cumulative, SplitUp}
	}
	return []Difference{Last}
}

func (t Terms) checkGrace() error {
	if t.GracePrincipalInstalments < 0 || t.GracePrincipalInstalments > max(0, t.Instalments-1) {
		return rule.Field("gracePrincipalInstalments", rule.Refuse(rule.Invalid, "is %d; it leaves at least one of %d instalments", t.GracePrincipalInstalments, t.Instalments))
	}
	if t.GraceInterestInstalments < 0 || t.GraceInterestInstalments > t.GracePrincipalInstalments && t.Method != Bullet || t.GraceInterestInstalments >= max(1, t.Instalments) && t.GraceInterestInstalments > 0 {
		return rule.Field("graceInterestInstalments", rule.Refuse(rule.Invalid, "is %d; only instalments without principal can be without interest", t.GraceInterestInstalments))
	}
	if (t.GraceInterestInstalments > 0) != (t.GraceInterest != "") {
		return rule.Field("graceInterest", rule.Refuse(rule.Invalid, "goes with graceInterestInstalments"))
	}
	if t.GraceInterest != "" {
		return rule.Field("graceInterest", oneOf(t.GraceInterest, []GraceInterest{Waived, Deferred}))
	}
	return nil
}

func (t Terms) checkCrop() error {
	if t.Method != Crop {
		if len(t.CropPrincipalPartsPerMillion)+len(t.CropInterestPartsPerMillion) > 0 {
			return rule.Field("cropPrincipalPartsPerMillion", rule.Refuse(rule.Invalid, "is for the method crop only"))
		}
		return nil
	}
	paying := int(t.Instalments - t.GracePrincipalInstalments)
	if err := checkParts(t.CropPrincipalPartsPerMillion, paying); err != nil {
		return rule.Field("cropPrincipalPartsPerMillion", err)
	}
	if len(t.CropInterestPartsPerMillion) == 0 {
		return nil
	}
	if err := checkParts(t.CropInterestPartsPerMillion, paying); err != nil {
		return rule.Field("cropInterestPartsPerMillion", err)
	}
	for i := paying - 1; t.CropPrincipalPartsPerMillion[i] == 0; i-- {
		if t.CropInterestPartsPerMillion[i] > 0 {
			return rule.Item("cropInterestPartsPerMillion", i, rule.Refuse(rule.Invalid, "is behind the last part of the principal"))
		}
	}
	return nil
}

func checkParts(parts []int32, n int) error {
	if len(parts) != n {
		return rule.Refuse(rule.Invalid, "has %d parts for %d instalments that pay principal", len(parts), n)
	}
	var sum int64
	for i, part := range parts {
		if part < 0 || part > million {
			return rule.Field("["+decimal(int64(i))+"]", rule.Refuse(rule.Invalid, "is not 0 to 1000000"))
		}
		sum += int64(part)
	}
	if sum != million {
		return rule.Refuse(rule.Invalid, "sums to %d, not to 1000000", sum)
	}
	return nil
}

func (t Terms) checkInstalment() error {
	if t.Instalment == (money.Amount{}) {
		return nil
	}
	if t.Method != Annuity || t.Instalments != 0 || t.difference() != Last {
		return rule.Field("instalment", rule.Refuse(rule.Invalid, "is for annuities whose last instalment takes the difference, with 0 instalments"))
	}
	if t.DayCount == EurobondISDA {
		return rule.Field("dayCount", rule.Refuse(rule.Invalid, "needs the loan's last day, which an agreed instalment does not give"))
	}
	return rule.Field("instalment", t.Instalment.Positive(t.Instalment.Currency))
}

func (t Terms) checkOddDays() error {
	if t.OddDays == "" {
		return nil
	}
	if t.Method != Annuity || len(t.DueDates) > 0 || t.Instalment != (money.Amount{}) {
		return rule.Field("oddDays", rule.Refuse(rule.Invalid, "is for annuities at equal intervals"))
	}
	return rule.Field("oddDays", rule.OneOf(t.OddDays, OddDaysFirst))
}

// checkDay refuses days that intervals could carry out of the calendar.
func checkDay(day tape.Date) error {
	if err := day.Check(); err != nil {
		return err
	}
	if day < "1900-01-01" || day > "2899-12-31" {
		return rule.Refuse(rule.Invalid, "is not between 1900 and 2899")
	}
	return nil
}

func (t Terms) checkLate() error {
	if err := checkRate(t.LateRatePartsPerMillion); err != nil {
		return rule.Field("lateRatePartsPerMillion", err)
	}
	if (t.LateRatePartsPerMillion > 0) != (t.LateOn != "") {
		return rule.Field("lateOn", rule.Refuse(rule.Invalid, "goes with lateRatePartsPerMillion"))
	}
	if t.LateOn != "" {
		if err := rule.OneOf(t.LateOn, LateOnPrincipal, LateOnInstalment); err != nil {
			return rule.Field("lateOn", err)
		}
	}
	if t.LateGraceDays < 0 || t.LateGraceDays > 366 || t.LateGraceDays > 0 && t.LateOn == "" {
		return rule.Field("lateGraceDays", rule.Refuse(rule.Invalid, "is not 0 to 366, or there is no late charge"))
	}
	return nil
}

func (t Terms) checkFees() error {
	if len(t.Fees) > feesMax {
		return rule.Field("fees", rule.Refuse(rule.Invalid, "are %d, %d at most", len(t.Fees), feesMax))
	}
	for i, fee := range t.Fees {
		if err := fee.check(); err != nil {
			return rule.Item("fees", i, err)
		}
	}
	return nil
}

// Sold gives an after-sale loan its day: SaleDays behind the sale, but not
// behind the day at latest, which firstDue or every gave from the first advance.
func (t Terms) Sold(firstAdvance, sale tape.Date) (Terms, error) {
	if t.Method != AfterSale {
		return t, rule.Field("method", rule.Refuse(rule.Invalid, "is not after-sale"))
	}
	if err := rule.First(t.Check(), rule.Field("date", checkDay(firstAdvance)), rule.Field("sale", checkDay(sale))); err != nil {
		return t, err
	}
	latest := t.due(firstAdvance, 0)
	if sale < firstAdvance {
		return t, rule.Field("sale", rule.Refuse(rule.Invalid, "lies before the first advance"))
	}
	due := min(latest, sale.AddDays(int(t.SaleDays)))
	t.DueDates, t.Every, t.FirstDue = []tape.Date{due}, Interval{}, ""
	return t, nil
}

// difference is Last where nothing is said.
func (t Terms) difference() Difference {
	if t.Difference == "" {
		return Last
	}
	return t.Difference
}

func (t Terms) interestDifference() Difference {
	if t.InterestDifference == "" {
		return t.difference()
	}
	return t.InterestDifference
}

// flat says whether interest is reckoned on the whole principal to the end.
func (t Terms) flat() bool {
	return t.Method == Flat || t.Method == Crop && len(t.CropInterestPartsPerMillion) > 0
}

func (t Terms) instalmentRounding() Rounding {
	if t.InstalmentRounding == "" {
		return t.Rounding
	}
	return t.InstalmentRounding
}

func (t Terms) instalmentMultiple() int64 { return max(1, int64(t.InstalmentMultipleUnits)) }
func (t Terms) interestMultiple() int64   { return max(1, int64(t.InterestMultipleUnits)) }

// checkRevolving refuses a line whose principal falls due before its end, and one
// that costs something while nothing of it is drawn.
func (t Terms) checkRevolving() error {
	switch {
	case !t.Revolving:
		return nil
	case t.Method != Bullet:
		return rule.Field("revolving", rule.Refuse(rule.Invalid, "is for the method %s only: what was repaid can be drawn again until the last due", Bullet))
	case len(t.Fees) > 0 || t.GraceInterestInstalments > 0:
		return rule.Field("revolving", rule.Refuse(rule.Invalid, "goes with interest on what is drawn, without fees and without instalments that pay none"))
	}
	return nil
}

// LastDue is the day of the last instalment. Where no day is named it is counted
// from the first advance; the terms were checked, and name their number of instalments.
func (t Terms) LastDue(firstAdvance tape.Date) tape.Date {
	return t.due(firstAdvance, t.dueCount()-1)
}

// dueDates are the days of all instalments. The terms were checked.
func (t Terms) dueDates(firstAdvance tape.Date) []tape.Date {
	dues := make([]tape.Date, t.dueCount())
	for i := range dues {
		dues[i] = t.due(firstAdvance, i)
	}
	return dues
}

// dueCount is how many instalments there are at most.
func (t Terms) dueCount() int {
	switch {
	case len(t.DueDates) > 0:
		return len(t.DueDates)
	case t.Instalment != (money.Amount{}):
		return int(min(InstalmentsMax, daysMax/t.Every.days()))
	}
	return int(max(1, t.Instalments))
}

// due is the day of an instalment.
func (t Terms) due(firstAdvance tape.Date, i int) tape.Date {
	switch {
	case len(t.DueDates) > 0:
		return t.DueDates[i]
	case t.FirstDue == "":
		return t.Every.after(t.Every.after(firstAdvance, 1), i)
	}
	return t.Every.after(t.FirstDue, i)
}

// rate is the rate as a fraction of the principal, of a year or an interval.
func (t Terms) rate() *big.Rat { return big.NewRat(int64(t.RatePartsPerMillion), million) }
