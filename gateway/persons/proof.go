package persons

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Proof is what a person hands to the organisation that brings its key: the
// key's own signature over whose it is. lianbao person possession prints it.
type Proof struct {
	Address      party.Address   `json:"address"`
	Custody      party.Custody   `json:"custody"`
	Duty         party.Duty      `json:"duty"`
	Organisation string          `json:"organisation"`
	Person       tape.ID         `json:"person"`
	Proof        party.Signature `json:"proof"`
	Registrar    string          `json:"registrar"`
}

// ProofBytesMax is longer than any proof.
const ProofBytesMax = 2000

// ParseProof reads a proof in its one spelling, as it was pasted or uploaded.
func ParseProof(text []byte) (Proof, error) {
	var p Proof
	if len(text) > ProofBytesMax {
		return p, rule.Refuse(rule.Invalid, "the proof has %d bytes; %d at most: give what lianbao person possession printed, and nothing else", len(text), ProofBytesMax)
	}
	if err := canonical.Decode(bytes.TrimSpace(text), &p); err != nil {
		return p, err
	}
	if err := p.Person.Check(); err != nil {
		return p, rule.Field("person", err)
	}
	if err := p.Custody.Check(); err != nil {
		return p, err
	}
	return p, p.Duty.Check()
}

// Of makes the proof of a possession that its key has signed.
func Of(p party.Possession, signature party.Signature) Proof {
	return Proof{Address: p.Key, Custody: p.Custody, Duty: p.Duty, Organisation: p.Organisation, Person: p.Person, Proof: signature, Registrar: p.Registrar}
}

// Possession is what the new key has signed.
func (p Proof) Possession() party.Possession {
	return party.Possession{Person: p.Person, Key: p.Address, Custody: p.Custody, Duty: p.Duty, Organisation: p.Organisation, Registrar: p.Registrar}
}

// Check refuses, before anything is sent, what the ledger would refuse of an
// organisation that brings the key: another's proof, and one that the key has not signed.
func (p Proof) Check(ledger party.LedgerID, registrar string) error {
	if p.Registrar != registrar {
		return rule.Field("registrar", rule.Refuse(rule.Forbidden, "the proof is for %.40q to bring; this is %s", p.Registrar, registrar))
	}
	signer, err := p.Proof.Recover(p.Possession().Digest(ledger))
	if err != nil {
		return rule.Field("proof", err)
	}
	if signer != p.Address {
		return rule.Field("proof", rule.Refuse(rule.Forbidden, "is not signed by %s over exactly this, on this ledger", p.Address))
	}
	return nil
}

// Register is the command that brings a person's first key. Its id is made of
// the key, so that whoever sends it again asks for the same entry.
func (p Proof) Register() party.RegisterCommand {
	return party.RegisterCommand{Address: p.Address, Custody: p.Custody, Duty: p.Duty, ID: EntryOf("register", p.Address.String()), Organisation: p.Organisation, Person: p.Person, Proof: p.Proof}
}

// Replace is the command that brings another key, for one that was lost or is
// to be held otherwise.
func (p Proof) Replace() party.RotateCommand {
	return party.RotateCommand{Address: p.Address, Custody: p.Custody, Duty: p.Duty, ID: EntryOf("rotate", p.Address.String()), Person: p.Person, Proof: p.Proof}
}

// Witness is the command by which a second organisation vouches for a key.
func Witness(person tape.ID, key party.Key) party.WitnessCommand {
	return party.WitnessCommand{Address: key.Address, Duty: key.Duty, ID: EntryOf("witness", key.Address.String()), Person: person}
}

// Suspend is the command that stops a key or drops one that waits.
func Suspend(person tape.ID, address party.Address) party.SuspendCommand {
	return party.SuspendCommand{Address: address, ID: EntryOf("suspend", address.String()), Person: person}
}

// Revoke is the command that ends a person's part.
func Revoke(person tape.ID) party.RevokeCommand {
	return party.RevokeCommand{ID: EntryOf("revoke", string(person)), Person: person}
}

// Guard is the command that names a guardian, confirms one, asks for an end or
// confirms that. Its id holds the person's last entry: the same half can come again later.
func Guard(person party.Person, guardian tape.ID, end bool) party.GuardCommand {
	return party.GuardCommand{End: end, Guardian: guardian, ID: EntryOf("guard", fmt.Sprintf("%s %s %t %s", person.ID, guardian, end, person.Entry)), Person: person.ID}
}

// EntryOf names an entry by what it does and to what; nothing of either kind happens twice.
func EntryOf(what, about string) tape.ID {
	digest := sha256.Sum256([]byte(about))
	return tape.ID(fmt.Sprintf("%s.%x", what, digest[:12]))
}

// Waiting is the key of a person that has no witness yet, nil where there is none.
func Waiting(p party.Person) *party.Key {
	switch {
	case p.Revoked != 0:
		return nil
	case p.Key.Witness == "":
		return &p.Key
	case p.Next != nil && p.Next.Witness == "":
		return p.Next
	}
	return nil
}

// MayWitness reports whether an organisation can be the second one for a key
// that waits: another than brought it, and one of the two the person's own.
func MayWitness(p party.Person, organisation string) bool {
	key := Waiting(p)
	return key != nil && key.Registrar != organisation && (key.Registrar == p.Organisation || organisation == p.Organisation)
}
