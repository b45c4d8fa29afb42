package cooperative

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Flags is where loans of several households meet at one payee, one invoice or one place.
type Flags struct {
	Scheme tape.AccountID `json:"scheme"`
	// Since is the first day that was looked at, Days the window of the scheme's terms in force.
	Since tape.Date      `json:"since"`
	Days  int32          `json:"days"`
	Terms int32          `json:"terms"`
	Flags []loan.Meeting `json:"flags"`
}

// FlagsOf looks at what was ordered on loans of a scheme since a day, and the window before it.
func FlagsOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, since tape.Date) (Flags, error) {
	f := Flags{Scheme: scheme, Since: since, Flags: []loan.Meeting{}}
	s, err := readmodel.RecordOf[group.Scheme](ctx, m, group.SchemeKey(scheme))
	if err != nil {
		return f, err
	}
	terms, err := optional[group.Terms](ctx, m, group.TermsKey(scheme, s.Version))
	if err != nil || terms == nil { // before terms are in force nothing is lent
		return f, err
	}
	f.Days, f.Terms = terms.Terms.PoolingDays, terms.Version
	orders, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[loan.Order], error) {
		return m.Orders(ctx, readmodel.OrderFilter{Scheme: scheme, Since: since.AddDays(-int(f.Days))}, w)
	})
	if err != nil {
		return f, err
	}
	loans := map[tape.ID]loan.Loan{}
	purchases := make([]loan.Purchase, len(orders))
	for i, o := range orders {
		l, known := loans[o.Loan]
		if !known {
			if l, err = readmodel.RecordOf[loan.Loan](ctx, m, loan.Key(scheme, o.Loan)); err != nil {
				return f, err
			}
			loans[o.Loan] = l
		}
		purchases[i] = loan.Purchase{Order: o, Household: l.Household, Group: l.Group}
	}
	for _, meeting := range loan.Meetings(purchases, f.Days) {
		if meeting.To >= since {
			f.Flags = append(f.Flags, meeting)
		}
	}
	return f, nil
}
