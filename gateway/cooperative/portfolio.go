package cooperative

import (
	"cmp"
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Asked says whose portfolio is asked for, and for when.
type Asked struct {
	// Lender's parts of loans; without one, whole loans.
	Lender string
	// Scheme leaves out the loans of others; without one, all.
	Scheme tape.AccountID
	Day    tape.Date
	// NextDays is how many days behind the day are looked at for what falls due.
	NextDays int32
}

// Portfolio is what a lender, or a cooperative's households together, have on
// loan on a day.
type Portfolio struct {
	Lender string         `json:"lender,omitempty"`
	Scheme tape.AccountID `json:"scheme,omitempty"`
	Day    tape.Date      `json:"day"`
	// Classes is the version of the classification that counts.
	Classes string `json:"classes"`
	// Currencies are the sums of each currency in which there are loans.
	Currencies []Sums `json:"currencies"`
	// Next are the instalments that fall due within the days asked, the earliest first.
	Next []Coming `json:"next"`
}

// Sums are the sums of a portfolio in one currency. What was written off is in
// neither Gross nor AtRisk, and stands beside them.
type Sums struct {
	Currency money.Currency `json:"currency"`
	// Loans counts those of which principal is owed, Households theirs.
	Loans      int `json:"loans"`
	Households int `json:"households"`
	// Gross is all principal that is owed and in the books.
	Gross money.Amount `json:"gross"`
	// Overdue is all that is due and was not paid on its day: principal, interest and charges of whole loans.
	Overdue money.Amount `json:"overdue"`
	// ByClass is principal by class, from the best to the worst.
	ByClass []Class `json:"byClass"`
	// AtRisk is the outstanding principal of loans of which an instalment is more
	// than so many days overdue, with those whose terms were changed and are observed.
	AtRisk []AtRisk `json:"atRisk"`
	// NonPerforming is the principal of the classes that count as such.
	NonPerforming money.Amount `json:"nonPerforming"`
	// Restructured is the principal of loans whose terms were changed and are observed, and is in AtRisk whatever their days.
	Restructured      money.Amount `json:"restructured"`
	RestructuredLoans int          `json:"restructuredLoans"`
	// WrittenOff is what is still owed of loans that were taken out of the books.
	WrittenOff      money.Amount `json:"writtenOff"`
	WrittenOffLoans int          `json:"writtenOffLoans"`
}

// Class is the principal in one class.
type Class struct {
	Class  string       `json:"class"`
	Loans  int32        `json:"loans"`
	Amount money.Amount `json:"amount"`
}

// AtRisk is the portfolio at risk beyond a number of days.
type AtRisk struct {
	Days   int32        `json:"days"`
	Amount money.Amount `json:"amount"`
	// PartsPerMillion of the gross portfolio, rounded down.
	PartsPerMillion int32 `json:"partsPerMillion"`
}

// Coming is an instalment that falls due.
type Coming struct {
	Due
	Scheme    tape.AccountID `json:"scheme"`
	Loan      tape.ID        `json:"loan"`
	Household tape.AccountID `json:"household"`
}

// riskDays are those of PAR30 and PAR90.
var riskDays = []int32{30, 90}

// PortfolioOf is a portfolio on a day. Figures of a day that has passed are
// reckoned from today's books: a payment of then that came to light later is in them.
func PortfolioOf(ctx context.Context, m *readmodel.Model, asked Asked) (Portfolio, error) {
	p := Portfolio{Lender: asked.Lender, Scheme: asked.Scheme, Day: asked.Day, Currencies: []Sums{}, Next: []Coming{}}
	classes, err := loan.ClassesOn(asked.Day)
	if err != nil {
		return p, err
	}
	p.Classes = classes.ID
	loans, err := disbursed(ctx, m, asked)
	if err != nil {
		return p, err
	}
	for _, currency := range currencies(loans) {
		sums, err := sum(loans, classes, currency, asked)
		if err != nil {
			return p, err
		}
		p.Currencies = append(p.Currencies, sums)
	}
	p.Next, err = coming(loans, asked)
	return p, err
}

// disbursed are the loans of which money was paid out.
func disbursed(ctx context.Context, m *readmodel.Model, asked Asked) ([]loan.Loan, error) {
	all, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Loan], error) {
		return m.Loans(ctx, readmodel.LoanFilter{Scheme: asked.Scheme, Lender: asked.Lender}, w)
	})
	var loans []loan.Loan
	for _, l := range all {
		if len(l.Book.Advances) > 0 {
			loans = append(loans, l.Loan)
		}
	}
	return loans, err
}

// currencies are those of loans, in the order of their codes.
func currencies(loans []loan.Loan) []money.Currency {
	var found []money.Currency
	for _, l := range loans {
		if !slices.Contains(found, l.Principal.Currency) {
			found = append(found, l.Principal.Currency)
		}
	}
	slices.Sort(found)
	return found
}

// sum reckons the loans in one currency.
func sum(loans []loan.Loan, classes loan.Classes, currency money.Currency, asked Asked) (Sums, error) {
	zero := amount(0, currency)
	s := Sums{Currency: currency, Overdue: zero, Restructured: zero, WrittenOff: zero}
	var positions []loan.Position
	households := map[tape.AccountID]bool{}
	for _, l := range loans {
		if l.Principal.Currency != currency {
			continue
		}
		position, err := l.Held(asked.Lender, asked.Day)
		if err != nil {
			return s, err
		}
		positions = append(positions, position)
		if position.Principal == 0 {
			continue
		}
		s.Loans++
		households[l.Household] = true
		s.mark(position)
		overdue, err := overdueOf(l, asked.Day)
		if err != nil {
			return s, err
		}
		s.Overdue.Units += overdue
	}
	s.Households = len(households)
	s.fill(classes.Reckon(currency, positions, riskDays...))
	return s, nil
}

// mark counts what stands beside the sums.
func (s *Sums) mark(p loan.Position) {
	if p.WrittenOff > 0 {
		s.WrittenOffLoans++
		return
	}
	if p.Observed {
		s.RestructuredLoans++
		s.Restructured.Units += p.Principal
	}
}

// fill takes what the rule has reckoned.
func (s *Sums) fill(p loan.Portfolio) {
	s.Gross, s.NonPerforming, s.WrittenOff.Units = amount(p.Gross, p.Currency), amount(p.NonPerforming, p.Currency), p.WrittenOff
	for _, c := range p.ByClass {
		s.ByClass = append(s.ByClass, Class{c.Class, c.Loans, amount(c.Units, p.Currency)})
	}
	for _, r := range p.AtRisk {
		s.AtRisk = append(s.AtRisk, AtRisk{r.Days, amount(r.Units, p.Currency), r.PartsPerMillion})
	}
}

// overdueOf is what of a loan was due before a day and is not paid.
func overdueOf(l loan.Loan, day tape.Date) (int64, error) {
	if before(l, day) {
		return 0, nil
	}
	owed, err := l.Owed(day)
	units := int64(0)
	for _, due := range owed.Dues {
		if due.Due < day {
			units += due.Total()
		}
	}
	return units, err
}

// coming lists what falls due behind a day.
func coming(loans []loan.Loan, asked Asked) ([]Coming, error) {
	found, until := []Coming{}, asked.Day.AddDays(int(asked.NextDays))
	for _, l := range loans {
		if l.State != loan.Running || before(l, asked.Day) {
			continue
		}
		for _, instalment := range l.Book.Schedule {
			if instalment.Due <= asked.Day || instalment.Due > until {
				continue
			}
			due, err := dueOn(l, instalment)
			if err != nil {
				return nil, err
			}
			if due.Amount.Units > 0 {
				found = append(found, Coming{*due, l.Scheme, l.ID, l.Household})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Coming) int { return cmp.Compare(a.Date, b.Date) })
	return found, nil
}

// Loans lists loans as they stand on a day, by scheme and id.
func Loans(ctx context.Context, m *readmodel.Model, filter readmodel.LoanFilter, day tape.Date, window readmodel.Window) (readmodel.List[Line], error) {
	list := readmodel.List[Line]{Items: []Line{}}
	classes, err := loan.ClassesOn(day)
	if err != nil {
		return list, err
	}
	found, err := m.Loans(ctx, filter, window)
	if err != nil {
		return list, err
	}
	for _, l := range found.Items {
		line, err := lineOf(l.Loan, classes, day)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, line)
	}
	list.Next = found.Next
	return list, nil
}

// Arrears lists the loans of which something is overdue on a day: what is past
// due for longest stands first, of equal days the largest.
func Arrears(ctx context.Context, m *readmodel.Model, filter readmodel.LoanFilter, day tape.Date) ([]Line, error) {
	filter.Outstanding = true
	lines, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[Line], error) {
		return Loans(ctx, m, filter, day, w)
	})
	lines = slices.DeleteFunc(lines, func(l Line) bool { return l.DaysPastDue == 0 })
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.DaysPastDue, a.DaysPastDue), cmp.Compare(b.Due.Units, a.Due.Units))
	})
	return append([]Line{}, lines...), err
}
