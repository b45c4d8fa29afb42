// Package giving keeps what givers announce before their money comes: the name
// of who gives, the amount, and the reference for the transfer's memo by which
// the bank's line finds its gift. It is the charity's own store, sealed on the
// disk; nothing of it that names a person goes to the ledger, to a log, to an
// error or into an address.
//
// A giver holds the gift code, 128 bits that stand nowhere else: the store has
// only its hash. From the announcement's salt follow the ids of its gifts and
// their commitments to who gave. Destroying the salt erases the giver: the
// commitments on the ledger then say nothing to anybody.
package giving

import (
	"crypto/rand"
	"io"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// Settings say where a store lies and how long it keeps what.
type Settings struct {
	// Folder holds the sealed records, Key is the file of the key that seals
	// them. Whoever has both reads every name; without the key nobody does.
	Folder, Key string
	// KeepDays is how long an announcement waits for its bank line; 0 means 90.
	KeepDays int
	// Clock and Random are the machine's where they are nil.
	Clock  func() time.Time
	Random io.Reader

	// segmentLines is other than the package's in tests only.
	segmentLines int
}

// KeepDays is how long announcements that no line met are kept where nothing else is set.
const KeepDays = 90

// Ask is what somebody announces.
type Ask struct {
	// Attempt is drawn for each form, 32 hexadecimal digits: the same form sent
	// twice is one announcement, and the second answer is the first.
	Attempt string
	Account tape.AccountID
	Amount  money.Amount
	Donor   donation.Donor
	// Publish allows the name to be published.
	Publish bool
}

// Announcement is what the store knows of one, as its giver may see it.
type Announcement struct {
	ID        string
	Reference donation.Reference
	Account   tape.AccountID
	Amount    money.Amount
	Donor     donation.Donor
	Publish   bool
	At        time.Time
	// Issued is set where nobody announced: staff wrote the receipt on proof.
	Issued *Issued
	// Uses are the gifts that came with its reference, in their order.
	Uses []Use
}

// Use is a gift that belongs to an announcement.
type Use struct {
	Account tape.AccountID `json:"account"`
	Gift    tape.ID        `json:"gift"`
	// Goods says that it is a gift in kind, and Gift the id of the goods.
	Goods bool `json:"goods,omitempty"`
	// Page tells apart gifts that share an id; empty where the id is the announcement's own.
	Page tape.ID `json:"page,omitempty"`
	// At is when the bank's line was brought, or the money was identified.
	At time.Time `json:"at"`
}

// Store is the announcements of one charity. One process holds it at a time:
// the gateway's outbox sees to that.
type Store struct {
	settings Settings
	sealing  sealing
	journal  *journal

	mutex       sync.Mutex
	byCode      map[codeHash]*held
	byReference map[donation.Reference]*held
	byID        map[string]*held
	// numbers are the receipts' numbers, by gift; last counts them, by year.
	numbers map[giftKey]Number
	last    map[int]int
}

// held is an announcement in memory.
type held struct {
	announced
	place place
	uses  []Use
	// kind is how the giver stands to the receipt now: it can be waived later,
	// and asked for again.
	kind donation.DonorKind
	// erased is set when it was erased: only what the law keeps is left.
	erased bool
}

// giftKey names a gift of this organisation's accounts.
type giftKey struct {
	account    tape.AccountID
	gift, page tape.ID
	goods      bool
}

func keyOf(u Use) giftKey { return giftKey{u.Account, u.Gift, u.Page, u.Goods} }

// Open opens a store, or makes an empty one with a key of its own.
func Open(settings Settings) (*Store, error) {
	if settings.KeepDays == 0 {
		settings.KeepDays = KeepDays
	}
	if settings.Clock == nil {
		settings.Clock = time.Now
	}
	if settings.Random == nil {
		settings.Random = rand.Reader
	}
	if settings.segmentLines == 0 {
		settings.segmentLines = segmentLines
	}
	s := &Store{settings: settings, byCode: map[codeHash]*held{}, byReference: map[donation.Reference]*held{}, byID: map[string]*held{},
		numbers: map[giftKey]Number{}, last: map[int]int{}}
	var err error
	if s.sealing, err = openSealing(settings.Key, settings.Folder); err != nil {
		return nil, err
	}
	s.journal, err = openJournal(settings.Folder, s.sealing, settings.segmentLines, s.take)
	return s, err
}

// Close ends the use of the store.
func (s *Store) Close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.journal.close()
}

func (s *Store) now() time.Time { return s.settings.Clock().UTC().Truncate(time.Second) }

// unknown is the one answer to every code that is not known: it does not say
// whether the code was mistyped, never given, or erased.
func unknown() error {
	return rule.Field("code", rule.Refuse(rule.NotFound, "no gift is known under this code"))
}

// Find returns the announcement of a gift code. A code that is none and one
// that is not known take the same way to the same answer.
func (s *Store) Find(code string) (Announcement, error) {
	hash := hashOf(code)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	h := s.byCode[hash]
	if h == nil {
		return Announcement{}, unknown()
	}
	return h.shown(), nil
}

func (h *held) shown() Announcement {
	return Announcement{ID: h.ID, Reference: h.Reference, Account: h.Account, Amount: h.Amount, Donor: h.donor(), Publish: h.Publish,
		At: h.At, Issued: h.Issued, Uses: append([]Use(nil), h.uses...)}
}

// donor is who gave, with what the giver wants on paper now.
func (h *held) donor() donation.Donor { return donation.Donor{Kind: h.kind, Name: h.Donor.Name} }
