// Package fund is the charity's fund trail: campaigns with a plan that the law
// asks for, disbursements that one person proposes and another approves, and
// arrivals that the receivers themselves confirm.
//
// A rule here is a function of records, a command and a context. It returns
// what becomes, and one entry, or a refusal. Money moves on the tape only:
// what a campaign spends is a job of its account, whose record names this
// package as the subject that alone may spend it. README.md lists keys,
// commands, refusals and entries.
package fund

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Subject is what accounts say that only these rules spend.
const Subject = "fund"

// The keys of the ledger. Every fact has its own; what is rewritten (a
// campaign, its budget, a payee's flag, a confirmation) belongs to one campaign.

// CampaignKey is where a Campaign stands, by its account.
func CampaignKey(account tape.AccountID) string { return "campaign/" + string(account) }

// BudgetKey is where the Budget of a campaign stands: only orders rewrite it,
// and they rewrite the account's head anyway.
func BudgetKey(account tape.AccountID) string { return "budget/" + string(account) }

// InvitationKey is where the Invitation of a partner's account stands.
func InvitationKey(campaign, partner tape.AccountID) string {
	return "invited/" + string(campaign) + "/" + string(partner)
}

// PayeeKey is where a Payee of a campaign stands.
func PayeeKey(campaign, payee tape.AccountID) string {
	return "payee/" + string(campaign) + "/" + string(payee)
}

// FlagKey is where a Flag on a payee stands.
func FlagKey(campaign, payee tape.AccountID) string {
	return "flag/" + string(campaign) + "/" + string(payee)
}

// AgentKey is where the Agent of a campaign stands.
func AgentKey(campaign tape.AccountID, person tape.ID) string {
	return "agent/" + string(campaign) + "/" + string(person)
}

// CallBackKey is where the last CallBack to a payee stands.
func CallBackKey(campaign, payee tape.AccountID) string {
	return "callback/" + string(campaign) + "/" + string(payee)
}

// DisbursementKey is where a Disbursement stands as it was proposed.
func DisbursementKey(campaign tape.AccountID, id tape.ID) string {
	return "disbursement/" + string(campaign) + "/" + string(id)
}

// ListedKey exists once chunk n of a disbursement has been listed for its approvers.
func ListedKey(campaign tape.AccountID, id tape.ID, n int32) string {
	return "listed/" + string(campaign) + "/" + string(id) + "/" + strconv.Itoa(int(n))
}

// ApprovedKey is where a person's Approved stands: approvers never wait for each other.
func ApprovedKey(campaign tape.AccountID, id, person tape.ID) string {
	return "approved/" + string(campaign) + "/" + string(id) + "/" + string(person)
}

// RejectedKey exists once a disbursement was rejected or withdrawn.
func RejectedKey(campaign tape.AccountID, id tape.ID) string {
	return "rejected/" + string(campaign) + "/" + string(id)
}

// OrderedKey exists once a disbursement was ordered.
func OrderedKey(campaign tape.AccountID, id tape.ID) string {
	return "ordered/" + string(campaign) + "/" + string(id)
}

// GrantedKey is where what a campaign has paid another of the ledger stands.
func GrantedKey(campaign, partner tape.AccountID) string {
	return "granted/" + string(campaign) + "/" + string(partner)
}

// RestoredKey exists once what a hold did not pay was given back to its budget line.
func RestoredKey(campaign tape.AccountID, hold tape.ID) string {
	return "restored/" + string(campaign) + "/" + string(hold)
}

// ConfirmationKey is where the receiver's Confirmation of one payout stands.
func ConfirmationKey(campaign tape.AccountID, hold tape.ID) string {
	return "confirmation/" + string(campaign) + "/" + string(hold)
}

// CitedKey exists once a document was cited for something of a campaign.
func CitedKey(campaign tape.AccountID, hash merkle.Hash) string {
	return "cited/" + string(campaign) + "/" + hash.String()
}

// PublicationsKey is where the last Publication of a campaign is noted.
func PublicationsKey(campaign tape.AccountID) string { return "publications/" + string(campaign) }

// PublicationKey is where publication number n of a campaign stands.
func PublicationKey(campaign tape.AccountID, n int32) string {
	return "publication/" + string(campaign) + "/" + strconv.Itoa(int(n))
}

// PledgeKey is where a Pledge stands.
func PledgeKey(campaign tape.AccountID, id tape.ID) string {
	return "pledge/" + string(campaign) + "/" + string(id)
}

// KeptKey exists once a gift has kept a pledge: it keeps no other.
func KeptKey(campaign tape.AccountID, page tape.ID, index int32) string {
	return "kept/" + string(campaign) + "/" + string(page) + "/" + strconv.Itoa(int(index))
}

// GoodsKey is where a gift in kind stands.
func GoodsKey(campaign tape.AccountID, id tape.ID) string {
	return "goods/" + string(campaign) + "/" + string(id)
}

// Basis says under which law a campaign collects or spends.
type Basis string

// A public campaign is filed with the regulator; an agreement binds donors who
// consent by name; a grant is a partner's share of another campaign, an
// earmark a part of one that may be spent on some of its lines only.
const (
	Filing    Basis = "filing"
	Agreement Basis = "agreement"
	Grant     Basis = "grant"
	Earmark   Basis = "earmark"
)

// State is where a campaign stands.
type State string

// A campaign by filing is a draft until the regulator accepts its plan.
const (
	Draft  State = "draft"
	Active State = "active"
	Closed State = "closed"
)

// Campaign is a purpose for which a charity collects, and its plan.
type Campaign struct {
	V            int32          `json:"v"`
	Account      tape.AccountID `json:"account"`
	Organisation string         `json:"organisation"`
	Basis        Basis          `json:"basis"`
	// Parent is the campaign whose money a grant or an earmark spends.
	Parent tape.AccountID `json:"parent,omitempty"`
	State  State          `json:"state"`
	// Version counts the plans that were in force; 0 while the first is a draft.
	Version int32 `json:"version"`
	Plan    Plan  `json:"plan"`
	// Pending is an amended plan that waits for the regulator.
	Pending *Plan `json:"pending,omitempty"`
	// Filing is the filing of the plan in force.
	Filing *Filed `json:"filing,omitempty"`
	// Closed is when it was closed; none while open.
	Closed tape.Instant `json:"closed,omitempty"`
	// Submitted is the day on which its first plan was handed in, Numbered that of its first filing number.
	Submitted tape.Date `json:"submitted"`
	Numbered  tape.Date `json:"numbered,omitempty"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Filed is the regulator's acceptance of a plan.
type Filed struct {
	// Number is the filing number that the regulator gave.
	Number string    `json:"number"`
	Date   tape.Date `json:"date"`
	Entry  string    `json:"entry"`
}

// Budget counts what a campaign has ordered, less what came back, in minor units.
type Budget struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	Lines   []Ordered      `json:"lines"`
	// Carried is what other campaigns handed over when they ended. It was counted
	// where it was first received, so no management cost is taken of it again.
	Carried int64 `json:"carried,omitempty,string"`
}

// Granted is what a campaign has paid another, its grant or its earmark, on each
// of its budget lines and has not got back. It stands by itself, so that payouts
// to households never wait for it.
type Granted struct {
	V int32 `json:"v"`
	// Lines stand in the order in which they paid first.
	Lines []Ordered `json:"lines"`
}

// Ordered is the money ordered on one budget line, or paid on it to another campaign.
type Ordered struct {
	Line  tape.ID `json:"line"`
	Units int64   `json:"units,string"`
}

// Invitation lets a partner's account receive a campaign's money.
type Invitation struct {
	V       int32          `json:"v"`
	Partner tape.AccountID `json:"partner"`
	// Organisation is whose account it is to be: a name alone is anyone's to open.
	Organisation string `json:"organisation"`
	// Withdrawn partners get no more; what they have stays theirs to spend.
	Withdrawn bool   `json:"withdrawn,omitempty"`
	Entry     string `json:"entry"`
}

// Payee is somebody whom a campaign may pay, outside the ledger.
type Payee struct {
	V     int32          `json:"v"`
	Payee tape.AccountID `json:"payee"`
	// Kind is household, supplier or staff.
	Kind string `json:"kind"`
	// Person is the receiver's own key, by which it confirms; none for who has none yet.
	Person tape.ID `json:"person,omitempty"`
	// Next is who takes the person's place; none while nobody does.
	Next *NextPerson `json:"next,omitempty"`
	// Agent is the person who enrolled and serves the payee; none for the charity itself.
	Agent tape.ID `json:"agent,omitempty"`
	// EnrolledBy are those who signed the list: they do not call the payee back.
	EnrolledBy []tape.ID `json:"enrolledBy,omitempty"`
	// BankAccount and Device are keyed fingerprints: equal values show one bank
	// account or one device behind several payees, and nothing else.
	BankAccount string `json:"bankAccount,omitempty"`
	Device      string `json:"device,omitempty"`
	Entry       string `json:"entry"`
}

// NextPerson is a person who takes another's place, and why, at From.
type NextPerson struct {
	Person tape.ID      `json:"person"`
	Reason string       `json:"reason"`
	From   tape.Instant `json:"from"`
	Entry  string       `json:"entry"`
}

// Flag stops payouts to a payee while one of any organisation stands.
type Flag struct {
	V int32 `json:"v"`
	// Raised are those that stand, one of an organisation at most, the oldest first.
	Raised []RaisedFlag `json:"raised,omitempty"`
	// Entry raised or lifted one last.
	Entry string `json:"entry"`
}

// RaisedFlag is the flag of one organisation.
type RaisedFlag struct {
	Organisation string       `json:"organisation"`
	Reason       string       `json:"reason"`
	Since        tape.Instant `json:"since"`
	Entry        string       `json:"entry"`
}

// standing are the flags that stand.
func (f *Flag) standing() []RaisedFlag {
	if f == nil {
		return nil
	}
	return f.Raised
}

// of is the flag of an organisation, nil where it has raised none.
func (f *Flag) of(organisation string) *RaisedFlag {
	for _, raised := range f.standing() {
		if raised.Organisation == organisation {
			return &raised
		}
	}
	return nil
}

// with is what stands once an organisation's flag was raised or lifted.
func (f *Flag) with(raise bool, reason string, entry tape.Entry) Flag {
	next := Flag{V: 1, Entry: entry.Reference()}
	for _, raised := range f.standing() {
		if raised.Organisation != entry.Organisation {
			next.Raised = append(next.Raised, raised)
		}
	}
	if raise {
		next.Raised = append(next.Raised, RaisedFlag{Organisation: entry.Organisation, Reason: reason, Since: entry.At, Entry: entry.Reference()})
	}
	return next
}

// Agent is a person who may enrol and serve payees of a campaign, up to a number.
type Agent struct {
	V         int32   `json:"v"`
	Person    tape.ID `json:"person"`
	PayeesMax int32   `json:"payeesMax"`
	Payees    int32   `json:"payees"`
	// Ended agents enrol nobody any more.
	Ended bool   `json:"ended,omitempty"`
	Entry string `json:"entry"`
}

// CallBack says what a payee answered to somebody who is not its agent.
type CallBack struct {
	V       int32  `json:"v"`
	Outcome string `json:"outcome"`
	// Caller is who asked.
	Caller tape.ID `json:"caller"`
	Entry  string  `json:"entry"`
}

// Disbursement is a proposal to pay: to whom and how much is fixed by the root.
type Disbursement struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	// Line is the budget line that it is for.
	Line   tape.ID      `json:"line"`
	Amount money.Amount `json:"amount"`
	// Count is the number of payments, Chunks that of the chunks, Root the
	// Merkle sum root over the chunks.
	Count   int32        `json:"count"`
	Chunks  int32        `json:"chunks"`
	Root    merkle.Hash  `json:"root"`
	Expires tape.Instant `json:"expires"`
	// Evidence are the documents that it rests on.
	Evidence []Citation `json:"evidence,omitempty"`
	// Plan is the version of the plan that it was proposed under: who approves
	// it approves it for that plan.
	Plan int32 `json:"plan"`
	// Maker is who proposed it.
	Maker tape.Approval `json:"maker"`
	At    tape.Instant  `json:"at"`
	Entry string        `json:"entry"`
}

// Citation names a document by its salted hash; the original is encrypted elsewhere.
type Citation struct {
	Hash merkle.Hash `json:"hash"`
	// Kind is one of CitationKinds.
	Kind string `json:"kind"`
}

// CitationKinds are the words for what a document is.
func CitationKinds() []string {
	return []string{"invoice", "photo", "delivery-note", "agreement", "list", "publication", "other"}
}

// Listed notes that a chunk was laid open before it is approved.
type Listed struct {
	V     int32        `json:"v"`
	N     int32        `json:"n"`
	Count int32        `json:"count"`
	Total money.Amount `json:"total"`
	// Concerned are the persons whom the chunk pays or who serve its payees, in
	// the order of their names: they do not approve it.
	Concerned []tape.ID `json:"concerned,omitempty"`
	// Partners are the other organisations whose accounts the chunk pays, in the
	// order of their names: nobody of theirs approves it.
	Partners []string `json:"partners,omitempty"`
	Entry    string   `json:"entry"`
}

// Approved is one person's approval of a disbursement.
type Approved struct {
	V        int32         `json:"v"`
	Approval tape.Approval `json:"approval"`
	Entry    string        `json:"entry"`
}

// Rejected ends a disbursement that was not ordered.
type Rejected struct {
	V      int32         `json:"v"`
	Reason string        `json:"reason"`
	By     tape.Approval `json:"by"`
	Entry  string        `json:"entry"`
}

// Mark is a record whose being there is the fact.
type Mark struct {
	V     int32  `json:"v"`
	Entry string `json:"entry"`
}

// Restored is what of a payout was given back to its budget line so far.
type Restored struct {
	V     int32  `json:"v"`
	Units int64  `json:"units,string"`
	Entry string `json:"entry"`
}

// Confirmation is what the receiver of a payout last said about its arrival.
type Confirmation struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	Hold    tape.ID        `json:"hold"`
	Payee   tape.AccountID `json:"payee"`
	// Outcome is arrived or disputed; Reason says why it is disputed.
	Outcome string       `json:"outcome"`
	Reason  string       `json:"reason,omitempty"`
	Amount  money.Amount `json:"amount"`
	// Disputed is the entry by which the receiver disputed it before, the last
	// of several: a dispute that was settled is not a dispute that never was.
	Disputed string `json:"disputed,omitempty"`
	// By is the receiver, with the custody of its key, or its guardian; For is then
	// the receiver's person, and else empty.
	By    tape.Approval `json:"by"`
	For   tape.ID       `json:"for,omitempty"`
	At    tape.Instant  `json:"at"`
	Entry string        `json:"entry"`
}

// Confirmed is what the receiver confirmed and still has: of a payout that the
// bank took back later, no more than is paid.
func (c Confirmation) Confirmed(hold tape.Hold) money.Amount {
	if c.Outcome != Arrived {
		return money.New(0, hold.Amount.Currency)
	}
	return money.New(min(c.Amount.Units, hold.Captured.Total()-hold.Returned.Total()), hold.Amount.Currency)
}

// Contested is what the bank has paid and the receiver disputes.
func (c Confirmation) Contested(hold tape.Hold) money.Amount {
	if c.Outcome != Disputed {
		return money.New(0, hold.Amount.Currency)
	}
	return money.New(hold.Captured.Total()-hold.Returned.Total(), hold.Amount.Currency)
}

// Cited is a document brought for something that has happened.
type Cited struct {
	V int32 `json:"v"`
	Citation
	// For is an entry, organisation/id, or a payout's hold.
	For   string `json:"for"`
	Entry string `json:"entry"`
}

// Publication is what a charity published about a campaign: its figures, and
// the hash of the whole document. They are numbered from 1 and chained.
type Publication struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	N       int32          `json:"n"`
	// Previous is the document of publication n-1, empty for the first.
	Previous string `json:"previous"`
	// Duty is the duty of the law that it meets, such as progress or final.
	Duty string    `json:"duty"`
	From tape.Date `json:"from"`
	To   tape.Date `json:"to"`
	// Block is the last block that its figures count.
	Block    int32       `json:"block"`
	Figures  Figures     `json:"figures"`
	Document merkle.Hash `json:"document"`
	Date     tape.Date   `json:"date"`
	Entry    string      `json:"entry"`
}

// Publications notes the last publication of a campaign.
type Publications struct {
	V int32 `json:"v"`
	N int32 `json:"n"`
	// Block and Document are those of publication N.
	Block    int32       `json:"block"`
	Document merkle.Hash `json:"document"`
}

// Figures are a campaign's sums, each in its currency.
type Figures struct {
	Raised     money.Amount `json:"raised"`
	Settled    money.Amount `json:"settled"`
	Ordered    money.Amount `json:"ordered"`
	Paid       money.Amount `json:"paid"`
	Confirmed  money.Amount `json:"confirmed"`
	Management money.Amount `json:"management"`
}

// Pledge is money that was promised. It is on no tape.
type Pledge struct {
	V      int32        `json:"v"`
	ID     tape.ID      `json:"id"`
	Amount money.Amount `json:"amount"`
	// Donor is the salted commitment to who promised.
	Donor string    `json:"donor,omitempty"`
	Due   tape.Date `json:"due"`
	// State is open, kept or cancelled.
	State string `json:"state"`
	// Gift is the page and id of the gift that kept it.
	Gift  string `json:"gift,omitempty"`
	Entry string `json:"entry"`
}

// Goods are a gift in kind: a quantity of something, no money.
type Goods struct {
	V        int32   `json:"v"`
	ID       tape.ID `json:"id"`
	Item     string  `json:"item"`
	Unit     string  `json:"unit"`
	Quantity int64   `json:"quantity,string"`
	// Given is what has been handed on, never more than Quantity.
	Given int64  `json:"given,string"`
	Donor string `json:"donor,omitempty"`
	Entry string `json:"entry"`
}
