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
	Page    tape.ID        `json:"page,omitempty"`
	Year    int            `json:"year"`
	N       int            `json:"n"`
	// IssuedOn is the civil day on which it was given out.
	IssuedOn string `json:"issuedOn"`
}

func (n Number) key() giftKey { return giftKey{n.Account, n.Gift, n.Page} }

// Text prints the number under an organisation's name: CHARITY-2026-000012.
func (n Number) Text(organisation string) string {
	return fmt.Sprintf("%s-%d-%06d", strings.ToUpper(organisation), n.Year, n.N)
}

// Number returns the number of a gift's receipt. With issue it gives out the
// next one where there is none yet; it is on the disk before it is returned.
func (s *Store) Number(u Use, today tape.Date, issue bool) (number Number, found bool, err error) {
	day, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return Number{}, false, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known, is := s.numbers[keyOf(u)]; is || !issue {
		return known, is, nil
	}
	next := Number{Account: u.Account, Gift: u.Gift, Page: u.Page, Year: day.Year(), N: s.last[day.Year()] + 1, IssuedOn: string(today)}
	return next, true, s.keep(record{Numbered: &next})
}
