package tape

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Entry is what one transaction did: one transaction, one entry, one event,
// one reply. It is never edited; another entry corrects it. It is stored under
// EntryKey, so no organisation can take another's id.
type Entry struct {
	// V is the version of this record's form.
	V int32 `json:"v"`
	// ID was chosen by the client, and is unique within the organisation.
	ID ID `json:"id"`
	// Organisation carried the transaction; its X.509 identity signed it.
	Organisation string `json:"organisation"`
	// Role is the role attribute of that identity: gateway, auditor or admin.
	Role string `json:"role"`
	// Kind is the command, such as "receive" or "spend".
	Kind string `json:"kind"`
	// Subject is the account, person or proposal that the command is about.
	Subject string `json:"subject"`
	// At is the transaction's timestamp, BusinessDate its civil day in the scheme's zone.
	At           Instant `json:"at"`
	BusinessDate Date    `json:"businessDate"`
	// Rules is the version of the rules that judged the command.
	Rules int32 `json:"rules"`
	// Command is the SHA-256 of the command's canonical bytes, in hexadecimal:
	// the same id with the same command is answered again, with another refused.
	Command string `json:"command"`
	// Postings are the money that moved, each balanced by construction.
	Postings []Posting `json:"postings,omitempty"`
	// Evidence names the bank lines and files that the entry rests on.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Intents are the persons who decided, each with a checked signature.
	Intents []Approval `json:"intents,omitempty"`
}

// Posting moves money from one account to another.
type Posting struct {
	From   AccountID    `json:"from"`
	To     AccountID    `json:"to"`
	Amount money.Amount `json:"amount"`
	// Taken are the spans on From's tape, in the order the money moved; none
	// when From is outside, or for a memo.
	Taken Spans `json:"taken,omitempty"`
	// Laid are the spans on To's tape, when the posting lays them at once: a
	// settled page, a returned payout. Money that moves between accounts waits
	// as an inflow until it is settled.
	Laid Spans `json:"laid,omitempty"`
	// Inflow is the pending inflow that the posting made at To, organisation/entry/index.
	Inflow string `json:"inflow,omitempty"`
	// Line is the client's id of the line within a batch.
	Line ID `json:"line,omitempty"`
	// OnBehalfOf is whose debt the money settles, when it is not To's own.
	OnBehalfOf AccountID `json:"onBehalfOf,omitempty"`
	// Memo marks an accrual: it balances, and has no place on a tape.
	Memo bool `json:"memo,omitempty"`
	// Origin is the entry whose money comes back or is corrected, organisation/id.
	Origin string `json:"origin,omitempty"`
}

// Evidence is what a settlement or a payout rests on.
type Evidence struct {
	// Kind is statement, processor, entry or self-declared.
	Kind string `json:"kind"`
	// Reference is the key of the evidence record on the ledger; empty for self-declared.
	Reference string `json:"reference,omitempty"`
	// Line is the number of one statement line, 0 for a whole page of lines.
	Line int32 `json:"line,omitempty"`
}

// Approval is a signed intent that the contract has checked: who decided, with
// whose custody of the key, as what (staff, agent or member), under which intent id.
type Approval struct {
	Person       ID     `json:"person"`
	Organisation string `json:"organisation"`
	Custody      string `json:"custody"`
	Duty         string `json:"duty"`
	Intent       string `json:"intent"`
}

// Context is what a rule may know of a transaction beside its command.
type Context struct {
	// Organisation and Role are the caller's, from its X.509 identity.
	Organisation, Role string
	// Powers that the organisations voted the caller's organisation.
	Powers []string
	At     Instant
	Date   Date
	Rules  int32
	// Command is the hexadecimal SHA-256 of the canonical command.
	Command string
	// Subject names the rules whose command this is, such as fund; empty for the tape's own.
	Subject string
	// Approvals are the checked intents, none where the command needs none.
	Approvals []Approval
}

// Has reports whether the caller's organisation holds a power.
func (c Context) Has(power string) bool {
	for _, p := range c.Powers {
		if p == power {
			return true
		}
	}
	return false
}

// Entry begins the entry of a command.
func (c Context) Entry(id ID, kind, subject string) Entry {
	return Entry{V: 1, ID: id, Organisation: c.Organisation, Role: c.Role, Kind: kind, Subject: subject,
		At: c.At, BusinessDate: c.Date, Rules: c.Rules, Command: c.Command, Intents: c.Approvals}
}

// Reference names the entry on the whole ledger, organisation/id.
func (e Entry) Reference() string { return e.Organisation + "/" + string(e.ID) }

// Check is the auditor beside the rules: whatever a rule did, its postings are
// positive, and what they took and laid is exactly what they moved.
func (e Entry) Check() error {
	for _, p := range e.Postings {
		if err := p.Amount.Positive(p.Amount.Currency); err != nil {
			return err
		}
		if p.From == p.To {
			return rule.Refuse(rule.Conflict, "entry %s posts from %s to itself", e.ID, p.From)
		}
		if p.Memo && (len(p.Taken) > 0 || len(p.Laid) > 0 || p.Inflow != "") {
			return rule.Refuse(rule.Conflict, "entry %s lays a memo on a tape", e.ID)
		}
		if p.Memo {
			continue
		}
		if p.From.Outside() == (len(p.Taken) > 0) || (len(p.Taken) > 0 && p.Taken.Total() != p.Amount.Units) {
			return rule.Refuse(rule.Conflict, "entry %s takes %d units from %s for %s", e.ID, p.Taken.Total(), p.From, p.Amount)
		}
		if len(p.Laid) > 0 && p.Laid.Total() != p.Amount.Units {
			return rule.Refuse(rule.Conflict, "entry %s lays %d units at %s for %s", e.ID, p.Laid.Total(), p.To, p.Amount)
		}
		if !p.To.Outside() && (len(p.Laid) > 0) == (p.Inflow != "") {
			return rule.Refuse(rule.Conflict, "entry %s gives %s to %s no place, or two", e.ID, p.Amount, p.To)
		}
	}
	return nil
}

// Encode writes the entry as it is stored, sent as event and replied.
func (e Entry) Encode() ([]byte, error) { return canonical.Encode(e) }

// Replay answers a command whose entry id is taken: the stored entry again for
// the same command, a refusal for another. Two functions may take the same
// bytes, so the kinds of entry that the called one makes are compared as well.
func (e Entry) Replay(command string, kinds ...string) error {
	if e.Command != command || !slices.Contains(kinds, e.Kind) {
		return rule.Refuse(rule.Exists, "entry %s exists with other content; choose another id", e.ID)
	}
	return nil
}
