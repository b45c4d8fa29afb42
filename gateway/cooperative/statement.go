package cooperative

import (
	"cmp"
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Statement is what happened between a household and the scheme in a period.
type Statement struct {
	Scheme    tape.AccountID `json:"scheme"`
	Household tape.AccountID `json:"household"`
	From      tape.Date      `json:"from"`
	To        tape.Date      `json:"to"`
	// Loans are its own of which anything stood or moved.
	Loans []LoanStatement `json:"loans"`
	// Deliveries are the lots that it delivered in the period, Shares its shares of sales settled in it.
	Deliveries []harvest.Lot `json:"deliveries"`
	Shares     []Share       `json:"shares"`
}

// LoanStatement is what a loan came to: Opening, and each line, are Closing. What
// is owed counts above zero, what the lender owes to the household below.
type LoanStatement struct {
	Loan tape.ID `json:"loan"`
	// Since is the day behind which it begins: that before the period, or the one on which terms were changed.
	Since   tape.Date       `json:"since"`
	Opening money.Amount    `json:"opening"`
	Lines   []StatementLine `json:"lines"`
	Closing money.Amount    `json:"closing"`
}

// StatementLine is one thing that changed what is owed.
type StatementLine struct {
	Date tape.Date `json:"date"`
	// Kind is lent, paid, or charged: interest, late charges and costs up to that day, in one sum.
	Kind   string       `json:"kind"`
	Amount money.Amount `json:"amount"`
	// By is who paid, when it was not the household; Entry brought it.
	By    string `json:"by,omitempty"`
	Entry string `json:"entry,omitempty"`
}

// StatementOf is a household's statement from one civil day to another, both counted in.
func StatementOf(ctx context.Context, m *readmodel.Model, scheme, household tape.AccountID, from, to tape.Date) (Statement, error) {
	s := Statement{Scheme: scheme, Household: household, From: from, To: to, Loans: []LoanStatement{}, Deliveries: []harvest.Lot{}, Shares: []Share{}}
	if err := checkPeriod(from, to); err != nil {
		return s, err
	}
	if _, err := m.Record(ctx, group.MemberKey(scheme, household)); err != nil {
		return s, err
	}
	loans, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Loan], error) {
		return m.Loans(ctx, readmodel.LoanFilter{Scheme: scheme, Household: household}, w)
	})
	if err != nil {
		return s, err
	}
	for _, l := range loans {
		one, err := statementOf(l.Loan, from, to)
		if err != nil {
			return s, err
		}
		if one != nil {
			s.Loans = append(s.Loans, *one)
		}
	}
	return s, s.sales(ctx, m)
}

// statementOf is one loan's part; nil where nothing stood and nothing moved.
func statementOf(l loan.Loan, from, to tape.Date) (*LoanStatement, error) {
	if len(l.Book.Advances) == 0 || to < l.Book.Advances[0].Date {
		return nil, nil
	}
	s := LoanStatement{Loan: l.ID, Since: from.AddDays(-1), Opening: amount(0, l.Principal.Currency), Closing: amount(0, l.Principal.Currency), Lines: []StatementLine{}}
	if before(l, s.Since) {
		s.Since = l.Book.Advances[0].Date
	}
	var err error
	if s.Opening.Units, err = stands(l, s.Since); err != nil {
		return nil, err
	}
	if s.Closing.Units, err = stands(l, to); err != nil {
		return nil, err
	}
	s.tell(l, to)
	if s.Opening.Units == 0 && len(s.Lines) == 0 {
		return nil, nil
	}
	return &s, nil
}

// tell lists what was lent and paid, and what the rest of the change was: interest and charges.
func (s *LoanStatement) tell(l loan.Loan, to tape.Date) {
	left := s.Closing.Units - s.Opening.Units
	for _, a := range l.Book.Advances {
		if a.Date > s.Since && a.Date <= to {
			s.Lines, left = append(s.Lines, StatementLine{Date: a.Date, Kind: "lent", Amount: a.Amount}), left-a.Amount.Units
		}
	}
	for _, p := range l.Book.Payments {
		if p.Date > s.Since && p.Date <= to {
			s.Lines = append(s.Lines, StatementLine{Date: p.Date, Kind: "paid", Amount: amount(-p.Amount.Units, p.Amount.Currency), By: p.By, Entry: p.Entry})
			left += p.Amount.Units
		}
	}
	slices.SortStableFunc(s.Lines, func(a, b StatementLine) int { return cmp.Compare(a.Date, b.Date) })
	if left != 0 {
		s.Lines = append(s.Lines, StatementLine{Date: to, Kind: "charged", Amount: amount(left, l.Principal.Currency)})
	}
}

// stands is all that is owed on a day by what was paid until then: what was paid
// for instalments to come counts on their days.
func stands(l loan.Loan, day tape.Date) (int64, error) {
	owed, err := l.Owed(day)
	units := owed.Principal + owed.Accrued - owed.Over
	for _, due := range owed.Dues {
		units += due.Costs + due.Late + due.Interest
	}
	return units, err
}

// sales are what it delivered, and its shares.
func (s *Statement) sales(ctx context.Context, m *readmodel.Model) error {
	zone, err := disclosure.Zone(ctx, m)
	if err != nil {
		return err
	}
	h := Household{Member: readmodel.Member{Scheme: s.Scheme}}
	h.Member.Household = s.Household
	if err := h.sales(ctx, m, s.To); err != nil {
		return err
	}
	for _, lot := range h.Deliveries {
		day, err := zone.Date(lot.Delivery.At)
		if err != nil {
			return err
		}
		if day >= s.From && day <= s.To {
			s.Deliveries = append(s.Deliveries, lot)
		}
	}
	for _, share := range h.Shares {
		if share.Day >= s.From && share.Day <= s.To {
			s.Shares = append(s.Shares, share)
		}
	}
	return nil
}
