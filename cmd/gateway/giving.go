package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/portal"
	"github.com/lianbao/lianbao/gateway/trail"
)

// givingConfig is what givers need to know that the ledger does not hold.
type givingConfig struct {
	// Issuer signs receipts: name, unified social credit code, handler. Without
	// it receipts carry a code that is plainly nobody's.
	Issuer giving.Issuer `json:"issuer,omitzero"`
	// BankAccounts are how to pay to the ledger's bank accounts: holder, bank, number.
	BankAccounts map[tape.AccountID]string `json:"bankAccounts,omitempty"`
	// Key is the file of the key that seals announcements; beside the data where it is empty.
	Key string `json:"key,omitempty"`
	// Font is a TrueType font with Chinese signs for receipts as PDF; empty to look in the usual places.
	Font string `json:"font,omitempty"`
	// KeepDays is how long an announcement waits for its bank line; 0 means 90.
	KeepDays int `json:"keepDays,omitempty"`
}

// civilDay is that of the ledger's zone.
const civilOffset = 8 * time.Hour

const sweepEvery = 6 * time.Hour

func (g *gateway) openGiving() error {
	c := g.config.Giving
	if c.Key == "" {
		c.Key = filepath.Join(g.config.Data, "giving.key")
	}
	store, err := giving.Open(giving.Settings{Folder: filepath.Join(g.config.Data, "giving"), Key: c.Key, KeepDays: c.KeepDays})
	if err != nil {
		return err
	}
	if c.Issuer.CreditCode == "" {
		c.Issuer.CreditCode = giving.InventedCreditCode
	}
	if c.Issuer.Name.Chinese == "" {
		c.Issuer.Name = donation.Text{Chinese: g.config.Organisation}
	}
	if c.Issuer.Handler == "" {
		c.Issuer.Handler = g.config.Organisation
	}
	g.giving = &giving.Desk{Store: store, Organisation: g.config.Organisation, Model: g.model, Issuer: c.Issuer, BankAccounts: c.BankAccounts,
		Today: func() tape.Date { return tape.Date(time.Now().UTC().Add(civilOffset).Format(time.DateOnly)) }}
	return nil
}

// sweep erases announcements whose money did not come.
func (g *gateway) sweep(ctx context.Context) {
	for {
		// Before the ledger has been read, what arrived would look as if it had not.
		if g.readUp(ctx) {
			if count, err := g.giving.Sweep(g.giving.Stands(ctx)); err != nil && ctx.Err() == nil {
				slog.Warn("announcements could not be swept", "error", err)
			} else if count > 0 {
				slog.Info("announcements whose money did not come were erased", "count", count)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
	}
}

// readUp reports whether the read model holds what the peer holds.
func (g *gateway) readUp(ctx context.Context) bool {
	height, err := g.ledger.Height(ctx)
	if err != nil {
		return false
	}
	position, err := g.model.Position(ctx)
	return err == nil && height > 0 && position.Next >= height
}

// giverPages are where people give and see what became of it.
func (g *gateway) giverPages() error {
	address, err := g.config.address()
	if err != nil {
		return err
	}
	announcements, wrongCodes := giving.NewLimits(time.Now)
	days := g.config.Giving.KeepDays
	if days == 0 {
		days = giving.KeepDays
	}
	parts := portal.Parts{Organisation: g.config.Organisation, Model: g.model, Height: g.ledger.Height, Campaigns: trail.Trail{Model: g.model, Now: time.Now}}
	handler := portal.NewGivers(parts, portal.Givers{Desk: g.giving, Announcements: announcements, WrongCodes: wrongCodes, Address: address, KeepDays: days, Font: g.config.Giving.Font})
	for _, pattern := range portal.GiverPatterns() {
		g.server.Handle(pattern, handler)
	}
	return nil
}
