// Package party knows who may act: organisations by vote, persons by their
// keys, and each decision by a signature.
//
// A rule here is a function of records, a command and a context. It returns
// what to write and one entry, or a refusal; it reads no store and no clock.
// README.md lists keys, commands, refusals and entries.
package party

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The keys of the ledger. Names hold no "/", so no key can be spelled by two
// records. What every command reads (ledger, rules, msp, power) is small and
// is written at the founding and by votes only.

// CharterKey is where the CharterRecord stands.
func CharterKey() string { return "charter" }

// LedgerKey is where the Ledger stands.
func LedgerKey() string { return "ledger" }

// RulesKey is where the Rules stand.
func RulesKey() string { return "rules" }

// PolicyKey is where the PolicyRecord stands.
func PolicyKey() string { return "policy" }

// OrganisationsKey is where the Organisations stand.
func OrganisationsKey() string { return "organisations" }

// OrganisationKey is where an Organisation stands.
func OrganisationKey(name string) string { return "organisation/" + name }

// MSPKey is where an MSP stands.
func MSPKey(msp string) string { return "msp/" + msp }

// PowersKey is where the Powers of an organisation stand.
func PowersKey(organisation string) string { return "power/" + organisation }

// JoinedKey exists once an organisation has joined.
func JoinedKey(organisation string) string { return "joined/" + organisation }

// ProposalKey is where a Proposal stands.
func ProposalKey(id tape.ID) string { return "proposal/" + string(id) }

// EnactedKey exists once a proposal has been enacted.
func EnactedKey(id tape.ID) string { return "enacted/" + string(id) }

// VoteKey exists once an organisation has voted for a proposal.
func VoteKey(proposal tape.ID, organisation string) string {
	return "vote/" + string(proposal) + "/" + organisation
}

// PersonKey is where a Person stands.
func PersonKey(id tape.ID) string { return "person/" + string(id) }

// AddressKey exists once a key has been a person's. It is never freed: one key, one person.
func AddressKey(address Address) string { return "address/" + address.String() }

// IntentKey exists once an intent has been used. It holds the person, so that
// nobody who sees an id on its way can use it up first.
func IntentKey(person tape.ID, id IntentID) string {
	return "intent/" + string(person) + "/" + id.String()
}

// The roles of an X.509 identity.
const (
	RoleAdmin   = "admin"
	RoleAuditor = "auditor"
	RoleGateway = "gateway"
)

// Powers of an organisation: a closed list.
const (
	Charity     = "charity"
	Cooperative = "cooperative"
	Lender      = "lender"
	Insurer     = "insurer"
	Custodian   = "custodian"
	Oracle      = "oracle"
	Supplier    = "supplier"
	Hospital    = "hospital"
	Regulator   = "regulator"
)

// AllPowers lists every power, in the order in which records hold them.
func AllPowers() []string {
	return []string{Charity, Cooperative, Lender, Insurer, Custodian, Oracle, Supplier, Hospital, Regulator}
}

// CharterRecord is the founding charter as it stands on the ledger, and its hash.
type CharterRecord struct {
	V       int32   `json:"v"`
	Charter Charter `json:"charter"`
	Hash    Hash    `json:"hash"`
	Entry   string  `json:"entry"`
}

// Ledger is what never changes and every command needs.
type Ledger struct {
	V    int32     `json:"v"`
	ID   LedgerID  `json:"id"`
	Zone tape.Zone `json:"zone"`
}

// Rules is the version of the rules in force.
type Rules struct {
	V       int32  `json:"v"`
	Version int32  `json:"version"`
	Entry   string `json:"entry"`
}

// PolicyRecord is the policy in force.
type PolicyRecord struct {
	V      int32  `json:"v"`
	Policy Policy `json:"policy"`
	Entry  string `json:"entry"`
}

// Organisations lists the organisations in the order of their admission, and
// the number of votes that a proposal needs: always more than half of them.
type Organisations struct {
	V      int32    `json:"v"`
	Names  []string `json:"names"`
	Quorum int32    `json:"quorum"`
}

// Organisation is a member of the network.
type Organisation struct {
	V     int32  `json:"v"`
	Name  string `json:"name"`
	MSP   string `json:"msp"`
	Entry string `json:"entry"`
}

// MSP says which organisation a certificate belongs to.
type MSP struct {
	V            int32  `json:"v"`
	Organisation string `json:"organisation"`
}

// Powers are what the organisations voted one of them.
type Powers struct {
	V      int32    `json:"v"`
	Powers []string `json:"powers,omitempty"`
}

// Mark is a record whose being there is the fact; it names the entry that made it.
type Mark struct {
	V     int32  `json:"v"`
	Entry string `json:"entry"`
}

// Holder says whose key an address is.
type Holder struct {
	V      int32   `json:"v"`
	Person tape.ID `json:"person"`
}

// Write is one record to store.
type Write struct {
	Key    string
	Record any
}

// Outcome is what becomes: records to store, each once, and the entry.
type Outcome struct {
	Writes []Write
	Entry  tape.Entry
}

// Ground is what every command but Found needs before its rule: who calls, in
// which civil zone, under which rules. Nil is absent.
type Ground struct {
	Ledger *Ledger // LedgerKey
	Rules  *Rules  // RulesKey
	MSP    *MSP    // MSPKey of the caller's MSP
	Powers *Powers // PowersKey of MSP.Organisation
}

// Context makes the context of a command. The caller's MSP and role come from
// its certificate, at from the transaction, command from the canonical bytes.
func (g Ground) Context(role string, at tape.Instant, command Hash) (tape.Context, error) {
	if g.Ledger == nil || g.Rules == nil {
		return tape.Context{}, rule.Refuse(rule.WrongState, "this ledger has not been founded")
	}
	if g.MSP == nil || g.Powers == nil {
		return tape.Context{}, rule.Refuse(rule.Forbidden, "the caller's MSP is no organisation of this ledger")
	}
	date, err := g.Ledger.Zone.Date(at)
	if err != nil {
		return tape.Context{}, err
	}
	return tape.Context{Organisation: g.MSP.Organisation, Role: role, Powers: g.Powers.Powers,
		At: at, Date: date, Rules: g.Rules.Version, Command: command.String()}, nil
}

// index writes a place in a list, as a refusal names it.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// carriedBy refuses an identity of another role.
func carriedBy(ctx tape.Context, role string) error {
	if ctx.Role != role {
		return rule.Refuse(rule.Forbidden, "this needs the role %s; the caller's is %.40q", role, ctx.Role)
	}
	return nil
}

// notBefore refuses a transaction whose clock stands before what it changes.
func notBefore(ctx tape.Context, last tape.Instant) error {
	if ctx.At < last {
		return rule.Refuse(rule.Conflict, "the transaction is of %s, before the last change of %s; set the clock and send it again", ctx.At, last)
	}
	return nil
}
