// Package founding turns a fresh Fabric network into a Lianbao ledger: it draws
// up the charter, lets one organisation found the ledger and every organisation
// join it, and enrols the invented staff of a network on one machine.
//
// Everything can be repeated after a crash at any point. What was drawn at
// random (the ledger's id, the keys) is on the disk before it is used.
package founding

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/network/topology"
)

// zone is the civil time of the business dates; a topology does not name one.
const zone = "+08:00"

// powers are what the organisations of the built-in topologies do. Another
// organisation begins with none, and gets its powers by vote.
var powers = []party.Grant{
	{Organisation: "charity", Power: party.Charity},
	{Organisation: "coop", Power: party.Cooperative},
	{Organisation: "coop", Power: party.Supplier},
	{Organisation: "coop", Power: party.Lender},
	{Organisation: "bank", Power: party.Custodian},
	{Organisation: "bank", Power: party.Lender},
	{Organisation: "insurer", Power: party.Insurer},
	{Organisation: "regulator", Power: party.Oracle},
	{Organisation: "regulator", Power: party.Regulator},
}

// thresholds are the amounts above which persons of two organisations sign.
// Money in another currency waits until the organisations vote one.
var thresholds = []party.Threshold{
	{Amount: money.New(1_000_000_00, "CNY"), Organisations: 2},
	{Amount: money.New(100_000_00, "EUR"), Organisations: 2},
	{Amount: money.New(100_000_00, "USD"), Organisations: 2},
	{Amount: money.New(3_000_000_000, "VND"), Organisations: 2},
}

// policy is that of a network on one machine: a key is in force as soon as its
// second organisation has witnessed it, because nobody would wait a day for a
// demonstration. A ledger that holds real money takes party.DefaultPolicy.
func policy() party.Policy {
	p := party.DefaultPolicy(thresholds...)
	p.Persons.KeyWaitingHours = 0
	return p
}

// Draw makes the charter of a topology for a ledger id.
func Draw(t topology.Topology, ledger party.LedgerID) party.Charter {
	c := party.Charter{Ledger: ledger, Policy: policy(), Rules: 1, Zone: zone}
	for _, o := range t.Members() {
		c.Organisations = append(c.Organisations, party.Member{MSP: o.MSPID, Name: o.Name})
	}
	c.Quorum = int32(len(c.Organisations)/2 + 1)
	for _, grant := range powers {
		if slices.ContainsFunc(c.Organisations, func(m party.Member) bool { return m.Name == grant.Organisation }) {
			c.Powers = append(c.Powers, grant)
		}
	}
	return c
}

// charterPath lies beside the channel's first block, and is removed with it.
func charterPath(folder string) string { return filepath.Join(folder, "channel", "charter.json") }

// Charter reads the charter of the network in a folder.
func Charter(folder string) (party.Charter, error) {
	data, err := os.ReadFile(charterPath(folder))
	if err != nil {
		return party.Charter{}, err
	}
	var c party.Charter
	if err := json.Unmarshal(data, &c); err != nil {
		return party.Charter{}, fmt.Errorf("%s: %w", charterPath(folder), err)
	}
	return c, nil
}

// keepCharter reads the charter, or draws it up and keeps it: a crash between
// founding and joining goes on with the same ledger.
func keepCharter(folder string, t topology.Topology) (party.Charter, error) {
	c, err := Charter(folder)
	if !errors.Is(err, os.ErrNotExist) {
		return c, err
	}
	var ledger party.LedgerID
	if _, err := rand.Read(ledger[:]); err != nil {
		return party.Charter{}, err
	}
	c = Draw(t, ledger)
	if err := c.Check(1); err != nil {
		return party.Charter{}, fmt.Errorf("charter: %w", err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return party.Charter{}, err
	}
	return c, writeWhole(charterPath(folder), append(data, '\n'))
}

// writeWhole leaves, whenever it is interrupted, the old file or the new one.
func writeWhole(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(data)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}
