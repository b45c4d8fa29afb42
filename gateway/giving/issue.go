package giving

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// Issued is what staff note when they write a receipt for a giver who had
// announced nothing. The name stands beside it, sealed, and is erased like any other.
type Issued struct {
	// By is who of the staff wrote it.
	By tape.ID `json:"by"`
	// Proof is the number of the paper that showed whose gift it is: of the line
	// on the giver's own statement, or of the delivery note of goods.
	Proof string `json:"proof"`
	// Goods are what the receipt says of a gift in kind; nil of money.
	Goods    *donation.Goods `json:"goods,omitempty"`
	Revision int             `json:"revision,omitempty"`
}

// Issue is a receipt that staff write.
type Issue struct {
	Use    Use
	Amount money.Amount
	// To is the campaign whose gift it is.
	To    tape.AccountID
	Name  string
	By    tape.ID
	Proof string
	Goods *donation.Goods
}

func (i Issue) donor() donation.Donor { return donation.Donor{Kind: donation.Named, Name: i.Name} }

// check refuses what cannot stand on a receipt. It never repeats a name.
func (i Issue) check() error {
	if err := checkDonor(i.donor(), false); err != nil {
		return err
	}
	proof := i.Proof
	if proof == "" || !utf8.ValidString(proof) || strings.TrimSpace(proof) != proof || strings.ContainsFunc(proof, func(r rune) bool { return !unicode.IsPrint(r) }) || utf8.RuneCountInString(proof) > nameRunesMax {
		return rule.Field("proof", rule.Refuse(rule.Invalid, "is the number of the paper that shows whose gift it is: 1 to %d characters that can be printed", nameRunesMax))
	}
	return nil
}

// attemptOf is the mark of what staff write about a gift: the gift itself, so
// that there is one receipt and one code for it, whoever writes it however often.
func attemptOf(u Use) string {
	kind := "gift"
	if u.Goods {
		kind = "goods"
	}
	digest := sha256.Sum256([]byte(strings.Join([]string{"lianbao receipt by staff 1", kind, string(u.Account), string(u.Gift), string(u.Page)}, "\n")))
	return hex.EncodeToString(digest[:])
}

// Written finds the receipt that staff wrote about a gift, with the code that
// it bears, and whether there is one.
func (s *Store) Written(u Use) (Announcement, Code, bool) {
	code := s.sealing.codeOf(attemptOf(u))
	found, err := s.Find(code.String())
	return found, code, err == nil
}

// Claimed reports whether a gift is that of an announcement which its giver made.
func (s *Store) Claimed(u Use) bool {
	hash := hashOf(s.sealing.codeOf(attemptOf(u)).String())
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.claimed(u, s.byCode[hash])
}

func (s *Store) claimed(u Use, but *held) bool {
	for _, h := range s.byID {
		if h != but && h.has(u) {
			return true
		}
	}
	return false
}

// Issue keeps what staff write about a gift that nobody announced, and returns
// it with its code. The same content again is answered as before; other content
// corrects what was written, and the old name is erased.
func (s *Store) Issue(i Issue) (Announcement, Code, error) {
	if err := i.check(); err != nil {
		return Announcement{}, Code{}, err
	}
	code := s.sealing.codeOf(attemptOf(i.Use))
	hash := hashOf(code.String())
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known := s.byCode[hash]
	if s.claimed(i.Use, known) {
		return Announcement{}, Code{}, rule.Field("gift", rule.Refuse(rule.WrongState, "%s is a giver's who has a code, or had it and erased it; the receipt comes by that code", i.Use.Gift))
	}
	if err := s.write(i, hash, known); err != nil {
		return Announcement{}, Code{}, err
	}
	known = s.byCode[hash]
	if !known.has(i.Use) { // the machine may have stopped between the two
		use := i.Use
		use.At = s.now()
		if err := s.keep(record{Used: &used{Announcement: known.ID, Use: use}}); err != nil {
			return Announcement{}, Code{}, err
		}
	}
	return known.shown(), code, nil
}

// write puts down what is new or corrected. The mutex is held.
func (s *Store) write(i Issue, hash codeHash, known *held) (err error) {
	issued := Issued{By: i.By, Proof: i.Proof, Goods: i.Goods}
	if known == nil {
		made := announced{Code: hex.EncodeToString(hash[:]), Account: i.To, Amount: i.Amount, Donor: i.donor(), At: s.now(), Issued: &issued}
		if made.ID, err = s.draw(saltBytes); err != nil {
			return err
		}
		if made.Salt, err = s.draw(saltBytes); err != nil {
			return err
		}
		return s.keep(record{Announced: &made})
	}
	if known.Donor.Name == i.Name && known.Issued.Proof == i.Proof && reflect.DeepEqual(known.Issued.Goods, i.Goods) {
		return nil
	}
	next := known.announced
	issued.Revision = known.Issued.Revision + 1
	next.Donor, next.Issued = i.donor(), &issued
	if err := s.journal.replace(map[place]record{known.place: {Announced: &next}}); err != nil {
		return err
	}
	known.announced = next
	return nil
}

func (w waived) kind() donation.DonorKind {
	if w.Wanted {
		return donation.Named
	}
	return donation.Waived
}

// Waive notes that the giver of a code wants no receipt, or with wanted one
// after all. The record of article 38 stays, under the same number.
func (s *Store) Waive(code string, wanted bool) error {
	hash := hashOf(code)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.byCode[hash]
	if h == nil {
		return unknown()
	}
	w := waived{Announcement: h.ID, Wanted: wanted, At: s.now()}
	switch {
	case h.kind == donation.Anonymous:
		return rule.Field("code", rule.Refuse(rule.WrongState, "the gift is anonymous: there is a record of it, and no receipt to waive"))
	case h.kind == w.kind():
		return nil
	}
	return s.keep(record{Waived: &w})
}
