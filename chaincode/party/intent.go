package party

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// IntentDaysMax is how far ahead a deadline may lie; IntentsMax how many
// persons sign one command.
const (
	IntentDaysMax = 30
	IntentsMax    = 16
)

// Intent is a signed decision as it is sent beside a command.
type Intent struct {
	// Deadline is a whole second: what is signed counts in seconds.
	Deadline  tape.Instant `json:"deadline"`
	Intent    IntentID     `json:"intent"`
	Person    tape.ID      `json:"person"`
	Signature Signature    `json:"signature"`
}

// Act is what the intents of one command must be about. The adapter takes it
// from the command it decoded, never from the sender's words about it.
type Act struct {
	// Action is the contract's function, such as "spend".
	Action string
	// Subject is the account, person or loan.
	Subject string
	// Amount is money in its one spelling, empty where the action has none.
	Amount string
	// Command is the SHA-256 of the canonical command, without its intents.
	Command Hash
	// Entry is the id of the entry that the command will make.
	Entry tape.ID
}

// Presented is an intent with the records it needs.
type Presented struct {
	Intent Intent
	Person *Person // PersonKey of Intent.Person
	Used   *Mark   // IntentKey of Intent.Person and Intent.Intent; must be absent
}

// Judge checks the intents of one command. It returns who decided, and the
// marks that use the intents up.
func Judge(ledger LedgerID, act Act, presented []Presented, ctx tape.Context) ([]tape.Approval, []Write, error) {
	if len(presented) > IntentsMax {
		return nil, nil, rule.Field("intents", rule.Refuse(rule.Invalid, "there are %d; %d at most sign one command", len(presented), IntentsMax))
	}
	var approvals []tape.Approval
	var writes []Write
	mark := Mark{V: 1, Entry: ctx.Organisation + "/" + string(act.Entry)}
	for i, one := range presented {
		err := twice(presented[:i], one.Intent)
		if err == nil {
			var approval tape.Approval
			approval, err = one.judge(ledger, act, ctx)
			approvals = append(approvals, approval)
		}
		if err != nil {
			return nil, nil, rule.Field("intents", rule.Field(index(i), err))
		}
		writes = append(writes, Write{IntentKey(one.Intent.Person, one.Intent.Intent), mark})
	}
	return approvals, writes, nil
}

// twice refuses a person who signs one command twice, and an id used twice in it.
func twice(earlier []Presented, intent Intent) error {
	if slices.ContainsFunc(earlier, func(p Presented) bool { return p.Intent.Person == intent.Person }) {
		return rule.Field("person", rule.Refuse(rule.Invalid, "person %s signs twice", intent.Person))
	}
	if slices.ContainsFunc(earlier, func(p Presented) bool { return p.Intent.Intent == intent.Intent }) {
		return rule.Field("intent", rule.Refuse(rule.Invalid, "%s stands twice", intent.Intent))
	}
	return nil
}

// judge refuses, in this order: what is malformed, what this person cannot
// sign, what it did not sign, and what comes too late, twice or too early.
func (p Presented) judge(ledger LedgerID, act Act, ctx tape.Context) (tape.Approval, error) {
	intent := p.Intent
	if err := rule.First(rule.Field("person", intent.Person.Check()), rule.Field("deadline", near(intent.Deadline, ctx.At))); err != nil {
		return tape.Approval{}, err
	}
	if p.Person == nil || p.Person.ID != intent.Person {
		return tape.Approval{}, rule.Field("person", rule.Refuse(rule.NotFound, "there is no person %s", intent.Person))
	}
	key, err := p.Person.InForce(ctx.At)
	if err != nil {
		return tape.Approval{}, rule.Field("person", err)
	}
	if err := intent.signed(ledger, act, key.Address); err != nil {
		return tape.Approval{}, rule.Field("signature", err)
	}
	if ctx.At > intent.Deadline {
		return tape.Approval{}, rule.Field("deadline", rule.Refuse(rule.Expired, "it was %s; the transaction is of %s", intent.Deadline, ctx.At))
	}
	if p.Used != nil {
		return tape.Approval{}, rule.Field("intent", rule.Refuse(rule.Exists, "%s was used already, by entry %s", intent.Intent, p.Used.Entry))
	}
	if ctx.Organisation == key.Registrar && ctx.At < key.CarryFrom {
		return tape.Approval{}, rule.Field("person", rule.Refuse(rule.Early, "%s registered the key of person %s and cannot carry what it signs before %s", ctx.Organisation, intent.Person, key.CarryFrom))
	}
	return tape.Approval{Person: intent.Person, Organisation: p.Person.Organisation,
		Custody: string(key.Custody), Duty: string(key.Duty), Intent: intent.Intent.String()}, nil
}

// near refuses a deadline that cannot be signed, or that would leave a
// signature lying about for too long.
func near(deadline, at tape.Instant) error {
	if deadline <= 0 || deadline%1000 != 0 {
		return rule.Refuse(rule.Invalid, "%s is not a whole second after 1970", deadline)
	}
	if deadline-at > IntentDaysMax*tape.Day {
		return rule.Refuse(rule.Invalid, "%s is more than %d days ahead", deadline, IntentDaysMax)
	}
	return nil
}

// signed refuses a signature of another key, or over anything else: another
// action, subject, amount, command, id, deadline or ledger.
func (i Intent) signed(ledger LedgerID, act Act, key Address) error {
	statement := Statement{Action: act.Action, Subject: act.Subject, Amount: act.Amount,
		Command: act.Command, Intent: i.Intent, Deadline: i.Deadline}
	signer, err := i.Signature.Recover(statement.Digest(ledger))
	if err != nil {
		return err
	}
	if signer != key {
		return rule.Refuse(rule.Forbidden, "is not that of person %s over this command on this ledger", i.Person)
	}
	return nil
}
