package party

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Custody says who really holds a key. It is shown beside each signature.
type Custody string

// The four ways of holding a key.
const (
	Own         Custody = "own"
	Card        Custody = "card"
	AgentHeld   Custody = "agent-held"
	GatewayHeld Custody = "gateway-held"
)

// Check refuses every other word.
func (c Custody) Check() error {
	if c != Own && c != Card && c != AgentHeld && c != GatewayHeld {
		return rule.Field("custody", rule.Refuse(rule.Invalid, "is not own, card, agent-held or gateway-held"))
	}
	return nil
}

// Confirms reports whether a signature can confirm that money arrived: one made
// by the receiver alone can, one that an agent or a gateway makes cannot.
func (c Custody) Confirms() bool { return c == Own || c == Card }

// Duty says as what a person signs. It is vouched for with the key, by two
// organisations, and changes with a new key only.
type Duty string

// The duties. Staff decide for their organisation: maker, checker, and whoever
// flags, calls back or publishes. Agents enrol payees and serve them. Members,
// such as households and donors, have a say about their own alone.
const (
	DutyStaff  Duty = "staff"
	DutyAgent  Duty = "agent"
	DutyMember Duty = "member"
)

// Check refuses every other word.
func (d Duty) Check() error {
	if d != DutyStaff && d != DutyAgent && d != DutyMember {
		return rule.Field("duty", rule.Refuse(rule.Invalid, "is not staff, agent or member"))
	}
	return nil
}

// Decides reports whether a signature counts as its organisation's: one of its
// staff, by a key that no agent holds.
func Decides(a tape.Approval) bool {
	return Duty(a.Duty) == DutyStaff && Custody(a.Custody) != AgentHeld
}

// Person is somebody who signs, under a pseudonym. Names and whereabouts are
// never on the ledger.
type Person struct {
	V  int32   `json:"v"`
	ID tape.ID `json:"id"`
	// Organisation is whose maker or checker, member or client the person is.
	Organisation string `json:"organisation"`
	// Key is the key in force, or the first one before it is.
	Key Key `json:"key"`
	// Next is the key of a rotation. It takes Key's place at Next.From.
	Next *Key `json:"next,omitempty"`
	// Guardian may speak for the person by its own key; none for most.
	Guardian *Guardian `json:"guardian,omitempty"`
	// Revoked is when the person was revoked, for good; none while not.
	Revoked tape.Instant `json:"revoked,omitempty"`
	// At is the last change, and Entry made it.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Key is one key of a person and how it came there.
type Key struct {
	Address Address `json:"address"`
	Custody Custody `json:"custody"`
	// Duty is as what the person signs with this key.
	Duty Duty `json:"duty"`
	// Registrar brought the key, Witness is the second organisation; none yet while it waits.
	Registrar string `json:"registrar"`
	Witness   string `json:"witness,omitempty"`
	// From is when the key comes into force, CarryFrom when its registrar may
	// carry what it signs. Both are fixed by the witness, so that a later policy
	// does not change the past.
	From      tape.Instant `json:"from,omitempty"`
	CarryFrom tape.Instant `json:"carryFrom,omitempty"`
	// Suspended is when the key was reported lost; it never comes back.
	Suspended tape.Instant `json:"suspended,omitempty"`
}

// on returns the person as of a moment: a rotation that is due has taken place.
// Nobody has to file that it has.
func (p Person) on(at tape.Instant) Person {
	if p.Next != nil && p.Next.Witness != "" && at >= p.Next.From {
		p.Key, p.Next = *p.Next, nil
	}
	return p
}

// InForce returns the key with which the person signs at a moment.
func (p Person) InForce(at tape.Instant) (Key, error) {
	key := p.on(at).Key
	switch {
	case p.Revoked != 0:
		return Key{}, rule.Refuse(rule.WrongState, "person %s is revoked", p.ID)
	case key.Suspended != 0:
		return Key{}, rule.Refuse(rule.WrongState, "the key of person %s is suspended since %s", p.ID, key.Suspended)
	case key.Witness == "":
		return Key{}, rule.Refuse(rule.WrongState, "the key of person %s waits for the witness of a second organisation", p.ID)
	case at < key.From:
		return Key{}, rule.Refuse(rule.Early, "the key of person %s comes into force at %s", p.ID, key.From)
	}
	return key, nil
}

// DutyOn is as what the person signs at a moment.
func (p Person) DutyOn(at tape.Instant) Duty { return p.on(at).Key.Duty }

// RegisterCommand brings a person's first key.
type RegisterCommand struct {
	Address      Address `json:"address"`
	Custody      Custody `json:"custody"`
	Duty         Duty    `json:"duty"`
	ID           tape.ID `json:"id"`
	Organisation string  `json:"organisation"`
	Person       tape.ID `json:"person"`
	// Proof is the new key's signature over Possession.
	Proof Signature `json:"proof"`
}

// RegisterState is what Register reads.
type RegisterState struct {
	Ledger       LedgerID      // of LedgerKey
	Organisation *Organisation // OrganisationKey of the person's organisation
	Person       *Person       // PersonKey; must be absent
	Holder       *Holder       // AddressKey; must be absent
}

// Register writes a person whose key waits for a witness.
func Register(state RegisterState, command RegisterCommand, ctx tape.Context) (Outcome, error) {
	possession := Possession{Person: command.Person, Key: command.Address, Custody: command.Custody, Duty: command.Duty,
		Organisation: command.Organisation, Registrar: ctx.Organisation}
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), command.Custody.Check(), command.Duty.Check(),
		rule.Field("organisation", tape.CheckSegment(command.Organisation)), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	if err := possession.prove(command.Proof, state.Ledger); err != nil {
		return Outcome{}, err
	}
	if state.Organisation == nil {
		return Outcome{}, rule.Field("organisation", rule.Refuse(rule.NotFound, "there is no organisation %s", command.Organisation))
	}
	if state.Person != nil {
		return Outcome{}, rule.Field("person", rule.Refuse(rule.Exists, "person %s is registered already", command.Person))
	}
	if err := state.Holder.free(command.Address); err != nil {
		return Outcome{}, err
	}
	person := Person{V: 1, ID: command.Person, Organisation: command.Organisation,
		Key: Key{Address: command.Address, Custody: command.Custody, Duty: command.Duty, Registrar: ctx.Organisation}}
	return person.changed(ctx.Entry(command.ID, "register", string(command.Person)), command.Address), nil
}

// prove refuses a key whose holder has not signed for this registration.
func (p Possession) prove(proof Signature, ledger LedgerID) error {
	signer, err := proof.Recover(p.Digest(ledger))
	if err != nil {
		return rule.Field("proof", err)
	}
	if signer != p.Key {
		return rule.Field("proof", rule.Refuse(rule.Forbidden, "is not signed by %s for person %s, %s of %s, held %s, brought by %s, on this ledger",
			p.Key, p.Person, p.Duty, p.Organisation, p.Custody, p.Registrar))
	}
	return nil
}

// free refuses a key that has ever been a person's. It does not say whose.
func (h *Holder) free(address Address) error {
	if h != nil {
		return rule.Field("address", rule.Refuse(rule.Exists, "%s is or was a person's key; draw a new one", address))
	}
	return nil
}

// changed ends a command: the person is written with its entry, and the key
// that came with it is taken for good.
func (p Person) changed(entry tape.Entry, taken ...Address) Outcome {
	p.At, p.Entry = entry.At, entry.Reference()
	outcome := Outcome{Writes: []Write{{PersonKey(p.ID), p}}, Entry: entry}
	for _, address := range taken {
		outcome.Writes = append(outcome.Writes, Write{AddressKey(address), Holder{V: 1, Person: p.ID}})
	}
	return outcome
}

// WitnessCommand confirms a key for a second organisation. Address and duty are
// named, so that nobody witnesses another key than the one it looked at, or
// vouches for staff where it meant a household.
type WitnessCommand struct {
	Address Address `json:"address"`
	Duty    Duty    `json:"duty"`
	ID      tape.ID `json:"id"`
	Person  tape.ID `json:"person"`
}

// WitnessState is what Witness reads.
type WitnessState struct {
	Policy Policy  // of PolicyKey
	Person *Person // PersonKey
}

// Witness lets a registered or rotated key come into force after the waiting
// period. Registrar and witness are two, and one of them is the person's own
// organisation: two others could otherwise make themselves its maker and checker.
func Witness(state WitnessState, command WitnessCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	person, err := state.Person.living(command.Person, ctx)
	if err != nil {
		return Outcome{}, err
	}
	key := person.waiting(command.Address)
	if key == nil {
		return Outcome{}, rule.Field("address", rule.Refuse(rule.WrongState, "%s is not a key of person %s that waits for a witness", command.Address, command.Person))
	}
	if key.Duty != command.Duty {
		return Outcome{}, rule.Field("duty", rule.Refuse(rule.Conflict, "is another; the key was brought for %s", key.Duty))
	}
	if key.Registrar == ctx.Organisation {
		return Outcome{}, rule.Refuse(rule.Forbidden, "%s brought this key; another organisation witnesses it", ctx.Organisation)
	}
	if key.Registrar != person.Organisation && ctx.Organisation != person.Organisation {
		return Outcome{}, rule.Refuse(rule.Forbidden, "%s brought this key for a person of %s; only %s can witness it", key.Registrar, person.Organisation, person.Organisation)
	}
	key.Witness = ctx.Organisation
	key.From = ctx.At + tape.Instant(state.Policy.Persons.KeyWaitingHours)*tape.Hour
	key.CarryFrom = ctx.At + tape.Instant(state.Policy.Persons.RegistrarCarryDays)*tape.Day
	return person.changed(ctx.Entry(command.ID, "witness", string(command.Person))), nil
}

// living returns a copy of the person as of now, and refuses one that is not
// there or is revoked.
func (p *Person) living(id tape.ID, ctx tape.Context) (Person, error) {
	if p == nil || p.ID != id {
		return Person{}, rule.Field("person", rule.Refuse(rule.NotFound, "there is no person %s", id))
	}
	if p.Revoked != 0 {
		return Person{}, rule.Field("person", rule.Refuse(rule.WrongState, "person %s is revoked", id))
	}
	now := *p
	if p.Next != nil {
		next := *p.Next
		now.Next = &next
	}
	return now.on(ctx.At), notBefore(ctx, p.At)
}

// waiting finds the key that has no witness yet.
func (p *Person) waiting(address Address) *Key {
	if p.Key.Witness == "" && p.Key.Address == address {
		return &p.Key
	}
	if p.Next != nil && p.Next.Witness == "" && p.Next.Address == address {
		return p.Next
	}
	return nil
}

// RotateCommand brings a new key for a person, and with it another duty where
// the person takes one on.
type RotateCommand struct {
	Address Address `json:"address"`
	Custody Custody `json:"custody"`
	Duty    Duty    `json:"duty"`
	ID      tape.ID `json:"id"`
	Person  tape.ID `json:"person"`
	// Proof is the new key's signature over Possession.
	Proof Signature `json:"proof"`
}

// RotateState is what Rotate reads.
type RotateState struct {
	Ledger LedgerID // of LedgerKey
	Person *Person  // PersonKey
	Holder *Holder  // AddressKey; must be absent
}

// Rotate writes a key that waits for a witness, and then for the waiting
// period, to take the place of the one in force. Until then the old key signs,
// unless it is suspended, and can object by suspending the new one.
func Rotate(state RotateState, command RotateCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), command.Custody.Check(), command.Duty.Check(), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	person, err := state.Person.living(command.Person, ctx)
	if err != nil {
		return Outcome{}, err
	}
	possession := Possession{Person: command.Person, Key: command.Address, Custody: command.Custody, Duty: command.Duty,
		Organisation: person.Organisation, Registrar: ctx.Organisation}
	if err := possession.prove(command.Proof, state.Ledger); err != nil {
		return Outcome{}, err
	}
	if err := state.Holder.free(command.Address); err != nil {
		return Outcome{}, err
	}
	if person.Key.Witness == "" {
		return Outcome{}, rule.Refuse(rule.WrongState, "the first key of person %s waits for its witness", command.Person)
	}
	if person.Next != nil {
		return Outcome{}, rule.Refuse(rule.WrongState, "person %s is changing to %s already; suspend that key first", command.Person, person.Next.Address)
	}
	person.Next = &Key{Address: command.Address, Custody: command.Custody, Duty: command.Duty, Registrar: ctx.Organisation}
	return person.changed(ctx.Entry(command.ID, "rotate", string(command.Person)), command.Address), nil
}

// SuspendCommand reports a key lost or contested. It names the address, so that
// a report that arrives late does not hit the new key.
type SuspendCommand struct {
	Address Address `json:"address"`
	ID      tape.ID `json:"id"`
	Person  tape.ID `json:"person"`
}

// Suspend stops a key at once; one that is not yet in force is dropped. The
// person's organisation, the two that stand for the key, and the person itself
// by a signed intent may. person is PersonKey.
func Suspend(person *Person, command SuspendCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	now, err := person.living(command.Person, ctx)
	if err != nil {
		return Outcome{}, err
	}
	key := now.suspendable(command.Address)
	if key == nil {
		return Outcome{}, rule.Field("address", rule.Refuse(rule.WrongState, "%s is not a key of person %s that can be suspended", command.Address, command.Person))
	}
	if !slices.Contains([]string{now.Organisation, key.Registrar, key.Witness}, ctx.Organisation) && !signedBy(ctx, command.Person) {
		return Outcome{}, rule.Refuse(rule.Forbidden, "%s does not stand for this key; %s, the key's registrar or witness, or the person by a signature can suspend it", ctx.Organisation, now.Organisation)
	}
	if key == now.Next {
		now.Next = nil
	} else {
		key.Suspended = ctx.At
	}
	return now.changed(ctx.Entry(command.ID, "suspend", string(command.Person))), nil
}

// suspendable finds a key by its address. A first key that waits for its
// witness signs nothing and has none before it: its person is revoked instead.
func (p *Person) suspendable(address Address) *Key {
	if p.Next != nil && p.Next.Address == address {
		return p.Next
	}
	if p.Key.Address == address && p.Key.Witness != "" && p.Key.Suspended == 0 {
		return &p.Key
	}
	return nil
}

func signedBy(ctx tape.Context, person tape.ID) bool {
	return slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == person })
}

// RevokeCommand ends a person's part for good.
type RevokeCommand struct {
	ID     tape.ID `json:"id"`
	Person tape.ID `json:"person"`
}

// Revoke ends a person's part: by the person's organisation, or by the person's
// own signed intent. What was signed before stands. person is PersonKey.
func Revoke(person *Person, command RevokeCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	now, err := person.living(command.Person, ctx)
	if err != nil {
		return Outcome{}, err
	}
	if ctx.Organisation != now.Organisation && !signedBy(ctx, command.Person) {
		return Outcome{}, rule.Refuse(rule.Forbidden, "only %s, or the person by a signature, can revoke person %s", now.Organisation, command.Person)
	}
	now.Revoked, now.Next = ctx.At, nil
	return now.changed(ctx.Entry(command.ID, "revoke", string(command.Person))), nil
}
