package giving

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// Memo is a bank line whose memo holds a reference.
type Memo struct {
	Reference donation.Reference `json:"reference"`
	// Line tells the line apart from every other, such as the keyed hash of it
	// that the ledger's evidence holds. The same line gives the same gift.
	Line string `json:"line"`
}

// Claim says whose a line is.
type Claim struct {
	// Known is false where no announcement has the reference.
	Known bool `json:"known"`
	// Announcement is its id, which tells nothing about the giver.
	Announcement string         `json:"announcement,omitempty"`
	Account      tape.AccountID `json:"account,omitempty"`
	Gift         tape.ID        `json:"gift,omitempty"`
	// Donor is the salted commitment that stands on the ledger.
	Donor string `json:"donor,omitempty"`
}

// Taking says that a line did become a gift of an announcement.
type Taking struct {
	Announcement string `json:"announcement"`
	Line         string `json:"line"`
}

// MemosMax is how many lines are asked about, or taken, at once.
const MemosMax = 5000

const lineBytesMax = 100

func checkLine(line string) error {
	if line == "" || len(line) > lineBytesMax {
		return rule.Field("line", rule.Refuse(rule.Invalid, "is empty or longer than %d bytes", lineBytesMax))
	}
	return nil
}

func checkCount(count int) error {
	if count > MemosMax {
		return rule.Field("items", rule.Refuse(rule.Invalid, "holds %d; %d at most", count, MemosMax))
	}
	return nil
}

// Claims answers which gifts the lines are, in their order. It notes nothing:
// who asks may find that a line cannot be that gift.
func (s *Store) Claims(memos []Memo) ([]Claim, error) {
	if err := checkCount(len(memos)); err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	claims := make([]Claim, len(memos))
	for i, m := range memos {
		if err := checkLine(m.Line); err != nil {
			return nil, err
		}
		if h := s.byReference[m.Reference]; h != nil {
			gift := h.giftOf(m.Line)
			claims[i] = Claim{Known: true, Announcement: h.ID, Account: h.Account, Gift: gift, Donor: h.commitment(gift)}
		}
	}
	return claims, nil
}

// Take notes that lines are gifts of announcements, so that the givers' codes
// find them from then on. It is on the disk when it returns; what is taken
// twice is taken once. What was erased meanwhile is passed over.
func (s *Store) Take(takings []Taking) error {
	if err := checkCount(len(takings)); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var fresh []record
	seen := map[giftKey]bool{}
	for _, t := range takings {
		if err := checkLine(t.Line); err != nil {
			return err
		}
		h := s.byID[t.Announcement]
		if h == nil || h.erased {
			continue
		}
		use := Use{Account: h.Account, Gift: h.giftOf(t.Line), At: s.now()}
		if !h.has(use) && !seen[keyOf(use)] {
			seen[keyOf(use)] = true
			fresh = append(fresh, record{Used: &used{Announcement: h.ID, Use: use}})
		}
	}
	return s.keep(fresh...)
}

func (h *held) has(u Use) bool {
	return slices.ContainsFunc(h.uses, func(known Use) bool { return keyOf(known) == keyOf(u) })
}

// Attach says that a gift which was found otherwise, such as money that nobody
// had claimed, is the one of a code.
func (s *Store) Attach(code string, u Use) error {
	hash := hashOf(code)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.byCode[hash]
	if h == nil {
		return unknown()
	}
	for _, other := range s.byID {
		if other != h && other.has(u) {
			return rule.Field("gift", rule.Refuse(rule.WrongState, "%s is another giver's already", u.Gift))
		}
	}
	if h.has(u) {
		return nil
	}
	u.At = s.now()
	return s.keep(record{Used: &used{Announcement: h.ID, Use: u}})
}

var giftLetters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// giftOf is the id of the gift that a line is: 130 bits of a salted hash. Who
// has the code finds it here; from it nobody finds code or announcement.
func (h *held) giftOf(line string) tape.ID {
	digest := sha256.Sum256([]byte("lianbao gift 1\n" + h.Salt + "\n" + h.Code + "\n" + line))
	return tape.ID("G" + giftLetters.EncodeToString(digest[:])[:26])
}

// saltOf is the salt of one gift: two gifts of one giver cannot be linked.
func (h *held) saltOf(gift tape.ID) string {
	mac := hmac.New(sha256.New, []byte(h.Salt))
	mac.Write([]byte("lianbao donor salt 1\n" + string(gift)))
	return hex.EncodeToString(mac.Sum(nil)[:saltBytes])
}

// giver is what the commitment commits to: the name, or of an anonymous giver the hash of the code.
func (h *held) giver() string {
	if h.Donor.Kind == donation.Anonymous {
		return "code " + h.Code
	}
	return h.Donor.Name
}

func (h *held) commitment(gift tape.ID) string { return Commitment(h.saltOf(gift), h.giver()) }

// Commitment is SHA-256 over salt and giver, 43 characters of base64url: what a
// gift on the ledger says about who gave.
func Commitment(salt, giver string) string {
	digest := sha256.Sum256([]byte("lianbao donor 1\n" + salt + "\n" + giver))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// Opening is what opens the commitment of a gift, for its giver alone.
type Opening struct{ Salt, Giver, Commitment string }

// Opening tells a giver what opens the commitment of one of the gifts.
func (s *Store) Opening(code string, gift tape.ID) (Opening, error) {
	hash := hashOf(code)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.byCode[hash]
	if h == nil {
		return Opening{}, unknown()
	}
	return Opening{Salt: h.saltOf(gift), Giver: h.giver(), Commitment: h.commitment(gift)}, nil
}
