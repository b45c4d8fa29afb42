package tape

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
)

// The keys of the ledger. Every new fact has its own key; what is rewritten
// (a head, a hold, a job, the last statement of a bank account) belongs to one
// account. Names hold no "/", so no key can be spelled by two records.

// AccountKey is where an Account stands.
func AccountKey(id AccountID) string { return "account/" + string(id) }

// BankAccountKey is where a BankAccount stands.
func BankAccountKey(id AccountID) string { return "bank-account/" + string(id) }

// HeadKey is where the Head of an account stands.
func HeadKey(id AccountID) string { return "head/" + string(id) }

// EntryKey is where an Entry stands.
func EntryKey(organisation string, id ID) string { return "entry/" + organisation + "/" + string(id) }

// PageKey is where a Page stands.
func PageKey(account AccountID, id ID) string { return "page/" + string(account) + "/" + string(id) }

// InflowKey is where an Inflow stands; source is organisation/entry/index.
func InflowKey(account AccountID, source string) string {
	return "inflow/" + string(account) + "/" + source
}

// SettledKey exists once a page or an inflow has been given its span, or a
// page has been split. That it must be absent is the ledger's promise that
// nothing counts twice.
func SettledKey(account AccountID, source string) string {
	return "settled/" + string(account) + "/" + source
}

// SettlementKey is where settlement number n of an account stands.
func SettlementKey(account AccountID, n int32) string {
	return "settlement/" + string(account) + "/" + strconv.Itoa(int(n))
}

// StatementKey is where a Statement stands; account is the bank account, outside the ledger.
func StatementKey(account AccountID, id ID) string {
	return "statement/" + string(account) + "/" + string(id)
}

// StatementsKey is where the last filed statement of a bank account is noted.
func StatementsKey(account AccountID) string { return "statements/" + string(account) }

// LinesKey is where page n of a statement's lines stands.
func LinesKey(account AccountID, statement ID, n int32) string {
	return "lines/" + string(account) + "/" + string(statement) + "/" + strconv.Itoa(int(n))
}

// UsedKey is where the used lines of a page of credit lines are noted.
func UsedKey(account AccountID, statement ID, n int32) string {
	return "used/" + string(account) + "/" + string(statement) + "/" + strconv.Itoa(int(n))
}

// DebitKey exists once a debit line has been used: each has its own key, so
// that payouts on one page of lines are executed in parallel.
func DebitKey(account AccountID, statement ID, n, index int32) string {
	return "debit/" + string(account) + "/" + string(statement) + "/" + strconv.Itoa(int(n)) + "/" + strconv.Itoa(int(index))
}

// ProcessorKey is where the processor's file of a page stands: a page has one,
// so that no bank line is used up for a file that can settle nothing.
func ProcessorKey(account AccountID, page ID) string {
	return "processor/" + string(account) + "/" + string(page)
}

// HoldKey is where a Hold stands.
func HoldKey(account AccountID, id ID) string { return "hold/" + string(account) + "/" + string(id) }

// JobKey is where a Job stands.
func JobKey(account AccountID, id ID) string { return "job/" + string(account) + "/" + string(id) }

// ChunkKey is where chunk n of a job stands once it has run.
func ChunkKey(account AccountID, job ID, n int32) string {
	return "chunk/" + string(account) + "/" + string(job) + "/" + strconv.Itoa(int(n))
}

// ReversalKey exists once a gift was refunded, charged back, identified as
// another's or moved by a correction. source is its page, or the inflow that
// brought it to the account (index 0): that has slashes, and a page's id has none.
func ReversalKey(account AccountID, source string, index int32) string {
	return "reversal/" + string(account) + "/" + source + "/" + strconv.Itoa(int(index))
}

// Attribution is the declared convention by which spending is ascribed to gifts.
type Attribution string

// The two conventions. In a pooled account the individual trail ends with the
// giver's share and all that the pool paid.
const (
	FIFO   Attribution = "fifo"
	Pooled Attribution = "pooled"
)

// Account is a place for money of one currency and one purpose.
type Account struct {
	V        int32          `json:"v"`
	ID       AccountID      `json:"id"`
	Currency money.Currency `json:"currency"`
	// Organisation sponsors the account: it alone spends, and endorses each spend.
	Organisation string `json:"organisation"`
	// Custodian is the bank account that really holds the money,
	// outside:<custodian's organisation>:<name>.
	Custodian   AccountID   `json:"custodian"`
	Attribution Attribution `json:"attribution"`
	// Unidentified marks the account that holds bank lines nobody has claimed,
	// for the account named here.
	Unidentified AccountID `json:"unidentified,omitempty"`
	// Subject names the rules that alone may spend from the account, such as
	// fund; empty where its sponsor spends by the tape's own commands.
	Subject string `json:"subject,omitempty"`
	// OwnFunds is the account that bears a chargeback of money already spent;
	// where there is none, a receivable is shown.
	OwnFunds AccountID `json:"ownFunds,omitempty"`
	Opened   Instant   `json:"opened"`
}

// BankAccount says whose money a custodian keeps at one bank account: that of
// the organisation that first opened an account of the ledger on it.
type BankAccount struct {
	V            int32     `json:"v"`
	ID           AccountID `json:"id"`
	Organisation string    `json:"organisation"`
	// Entry is organisation/id.
	Entry string `json:"entry"`
}

// Page is up to PageGiftsMax pending gifts. The gifts themselves travelled in
// the arguments of the transaction and are in every peer's blocks.
type Page struct {
	V            int32     `json:"v"`
	Account      AccountID `json:"account"`
	ID           ID        `json:"id"`
	Organisation string    `json:"organisation"`
	// Root is the Merkle sum root over the gifts.
	Root merkle.Hash `json:"root"`
	// Matches is the SHA-256 over amount and reference of each gift in order: a
	// page of bank lines with the same digest holds the same money in the same order.
	Matches merkle.Hash  `json:"matches"`
	Count   int32        `json:"count"`
	Total   money.Amount `json:"total"`
	// Parent is the page that a match split into this one and another.
	Parent ID `json:"parent,omitempty"`
	// Evidence is set when the match has already used the bank lines.
	Evidence *Evidence `json:"evidence,omitempty"`
	// Unmatched are the reasons why gifts of the parent found no line, counted.
	Unmatched []Unmatched `json:"unmatched,omitempty"`
	At        Instant     `json:"at"`
}

// Unmatched counts the gifts of a page that found no bank line for one reason.
type Unmatched struct {
	// Reason is no-line or amount-differs.
	Reason string `json:"reason"`
	Count  int32  `json:"count"`
}

// Inflow is money that left one account of the ledger and waits to be laid on another's tape.
type Inflow struct {
	V       int32        `json:"v"`
	Account AccountID    `json:"account"`
	Source  string       `json:"source"`
	From    AccountID    `json:"from"`
	Amount  money.Amount `json:"amount"`
	// Taken are the spans on From's tape, in order; none when it is outside.
	Taken Spans `json:"taken,omitempty"`
	// Origin is the entry whose money comes back, organisation/id.
	Origin string `json:"origin,omitempty"`
	// Gift is set where the inflow is one gift's money, whole: it was identified
	// or moved by a correction.
	Gift *GiftName `json:"gift,omitempty"`
	// Declared says that nobody but its receiver ever showed that gift.
	Declared bool    `json:"declared,omitempty"`
	At       Instant `json:"at"`
}

// GiftName names a gift by the page on which it came in, wherever its money is now.
type GiftName struct {
	Account AccountID `json:"account"`
	Index   int32     `json:"index"`
	Page    ID        `json:"page"`
}

// Settlement gives a page or an inflow its span. The settlements of an account
// are numbered from 1 and chained by hash.
type Settlement struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	N       int32     `json:"n"`
	// Previous is the SHA-256 of the canonical settlement n-1, empty for the first.
	Previous string `json:"previous"`
	// Source is a page's id, or an inflow's organisation/entry/index.
	Source string `json:"source"`
	Span   Span   `json:"span"`
	// Fee is what a processor kept of a page, in minor units: the last of Span.
	Fee      int64    `json:"fee,omitempty,string"`
	Evidence Evidence `json:"evidence"`
	// Entry is organisation/id.
	Entry string `json:"entry"`
}

// Settled marks a source as used up: N is its settlement, 0 when it was split
// or withdrawn.
type Settled struct {
	V int32 `json:"v"`
	N int32 `json:"n"`
	// Withdrawn is why the page was withdrawn: its money never came.
	Withdrawn string `json:"withdrawn,omitempty"`
	// Entry withdrew it, organisation/id.
	Entry string `json:"entry,omitempty"`
}

// Side of a statement line, seen from the account's holder.
type Side string

// Credit lines are money that came, debit lines money that went.
const (
	CreditSide Side = "credit"
	DebitSide  Side = "debit"
)

// LinesPage is the head of one page of statement lines: the statement fixes
// it, the body must match it.
type LinesPage struct {
	Side    Side         `json:"side"`
	Count   int32        `json:"count"`
	Total   money.Amount `json:"total"`
	Root    merkle.Hash  `json:"root"`
	Matches merkle.Hash  `json:"matches"`
}

// Statement is a bank statement filed by the custodian. Its lines follow page by page.
type Statement struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	ID      ID        `json:"id"`
	// Previous is the statement before; empty for the first.
	Previous ID           `json:"previous,omitempty"`
	From     Date         `json:"from"`
	To       Date         `json:"to"`
	Opening  money.Amount `json:"opening"`
	Closing  money.Amount `json:"closing"`
	Count    int32        `json:"count"`
	Pages    []LinesPage  `json:"pages"`
	Entry    string       `json:"entry"`
}

// Statements notes the last statement of a bank account.
type Statements struct {
	V       int32        `json:"v"`
	Last    ID           `json:"last"`
	Closing money.Amount `json:"closing"`
	To      Date         `json:"to"`
}

// Lines is a page of statement lines whose body has been filed.
type Lines struct {
	V         int32     `json:"v"`
	Account   AccountID `json:"account"`
	Statement ID        `json:"statement"`
	N         int32     `json:"n"`
	LinesPage
	Entry string `json:"entry"`
}

// Used notes which credit lines of a page have been settled, as spans of indexes.
type Used struct {
	V     int32 `json:"v"`
	Lines Spans `json:"lines"`
}

// Processor is a payment processor's file: n gifts, one bank line, a fee.
type Processor struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	ID      ID        `json:"id"`
	// Page is the page of gifts that the file lists.
	Page    ID           `json:"page"`
	Matches merkle.Hash  `json:"matches"`
	Count   int32        `json:"count"`
	Total   money.Amount `json:"total"`
	// Fee is what the processor kept; none when the line carries the whole total.
	Fee *money.Amount `json:"fee,omitempty"`
	// FeeTo is the processor, outside the ledger.
	FeeTo AccountID `json:"feeTo,omitempty"`
	// Line is the bank line that carries total less fee.
	Line  Evidence `json:"line"`
	Entry string   `json:"entry"`
}

// HoldState is where a hold stands.
type HoldState string

// A hold is open until it is wholly captured, or released (by its owner, or by
// anyone once it has expired); released money is reclaimed by the account's
// head, unless the bank shows a line of before that had paid it.
const (
	HoldOpen      HoldState = "open"
	HoldCaptured  HoldState = "captured"
	HoldReleased  HoldState = "released"
	HoldReclaimed HoldState = "reclaimed"
)

// Hold is money set apart for one payee: a payout that was ordered.
type Hold struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	ID      ID        `json:"id"`
	// To is the payee: an account of the ledger, or outside it.
	To AccountID `json:"to"`
	// OnBehalfOf is whose debt the payout settles, when it is not To's own money.
	OnBehalfOf AccountID    `json:"onBehalfOf,omitempty"`
	Amount     money.Amount `json:"amount"`
	// Spans is what is still held, in order; Captured what has been paid; Returned what came back of that.
	Spans    Spans `json:"spans,omitempty"`
	Captured Spans `json:"captured,omitempty"`
	Returned Spans `json:"returned,omitempty"`
	// Paid is the day of the latest line that paid of it: from then on the payee
	// has the money, whenever it was ordered or booked.
	Paid    Date    `json:"paid,omitempty"`
	Expires Instant `json:"expires"`
	// Released is the day on which the hold was released or expired: what the
	// bank paid until then it paid on a valid order.
	Released Date      `json:"released,omitempty"`
	State    HoldState `json:"state"`
	// Gift is, of a refund, the kind of evidence that its gift rests on.
	Gift  string `json:"gift,omitempty"`
	Entry string `json:"entry"`
}

// JobState is where a job stands.
type JobState string

// A job is open until its chunks tile it, or until it is abandoned and what is left goes back.
const (
	JobOpen      JobState = "open"
	JobClosed    JobState = "closed"
	JobAbandoned JobState = "abandoned"
)

// Job is the money of one large act, cut into chunks that run in parallel.
type Job struct {
	V       int32        `json:"v"`
	Account AccountID    `json:"account"`
	ID      ID           `json:"id"`
	Amount  money.Amount `json:"amount"`
	Spans   Spans        `json:"spans"`
	// Chunks is their number, Root the Merkle sum root over them.
	Chunks int32       `json:"chunks"`
	Root   merkle.Hash `json:"root"`
	// Expires is when the holds that its chunks order expire.
	Expires Instant  `json:"expires"`
	State   JobState `json:"state"`
	// Left is what an abandoned job gave back.
	Left  Spans  `json:"left,omitempty"`
	Entry string `json:"entry"`
}

// Chunk notes that chunk n of a job has run.
type Chunk struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	Job     ID        `json:"job"`
	N       int32     `json:"n"`
	// Part is the chunk's share of the job's units, counted from 0; none where it paid nothing.
	Part  Span   `json:"part,omitzero"`
	Entry string `json:"entry"`
}

// Reversal notes that a gift was taken back, and how.
type Reversal struct {
	V int32 `json:"v"`
	// Kind is refund, chargeback, identified, returned or corrected.
	Kind string `json:"kind"`
	Span Span   `json:"span"`
	// Inflow is where an identified or corrected gift went, at the account To.
	Inflow string    `json:"inflow,omitempty"`
	To     AccountID `json:"to,omitempty"`
	// Reason is why it was corrected.
	Reason string `json:"reason,omitempty"`
	// Hold is the hold that a refund was ordered with.
	Hold ID `json:"hold,omitempty"`
	// Entry is organisation/id.
	Entry string `json:"entry"`
}
