package founding

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/keyfile"
	"github.com/lianbao/lianbao/network"
)

// Duty is what an invented person does.
type Duty string

// Two persons of an organisation decide together: one makes, one checks.
const (
	Maker   Duty = "maker"
	Checker Duty = "checker"
)

// Signer is an invented person whose key the organisation's gateway holds.
type Signer struct {
	Person       tape.ID
	Organisation string
	Key          *ecdsa.PrivateKey
}

// PersonID is the id of an invented person. It says that nobody stands behind it.
func PersonID(organisation string, duty Duty) tape.ID {
	return tape.ID("invented-" + organisation + "-" + string(duty))
}

func keyPath(folder, organisation string, duty Duty) string {
	return filepath.Join(folder, "organisations", organisation, "keys", string(PersonID(organisation, duty))+".key")
}

// Staff reads the keys of an organisation's invented maker and checker.
func Staff(folder, organisation string) (maker, checker Signer, err error) {
	if maker, err = readSigner(folder, organisation, Maker); err != nil {
		return maker, checker, err
	}
	checker, err = readSigner(folder, organisation, Checker)
	return maker, checker, err
}

func readSigner(folder, organisation string, duty Duty) (Signer, error) {
	return readKey(keyPath(folder, organisation, duty), Signer{Person: PersonID(organisation, duty), Organisation: organisation})
}

func readKey(path string, s Signer) (Signer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("the key of %s is not in this folder; lianbao up makes it", s.Person)
	}
	if err != nil {
		return s, err
	}
	s.Key, err = crypto.HexToECDSA(strings.TrimSpace(string(data)))
	return s, err
}

// Held reads the key of an invented person: its organisation's gateway holds
// it, or it lies on the person's invented device.
func Held(folder, organisation string, person tape.ID) (Signer, error) {
	signer := Signer{Person: person, Organisation: organisation}
	if err := person.Check(); err != nil {
		return signer, err
	}
	held := filepath.Join(folder, "organisations", organisation, "keys", string(person)+".key")
	if _, err := os.Stat(held); err == nil {
		return readKey(held, signer)
	}
	return openDevice(DevicePath(folder, person), signer)
}

// keepSigner reads a key, or draws it and keeps it.
func keepSigner(folder, organisation string, duty Duty) (Signer, error) {
	path := keyPath(folder, organisation, duty)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		key, err := crypto.GenerateKey()
		if err != nil {
			return Signer{}, err
		}
		if err := writeWhole(path, []byte(hex.EncodeToString(crypto.FromECDSA(key))+"\n")); err != nil {
			return Signer{}, err
		}
	}
	return readSigner(folder, organisation, duty)
}

// DevicePassphrase opens the key of every invented device. Everybody knows it:
// these people do not exist, and their money is none.
const DevicePassphrase = "invented people only"

// deviceWork makes a guess at that passphrase cheap: there is nothing to guess.
const deviceWork = 10

// DevicePath is where the key of an invented device lies, for lianbao person --key.
func DevicePath(folder string, person tape.ID) string {
	return filepath.Join(folder, "devices", string(person)+".json")
}

// Device is an invented person whose key lies on an invented device of its own:
// in the network's folder, and not with any gateway, in a file that lianbao
// person reads. The key is drawn the first time.
func Device(folder, organisation string, person tape.ID, ledger party.LedgerID) (Signer, error) {
	return device(DevicePath(folder, person), Signer{Person: person, Organisation: organisation}, ledger, party.Own)
}

// AgentsKeys is where an invented agent keeps the keys of others, for lianbao person --keys.
func AgentsKeys(folder string, agent tape.ID) string {
	return filepath.Join(folder, "devices", string(agent)+"-keeps")
}

// KeptBy is an invented person whose key an invented agent keeps.
func KeptBy(folder string, agent tape.ID, organisation string, person tape.ID, ledger party.LedgerID) (Signer, error) {
	path := filepath.Join(AgentsKeys(folder, agent), string(person)+".json")
	return device(path, Signer{Person: person, Organisation: organisation}, ledger, party.AgentHeld)
}

// device reads a key, or draws it and keeps it.
func device(path string, s Signer, ledger party.LedgerID, custody party.Custody) (Signer, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		file, err := keyfile.New(string(s.Person), ledger.String(), custody)
		if err == nil {
			err = errors.Join(file.Draw(DevicePassphrase, deviceWork), file.Save(path))
		}
		if err != nil {
			return s, err
		}
	}
	return openDevice(path, s)
}

func openDevice(path string, s Signer) (Signer, error) {
	file, err := keyfile.Read(path)
	var fault *keyfile.Fault
	if errors.As(err, &fault) && fault.Usage {
		return s, fmt.Errorf("the key of %s is not in this folder; lianbao up makes it", s.Person)
	}
	if err != nil {
		return s, err
	}
	s.Key, err = file.Open(DevicePassphrase)
	return s, err
}

// Enrol registers the invented staff of every organisation, as far as that has
// not been done, and returns how many persons there are. A key is brought by
// another organisation and witnessed by the person's own: the one that brought
// it could not carry for 30 days what the key signs.
func Enrol(ctx context.Context, folder string, charter party.Charter, connections []network.Connection) (int, error) {
	voices := map[string]voice{}
	for _, c := range connections {
		v, err := speak(c, c.Gateway, connections)
		if err != nil {
			return 0, err
		}
		defer v.close()
		voices[c.Organisation] = v
	}
	work, working := errgroup.WithContext(ctx)
	for _, m := range charter.Organisations {
		for _, duty := range []Duty{Maker, Checker} {
			signer, err := keepSigner(folder, m.Name, duty)
			if err != nil {
				return 0, err
			}
			work.Go(func() error {
				return enrol(working, charter.Ledger, signer, voices[registrarOf(m.Name, charter)], voices[m.Name])
			})
		}
	}
	return 2 * len(charter.Organisations), work.Wait()
}

// registrarOf chooses who brings an organisation's keys: the regulator, the
// bank for the regulator's own, and else the first other organisation.
func registrarOf(organisation string, charter party.Charter) string {
	known := func(name string) bool {
		return slices.ContainsFunc(charter.Organisations, func(m party.Member) bool { return m.Name == name })
	}
	for _, name := range []string{"regulator", "bank"} {
		if name != organisation && known(name) {
			return name
		}
	}
	for _, m := range charter.Organisations {
		if m.Name != organisation {
			return m.Name
		}
	}
	return organisation
}

func enrol(ctx context.Context, ledger party.LedgerID, s Signer, registrar, own voice) error {
	address := sign.Address(s.Key)
	witnessed, err := own.holds(ctx, tape.EntryKey(own.organisation, "witness-"+s.Person))
	if err != nil || witnessed {
		return err
	}
	proof, err := sign.Possession(s.Key, ledger, party.Possession{Person: s.Person, Custody: party.GatewayHeld, Duty: party.DutyStaff,
		Organisation: s.Organisation, Registrar: registrar.organisation})
	if err != nil {
		return err
	}
	err = registrar.do(ctx, "Party:Register", party.RegisterCommand{Address: address, Custody: party.GatewayHeld, Duty: party.DutyStaff,
		ID: "register-" + s.Person, Organisation: s.Organisation, Person: s.Person, Proof: proof})
	if err != nil {
		return fmt.Errorf("%s registers %s: %w", registrar.organisation, s.Person, err)
	}
	// The own peer may commit the registration a moment after the registrar's.
	if err := own.await(ctx, party.PersonKey(s.Person)); err != nil {
		return err
	}
	err = own.do(ctx, "Party:Witness", party.WitnessCommand{Address: address, Duty: party.DutyStaff, ID: "witness-" + s.Person, Person: s.Person})
	if err != nil {
		return fmt.Errorf("%s witnesses %s: %w", own.organisation, s.Person, err)
	}
	return nil
}
