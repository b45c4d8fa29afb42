package readmodel

import (
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Window asks for one part of a list.
type Window struct {
	// After is the Next of the part before, empty for the first.
	After string
	// Limit is the most items wanted: 0 means 50, and 1000 is the most.
	Limit int
	// Newest turns the order round where the order is that of the ledger.
	Newest bool
}

// List is one part of a list in a stable order; Next is empty on the last.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Position says how far the ledger has been read. Next is the number of the
// block wanted next, so 0 means that nothing has been read.
type Position struct {
	Next uint64 `json:"next"`
	// Hash is that of block Next-1, in hexadecimal.
	Hash string `json:"hash,omitempty"`
}

// BlockSummary is a block without its transactions.
type BlockSummary struct {
	Number       uint64       `json:"number"`
	Hash         string       `json:"hash"`
	PreviousHash string       `json:"previousHash"`
	At           tape.Instant `json:"at"`
	Transactions int          `json:"transactions"`
	Valid        int          `json:"valid"`
}

// TransactionSummary is a transaction, valid or not, without what it carried.
type TransactionSummary struct {
	ID        string       `json:"id"`
	Block     uint64       `json:"block"`
	Index     int          `json:"index"`
	Valid     bool         `json:"valid"`
	Code      string       `json:"code"`
	Function  string       `json:"function,omitempty"`
	Creator   string       `json:"creator"`
	Endorsers []string     `json:"endorsers"`
	At        tape.Instant `json:"at"`
	// ArgumentBytes is the length of its argument.
	ArgumentBytes int `json:"argumentBytes"`
}

// Entry is an entry of the ledger and where it stands.
type Entry struct {
	tape.Entry
	Block       uint64 `json:"block"`
	Transaction string `json:"transaction"`
	// Verbatim is the entry byte for byte as the ledger holds it.
	Verbatim json.RawMessage `json:"-"`
}

// Account is an account and where its money is.
// Received = Free + Held + Spent; Pending has no place on the tape yet.
type Account struct {
	tape.Account
	Received money.Amount `json:"received"`
	Free     money.Amount `json:"free"`
	// Held is in holds and jobs: ordered and not yet gone.
	Held    money.Amount `json:"held"`
	Spent   money.Amount `json:"spent"`
	Pending money.Amount `json:"pending"`
	Block   uint64       `json:"block"`
}

// PageState is where a page of gifts stands.
type PageState string

// A page is pending until it is settled, split into a matched and an unmatched
// page, or withdrawn because its money never came.
const (
	PagePending   PageState = "pending"
	PageSettled   PageState = "settled"
	PageSplit     PageState = "split"
	PageWithdrawn PageState = "withdrawn"
)

// GiftPage is a page of gifts and its span, once it has one.
type GiftPage struct {
	tape.Page
	State PageState `json:"state"`
	// Settlement is its number on the account, 0 while there is none.
	Settlement int32      `json:"settlement,omitempty"`
	Span       *tape.Span `json:"span,omitempty"`
	// Fee is what a payment processor kept of the page's total.
	Fee *money.Amount `json:"fee,omitempty"`
	// Withdrawn says why and by which entry the page was withdrawn.
	Withdrawn *tape.Settled `json:"withdrawn,omitempty"`
	// Rests is the evidence of the settlement, or that of the match before.
	Rests *tape.Evidence `json:"rests,omitempty"`
	Entry string         `json:"entry"`
	Block uint64         `json:"block"`
}

// Gift is one gift, on the page where it stands now.
type Gift struct {
	Account   tape.AccountID `json:"account"`
	Page      tape.ID        `json:"page"`
	Index     int            `json:"index"`
	ID        tape.ID        `json:"id"`
	Amount    money.Amount   `json:"amount"`
	Donor     string         `json:"donor,omitempty"`
	Reference string         `json:"reference,omitempty"`
	// Offset is how many minor units of the page stand before it.
	Offset int64     `json:"offset,string"`
	State  GiftState `json:"state"`
	// Span is the place of what arrived on the account's tape, once settled; none
	// where a processor kept it all.
	Span *tape.Span `json:"span,omitempty"`
	// Fee is the gift's share of what a processor kept of its page, Kept its
	// place on the tape.
	Fee  *money.Amount `json:"fee,omitempty"`
	Kept *tape.Span    `json:"kept,omitempty"`
	// Evidence is what the gift rests on; Line counts the lines of that page
	// of bank lines from 0, -1 where no one line is the gift's.
	Evidence *tape.Evidence `json:"evidence,omitempty"`
	Line     int            `json:"line"`
	// Entry received the page that the gift first stood on.
	Entry string       `json:"entry"`
	At    tape.Instant `json:"at"`
}

// GiftState is where a gift stands before its money moves.
type GiftState string

// An unmatched gift was compared with the bank's lines and not found; one that
// was withdrawn will not come.
const (
	GiftPending   GiftState = "pending"
	GiftUnmatched GiftState = "unmatched"
	GiftSettled   GiftState = "settled"
	GiftWithdrawn GiftState = "withdrawn"
)

// Settlement gave a page or an inflow its span.
type Settlement struct {
	tape.Settlement
	Block uint64 `json:"block"`
}

// Inflow is money between two accounts of the ledger, or that came back.
type Inflow struct {
	tape.Inflow
	// Settlement is its number at the receiver, 0 while it waits; Span its place there.
	Settlement int32      `json:"settlement,omitempty"`
	Span       *tape.Span `json:"span,omitempty"`
	// Line is the client's id of the line of the batch, OnBehalfOf whose debt it settles.
	Line       tape.ID        `json:"line,omitempty"`
	OnBehalfOf tape.AccountID `json:"onBehalfOf,omitempty"`
	// Home is what of it goes back to the campaign that had handed it over.
	Home  money.Amount `json:"home"`
	Block uint64       `json:"block"`
}

// Hold is a payout that was ordered, and what became of it.
type Hold struct {
	tape.Hold
	// Job is the job whose chunk made the hold, if one did.
	Job   tape.ID `json:"job,omitempty"`
	Block uint64  `json:"block"`
}

// Job is one large act and how far its chunks have come.
type Job struct {
	tape.Job
	// Ran is the number of chunks that have run, Moved the money that they moved.
	Ran   int32        `json:"ran"`
	Moved money.Amount `json:"moved"`
	Block uint64       `json:"block"`
}

// Statement is a bank statement without its pages, and how many of them have been filed.
type Statement struct {
	V        int32          `json:"v"`
	Account  tape.AccountID `json:"account"`
	ID       tape.ID        `json:"id"`
	Previous tape.ID        `json:"previous,omitempty"`
	From     tape.Date      `json:"from"`
	To       tape.Date      `json:"to"`
	Opening  money.Amount   `json:"opening"`
	Closing  money.Amount   `json:"closing"`
	Count    int32          `json:"count"`
	Pages    int32          `json:"pages"`
	Filed    int32          `json:"filed"`
	Entry    string         `json:"entry"`
	Block    uint64         `json:"block"`
}

// LinesPage is a filed page of bank lines; Used are the indexes of its credit lines that were settled.
type LinesPage struct {
	tape.Lines
	Used  tape.Spans `json:"used,omitempty"`
	Block uint64     `json:"block"`
}

// Line is one line of a bank statement.
type Line struct {
	Account   tape.AccountID `json:"account"`
	Statement tape.ID        `json:"statement"`
	N         int32          `json:"n"`
	Index     int            `json:"index"`
	Side      tape.Side      `json:"side"`
	Number    int32          `json:"number"`
	Date      tape.Date      `json:"date"`
	Amount    money.Amount   `json:"amount"`
	Reference string         `json:"reference,omitempty"`
	Used      bool           `json:"used"`
	// Entry executed payouts by this debit line, or charged a gift back.
	Entry string `json:"entry,omitempty"`
}

// Record is what stands under a key that the read model keeps as it is.
type Record struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
	Block uint64          `json:"block"`
}

// Posting is one posting of an entry.
type Posting struct {
	tape.Posting
	Entry string    `json:"entry"`
	Kind  string    `json:"kind"`
	Date  tape.Date `json:"businessDate"`
	Block uint64    `json:"block"`
}
