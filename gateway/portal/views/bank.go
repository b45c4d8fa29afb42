package views

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Bank is what the bank has shown of a campaign's money, what waits for a line,
// and the lines that nothing rests on.
type Bank struct {
	Account   tape.AccountID
	Title     *Text
	Custodian tape.AccountID
	// Processors are payment processors' files, Waiting pages of gifts without a bank line.
	Processors []ProcessorFile
	Waiting    []WaitingPage
	// Credits and Debits are the open lines of the bank account; the bank account
	// may hold the money of several campaigns.
	Credits, Debits []BankLine
	// MoreCredits and MoreDebits say that there are more than are shown.
	MoreCredits, MoreDebits bool
	// Orders is how many payouts wait for the bank, Ordered their sum; File says
	// that this gateway writes the file of them.
	Orders  int
	Ordered money.Amount
	File    bool
	// Receivable is what nobody bore of gifts that were charged back.
	Receivable money.Amount
	Back       []BackRow
	// Acts are what who is logged in may do here; Bring says that it brings processors' files.
	Acts  []string
	Bring bool
}

// Name of its template.
func (Bank) Name() string { return "bank" }

// ProcessorFile is a payment processor's file: many gifts, one line, a fee.
type ProcessorFile struct {
	tape.Processor
	Net money.Amount
	// Statement is where the line is; Settled says that the gifts have their units.
	Statement tape.ID
	Settled   bool
}

// WaitingPage is a page of gifts that no line of the bank has shown yet.
type WaitingPage struct {
	ID    tape.ID
	Count int32
	Total money.Amount
	Since tape.Date
	Days  int
}

// BankLine is an open line with what it may belong to.
type BankLine struct {
	readmodel.Line
	Fits []BankFit
	// Act is what can be done about a line that fits nothing; nil where nothing.
	Act *GiftAct
}

// BankFit is something of the same amount that waits: an open payout, a payout
// that may have come back, a page of gifts. Path leads to it.
type BankFit struct {
	Kind string
	ID   tape.ID
	Path string
	// Act leads to the form that joins the two; nil for who may not.
	Act *GiftAct
}

// BackRow is a gift that was taken back or went elsewhere.
type BackRow struct {
	Kind   string
	Amount money.Amount
	Path   string
	Entry  string
}

// ProcessorBring is where the charity's staff bring a payment processor's file.
type ProcessorBring struct {
	Account tape.AccountID
	Title   *Text
	Acting  Acting
	// Processor and Reference are what was typed, Refusal why the file was not taken.
	Processor, Reference string
	Refusal              *Refusal
	// Waiting are files that were brought and are not settled yet.
	Waiting []ProcessorImport
}

// Name of its template.
func (ProcessorBring) Name() string { return "processorbring" }

// ProcessorImport is how far a processor's file is.
type ProcessorImport struct {
	Account tape.AccountID
	Title   *Text
	Acting  Acting
	importing.Standing
	// Again says that the file was brought before.
	Again bool
	// Refusal is why the last run ended early.
	Refusal *Refusal
}

// Name of its template.
func (ProcessorImport) Name() string { return "processorimport" }
