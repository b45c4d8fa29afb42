package giving

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// record is one line of the store; exactly one of its parts is there.
type record struct {
	V         int32      `json:"v"`
	Announced *announced `json:"announced,omitempty"`
	Used      *used      `json:"used,omitempty"`
	Waived    *waived    `json:"waived,omitempty"`
	Numbered  *Number    `json:"numbered,omitempty"`
	Erased    *erased    `json:"erased,omitempty"`
}

// announced is an announcement with everything that makes it the giver's.
type announced struct {
	ID        string             `json:"id"`
	Code      string             `json:"code"`
	Reference donation.Reference `json:"reference"`
	Account   tape.AccountID     `json:"account"`
	// Amount is none of goods.
	Amount  money.Amount   `json:"amount,omitzero"`
	Donor   donation.Donor `json:"donor"`
	Publish bool           `json:"publish"`
	// Salt is 128 bits that stand here only: gift ids and commitments follow from it.
	Salt string    `json:"salt"`
	At   time.Time `json:"at"`
	// Issued is set of one that staff wrote; it then has no reference.
	Issued *Issued `json:"issued,omitempty"`
}

func (a announced) code() (hash codeHash, err error) {
	raw, err := hex.DecodeString(a.Code)
	if err != nil || len(raw) != len(hash) {
		return hash, fmt.Errorf("the hash of a code is damaged")
	}
	return codeHash(raw), nil
}

// used says that a gift is an announcement's. It holds nothing about a person.
type used struct {
	Announcement string `json:"announcement"`
	Use
}

// waived says that a giver wants no receipt, or with Wanted one after all. It
// holds nothing about a person.
type waived struct {
	Announcement string    `json:"announcement"`
	Wanted       bool      `json:"wanted,omitempty"`
	At           time.Time `json:"at"`
}

// erased stands where an announcement stood. Donor and ID are left only of one
// whose money came: article 38 of the Charity Law wants a record of who gave.
type erased struct {
	At     time.Time       `json:"at"`
	Reason string          `json:"reason"`
	ID     string          `json:"id,omitempty"`
	Donor  *donation.Donor `json:"donor,omitempty"`
}

// hold takes an announcement into memory.
func (s *Store) hold(h *held) error {
	hash, err := h.code()
	if err != nil {
		return err
	}
	s.byCode[hash], s.byID[h.ID] = h, h
	if h.Reference != "" { // what staff write has none
		s.byReference[h.Reference] = h
	}
	return nil
}

// take puts a record into memory, at the start and after it was written.
func (s *Store) take(at place, r record) error {
	switch {
	case r.Announced != nil:
		return s.hold(&held{announced: *r.Announced, place: at, kind: r.Announced.Donor.Kind})
	case r.Used != nil:
		// One whose announcement was erased before it met a line is nobody's.
		if h := s.byID[r.Used.Announcement]; h != nil {
			h.uses = append(h.uses, r.Used.Use)
		}
	case r.Waived != nil:
		if h := s.byID[r.Waived.Announcement]; h != nil {
			h.kind = r.Waived.kind()
		}
	case r.Numbered != nil:
		s.numbers[r.Numbered.key()] = *r.Numbered
		s.last[r.Numbered.Year] = max(s.last[r.Numbered.Year], r.Numbered.N)
	case r.Erased != nil:
		if r.Erased.ID != "" {
			s.byID[r.Erased.ID] = &held{announced: announced{ID: r.Erased.ID, Donor: *r.Erased.Donor}, place: at, kind: r.Erased.Donor.Kind, erased: true}
		}
	default:
		return fmt.Errorf("the record is none that this program knows")
	}
	return nil
}
