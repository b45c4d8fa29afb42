package signing

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// Draft is a command that waits for one person's signature, as it is shown,
// downloaded and carried to the person's device. It says nothing about the
// command that the command does not say: see Act.
type Draft struct {
	// Amount is money in its one spelling; none where the action has none.
	Amount  string          `json:"amount,omitempty"`
	Command json.RawMessage `json:"command"`
	// Expires is the deadline of the signature, a whole second.
	Expires  tape.Instant   `json:"expires"`
	Function string         `json:"function"`
	ID       string         `json:"id"`
	Ledger   party.LedgerID `json:"ledger"`
	Person   tape.ID        `json:"person"`
	V        int32          `json:"v"`
}

// DraftBytesMax is the longest file of a draft.
const DraftBytesMax = 1 << 20

// draftIDBytes of a draft's id are random: who does not know it cannot ask for it.
const draftIDBytes = 16

// NewDraftID draws one.
func NewDraftID() string {
	var bits [draftIDBytes]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	return hex.EncodeToString(bits[:])
}

// ParseDraft reads a draft's file in its one spelling and refuses one that
// cannot be signed. A line end behind it may come from an editor.
func ParseDraft(file []byte) (Draft, error) {
	var d Draft
	if len(file) > DraftBytesMax {
		return d, rule.Refuse(rule.Invalid, "the draft has %d bytes; %d at most", len(file), DraftBytesMax)
	}
	if err := canonical.Decode(bytes.TrimRight(file, "\r\n"), &d); err != nil {
		return d, err
	}
	_, err := d.Act()
	return d, err
}

// File is the draft as it is downloaded.
func (d Draft) File() ([]byte, error) {
	text, err := canonical.Encode(d)
	return append(text, '\n'), err
}

// Act reads the command, and refuses a draft that nobody could sign.
func (d Draft) Act() (Act, error) {
	if d.V != 1 {
		return Act{}, rule.Field("v", rule.Refuse(rule.Unsupported, "is %d; this program reads drafts of version 1", d.V))
	}
	if id, err := hex.DecodeString(d.ID); err != nil || len(id) != draftIDBytes || hex.EncodeToString(id) != d.ID {
		return Act{}, rule.Field("id", rule.Refuse(rule.Invalid, "%.70q is not a draft's id", d.ID))
	}
	if err := d.Person.Check(); err != nil {
		return Act{}, rule.Field("person", err)
	}
	if d.Expires <= 0 || d.Expires%1000 != 0 {
		return Act{}, rule.Field("expires", rule.Refuse(rule.Invalid, "%s is not a whole second", d.Expires))
	}
	act, err := Read(d.Function, d.Command, d.Amount)
	if err != nil {
		return act, err
	}
	if own := act.Subject; d.personal() && own != string(d.Person) {
		return act, rule.Field("person", rule.Refuse(rule.Forbidden, "%s cannot sign for person %s", d.Person, own))
	}
	return act, nil
}

// personal reports whether the command is about the person who signs it.
func (d Draft) personal() bool { return personal(d.Function) }

// Statement is what the person signs; the intent's id is drawn for it.
func (d Draft) Statement() (party.Statement, error) {
	act, err := d.Act()
	s := party.Statement{Action: act.Action, Subject: act.Subject, Amount: act.Amount, Command: sha256.Sum256(d.Command), Deadline: d.Expires}
	_, _ = rand.Read(s.Intent[:]) // it never fails: the program ends before
	return s, err
}

// WalletStatement is what a wallet or card signs instead. A wallet gives back a
// signature and nothing else, so the intent's id is made of the draft: whoever
// has the draft knows what was signed. The draft's own id is drawn at random.
func (d Draft) WalletStatement() (party.Statement, error) {
	s, err := d.Statement()
	digest := sha256.Sum256([]byte("lianbao wallet intent 1\n" + d.ID + "\n" + string(d.Person) + "\n" + s.Command.String()))
	copy(s.Intent[:], digest[:])
	return s, err
}

// Typed is the draft as a wallet takes it.
func (d Draft) Typed() (wallet.Document, error) {
	s, err := d.WalletStatement()
	return wallet.Intent(d.Ledger, s), err
}

// Signed makes the intent out of what a wallet returned for Typed, and names
// the key that has signed.
func (d Draft) Signed(signature party.Signature) (party.Intent, party.Address, error) {
	s, err := d.WalletStatement()
	if err != nil {
		return party.Intent{}, party.Address{}, err
	}
	signer, err := signature.Recover(s.Digest(d.Ledger))
	return party.Intent{Deadline: s.Deadline, Intent: s.Intent, Person: d.Person, Signature: signature}, signer, rule.Field("signature", err)
}

// Envelope is a command with its intents, as the contract takes it.
func Envelope(command []byte, intents ...party.Intent) ([]byte, error) {
	return canonical.Encode(envelope{command, append([]party.Intent{}, intents...)}) // none are [], not null
}

type envelope struct {
	Command json.RawMessage `json:"command"`
	Intents []party.Intent  `json:"intents"`
}

// IntentBytesMax is longer than any intent.
const IntentBytesMax = 2000

// ParseIntent reads an intent that was pasted or uploaded.
func ParseIntent(text []byte) (party.Intent, error) {
	var intent party.Intent
	if len(text) > IntentBytesMax {
		return intent, rule.Refuse(rule.Invalid, "the signature has %d bytes; %d at most: paste what lianbao person sign printed, and nothing else", len(text), IntentBytesMax)
	}
	err := canonical.Decode(bytes.TrimSpace(text), &intent)
	return intent, err
}
