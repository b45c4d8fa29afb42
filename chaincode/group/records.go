// Package group is the frame of the cooperative's lending: schemes that a
// cooperative and its lenders agree on, the households that they admit, and the
// groups of three to five in which households guarantee each other's loans.
//
// A rule here is a function of records, a command and a context. It returns what
// becomes, and one entry, or a refusal. It knows nothing of loans: what it must
// know of debts it is given as Debts. README.md lists keys, commands, refusals
// and entries.
package group

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Subject is what the account of a scheme says that only the rules of a sale's
// settlement spend: what a harvest brings repays what is due before anything is paid out.
const Subject = "settlement"

// SchemeKey is where a Scheme stands, by the account that gets the sales' proceeds.
func SchemeKey(scheme tape.AccountID) string { return "scheme/" + string(scheme) }

// TermsKey is where version n of a scheme's terms stands; it is never rewritten.
func TermsKey(scheme tape.AccountID, n int32) string {
	return "scheme-terms/" + string(scheme) + "/" + decimal(n)
}

// SupplierKey is where a Supplier of a scheme stands.
func SupplierKey(scheme, supplier tape.AccountID) string {
	return "supplier/" + string(scheme) + "/" + string(supplier)
}

// ControlsKey is where it stands of whose suppliers a household is the controller.
func ControlsKey(scheme tape.AccountID, fingerprint string) string {
	return "controls/" + string(scheme) + "/" + fingerprint
}

// KinKey exists once two households were called close kin. It is the same in
// whichever order they are named, and in all schemes.
func KinKey(one, other string) string {
	if other < one {
		one, other = other, one
	}
	digest := sha256.Sum256([]byte(one + "/" + other))
	return "kin/" + hex.EncodeToString(digest[:])
}

// MemberKey is where a Member of a scheme stands.
func MemberKey(scheme, household tape.AccountID) string {
	return "member/" + string(scheme) + "/" + string(household)
}

// SignerKey exists once a person signs for a household of a scheme: it signs for no other.
func SignerKey(scheme tape.AccountID, person tape.ID) string {
	return "signer/" + string(scheme) + "/" + string(person)
}

// StandingKey is where the Standing of a household stands, the same for all schemes.
func StandingKey(fingerprint string) string { return "standing/" + fingerprint }

// GroupKey is where a Group stands.
func GroupKey(scheme tape.AccountID, id tape.ID) string {
	return "group/" + string(scheme) + "/" + string(id)
}

// Scheme is the frame that a cooperative and its lenders agree on.
type Scheme struct {
	V       int32          `json:"v"`
	Account tape.AccountID `json:"account"`
	// Organisation is the cooperative.
	Organisation string         `json:"organisation"`
	Currency     money.Currency `json:"currency"`
	// Version counts the terms that were in force; 0 while the first wait.
	Version int32 `json:"version"`
	// Lenders are those of the version in force; none before there is one.
	Lenders []string `json:"lenders,omitempty"`
	// Pending are terms that wait until every lender has accepted them.
	Pending *Proposal `json:"pending,omitempty"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Proposal is a version of the terms on its way.
type Proposal struct {
	Lenders []string    `json:"lenders"`
	Terms   SchemeTerms `json:"terms"`
	// Accepted are the lenders that have, in that order.
	Accepted []Decision `json:"accepted,omitempty"`
	// Entry proposed it: lenders accept what it names and nothing else.
	Entry string `json:"entry"`
}

// Decision is what an organisation decided, by its maker and checker.
type Decision struct {
	Organisation string       `json:"organisation"`
	At           tape.Instant `json:"at"`
	Entry        string       `json:"entry"`
}

// Terms is one version as every lender has accepted it. What was agreed under it keeps it.
type Terms struct {
	V       int32       `json:"v"`
	Version int32       `json:"version"`
	Lenders []string    `json:"lenders"`
	Terms   SchemeTerms `json:"terms"`
	From    tape.Date   `json:"from"`
	Entry   string      `json:"entry"`
}

// Supplier is whom purpose-locked loans of a scheme may pay.
type Supplier struct {
	V          int32          `json:"v"`
	Account    tape.AccountID `json:"account"`
	Categories []string       `json:"categories"`
	// Controllers are the fingerprints of the households whose members own or run it.
	Controllers []string `json:"controllers"`
	// Withdrawn suppliers are paid nothing new.
	Withdrawn bool   `json:"withdrawn,omitempty"`
	Entry     string `json:"entry"`
}

// Controls names the suppliers of a scheme that one household controls.
type Controls struct {
	V         int32            `json:"v"`
	Suppliers []tape.AccountID `json:"suppliers,omitempty"`
	Entry     string           `json:"entry"`
}

// Kin says that two households are close kin. How they are related stands nowhere.
type Kin struct {
	V int32 `json:"v"`
	// Organisation is the cooperative that said so, and alone takes it back.
	Organisation string `json:"organisation"`
	Withdrawn    bool   `json:"withdrawn,omitempty"`
	Entry        string `json:"entry"`
}

// State is where a member or a group stands.
type State string

// The states of a member.
const (
	Admitted State = "admitted"
	Left     State = "left"
	Deceased State = "deceased"
)

// The states of a group. Nobody has signed a draft; a group in signing lacks
// signatures; one in review waits for the cooperative and the lenders.
const (
	Draft       State = "draft"
	Signing     State = "signing"
	Review      State = "review"
	Active      State = "active"
	Frozen      State = "frozen"
	WindingDown State = "winding-down"
	Closed      State = "closed"
	Rejected    State = "rejected"
)

// Member is a household in one scheme, under a pseudonym of that scheme.
type Member struct {
	V         int32          `json:"v"`
	Household tape.AccountID `json:"household"`
	// Person signs for the household by its own key; Next takes its place, none while nobody does.
	Person tape.ID     `json:"person"`
	Next   *NextPerson `json:"next,omitempty"`
	// Fingerprint is the same wherever the household is known, and is no identity number.
	Fingerprint string `json:"fingerprint"`
	// Agent carried the papers and vouched for them; none where staff saw them.
	Agent tape.ID      `json:"agent,omitempty"`
	State State        `json:"state"`
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// NextPerson is another adult of a household who is to sign for it, and why, at From.
type NextPerson struct {
	Person tape.ID      `json:"person"`
	Reason string       `json:"reason"`
	From   tape.Instant `json:"from"`
	Entry  string       `json:"entry"`
}

// Signer says for which household of a scheme a person signs.
type Signer struct {
	V         int32          `json:"v"`
	Household tape.AccountID `json:"household"`
}

// Standing is one household across all schemes and lenders.
type Standing struct {
	V int32 `json:"v"`
	// Households are its names, one a scheme, in the order of admission: by them its debts are found.
	Households []Membership `json:"households"`
	// Group is the one active or frozen group that it is in; none for most.
	Group *Place `json:"group,omitempty"`
	// ExcludedUntil is the last day on which it joins no group; none for most.
	ExcludedUntil tape.Date    `json:"excludedUntil,omitempty"`
	At            tape.Instant `json:"at"`
	Entry         string       `json:"entry"`
}

// Membership is a household's name in one scheme.
type Membership struct {
	Scheme    tape.AccountID `json:"scheme"`
	Household tape.AccountID `json:"household"`
}

// Place names a group on the whole ledger.
type Place struct {
	Scheme tape.AccountID `json:"scheme"`
	Group  tape.ID        `json:"group"`
}

// Group is three to five households who guarantee each other's loans.
type Group struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	ID     tape.ID        `json:"id"`
	State  State          `json:"state"`
	// Agreement is what everybody signs, AgreementHash the SHA-256 that they sign it by.
	Agreement     Agreement  `json:"agreement"`
	AgreementHash party.Hash `json:"agreementHash"`
	// Members stand in the order of joining, also those who are gone.
	Members []GroupMember `json:"members"`
	// Joining is who is being let in; none while nobody is.
	Joining *Joining `json:"joining,omitempty"`
	// Endorsed is the cooperative's word, Approved that of each lender.
	Endorsed *Decision  `json:"endorsed,omitempty"`
	Approved []Decision `json:"approved,omitempty"`
	// Effective is the day of the last signature; none before it.
	Effective tape.Date `json:"effective,omitempty"`
	// Below is since when fewer live in it than the scheme wants; none while enough do.
	Below tape.Date `json:"below,omitempty"`
	// Cause says why no new loans are made: what froze it, or why it winds down or
	// was rejected; none while it is active or on its way.
	Cause *Cause `json:"cause,omitempty"`
	// At is the last change, and Entry made it.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// GroupMember is a household's part in a group.
type GroupMember struct {
	Household   tape.AccountID `json:"household"`
	Fingerprint string         `json:"fingerprint"`
	// PartsPerMillion is its share among the guarantors; equal ones are all 0.
	PartsPerMillion int32      `json:"partsPerMillion,omitempty"`
	Signed          *Signature `json:"signed,omitempty"`
	// Joined is since when it guarantees; none before the group is active.
	Joined tape.Instant `json:"joined,omitempty"`
	// Gone says how it left, at Left; empty while it lives in the group.
	Gone string       `json:"gone,omitempty"`
	Left tape.Instant `json:"left,omitempty"`
	// Tail: it goes on guaranteeing the loans that were made before it left.
	Tail bool `json:"tail,omitempty"`
	// Assumed: the others took over its debts, all by signature, when they expelled it.
	Assumed bool `json:"assumed,omitempty"`
}

// How a member leaves a group.
const (
	Exited   = "exited"
	Expelled = "expelled"
	Died     = "died"
)

// Signature is a household's word for the agreement.
type Signature struct {
	Household tape.AccountID `json:"household"`
	Person    tape.ID        `json:"person"`
	// Custody is own or card: nobody guarantees by a key that others hold.
	Custody string       `json:"custody"`
	At      tape.Instant `json:"at"`
	Entry   string       `json:"entry"`
}

// Joining is a household on its way into a group that is below its size.
type Joining struct {
	Household   tape.AccountID `json:"household"`
	Fingerprint string         `json:"fingerprint"`
	// Members are the shares of all who will live in the group, as each signs them.
	Members  []Share     `json:"members"`
	Signed   []Signature `json:"signed,omitempty"`
	Approved []Decision  `json:"approved,omitempty"`
	Entry    string      `json:"entry"`
}

// Cause is why a group stands where it stands, and which entry brought that.
type Cause struct {
	Reason string    `json:"reason"`
	Date   tape.Date `json:"date"`
	Entry  string    `json:"entry"`
}

// Debts are the facts about a household's debts, anywhere on the ledger, that
// these rules ask for.
type Debts struct {
	Household tape.AccountID
	// OverdueLoan is a loan of a lender with an instalment past due, "" for none.
	OverdueLoan string
	// LastOverdue is the last day on which one was, "" for never.
	LastOverdue tape.Date
	// OpenLoans are its own, GroupLoans those that it guarantees.
	OpenLoans, GroupLoans int32
	// OpenCall is a guarantor call that it has not paid, OpenRecourse what it owes
	// a guarantor who paid for it; "" for none.
	OpenCall, OpenRecourse string
	// ExcludedUntil is that of its standing.
	ExcludedUntil tape.Date
}

// Outstanding counts what is still open under one group.
type Outstanding struct{ Loans, Calls, Recourses int32 }
