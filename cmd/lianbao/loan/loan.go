// Package loan answers what a loan costs, offline: a question in JSON, an answer
// to be written as JSON. It reckons nothing itself; chaincode/loan/terms,
// recourse and waterfall do. docs/loans.md explains every field.
package loan

import (
	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Questions are what can be asked.
func Questions() []string {
	return []string{"schedule", "apr", "days", "payoff", "allocate", "recourse", "settle", "surplus"}
}

// Answer reads a question strictly and answers it.
func Answer(question string, data []byte) (any, error) {
	switch question {
	case "schedule":
		return answer(data, scheduleQuestion.answer)
	case "apr":
		return answer(data, rateQuestion.answer)
	case "days":
		return answer(data, daysQuestion.answer)
	case "payoff":
		return answer(data, payoffQuestion.answer)
	case "allocate":
		return answer(data, allocateQuestion.answer)
	case "recourse":
		return answer(data, recourseQuestion.answer)
	case "settle":
		return answer(data, settleQuestion.answer)
	}
	return answer(data, surplusQuestion.answer)
}

func answer[Q any](data []byte, to func(Q) (any, error)) (any, error) {
	var question Q
	if err := canonical.Read(data, &question); err != nil {
		return nil, err
	}
	return to(question)
}

// scheduleQuestion asks when a loan comes back.
type scheduleQuestion struct {
	Advances []terms.Advance `json:"advances"`
	// Sale is the day of the sale, for a loan that is due after it.
	Sale  tape.Date   `json:"sale,omitempty"`
	Terms terms.Terms `json:"terms"`
}

// Instalment is one row of a schedule.
type Instalment struct {
	N         int32        `json:"n"`
	Due       tape.Date    `json:"due"`
	Total     money.Amount `json:"total"`
	Principal money.Amount `json:"principal"`
	Interest  money.Amount `json:"interest"`
	Fee       money.Amount `json:"fee"`
	Balance   money.Amount `json:"balance"`
}

// Schedule is the answer.
type Schedule struct {
	Instalments []Instalment `json:"instalments"`
	// DisbursementFees are paid at each advance, in their order.
	DisbursementFees []money.Amount `json:"disbursementFees"`
	Principal        money.Amount   `json:"principal"`
	Interest         money.Amount   `json:"interest"`
	Fees             money.Amount   `json:"fees"`
	Total            money.Amount   `json:"total"`
	// European is the rate by the directive; left out where none explains the schedule.
	European *European `json:"european,omitempty"`
}

// European is a rate as it is published and with six decimals.
type European struct {
	Percent            terms.Percent `json:"percent"`
	PercentSixDecimals terms.Percent `json:"percentSixDecimals"`
}

func european(rate terms.Rate) *European { return &European{rate.Percent(1), rate.Percent(6)} }

// sold is the loan with the day of the sale, where one is given.
func sold(loan terms.Terms, advances []terms.Advance, sale tape.Date) (terms.Terms, error) {
	if sale == "" {
		return loan, nil
	}
	if len(advances) == 0 {
		return loan, rule.Field("advances", rule.Refuse(rule.Invalid, "is empty"))
	}
	return loan.Sold(advances[0].Date, sale)
}

func (q scheduleQuestion) answer() (any, error) {
	loan, err := sold(q.Terms, q.Advances, q.Sale)
	if err != nil {
		return nil, err
	}
	s, err := loan.Schedule(q.Advances)
	if err != nil {
		return nil, err
	}
	amount := func(units int64) money.Amount { return money.New(units, s.Currency) }
	var principal, interest, fees int64
	told := Schedule{Instalments: []Instalment{}, DisbursementFees: []money.Amount{}}
	for _, row := range s.Instalments {
		principal, interest, fees = principal+row.Principal, interest+row.Interest, fees+row.Fee
		told.Instalments = append(told.Instalments, Instalment{row.N, row.Due, amount(row.Total()), amount(row.Principal), amount(row.Interest), amount(row.Fee), amount(row.Balance)})
	}
	for _, units := range s.DisbursementFees {
		fees += units
		told.DisbursementFees = append(told.DisbursementFees, amount(units))
	}
	told.Principal, told.Interest, told.Fees, told.Total = amount(principal), amount(interest), amount(fees), amount(principal+interest+fees)
	lent, paid := s.Flows(q.Advances)
	if rate, err := terms.EuropeanRate(lent, paid, "", ""); err == nil {
		told.European = european(rate)
	}
	return told, nil
}

// The methods of a rate.
const (
	methodEuropean = "european"
	methodAmerican = "united-states"
)

// rateQuestion asks what a loan costs a year. Without payments the schedule's are taken.
type rateQuestion struct {
	Advances   []terms.Flow     `json:"advances"`
	Counting   terms.Counting   `json:"counting,omitempty"`
	Method     string           `json:"method"`
	Payments   []terms.Flow     `json:"payments,omitempty"`
	Terms      *terms.Terms     `json:"terms,omitempty"`
	UnitPeriod terms.UnitPeriod `json:"unitPeriod,omitzero"`
	YearDays   string           `json:"yearDays,omitempty"`
}

// American is a rate by Regulation Z.
type American struct {
	Percent            terms.Percent    `json:"percent"`
	PercentSixDecimals terms.Percent    `json:"percentSixDecimals"`
	UnitPeriod         terms.UnitPeriod `json:"unitPeriod"`
}

func (q rateQuestion) answer() (any, error) {
	advances, payments, err := q.flows()
	if err != nil {
		return nil, err
	}
	switch {
	case q.Method == methodAmerican && (q.Counting != "" || q.YearDays != ""):
		return nil, rule.Field("method", rule.Refuse(rule.Invalid, "united-states takes neither counting nor yearDays"))
	case q.Method == methodAmerican:
		rate, unit, err := terms.UnitedStatesRate(advances, payments, q.UnitPeriod)
		if err != nil {
			return nil, err
		}
		return American{rate.Percent(2), rate.Percent(6), unit}, nil
	case q.UnitPeriod != (terms.UnitPeriod{}):
		return nil, rule.Field("unitPeriod", rule.Refuse(rule.Invalid, "is for the method united-states"))
	}
	if err := rule.OneOf(q.Method, methodEuropean, methodAmerican); err != nil {
		return nil, rule.Field("method", err)
	}
	rate, err := terms.EuropeanRate(advances, payments, q.Counting, q.YearDays)
	if err != nil {
		return nil, err
	}
	return european(rate), nil
}

// flows are those of the question, or those of the schedule of its terms.
func (q rateQuestion) flows() (advances, payments []terms.Flow, err error) {
	if q.Terms == nil {
		return q.Advances, q.Payments, nil
	}
	if len(q.Payments) > 0 {
		return nil, nil, rule.Field("payments", rule.Refuse(rule.Invalid, "follow from the terms"))
	}
	lent := make([]terms.Advance, len(q.Advances))
	for i, f := range q.Advances {
		if f != (terms.Flow{Amount: f.Amount, At: terms.Moment{Date: f.At.Date}}) {
			return nil, nil, rule.Item("advances", i, rule.Refuse(rule.Invalid, "has an amount and a date only, where there are terms"))
		}
		lent[i] = terms.Advance{Amount: f.Amount, Date: f.At.Date}
	}
	s, err := q.Terms.Schedule(lent)
	if err != nil {
		return nil, nil, err
	}
	advances, payments = s.Flows(lent)
	return advances, payments, nil
}

// daysQuestion asks how far two days lie apart, and what an amount costs between them.
type daysQuestion struct {
	Amount              money.Amount   `json:"amount,omitzero"`
	DayCount            terms.DayCount `json:"dayCount"`
	From                tape.Date      `json:"from"`
	Last                tape.Date      `json:"last,omitempty"`
	RatePartsPerMillion int32          `json:"ratePartsPerMillion,omitempty"`
	Rounding            terms.Rounding `json:"rounding,omitempty"`
	To                  tape.Date      `json:"to"`
}

// Days is the answer.
type Days struct {
	Days int64 `json:"days"`
	// Year is the part of a year, as a fraction.
	Year     string        `json:"year"`
	Interest *money.Amount `json:"interest,omitempty"`
}

func (q daysQuestion) answer() (any, error) {
	if err := q.DayCount.Check(); err != nil {
		return nil, rule.Field("dayCount", err)
	}
	days, err := q.DayCount.Days(q.From, q.To, q.Last)
	if err != nil {
		return nil, err
	}
	year, err := q.DayCount.Fraction(q.From, q.To, q.Last)
	if err != nil {
		return nil, err
	}
	told := Days{Days: days, Year: year}
	if q.Amount == (money.Amount{}) {
		return told, nil
	}
	units, err := terms.Interest(q.Amount.Units, q.RatePartsPerMillion, q.From, q.To, q.DayCount, q.Rounding)
	if err != nil {
		return nil, err
	}
	interest := money.New(units, q.Amount.Currency)
	told.Interest = &interest
	return told, nil
}
