// Package loan is what a household borrows: products that lenders offer in a
// scheme, applications that the group's guarantors consent to, contracts with
// their schedules, disbursement, repayment, days past due, and what becomes of a
// loan that is not repaid.
//
// A rule here is a function of records, a command and a context. It returns what
// becomes, and one entry, or a refusal. Arithmetic of schedules is in terms,
// groups in group; README.md lists keys, commands, refusals and entries.
package loan

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Subject is what a lender's account says that only the rules of loans spend.
const Subject = "loan"

// ProductKey is where version n of a product stands; it is never rewritten.
func ProductKey(scheme tape.AccountID, product tape.ID, n int32) string {
	return "product/" + string(scheme) + "/" + string(product) + "/" + decimal(n)
}

// OfferKey is where it stands which version of a product is offered.
func OfferKey(scheme tape.AccountID, product tape.ID) string {
	return "offer/" + string(scheme) + "/" + string(product)
}

// Key is where a Loan stands.
func Key(scheme tape.AccountID, id tape.ID) string {
	return "loan/" + string(scheme) + "/" + string(id)
}

// DebtsKey is where the open loans of a household stand, and those that it
// guarantees, by the fingerprint that it has in every scheme.
func DebtsKey(fingerprint string) string { return "debts/" + fingerprint }

// RepaidKey exists once a gift to a lender's account has repaid a loan: it repays no other.
func RepaidKey(account tape.AccountID, page tape.ID, index int32) string {
	return "repaid/" + string(account) + "/" + string(page) + "/" + decimal(index)
}

// NoticeKey is where it stands that a notice about an overdue instalment was given.
func NoticeKey(scheme tape.AccountID, loan tape.ID, instalment, days int32) string {
	return "notice/" + string(scheme) + "/" + string(loan) + "/" + decimal(instalment) + "/" + decimal(days)
}

// StayKey is where a Stay of a scheme stands.
func StayKey(scheme tape.AccountID, id tape.ID) string {
	return "stay/" + string(scheme) + "/" + string(id)
}

// StaysKey is where the Stays of a scheme stand.
func StaysKey(scheme tape.AccountID) string { return "stays/" + string(scheme) }

func decimal(n int32) string { return strconv.Itoa(int(n)) }

// Reference names a loan on the whole ledger by its key.
func (l Loan) Reference() string { return Key(l.Scheme, l.ID) }

// Product is one version of what a lender offers in a scheme.
type Product struct {
	V       int32          `json:"v"`
	Scheme  tape.AccountID `json:"scheme"`
	ID      tape.ID        `json:"id"`
	Version int32          `json:"version"`
	// Organisation is the originator: it decides on applications.
	Organisation string     `json:"organisation"`
	Conditions   Conditions `json:"conditions"`
	Entry        string     `json:"entry"`
}

// Conditions are what a product promises and asks.
type Conditions struct {
	// Lenders share principal and every payment; the first is the originator.
	Lenders []Lender `json:"lenders"`
	// OfferDays is for how many days an approved application can be contracted.
	OfferDays    int32        `json:"offerDays"`
	PrincipalMax money.Amount `json:"principalMax"`
	PrincipalMin money.Amount `json:"principalMin"`
	// Purposes are what the loan may be for, words of PurposeWords.
	Purposes []string `json:"purposes"`
	// Supplies: the money goes to listed suppliers of these categories, never in
	// cash; none where it goes to the household.
	Supplies []string `json:"supplies,omitempty"`
	// TermDaysMax is the latest last due, counted from the contract.
	TermDaysMax int32 `json:"termDaysMax"`
	// Terms have no days: FirstDue and DueDates are the contract's.
	Terms terms.Terms `json:"terms"`
	// ToleranceUnits is how much of an instalment may be missing before it counts as unpaid, in minor units.
	ToleranceUnits int64 `json:"toleranceUnits,string"`
	// TranchesMax is in how many parts the loan may be disbursed.
	TranchesMax int32 `json:"tranchesMax"`
}

// Lender is one of those who lend together.
type Lender struct {
	// Account gets what is repaid, and is what is lent from.
	Account      tape.AccountID `json:"account"`
	Organisation string         `json:"organisation"`
	// PartsPerMillion is its share; all sum to 1000000.
	PartsPerMillion int32 `json:"partsPerMillion"`
}

// Offer says which version of a product is offered; 0 for none any more.
type Offer struct {
	V       int32 `json:"v"`
	Latest  int32 `json:"latest"`
	Version int32 `json:"version"`
	// Organisation is the originator, who alone makes the next version.
	Organisation string `json:"organisation"`
	Entry        string `json:"entry"`
}

// State is where a loan stands. What depends on the day, such as overdue, is
// not stored: Stage tells it.
type State string

// The states of a loan.
const (
	// Applied: the household has signed; guarantors are still to consent.
	Applied State = "applied"
	// Referred: all have consented, and the lender decides.
	Referred State = "referred"
	Approved State = "approved"
	Refused  State = "refused"
	// Withdrawn by the household before anything was disbursed.
	Withdrawn State = "withdrawn"
	// Contracted: the household has signed the schedule; money can be disbursed.
	Contracted State = "contracted"
	// Running: something is disbursed, and not all is repaid.
	Running State = "running"
	// Closed: everything that was owed is paid.
	Closed State = "closed"
)

// Loan is one loan from its application to its last payment.
type Loan struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	ID     tape.ID        `json:"id"`
	State  State          `json:"state"`
	// Household borrows, by Person's signature; its fingerprint finds its debts.
	Household   tape.AccountID `json:"household"`
	Person      tape.ID        `json:"person"`
	Fingerprint string         `json:"fingerprint"`
	Group       tape.ID        `json:"group"`
	// SchemeVersion is the version of the scheme's terms that holds for it.
	SchemeVersion int32   `json:"schemeVersion"`
	Product       tape.ID `json:"product"`
	// ProductVersion is never the binary's or the newest: that of the application.
	ProductVersion int32 `json:"productVersion"`
	// Organisation is the originator; Carrier brought the application.
	Organisation string `json:"organisation"`
	Carrier      string `json:"carrier"`
	Purpose      string `json:"purpose"`
	// Principal is what is lent; of a line, which can be drawn again, its limit.
	Principal money.Amount `json:"principal"`
	Terms     terms.Terms  `json:"terms"`
	// Lenders, Supplies, ToleranceUnits and TranchesMax are the product's.
	Lenders        []Lender `json:"lenders"`
	Supplies       []string `json:"supplies,omitempty"`
	ToleranceUnits int64    `json:"toleranceUnits,string"`
	TranchesMax    int32    `json:"tranchesMax"`
	// TermEnd is the last day on which an instalment may fall due: the product's, and never behind the group's.
	TermEnd tape.Date `json:"termEnd"`
	// Guarantors are the group's other members at the application.
	Guarantors []Guarantor `json:"guarantors"`
	// Decision is the automatic one, and the lender's where that referred it.
	Decision *Decision `json:"decision,omitempty"`
	Decided  *Decided  `json:"decided,omitempty"`
	Contract *Contract `json:"contract,omitempty"`
	// TakenOver says that it ran before it stood here; none for what was lent on the ledger.
	TakenOver *TakenOver `json:"takenOver,omitempty"`
	Tranches  []Tranche  `json:"tranches,omitempty"`
	Book      Book       `json:"book"`
	// Defaulted is the last day on which it was filed as in default; none while it never was.
	// It stands while the instalment of then is unpaid.
	Defaulted tape.Date `json:"defaulted,omitempty"`
	// LastOverdue is the last day on which something was paid while an instalment was past due; none for never.
	LastOverdue tape.Date `json:"lastOverdue,omitempty"`
	// DaysPastDueMax is the most days that it was past due when something was paid; zero for never.
	DaysPastDueMax int32 `json:"daysPastDueMax,omitempty"`
	// Restructured are the days on which its terms were changed for the debtor's need.
	Restructured []Restructured `json:"restructured,omitempty"`
	// WrittenOff is an accounting fact of the lender: nobody is freed by it.
	WrittenOff *WrittenOff `json:"writtenOff,omitempty"`
	// Lacking are the other lenders' parts of payments that the bank took back, until they have returned them.
	Lacking []Lacking `json:"lacking,omitempty"`
	// At is the last change, Entry made it, organisation/id; Applied the day of the application.
	Applied tape.Date    `json:"applied"`
	At      tape.Instant `json:"at"`
	Entry   string       `json:"entry"`
}

// Guarantor is a member of the group who guarantees the loan.
type Guarantor struct {
	Household   tape.AccountID `json:"household"`
	Person      tape.ID        `json:"person"`
	Fingerprint string         `json:"fingerprint"`
	// PartsPerMillion is its share of what is called; those of all sum to 1000000.
	PartsPerMillion int32 `json:"partsPerMillion,omitempty"`
	// Consented is its signature; none while it is awaited.
	Consented *tape.Approval `json:"consented,omitempty"`
	Entry     string         `json:"entry,omitempty"`
}

// Decision is what the model of the scheme says of an application.
type Decision struct {
	// Outcome is approve, refer or refuse; Reasons are codes, the weightiest first.
	Outcome string   `json:"outcome"`
	Reasons []string `json:"reasons,omitempty"`
	// Score is in whole points, Limit what the household may owe by it; Model is the version that said so.
	Score int32        `json:"score"`
	Limit money.Amount `json:"limit"`
	Model string       `json:"model"`
	Date  tape.Date    `json:"date"`
	Entry string       `json:"entry"`
}

// Decided is what the lender's maker and checker decided.
type Decided struct {
	// Principal is what they approve, no more than was asked; Reason is of DecideReasons.
	Principal money.Amount `json:"principal"`
	Reason    string       `json:"reason"`
	Date      tape.Date    `json:"date"`
	Entry     string       `json:"entry"`
}

// Contract is what the household has signed: the schedule that it was shown.
type Contract struct {
	// Quote is the hash of what was shown, AnnualPercent the rate in it.
	Quote         party.Hash    `json:"quote"`
	AnnualPercent terms.Percent `json:"annualPercent"`
	Date          tape.Date     `json:"date"`
	Entry         string        `json:"entry"`
}

// Tranche is a part of the principal on its way out.
type Tranche struct {
	Amount money.Amount `json:"amount"`
	// To is the household outside the ledger, or the supplier.
	To tape.AccountID `json:"to"`
	// Holds are the payouts in the order of the lenders, empty where one is still
	// to be ordered: all must be paid before it counts.
	Holds []tape.ID `json:"holds"`
	// Order is the delivered order that a supplier is paid for.
	Order tape.ID `json:"order,omitempty"`
	// Drawn is the day on which the household drew it from a line; none where the lenders began it.
	Drawn tape.Date `json:"drawn,omitempty"`
	// Paid is the day of the bank's line; interest runs from it. Cancelled: the money never left.
	Paid      tape.Date `json:"paid,omitempty"`
	Cancelled bool      `json:"cancelled,omitempty"`
	Entry     string    `json:"entry"`
}

// Restructured notes a change of terms.
type Restructured struct {
	Date tape.Date `json:"date"`
	// DaysPastDue is what stood that day: history is not erased.
	DaysPastDue int32 `json:"daysPastDue"`
	// Observed is the last day on which it still counts as at risk.
	Observed tape.Date `json:"observed"`
	Entry    string    `json:"entry"`
}

// WrittenOff notes what a lender took out of its books.
type WrittenOff struct {
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date"`
	Entry  string       `json:"entry"`
}

// Debts are the open loans of one household, and those that it guarantees.
type Debts struct {
	V int32 `json:"v"`
	// Loans are keys of loans, its own; Guarantees those of others.
	Loans      []string `json:"loans,omitempty"`
	Guarantees []string `json:"guarantees,omitempty"`
	// LastOverdue is the last day on which one of its own, now closed, was overdue; none for never.
	LastOverdue tape.Date `json:"lastOverdue,omitempty"`
	// Cycles count its closed loans by group.
	Cycles []Cycle `json:"cycles,omitempty"`
	// Past are its closed loans of the last five years, in the order in which they ended.
	Past []Past `json:"past,omitempty"`
	// Calls are those of guarantors that concern it and are not closed.
	Calls []Called `json:"calls,omitempty"`
	// PaidCalls are those of the last five years whose part it has paid in time, the oldest first.
	PaidCalls []PaidCall `json:"paidCalls,omitempty"`
	Entry     string     `json:"entry"`
}

// Called is a guarantor call that concerns a household: it was called, or it borrowed.
type Called struct {
	// Call is the call's key, Household its name in the call's scheme.
	Call      string         `json:"call"`
	Household tape.AccountID `json:"household"`
}

// PaidCall is a guarantor call of which a household has paid its own part in time.
type PaidCall struct {
	// Made is the entry that made the call, organisation/id.
	Made string    `json:"made"`
	Date tape.Date `json:"date"`
}

// Cycle counts what a household has repaid under one group.
type Cycle struct {
	Scheme tape.AccountID `json:"scheme"`
	Group  tape.ID        `json:"group"`
	// Loans are closed; OnTime are those of them that never were overdue.
	Loans  int32 `json:"loans"`
	OnTime int32 `json:"onTime"`
	// LastCall is the day of the last guarantor call under the group that concerned it; none for none.
	LastCall tape.Date `json:"lastCall,omitempty"`
}

// Past is how a loan was repaid.
type Past struct {
	// Application is the entry that asked for it, organisation/id; Organisation lent it.
	Application  string `json:"application"`
	Organisation string `json:"organisation"`
	// Closed is the day when all was paid; none while the loan is open.
	Closed tape.Date `json:"closed,omitempty"`
	// DaysPastDueMax is the most days that it was past due, Defaulted the last day on which it was called in default.
	DaysPastDueMax int32     `json:"daysPastDueMax"`
	Defaulted      tape.Date `json:"defaulted,omitempty"`
}

// Notice notes that borrower, cooperative and guarantors were told.
type Notice struct {
	V int32 `json:"v"`
	// Instalment is the oldest unpaid one, DaysPastDue what was so on that day.
	Instalment  int32        `json:"instalment"`
	DaysPastDue int32        `json:"daysPastDue"`
	Owed        money.Amount `json:"owed"`
	// Told are the households that the notice names.
	Told  []tape.AccountID `json:"told"`
	Date  tape.Date        `json:"date"`
	Entry string           `json:"entry"`
}

// Stay is a disaster that a county declared: nobody is called as guarantor while it lasts.
type Stay struct {
	V     int32     `json:"v"`
	From  tape.Date `json:"from"`
	To    tape.Date `json:"to"`
	Kind  string    `json:"kind"`
	Entry string    `json:"entry"`
}

// Stays are all that were declared for a scheme and were not over at the last
// declaration: a call must know those in force without a search.
type Stays struct {
	V     int32  `json:"v"`
	Stays []Stay `json:"stays"`
	Entry string `json:"entry"`
}

// Repayment notes what a gift to a lender's account has repaid: it repays nothing else,
// and what it did is undone when the bank takes it back.
type Repayment struct {
	V int32 `json:"v"`
	// Loan is the loan's key.
	Loan   string       `json:"loan"`
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date"`
	// Call is the open call of guarantors that it counted for, none where it counted
	// for none: Guarantor paid Took of what it was asked, and the call fell by Lowered besides, in minor units.
	Call      tape.ID        `json:"call,omitempty"`
	Guarantor tape.AccountID `json:"guarantor,omitempty"`
	Took      int64          `json:"took,omitempty,string"`
	Lowered   int64          `json:"lowered,omitempty,string"`
	// Order is what a supplier paid back of, none where the payment was no refund.
	Order tape.ID `json:"order,omitempty"`
	// Back is the entry that took it off the loan again, organisation/id.
	Back  string `json:"back,omitempty"`
	Entry string `json:"entry"`
}

// Lacking is what a lender owes the originator of a payment that the bank took back.
type Lacking struct {
	Lender string `json:"lender"`
	Units  int64  `json:"units,string"`
	Entry  string `json:"entry"`
}
