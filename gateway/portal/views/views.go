// Package views is what the portal's pages show: plain structs without
// language and without rules. A loader fills them from the read model, the
// storybook with invented data, and a template shows them either way.
package views

import (
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Page is one page; Name is that of its template.
type Page interface{ Name() string }

// Text is a text that people wrote in both languages.
type Text struct{ Chinese, English string }

// Proof is what stands behind a number: the entries that made it, and the
// command with which anyone checks it.
type Proof struct {
	Steps []ProofStep
	// More is how many further entries made the number, -1 where there are
	// more and nobody counted them.
	More    int
	Command string
}

// ProofStep is one entry behind a number.
type ProofStep struct {
	// Entry is organisation/id.
	Entry        string
	Kind         string
	At           tape.Instant
	Organisation string
	Role         string
	Block        uint64
	Transaction  string
	Endorsers    []string
	Approvals    []tape.Approval
	Evidence     []tape.Evidence
}

// Figure is a named amount. Rows is the path of the rows it is made of, without
// the language; Key names it in the catalogue, under "figure.".
type Figure struct {
	Key    string
	Amount money.Amount
	// Share is a whole percentage beside the amount, -1 for none.
	Share int
	Rows  string
	Proof *Proof
}

// AccountRow is an account in a list.
type AccountRow struct {
	ID           tape.AccountID
	Title        *Text
	Organisation string
	Raised       money.Amount
	Settled      money.Amount
	Ordered      money.Amount
	Spent        money.Amount
}

// EntryRow is an entry in a list.
type EntryRow struct {
	Entry   string
	Kind    string
	Subject string
	Date    tape.Date
	At      tape.Instant
	Block   uint64
	// Amount is what its postings moved; nil where it moved nothing, or several currencies.
	Amount *money.Amount
}

// Home is the first page.
type Home struct {
	Organisation string
	Campaigns    []AccountRow
	Accounts     []AccountRow
	More         bool
	Feed         []EntryRow
}

// Name of its template.
func (Home) Name() string { return "home" }

// Accounts lists accounts.
type Accounts struct {
	Rows []AccountRow
	Next string
}

// Name of its template.
func (Accounts) Name() string { return "accounts" }

// Budget is one line of a campaign's budget. What is paid is a part of what was
// ordered once; Ordered is only what still waits for the bank.
type Budget struct {
	ID string
	// Kind is programme, management or fundraising.
	Kind    string
	Title   Text
	Planned money.Amount
	Ordered money.Amount
	// Paid has left by the bank or to other accounts of the ledger, of it Passed to those.
	Paid      money.Amount
	Passed    money.Amount
	Confirmed money.Amount
	// CameBack of what was paid came back by the bank or, Recovered, from other
	// accounts of the ledger: it is not in Paid any more.
	CameBack  money.Amount
	Recovered money.Amount
	// Left may still be ordered.
	Left money.Amount
	// Payees is how many households or suppliers have been paid.
	Payees int
}

// Duty is one date of the disclosure clock. Key names the duty in the
// catalogue, under "duty."; Source is the article that demands it.
type Duty struct {
	Key    string
	Due    tape.Date
	Source string
	Done   bool
	// Days is how many days are left, negative when it is overdue. The loader counts it.
	Days int
	// Late says that it was done after its day.
	Late bool
	// Entry published it, where it is done.
	Entry string
}

// Ratio is a share with its legal limit. Key names it in the catalogue, under
// "ratio."; both shares are in basis points.
type Ratio struct {
	Key    string
	Share  int
	Limit  int
	Least  bool // the limit is the least, not the most
	Over   bool // the part is above the limit to the unit, which a rounded share may not show
	Part   money.Amount
	Whole  money.Amount
	Source string
}

// Kept says whether the limit is kept.
func (r Ratio) Kept() bool {
	if r.Least {
		return r.Share >= r.Limit
	}
	return !r.Over && r.Share <= r.Limit
}

// Publication is something that the charity has published. Duty names what it
// meets in the catalogue, under "duty.".
type Publication struct {
	N        int32
	Duty     string
	From, To tape.Date
	Date     tape.Date
	// Entry is organisation/id; Hash is the SHA-256 of the document, in hexadecimal.
	Entry string
	Hash  string
}

// CampaignFacts is what is known of a campaign beside its money.
type CampaignFacts struct {
	Title         Text
	Purpose       Text
	Area          Text
	From          tape.Date
	To            tape.Date
	Beneficiaries Text
	// State is draft, active or closed, Basis the law's: filing, agreement, grant or earmark.
	State, Basis string
	// Regulator accepts the filing, Leftover gets what is left over, Parent is
	// the campaign whose money a grant or an earmark spends.
	Regulator        string
	Leftover, Parent tape.AccountID
	// Cap is what management may cost, in parts of ten thousand of what was received.
	Cap int
	// Pending says that an amended plan waits for the regulator.
	Pending bool
	// Filing is the number under which the campaign is filed.
	Filing       string
	Goal         *money.Amount
	Budget       []Budget
	Clock        []Duty
	Ratios       []Ratio
	Publications []Publication
	// Late are gifts that wait for their bank line for more than LateDays.
	Late     []Late
	LateDays int
	// Confirmed is what receivers have signed for, Disputed what they deny.
	Confirmed money.Amount
	Disputed  money.Amount
}

// Confirmation is a receiver's word on a payout: confirmed, disputed, or nothing yet.
type Confirmation struct {
	State   string
	Date    tape.Date
	Custody string
	// Guardian says that the receiver's guardian has signed for it.
	Guardian bool
	Entry    string
}

// Flow is the picture of where money came from and went. In each node what
// comes in is what it is worth, and so is what goes out, where anything does.
type Flow struct {
	Nodes []FlowNode
	Links []FlowLink
}

// FlowNode is a stock of money. Key names it in the catalogue, under "flow.",
// unless Title or Account does.
type FlowNode struct {
	ID      string
	Column  int
	Key     string
	Title   *Text
	Account tape.AccountID
	// Count goes into the words of Key, such as the number of households.
	Count  int
	Amount money.Amount
	Rows   string
	// Tone is done, waits, failed, or empty.
	Tone string
}

// FlowLink is money between two nodes.
type FlowLink struct {
	From, To string
	Amount   money.Amount
}

// Month is what came and what was paid in one month, written 2026-03.
type Month struct {
	Month string
	In    money.Amount
	Out   money.Amount
}

// GiftRow is a gift in a list.
type GiftRow struct {
	ID      tape.ID
	Account tape.AccountID
	Page    tape.ID
	Amount  money.Amount
	State   readmodel.GiftState
	At      tape.Instant
	Span    *tape.Span
}

// PayoutState says how far a payout has come.
type PayoutState string

// The states of a payout.
const (
	PayoutOrdered  PayoutState = "ordered"
	PayoutPartPaid PayoutState = "part-paid"
	PayoutPaid     PayoutState = "paid"
	PayoutReturned PayoutState = "returned"
	PayoutReleased PayoutState = "released"
	PayoutTaken    PayoutState = "taken-back"
)

// PayoutRow is a payout in a list.
type PayoutRow struct {
	Account  tape.AccountID
	Hold     tape.ID
	To       tape.AccountID
	Amount   money.Amount
	Paid     money.Amount
	Returned money.Amount
	State    PayoutState
	Expires  tape.Instant
	Entry    string
	Job      tape.ID
	// Reference is what the bank is asked to write into the memo, in groups of four; empty where no bank pays.
	Reference string
	// Enrolled says that a disbursement ordered it, to a payee of the campaign.
	Enrolled bool
	// Confirmation is nil where nothing is known of it.
	Confirmation *Confirmation
	// Flagged is the reason of a flag that was raised on its payee, for an order that is still open, and
	// FlaggedSince when: it stops no order that was given before.
	Flagged      string
	FlaggedSince tape.Instant
}

// Campaign is an account as the public sees it.
type Campaign struct {
	// Books says that there is a page of exports.
	Books bool
	// Acts are the names of what who is logged in may do here.
	Acts []string
	// Life is what belongs to the campaign beside its money.
	Life Life
	// Compare is the plan that waits beside the one in force.
	Compare []Compared
	// Give says that gifts can be announced here.
	Give bool
	// GiveRefused says why an own campaign takes no gifts today; empty where it takes them.
	GiveRefused  string
	Account      tape.AccountID
	Organisation string
	Custodian    tape.AccountID
	Attribution  tape.Attribution
	Facts        *CampaignFacts
	Figures      []Figure
	Flow         *Flow
	// Unbalanced says that the picture could not be drawn because the rows do not add up.
	Unbalanced bool
	Months     []Month
	Gifts      []GiftRow
	Payouts    []PayoutRow
	Feed       []EntryRow
}

// Name of its template.
func (Campaign) Name() string { return "campaign" }

// Gifts lists the gifts of an account.
type Gifts struct {
	Account tape.AccountID
	Title   *Text
	State   string
	Page    tape.ID
	Rows    []GiftRow
	Next    string
}

// Name of its template.
func (Gifts) Name() string { return "gifts" }

// Payouts lists the payouts of an account.
type Payouts struct {
	Account tape.AccountID
	Title   *Text
	State   string
	Rows    []PayoutRow
	Next    string
}

// Name of its template.
func (Payouts) Name() string { return "payouts" }

// Piece is one part of a gift, where it is now.
type Piece struct {
	State   readmodel.State
	Amount  money.Amount
	Account tape.AccountID
	To      tape.AccountID
	Span    *tape.Span
	Date    tape.Date
	// Entry is organisation/id of what brought it there; empty where it has not moved.
	Entry string
	Hold  tape.ID
	// Holder is the account whose hold it is.
	Holder       tape.AccountID
	Expires      *tape.Instant
	Confirmation *Confirmation
	Pool         *readmodel.Pool
	// Fee says that a payment processor kept it.
	Fee bool
}

// What a paid piece is called that has not reached anybody.
const (
	PieceFee      = "fee"
	PieceDisputed = "disputed"
)

// Shown is what the piece is called: a processor's fee reached nobody, and what
// its receiver disputes is not said to have reached it.
func (p Piece) Shown() string {
	switch {
	case p.State == readmodel.Paid && p.Fee:
		return PieceFee
	case p.State == readmodel.Paid && p.Confirmation != nil && p.Confirmation.State == "disputed":
		return PieceDisputed
	}
	return string(p.State)
}

// Tone is how the piece is drawn: done, waits, or failed.
func (p Piece) Tone() string {
	switch readmodel.State(p.Shown()) {
	case readmodel.Paid, readmodel.Shared, readmodel.Laid, PieceFee:
		return "done"
	case readmodel.Refunded, readmodel.ChargedBack, readmodel.Unmatched, readmodel.Withdrawn, PieceDisputed:
		return "failed"
	}
	return "waits"
}

// GiftAct is one form about a gift: the act, and its address.
type GiftAct struct{ Act, Path string }

// Gift is what happened to a gift.
type Gift struct {
	ID          tape.ID
	Account     tape.AccountID
	Title       *Text
	Page        tape.ID
	Amount      money.Amount
	Attribution tape.Attribution
	State       readmodel.GiftState
	Evidence    *tape.Evidence
	Line        *readmodel.Line
	// Moves are what took the whole gift elsewhere, or back.
	Moves []readmodel.Move
	// Withdrawn is why its page was withdrawn, by the entry WithdrawnBy.
	Withdrawn, WithdrawnBy string
	// Fee is the gift's share of what a processor kept, Net what arrived.
	Fee, Net *money.Amount
	// Receipt is where a maker writes the receipt of it, empty for others.
	Receipt string
	// Acts are the forms that who is logged in can open about it.
	Acts   []GiftAct
	Pieces []Piece
	Root   readmodel.Node
	// Address is the page's own, for the QR code.
	Address string
	Proof   *Proof
}

// Name of its template.
func (Gift) Name() string { return "gift" }

// SameGifts lets the reader choose between gifts that share an id.
type SameGifts struct {
	ID   tape.ID
	Rows []GiftRow
}

// Name of its template.
func (SameGifts) Name() string { return "samegifts" }

// Trail is what became of some units of a tape.
type Trail struct {
	Account     tape.AccountID
	Span        tape.Span
	Amount      money.Amount
	Attribution tape.Attribution
	Pieces      []Piece
	Root        readmodel.Node
}

// Name of its template.
func (Trail) Name() string { return "trail" }

// OriginRow is a part of a payout and the gift it came from.
type OriginRow struct {
	readmodel.Origin
	// Units are the place of the part on the asked tape.
	Units tape.Span
}

// Origin is where the money of a payout, or of some units of a tape, came from.
type Origin struct {
	Account     tape.AccountID
	Attribution tape.Attribution
	Amount      money.Amount
	// Payout is nil where units of a tape were asked for.
	Payout *PayoutRow
	Span   *tape.Span
	Rows   []OriginRow
	// Next continues the list: the number of the span, a colon, and a cursor.
	Next  string
	Proof *Proof
	// Personal leads members' staff to what is kept about the payee; PayTo is that.
	Personal string
	PayTo    []PersonalValue
	// Cited are the documents brought for the payout.
	Cited []Evidence
}

// Name of its template.
func (Origin) Name() string { return "origin" }

// Entry is one entry with everything about it.
type Entry struct {
	Entry       readmodel.Entry
	Transaction *readmodel.TransactionSummary
	JSON        json.RawMessage
	// Cited are the documents brought for it, or by it.
	Cited []Evidence
}

// Name of its template.
func (Entry) Name() string { return "entry" }

// Entries lists entries, newest first.
type Entries struct {
	Organisation, Kind, Subject string
	Kinds                       []string
	Rows                        []EntryRow
	Next                        string
}

// Name of its template.
func (Entries) Name() string { return "entries" }

// Blocks lists blocks, newest first.
type Blocks struct {
	Rows []readmodel.BlockSummary
	Next string
}

// Name of its template.
func (Blocks) Name() string { return "blocks" }

// Block is one block and its transactions.
type Block struct {
	Block readmodel.BlockSummary
	Rows  []readmodel.TransactionSummary
	Next  string
	Last  bool
}

// Name of its template.
func (Block) Name() string { return "block" }

// Before is the number of the block before; the first block has none.
func (b Block) Before() uint64 { return b.Block.Number - 1 }

// After is the number of the next block.
func (b Block) After() uint64 { return b.Block.Number + 1 }

// Transactions lists transactions, newest first.
type Transactions struct {
	Invalid bool
	Rows    []readmodel.TransactionSummary
	Next    string
}

// Name of its template.
func (Transactions) Name() string { return "transactions" }

// Transaction is one transaction and its entry; an invalid one has none.
type Transaction struct {
	Transaction readmodel.TransactionSummary
	Entry       *EntryRow
	// Far says that its entry was not found because it is far from both ends of the ledger.
	Far bool
}

// Name of its template.
func (Transaction) Name() string { return "transaction" }

// Account is an account as a bookkeeper sees it.
type Account struct {
	Account      readmodel.Account
	Title        *Text
	Figures      []Figure
	Unidentified []AccountRow
	Settlements  []readmodel.Settlement
	Inflows      []readmodel.Inflow
	Jobs         []readmodel.Job
	Postings     []readmodel.Posting
	// Next continues the postings.
	Next string
}

// Name of its template.
func (Account) Name() string { return "account" }

// Settlements lists the settlements of an account.
type Settlements struct {
	Account  tape.AccountID
	Currency money.Currency
	Rows     []readmodel.Settlement
	Next     string
}

// Name of its template.
func (Settlements) Name() string { return "settlements" }

// Inflows lists the money that came to an account from others of the ledger.
type Inflows struct {
	Account tape.AccountID
	Waiting bool
	Rows    []readmodel.Inflow
	Next    string
}

// Name of its template.
func (Inflows) Name() string { return "inflows" }

// Statements lists bank statements.
type Statements struct {
	Account tape.AccountID
	Rows    []readmodel.Statement
	Next    string
}

// Name of its template.
func (Statements) Name() string { return "statements" }

// Statement is a bank statement with its lines.
type Statement struct {
	Statement readmodel.Statement
	Lines     []readmodel.Line
	Next      string
}

// Name of its template.
func (Statement) Name() string { return "statement" }

// Neighbour is another organisation's gateway.
type Neighbour struct{ Organisation, URL string }

// Balance is the conservation of one currency.
type Balance struct {
	Outside, Tapes, Waiting, Accruals, Difference money.Amount
}

// Status is how far this gateway has read, and whether everything adds up.
type Status struct {
	Organisation string
	Position     readmodel.Position
	// Height is the own peer's; Unreachable says that it does not answer.
	Height      uint64
	Unreachable bool
	Balances    []Balance
	Tiled       int
	Accounts    int
	Faults      []string
	Neighbours  []Neighbour
}

// Name of its template.
func (Status) Name() string { return "status" }

// Lag is how many blocks have not been read yet.
func (s Status) Lag() uint64 {
	if s.Unreachable || s.Height < s.Position.Next {
		return 0
	}
	return s.Height - s.Position.Next
}

// Hit is one thing that a search found. Kind names it in the catalogue, under "hit.".
type Hit struct {
	Kind, Title, Detail, Path string
}

// Search is what a search found.
type Search struct {
	Query string
	Hits  []Hit
}

// Name of its template.
func (Search) Name() string { return "search" }

// Problem is a page that says why there is none, and what to do. Key names it
// in the catalogue, under "problem.".
type Problem struct {
	Status int
	Key    string
	// Detail is the refusal's sentence, in English, for those who want it.
	Detail string
}

// Name of its template.
func (Problem) Name() string { return "problem" }
