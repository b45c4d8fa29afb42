package personal

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
)

// Paper is a document about a payee that the organisation keeps.
type Paper struct {
	document.Meta
	// Cited is the entry that rests on it, organisation/id; empty for none.
	Cited string
	// Until is the last day on which it must be kept; empty when nothing rests on it.
	Until tape.Date
}

// May reports whether it may go today.
func (p Paper) May(today tape.Date) bool { return p.Until < today }

// ShreddedFor is why a document goes that is about a person.
const ShreddedFor = "personal-data"

// Papers are the documents about a payee that can still be read. Evidence on
// which an entry rests stays as long as the books.
func (d *Desk) Papers(ctx context.Context, payee tape.AccountID) ([]Paper, error) {
	found, err := d.Documents.About(string(payee))
	if err != nil {
		return nil, err
	}
	papers := make([]Paper, len(found))
	for i, meta := range found {
		papers[i].Meta = meta
		entry, err := d.Notes.Citing(ctx, merkle.Hash(meta.Hash))
		if err != nil {
			return nil, err
		}
		if entry == nil {
			continue
		}
		day, err := time.Parse(time.DateOnly, string(entry.BusinessDate))
		if err != nil {
			return nil, err
		}
		papers[i].Cited, papers[i].Until = entry.Reference(), tape.Date(document.EvidenceUntil(day).Format(time.DateOnly))
	}
	return papers, nil
}

// Shred destroys a document about a payee, and ends the payee's request when
// nothing is left.
func (d *Desk) Shred(ctx context.Context, payee tape.AccountID, id string, today tape.Date) error {
	papers, err := d.Papers(ctx, payee)
	if err != nil {
		return err
	}
	for _, paper := range papers {
		if paper.ID != id {
			continue
		}
		if !paper.May(today) {
			return rule.Field("document", rule.Refuse(rule.WrongState, "%s is evidence for entry %s and kept until %s", id, paper.Cited, paper.Until))
		}
		if err := d.Documents.ShredFor(ctx, id, ShreddedFor); err != nil {
			return err
		}
		found, err := d.Of(ctx, payee)
		if err != nil {
			return err
		}
		return d.erased(ctx, payee, found[payee], today)
	}
	return rule.Field("document", rule.Refuse(rule.NotFound, "is not about %s, or was shredded", payee))
}
