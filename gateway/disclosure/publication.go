package disclosure

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	// From and To are the period; empty for the one that meets the duty.
	From tape.Date `json:"from,omitempty"`
	To   tape.Date `json:"to,omitempty"`
	// ID of the entry; empty to name it after the publication's number.
	ID tape.ID `json:"id,omitempty"`
}

// Library is the read model as far as a publication needs it.
type Library interface {
	Books
	Position(ctx context.Context) (readmodel.Position, error)
	// CampaignAt is a campaign after a block, FlowsUntil its flows of blocks and days up to these.
	CampaignAt(ctx context.Context, account tape.AccountID, block uint64) (fund.Campaign, error)
	FlowsUntil(ctx context.Context, account tape.AccountID, block uint64, day tape.Date) ([]readmodel.Flow, error)
	// Snapshot makes every read with the context that it hands on one of the same moment.
	Snapshot(ctx context.Context, read func(ctx context.Context) error) error
}

// Draft makes the document, and the command that freezes it, of one snapshot of
// what was read: figures, lines and block belong together.
func Draft(ctx context.Context, library Library, ask Ask, now time.Time) (text []byte, command fund.Publish, err error) {
	err = library.Snapshot(ctx, func(ctx context.Context) error {
		text, command, err = draft(ctx, library, ask, now)
		return err
	})
	return text, command, err
}

func draft(ctx context.Context, library Library, ask Ask, now time.Time) ([]byte, fund.Publish, error) {
	refuse := func(err error) ([]byte, fund.Publish, error) { return nil, fund.Publish{}, err }
	position, err := library.Position(ctx)
	if err != nil {
		return refuse(err)
	}
	sheet, err := Of(ctx, library, ask.Account, now)
	if err != nil {
		return refuse(err)
	}
	if err := ask.complete(sheet); err != nil {
		return refuse(err)
	}
	frozen := fund.Publication{Account: ask.Account, N: int32(len(sheet.Published)) + 1, Duty: ask.Duty, From: ask.From, To: ask.To,
		Block: int32(min(position.Next, math.MaxInt32)) - 1, Date: sheet.Today}
	if last := len(sheet.Published); last > 0 {
		frozen.Previous = sheet.Published[last-1].Document.String()
	}
	document, err := count(ctx, library, frozen)
	if err != nil {
		return refuse(err)
	}
	text, err := canonical.Encode(document)
	if err != nil {
		return refuse(err)
	}
	return text, fund.Publish{Account: ask.Account, Block: document.Block, Document: sha256.Sum256(text), Duty: ask.Duty, Figures: document.Figures,
		From: ask.From, ID: ask.ID, N: document.N, To: ask.To}, nil
}

// Recount makes the document of a publication again, of exactly the blocks and
// the days that it says it counts.
func Recount(ctx context.Context, library Library, frozen fund.Publication) (document Document, err error) {
	err = library.Snapshot(ctx, func(ctx context.Context) error {
		document, err = count(ctx, library, frozen)
		return err
	})
	return document, err
}

// count makes a document of what stood in the blocks up to one.
func count(ctx context.Context, library Library, p fund.Publication) (Document, error) {
	block := uint64(max(p.Block, 0))
	campaign, err := library.CampaignAt(ctx, p.Account, block)
	if err != nil {
		return Document{}, err
	}
	account, err := library.Account(ctx, p.Account)
	if err != nil {
		return Document{}, err
	}
	flows, err := library.FlowsUntil(ctx, p.Account, block, p.To)
	if err != nil {
		return Document{}, err
	}
	law, err := fund.LawOn(p.Date)
	if err != nil {
		return Document{}, err
	}
	s := Sheet{Campaign: readmodel.Campaign{Campaign: campaign}, Lines: []Line{}, Months: []Month{}}
	s.count(flows)
	return Document{V: 1, Account: p.Account, Organisation: campaign.Organisation, N: p.N, Previous: p.Previous, Duty: p.Duty, From: p.From, To: p.To, Block: p.Block,
		Law: law.ID, Plan: campaign.Plan, Filing: campaign.Filing, Figures: s.Figures(), Sums: s.Sums, Lines: s.Lines, Months: s.Months, Attribution: account.Attribution}, nil
}

// complete fills in what was left out: the duty, and the days that meet it.
func (a *Ask) complete(sheet Sheet) error {
	if a.Duty == "" {
		a.Duty = next(sheet)
	}
	due, err := a.due(sheet)
	if err != nil {
		return err
	}
	if a.To == "" {
		a.To = due.To
	}
	if a.From == "" {
		a.From = min(due.From, a.To)
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

// next is the first duty on the clock that a publication meets today. A year
// that still runs is not told of as a whole, so that duty waits.
func next(sheet Sheet) string {
	for _, due := range sheet.Clock { // the earliest stands first
		if (due.State == fund.Running || due.State == fund.Overdue) && due.From != "" && due.To <= sheet.Today {
			return due.Duty
		}
	}
	return "other"
}

// due is the period that meets the duty: the clock's own, and where the clock
// asks for none the days since the last publication.
func (a Ask) due(sheet Sheet) (fund.Due, error) {
	for _, due := range sheet.Clock {
		if due.Duty != a.Duty || due.From == "" {
			continue
		}
		if due.To > sheet.Today && a.To == "" {
			return due, rule.Field("duty", rule.Refuse(rule.Early, "%s covers %s to %s; it can be published from %s", a.Duty, due.From, due.To, due.To.AddDays(1)))
		}
		return due, nil
	}
	since := fund.Due{From: min(sheet.Campaign.Plan.From, sheet.Today), To: sheet.Today}
	if last := len(sheet.Published); last > 0 {
		since.From = min(sheet.Published[last-1].To.AddDays(1), sheet.Today)
	}
	if whole := []string{"final", "remainder", "evaluation", "annual"}; slices.Contains(whole, a.Duty) && a.To == "" {
		return since, rule.Field("duty", rule.Refuse(rule.WrongState, "the law asks %s for no publication %s on %s; give its days, or publish as other", sheet.Campaign.Account, a.Duty, sheet.Today))
	}
	return since, nil
}

// short names an account within an id: digits and letters of its hash, since an
// account's own name may be longer than an id.
func short(account tape.AccountID) string {
	digest := sha256.Sum256([]byte(account))
	return fmt.Sprintf("%x", digest[:6])
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
