package disclosure

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Document is what is published: everything about a campaign up to a day, in
// canonical JSON. Its SHA-256 goes on the ledger, and anyone who has followed
// the ledger can add its figures up again.
type Document struct {
	V            int32          `json:"v"`
	Account      tape.AccountID `json:"account"`
	Organisation string         `json:"organisation"`
	N            int32          `json:"n"`
	// Previous is the hash of publication N-1, empty for the first.
	Previous string    `json:"previous"`
	Duty     string    `json:"duty"`
	From     tape.Date `json:"from"`
	To       tape.Date `json:"to"`
	// Block is the last block of the ledger that is counted; flows of later days than To are not.
	Block int32 `json:"block"`
	// Law is the version of the law by which it was due.
	Law     string       `json:"law"`
	Plan    fund.Plan    `json:"plan"`
	Filing  *fund.Filed  `json:"filing,omitempty"`
	Figures fund.Figures `json:"figures"`
	Sums    Sums         `json:"sums"`
	Lines   []Line       `json:"lines"`
	Months  []Month      `json:"months"`
	// Attribution is the rule by which spending is ascribed to gifts.
	Attribution tape.Attribution `json:"attribution"`
}

// Ask is what a charity wants to publish.
type Ask struct {
	Account tape.AccountID `json:"account"`
	// Duty is what it meets; empty to take the next one that the clock shows.
	Duty string `json:"duty,omitempty"`
	// From and To are the period; empty to go on after the last publication, until today.
	From tape.Date `json:"from,omitempty"`
	To   tape.Date `json:"to,omitempty"`
	// ID of the entry; empty to name it after the publication's number.
	ID tape.ID `json:"id,omitempty"`
}

// Library is the read model as far as a publication needs it.
type Library interface {
	Books
	Position(ctx context.Context) (readmodel.Position, error)
}

// Draft makes the document, and the command that freezes it.
func Draft(ctx context.Context, library Library, ask Ask, now time.Time) ([]byte, fund.Publish, error) {
	refuse := func(err error) ([]byte, fund.Publish, error) { return nil, fund.Publish{}, err }
	position, err := library.Position(ctx)
	if err != nil {
		return refuse(err)
	}
	sheet, err := Of(ctx, library, ask.Account, now)
	if err != nil {
		return refuse(err)
	}
	account, err := library.Account(ctx, ask.Account)
	if err != nil {
		return refuse(err)
	}
	flows, err := library.Flows(ctx, ask.Account)
	if err != nil {
		return refuse(err)
	}
	if err := ask.complete(sheet); err != nil {
		return refuse(err)
	}
	sheet.until(flows, ask.To)
	document := Document{V: 1, Account: ask.Account, Organisation: sheet.Campaign.Organisation, N: int32(len(sheet.Published)) + 1, Duty: ask.Duty,
		From: ask.From, To: ask.To, Block: int32(min(position.Next, math.MaxInt32)) - 1, Law: sheet.Law, Plan: sheet.Campaign.Plan, Filing: sheet.Campaign.Filing,
		Figures: sheet.Figures(), Sums: sheet.Sums, Lines: sheet.Lines, Months: sheet.Months, Attribution: account.Attribution}
	if last := len(sheet.Published); last > 0 {
		document.Previous = sheet.Published[last-1].Document.String()
	}
	text, err := canonical.Encode(document)
	if err != nil {
		return refuse(err)
	}
	return text, fund.Publish{Account: ask.Account, Block: document.Block, Document: sha256.Sum256(text), Duty: ask.Duty, Figures: document.Figures,
		From: ask.From, ID: ask.ID, N: document.N, To: ask.To}, nil
}

// complete fills in what was left out.
func (a *Ask) complete(sheet Sheet) error {
	if a.To == "" {
		a.To = sheet.Today
	}
	if a.From == "" {
		a.From = sheet.Campaign.Plan.From
		if last := len(sheet.Published); last > 0 {
			a.From = min(sheet.Published[last-1].To.AddDays(1), a.To)
		}
	}
	if a.Duty == "" {
		a.Duty = "other"
		for _, due := range sheet.Clock { // the earliest stands first
			if due.State != fund.Met && due.Duty != "filing" {
				a.Duty = due.Duty
				break
			}
		}
	}
	if a.ID == "" {
		a.ID = tape.ID(fmt.Sprintf("publication.%s.%d", short(a.Account), len(sheet.Published)+1))
	}
	for _, date := range []tape.Date{a.From, a.To} {
		if err := date.Check(); err != nil {
			return err
		}
	}
	return nil
}

// short names an account within an id: digits and letters of its hash, since an
// account's own name may be longer than an id.
func short(account tape.AccountID) string {
	digest := sha256.Sum256([]byte(account))
	return fmt.Sprintf("%x", digest[:6])
}

// until counts again, only what happened up to a day.
func (s *Sheet) until(flows []readmodel.Flow, to tape.Date) {
	var kept []readmodel.Flow
	for _, f := range flows {
		if f.Day <= to {
			kept = append(kept, f)
		}
	}
	s.Lines, s.Months = []Line{}, []Month{}
	s.count(kept)
}

// Shelf keeps documents by their hash in a folder.
type Shelf struct{ Folder string }

func (s Shelf) path(hash merkle.Hash) string { return filepath.Join(s.Folder, hash.String()+".json") }

// Put keeps a document. Two of the same content are one.
func (s Shelf) Put(text []byte) (merkle.Hash, error) {
	hash := merkle.Hash(sha256.Sum256(text))
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return hash, err
	}
	file, err := os.CreateTemp(s.Folder, "new-*")
	if err != nil {
		return hash, err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), s.path(hash))
	}
	if err != nil {
		return hash, errors.Join(err, os.Remove(file.Name()))
	}
	return hash, nil
}

// Get returns a document, and refuses one that is not what its hash says.
func (s Shelf) Get(hash merkle.Hash) ([]byte, error) {
	text, err := os.ReadFile(s.path(hash))
	if errors.Is(err, os.ErrNotExist) {
		return nil, rule.Refuse(rule.NotFound, "document %s is not kept here; ask the gateway of the organisation that published it", hash)
	}
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(text) != hash {
		return nil, rule.Refuse(rule.Conflict, "document %s was changed on this disk", hash)
	}
	return text, nil
}
