package terms

import (
	"sort"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Order says in which order a payment pays what is due. It is a name, or the
// four parts themselves: those joined by + are paid instalment by instalment,
// the oldest first; those behind a comma wait until all before the comma is paid.
type Order string

// The named orders.
const (
	// Law is costs, late charge, interest, principal of the oldest instalment, then
	// of the next: article 561 of the Civil Code, within each instalment.
	Law Order = "law"
	// CostsFirst is article 561 over the whole debt: all costs, then all interest, then principal.
	CostsFirst Order = "costs-first"
	// InterestFirst pays costs and interest of all that is due before any principal.
	InterestFirst Order = "interest-first"
	// PrincipalFirst pays all principal first: for loans that will not be paid whole.
	PrincipalFirst Order = "principal-first"
)

// orders spells the named ones out.
func (o Order) spelled() Order {
	switch o {
	case "", Law:
		return "costs+late+interest+principal"
	case CostsFirst:
		return "costs,late+interest,principal"
	case InterestFirst:
		return "costs+late+interest,principal"
	case PrincipalFirst:
		return "principal,interest,late,costs"
	}
	return o
}

// The parts of a due.
const (
	partCosts     = "costs"
	partLate      = "late"
	partInterest  = "interest"
	partPrincipal = "principal"
)

// Check refuses an order that leaves a part out or has it twice; "" is Law.
func (o Order) Check() error {
	if o.spelled() != o { // one of the names
		return nil
	}
	counted := ""
	for _, group := range o.groups() {
		for _, part := range group {
			if err := rule.OneOf(part, partCosts, partLate, partInterest, partPrincipal); err != nil {
				return rule.Refuse(rule.Invalid, "is neither law, costs-first, interest-first, principal-first nor costs, late, interest, principal joined by + and commas")
			}
			if strings.Contains(counted, part) {
				return rule.Refuse(rule.Invalid, "has %s twice", part)
			}
			counted += part
		}
	}
	if len(counted) != len(partCosts+partLate+partInterest+partPrincipal) {
		return rule.Refuse(rule.Invalid, "leaves one of costs, late, interest, principal out")
	}
	return nil
}

func (o Order) groups() [][]string {
	var groups [][]string
	for _, group := range strings.Split(string(o.spelled()), ",") {
		groups = append(groups, strings.Split(group, "+"))
	}
	return groups
}

// Due is what is owed of one instalment, in minor units. An amount of 0 is none.
type Due struct {
	Costs     int64     `json:"costs,omitempty,string"`
	Due       tape.Date `json:"due"`
	Interest  int64     `json:"interest,omitempty,string"`
	Late      int64     `json:"late,omitempty,string"`
	N         int32     `json:"n"`
	Principal int64     `json:"principal,omitempty,string"`
}

// Total is all that is owed of it.
func (d Due) Total() int64 { return d.Costs + d.Late + d.Interest + d.Principal }

func (d *Due) part(name string) *int64 {
	switch name {
	case partCosts:
		return &d.Costs
	case partLate:
		return &d.Late
	case partInterest:
		return &d.Interest
	}
	return &d.Principal
}

// Paid is what a payment paid of one instalment; its fields are a due's.
type Paid = Due

// Allocate pays dues with an amount and returns what it paid of each, in the
// order in which the dues were given, and what is left over. The oldest due
// comes first, whatever order they are given in.
func Allocate(order Order, dues []Due, units int64) (paid []Paid, rest int64, err error) {
	if err := order.Check(); err != nil {
		return nil, 0, rule.Field("order", err)
	}
	if units < 0 || units > money.Max {
		return nil, 0, rule.Field("units", rule.Refuse(rule.Invalid, "is not 0 to %d", int64(money.Max)))
	}
	for i, due := range dues {
		if err := due.check(); err != nil {
			return nil, 0, rule.Item("dues", i, err)
		}
	}
	paid = make([]Paid, len(dues))
	for i, due := range dues {
		paid[i] = Paid{Due: due.Due, N: due.N}
	}
	oldest := oldestFirst(dues)
	rest = units
	for _, group := range order.groups() {
		for _, i := range oldest {
			for _, part := range group {
				pay := min(rest, *dues[i].part(part))
				*paid[i].part(part) = pay
				rest -= pay
			}
		}
	}
	return paid, rest, nil
}

func (d Due) check() error {
	if err := d.Due.Check(); err != nil {
		return rule.Field("due", err)
	}
	for _, part := range []string{partCosts, partLate, partInterest, partPrincipal} {
		if units := *d.part(part); units < 0 || units > money.Max/4 {
			return rule.Field(part, rule.Refuse(rule.Invalid, "is not 0 to %d", int64(money.Max/4)))
		}
	}
	return nil
}

// oldestFirst is the order of dues by day, then by number, then as they stand.
func oldestFirst(dues []Due) []int {
	order := make([]int, len(dues))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := order[i], order[j]
		if dues[a].Due != dues[b].Due {
			return dues[a].Due < dues[b].Due
		}
		return dues[a].N < dues[b].N
	})
	return order
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
