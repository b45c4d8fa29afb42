package acts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/signing"
)

// Signer is one who has to sign a command: somebody of an organisation's staff,
// or one person and nobody else.
type Signer struct {
	Organisation string  `json:"organisation,omitempty"`
	Person       tape.ID `json:"person,omitempty"`
}

// contracts are those of this program. They keep nothing between calls.
var contracts = sync.OnceValues(func() (shim.Chaincode, error) { return contract.New() })

// judged runs the contract itself on what this ledger shows, as if those whose
// signatures are still to come had signed: so a command is refused before
// anybody signs by the rule that would refuse it afterwards, and no rule stands
// twice. Nothing of what the contract writes is kept.
func (g *ground) judged(function string, command any, amount string, signers []Signer) error {
	plain, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	t := &trial{ground: g, function: function, people: map[string][]byte{}}
	ledger := record[party.Ledger](g, party.LedgerKey())
	organisation := record[party.Organisation](g, party.OrganisationKey(g.Organisation))
	if ledger == nil || organisation == nil {
		return g.err
	}
	if t.creator, err = caller(organisation.MSP); err != nil {
		return err
	}
	if t.argument, err = t.signed(ledger.ID, plain, amount, signers); err != nil {
		return err
	}
	chaincode, err := contracts()
	if err != nil {
		return err
	}
	return t.call(chaincode)
}

// call gives the contract's no; what could not be read is no refusal.
func (t *trial) call(chaincode shim.Chaincode) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the rules stopped at %s: %v", t.function, reason)
		}
	}()
	response := chaincode.Invoke(t)
	if t.ground.err != nil || response.Status < shim.ERRORTHRESHOLD {
		return t.ground.err
	}
	if refusal, is := rule.Parse(response.Message); is {
		return refusal
	}
	return errors.New(response.Message)
}

// trial is what a contract reads, as the read model knows it.
type trial struct {
	shim.ChaincodeStubInterface // what rules never ask for is not answered
	ground                      *ground
	function                    string
	argument, creator           []byte
	// people stand in with keys of the moment for those whose signatures are still to come.
	people map[string][]byte
}

// intentLife is how long a signature that stands in would be good.
const intentLife = tape.Day

// signed puts a stand-in's signature under a command for each who is to sign.
func (t *trial) signed(ledger party.LedgerID, plain []byte, amount string, signers []Signer) ([]byte, error) {
	if signing.Persons(t.function) == 0 {
		return plain, nil
	}
	read, err := signing.Read(t.function, plain, amount)
	if err != nil {
		return nil, err
	}
	var intents []party.Intent
	for i, signer := range signers {
		key, err := crypto.GenerateKey()
		if err != nil {
			return nil, err
		}
		person, err := t.standIn(i, signer, sign.Address(key))
		if err != nil {
			return nil, err
		}
		statement := party.Statement{Action: read.Action, Subject: read.Subject, Amount: amount, Command: sha256.Sum256(plain), Deadline: (t.ground.At + intentLife) / 1000 * 1000}
		_, _ = rand.Read(statement.Intent[:]) // it never fails: the program ends before
		intent, err := sign.Intent(key, ledger, person, statement)
		if err != nil {
			return nil, err
		}
		intents = append(intents, intent)
	}
	return signing.Envelope(plain, intents...)
}

// standIn is a person with a key of the moment: the one who is named, whatever
// else is known of it, or somebody of a staff whose name nobody knows yet.
func (t *trial) standIn(i int, signer Signer, address party.Address) (tape.ID, error) {
	id := signer.Person
	key := party.Key{Address: address, Custody: party.Own, Duty: party.DutyStaff, From: 1, CarryFrom: 1, Registrar: "registrar", Witness: "witness"}
	person := party.Person{V: 1, ID: id, Organisation: signer.Organisation, Key: key, At: 1, Entry: "stand-in/" + strconv.Itoa(i)}
	if id == "" {
		id = tape.ID("stand-in-" + strconv.Itoa(i))
		person.ID = id
	} else {
		if err := id.Check(); err != nil {
			return id, rule.Field("person", err)
		}
		known := t.ground.person(id)
		if known == nil { // the rule says that there is no such person
			return id, t.ground.err
		}
		person = *known
		person.Key.Address = address
		if next := person.Next; next != nil {
			moved := *next
			moved.Address = address
			person.Next = &moved
		}
	}
	text, err := canonical.Encode(person)
	t.people[party.PersonKey(id)] = text
	return id, err
}

// attributes is where a certificate carries what contracts ask of their caller.
var attributes = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// caller is the identity of an organisation's gateway, by a certificate of the moment.
func caller(mspID string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	role, err := json.Marshal(map[string]map[string]string{"attrs": {"role": party.RoleGateway}})
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "judge"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(0, 0).AddDate(200, 0, 0),
		ExtraExtensions: []pkix.Extension{{Id: attributes, Value: role}}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})})
}

func (t *trial) GetFunctionAndParameters() (string, []string) {
	return t.function, []string{string(t.argument)}
}

func (t *trial) GetArgs() [][]byte             { return [][]byte{[]byte(t.function), t.argument} }
func (t *trial) GetStringArgs() []string       { return []string{t.function, string(t.argument)} }
func (t *trial) GetCreator() ([]byte, error)   { return t.creator, nil }
func (t *trial) GetTxID() string               { return strings.Repeat("0", 64) }
func (t *trial) StartWriteBatch()              {}
func (t *trial) FinishWriteBatch() error       { return nil }
func (t *trial) PutState(string, []byte) error { return nil }
func (t *trial) SetEvent(string, []byte) error { return nil }

func (t *trial) GetTransient() (map[string][]byte, error) { return nil, nil }

func (t *trial) SetStateValidationParameter(string, []byte) error { return nil }

func (t *trial) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return timestamppb.New(time.UnixMilli(int64(t.ground.At))), nil
}

func (t *trial) GetState(key string) ([]byte, error) {
	values, err := t.GetMultipleStates(key)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

func (t *trial) GetMultipleStates(keys ...string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, err := t.value(key)
		if err != nil && !rule.Is(err, rule.NotFound) {
			t.ground.err = errors.Join(t.ground.err, err)
			return nil, err
		}
		if err == nil {
			values[i] = value
		}
	}
	return values, nil
}

// value is what stands under a key. Accounts, heads, holds and entries are kept
// apart by the read model; what else it keeps apart no signed act about a scheme,
// a loan or a pool reads.
func (t *trial) value(key string) ([]byte, error) {
	if person, is := t.people[key]; is {
		return person, nil
	}
	kind, rest, _ := strings.Cut(key, "/")
	switch kind {
	case "account":
		account, err := t.ground.Ledger.Account(t.ground.ctx, tape.AccountID(rest))
		return encodedOr(account.Account, err)
	case "head":
		// Where its free money lies on the tape decides nothing here: it is told as one span.
		account, err := t.ground.Ledger.Account(t.ground.ctx, tape.AccountID(rest))
		return encodedOr(tape.Head{V: 1, Account: account.ID, Received: account.Received.Units, Spent: account.Received.Units - account.Free.Units}, err)
	case "hold":
		account, id, _ := strings.Cut(rest, "/")
		hold, err := t.ground.Ledger.Hold(t.ground.ctx, tape.AccountID(account), tape.ID(id))
		return encodedOr(hold.Hold, err)
	case "entry":
		organisation, id, _ := strings.Cut(rest, "/")
		entry, err := t.ground.Ledger.Entry(t.ground.ctx, organisation, tape.ID(id))
		return encodedOr(entry.Entry, err)
	}
	found, err := t.ground.Ledger.Record(t.ground.ctx, key)
	return found.Value, err
}

func encodedOr(value any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return canonical.Encode(value)
}
