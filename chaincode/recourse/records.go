// Package recourse is what follows when a borrower does not pay: a lender calls
// those who guarantee the loan together, and whoever pays may recover from the
// borrower and from the others.
//
// A rule here is a function of records, a command and a context. It returns
// what becomes, and one entry, or a refusal. It knows nothing of loans: what a
// call must know of one comes as plain figures, Debt. Money moves on the tape;
// a payment that counts here is one that the tape shows. README.md lists keys,
// commands, refusals and entries.
package recourse

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of a call: a group has five households, and may take over another's debts.
const (
	GuarantorsMax  = 16
	InstalmentsMax = 120
	EvidenceMax    = 8
)

// CallKey is where a Call stands.
func CallKey(scheme tape.AccountID, loan, id tape.ID) string {
	return "call/" + string(scheme) + "/" + string(loan) + "/" + string(id)
}

// LastCallKey is where the LastCall of a loan stands.
func LastCallKey(scheme tape.AccountID, loan tape.ID) string {
	return "lastcall/" + string(scheme) + "/" + string(loan)
}

// CountedKey exists once a payment was counted for a call: it counts for no other.
// A payment is named by what the tape calls a source, organisation/entry/index.
func CountedKey(scheme tape.AccountID, payment string) string {
	return "counted/" + string(scheme) + "/" + payment
}

// State is where a call stands.
type State string

// A call is open while the lender asks for something, met while guarantors are
// without what they paid, and closed when nobody is.
const (
	Open   State = "open"
	Met    State = "met"
	Closed State = "closed"
)

// Call is what a lender asks of all who guarantee a loan together.
type Call struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	Loan   tape.ID        `json:"loan"`
	ID     tape.ID        `json:"id"`
	// Lender called, for all who lend together: CoLenders are the others. Debtor is the borrower's household.
	Lender      string         `json:"lender"`
	CoLenders   []string       `json:"coLenders,omitempty"`
	Cooperative string         `json:"cooperative"`
	Debtor      tape.AccountID `json:"debtor"`
	// Amount is what was called, of the instalments with these numbers.
	Amount      money.Amount `json:"amount"`
	Instalments []int32      `json:"instalments"`
	Date        tape.Date    `json:"date"`
	// CureDays is how long each guarantor has to pay what it is asked.
	CureDays   int32       `json:"cureDays"`
	Guarantors []Guarantor `json:"guarantors"`
	// Lowered is what the debtor has paid the lender of it since, Withdrawn what
	// the lender asks no more, both in minor units.
	Lowered   int64 `json:"lowered,omitempty,string"`
	Withdrawn int64 `json:"withdrawn,omitempty,string"`
	State     State `json:"state"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Guarantor is one who was called. Amounts are in minor units.
type Guarantor struct {
	Household tape.AccountID `json:"household"`
	// Share are the parts that were agreed, 1 for each where none were.
	Share int32 `json:"share"`
	// Max is the most that it owes by this call.
	Max int64 `json:"max,string"`
	// Last is the last day of its guarantee period for the oldest instalment called.
	Last tape.Date `json:"last"`
	// Until is the last day of its cure period; SpreadUntil that for what it is
	// asked in another's place, none while nothing was.
	Until       tape.Date `json:"until"`
	SpreadUntil tape.Date `json:"spreadUntil,omitempty"`
	// Paid is what it has paid the lender, Given what it has paid co-guarantors,
	// Got what these have paid it, Returned what came back to it from the debtor.
	Paid     int64 `json:"paid,string"`
	Given    int64 `json:"given,omitempty,string"`
	Got      int64 `json:"got,omitempty,string"`
	Returned int64 `json:"returned,omitempty,string"`
	// Late is the entry that asked the others for what it had not paid.
	Late string `json:"late,omitempty"`
	// Unable is the evidence that it cannot pay; none while it can.
	Unable *Unable `json:"unable,omitempty"`
	// Released is what the lender released it from.
	Released *Released `json:"released,omitempty"`
}

// Unable says on what it rests that a guarantor cannot pay.
type Unable struct {
	Evidence []Citation `json:"evidence"`
	Entry    string     `json:"entry"`
}

// Released is the part that a guarantor owes the lender no more, nor do the others in its place.
type Released struct {
	Units int64  `json:"units,string"`
	Entry string `json:"entry"`
}

// Citation names a document by its salted hash; the original is encrypted elsewhere.
type Citation struct {
	Hash merkle.Hash `json:"hash"`
	// Kind is one of CitationKinds.
	Kind string `json:"kind"`
}

// CitationKinds are the words for what shows that somebody cannot pay.
func CitationKinds() []string {
	return []string{"bankruptcy", "enforcement-ended", "death", "missing", "other"}
}

// LastCall notes the last call of a loan: a loan has one open call at most.
type LastCall struct {
	V     int32   `json:"v"`
	Call  tape.ID `json:"call"`
	Entry string  `json:"entry"`
}

// Counted notes that a payment was counted for a call.
type Counted struct {
	V     int32   `json:"v"`
	Call  tape.ID `json:"call"`
	Entry string  `json:"entry"`
}

// Debt is what a call must know of a loan.
type Debt struct {
	Scheme              tape.AccountID
	Loan                tape.ID
	Lender, Cooperative string
	// CoLenders are the others who lend together; the figures are of all of them.
	CoLenders   []string
	Debtor      tape.AccountID
	Currency    money.Currency
	DaysPastDue int32
	// Overdue are the instalments of which something is unpaid after its due
	// date. Dates are those that the guarantors signed: an extension without
	// their consent does not move their period, nor does a heavier debt bind them (art. 695).
	Overdue []Instalment
	// Guarantors are all whom the agreement binds for this loan: who joined the
	// group later is not among them.
	Guarantors []Bound
	Notices    []Notice
	// StayedUntil is the last day of a declared disaster's stay, none without one.
	StayedUntil tape.Date
	// Refinances is the loan that this one repaid, none if it did not.
	Refinances tape.ID
	WrittenOff bool
}

// Instalment is an overdue one; of charges that belong to none N is 0, and Due
// the day of the oldest.
type Instalment struct {
	N   int32
	Due tape.Date
	// Unpaid is principal, interest and charges, in minor units.
	Unpaid int64
}

// Bound is a household that guarantees the loan.
type Bound struct {
	Household tape.AccountID
	// Share are its agreed parts, 0 for all where none are agreed.
	Share int32
	// Left is what is left of the most that it guarantees in the agreement's period (art. 690).
	Left money.Amount
	// Months is its guarantee period after each due date.
	Months int32
	// Knew says, of a loan that repaid another, that it guaranteed that one too
	// or signed that it knew.
	Knew bool
}

// Notice is one that was recorded.
type Notice struct {
	Household tape.AccountID
	// Day is the day past due that it was for.
	Day int32
}

// Terms are a scheme's, of the version that the loan was signed under.
type Terms struct {
	// DefaultDays past due must be exceeded, CureDays pass after a call.
	DefaultDays, CureDays int32
	// NoticeDays are the days past due for which the debtor and every guarantor get notice.
	NoticeDays []int32
}

// Payment is money that the tape shows.
type Payment struct {
	// Source is the tape's name of it, organisation/entry/index.
	Source string
	// From is whose money it is (of a posting on somebody's behalf, that
	// somebody), To whose account it reached.
	From, To tape.AccountID
	Amount   money.Amount
	// Counted is CountedKey of its source; nil while it was counted for nothing.
	Counted *Counted
}

// Part is what one household gets, in minor units.
type Part struct {
	Household tape.AccountID
	Units     int64
}

// member is a guarantor as arithmetic sees it.
func (g Guarantor) member() member {
	return member{weight: int64(g.Share), most: g.Max, borne: g.Borne(), ends: g.Unable != nil || g.Released != nil, late: g.Late != ""}
}

// Borne is what a guarantor is without, and may claim from the debtor (art. 700).
func (g Guarantor) Borne() int64 { return g.Paid + g.Given - g.Got - g.Returned }

func (c Call) members() []member {
	members := make([]member, len(c.Guarantors))
	for i, g := range c.Guarantors {
		members[i] = g.member()
	}
	return members
}

// Open is what the lender still asks of all together, in minor units: what it
// called, less what it was paid, withdrew or released.
func (c Call) Open() int64 {
	open := c.Amount.Units - c.Lowered - c.Withdrawn
	for _, g := range c.Guarantors {
		open -= g.Paid + g.released()
	}
	return open
}

func (g Guarantor) released() int64 {
	if g.Released == nil {
		return 0
	}
	return g.Released.Units
}

// Borne is what all guarantors together are without.
func (c Call) Borne() int64 {
	borne := int64(0)
	for _, g := range c.Guarantors {
		borne += g.Borne()
	}
	return borne
}

// positions are where the guarantors stand, in their order: they bear together
// what they are without and what the lender still asks.
func (c Call) positions() []position { return positions(c.Open()+c.Borne(), c.members()) }

// Stand is where a guarantor stands, in minor units.
type Stand struct {
	Household tape.AccountID
	// Share is what it bears in the end, Borne what it is without now.
	Share, Borne int64
	// Asked is what the lender asks of it for its own part until Until, Spread
	// in the place of others until SpreadUntil.
	Asked, Spread int64
	// Owed is what each co-guarantor owes it.
	Owed []Part
}

// Stands is where everybody stands, by the rules and not by what was written down.
func (c Call) Stands() []Stand {
	stands := make([]Stand, len(c.Guarantors))
	for i, of := range c.positions() {
		stands[i] = Stand{Household: c.Guarantors[i].Household, Share: of.share, Borne: c.Guarantors[i].Borne(), Asked: of.asked, Spread: of.spread}
		for j, units := range of.owed {
			if units > 0 {
				stands[i].Owed = append(stands[i].Owed, Part{c.Guarantors[j].Household, units})
			}
		}
	}
	return stands
}

// Owes is what a household owes by the call: to the lender, and to each
// co-guarantor; of the debtor, to all who paid in its place.
func (c Call) Owes(household tape.AccountID) (lender int64, others []Part) {
	for _, stand := range c.Stands() {
		if stand.Household == household {
			lender = stand.Asked + stand.Spread
		}
		for _, owed := range stand.Owed {
			if owed.Household == household {
				others = append(others, Part{stand.Household, owed.Units})
			}
		}
		if household == c.Debtor && stand.Borne > 0 {
			others = append(others, Part{stand.Household, stand.Borne})
		}
	}
	return lender, others
}

// Guarantor is the household called that an account is, on the ledger or outside it; empty for who was not called.
func (c Call) Guarantor(account tape.AccountID) tape.AccountID {
	for _, g := range c.Guarantors {
		if sameHousehold(account, g.Household) {
			return g.Household
		}
	}
	return ""
}

// index finds a guarantor, -1 for who is none.
func (c Call) index(household tape.AccountID) int {
	for i, g := range c.Guarantors {
		if g.Household == household {
			return i
		}
	}
	return -1
}
