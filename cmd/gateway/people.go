package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/issuer"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

// demonstration is an issuer at which anybody may log in as invented people,
// and the folder of those people's keys. Real organisations have none.
type demonstration struct {
	Issuer issuer.Settings `json:"issuer"`
	// Keys is a folder of files <person>.key, hexadecimal digits. Only invented
	// people's are taken from it into the keyring.
	Keys string `json:"keys"`
}

// keyringConfig says where the keys are that the gateway holds; left out, in the folder Data.
type keyringConfig struct {
	Folder string `json:"folder"`
	Master string `json:"master"`
}

func (c config) keyring() keyringConfig {
	if c.Keyring != nil {
		return *c.Keyring
	}
	return keyringConfig{Folder: filepath.Join(c.Data, "keyring"), Master: filepath.Join(c.Data, "keyring-master.key")}
}

// fingerprints are the keys under which payees are compared.
func (g *gateway) fingerprints() fingerprint.Keys {
	return fingerprint.Keys{Folder: filepath.Join(g.config.Data, "fingerprint-keys")}
}

// shelf keeps what the organisation published.
func (g *gateway) shelf() disclosure.Shelf {
	return disclosure.Shelf{Folder: filepath.Join(g.config.Data, "publications")}
}

// staffed builds the pages, with a login where the file names one.
func (g *gateway) staffed(parts portal.Parts, token string) (http.Handler, error) {
	if g.config.Login == nil {
		return portal.New(parts), nil
	}
	if err := g.openKeyring(); err != nil {
		return nil, err
	}
	register := persons.Register{Records: g.model}
	secrets, err := g.config.Login.Secrets()
	if err != nil {
		return nil, err
	}
	address, err := g.config.address()
	if err != nil {
		return nil, err
	}
	handler, err := portal.NewStaffed(parts, func(renderer portal.Renderer) (*portal.People, error) {
		desk, err := login.New(login.Parts{Config: *g.config.Login, Persons: register, Renderer: renderer, Secrets: secrets, Address: address})
		if err != nil {
			return nil, err
		}
		g.desk = desk
		drafts := signing.NewDrafts(signing.Parts{Organisation: g.config.Organisation, Ledger: register, Policy: register, Lanes: g.lanes, Own: g.own, Hand: g.hand()})
		g.processors = importing.NewDesk(importing.Receiver{Organisation: g.config.Organisation, Gateway: importing.Own{Lanes: g.lanes, Model: g.model, Giving: g.giving},
			Folder: cmp.Or(g.config.Importing, filepath.Join(g.config.Data, "importing"))}, slog.Default())
		return &portal.People{Desk: desk, Processors: g.processors, Drafts: drafts, Lanes: g.lanes, Persons: register, Keys: g.keys, Shelf: g.shelf(), Archive: g.documents, Personal: g.personal, Receipts: g.giving, Fingerprints: g.fingerprints(), Journal: g.keys,
			Proposals: portal.Proposals{Folder: filepath.Join(g.config.Data, "proposals")}, Demonstration: g.config.Demonstration != nil}, nil
	})
	if err != nil {
		return nil, err
	}
	for _, pattern := range portal.PeoplePatterns() {
		g.server.Handle(pattern, handler)
	}
	g.server.Handle(signing.DrawPattern, signing.Draws{Organisation: g.config.Organisation, Keys: g.keys, Token: token})
	g.server.Handle(signing.DoorPattern, signing.NewDoor(signing.Door{Organisation: g.config.Organisation, Ledger: register, API: g.server, Token: token, Address: address}))
	return handler, g.demonstrate()
}

// openKeyring opens the keys that this gateway holds, and makes its master key the first time.
func (g *gateway) openKeyring() error {
	c := g.config.keyring()
	if _, err := os.Stat(c.Master); errors.Is(err, os.ErrNotExist) {
		if err := keyring.CreateMaster(c.Master); err != nil {
			return err
		}
	}
	var err error
	g.keys, err = keyring.Open(c.Folder, c.Master, persons.Register{Records: g.model}, nil)
	return err
}

// demonstrate mounts the demonstration's issuer.
func (g *gateway) demonstrate() error {
	d := g.config.Demonstration
	if d == nil {
		return nil
	}
	demo, err := issuer.New(d.Issuer, nil)
	if err != nil {
		return err
	}
	slog.Warn("DEMONSTRATION: anybody can log in here as invented staff", "issuer", d.Issuer.Issuer)
	g.server.Handle(demo.Pattern(), demo)
	return nil
}

// own reports whether a campaign is this organisation's.
func (g *gateway) own(ctx context.Context, account tape.AccountID) bool {
	campaign, err := g.model.Campaign(ctx, account)
	return err == nil && campaign.Organisation == g.config.Organisation
}

// hand signs by the keys that this gateway holds.
func (g *gateway) hand() signing.Hand {
	if g.config.Demonstration == nil {
		return g.keys
	}
	return inventedHand{g.keys, g.config.Demonstration.Keys}
}

// inventedHand takes invented people's keys over into the keyring when they
// are first needed: the network draws them after its gateways have started.
type inventedHand struct {
	*keyring.Keyring
	folder string
}

const inventedPrefix = "invented-"

// Holds implements signing.Hand.
func (h inventedHand) Holds(person tape.ID) bool {
	if h.Keyring.Holds(person) {
		return true
	}
	if person.Check() != nil || !strings.HasPrefix(string(person), inventedPrefix) {
		return false
	}
	text, err := os.ReadFile(filepath.Join(h.folder, string(person)+".key"))
	if err != nil {
		return false
	}
	key, err := crypto.HexToECDSA(strings.TrimSpace(string(text)))
	if err != nil || h.Keep(person, key) != nil {
		slog.Warn("the key of an invented person cannot be taken over", "person", person)
		return false
	}
	return true
}

// Sign implements signing.Hand.
func (h inventedHand) Sign(ctx context.Context, session login.Session, statement party.Statement) (party.Intent, error) {
	h.Holds(session.Person())
	return h.Keyring.Sign(ctx, session, statement)
}

// blockWait is how long a page waits for one block of the own peer.
const blockWait = 10 * time.Second

// block reads one block again from the own peer.
func (g *gateway) block(ctx context.Context, number uint64) (readmodel.Block, error) {
	ctx, cancel := context.WithTimeout(ctx, blockWait)
	defer cancel()
	var found *readmodel.Block
	err := g.ledger.Follow(ctx, number, func(block readmodel.Block) error {
		found = &block
		return errFound
	})
	if found != nil {
		return *found, nil
	}
	return readmodel.Block{}, err
}

// errFound ends the reading of blocks.
var errFound = errors.New("this is the block")
