// Package pool is a county's compensation pool: by contract it bears a part of
// what a lender has lost on a loan, the less the worse the lender's book is.
//
// A rule here is a function of records, a command and a context. It returns
// what becomes, and one entry, or a refusal. It knows nothing of loans: what a
// claim must know of one comes as plain figures, Loan. Money moves on the tape.
// README.md lists keys, commands, refusals and entries.
package pool

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Subject is what a pool's account says that only these rules spend.
const Subject = "pool"

// Limits of the records.
const (
	TiersMax    = 16
	EvidenceMax = 8
)

// PoolKey is where a Pool stands, by its account.
func PoolKey(account tape.AccountID) string { return "pool/" + string(account) }

// TermsKey is where version n of a pool's TermsRecord stands.
func TermsKey(account tape.AccountID, n int32) string {
	return "poolterms/" + string(account) + "/" + number(n)
}

// LenderKey is where the Lender of a pool stands.
func LenderKey(account tape.AccountID, lender string) string {
	return "poollender/" + string(account) + "/" + lender
}

// SnapshotKey is where a lender's Snapshot of a quarter's last day stands.
func SnapshotKey(account tape.AccountID, lender string, quarter tape.Date) string {
	return "snapshot/" + string(account) + "/" + lender + "/" + string(quarter)
}

// ConsentKey is where the pool's Consent to one loan of a lender stands.
func ConsentKey(account tape.AccountID, lender string, scheme tape.AccountID, loan tape.ID) string {
	return "poolconsent/" + string(account) + "/" + lender + "/" + string(scheme) + "/" + string(loan)
}

// ClaimKey is where a Claim stands.
func ClaimKey(account tape.AccountID, claim tape.ID) string {
	return "poolclaim/" + string(account) + "/" + string(claim)
}

// ClaimedKey is where a lender's last claim for a loan is noted, whichever pool it
// was of. Of those who lend together each claims for its own part.
func ClaimedKey(scheme tape.AccountID, loan tape.ID, lender string) string {
	return "claimed/" + string(scheme) + "/" + string(loan) + "/" + lender
}

// CountedKey exists once a payment was counted for a claim: it counts for no other
// of that lender's. Of those who lend together each shares its own part of it.
func CountedKey(account tape.AccountID, lender, payment string) string {
	return "poolcounted/" + string(account) + "/" + lender + "/" + payment
}

// PromisedKey is where a pool's Promised stands.
func PromisedKey(account tape.AccountID) string { return "poolpromised/" + string(account) }

// Pool is who keeps a pool, and the version of its terms.
type Pool struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	// Keeper is the organisation that decides about claims and spends the account.
	Keeper   string         `json:"keeper"`
	Currency money.Currency `json:"currency"`
	// Version counts the terms; a lender is bound by those that it accepted.
	Version int32        `json:"version"`
	At      tape.Instant `json:"at"`
	Entry   string       `json:"entry"`
}

// TermsRecord is one version of a pool's terms. It is never rewritten.
type TermsRecord struct {
	V     int32  `json:"v"`
	N     int32  `json:"n"`
	Terms Terms  `json:"terms"`
	Entry string `json:"entry"`
}

// Terms are what a pool offers. Every threshold is here, and none in the rules.
type Terms struct {
	// Agreement is the hash of the contract's text.
	Agreement merkle.Hash `json:"agreement"`
	// AnnualPartsPerMillion of the pool's balance at the year's first claim is the most a lender gets in a year.
	AnnualPartsPerMillion int32 `json:"annualPartsPerMillion"`
	// ClassMin is the mildest class of a loan that is compensated, DaysMin the
	// days past due that it must exceed.
	ClassMin string `json:"classMin"`
	DaysMin  int32  `json:"daysMin"`
	// InterestDays is until which day past due interest is compensated.
	InterestDays int32 `json:"interestDays"`
	// LoanMax is the most for one loan.
	LoanMax money.Amount `json:"loanMax"`
	// Nature is compensation, and nothing else: see Check.
	Nature string `json:"nature"`
	// ResumeBasisPoints, in ResumeQuarters one after another, end a suspension.
	ResumeBasisPoints int32 `json:"resumeBasisPoints"`
	ResumeQuarters    int32 `json:"resumeQuarters"`
	// Tiers ascend; above the last a lender is suspended.
	Tiers []Tier `json:"tiers"`
}

// Tier is what a lender with a ratio of non-performing loans gets.
type Tier struct {
	// Consent says that new loans need the pool's.
	Consent bool `json:"consent,omitempty"`
	// RatioPartsPerMillion of what is eligible is paid.
	RatioPartsPerMillion int32 `json:"ratioPartsPerMillion"`
	// ToBasisPoints is the last ratio of this tier, inclusive.
	ToBasisPoints int32 `json:"toBasisPoints"`
}

// Lender is a lender's contract with a pool.
type Lender struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	Lender  string         `json:"lender"`
	// Accepted are the versions of the terms that it accepted, the oldest first:
	// each is for loans contracted from its day on.
	Accepted []Accepted `json:"accepted"`
	// Quarter is the last frozen one, none before the first.
	Quarter tape.Date `json:"quarter,omitempty"`
	// Suspended lenders get nothing; Good counts the quarters in a row that may end it.
	Suspended bool  `json:"suspended,omitempty"`
	Good      int32 `json:"good,omitempty"`
	// Year is that of Base, the pool's balance at the first claim approved in it,
	// and Used, what was approved since, in minor units.
	Year  string       `json:"year,omitempty"`
	Base  int64        `json:"base,omitempty,string"`
	Used  int64        `json:"used,omitempty,string"`
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Accepted is a version of the terms that a lender accepted.
type Accepted struct {
	N     int32     `json:"n"`
	From  tape.Date `json:"from"`
	Entry string    `json:"entry"`
}

// Figures of a lender's book at a quarter's end, in minor units.
type Figures struct {
	// Gross is the principal of all its loans that are not written off,
	// NonPerforming that of those of the classes substandard and worse,
	// WrittenOff what it wrote off in the twelve months before.
	Gross         int64 `json:"gross,string"`
	NonPerforming int64 `json:"nonPerforming,string"`
	WrittenOff    int64 `json:"writtenOff,string"`
}

// Snapshot is a lender's book at a quarter's end, frozen.
type Snapshot struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	Lender  string         `json:"lender"`
	// Quarter is its last day.
	Quarter tape.Date `json:"quarter"`
	Figures
	// BasisPoints are the non-performing ones, with what was written off added back.
	BasisPoints int32 `json:"basisPoints"`
	// Suspended is whether the lender was, by this quarter and those before.
	Suspended bool   `json:"suspended,omitempty"`
	Entry     string `json:"entry"`
}

// Consent is the pool's to one new loan of a lender that needs it.
type Consent struct {
	V      int32  `json:"v"`
	Lender string `json:"lender"`
	Entry  string `json:"entry"`
}

// State is where a claim stands.
type State string

// A claim is submitted by the lender, verified by the cooperative, reviewed and
// approved by the pool, then paid; what comes in later is shared until it is
// closed. A returned one can be submitted again, a rejected one cannot.
const (
	Submitted State = "submitted"
	Verified  State = "verified"
	Review    State = "review"
	Approved  State = "approved"
	Paid      State = "paid"
	Sharing   State = "sharing"
	Closed    State = "closed"
	Returned  State = "returned"
	Rejected  State = "rejected"
)

// Claim asks a pool for a part of the loss on one loan. Amounts are in minor units.
type Claim struct {
	V           int32          `json:"v"`
	Account     tape.AccountID `json:"account"`
	ID          tape.ID        `json:"id"`
	Lender      string         `json:"lender"`
	Cooperative string         `json:"cooperative"`
	Scheme      tape.AccountID `json:"scheme"`
	Loan        tape.ID        `json:"loan"`
	State       State          `json:"state"`
	// Defaulted is the day of the default that it is for: the loan may be in another later.
	Defaulted tape.Date `json:"defaulted"`
	// Terms is the version that the loan was contracted under.
	Terms int32 `json:"terms"`
	// Evidence are the documents of collection and recovery.
	Evidence []Citation `json:"evidence"`
	// Eligible is the lender's loss, by the figures of the last change before payment.
	Eligible int64 `json:"eligible,string"`
	// Quarter is the snapshot that counts, RatioPartsPerMillion what it gives.
	Quarter              tape.Date `json:"quarter"`
	RatioPartsPerMillion int32     `json:"ratioPartsPerMillion"`
	// Compensation was approved, in Year of the lender's cap; none before.
	Compensation int64  `json:"compensation,omitempty,string"`
	Year         string `json:"year,omitempty"`
	// Reviewer of the pool prepared the decision and is not the only one to sign it.
	Reviewer tape.ID `json:"reviewer,omitempty"`
	// Reason is why it was returned, rejected or closed.
	Reason string `json:"reason,omitempty"`
	// PaidAt is when the pool paid: only what came on the loan since is shared.
	PaidAt tape.Instant `json:"paidAt,omitempty"`
	// Before is what guarantors and debtor had paid when the pool did; Cost and
	// Net are what came in since. ToPool is what the pool got of Net, Waits what of its
	// part it did not get yet: a sale pays lender and guarantors first.
	Before int64        `json:"before,omitempty,string"`
	Cost   int64        `json:"cost,omitempty,string"`
	Net    int64        `json:"net,omitempty,string"`
	ToPool int64        `json:"toPool,omitempty,string"`
	Waits  int64        `json:"waits,omitempty,string"`
	At     tape.Instant `json:"at"`
	Entry  string       `json:"entry"`
}

// Claimed notes the last claim for a loan.
type Claimed struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	Claim   tape.ID        `json:"claim"`
	Entry   string         `json:"entry"`
}

// Promised is what of a pool's account approved claims wait for, in minor units:
// no other claim is promised it.
type Promised struct {
	V     int32  `json:"v"`
	Units int64  `json:"units,string"`
	Entry string `json:"entry"`
}

// Counted notes that a payment was counted for a claim.
type Counted struct {
	V     int32   `json:"v"`
	Claim tape.ID `json:"claim"`
	Entry string  `json:"entry"`
}

// Citation names a document by its salted hash; the original is encrypted elsewhere.
type Citation struct {
	Hash merkle.Hash `json:"hash"`
	// Kind is one of CitationKinds.
	Kind string `json:"kind"`
}

// CitationKinds are the words for what shows that a lender tried to recover.
func CitationKinds() []string {
	return []string{"demand", "visit", "lawsuit", "enforcement", "collateral", "agreement", "other"}
}

// Loan is what a claim must know of a loan, or of its lender's part of one that
// several lend together. Amounts are in minor units.
type Loan struct {
	Scheme              tape.AccountID
	Loan                tape.ID
	Lender, Cooperative string
	// Account is what the lender has lent from, and gets what comes back.
	Account  tape.AccountID
	Currency money.Currency
	// Contracted is the day of its contract, Defaulted that on which it was in
	// default by its scheme.
	Contracted, Defaulted tape.Date
	Class                 string
	DaysPastDue           int32
	// Principal was unpaid on the day of default; Interest is what was due until
	// the day of the terms' InterestDays.
	Principal, Interest int64
	// Guaranteed is what guarantors have paid since, Recovered what else came in.
	Guaranteed, Recovered int64
	// Owed is all that the debtor ever owed on it since the default, with what
	// was added after InterestDays and before any payment.
	Owed int64
	// Called is the guarantor call, none without one; CuredUntil the last day of its cure periods.
	Called     string
	CuredUntil tape.Date
}

// Payment is what the lender got of one payment on the loan.
type Payment struct {
	// Source names it: the entry that brought it to the loan and which payment of
	// that entry it is, organisation/entry/index.
	Source string
	Amount money.Amount
	// At is when that entry was made.
	At tape.Instant
	// Counted is CountedKey of its source; nil while it was counted for nothing.
	Counted *Counted
}

// Classes of a loan, the mildest first.
func Classes() []string {
	return []string{"standard", "special-mention", "substandard", "doubtful", "loss"}
}

// Eligible is what of a loan the lender has lost, 0 when it has lost nothing.
func (l Loan) Eligible() int64 {
	return max(0, l.Principal+l.Interest-l.Guaranteed-l.Recovered)
}

// check refuses figures that contradict themselves.
func (l Loan) check(currency money.Currency) error {
	if l.Currency != currency {
		return rule.Refuse(rule.Conflict, "loan %s is of %s, the pool of %s", l.Loan, l.Currency, currency)
	}
	if err := rule.First(l.Contracted.Check(), l.Defaulted.Check()); err != nil {
		return rule.Refuse(rule.WrongState, "loan %s was contracted on %q and in default on %q", l.Loan, l.Contracted, l.Defaulted)
	}
	for _, units := range []int64{l.Principal, l.Interest, l.Guaranteed, l.Recovered, l.Owed} {
		if units < 0 || units > money.Max {
			return rule.Refuse(rule.Conflict, "a figure of loan %s is %d minor units", l.Loan, units)
		}
	}
	if _, err := money.Sum(l.Principal, l.Interest, l.Guaranteed, l.Recovered); err != nil {
		return err
	}
	if l.Principal+l.Interest > l.Owed || l.Guaranteed+l.Recovered > l.Owed {
		return rule.Refuse(rule.Conflict, "of loan %s %d were owed; principal and interest were %d, and %d were paid", l.Loan, l.Owed, l.Principal+l.Interest, l.Guaranteed+l.Recovered)
	}
	return nil
}
