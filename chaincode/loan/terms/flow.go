package terms

import (
	"math/big"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Moment is when something is paid: a date, or time behind the beginning in
// years, months, weeks and days together.
type Moment struct {
	Date   tape.Date `json:"date,omitempty"`
	Days   int32     `json:"days,omitempty"`
	Months int32     `json:"months,omitempty"`
	Weeks  int32     `json:"weeks,omitempty"`
	// Years is a decimal or a fraction: "0.5", "7/12", "-1".
	Years string `json:"years,omitempty"`
}

// Flow is an amount that is paid once, or Count times at equal intervals.
type Flow struct {
	Amount money.Amount `json:"amount"`
	// At is when it is paid first; left out, at the beginning.
	At Moment `json:"at,omitzero"`
	// Count is how often it is paid; 0 is once.
	Count int32 `json:"count,omitempty"`
	// Every is the interval between two of them, where there are several.
	Every Interval `json:"every,omitzero"`
}

// flowsMax is how many single amounts a rate is found for.
const flowsMax = 2_000

// flow is one amount, negative where it is paid back.
type flow struct {
	units int64
	at    Moment
}

// flows lists single amounts: what is lent, and what is paid back as negative.
func flows(advances, payments []Flow) ([]flow, error) {
	if len(advances) == 0 {
		return nil, rule.Field("advances", rule.Refuse(rule.Invalid, "is empty"))
	}
	if len(payments) == 0 {
		return nil, rule.Field("payments", rule.Refuse(rule.Invalid, "is empty"))
	}
	currency, dated := advances[0].Amount.Currency, advances[0].At.Date != ""
	var list []flow
	var lent, paid int64
	for i, f := range advances {
		if err := f.check(currency, dated); err != nil {
			return nil, rule.Item("advances", i, err)
		}
		list = append(list, f.single(1)...)
		lent = lent + f.Amount.Units*int64(max(1, f.Count))
	}
	for i, f := range payments {
		if err := f.check(currency, dated); err != nil {
			return nil, rule.Item("payments", i, err)
		}
		list = append(list, f.single(-1)...)
		paid = paid + f.Amount.Units*int64(max(1, f.Count))
	}
	switch {
	case len(list) > flowsMax:
		return nil, rule.Refuse(rule.Invalid, "there are %d amounts, %d at most", len(list), flowsMax)
	case lent > money.Max || paid > money.Max:
		return nil, rule.Refuse(rule.Invalid, "the total is larger than %d minor units", int64(money.Max))
	case paid < lent:
		return nil, rule.Field("payments", rule.Refuse(rule.Invalid, "come to less than what was lent, so that no rate of 0 or more explains them"))
	}
	return list, nil
}

func (f Flow) check(currency money.Currency, dated bool) error {
	if _, err := f.Amount.Currency.Exponent(); err != nil {
		return rule.Field("amount", err)
	}
	if err := f.Amount.Positive(currency); err != nil {
		return rule.Field("amount", err)
	}
	if f.Amount.Units > money.Max/flowsMax {
		return rule.Field("amount", rule.Refuse(rule.Invalid, "is larger than %s", money.New(money.Max/flowsMax, currency)))
	}
	if (f.At.Date != "") != dated {
		return rule.Field("at", rule.Refuse(rule.Invalid, "is a date for all amounts or for none"))
	}
	if err := f.At.check(); err != nil {
		return rule.Field("at", err)
	}
	return f.checkCount()
}

func (f Flow) checkCount() error {
	if f.Count < 0 || f.Count > flowsMax {
		return rule.Field("count", rule.Refuse(rule.Invalid, "is not 0 to %d", flowsMax))
	}
	if f.Count < 2 {
		if f.Every != (Interval{}) {
			return rule.Field("every", rule.Refuse(rule.Invalid, "is for amounts that are paid several times"))
		}
		return nil
	}
	if err := f.Every.Check(); err != nil {
		return rule.Field("every", err)
	}
	if int64(f.Count)*f.Every.days() > 2*daysMax {
		return rule.Field("count", rule.Refuse(rule.Invalid, "with its interval comes to more than %d days", 2*daysMax))
	}
	return nil
}

func (m Moment) check() error {
	if m.Date != "" {
		if m != (Moment{Date: m.Date}) {
			return rule.Refuse(rule.Invalid, "has other times beside its date")
		}
		return rule.Field("date", checkDay(m.Date))
	}
	const most = 2 * daysMax
	if max(m.Days, -m.Days) > most || max(m.Weeks, -m.Weeks) > most/7 || max(m.Months, -m.Months) > most/30 {
		return rule.Refuse(rule.Invalid, "is more than %d days away", most)
	}
	if m.Years == "" {
		return nil
	}
	years, err := ratio(m.Years)
	if err != nil {
		return rule.Field("years", err)
	}
	if years.Abs(years).Cmp(big.NewRat(120, 1)) > 0 {
		return rule.Field("years", rule.Refuse(rule.Invalid, "is more than 120"))
	}
	return nil
}

// ratio reads a decimal with nine places at most, or a fraction of such small numbers.
func ratio(text string) (*big.Rat, error) {
	refused := rule.Refuse(rule.Invalid, "is not a decimal or a fraction; write it as 0.5 or 7/12")
	over, under, fraction := strings.Cut(text, "/")
	_, places, _ := strings.Cut(over, ".")
	if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789./") != "" || len(over) > 14 || len(under) > 9 || len(places) > 9 || fraction && strings.Contains(text, ".") {
		return nil, refused
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, refused
	}
	return r, nil
}

// single lists the amounts of a flow, each at its own time.
func (f Flow) single(sign int64) []flow {
	list := make([]flow, 0, max(1, f.Count))
	for n := range max(1, f.Count) {
		at := f.At
		if at.Date != "" && n > 0 {
			at.Date = f.Every.after(at.Date, int(n))
		} else {
			at.Days, at.Weeks, at.Months = at.Days+n*f.Every.Days, at.Weeks+n*f.Every.Weeks, at.Months+n*f.Every.Months
		}
		list = append(list, flow{sign * f.Amount.Units, at})
	}
	return list
}

// Flows are a schedule's advances and payments, for a rate: fees at disbursement are paid that day.
func (s Schedule) Flows(advances []Advance) (lent, paid []Flow) {
	for i, a := range advances {
		lent = append(lent, Flow{Amount: a.Amount, At: Moment{Date: a.Date}})
		if s.DisbursementFees[i] > 0 {
			paid = append(paid, Flow{Amount: money.New(s.DisbursementFees[i], s.Currency), At: Moment{Date: a.Date}})
		}
	}
	for _, row := range s.Instalments {
		if row.Total() > 0 {
			paid = append(paid, Flow{Amount: money.New(row.Total(), s.Currency), At: Moment{Date: row.Due}})
		}
	}
	return lent, paid
}
