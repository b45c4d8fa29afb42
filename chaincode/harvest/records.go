// Package harvest follows a crop from the scale to the sale: lots that
// households deliver, that are merged, processed, bagged, stored and sold, and
// whose every gram stays some household's.
//
// A rule here is a function of records, a command and a context. It returns
// what becomes, and one entry, or a refusal. It knows nothing of loans and
// moves no money: a sale says what it brought and whose the grams were.
// README.md lists keys, commands, refusals and entries.
package harvest

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The keys of the ledger. Every lot, step and sale has its own, so that two
// scales of one scheme never wait for each other.

// TermsKey is where the Terms of a scheme stand.
func TermsKey(scheme tape.AccountID) string { return "harvest/" + string(scheme) }

// LotKey is where a Lot stands.
func LotKey(scheme tape.AccountID, lot tape.ID) string {
	return "lot/" + string(scheme) + "/" + string(lot)
}

// CompositionKey is where page n of the households of a lot stands.
func CompositionKey(scheme tape.AccountID, lot tape.ID, n int32) string {
	return "composition/" + string(scheme) + "/" + string(lot) + "/" + strconv.Itoa(int(n))
}

// StepKey is where the Step stands that an entry made.
func StepKey(scheme tape.AccountID, id tape.ID) string {
	return "step/" + string(scheme) + "/" + string(id)
}

// MoveKey is where the Move stands that an entry made.
func MoveKey(scheme tape.AccountID, id tape.ID) string {
	return "move/" + string(scheme) + "/" + string(id)
}

// BagsKey is where the Bags of a lot stand.
func BagsKey(scheme tape.AccountID, lot tape.ID) string {
	return "bags/" + string(scheme) + "/" + string(lot)
}

// UnitKey exists once a bag has borne a number: it is never given again.
func UnitKey(scheme tape.AccountID, sscc string) string {
	return "unit/" + string(scheme) + "/" + sscc
}

// SaleKey is where a Sale stands.
func SaleKey(scheme tape.AccountID, sale tape.ID) string {
	return "sale/" + string(scheme) + "/" + string(sale)
}

// SecurityKey is where the Security of a loan stands.
func SecurityKey(scheme tape.AccountID, loan tape.ID) string {
	return "security/" + string(scheme) + "/" + string(loan)
}

// ShareKey is where page n of the households of a sale stands.
func ShareKey(scheme tape.AccountID, sale tape.ID, n int32) string {
	return "share/" + string(scheme) + "/" + string(sale) + "/" + strconv.Itoa(int(n))
}

// Terms are what is agreed about the harvest of a scheme. A new version is for
// what comes after it; each step notes the version that it was judged by.
type Terms struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	// Organisation is the cooperative: it carries the scheme's commands.
	Organisation string    `json:"organisation"`
	Version      int32     `json:"version"`
	Agreement    Agreement `json:"agreement"`
	Entry        string    `json:"entry"`
}

// State is where a lot stands.
type State string

// A lot is stored or shipped until all of it is consumed by a step, is sold, or
// turns out never to have been. Only a correction brings a consumed or sold lot back.
const (
	Stored    State = "stored"
	Shipped   State = "shipped"
	Consumed  State = "consumed"
	Sold      State = "sold"
	Corrected State = "corrected"
)

// Lot is a quantity of one form and grade that lies together. Its weight never
// changes: what takes something off it or puts something to it makes other lots.
type Lot struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	ID     tape.ID        `json:"id"`
	Form   string         `json:"form"`
	Grade  string         `json:"grade"`
	Grams  int64          `json:"grams,string"`
	// Household is whose all of it is; none where it is several households':
	// these stand in its pages, CompositionKey.
	Household   tape.AccountID `json:"household,omitempty"`
	Composition Composition    `json:"composition"`
	// Delivery is how it was weighed; none for a lot that a step made.
	Delivery *Delivery `json:"delivery,omitempty"`
	// Made is the step that made it, Consumed the one that used it up.
	Made     tape.ID `json:"made,omitempty"`
	Consumed tape.ID `json:"consumed,omitempty"`
	State    State   `json:"state"`
	// Store is where it lies; of a shipped lot where it goes to.
	Store string `json:"store"`
	// Bags is the number of its bags, 0 while it is loose.
	Bags int32 `json:"bags,omitempty"`
	// Pledged is the pledge on it; none while it is free.
	Pledged *Pledged `json:"pledged,omitempty"`
	// Sale is the sale that it was sold by.
	Sale tape.ID `json:"sale,omitempty"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Composition says how many households' a weight is, on how many pages they
// stand, and the Merkle sum root over these pages: it fixes everybody's grams.
type Composition struct {
	Households int32       `json:"households"`
	Pages      int32       `json:"pages"`
	Root       merkle.Hash `json:"root"`
}

// Page is a part of a composition, in the order of the households' names.
type Page struct {
	V      int32  `json:"v"`
	Shares Shares `json:"shares"`
}

// Delivery is what the scale and the grader said.
type Delivery struct {
	GrossGrams int64       `json:"grossGrams,string"`
	TareGrams  int64       `json:"tareGrams,string"`
	Deductions []Deduction `json:"deductions,omitempty"`
	// MoisturePartsPerMillion is the water in it; 0 where nobody measured.
	MoisturePartsPerMillion int32     `json:"moisturePartsPerMillion,omitempty"`
	Harvested               tape.Date `json:"harvested"`
	// Weigher is who weighed, By who delivered: the household, or an agent for it.
	Weigher tape.Approval `json:"weigher"`
	By      tape.Approval `json:"by"`
	// At is when, Corrected that it was none or was wrong.
	At        tape.Instant `json:"at"`
	Corrected *Correction  `json:"corrected,omitempty"`
	Entry     string       `json:"entry"`
}

// Correction says that something was written wrongly, and why: one of Reasons.
type Correction struct {
	At     tape.Instant `json:"at"`
	Entry  string       `json:"entry"`
	Reason string       `json:"reason"`
}

// Pledged is a lender's right over a lot: a warehouse receipt.
type Pledged struct {
	Lender string `json:"lender"`
	// Loan is what it secures: a loan of the scheme, or another debt as the lender names it.
	Loan tape.ID `json:"loan"`
	// ValuePerTonne is what all who signed took the lot to be worth; none for another debt.
	ValuePerTonne money.Amount `json:"valuePerTonne,omitzero"`
	Entry         string       `json:"entry"`
}

// Security is which lots secure a loan of the scheme. What they are worth beyond the
// cover of what is owed is free without the lender's word.
type Security struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	Loan   tape.ID        `json:"loan"`
	Lender string         `json:"lender"`
	// CoverPartsPerMillion is how much value stands against what is owed: 1500000 is one and a half times as much.
	CoverPartsPerMillion int32      `json:"coverPartsPerMillion"`
	Lots                 []Securing `json:"lots,omitempty"`
	Entry                string     `json:"entry"`
}

// Securing is one lot that secures a loan.
type Securing struct {
	Grams         int64        `json:"grams,string"`
	Lot           tape.ID      `json:"lot"`
	ValuePerTonne money.Amount `json:"valuePerTonne"`
}

// Step made lots out of lots. It is written once, but for its correction.
type Step struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	ID     tape.ID        `json:"id"`
	// Kind is merge, process or divide.
	Kind string `json:"kind"`
	// Process is that of the terms, of the version Terms; none for a merge and a division.
	Process string    `json:"process,omitempty"`
	Terms   int32     `json:"terms"`
	Inputs  []Weighed `json:"inputs"`
	Outputs []Weighed `json:"outputs"`
	// LossGrams is what the inputs weighed more than the outputs.
	LossGrams int64 `json:"lossGrams,string"`
	// Exception says that the yield was not in the agreed range, and that a
	// second organisation signed it.
	Exception bool         `json:"exception,omitempty"`
	At        tape.Instant `json:"at"`
	Corrected *Correction  `json:"corrected,omitempty"`
	Entry     string       `json:"entry"`
}

// Move took lots out of a store on their way to another (ship), or into it (arrive).
type Move struct {
	V    int32     `json:"v"`
	ID   tape.ID   `json:"id"`
	Kind string    `json:"kind"`
	Lots []Weighed `json:"lots"`
	// From are the stores that the lots lay in, in the order of the lots; none for an arrival.
	From  []string     `json:"from,omitempty"`
	To    string       `json:"to"`
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Weighed is a lot and its weight.
type Weighed struct {
	Grams int64   `json:"grams,string"`
	Lot   tape.ID `json:"lot"`
}

// Bags are those of one lot; together they weigh what it weighs.
type Bags struct {
	V     int32        `json:"v"`
	Lot   tape.ID      `json:"lot"`
	Units []Unit       `json:"units"`
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// SaleState is where a sale stands.
type SaleState string

// An open sale can be corrected; one whose settlement has begun cannot.
const (
	SaleOpen      SaleState = "open"
	SaleSettled   SaleState = "settled"
	SaleCorrected SaleState = "corrected"
)

// Sale is what a buyer pays for lots, and whose they were.
type Sale struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	ID     tape.ID        `json:"id"`
	Buyer  tape.AccountID `json:"buyer"`
	// Invoice is the salted hash of the document.
	Invoice       merkle.Hash  `json:"invoice"`
	Form          string       `json:"form"`
	Grade         string       `json:"grade"`
	Lots          []Weighed    `json:"lots"`
	Grams         int64        `json:"grams,string"`
	PricePerTonne money.Amount `json:"pricePerTonne"`
	Proceeds      money.Amount `json:"proceeds"`
	Costs         []Cost       `json:"costs,omitempty"`
	// Net is what the households share, by the grams on the sale's pages, ShareKey.
	Net         money.Amount `json:"net"`
	Composition Composition  `json:"composition"`
	State       SaleState    `json:"state"`
	At          tape.Instant `json:"at"`
	Corrected   *Correction  `json:"corrected,omitempty"`
	Entry       string       `json:"entry"`
	// Settled is the entry by which its settlement began, organisation/id.
	Settled string `json:"settled,omitempty"`
}

// Mark is a record whose being there is the fact.
type Mark struct {
	V     int32  `json:"v"`
	Entry string `json:"entry"`
}
