package views

import (
	"html/template"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Give is the form by which a gift is announced.
type Give struct {
	Account  tape.AccountID
	Title    Text
	Currency money.Currency
	// Refused says why the campaign takes no gifts today: draft, early, over or
	// closed; empty when it takes them.
	Refused string
	// Attempt marks the form; Amount, Named and Publish are what was typed. A
	// name is never shown again: the page could be somebody else's by then.
	Attempt, Amount string
	Anonymous       bool
	Publish, Waived bool
	// Fault names what is wrong, empty where nothing is.
	Fault string
}

// Name of its template.
func (Give) Name() string { return "give" }

// Given is an announced gift: the one time that its code is shown.
type Given struct {
	Account   tape.AccountID
	Title     Text
	Amount    money.Amount
	Code      string
	Reference string
	PayTo     string
	Named     bool
	KeepDays  int
	// Address is where the code is typed in, for the QR code: it does not hold the code.
	Address string
}

// Name of its template.
func (Given) Name() string { return "give-done" }

// Receipts is where a gift code is typed in. Fault names what is wrong.
type Receipts struct {
	Fault string
	// Erased says that what the code named is erased; Kept that the law's record is left.
	Erased, Kept bool
}

// Name of its template.
func (Receipts) Name() string { return "receipts" }

// Receipt is what the giver of a code may see.
type Receipt struct {
	Account   tape.AccountID
	Title     Text
	Amount    money.Amount
	Reference string
	// Code goes into the forms below and nowhere else.
	Code string
	// Kind is named, waived or anonymous. Issued says that nobody announced:
	// the charity wrote the receipt on proof.
	Kind   string
	Issued bool
	Gifts  []OwnGift
}

// Name of its template.
func (Receipt) Name() string { return "receipt" }

// OwnGift is one gift of a code.
type OwnGift struct {
	Gift   tape.ID
	Amount money.Amount
	// Goods are set of a gift in kind, which has no amount.
	Goods *fund.Goods
	// Differs says that another amount was announced.
	Differs bool
	Path    string
	// State is waits, unidentified, settled, received or void.
	State  string
	Pieces []Piece
	// These add up to the amount: what the bank has paid to somebody, what still
	// waits, and what went back; what a processor kept, what is in a pool where
	// single gifts are not told apart, and what its receiver disputes.
	Arrived, Waits, Back, Fee, Pooled, Disputed money.Amount
	// Attribution is the rule by which the gift is followed.
	Attribution tape.Attribution
	// Paper is the receipt of the law, empty where there is none; Reason says why.
	Paper  template.HTML
	Reason string
	// Salt, Giver and Commitment prove to others whose gift it is.
	Salt, Giver, Commitment string
}

// Write is where staff write the receipt of a gift that nobody announced.
type Write struct {
	Account tape.AccountID
	Title   *Text
	Gift    tape.ID
	Page    tape.ID
	// Amount is that of the gift; nil of Goods.
	Amount *money.Amount
	Goods  *fund.Goods
	// Settled and Void say how the gift stands; Claimed that its giver has a code
	// by which the receipt comes.
	Settled, Void, Claimed bool
	// Paper is the receipt that was written, with its Code; Reason says why there
	// is none any more.
	Paper  template.HTML
	Reason string
	Code   string

	Fields []ActField
	Person tape.ID
	Token  string
	Path   string
	// Refusal is a no that is about no field; Faulty says that something is to be mended.
	Refusal *Refusal
	Faulty  bool
}

// Name of its template.
func (Write) Name() string { return "write" }

// Writable says that the form can be filled in.
func (w Write) Writable() bool { return w.Settled && !w.Void && !w.Claimed }
