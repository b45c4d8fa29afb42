package giving

import (
	"fmt"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// Number is the number of a receipt. Numbers run without gaps, year by year.
type Number struct {
	Account tape.AccountID `json:"account"`
	Gift    tape.ID        `json:"gift"`
	Goods   bool           `json:"goods,omitempty"`
	Page    tape.ID        `json:"page,omitempty"`
	Year    int            `json:"year"`
	N       int            `json:"n"`
	// IssuedOn is the civil day on which it was given out.
	IssuedOn string `json:"issuedOn"`
	Paper
	// Instead is the number that this one makes void, nil where it is the gift's first.
	Instead *Number `json:"instead,omitempty"`
}

// Paper is what a receipt says beside the gift itself. Another paper is another
// receipt: it gets a number of its own, and makes the one before void.
type Paper struct {
	// To is the campaign that the receipt names.
	To tape.AccountID `json:"to"`
	// Revision counts how often staff have corrected what they wrote.
	Revision int `json:"revision,omitempty"`
}

func (n Number) key() giftKey { return giftKey{n.Account, n.Gift, n.Page, n.Goods} }

// Text prints the number under an organisation's name: CHARITY-2026-000012.
func (n Number) Text(organisation string) string {
	return fmt.Sprintf("%s-%d-%06d", strings.ToUpper(organisation), n.Year, n.N)
}

// Number returns the number of a gift's receipt. With issue it gives out the
// next one where there is none for this paper yet; it is on the disk before it
// is returned.
func (s *Store) Number(u Use, paper Paper, today tape.Date, issue bool) (number Number, found bool, err error) {
	day, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return Number{}, false, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known, is := s.numbers[keyOf(u)]
	if is && known.Paper == paper || !issue {
		return known, is, nil
	}
	next := Number{Account: u.Account, Gift: u.Gift, Goods: u.Goods, Page: u.Page, Year: day.Year(), N: s.last[day.Year()] + 1, IssuedOn: string(today), Paper: paper}
	if is {
		known.Instead = nil
		next.Instead = &known
	}
	return next, true, s.keep(record{Numbered: &next})
}
