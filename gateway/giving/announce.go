package giving

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

// Limits of what is announced.
const (
	nameRunesMax   = 60
	attemptDigits  = 32
	saltBytes      = 16
	referenceTries = 100
)

// NewAttempt draws the mark of a form.
func (s *Store) NewAttempt() (string, error) { return s.draw(attemptDigits / 2) }

func (s *Store) draw(bytes int) (string, error) {
	drawn := make([]byte, bytes)
	_, err := io.ReadFull(s.settings.Random, drawn)
	return hex.EncodeToString(drawn), err
}

// Check refuses what cannot be announced. It never repeats a name.
func (a Ask) Check() error {
	if raw, err := hex.DecodeString(a.Attempt); err != nil || len(a.Attempt) != attemptDigits || hex.EncodeToString(raw) != a.Attempt {
		return rule.Field("attempt", rule.Refuse(rule.Invalid, "is not a form's mark; open the form again"))
	}
	if err := a.Account.Check(); err != nil {
		return rule.Field("account", err)
	}
	if err := a.Amount.Positive(a.Amount.Currency); err != nil {
		return rule.Field("amount", err)
	}
	return checkDonor(a.Donor, a.Publish)
}

func checkDonor(d donation.Donor, publish bool) error {
	bad := func(text string) error { return rule.Field("name", rule.Refuse(rule.Invalid, "%s", text)) }
	switch {
	case d.Kind == donation.Anonymous && d.Name != "":
		return bad("is given although the gift is anonymous; leave one of them out")
	case d.Kind == donation.Anonymous && publish:
		return rule.Field("publish", rule.Refuse(rule.Invalid, "an anonymous giver has no name to publish"))
	case d.Kind == donation.Anonymous:
		return nil
	case d.Kind != donation.Named && d.Kind != donation.Waived:
		return bad("is neither a name nor anonymous")
	case d.Name == "":
		return bad("is missing; whoever wants to give without a name chooses anonymous")
	case !utf8.ValidString(d.Name) || strings.TrimSpace(d.Name) != d.Name || strings.ContainsFunc(d.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return bad("holds signs that cannot be printed, or blanks at its ends")
	case utf8.RuneCountInString(d.Name) > nameRunesMax:
		return bad("is too long for a receipt: 60 characters at most")
	}
	return nil
}

// Announce keeps an announcement and returns it with its code, which is told
// this once. When it returns, the disk holds it. The same attempt with the same
// content is answered as before; with another content it is refused.
func (s *Store) Announce(a Ask) (Announcement, Code, error) {
	if err := a.Check(); err != nil {
		return Announcement{}, Code{}, err
	}
	code := s.sealing.codeOf(a.Attempt)
	hash := hashOf(code.String())
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known := s.byCode[hash]; known != nil {
		if known.Account != a.Account || known.Amount != a.Amount || known.Donor != a.Donor || known.Publish != a.Publish {
			return Announcement{}, Code{}, rule.Field("attempt", rule.Refuse(rule.Exists, "this form was sent before with other content; open the form again"))
		}
		return known.shown(), code, nil
	}
	made, err := s.make(a, hash)
	if err != nil {
		return Announcement{}, Code{}, err
	}
	if err := s.keep(record{Announced: &made}); err != nil {
		return Announcement{}, Code{}, err
	}
	return s.byCode[hash].shown(), code, nil
}

func (s *Store) make(a Ask, hash codeHash) (announced, error) {
	made := announced{Code: hex.EncodeToString(hash[:]), Account: a.Account, Amount: a.Amount, Donor: a.Donor, Publish: a.Publish, At: s.now()}
	var err error
	if made.ID, err = s.draw(saltBytes); err != nil {
		return made, err
	}
	if made.Salt, err = s.draw(saltBytes); err != nil {
		return made, err
	}
	for range referenceTries {
		made.Reference, err = donation.NewReference(campaignCode(a.Account), s.settings.Random)
		if err != nil || s.byReference[made.Reference] == nil {
			return made, err
		}
	}
	return made, rule.Refuse(rule.Conflict, "no transfer reference is free for %s", a.Account)
}

// campaignCode is four letters that stand for a campaign in references. They
// help people to sort memos; which gift is meant, the whole reference says.
func campaignCode(account tape.AccountID) string {
	const letters = "ACEFHJKMNPRTUVWXY"
	digest := sha256.Sum256([]byte("lianbao campaign code 1\n" + string(account)))
	var code strings.Builder
	for _, b := range digest[:4] {
		code.WriteByte(letters[int(b)%len(letters)])
	}
	return code.String()
}

// keep writes records and takes them into memory. The mutex is held.
func (s *Store) keep(records ...record) error {
	places, err := s.journal.append(records...)
	if err != nil {
		return err
	}
	for i, r := range records {
		if err := s.take(places[i], r); err != nil {
			return err
		}
	}
	return nil
}
