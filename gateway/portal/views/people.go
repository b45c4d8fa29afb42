package views

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
)

// Way is a link that begins a login.
type Way struct{ Title, Address string }

// Challenge is what a person's key signs to log in.
type Challenge struct {
	// Address is what to copy into lianbao person login.
	Address, Nonce, Person string
	Deadline               tape.Instant
	// Typed is the same for a wallet or card: typed data in JSON.
	Typed string
}

// Login is where people log in, and where they are told why they were not let in.
type Login struct {
	Message message.Message
	// Broken says that the message is a refusal.
	Broken        bool
	Ways          []Way
	Challenge     *Challenge
	Return, Token string
	// Demonstration says that anybody can log in as one of the staff.
	Demonstration bool
}

// Name of its template.
func (Login) Name() string { return "login" }

// Refusal is the rules' no: its code, and their sentence in English.
type Refusal struct{ Code, Text string }

// DraftLine is one field of a command as it will be signed.
type DraftLine struct{ Field, Value string }

// Draft is a command that waits for signatures, or what became of it.
type Draft struct {
	ID, Function string
	Sentence     message.Message
	Lines        []DraftLine
	By           tape.ID
	Signed       []tape.Approval
	Persons      int
	Expires      tape.Instant
	// Person is who is logged in. Mine says that it can still sign, Here that
	// the gateway holds its key, OwnHand that this must be signed by a key in
	// the person's own hands although the gateway holds one.
	Person              tape.ID
	Mine, Here, OwnHand bool
	// State is waiting, submitted, done, refused or failed; empty before it was handed over.
	State   string
	Refusal *Refusal
	Trouble string
	// Back is the page that it is about.
	Back string
	// Missing have not signed, where it is known who they are; Promise is what a
	// household signs by it.
	Missing []Missing
	Promise *Promise
}

// Missing is one who has to sign: somebody of an organisation's staff, or one person.
type Missing struct {
	Organisation string
	Person       tape.ID
}

// Drafts is one draft, a list of them, or why something was not done.
type Drafts struct {
	Message *message.Message
	Refusal *Refusal
	Draft   *Draft
	List    []Draft
	Token   string
}

// Name of its template.
func (Drafts) Name() string { return "drafts" }

// Refused says why something was not done. Code names what to do in the
// catalogue, under "refused.".
type Refused struct {
	Message *message.Message
	Refusal Refusal
	Back    string
}

// Name of its template.
func (Refused) Name() string { return "refused" }

// BudgetChoice is a budget line to choose, with what is left on it.
type BudgetChoice struct {
	ID    tape.ID
	Title Text
	Left  money.Amount
}

// Propose is the form of a proposal.
type Propose struct {
	Account tape.AccountID
	Title   *Text
	Lines   []BudgetChoice
	// Payees are proposed for choosing, the first of the list; all others can be typed.
	Payees []tape.AccountID
	// Rows are how many payments the form has, Documents how many documents.
	Rows, Documents []int
	ID              tape.ID
	// Free can be ordered now.
	Free   money.Amount
	Acting *Acting
}

// Name of its template.
func (Propose) Name() string { return "propose" }

// MyPayout is a payout of who is logged in.
type MyPayout struct {
	PayoutRow
	Title *Text
	// For is the ward whose payout it is; empty for one's own.
	For tape.ID
	// MayConfirm and MayDispute say which words the ledger can take now.
	MayConfirm, MayDispute bool
}

// Me is the page of a person.
type Me struct {
	Person  tape.ID
	Roles   []string
	Custody string
	// Confirms says that the key's custody lets it confirm an arrival.
	Confirms bool
	Payouts  []MyPayout
	// Wards are those for whom the person may speak as their guardian.
	Wards []tape.ID
	// Consents are those of the person and of its wards.
	Consents []party.Consent
	// Organisations are the members, Purposes and Abouts the lists of a consent.
	Organisations, Purposes, Abouts []string
	// Today is the first day that a consent can end.
	Today tape.Date
	// Enrolled is on how many campaigns' lists the person stands.
	Enrolled int
	Reasons  []string
	// Data is what is kept here about the person, by its kind.
	Data  []MyData
	Token string
	// Households are those for which the person signs, in all schemes.
	Households []MyHousehold
	// Signings are what the gateway signed for the person, the last first.
	Signings []Signing
}

// Signing is a signature that the gateway made for who was logged in.
type Signing struct {
	At tape.Instant
	// Kind names the act in the catalogue, under "kind."; Action is the word that was signed.
	Kind, Action string
	Subject      string
	Amount       string
	// By says how the person had logged in.
	By       string
	Deadline tape.Instant
}

// Name of its template.
func (Me) Name() string { return "me" }

// KeyRow is one key of a person. State is waits (for a witness), waiting (in
// its period), in-force or suspended.
type KeyRow struct {
	party.Key
	State string
	// May says what who is logged in may do about it: witness, suspend.
	May map[string]bool
}

// PersonPage is a person of the ledger with its keys and who holds them.
type PersonPage struct {
	Person party.Person
	Block  uint64
	Keys   []KeyRow
	// Hours pass from the witness on until a key is in force, Days until its
	// registrar may carry what it signs.
	Hours, Days int
	// Named says that this organisation can confirm the guardian that waits, or its end.
	Named bool
	// Acting is set where who is logged in may act; May has revoke and guard.
	Acting *Acting
}

// Name of its template.
func (PersonPage) Name() string { return "person" }

// PersonRow is a person whose key waits for a witness.
type PersonRow struct {
	ID           tape.ID
	Organisation string
	Key          party.Key
	At           tape.Instant
}

// Persons is where an organisation brings its people's keys, and vouches for others'.
type Persons struct {
	Organisation string
	// Waiting wait for this organisation's witness, Brought for another's.
	Waiting, Brought []PersonRow
	Hours, Days      int
	// Acting is set where who is logged in may bring keys; Draws says that this
	// gateway can hold them.
	Acting *Acting
	Draws  bool
	// Organisations are the members, to choose from.
	Organisations []string
}

// Name of its template.
func (Persons) Name() string { return "persons" }

// Bring shows a proof before it goes to the ledger.
type Bring struct {
	Proof persons.Proof
	Text  string
	// Known says that the person is registered: the key takes the place of the one before.
	Known bool
	// Here says that this organisation brings it; else it is handed on.
	Here   bool
	Acting *Acting
}

// Name of its template.
func (Bring) Name() string { return "bring" }
