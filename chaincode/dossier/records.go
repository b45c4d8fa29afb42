package dossier

import "github.com/lianbao/lianbao/chaincode/tape"

// NoteKey is where the Note of a record stands, for all to see.
func NoteKey(collection Collection, record Pseudonym) string {
	return "dossier/" + string(collection) + "/" + string(record)
}

// ValueKey is the private key of a Value.
func ValueKey(record Pseudonym) string { return "value/" + string(record) }

// MarkKey is the private key of a record's Mark.
func MarkKey(record Pseudonym) string { return "mark/" + string(record) }

// ActKey is the private key of an Act.
func ActKey(organisation string, id Pseudonym) string {
	return "act/" + organisation + "/" + string(id)
}

// State says whether a value is kept or has been purged.
type State string

// The two states.
const (
	Kept   State = "kept"
	Purged State = "purged"
)

// Mark stands beside a private value and says whose it is. It holds nothing
// that a public command does not say as well, so everyone can compute its hash
// and compare it with the one that Fabric shows: that is how a public command
// proves what the members did among themselves. It stays when the value goes.
type Mark struct {
	V            int32     `json:"v"`
	Class        Class     `json:"class"`
	Hash         Hash      `json:"hash"`
	Organisation string    `json:"organisation"`
	Reason       Reason    `json:"reason,omitempty"`
	Record       Pseudonym `json:"record"`
	State        State     `json:"state"`
}

// Act is a private command that was done. A private command writes no public
// key, so this is how a second one with the same id is recognised.
type Act struct {
	V        int32  `json:"v"`
	Command  string `json:"command"`
	Function string `json:"function"`
}

// Note is what the channel knows of a private value. Nothing in it is personal.
type Note struct {
	V          int32      `json:"v"`
	Class      Class      `json:"class"`
	Collection Collection `json:"collection"`
	// Entry cited the value, or marked it as purged.
	Entry string `json:"entry"`
	Hash  Hash   `json:"hash"`
	// KeepUntil is the day from which the value may be purged or replaced; none for at once.
	KeepUntil tape.Date `json:"keepUntil,omitempty"`
	// Organisation is the one that keeps the value.
	Organisation string    `json:"organisation"`
	Reason       Reason    `json:"reason,omitempty"`
	Record       Pseudonym `json:"record"`
	State        State     `json:"state"`
}

// Answer is the reply to a private command. It is in the block, so it says only
// what the command said.
type Answer struct {
	V            int32      `json:"v"`
	Collection   Collection `json:"collection"`
	Hash         Hash       `json:"hash"`
	ID           Pseudonym  `json:"id"`
	Organisation string     `json:"organisation"`
	Record       Pseudonym  `json:"record"`
	State        State      `json:"state"`
}

// PrivateState is what a private command needs to know. Nil is absent.
type PrivateState struct {
	// MSP is the caller's.
	MSP  string
	Act  *Act  // ActKey of the caller's organisation and the command's id
	Mark *Mark // MarkKey
	Note *Note // NoteKey
}

// PrivateOutcome is what becomes in one collection, and the reply. There is no
// public key and no event.
type PrivateOutcome struct {
	Act  Act
	Mark *Mark // nil for a command that was done before
	// Value is written, Purge is removed with its history; at most one of them.
	Value  []byte
	Purge  bool
	Answer Answer
}

// PublicState is what a public command needs to know: the note, and the hashes
// that Fabric shows of the private keys. Nil is absent.
type PublicState struct {
	MSP   string
	Note  *Note // NoteKey
	Value *Hash // of ValueKey
	Mark  *Hash // of MarkKey
}
