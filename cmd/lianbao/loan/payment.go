package loan

import (
	"cmp"
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// payoffQuestion asks what is owed on a day, and what ends the loan then.
type payoffQuestion struct {
	Advances []terms.Advance `json:"advances"`
	Date     tape.Date       `json:"date"`
	Payments []terms.Payment `json:"payments,omitempty"`
	Sale     tape.Date       `json:"sale,omitempty"`
	Terms    terms.Terms     `json:"terms"`
}

// Payoff is the answer.
type Payoff struct {
	Payoff    money.Amount `json:"payoff"`
	Principal money.Amount `json:"principal"`
	// Interest is what ran and is not paid, due or not.
	Interest money.Amount `json:"interest"`
	Late     money.Amount `json:"late"`
	Costs    money.Amount `json:"costs"`
	// Over is what was paid beyond everything.
	Over        money.Amount `json:"over"`
	DaysPastDue int32        `json:"daysPastDue"`
	// Due are the instalments that are due and not paid.
	Due []Due `json:"due"`
}

// Due is what is owed, or paid, of one instalment.
type Due struct {
	N         int32        `json:"n"`
	Due       tape.Date    `json:"due"`
	Costs     money.Amount `json:"costs"`
	Late      money.Amount `json:"late"`
	Interest  money.Amount `json:"interest"`
	Principal money.Amount `json:"principal"`
}

func told(due terms.Due, currency money.Currency) Due {
	amount := func(units int64) money.Amount { return money.New(units, currency) }
	return Due{due.N, due.Due, amount(due.Costs), amount(due.Late), amount(due.Interest), amount(due.Principal)}
}

func (q payoffQuestion) answer() (any, error) {
	loan, err := sold(q.Terms, q.Advances, q.Sale)
	if err != nil {
		return nil, err
	}
	s, err := loan.Standing(q.Advances, q.Payments, q.Date)
	if err != nil {
		return nil, err
	}
	amount := func(units int64) money.Amount { return money.New(units, s.Currency) }
	var late, costs int64
	answer := Payoff{DaysPastDue: s.DaysPastDue, Due: []Due{}}
	for _, due := range s.Dues {
		late, costs = late+due.Late, costs+due.Costs
		answer.Due = append(answer.Due, told(due, s.Currency))
	}
	answer.Payoff, answer.Principal, answer.Interest = amount(s.Payoff()), amount(s.Principal), amount(s.Interest())
	answer.Late, answer.Costs, answer.Over = amount(late), amount(costs), amount(s.Over)
	return answer, nil
}

// allocateQuestion asks what payments pay of what is due.
type allocateQuestion struct {
	Dues []owed `json:"dues"`
	// InAdvance lets a payment pay what falls due later once all that is due is paid.
	InAdvance bool        `json:"inAdvance,omitempty"`
	Order     terms.Order `json:"order,omitempty"`
	Payments  []payment   `json:"payments"`
}

// owed is one due as people write it; what is left out is nothing.
type owed struct {
	Costs     money.Amount `json:"costs,omitzero"`
	Due       tape.Date    `json:"due"`
	Interest  money.Amount `json:"interest,omitzero"`
	Late      money.Amount `json:"late,omitzero"`
	N         int32        `json:"n"`
	Principal money.Amount `json:"principal,omitzero"`
}

// payment may leave its date out: then all dues are due.
type payment struct {
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date,omitempty"`
}

// Allocation is the answer.
type Allocation struct {
	Payments []Allocated `json:"payments"`
	// Outstanding is what is owed behind the last payment.
	Outstanding []Due `json:"outstanding"`
}

// Allocated is what one payment paid.
type Allocated struct {
	Amount money.Amount `json:"amount"`
	Paid   []Due        `json:"paid"`
	// Rest is what paid nothing.
	Rest money.Amount `json:"rest"`
}

func (q allocateQuestion) answer() (any, error) {
	dues, currency, err := q.dues()
	if err != nil {
		return nil, err
	}
	answer := Allocation{Payments: []Allocated{}, Outstanding: []Due{}}
	for i, p := range q.Payments {
		one, err := q.pay(dues, p, currency)
		if err != nil {
			return nil, rule.Item("payments", i, err)
		}
		answer.Payments = append(answer.Payments, one)
	}
	for _, due := range dues {
		answer.Outstanding = append(answer.Outstanding, told(due, currency))
	}
	return answer, nil
}

// duesMax is how many dues and payments are taken.
const duesMax = 1_000

// dues are those of the question in one currency, the oldest first.
func (q allocateQuestion) dues() ([]terms.Due, money.Currency, error) {
	if err := q.Order.Check(); err != nil {
		return nil, "", rule.Field("order", err)
	}
	if len(q.Payments) == 0 || len(q.Payments) > duesMax {
		return nil, "", rule.Field("payments", rule.Refuse(rule.Invalid, "are %d, not 1 to %d", len(q.Payments), duesMax))
	}
	if len(q.Dues) > duesMax {
		return nil, "", rule.Field("dues", rule.Refuse(rule.Invalid, "are %d, %d at most", len(q.Dues), duesMax))
	}
	currency := q.Payments[0].Amount.Currency
	dues := make([]terms.Due, len(q.Dues))
	for i, o := range q.Dues {
		for _, amount := range []money.Amount{o.Costs, o.Interest, o.Late, o.Principal} {
			if amount != (money.Amount{}) && (amount.Currency != currency || amount.Units < 0) {
				return nil, "", rule.Item("dues", i, rule.Refuse(rule.Invalid, "%s is negative or not in %s", amount, currency))
			}
		}
		dues[i] = terms.Due{N: o.N, Due: o.Due, Costs: o.Costs.Units, Late: o.Late.Units, Interest: o.Interest.Units, Principal: o.Principal.Units}
	}
	slices.SortStableFunc(dues, func(a, b terms.Due) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.N, b.N))
	})
	return dues, currency, nil
}

// pay lets one payment pay what is due on its day, and later dues one by one in advance.
func (q allocateQuestion) pay(dues []terms.Due, p payment, currency money.Currency) (Allocated, error) {
	if err := p.Amount.Positive(currency); err != nil {
		return Allocated{}, rule.Field("amount", err)
	}
	if p.Date != "" {
		if err := p.Date.Check(); err != nil {
			return Allocated{}, rule.Field("date", err)
		}
	}
	due := 0
	for due < len(dues) && (p.Date == "" || dues[due].Due <= p.Date) {
		due++
	}
	one := Allocated{Amount: p.Amount, Paid: []Due{}, Rest: p.Amount}
	if err := one.pay(q.Order, dues[:due]); err != nil {
		return one, err
	}
	for ; q.InAdvance && due < len(dues); due++ {
		if err := one.pay(q.Order, dues[due:due+1]); err != nil {
			return one, err
		}
	}
	return one, nil
}

// pay pays dues with what is left of the payment.
func (a *Allocated) pay(order terms.Order, dues []terms.Due) error {
	paid, rest, err := terms.Allocate(order, dues, a.Rest.Units)
	if err != nil {
		return err
	}
	a.Rest.Units = rest
	for i, part := range paid {
		if part.Total() == 0 {
			continue
		}
		d := &dues[i]
		d.Costs, d.Late, d.Interest, d.Principal = d.Costs-part.Costs, d.Late-part.Late, d.Interest-part.Interest, d.Principal-part.Principal
		a.Paid = append(a.Paid, told(part, a.Amount.Currency))
	}
	return nil
}

// recourseQuestion asks who bears a debt among its guarantors.
type recourseQuestion struct {
	Debt       money.Amount `json:"debt"`
	Guarantors []guarantor  `json:"guarantors"`
	// Repaid is what the debtor repaid after the guarantors: to the lender first.
	Repaid money.Amount `json:"repaid,omitzero"`
}

type guarantor struct {
	// Max is the most it guarantees; left out, the whole debt.
	Max  money.Amount `json:"max,omitzero"`
	Name string       `json:"name"`
	Paid money.Amount `json:"paid,omitzero"`
	// Released says that the lender released it, Unable that it cannot pay more than it did.
	Released bool `json:"released,omitempty"`
	// Share is its agreed part beside the others' shares; where none has one they are equal.
	Share  int32 `json:"share,omitempty"`
	Unable bool  `json:"unable,omitempty"`
}

// Recourse is the answer.
type Recourse struct {
	Guarantors []Bears `json:"guarantors"`
	// Claims are what guarantors may ask of one another.
	Claims []Claim `json:"claims"`
	// Open is what the lender is still owed, Released by how much releases lowered the debt of all.
	Open     money.Amount `json:"open"`
	Released money.Amount `json:"released"`
}

// Bears is where one guarantor stands.
type Bears struct {
	Name string `json:"name"`
	// Part is its agreed part of the debt, Share what it bears in the end.
	Part  money.Amount `json:"part"`
	Share money.Amount `json:"share"`
	// Asked is what the lender may still ask of it.
	Asked money.Amount `json:"asked"`
	// Debtor is what it may claim from the debtor, Returned what it got of what the debtor repaid.
	Debtor   money.Amount `json:"debtor"`
	Returned money.Amount `json:"returned"`
}

// Claim is what one guarantor may ask of another.
type Claim struct {
	By     string       `json:"by"`
	Of     string       `json:"of"`
	Amount money.Amount `json:"amount"`
}

func (q recourseQuestion) answer() (any, error) {
	currency := q.Debt.Currency
	standings := make([]recourse.Standing, len(q.Guarantors))
	for i, g := range q.Guarantors {
		for _, amount := range []money.Amount{g.Max, g.Paid} {
			if amount != (money.Amount{}) && amount.Currency != currency {
				return nil, rule.Item("guarantors", i, rule.Refuse(rule.Invalid, "%s is not in %s", amount, currency))
			}
		}
		standings[i] = recourse.Standing{Name: g.Name, Share: g.Share, Max: g.Max.Units, Paid: g.Paid.Units, Unable: g.Unable, Released: g.Released}
	}
	if q.Repaid != (money.Amount{}) && q.Repaid.Currency != currency {
		return nil, rule.Field("repaid", rule.Refuse(rule.Invalid, "%s is not in %s", q.Repaid, currency))
	}
	s, err := recourse.Settle(q.Debt.Units, standings, q.Repaid.Units)
	if err != nil {
		return nil, err
	}
	amount := func(units int64) money.Amount { return money.New(units, currency) }
	answer := Recourse{Guarantors: []Bears{}, Claims: []Claim{}, Open: amount(s.Open), Released: amount(s.Released)}
	for i, g := range q.Guarantors {
		answer.Guarantors = append(answer.Guarantors, Bears{g.Name, amount(s.Parts[i]), amount(s.Shares[i]), amount(s.Asked[i]), amount(s.Debtor[i]), amount(s.Returned[i])})
	}
	for _, c := range s.Between {
		answer.Claims = append(answer.Claims, Claim{c.By, c.Of, amount(c.Units)})
	}
	return answer, nil
}
