package party

import (
	"crypto/sha256"
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// OrganisationsMax bounds the votes that one vote reads.
const OrganisationsMax = 50

// Charter is what the founders agreed. It is written once.
type Charter struct {
	// Ledger is drawn at random by the founders.
	Ledger        LedgerID `json:"ledger"`
	Organisations []Member `json:"organisations"`
	Policy        Policy   `json:"policy"`
	Powers        []Grant  `json:"powers,omitempty"`
	// Quorum is the number of votes that a proposal needs, more than half of the organisations.
	Quorum int32 `json:"quorum"`
	// Rules is the version of the rules to begin with.
	Rules int32     `json:"rules"`
	Zone  tape.Zone `json:"zone"`
}

// Member is an organisation and its MSP.
type Member struct {
	MSP  string `json:"msp"`
	Name string `json:"name"`
}

// Grant gives or takes one power.
type Grant struct {
	Organisation string `json:"organisation"`
	Power        string `json:"power"`
}

// Hash is what every organisation signs when it joins: it can compute it from
// the charter it was shown before anything stood on a ledger.
func (c Charter) Hash() (Hash, error) {
	data, err := canonical.Encode(c)
	return sha256.Sum256(data), err
}

// Check refuses a charter that could not be lived with. Known is the highest
// version of the rules that this program knows.
func (c Charter) Check(known int32) error {
	if c.Ledger == (LedgerID{}) {
		return rule.Field("ledger", rule.Refuse(rule.Invalid, "is zero; draw 32 random bytes"))
	}
	if err := c.Zone.Check(); err != nil {
		return rule.Field("zone", err)
	}
	if c.Rules < 1 || c.Rules > known {
		return rule.Field("rules", rule.Refuse(rule.Unsupported, "version %d is not known here; 1 to %d are", c.Rules, known))
	}
	if err := c.checkMembers(); err != nil {
		return rule.Field("organisations", err)
	}
	if count := len(c.Organisations); int(c.Quorum) > count || 2*int(c.Quorum) <= count {
		return rule.Field("quorum", rule.Refuse(rule.Invalid, "%d is not more than half of %d organisations", c.Quorum, count))
	}
	if err := c.checkPowers(); err != nil {
		return rule.Field("powers", err)
	}
	return rule.Field("policy", c.Policy.Check(len(c.Organisations)))
}

func (c Charter) checkMembers() error {
	if count := len(c.Organisations); count < 2 || count > OrganisationsMax {
		return rule.Refuse(rule.Invalid, "there are %d; 2 to %d can share a ledger", count, OrganisationsMax)
	}
	for i, member := range c.Organisations {
		if err := member.check(); err != nil {
			return rule.Field(index(i), err)
		}
		for _, earlier := range c.Organisations[:i] {
			if earlier.Name == member.Name || earlier.MSP == member.MSP {
				return rule.Field(index(i), rule.Refuse(rule.Invalid, "%s with MSP %s stands twice", member.Name, member.MSP))
			}
		}
	}
	return nil
}

func (m Member) check() error {
	if err := tape.CheckSegment(m.Name); err != nil {
		return rule.Field("name", err)
	}
	return rule.Field("msp", tape.ID(m.MSP).Check())
}

func (c Charter) checkPowers() error {
	for i, grant := range c.Powers {
		if err := grant.check(); err != nil {
			return rule.Field(index(i), err)
		}
		if !slices.ContainsFunc(c.Organisations, func(m Member) bool { return m.Name == grant.Organisation }) {
			return rule.Field(index(i), rule.Refuse(rule.Invalid, "%s is not among the organisations", grant.Organisation))
		}
		if slices.Contains(c.Powers[:i], grant) {
			return rule.Field(index(i), rule.Refuse(rule.Invalid, "the power %s of %s stands twice", grant.Power, grant.Organisation))
		}
	}
	return nil
}

func (g Grant) check() error {
	if err := tape.CheckSegment(g.Organisation); err != nil {
		return rule.Field("organisation", err)
	}
	if !slices.Contains(AllPowers(), g.Power) {
		return rule.Field("power", rule.Refuse(rule.Invalid, "is not a power; there are %v", AllPowers()))
	}
	return nil
}

// FoundCommand writes the charter.
type FoundCommand struct {
	Charter Charter `json:"charter"`
	ID      tape.ID `json:"id"`
}

// FoundState is what Found reads.
type FoundState struct {
	Charter *CharterRecord // CharterKey; must be absent
	// MSP is the caller's, from its certificate: there is no record of it yet.
	MSP string
	// Known is the highest version of the rules that this program knows.
	Known int32
}

// Found founds the ledger. The context needs only role, time and command: the
// rest is in the charter itself.
func Found(state FoundState, command FoundCommand, ctx tape.Context) (Outcome, error) {
	charter := command.Charter
	if err := rule.First(command.ID.Check(), rule.Field("charter", charter.Check(state.Known)), carriedBy(ctx, RoleAdmin)); err != nil {
		return Outcome{}, err
	}
	at := slices.IndexFunc(charter.Organisations, func(m Member) bool { return m.MSP == state.MSP })
	if at < 0 {
		return Outcome{}, rule.Refuse(rule.Forbidden, "MSP %.70q is not in the charter; one of its organisations founds the ledger", state.MSP)
	}
	if state.Charter != nil {
		return Outcome{}, rule.Refuse(rule.Exists, "this ledger was founded already, by entry %s", state.Charter.Entry)
	}
	hash, err := charter.Hash()
	if err != nil {
		return Outcome{}, err
	}
	date, err := charter.Zone.Date(ctx.At)
	if err != nil {
		return Outcome{}, err
	}
	ctx.Organisation, ctx.Date, ctx.Rules = charter.Organisations[at].Name, date, charter.Rules
	entry := ctx.Entry(command.ID, "found", charter.Ledger.String())
	return Outcome{Writes: charter.writes(hash, entry.Reference()), Entry: entry}, nil
}

// writes takes the charter apart, so that each command reads only what it needs.
func (c Charter) writes(hash Hash, entry string) []Write {
	list := Organisations{V: 1, Quorum: c.Quorum}
	writes := []Write{
		{CharterKey(), CharterRecord{V: 1, Charter: c, Hash: hash, Entry: entry}},
		{LedgerKey(), Ledger{V: 1, ID: c.Ledger, Zone: c.Zone}},
		{RulesKey(), Rules{V: 1, Version: c.Rules, Entry: entry}},
		{PolicyKey(), PolicyRecord{V: 1, Policy: c.Policy, Entry: entry}},
	}
	for _, member := range c.Organisations {
		powers := Powers{V: 1}
		for _, power := range AllPowers() {
			if slices.Contains(c.Powers, Grant{member.Name, power}) {
				powers.Powers = append(powers.Powers, power)
			}
		}
		list.Names = append(list.Names, member.Name)
		writes = append(writes, member.writes(powers, entry)...)
	}
	return append(writes, Write{OrganisationsKey(), list})
}

func (m Member) writes(powers Powers, entry string) []Write {
	return []Write{
		{OrganisationKey(m.Name), Organisation{V: 1, Name: m.Name, MSP: m.MSP, Entry: entry}},
		{MSPKey(m.MSP), MSP{V: 1, Organisation: m.Name}},
		{PowersKey(m.Name), powers},
	}
}

// JoinCommand accepts the charter by its hash.
type JoinCommand struct {
	Charter Hash    `json:"charter"`
	ID      tape.ID `json:"id"`
}

// JoinState is what Join reads.
type JoinState struct {
	Charter *CharterRecord // CharterKey
	Joined  *Mark          // JoinedKey of the caller's organisation; must be absent
}

// Join records that the caller's organisation accepts the charter. One that was
// shown another charter than the ledger holds finds out here.
func Join(state JoinState, command JoinCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), carriedBy(ctx, RoleAdmin)); err != nil {
		return Outcome{}, err
	}
	if state.Charter == nil {
		return Outcome{}, rule.Refuse(rule.WrongState, "this ledger has not been founded")
	}
	if command.Charter != state.Charter.Hash {
		return Outcome{}, rule.Field("charter", rule.Refuse(rule.Conflict, "the charter of this ledger has the hash %s, not %s", state.Charter.Hash, command.Charter))
	}
	if state.Joined != nil {
		return Outcome{}, rule.Refuse(rule.Exists, "%s has joined already, by entry %s", ctx.Organisation, state.Joined.Entry)
	}
	entry := ctx.Entry(command.ID, "join", ctx.Organisation)
	return Outcome{Writes: []Write{{JoinedKey(ctx.Organisation), Mark{V: 1, Entry: entry.Reference()}}}, Entry: entry}, nil
}
