package contract

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// transaction is one command on its way: what was read, what will be written.
type transaction struct {
	stub shim.ChaincodeStubInterface
	// command is the SHA-256 of the canonical command, function what was called, such as "Tape:Spend".
	command  party.Hash
	function string
	msp      string
	role     string
	at       tape.Instant
	ledger   party.LedgerID
	context  tape.Context

	state  map[string][]byte // as read, nil for absent
	writes []party.Write
	guards []guard

	before, after []tape.Keeper
	settlements   []tape.Settlement
}

// guard is a key that its owner must endorse from now on.
type guard struct{ key, owner string }

// run decodes a command, judges it and writes what becomes of it.
func run[C any](ctx Context, argument string, decode func([]byte) (C, error), judge func(*transaction, C) (tape.Entry, error)) (string, error) {
	command, err := decode([]byte(argument))
	if err != nil {
		return "", err
	}
	t, err := begin(ctx, sha256.Sum256([]byte(argument)))
	if err != nil {
		return "", err
	}
	return t.finish(judge(t, command))
}

// signed is how a command travels that persons must sign.
type signed struct {
	Command json.RawMessage `json:"command"`
	Intents []party.Intent  `json:"intents"`
}

// runSigned does the same for a command with intents. Its hash, which the
// intents sign, is that of the command alone.
func runSigned[C any](ctx Context, argument string, judge func(*transaction, C, []party.Intent) (tape.Entry, error)) (string, error) {
	var envelope signed
	if err := canonical.Decode([]byte(argument), &envelope); err != nil {
		return "", err
	}
	command, err := decode[C](envelope.Command)
	if err != nil {
		return "", rule.Field("command", err)
	}
	t, err := begin(ctx, sha256.Sum256(envelope.Command))
	if err != nil {
		return "", err
	}
	return t.finish(judge(t, command, envelope.Intents))
}

func decode[C any](argument []byte) (C, error) {
	var command C
	err := canonical.Decode(argument, &command)
	return command, err
}

func begin(ctx Context, command party.Hash) (*transaction, error) {
	stub := ctx.GetStub()
	t := &transaction{stub: stub, command: command, state: map[string][]byte{}}
	t.function, _ = stub.GetFunctionAndParameters()
	stamp, err := stub.GetTxTimestamp()
	if err != nil {
		return nil, fmt.Errorf("timestamp: %w", err)
	}
	if err := stamp.CheckValid(); err != nil || stamp.AsTime().Before(time.Unix(0, 0)) {
		return nil, rule.Refuse(rule.Invalid, "the transaction's timestamp is not a moment between 1970 and 9999")
	}
	t.at = tape.Instant(stamp.AsTime().UnixMilli())
	identity, err := cid.New(stub)
	if err != nil {
		return nil, rule.Refuse(rule.Forbidden, "the caller's certificate cannot be read")
	}
	if t.msp, err = identity.GetMSPID(); err != nil {
		return nil, rule.Refuse(rule.Forbidden, "the caller's MSP cannot be read")
	}
	if t.role, _, err = identity.GetAttributeValue("role"); err != nil {
		return nil, rule.Refuse(rule.Forbidden, "the role in the caller's certificate cannot be read")
	}
	return t, nil
}

// replayed carries the stored entry of a command that was done before.
type replayed struct{ entry []byte }

func (replayed) Error() string { return "done before" }

// ground learns who calls under which rules, answers a command that was done
// before, and loads the records that the rule needs, all in two round trips.
func (t *transaction) ground(id tape.ID, keys ...string) error {
	if err := id.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := t.load(party.LedgerKey(), party.RulesKey(), party.MSPKey(t.msp)); err != nil {
		return err
	}
	ground := party.Ground{Ledger: read[party.Ledger](t, party.LedgerKey()), Rules: read[party.Rules](t, party.RulesKey()),
		MSP: read[party.MSP](t, party.MSPKey(t.msp))}
	organisation := ""
	if ground.MSP != nil {
		organisation = ground.MSP.Organisation
	}
	entryKey := tape.EntryKey(organisation, id)
	if err := t.load(append(keys, party.PowersKey(organisation), entryKey)...); err != nil {
		return err
	}
	ground.Powers = read[party.Powers](t, party.PowersKey(organisation))
	var err error
	if t.context, err = ground.Context(t.role, t.at, t.command); err != nil {
		return err
	}
	t.ledger, t.context.Subject = ground.Ledger.ID, subjectOf(t.function)
	if t.context.Rules > RulesKnown {
		return rule.Refuse(rule.Unsupported, "rules %d are in force, this program knows %d; upgrade the chaincode", t.context.Rules, RulesKnown)
	}
	stored := read[tape.Entry](t, entryKey)
	if stored == nil {
		return nil
	}
	if err := stored.Replay(t.command.String(), kinds(t.function)...); err != nil {
		return err
	}
	return replayed{t.state[entryKey]}
}

// subjectOf names the rules whose command a function is: accounts that they
// govern are spent by no other.
func subjectOf(function string) string {
	switch contract, _, _ := strings.Cut(function, ":"); contract {
	case "Fund":
		return fund.Subject
	case "Group", "Settlement":
		return group.Subject
	case "Loan":
		return loan.Subject
	case "Pool":
		return pool.Subject
	}
	return ""
}

// kinds are what the entries of a function are called: its own name in lower
// case with dashes, and for the vote that reaches the quorum "enact".
func kinds(function string) []string {
	_, name, _ := strings.Cut(function, ":")
	var kind []rune
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			kind = append(kind, '-')
		}
		kind = append(kind, unicode.ToLower(letter))
	}
	if function == "Party:Vote" {
		return []string{"vote", "enact"}
	}
	return []string{string(kind)}
}

// keysMax bounds what one command reads before its rule has counted its lines;
// the chunks of the largest job are as many.
const keysMax = tape.ChunksMax

// load reads keys that have not been read yet, in one round trip; loans with their progress.
func (t *transaction) load(keys ...string) error {
	var missing, progress []string
	for _, key := range keys {
		if _, known := t.state[key]; !known && key != "" {
			t.state[key] = nil
			missing = append(missing, key)
			if of := loan.ProgressKey(key); of != "" {
				t.state[of] = nil
				progress = append(progress, of)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(missing) > keysMax {
		return rule.Refuse(rule.Invalid, "the command names %d records; %d at most are read for one", len(missing), keysMax)
	}
	missing = append(missing, progress...)
	values, err := t.stub.GetMultipleStates(missing...)
	if err != nil {
		return fmt.Errorf("read %d keys: %w", len(missing), err)
	}
	for i, key := range missing {
		if len(values[i]) > 0 {
			t.state[key] = values[i]
		}
	}
	return nil
}

// read returns a loaded record, nil when it is absent; a loan with its progress.
func read[R any](t *transaction, key string) *R {
	record := written[R](t, key)
	if l, is := any(record).(*loan.Loan); is && l != nil {
		*l = l.With(read[loan.Progress](t, loan.ProgressKey(key)))
	}
	return record
}

// written is what stands under a key by itself. Records were written by these
// contracts, so one that cannot be read is a defect and stops the transaction.
func written[R any](t *transaction, key string) *R {
	value, loaded := t.state[key]
	if !loaded {
		panic("contract: " + key + " was not loaded")
	}
	if value == nil {
		return nil
	}
	record := new(R)
	if err := json.Unmarshal(value, record); err != nil {
		panic("contract: " + key + ": " + err.Error())
	}
	return record
}

// need is read for a record that must be there.
func need[R any](t *transaction, key, what string) (R, error) {
	record := read[R](t, key)
	if record == nil {
		var none R
		return none, rule.Refuse(rule.NotFound, "%s does not exist", what)
	}
	return *record, nil
}

// absent refuses an id that is taken.
func (t *transaction) absent(key, what string) error {
	value, loaded := t.state[key]
	if !loaded {
		panic("contract: " + key + " was not loaded")
	}
	if value != nil {
		return rule.Refuse(rule.Exists, "%s exists already; choose another id", what)
	}
	return nil
}

// save writes a record at the end of the transaction.
func (t *transaction) save(key string, record any) {
	t.writes = append(t.writes, party.Write{Key: key, Record: record})
}

// change saves a record that keeps money, for the auditor beside the rules.
// before is nil for a new record.
func (t *transaction) change(key string, before, after tape.Keeper) {
	if before != nil {
		t.before = append(t.before, before)
	}
	t.after = append(t.after, after)
	t.save(key, after)
}

// protect makes a key writable only with its owner's endorsement.
func (t *transaction) protect(key, owner string) { t.guards = append(t.guards, guard{key, owner}) }

// finish checks the entry, writes everything once, and replies with the entry.
func (t *transaction) finish(entry tape.Entry, err error) (string, error) {
	var done replayed
	if errors.As(err, &done) {
		return string(done.entry), nil
	}
	if err != nil {
		return "", err
	}
	if !slices.Contains(kinds(t.function), entry.Kind) {
		return "", rule.Refuse(rule.Conflict, "%s would make an entry of the kind %s, which it could not answer again", t.function, entry.Kind)
	}
	if err := entry.Check(); err != nil {
		return "", err
	}
	if err := tape.Conserved(t.before, t.after, t.settlements, entry); err != nil {
		return "", err
	}
	encoded, err := entry.Encode()
	if err != nil {
		return "", err
	}
	if err := t.flush(entry, encoded); err != nil {
		return "", err
	}
	return string(encoded), nil
}

func (t *transaction) flush(entry tape.Entry, encoded []byte) error {
	t.stub.StartWriteBatch()
	written := map[string]bool{tape.EntryKey(entry.Organisation, entry.ID): true}
	for _, write := range t.writes {
		// Of two writes of one key Fabric keeps the last and says nothing.
		if written[write.Key] {
			return rule.Refuse(rule.Conflict, "%s would be written twice", write.Key)
		}
		written[write.Key] = true
		value, err := canonical.Encode(write.Record)
		if err != nil {
			return err
		}
		if err := t.stub.PutState(write.Key, value); err != nil {
			return fmt.Errorf("write %s: %w", write.Key, err)
		}
	}
	if err := t.stub.PutState(tape.EntryKey(entry.Organisation, entry.ID), encoded); err != nil {
		return fmt.Errorf("write the entry: %w", err)
	}
	if err := t.writeGuards(); err != nil {
		return err
	}
	if err := t.stub.SetEvent("entry", encoded); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	return t.stub.FinishWriteBatch()
}

// writeGuards sets the key policies: OR(AND(owner, k of the others), AND(all
// others)), where the owner and k others are as many as the organisations'
// quorum. It replaces the chaincode's policy for those keys, so the owner
// alone cannot write them, others without the owner cannot either, and a
// departed owner's accounts can be recovered.
func (t *transaction) writeGuards() error {
	if len(t.guards) == 0 {
		return nil
	}
	members, quorum, err := t.members()
	if err != nil {
		return err
	}
	policies := map[string][]byte{}
	for _, g := range t.guards {
		policy := policies[g.owner]
		if policy == nil {
			if policy, err = keyPolicy(g.owner, members, quorum); err != nil {
				return err
			}
			policies[g.owner] = policy
		}
		if err := t.stub.SetStateValidationParameter(g.key, policy); err != nil {
			return fmt.Errorf("policy of %s: %w", g.key, err)
		}
	}
	return nil
}

// members are the organisations in the order of their admission, and the quorum.
func (t *transaction) members() ([]party.Member, int32, error) {
	if err := t.load(party.OrganisationsKey()); err != nil {
		return nil, 0, err
	}
	list, err := need[party.Organisations](t, party.OrganisationsKey(), "the list of organisations")
	if err != nil {
		return nil, 0, err
	}
	keys := make([]string, len(list.Names))
	for i, name := range list.Names {
		keys[i] = party.OrganisationKey(name)
	}
	if err := t.load(keys...); err != nil {
		return nil, 0, err
	}
	members := make([]party.Member, len(list.Names))
	for i, name := range list.Names {
		organisation, err := need[party.Organisation](t, keys[i], "organisation "+name)
		if err != nil {
			return nil, 0, err
		}
		members[i] = party.Member{Name: name, MSP: organisation.MSP}
	}
	return members, list.Quorum, nil
}

func keyPolicy(owner string, members []party.Member, quorum int32) ([]byte, error) {
	var owners, others []string
	for _, member := range members {
		if member.Name == owner {
			owners = append(owners, member.MSP)
		} else {
			others = append(others, member.MSP)
		}
	}
	if len(owners) != 1 {
		return nil, rule.Refuse(rule.NotFound, "%s is not an organisation", owner)
	}
	envelope := &common.SignaturePolicyEnvelope{}
	rules := make([]*common.SignaturePolicy, 0, len(members))
	for i, mspID := range append(owners, others...) {
		role, err := proto.MarshalOptions{Deterministic: true}.Marshal(&msp.MSPRole{MspIdentifier: mspID, Role: msp.MSPRole_PEER})
		if err != nil {
			return nil, err
		}
		envelope.Identities = append(envelope.Identities, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role})
		rules = append(rules, &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	envelope.Rule = outOf(2, rules[0], outOf(min(quorum-1, int32(len(others))), rules[1:]...))
	if len(others) > 1 { // of two organisations the other alone is not "all others"
		envelope.Rule = outOf(1, envelope.Rule, outOf(int32(len(others)), rules[1:]...))
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(envelope)
}

func outOf(n int32, rules ...*common.SignaturePolicy) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: &common.SignaturePolicy_NOutOf{N: n, Rules: rules}}}
}

// judgeIntents checks the signed intents of a command, uses them up and puts
// the approvals into the context.
func (t *transaction) judgeIntents(act party.Act, intents []party.Intent) error {
	var keys []string
	for _, intent := range intents {
		keys = append(keys, party.PersonKey(intent.Person), party.IntentKey(intent.Person, intent.Intent))
	}
	if err := t.load(keys...); err != nil {
		return err
	}
	act.Command = t.command
	presented := make([]party.Presented, len(intents))
	for i, intent := range intents {
		presented[i] = party.Presented{Intent: intent, Person: read[party.Person](t, keys[2*i]), Used: read[party.Mark](t, keys[2*i+1])}
	}
	approvals, writes, err := party.Judge(t.ledger, act, presented, t.context)
	if err != nil {
		return err
	}
	t.context.Approvals = approvals
	t.writes = append(t.writes, writes...)
	return nil
}
