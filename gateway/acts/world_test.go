package acts

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

const (
	coats   = tape.AccountID("charity:sunrise:coats")
	winter  = tape.AccountID("charity:sunrise:winter")
	lost    = tape.AccountID("charity:sunrise:lost")
	bank    = tape.AccountID("outside:bank:sunrise")
	shop    = tape.AccountID("outside:supplier:shop")
	ledgerN = 9
)

// staffOf are the organisations of the persons who prepare and sign.
var staffOf = map[tape.ID]string{"maker": "charity", "checker": "charity", "officer": "coop", "inspector": "coop", "teller": "bank", "manager": "bank"}

// seconds are who signs beside whom, where two sign.
var seconds = map[tape.ID]tape.ID{"maker": "checker", "officer": "inspector", "teller": "manager"}

// world is the real contracts and a read model, on which acts are prepared and carried.
type world struct {
	*testing.T
	network *peertest.Network
	model   *readmodel.Model
	prints  fingerprint.Keys
	last    []byte
	read    uint64
	drawn   uint32
}

func newWorld(t *testing.T) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, network: peertest.New(t, build, "charity", "bank", "coop"), model: model, prints: fingerprint.Keys{Folder: t.TempDir()}}
	charter := party.Charter{Ledger: party.LedgerID{ledgerN}, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(party.Threshold{Amount: yuan(1e9), Organisations: 2}),
		Powers: []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Regulator},
			{Organisation: "coop", Power: party.Cooperative}, {Organisation: "bank", Power: party.Lender}}}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range []string{"charity", "bank", "coop"} {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	w.as("bank", "admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	hash, err := charter.Hash()
	w.check(err)
	for _, name := range []string{"charity", "bank", "coop"} {
		w.as(name, "admin", "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	for _, person := range []tape.ID{"maker", "checker", "officer", "inspector", "teller", "manager"} {
		w.register(person, party.DutyStaff, staffOf[person])
	}
	w.register("helper", party.DutyAgent, "charity")
	w.register("mother", party.DutyMember, "charity")
	w.register("mother-2", party.DutyMember, "charity")
	return w
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) as(organisation, role, function string, command any) {
	w.Helper()
	argument, err := encoded(command)
	w.check(err)
	w.network.Advance(time.Second)
	if _, err := w.network.Invoke(w.network.Identity(organisation, role), function, string(argument)); err != nil {
		w.Fatalf("%s: %v", function, err)
	}
}

func encoded(command any) ([]byte, error) {
	if own, can := command.(interface{ Encode() ([]byte, error) }); can {
		return own.Encode()
	}
	return canonical.Encode(command)
}

func (w *world) key(person tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	w.check(err)
	return key
}

func (w *world) register(person tape.ID, duty party.Duty, organisation string) {
	w.Helper()
	registrar := "bank"
	if organisation == "bank" {
		registrar = "charity"
	}
	proof, err := sign.Possession(w.key(person), party.LedgerID{ledgerN}, party.Possession{Person: person, Custody: party.Own, Duty: duty, Organisation: organisation, Registrar: registrar})
	w.check(err)
	w.as(registrar, "gateway", "Party:Register", party.RegisterCommand{Address: sign.Address(w.key(person)), Custody: party.Own, Duty: duty, ID: "register-" + person, Organisation: organisation, Person: person, Proof: proof})
	w.as(organisation, "gateway", "Party:Witness", party.WitnessCommand{Address: sign.Address(w.key(person)), Duty: duty, ID: "witness-" + person, Person: person})
}

// follow reads the blocks that have come.
func (w *world) follow() {
	w.Helper()
	for ; w.read < w.network.Height(); w.read++ {
		block, err := fabric.ReadBlock(w.network.Block(w.read), peertest.Chaincode, nil)
		w.check(err)
		block.PreviousHash, w.last = w.last, block.Hash // the network in memory does not chain its blocks
		w.check(w.model.Apply(w.Context(), block))
	}
}

func (w *world) asker(person tape.ID) Asker {
	w.follow()
	return Asker{Organisation: staffOf[person], Person: person, At: tape.Instant(w.network.Clock().UnixMilli()), Ledger: Books{w.model, w.network.Clock}, Fingerprint: w.prints.Fingerprint}
}

// signersOf are the persons whom a command that was prepared waits for.
func signersOf(person tape.ID, p Prepared) []tape.ID {
	if p.Signers == nil {
		return []tape.ID{person, seconds[person]}[:p.Persons]
	}
	staff := map[string][]tape.ID{"charity": {"maker", "checker"}, "coop": {"officer", "inspector"}, "bank": {"teller", "manager"}}
	var signers []tape.ID
	for _, signer := range p.Signers {
		if signer.Person == "" {
			free := slices.DeleteFunc(slices.Clone(staff[signer.Organisation]), func(id tape.ID) bool { return slices.Contains(signers, id) })
			signer.Person = free[0]
		}
		signers = append(signers, signer.Person)
	}
	return signers
}

// carry signs what was prepared, as many as it asks for, and carries it.
func (w *world) carry(person tape.ID, p Prepared) error {
	w.Helper()
	argument, err := encoded(p.Command)
	w.check(err)
	w.network.Advance(time.Second)
	if p.Persons == 0 {
		if _, own := p.Command.(interface{ Encode() ([]byte, error) }); !own {
			argument, err = p.Unsigned()
			w.check(err)
		}
	}
	if p.Persons > 0 {
		read, err := signing.Read(p.Function, argument, p.Amount)
		w.check(err)
		signers := signersOf(person, p)
		var intents []party.Intent
		for _, signer := range signers {
			w.drawn++
			intent, err := sign.Intent(w.key(signer), party.LedgerID{ledgerN}, signer, party.Statement{Action: read.Action, Subject: read.Subject, Amount: p.Amount, Command: sha256.Sum256(argument),
				Intent: party.IntentID(binary.BigEndian.AppendUint32(make([]byte, 12), w.drawn)), Deadline: tape.Instant(w.network.Clock().Add(time.Hour).Truncate(time.Second).UnixMilli())})
			w.check(err)
			intents = append(intents, intent)
		}
		argument, err = signing.Envelope(argument, intents...)
		w.check(err)
	}
	_, err = w.network.Invoke(w.network.Identity(staffOf[person], "gateway"), p.Function, string(argument))
	w.follow()
	return err
}

func yuan(units int64) money.Amount { return money.New(units, "CNY") }

// files files statement s1, s2 and so on, each of a day and one page.
func (w *world) files(statement, previous tape.ID, opening int64, side tape.Side, lines ...tape.Line) {
	w.Helper()
	day := tape.Date("2025-12-2" + string(statement[1:]))
	for i := range lines {
		lines[i].Date = day
	}
	page, _, err := tape.LinesBody(side, lines)
	w.check(err)
	closing := opening + page.Total.Units
	if side == tape.DebitSide {
		closing = opening - page.Total.Units
	}
	w.as("bank", "gateway", "Tape:FileStatement", tape.FileStatement{Account: bank, ID: statement, Previous: previous, From: day, To: day, Opening: yuan(opening), Closing: yuan(closing), Count: page.Count, Pages: []tape.LinesPage{page}})
	w.as("bank", "gateway", "Tape:FileLines", tape.FileLines{Account: bank, ID: statement + "-lines", Lines: lines, N: 0, Statement: statement})
}

// lines are lines, and gifts that match them, of so many cents.
func lines(first int, units ...int64) (all []tape.Line, gifts []tape.Gift) {
	for i, u := range units {
		reference := fmt.Sprintf("%021dA", first+i)
		all = append(all, tape.Line{Number: int32(first + i), Amount: yuan(u), Reference: reference})
		gifts = append(gifts, tape.Gift{ID: tape.ID(fmt.Sprintf("gift-%d", first+i)), Amount: yuan(u), Reference: reference})
	}
	return all, gifts
}

func (w *world) receives(account tape.AccountID, page tape.ID, gifts ...tape.Gift) {
	w.Helper()
	total := int64(0)
	for _, gift := range gifts {
		total += gift.Amount.Units
	}
	w.as("charity", "gateway", "Tape:Receive", tape.Receive{Account: account, ID: page, Count: int32(len(gifts)), Total: yuan(total), Gifts: gifts})
}
