package readmodel

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Posted is one entry as an organisation's books have it: the postings that leave
// or reach one of its accounts, or what is to come to one.
type Posted struct {
	// Place orders the ledger's entries; Block is in it.
	Place        int64          `json:"-"`
	Block        uint64         `json:"block"`
	Organisation string         `json:"organisation"`
	ID           tape.ID        `json:"id"`
	Kind         string         `json:"kind"`
	Day          tape.Date      `json:"day"`
	Postings     []tape.Posting `json:"postings,omitempty"`
}

// Reference names the entry on the whole ledger.
func (p Posted) Reference() string { return p.Organisation + "/" + string(p.ID) }

const ofAnOwn = "IN (SELECT id FROM accounts WHERE organisation = ?)"

// Posted tells the entries of an organisation's books in ledger order, those of
// later days left out.
func (m *Model) Posted(ctx context.Context, organisation string, until tape.Date, each func(Posted) error) error {
	var at Posted
	tell := func() error {
		if at.Place == 0 {
			return nil
		}
		return each(at)
	}
	err := m.view(ctx, func(s *session) error {
		return s.each(ctx, `SELECT e.ordinal, e.organisation, e.id, e.kind, e.business_date, p.body FROM postings AS p JOIN entries AS e ON e.ordinal = p.ordinal / 65536 * 65536
			WHERE e.business_date <= ? AND (p.from_account `+ofAnOwn+` OR p.to_account `+ofAnOwn+` OR p.from_account LIKE 'receivable:%' OR p.to_account LIKE 'receivable:%') ORDER BY p.ordinal`,
			[]any{string(until), organisation, organisation}, func(scan func(...any) error) error {
				var next Posted
				var body []byte
				if err := scan(&next.Place, &next.Organisation, (*string)(&next.ID), &next.Kind, (*string)(&next.Day), &body); err != nil {
					return err
				}
				if next.Place != at.Place {
					if err := tell(); err != nil {
						return err
					}
					next.Block = ordinal(next.Place).block()
					at = next
				}
				var posting tape.Posting
				err := json.Unmarshal(body, &posting)
				at.Postings = append(at.Postings, posting)
				return err
			})
	})
	if err != nil {
		return err
	}
	return tell()
}

// PlaceOf is where on the ledger an entry stands, without its postings; of the
// empty name the last one.
func (m *Model) PlaceOf(ctx context.Context, organisation string, id tape.ID) (Posted, error) {
	q, arguments := "SELECT ordinal, organisation, id, kind, business_date FROM entries WHERE organisation = ? AND id = ?", []any{organisation, string(id)}
	if id == "" {
		q, arguments = "SELECT ordinal, organisation, id, kind, business_date FROM entries ORDER BY ordinal DESC LIMIT 1", nil
	}
	var p Posted
	found := false
	err := m.view(ctx, func(s *session) (err error) {
		found, err = s.get(ctx, q, arguments, &p.Place, &p.Organisation, (*string)(&p.ID), &p.Kind, (*string)(&p.Day))
		return err
	})
	if err == nil && !found {
		err = rule.Refuse(rule.NotFound, "there is no entry %s", id)
	}
	p.Block = ordinal(p.Place).block()
	return p, err
}

// AccountsBy lists the accounts that an organisation had opened at a place of the
// ledger; of 0 all that it has.
func (m *Model) AccountsBy(ctx context.Context, organisation string, place int64) (map[tape.AccountID]bool, error) {
	own := map[tape.AccountID]bool{}
	err := m.view(ctx, func(s *session) error {
		return s.each(ctx, "SELECT id FROM accounts WHERE organisation = ? AND (? = 0 OR ordinal <= ?)", []any{organisation, place, place + itemsMax - 1}, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			own[tape.AccountID(id)] = true
			return err
		})
	})
	return own, err
}
