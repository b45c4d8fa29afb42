package party_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"reflect"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// world is a store and the adapter that a contract is: it loads records by
// key, calls the rule, stores what the rule returned. It keeps bytes, so that
// every record crosses its canonical spelling.
type world struct {
	t     testing.TB
	state map[string][]byte
	// loaded are the records that were handed out since the last command: a
	// rule is given them to read, not to change.
	loaded map[string]any
	kinds  map[string]bool // of entries
	n      int             // entries made so far
}

const (
	start tape.Instant = 1795341600000 // 2026-11-22T10:00:00.000Z
	known int32        = 3
)

func newWorld(t testing.TB) *world {
	return &world{t: t, state: map[string][]byte{}, loaded: map[string]any{}, kinds: map[string]bool{}}
}

// get loads a record; nil is absent.
func get[T any](w *world, key string) *T {
	data, found := w.state[key]
	if !found {
		return nil
	}
	var record T
	if err := canonical.Decode(data, &record); err != nil {
		w.t.Fatalf("%s holds %s: %v", key, data, err)
	}
	w.loaded[key] = &record
	return &record
}

// must loads a record that is there.
func must[T any](w *world, key string) T {
	record := get[T](w, key)
	if record == nil {
		w.t.Fatalf("%s is absent", key)
	}
	return *record
}

// store writes records, each once, and checks that they read back as they were.
func (w *world) store(writes []party.Write) {
	seen := map[string]bool{}
	for _, write := range writes {
		data, err := canonical.Encode(write.Record)
		if err != nil || seen[write.Key] {
			w.t.Fatalf("%s = %v: %v, written twice: %t", write.Key, write.Record, err, seen[write.Key])
		}
		back := reflect.New(reflect.TypeOf(write.Record))
		if err := canonical.Decode(data, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), write.Record) {
			w.t.Fatalf("%s = %s reads back as %v: %v", write.Key, data, back.Elem(), err)
		}
		seen[write.Key], w.state[write.Key] = true, data
	}
}

// commit stores an outcome.
func (w *world) commit(outcome party.Outcome, err error) (party.Outcome, error) {
	for key, record := range w.loaded {
		if data, err := canonical.Encode(record); err != nil || !bytes.Equal(data, w.state[key]) {
			w.t.Fatalf("%s was changed by the rule that read it: %s, %v", key, data, err)
		}
	}
	clear(w.loaded)
	if err != nil {
		if len(outcome.Writes) > 0 || !reflect.DeepEqual(outcome.Entry, tape.Entry{}) {
			w.t.Fatalf("%v, and yet there is an outcome: %v", err, outcome)
		}
		if _, ok := rule.Parse(err.Error()); !ok {
			w.t.Fatalf("%v is no refusal", err)
		}
		return outcome, err
	}
	if err := outcome.Entry.Check(); err != nil {
		w.t.Fatal(err)
	}
	w.n++
	w.kinds[outcome.Entry.Kind] = true
	w.store(outcome.Writes)
	return outcome, nil
}

// context is that of a caller, made from the records as the adapter makes it.
func (w *world) context(organisation, role string, at tape.Instant) tape.Context {
	ground := party.Ground{Ledger: get[party.Ledger](w, party.LedgerKey()), Rules: get[party.Rules](w, party.RulesKey()),
		MSP: get[party.MSP](w, party.MSPKey(msp(organisation))), Powers: get[party.Powers](w, party.PowersKey(organisation))}
	ctx, err := ground.Context(role, at, party.Hash{})
	if err != nil {
		w.t.Fatal(err)
	}
	return ctx
}

func (w *world) ledger() party.LedgerID { return must[party.Ledger](w, party.LedgerKey()).ID }

func (w *world) vote(command party.VoteCommand, ctx tape.Context) (party.Outcome, error) {
	state := party.VoteState{Known: known,
		Organisations: must[party.Organisations](w, party.OrganisationsKey()),
		Rules:         must[party.Rules](w, party.RulesKey()),
		Joined:        get[party.Mark](w, party.JoinedKey(ctx.Organisation)),
		Proposal:      get[party.Proposal](w, party.ProposalKey(command.Proposal)),
		Enacted:       get[party.Mark](w, party.EnactedKey(command.Proposal))}
	for _, name := range state.Organisations.Names {
		state.Votes = append(state.Votes, get[party.Mark](w, party.VoteKey(command.Proposal, name)))
	}
	if keys := command.Change.Keys(); len(keys) == 2 {
		state.Organisation = get[party.Organisation](w, keys[0])
		if command.Change.Admit != nil {
			state.MSP = get[party.MSP](w, keys[1])
		} else {
			state.Powers = get[party.Powers](w, keys[1])
		}
	}
	return w.commit(party.Vote(state, command, ctx))
}

func (w *world) register(command party.RegisterCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Register(party.RegisterState{Ledger: w.ledger(),
		Organisation: get[party.Organisation](w, party.OrganisationKey(command.Organisation)),
		Person:       get[party.Person](w, party.PersonKey(command.Person)),
		Holder:       get[party.Holder](w, party.AddressKey(command.Address))}, command, ctx))
}

func (w *world) witness(command party.WitnessCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Witness(party.WitnessState{Policy: must[party.PolicyRecord](w, party.PolicyKey()).Policy,
		Person: get[party.Person](w, party.PersonKey(command.Person))}, command, ctx))
}

func (w *world) rotate(command party.RotateCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Rotate(party.RotateState{Ledger: w.ledger(),
		Person: get[party.Person](w, party.PersonKey(command.Person)),
		Holder: get[party.Holder](w, party.AddressKey(command.Address))}, command, ctx))
}

func (w *world) suspend(command party.SuspendCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Suspend(get[party.Person](w, party.PersonKey(command.Person)), command, ctx))
}

func (w *world) revoke(command party.RevokeCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Revoke(get[party.Person](w, party.PersonKey(command.Person)), command, ctx))
}

func (w *world) guard(command party.GuardCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Guard(party.GuardState{Policy: must[party.PolicyRecord](w, party.PolicyKey()).Policy,
		Person: get[party.Person](w, party.PersonKey(command.Person)), Guardian: get[party.Person](w, party.PersonKey(command.Guardian))}, command, ctx))
}

func (w *world) consents(organisation string, person tape.ID, purpose, about string) party.ConsentState {
	return party.ConsentState{Organisation: get[party.Organisation](w, party.OrganisationKey(organisation)), Person: get[party.Person](w, party.PersonKey(person)),
		Known: get[party.Consent](w, party.ConsentKey(person, organisation, purpose, about))}
}

func (w *world) agree(c party.ConsentCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Agree(w.consents(c.Organisation, c.Person, c.Purpose, c.About), c, ctx))
}

func (w *world) withdraw(c party.WithdrawCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.WithdrawConsent(w.consents(c.Organisation, c.Person, c.Purpose, c.About), c, ctx))
}

// judge presents intents and uses them up.
func (w *world) judge(act party.Act, intents []party.Intent, ctx tape.Context) ([]tape.Approval, error) {
	var presented []party.Presented
	for _, intent := range intents {
		presented = append(presented, party.Presented{Intent: intent, Person: get[party.Person](w, party.PersonKey(intent.Person)),
			Used: get[party.Mark](w, party.IntentKey(intent.Person, intent.Intent))})
	}
	approvals, writes, err := party.Judge(w.ledger(), act, presented, ctx)
	if err != nil && (approvals != nil || writes != nil) {
		w.t.Fatalf("%v, and yet %v, %v", err, approvals, writes)
	}
	w.store(writes)
	return approvals, err
}

var organisations = []string{"charity", "coop", "bank", "insurer", "regulator"}

func msp(organisation string) string { return organisation + "MSP" }

// charter is that of the default network.
func charter() party.Charter {
	c := party.Charter{Ledger: party.LedgerID(sha256.Sum256([]byte("ledger"))), Quorum: 3, Rules: 1, Zone: "+08:00",
		Powers: []party.Grant{{Organisation: "bank", Power: party.Lender}, {Organisation: "bank", Power: party.Custodian},
			{Organisation: "charity", Power: party.Charity}},
		Policy: party.DefaultPolicy(party.Threshold{Amount: money.New(1000000, "CNY"), Organisations: 2},
			party.Threshold{Amount: money.New(0, "VND"), Organisations: 3})}
	for _, name := range organisations {
		c.Organisations = append(c.Organisations, party.Member{Name: name, MSP: msp(name)})
	}
	return c
}

// found founds the default ledger; everyone joins.
func found(t testing.TB) *world {
	w := newWorld(t)
	_, err := w.commit(party.Found(party.FoundState{MSP: "charityMSP", Known: known},
		party.FoundCommand{ID: "founding", Charter: charter()}, tape.Context{Role: party.RoleAdmin, At: start}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range organisations {
		if _, err := w.join(party.JoinCommand{ID: "joining", Charter: hashOf(t, charter())}, w.context(name, party.RoleAdmin, start)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) join(command party.JoinCommand, ctx tape.Context) (party.Outcome, error) {
	return w.commit(party.Join(party.JoinState{Charter: get[party.CharterRecord](w, party.CharterKey()),
		Joined: get[party.Mark](w, party.JoinedKey(ctx.Organisation))}, command, ctx))
}

func hashOf(t testing.TB, c party.Charter) party.Hash {
	hash, err := c.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// key is the test key of a name: the same in every run.
func key(name string) *ecdsa.PrivateKey {
	if made, found := keys.Load(name); found {
		return made.(*ecdsa.PrivateKey)
	}
	digest := sha256.Sum256([]byte("key " + name))
	made, err := crypto.ToECDSA(digest[:])
	if err != nil {
		panic(err)
	}
	keys.Store(name, made)
	return made
}

// keys holds those that were made: computing the public half is slow.
var keys sync.Map

func address(name string) party.Address { return sign.Address(key(name)) }

// prove signs for a registration.
func (w *world) prove(name string, possession party.Possession) party.Signature {
	signature, err := sign.Possession(key(name), w.ledger(), possession)
	if err != nil {
		w.t.Fatal(err)
	}
	return signature
}

// malleate makes the other valid signature, with order-s, out of one.
func malleate(signature party.Signature) party.Signature {
	s := new(big.Int).SetBytes(signature[32:64])
	s.Sub(crypto.S256().Params().N, s).FillBytes(signature[32:64])
	signature[64] = 27 + 28 - signature[64]
	return signature
}

func equal(a, b any) bool {
	first, err1 := canonical.Encode(a)
	second, err2 := canonical.Encode(b)
	return err1 == nil && err2 == nil && bytes.Equal(first, second)
}
