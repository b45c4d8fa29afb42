package readmodel

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// State says what became of a piece of money.
type State string

// The states of a piece.
const (
	// Pending: the gift has no span yet; Unmatched: and the bank's lines do not show it.
	// Withdrawn: it will not come.
	Pending   State = "pending"
	Unmatched State = "unmatched"
	Withdrawn State = "withdrawn"
	// Laid: it has its place on Account's tape; the children say what became of it there.
	Laid State = "laid"
	// Free: it waits on the tape and can be spent.
	Free State = "free"
	// Ordered: a hold keeps it for its payee. Released: the hold was given up,
	// and its money waits for the account to take it back.
	Ordered  State = "ordered"
	Released State = "released"
	// InJob: it was set apart for a job whose chunk has not run.
	InJob State = "in-job"
	// Waiting: it has left for Account and waits to be laid on its tape.
	Waiting State = "waiting"
	// Paid: it has left the ledger. Refunded and ChargedBack: for the giver.
	Paid        State = "paid"
	Refunded    State = "refunded"
	ChargedBack State = "charged-back"
	// Shared: the account is pooled. The individual trail ends here with the giver's share.
	Shared State = "shared"
	// More: the tree was cut here because it had become too large; ask for this span by itself.
	More State = "more"
)

// Trace is what became of one gift, to the unit.
type Trace struct {
	Gift Gift `json:"gift"`
	// Attribution is the convention of the gift's account, by which spending is
	// ascribed to gifts. Each node carries that of its own account.
	Attribution tape.Attribution `json:"attribution"`
	// Reversal is the last of Moves.
	Reversal *tape.Reversal `json:"reversal,omitempty"`
	// Moves are what took the whole gift from where it stood, in order: it was
	// identified, corrected, refunded or charged back.
	Moves []Move `json:"moves,omitempty"`
	// Stands is where its money is, as commands about the gift name it.
	Stands Stands `json:"stands"`
	// Line is the bank line that shows the gift, where it is one line.
	Line *Line `json:"line,omitempty"`
	Root Node  `json:"root"`
}

// Move is one time that a gift was taken as a whole.
type Move struct {
	// Account is where it stood before.
	Account tape.AccountID `json:"account"`
	tape.Reversal
	At tape.Instant `json:"at"`
}

// Stands is where a gift's money stands as a whole, however it came there.
type Stands struct {
	Account tape.AccountID `json:"account"`
	// Moved is what a proof of the gift says of its way there, none where it
	// stands on its page's own account.
	Moved *tape.Moved `json:"moved,omitempty"`
	// Span is its place there; none while it waits, or was taken back.
	Span *tape.Span `json:"span,omitempty"`
	// Free is what of it has not been spent or set apart.
	Free money.Amount `json:"free"`
}

// Node is a piece of money. The amounts of its children sum to its own, unless it has none.
type Node struct {
	State  State        `json:"state"`
	Amount money.Amount `json:"amount"`
	// Account is where the piece is, outside:... once it has left the ledger.
	Account tape.AccountID `json:"account"`
	// Attribution is the convention of that account; empty outside.
	Attribution tape.Attribution `json:"attribution,omitempty"`
	// Span is its place on Account's tape; none while it waits, and outside.
	Span *tape.Span `json:"span,omitempty"`
	// Taken is which units of the parent's span the piece is.
	Taken *tape.Span `json:"taken,omitempty"`
	// Via is what brought it here; none for what has not moved.
	Via *Step `json:"via,omitempty"`
	// Pool is set where State is Shared.
	Pool *Pool `json:"pool,omitempty"`
	// Returned are earlier ways of these units that ended with their return.
	Returned []Return `json:"returned,omitempty"`
	Children []Node   `json:"children,omitempty"`
}

// Step is the entry that moved or ordered a piece.
type Step struct {
	// Entry is organisation/id.
	Entry        string       `json:"entry"`
	Kind         string       `json:"kind"`
	At           tape.Instant `json:"at"`
	BusinessDate tape.Date    `json:"businessDate"`
	Block        uint64       `json:"block"`
	// Line is the client's id of the line of a batch.
	Line       tape.ID         `json:"line,omitempty"`
	OnBehalfOf tape.AccountID  `json:"onBehalfOf,omitempty"`
	Evidence   []tape.Evidence `json:"evidence,omitempty"`
	// Hold is the hold that keeps or kept the piece, and To its payee.
	Hold    tape.ID        `json:"hold,omitempty"`
	To      tape.AccountID `json:"to,omitempty"`
	Expires *tape.Instant  `json:"expires,omitempty"`
	Job     tape.ID        `json:"job,omitempty"`
	// Settlement laid the piece: its number on the account, and the entry.
	Settlement *tape.Settlement `json:"settlement,omitempty"`
	// Origin is the entry whose money came back with this step, organisation/id.
	Origin string `json:"origin,omitempty"`
}

// Pool is what a pooled account did as a whole.
type Pool struct {
	Received money.Amount `json:"received"`
	Free     money.Amount `json:"free"`
	Held     money.Amount `json:"held"`
	Spent    money.Amount `json:"spent"`
}

// Return is money that went out and came back to the same units.
type Return struct {
	Amount money.Amount   `json:"amount"`
	Span   tape.Span      `json:"span"`
	To     tape.AccountID `json:"to"`
	Out    Step           `json:"out"`
	Back   Step           `json:"back"`
}

// Back is one part of what a span is made of, in the order of its units.
type Back struct {
	Account tape.AccountID `json:"account"`
	Span    tape.Span      `json:"span"`
	Origins []Origin       `json:"origins"`
	Next    string         `json:"next,omitempty"`
}

// OriginKind says where the way back ends.
type OriginKind string

// The way back ends at a gift; at a pool, whose gifts cannot be told apart; or
// at money that came back from outside and whose origin only an entry names.
const (
	FromGift    OriginKind = "gift"
	FromPool    OriginKind = "pool"
	FromOutside OriginKind = "outside"
)

// Origin is a piece of the asked span and where it came from.
type Origin struct {
	Kind   OriginKind   `json:"kind"`
	Amount money.Amount `json:"amount"`
	// Offset counts the units of the asked span before this piece.
	Offset int64 `json:"offset,string"`
	// Account and Span are where the way back ends.
	Account tape.AccountID `json:"account"`
	Span    tape.Span      `json:"span"`
	// Gift is whose money it was; the piece may be only a part of it.
	Gift *Gift `json:"gift,omitempty"`
	// Entry is set where Kind is outside, organisation/id.
	Entry string `json:"entry,omitempty"`
	// Path lists the accounts between the asked one and this, the asked one first.
	Path []Hop `json:"path,omitempty"`
}

// Hop is a transfer on the way back.
type Hop struct {
	// Account received Span from the next account of the path.
	Account tape.AccountID `json:"account"`
	Span    tape.Span      `json:"span"`
	// Inflow is organisation/entry/index.
	Inflow string `json:"inflow"`
}

// Conservation is whether no unit is missing and none is doubled.
type Conservation struct {
	Currencies []CurrencyBalance `json:"currencies"`
	// Accounts is their number, Tiled how many tapes have no gap and no overlap.
	Accounts int `json:"accounts"`
	Tiled    int `json:"tiled"`
	// Faults are sentences, one for each thing that does not agree; none when all is well.
	Faults []string `json:"faults"`
}

// CurrencyBalance must come to zero: Outside + Tapes + Waiting.
type CurrencyBalance struct {
	Currency money.Currency `json:"currency"`
	// Outside is what went out less what came in, in minor units; negative as a rule.
	Outside int64 `json:"outside,string"`
	// Tapes is what is free or held on all tapes, Waiting what is between two accounts.
	Tapes   int64 `json:"tapes,string"`
	Waiting int64 `json:"waiting,string"`
	// Memos is the sum over all accruals, zero by itself.
	Memos int64 `json:"memos,string"`
	// Difference is Outside + Tapes + Waiting.
	Difference int64 `json:"difference,string"`
}

// Digest is the read model in a few bytes: two that read the same blocks have the same one.
type Digest struct {
	Position Position      `json:"position"`
	SHA256   string        `json:"sha256"`
	Tables   []TableDigest `json:"tables"`
	// Aside are the first transactions that were not understood.
	Aside []Aside `json:"aside,omitempty"`
}

// TableDigest is one table.
type TableDigest struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}
