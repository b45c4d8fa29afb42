package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/pace"
)

// config is the one file that a gateway reads. The network writes it.
type config struct {
	Organisation string `json:"organisation"`
	MSPID        string `json:"mspId"`
	Channel      string `json:"channel"`
	Chaincode    string `json:"chaincode"`
	// Listen is the address of the API, Data the folder that the gateway owns.
	Listen string `json:"listen"`
	Data   string `json:"data"`
	Peer   struct {
		Address      string `json:"address"`
		TLSRootCert  string `json:"tlsRootCert"`
		HostOverride string `json:"hostOverride"`
	} `json:"peer"`
	// Identity carries commands, Auditor reads.
	Identity files `json:"identity"`
	Auditor  files `json:"auditor"`
	// Token is the file of the bearer tokens that let programs write; see api.ParseTokens.
	Token  string          `json:"token"`
	Others []api.Neighbour `json:"others"`
	// Collections are the private data collections that the organisation is a
	// member of, with their members; its own one needs no line.
	Collections map[string][]string `json:"collections,omitempty"`
	// Documents says where evidence is kept; left out, in the folder Data.
	Documents *struct {
		Store  string `json:"store"`
		Keys   string `json:"keys"`
		Master string `json:"master"`
	} `json:"documents,omitempty"`
	// Giving is how givers find this organisation; it may be left out.
	Giving givingConfig `json:"giving,omitzero"`
	// TrustedProxies are the networks (CIDR) of proxies that the organisation runs
	// before this gateway; whom they name in X-Forwarded-For is believed.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// Login says who may log in to the pages; left out, nobody does.
	Login *login.Config `json:"login,omitempty"`
	// Keyring says where the keys of persons are that this gateway holds.
	Keyring *keyringConfig `json:"keyring,omitempty"`
	// Demonstration lets anybody log in as invented people.
	Demonstration *demonstration `json:"demonstration,omitempty"`
	// Importing is the folder of secrets and plans of imports, the one in which
	// lianbao import keeps them; left out, in the folder Data.
	Importing string `json:"importing,omitempty"`
	// PagesInFlight is how many pages go to the ledger side by side; 0 means 10.
	PagesInFlight int `json:"pagesInFlight,omitempty"`
	// LeaveInflows leaves money from other accounts waiting until someone settles it.
	LeaveInflows bool `json:"leaveInflows,omitempty"`
	// KeepDays is how long answers and finished commands are kept; 0 means 90.
	KeepDays int `json:"keepDays,omitempty"`
	// Log is debug, info, warn or error; empty means info.
	Log string `json:"log,omitempty"`
}

// files name a certificate and its key.
type files struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// readConfig reads the file strictly: a misspelled field would silently be a default.
func readConfig(path string) (config, error) {
	var c config
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: there is text behind the document", path)
	}
	if missing := c.missing(); len(missing) > 0 {
		return c, fmt.Errorf("%s: missing: %s", path, strings.Join(missing, ", "))
	}
	if c.PagesInFlight < 0 || c.PagesInFlight > 100 || c.KeepDays < 0 {
		return c, fmt.Errorf("%s: pagesInFlight is 0 to 100, keepDays not negative", path)
	}
	if _, err := c.address(); err != nil {
		return c, fmt.Errorf("%s: trustedProxies: %w", path, err)
	}
	return c, nil
}

// address names where requests come from, behind the organisation's own proxies.
func (c config) address() (func(*http.Request) string, error) {
	trusted := make([]netip.Prefix, len(c.TrustedProxies))
	for i, text := range c.TrustedProxies {
		var err error
		if trusted[i], err = netip.ParsePrefix(text); err != nil || trusted[i] != trusted[i].Masked() {
			return nil, fmt.Errorf("%.60q is not a network such as 10.1.0.0/16 or 127.0.0.1/32", text)
		}
	}
	return pace.Behind(trusted), nil
}

func (c config) missing() []string {
	var names []string
	for _, field := range []struct{ name, value string }{
		{"organisation", c.Organisation}, {"mspId", c.MSPID}, {"channel", c.Channel}, {"chaincode", c.Chaincode},
		{"listen", c.Listen}, {"data", c.Data}, {"peer.address", c.Peer.Address}, {"peer.tlsRootCert", c.Peer.TLSRootCert},
		{"identity.certificate", c.Identity.Certificate}, {"identity.key", c.Identity.Key}, {"token", c.Token},
	} {
		if field.value == "" {
			names = append(names, field.name)
		}
	}
	return names
}

// archive says where evidence is kept.
func (c config) archive() document.Config {
	if c.Documents != nil {
		return document.Config{Store: c.Documents.Store, Keys: c.Documents.Keys, Master: c.Documents.Master}
	}
	return document.Config{Store: "file://" + filepath.ToSlash(filepath.Join(c.Data, "documents")), Keys: filepath.Join(c.Data, "document-keys"),
		Master: filepath.Join(c.Data, "document-master.key")}
}

// connection reads the files that the config names.
func (c config) connection() (fabric.Connection, error) {
	connection := fabric.Connection{Organisation: c.Organisation, MSP: c.MSPID, Channel: c.Channel, Chaincode: c.Chaincode,
		Address: c.Peer.Address, HostOverride: c.Peer.HostOverride, Names: map[string]string{c.MSPID: c.Organisation}}
	for _, other := range c.Others {
		connection.Names[other.MSPID] = other.Organisation
	}
	for _, file := range []struct {
		path string
		into *[]byte
	}{{c.Peer.TLSRootCert, &connection.RootCertificate}, {c.Identity.Certificate, &connection.Certificate}, {c.Identity.Key, &connection.Key}} {
		data, err := os.ReadFile(file.path)
		if err != nil {
			return connection, err
		}
		*file.into = data
	}
	return connection, nil
}

// tokens reads the bearer tokens, and refuses those that can be guessed or that
// others may read. The first is the organisation's own.
func (c config) tokens() ([]api.Token, error) {
	text, err := login.ReadSecret(c.Token)
	if err != nil {
		return nil, err
	}
	tokens, err := api.ParseTokens(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Token, err)
	}
	return tokens, nil
}
