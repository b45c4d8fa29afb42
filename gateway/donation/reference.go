// Package donation keeps what a charity must keep about gifts off the ledger,
// and makes the papers that it gives: the reference that a giver writes into a
// transfer's memo, and the receipt of article 38 of the Charity Law.
package donation

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Reference is a creditor reference of ISO 11649, 20 characters: RF, two check
// digits, and a body of the campaign's four letters, eleven digits and a
// letter.
//
// The shape is what lets the check digits keep their promise. ISO 7064 MOD
// 97-10 counts a letter as two digits, so in a body of any shape some mistakes
// between letters and digits go unnoticed (B1 and 1B are both 111). Here such a
// mistake breaks the shape, and what keeps the shape changes the remainder. The
// letter at the end keeps digits that a bank prints behind out of the number.
type Reference string

const (
	referenceMark  = "RF"
	campaignLength = 4
	serialDigits   = 11
	// referenceLetters are without B D G I L O Q S Z, which read like 8 0 6 1 1 0 0 5 2.
	referenceLetters = "ACEFHJKMNPRTUVWXY"
)

var (
	campaignShape  = regexp.MustCompile(fmt.Sprintf("^[%s]{%d}$", referenceLetters, campaignLength))
	referenceShape = regexp.MustCompile(fmt.Sprintf("^%s[0-9]{2}[%s]{%d}[0-9]{%d}[%[2]s]", referenceMark, referenceLetters, campaignLength, serialDigits))
)

// NewReference draws one of 1.7 million million references for a gift to a
// campaign. Whoever issues references keeps them in a place where each can
// stand once, and draws again where one stands already. random is
// crypto/rand.Reader but in tests.
func NewReference(campaignCode string, random io.Reader) (Reference, error) {
	if !campaignShape.MatchString(campaignCode) {
		return "", rule.Field("campaign", rule.Refuse(rule.Invalid, "%.40q is not the code of a campaign, which is %d of the letters %s", campaignCode, campaignLength, referenceLetters))
	}
	letters := big.NewInt(int64(len(referenceLetters)))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(serialDigits), nil)
	drawn, err := rand.Int(random, limit.Mul(limit, letters))
	if err != nil {
		return "", err
	}
	serial, letter := new(big.Int).DivMod(drawn, letters, new(big.Int))
	body := fmt.Sprintf("%s%0*d%c", campaignCode, serialDigits, serial, referenceLetters[letter.Int64()])
	return Reference(check(body)), nil
}

// remainder is the text as a number, a letter counting 10 to 35, modulo 97.
func remainder(text string) int {
	sum := 0
	for _, r := range text {
		if r <= '9' {
			sum = (sum*10 + int(r-'0')) % 97
		} else {
			sum = (sum*100 + int(r-'A') + 10) % 97
		}
	}
	return sum
}

// ParseReference reads the one spelling: capitals and digits without spaces.
func ParseReference(text string) (Reference, error) {
	if referenceShape.FindString(text) != text || text == "" {
		return "", rule.Field("reference", rule.Refuse(rule.Invalid, "%.60q is not a reference; it is RF, 2 digits, %d letters, %d digits and a letter", text, campaignLength, serialDigits))
	}
	return Reference(text), agree(text)
}

// agree refuses check digits that are not those of the text. They run from 02
// to 98; 00, 01 and 99 would be second spellings of 97, 98 and 02.
func agree(text string) error {
	if check := text[2:4]; check < "02" || check > "98" || remainder(text[4:]+text[:4]) != 1 {
		return rule.Field("reference", rule.Refuse(rule.Invalid, "the check digits of reference %s do not agree: a character is wrong", text))
	}
	return nil
}

// check puts mark and check digits before a body.
func check(body string) string {
	return fmt.Sprintf("%s%02d%s", referenceMark, 98-remainder(body+referenceMark+"00"), body)
}

// Campaign is the campaign's code.
func (r Reference) Campaign() string { return string(r[4 : 4+campaignLength]) }

// Grouped prints the reference for people, in groups of four.
func (r Reference) Grouped() string { return inFours(string(r)) }

func inFours(r string) string {
	var text strings.Builder
	for i := 0; i < len(r); i += 4 {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(r[i:min(i+4, len(r))])
	}
	return text.String()
}

// FindReferences finds references in what a bank passes on of a memo: in any
// case, full-width or not, with spaces, dashes or line breaks in them, with
// other text before and behind. Each is returned once, in order; one whose
// check digits do not agree is not returned.
func FindReferences(memo string) []Reference { return find(memo, referenceShape, ParseReference) }

func find[R ~string](memo string, shape *regexp.Regexp, parse func(string) (R, error)) []R {
	var found []R
	seen := map[R]bool{}
	for text := plain(memo); ; {
		start := strings.Index(text, referenceMark)
		if start < 0 {
			return found
		}
		text = text[start:]
		reference, err := parse(shape.FindString(text))
		if err != nil {
			text = text[1:]
			continue
		}
		if !seen[reference] {
			seen[reference] = true
			found = append(found, reference)
		}
		text = text[len(reference):]
	}
}

// plain brings a memo to capitals and digits, drops what people and banks put
// between them, and keeps everything else, which ends a reference.
func plain(memo string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Pd, unicode.Cf), strings.ContainsRune("−_.·/\x00", r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, norm.NFKC.String(memo))
}
