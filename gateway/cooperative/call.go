package cooperative

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Call is a call of a loan's guarantors as it stands on a day.
type Call struct {
	recourse.Call
	// OpenAmount is what the lender still asks, BorneAmount what the guarantors are without.
	OpenAmount  money.Amount `json:"openAmount"`
	BorneAmount money.Amount `json:"borneAmount"`
	// Clocks are the guarantors', in the order of the call.
	Clocks []Clock `json:"clocks"`
}

// Clock is where one guarantor stands, and until when.
type Clock struct {
	Household tape.AccountID `json:"household"`
	// Share is what it bears in the end, Borne what it is without now.
	Share money.Amount `json:"share"`
	Borne money.Amount `json:"borne"`
	// Asked is asked of it for its own part until Until, Spread in the place of
	// others until SpreadUntil. Left are the days to the earlier end of what is
	// asked, below zero when it has passed; none where nothing is asked.
	Asked       money.Amount `json:"asked"`
	Until       tape.Date    `json:"until"`
	Spread      money.Amount `json:"spread"`
	SpreadUntil tape.Date    `json:"spreadUntil,omitempty"`
	Left        *int         `json:"left,omitempty"`
	// PeriodEnd is the last day of its guarantee period: a claim after it finds it free.
	PeriodEnd tape.Date `json:"periodEnd"`
	// Owed is what each co-guarantor owes it.
	Owed     []Owed `json:"owed"`
	Unable   bool   `json:"unable,omitempty"`
	Released bool   `json:"released,omitempty"`
	Late     bool   `json:"late,omitempty"`
}

// Owed is what one household owes another by a call.
type Owed struct {
	Household tape.AccountID `json:"household"`
	Amount    money.Amount   `json:"amount"`
}

// Calls lists the calls of a scheme, or of one of its loans, by loan and id.
func Calls(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, loan tape.ID, day tape.Date, window readmodel.Window) (readmodel.List[Call], error) {
	list := readmodel.List[Call]{Items: []Call{}}
	prefix := recourse.CallKey(scheme, loan, "")
	if loan == "" {
		prefix = "call/" + string(scheme) + "/"
	}
	found, err := readmodel.RecordsOf[recourse.Call](ctx, m, prefix, window)
	if err != nil {
		return list, err
	}
	for _, c := range found.Items {
		list.Items = append(list.Items, callOn(c, day))
	}
	list.Next = found.Next
	return list, nil
}

func callsOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, loan tape.ID, day tape.Date) ([]Call, error) {
	calls, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[Call], error) {
		return Calls(ctx, m, scheme, loan, day, w)
	})
	return append([]Call{}, calls...), err
}

func callOn(c recourse.Call, day tape.Date) Call {
	of := func(units int64) money.Amount { return amount(units, c.Amount.Currency) }
	call := Call{Call: c, OpenAmount: of(c.Open()), BorneAmount: of(c.Borne()), Clocks: []Clock{}}
	for i, stand := range c.Stands() {
		g := c.Guarantors[i]
		clock := Clock{Household: g.Household, Share: of(stand.Share), Borne: of(stand.Borne), Asked: of(stand.Asked), Until: g.Until, Spread: of(stand.Spread), SpreadUntil: g.SpreadUntil,
			PeriodEnd: g.Last, Owed: []Owed{}, Unable: g.Unable != nil, Released: g.Released != nil, Late: g.Late != ""}
		for _, part := range stand.Owed {
			clock.Owed = append(clock.Owed, Owed{part.Household, of(part.Units)})
		}
		clock.Left = clock.left(day)
		call.Clocks = append(call.Clocks, clock)
	}
	return call
}

// left are the days to the earlier end of what is asked.
func (c Clock) left(day tape.Date) *int {
	end := tape.Date("")
	if c.Asked.Units > 0 {
		end = c.Until
	}
	if c.Spread.Units > 0 && c.SpreadUntil != "" && (end == "" || c.SpreadUntil < end) {
		end = c.SpreadUntil
	}
	if end == "" {
		return nil
	}
	days := day.DaysUntil(end)
	return &days
}
