package settlement

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// AbandonSettlement gives back to the scheme's account what no chunk has settled.
// What chunks have settled stays; the sale is then settled for the others.
type AbandonSettlement struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Sale    tape.ID        `json:"sale"`
}

// Job is the tape's command.
func (c AbandonSettlement) Job(s Settlement) tape.CloseJob {
	return tape.CloseJob{Abandon: true, Account: c.Account, ID: c.ID, Job: s.Job}
}

// Abandon judges the command; job is the settlement's, given up, ran are its chunks
// that have run. That maker and checker signed over the job's amount is judged by
// the caller against the policy. The sale of which nothing was paid is open as
// before, and may be corrected; of any other the money waits for its households.
func (s Settlement) Abandon(c AbandonSettlement, scheme group.Scheme, sale harvest.Sale, job tape.Job, ran []tape.Chunk, waiting *Waiting, ctx tape.Context) (Settlement, harvest.Sale, *Waiting, tape.Entry, error) {
	refuse := func(err error) (Settlement, harvest.Sale, *Waiting, tape.Entry, error) {
		return s, sale, nil, tape.Entry{}, err
	}
	if err := rule.First(governs(scheme, ctx), s.runs()); err != nil {
		return refuse(err)
	}
	units := job.Left.Total()
	if units == 0 {
		return refuse(rule.Field("sale", rule.Refuse(rule.WrongState, "nothing of %s is left to pay; run the chunks that are left and close its settlement", c.Sale)))
	}
	entry := ctx.Entry(c.ID, "abandon-settlement", string(c.Account))
	done := func(n int32) bool {
		return slices.ContainsFunc(ran, func(chunk tape.Chunk) bool { return chunk.N == n })
	}
	next := s
	next.Left = nil
	for i, part := range s.parts() {
		if done(s.first() + int32(i)) {
			continue
		}
		var err error
		if next.Left, err = next.Left.Add(part); err != nil {
			return refuse(err)
		}
	}
	if done(0) {
		next.Costs = nil // unless chunk 0 is of households, when there are none
	}
	next.State, next.Paid, next.Earlier = Abandoned, s.Paid || len(ran) > 0, append(slices.Clone(s.Earlier), s.Job)
	next.At, next.Entry = ctx.At, entry.Reference()
	if !next.Paid {
		return next, sale.Reopen(), nil, entry, nil
	}
	after := waiting.add(units, entry)
	return next, sale, &after, entry, nil
}

// PayAgain orders a payout again that came back: the bank returned it, or it was
// not paid in its time. What the household has come to owe meanwhile is paid first.
type PayAgain struct {
	Account tape.AccountID `json:"account"`
	Expires tape.Instant   `json:"expires"`
	Hold    tape.ID        `json:"hold"`
	// ID is the entry's, and begins the name of the new payout.
	ID tape.ID `json:"id"`
	// Page is the one of the sale's on which the household stands; 0 where the payout is no household's own.
	Page int32   `json:"page"`
	Sale tape.ID `json:"sale"`
}

// CameBack is what a PayAgain reads.
type CameBack struct {
	Hold tape.Hold
	// Of is AgainKey of the hold, nil while nothing of it was ordered again.
	Of *Again
	// Page and Known are empty where the payout is not Own.
	Page harvest.Page
	// Known is what the ledger knows of the household.
	Known   Known
	Calls   Calls
	Waiting *Waiting
}

// Comes is what waits once something of payouts of a settlement has come back, nil
// where nothing did; after stand in the order of before.
func (w *Waiting) Comes(before, after []tape.Hold, entry tape.Entry) *Waiting {
	units := int64(0)
	for i, hold := range after {
		if tape.JobOf(hold.ID) != "" { // a gift's refund is no payout of a settlement
			units += hold.Back() - before[i].Back()
		}
	}
	if units == 0 {
		return nil
	}
	next := w.add(units, entry)
	return &next
}

// Own reports whether the payout is the household's own money: what pays costs, or
// another who is owed by the household, is paid again whole.
func (c CameBack) Own() bool {
	return c.Hold.OnBehalfOf == "" && strings.HasPrefix(string(c.Hold.To), "outside:"+tape.Household+":")
}

// Whose is the household of the page that a payout of its own was for.
func (c CameBack) Whose() (harvest.Share, error) {
	for _, share := range c.Page.Shares {
		if c.Hold.To == Outside(share.Household) {
			return share, nil
		}
	}
	return harvest.Share{}, rule.Field("page", rule.Refuse(rule.NotFound, "holds no household that payout %s was for", c.Hold.ID))
}

// Units are what of the payout came back and was not ordered again.
func (c CameBack) Units() int64 {
	if c.Of == nil {
		return c.Hold.Back()
	}
	return c.Hold.Back() - c.Of.Units
}

// root is the payout of a chunk that this one goes back to.
func (c CameBack) root() tape.ID {
	if c.Of != nil && c.Of.Of != "" {
		return c.Of.Of
	}
	return c.Hold.ID
}

// PaidAgain is what a payout becomes that came back.
type PaidAgain struct {
	// Job has one chunk, Settled.
	Job     tape.OpenJob
	Settled Settled
	// Before is the mark of the payout that came back, After that of each new one.
	Before, After Again
	Waiting       Waiting
}

// Again judges the command. That maker and checker signed over the
// amount is judged by the caller against the policy.
func (s Settlement) Again(c PayAgain, scheme group.Scheme, came CameBack, entry tape.Entry, ctx tape.Context) (PaidAgain, error) {
	refuse := func(err error) (PaidAgain, error) { return PaidAgain{}, err }
	if err := governs(scheme, ctx); err != nil {
		return refuse(err)
	}
	if job := tape.JobOf(came.root()); job != s.Job && !slices.Contains(s.Earlier, job) || job == "" {
		return refuse(rule.Field("hold", rule.Refuse(rule.Conflict, "%s is no payout of sale %s", c.Hold, c.Sale)))
	}
	units := came.Units()
	if units <= 0 {
		return refuse(rule.Field("hold", rule.Refuse(rule.WrongState, "%s is %s and nothing of it came back that was not ordered again", c.Hold, came.Hold.State)))
	}
	amount := money.New(units, came.Hold.Amount.Currency)
	settled, err := s.afresh(came, amount, entry)
	if err != nil {
		return refuse(err)
	}
	leaf, err := leafOf(0, []row{{string(came.Hold.To), amount.String()}}, units)
	if err != nil {
		return refuse(err)
	}
	root, total := merkle.Root([]merkle.Leaf{leaf})
	settled.Part = tape.Part{ID: c.ID, Job: c.ID, Leaf: leaf, Path: []merkle.Node{}, Lines: settled.Part.Lines, LinesMax: linesMax}
	before := Again{V: 1, Units: units, Entry: entry.Reference()}
	if came.Of != nil {
		before.Of, before.Units = came.Of.Of, came.Of.Units+units
	}
	job := tape.OpenJob{Account: c.Account, Amount: money.New(total, amount.Currency), Chunks: 1, Expires: c.Expires, ID: c.ID, Root: root}
	return PaidAgain{Job: job, Settled: settled, Before: before, After: Again{V: 1, Of: came.root(), Entry: entry.Reference()}, Waiting: came.Waiting.add(-units, entry)}, nil
}

// afresh works out what comes to whom. A household keeps the floor of its share,
// and what it chose to pay early was paid when it was settled.
func (s Settlement) afresh(came CameBack, amount money.Amount, entry tape.Entry) (Settled, error) {
	if !came.Own() {
		return Settled{Part: tape.Part{Lines: []tape.Payment{{Amount: amount, Line: "again", OnBehalfOf: came.Hold.OnBehalfOf, To: came.Hold.To}}}}, nil
	}
	share, err := came.Whose()
	if err != nil {
		return Settled{}, err
	}
	whole, err := s.shares(harvest.Shares{share})
	if err != nil {
		return Settled{}, err
	}
	s.Terms = s.Terms.Keeping(whole[0].Amount)
	s.Terms.Day = max(s.Terms.Day, entry.BusinessDate)
	came.Known.Prepayment = nil
	all, calls, err := s.pays([]waterfall.Share{{Amount: amount, Household: share.Household}}, []Known{came.Known}, came.Calls, entry)
	if err != nil {
		return Settled{}, err
	}
	one := all[0]
	return Settled{Part: tape.Part{Lines: slices.Concat(one.rest, one.owed, one.dues)}, Loans: one.loans, Calls: calls.changed(entry), Claims: one.claims}, nil
}
