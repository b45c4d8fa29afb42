package cooperative

import (
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Household is everything about one household in a scheme, on a day.
type Household struct {
	Member readmodel.Member `json:"member"`
	// Standing is where it stands across all schemes: its group, until when it is excluded.
	Standing group.Standing `json:"standing"`
	// Loans are its own in the scheme, Guarantees those of others that it guarantees and that are not over.
	Loans      []Line      `json:"loans"`
	Guarantees []Guarantee `json:"guarantees"`
	// Schedule is that of its running loan whose next instalment comes first; none without one.
	Schedule *Loan `json:"schedule,omitempty"`
	// Calls are guarantor calls that concern it and are not closed, in all schemes.
	Calls []Concern `json:"calls"`
	// Deliveries are the lots that it delivered.
	Deliveries []harvest.Lot `json:"deliveries"`
	// Shares are what became of its shares of sales that were settled.
	Shares []Share `json:"shares"`
	// Scores are those with each lender to which it consented, with every line of the sum.
	Scores []Score `json:"scores"`
	// Prepayment is what it chose that sales pay early; none for nothing.
	Prepayment *settlement.Prepayment `json:"prepayment,omitempty"`
}

// Guarantee is another's loan that a household guarantees.
type Guarantee struct {
	Line
	// PartsPerMillion is its share among the guarantors; 0 where all bear the same.
	PartsPerMillion int32 `json:"partsPerMillion"`
	// Consented is the entry by which it did; none while it is awaited.
	Consented string `json:"consented,omitempty"`
}

// Concern is what a call of guarantors means for one household.
type Concern struct {
	Call Call `json:"call"`
	// Role is debtor or guarantor.
	Role string `json:"role"`
	// Owes is what it owes the lender by the call; OwesOthers what it owes those
	// who paid in its place, Claims what these owe it.
	Owes       money.Amount `json:"owes"`
	OwesOthers []Owed       `json:"owesOthers"`
	Claims     []Owed       `json:"claims"`
}

// Score is a household's score and limit with one lender.
type Score struct {
	Lender string `json:"lender"`
	assessment.Standing
}

// Persons' households: HouseholdsOf lists those for which a person signs, in all schemes.
func HouseholdsOf(ctx context.Context, m *readmodel.Model, person tape.ID) ([]readmodel.Member, error) {
	found, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Member], error) {
		return m.Members(ctx, readmodel.MemberFilter{Person: person}, w)
	})
	return append([]readmodel.Member{}, found...), err
}

// HouseholdOf is one household of a scheme on a day.
func HouseholdOf(ctx context.Context, m *readmodel.Model, scheme, household tape.AccountID, day tape.Date) (Household, error) {
	s := Household{Loans: []Line{}, Guarantees: []Guarantee{}, Calls: []Concern{}, Deliveries: []harvest.Lot{}, Shares: []Share{}, Scores: []Score{}}
	record, err := m.Record(ctx, group.MemberKey(scheme, household))
	if err != nil {
		return s, err
	}
	member, err := readmodel.RecordOf[group.Member](ctx, m, record.Key)
	if err != nil {
		return s, err
	}
	s.Member = readmodel.Member{Member: member, Scheme: scheme, Block: record.Block}
	standing, err := optional[group.Standing](ctx, m, group.StandingKey(member.Fingerprint))
	if err != nil {
		return s, err
	}
	if standing != nil {
		s.Standing = *standing
	}
	for _, fill := range []func(context.Context, *readmodel.Model, tape.Date) error{s.debts, s.guarantees, s.calls, s.sales, s.scores} {
		if err := fill(ctx, m, day); err != nil {
			return s, err
		}
	}
	s.Prepayment, err = optional[settlement.Prepayment](ctx, m, settlement.PrepaymentKey(scheme, household))
	return s, err
}

// debts are its own loans.
func (s *Household) debts(ctx context.Context, m *readmodel.Model, day tape.Date) error {
	lines, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[Line], error) {
		return Loans(ctx, m, readmodel.LoanFilter{Scheme: s.Member.Scheme, Household: s.Member.Household}, day, w)
	})
	s.Loans = append(s.Loans, lines...)
	var first *Line
	for i, line := range s.Loans {
		if line.Next != nil && (first == nil || line.Next.Date < first.Next.Date) {
			first = &s.Loans[i]
		}
	}
	if err != nil || first == nil {
		return err
	}
	one, err := LoanOf(ctx, m, first.Scheme, first.Loan, day)
	s.Schedule = &one
	return err
}

// guarantees are the loans of others for which it stands.
func (s *Household) guarantees(ctx context.Context, m *readmodel.Model, day tape.Date) error {
	classes, err := loan.ClassesOn(day)
	if err != nil {
		return err
	}
	loans, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Loan], error) {
		return m.Loans(ctx, readmodel.LoanFilter{Guarantor: s.Member.Household}, w)
	})
	if err != nil {
		return err
	}
	for _, l := range loans {
		if over(l.State) {
			continue
		}
		line, err := lineOf(l.Loan, classes, day)
		if err != nil {
			return err
		}
		of := slices.IndexFunc(l.Guarantors, func(g loan.Guarantor) bool { return g.Household == s.Member.Household })
		g := l.Guarantors[of]
		s.Guarantees = append(s.Guarantees, Guarantee{line, g.PartsPerMillion, g.Entry})
	}
	return nil
}

func over(state loan.State) bool {
	return state == loan.Closed || state == loan.Refused || state == loan.Withdrawn
}

// calls are those that its debts name.
func (s *Household) calls(ctx context.Context, m *readmodel.Model, day tape.Date) error {
	debts, err := optional[loan.Debts](ctx, m, loan.DebtsKey(s.Member.Fingerprint))
	if err != nil || debts == nil {
		return err
	}
	for _, called := range debts.Calls {
		call, err := readmodel.RecordOf[recourse.Call](ctx, m, called.Call)
		if err != nil {
			return err
		}
		s.Calls = append(s.Calls, concernOf(call, called.Household, day))
	}
	return nil
}

func concernOf(call recourse.Call, household tape.AccountID, day tape.Date) Concern {
	lender, others := call.Owes(household)
	concern := Concern{Call: callOn(call, day), Role: "guarantor", Owes: amount(lender, call.Amount.Currency), OwesOthers: []Owed{}, Claims: []Owed{}}
	if household == call.Debtor {
		concern.Role, concern.Owes = "debtor", concern.Call.OpenAmount
	}
	for _, part := range others {
		concern.OwesOthers = append(concern.OwesOthers, Owed{part.Household, amount(part.Units, call.Amount.Currency)})
	}
	for _, clock := range concern.Call.Clocks {
		if clock.Household != household {
			continue
		}
		concern.Claims = append(concern.Claims, clock.Owed...)
		if clock.Borne.Units > 0 {
			concern.Claims = append(concern.Claims, Owed{call.Debtor, clock.Borne})
		}
	}
	return concern
}

// sales are its deliveries and its shares.
func (s *Household) sales(ctx context.Context, m *readmodel.Model, _ tape.Date) error {
	lots, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[harvest.Lot], error) {
		return m.Deliveries(ctx, s.Member.Household, w)
	})
	if err != nil {
		return err
	}
	s.Deliveries = append(s.Deliveries, lots...)
	settled, err := every[settlement.Settlement](ctx, m, "dividend/"+string(s.Member.Scheme)+"/")
	if err != nil {
		return err
	}
	for _, one := range settled {
		share, err := ShareOf(ctx, m, s.Member.Scheme, one.Sale, s.Member.Household)
		if err != nil {
			return err
		}
		if share != nil {
			s.Shares = append(s.Shares, *share)
		}
	}
	slices.SortStableFunc(s.Shares, func(a, b Share) int { return strings.Compare(string(a.Day), string(b.Day)) })
	return nil
}

// ShareOf is what became of a household's share of a sale; nil where it has none.
func ShareOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, sale tape.ID, household tape.AccountID) (*Share, error) {
	r, err := newReader(ctx, m, scheme, sale)
	if err != nil {
		return nil, err
	}
	page, err := r.pageOf(household)
	if err != nil || page < 0 {
		return nil, err
	}
	for n := range r.settlement.Chunks {
		if r.settlement.Page(n) != page {
			continue
		}
		_, shares, err := r.chunkFor(n, household)
		if err != nil || len(shares) > 0 {
			return first(shares), err
		}
	}
	return nil, nil
}

func first(shares []Share) *Share {
	if len(shares) == 0 {
		return nil
	}
	return &shares[0]
}

// scores are those with each lender.
func (s *Household) scores(ctx context.Context, m *readmodel.Model, _ tape.Date) error {
	prefix := assessment.Key(s.Member.Scheme, s.Member.Household, "")
	records, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Record], error) { return m.Records(ctx, prefix, w) })
	if err != nil {
		return err
	}
	for _, record := range records {
		standing, err := readmodel.RecordOf[assessment.Standing](ctx, m, record.Key)
		if err != nil {
			return err
		}
		s.Scores = append(s.Scores, Score{strings.TrimPrefix(record.Key, prefix), standing})
	}
	return nil
}
