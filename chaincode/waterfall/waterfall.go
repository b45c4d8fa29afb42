// Package waterfall shares out what a sale brought: first among the households
// that delivered, then, of each household's share, among those whom it owes. The
// dues come first, by rank; what is left is the household's. It is arithmetic that
// a bank officer can check on paper, and knows nothing of loans and groups.
package waterfall

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Rank says which dues are paid before which.
type Rank string

// The ranks, the first paid first. A guarantor who paid, and a pool that paid,
// take the lender's claim without harming the lender (Civil Code art. 700): so they come behind it.
const (
	// Overdue is bank debt whose day has passed.
	Overdue Rank = "overdue"
	// Window is an instalment that falls due on the day of settlement or in its window.
	Window Rank = "window"
	// Recourse is owed to guarantors who paid for the household.
	Recourse Rank = "recourse"
	// Pool is the part of a debt that passed to the compensation pool when it paid.
	Pool Rank = "pool"
	// Prepayment is what the household chose to pay before it is due.
	Prepayment Rank = "prepayment"
)

// Ranks lists them in the order in which they are paid.
func Ranks() []Rank { return []Rank{Overdue, Window, Recourse, Pool, Prepayment} }

// family tells bank debt, recourse and the pool's part apart: one debt is of one family.
func (r Rank) family() Rank {
	if r == Window || r == Prepayment {
		return Overdue
	}
	return r
}

// Million is the whole of a share in parts per million.
const Million = 1_000_000

// Limits of what one household brings into a settlement.
const (
	DebtsMax     = 64
	DuesMax      = 256
	CreditorsMax = 16
	WindowMax    = 366 // days
)

// Terms are what the scheme agreed about settlements, and the day of this one.
type Terms struct {
	Day tape.Date `json:"day"`
	// LivingFloor is what a household keeps of its share before its dues; zero for nothing.
	LivingFloor money.Amount `json:"livingFloor"`
	// LivingFloorPartsPerMillion is the same as a part of its share; the larger of both counts.
	LivingFloorPartsPerMillion int32 `json:"livingFloorPartsPerMillion"`
	// WindowDays is how many days after Day an instalment may fall due and be paid now; 0 for that day alone.
	WindowDays int32 `json:"windowDays"`
}

// Check refuses what is out of range.
func (t Terms) Check() error {
	return rule.First(rule.Field("day", t.Day.Check()), rule.Field("livingFloor", notNegative(t.LivingFloor, t.LivingFloor.Currency)),
		rule.Field("livingFloorPartsPerMillion", rule.Within(int64(t.LivingFloorPartsPerMillion), 0, Million)),
		rule.Field("windowDays", rule.Within(int64(t.WindowDays), 0, WindowMax)))
}

// Bank returns the rank of a bank's instalment that falls due on a day. What
// falls due behind the window is paid only where the household chose to.
func (t Terms) Bank(due tape.Date) Rank {
	switch {
	case due < t.Day:
		return Overdue
	case due <= t.Day.AddDays(int(t.WindowDays)):
		return Window
	}
	return Prepayment
}

// floor is what a household keeps of a share: the agreed amount or the agreed
// part, whichever is more, but never more than the share. The odd unit is the household's.
func (t Terms) floor(share int64) int64 {
	return min(share, max(roundedUp(share, t.LivingFloorPartsPerMillion), t.LivingFloor.Units))
}

// Keeping are the terms by which a household keeps of any part of a share what it keeps of the whole.
func (t Terms) Keeping(share money.Amount) Terms {
	t.LivingFloor, t.LivingFloorPartsPerMillion = money.New(t.floor(share.Units), share.Currency), 0
	return t
}

// roundedUp is so many parts per million of a total.
func roundedUp(total int64, partsPerMillion int32) int64 {
	units, remainder := money.Portion(total, int64(partsPerMillion), Million)
	if remainder > 0 {
		units++
	}
	return units
}

// Reference names a debt on the whole ledger by the key of its record, such as
// loan/<scheme>/<id>: two to five parts, of which the first is the kind.
type Reference string

const referenceMax = 256

// Check refuses every other spelling.
func (r Reference) Check() error {
	parts := strings.Split(string(r), "/")
	if len(r) > referenceMax || len(parts) < 2 || len(parts) > 5 || tape.CheckSegment(parts[0]) != nil {
		return rule.Refuse(rule.Invalid, "is not a debt; write the key of its record, as loan/<scheme>/<id>")
	}
	for _, part := range parts[1:] {
		if tape.ID(part).Check() != nil && tape.AccountID(part).Check() != nil {
			return rule.Refuse(rule.Invalid, "is not a debt; write the key of its record, as loan/<scheme>/<id>")
		}
	}
	return nil
}

// String spells the reference in a sentence; what is none is not repeated.
func (r Reference) String() string {
	if r.Check() != nil {
		return "(no debt)"
	}
	return string(r)
}

// Creditor is one of those to whom a debt is owed.
type Creditor struct {
	Account tape.AccountID `json:"account"`
	// Weight is its part of each payment, against the weights of the others; a sole creditor has 1.
	Weight int64 `json:"weight,string"`
}

// Debt is what a household owes by one contract.
type Debt struct {
	Creditors []Creditor `json:"creditors"`
	// Owed is all that it owes on the day of settlement, due or not.
	Owed      money.Amount `json:"owed"`
	Reference Reference    `json:"reference"`
}

// Due is a part of a debt that the share pays, by its rank.
type Due struct {
	Amount money.Amount `json:"amount"`
	// Date is when it falls due; of recourse and the pool's part, since when it is owed.
	Date tape.Date `json:"date"`
	Debt Reference `json:"debt"`
	Rank Rank      `json:"rank"`
}

// Position is one household with its share of a sale and all that it owes.
type Position struct {
	Debts     []Debt         `json:"debts"`
	Dues      []Due          `json:"dues"`
	Household tape.AccountID `json:"household"`
	Share     money.Amount   `json:"share"`
}

// Line is one payment of a household's share to one creditor.
type Line struct {
	Amount   money.Amount   `json:"amount"`
	Creditor tape.AccountID `json:"creditor"`
	Date     tape.Date      `json:"date"`
	Debt     Reference      `json:"debt"`
	Rank     Rank           `json:"rank"`
}

// Outcome is what becomes of one household's share: Share is the sum of all lines and Rest.
type Outcome struct {
	// Floor is what the dues may not touch.
	Floor     money.Amount   `json:"floor"`
	Household tape.AccountID `json:"household"`
	Lines     []Line         `json:"lines"`
	// Rest is the household's.
	Rest  money.Amount `json:"rest"`
	Share money.Amount `json:"share"`
}

// Apply pays a household's dues from its share: each rank in full before the
// next, no more than the share less the floor, the rest to the household.
func (t Terms) Apply(p Position) (Outcome, error) {
	if err := p.Check(t); err != nil {
		return Outcome{}, err
	}
	currency := p.Share.Currency
	floor := t.floor(p.Share.Units)
	available := p.Share.Units - floor
	dues := slices.Clone(p.Dues)
	slices.SortFunc(dues, inOrder)
	outcome := Outcome{Floor: money.New(floor, currency), Household: p.Household, Lines: []Line{}, Share: p.Share}
	for len(dues) > 0 {
		next := slices.IndexFunc(dues, func(d Due) bool { return d.Rank != dues[0].Rank })
		if next < 0 {
			next = len(dues)
		}
		paid, err := pay(dues[:next], available)
		if err != nil {
			return Outcome{}, err
		}
		for i, units := range paid {
			lines, err := p.lines(dues[i], units)
			if err != nil {
				return Outcome{}, err
			}
			outcome.Lines, available = append(outcome.Lines, lines...), available-units
		}
		dues = dues[next:]
	}
	outcome.Rest = money.New(floor+available, currency)
	return outcome, nil
}

// inOrder sorts dues by rank, then the oldest first, then by name: whatever order they come in.
func inOrder(a, b Due) int {
	if first, second := slices.Index(Ranks(), a.Rank), slices.Index(Ranks(), b.Rank); first != second {
		return first - second
	}
	if a.Date != b.Date {
		return strings.Compare(string(a.Date), string(b.Date))
	}
	return strings.Compare(string(a.Debt), string(b.Debt))
}

// pay shares what is available among the dues of one rank. Bank debt is paid the
// oldest first. Recourse, and the pool's part, are owed to several who are equal: where the money
// does not reach, each gets its part (Civil Code art. 519, 700; lending rules 4.4).
func pay(dues []Due, available int64) ([]int64, error) {
	amounts, total := make([]int64, len(dues)), int64(0)
	for i, due := range dues {
		amounts[i] = due.Amount.Units
		total += due.Amount.Units
	}
	if total <= available {
		return amounts, nil
	}
	if dues[0].Rank.family() != Overdue {
		return money.Split(available, amounts)
	}
	for i := range amounts {
		amounts[i] = min(amounts[i], available)
		available -= amounts[i]
	}
	return amounts, nil
}

// lines hands one payment on a debt to its creditors by their weights.
func (p Position) lines(due Due, units int64) ([]Line, error) {
	at := slices.IndexFunc(p.Debts, func(d Debt) bool { return d.Reference == due.Debt })
	creditors := slices.Clone(p.Debts[at].Creditors)
	slices.SortFunc(creditors, func(a, b Creditor) int { return strings.Compare(string(a.Account), string(b.Account)) })
	weights := make([]int64, len(creditors))
	for i, creditor := range creditors {
		weights[i] = creditor.Weight
	}
	shares, err := money.Split(units, weights)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for i, share := range shares {
		if share > 0 {
			lines = append(lines, Line{Amount: money.New(share, due.Amount.Currency), Creditor: creditors[i].Account, Date: due.Date, Debt: due.Debt, Rank: due.Rank})
		}
	}
	return lines, nil
}
