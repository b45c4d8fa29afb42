package donation

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// PayoutReference is what a bank is asked to write into the memo of a payout:
// a creditor reference of ISO 11649 like a gift's, and never taken for one: a
// body of three letters, twelve digits and a letter. It is drawn from the
// ledger's names alone, so that bank, charity and whoever checks them compute
// the same, and tells those who do not know them nothing.
type PayoutReference string

const (
	payoutLetters = 3
	payoutDigits  = 12
)

var payoutShape = regexp.MustCompile(fmt.Sprintf("^%s[0-9]{2}[%s]{%d}[0-9]{%d}[%[2]s]", referenceMark, referenceLetters, payoutLetters, payoutDigits))

// ReferenceOfPayout is that of one payout, which is a hold of an account.
func ReferenceOfPayout(account tape.AccountID, hold tape.ID) PayoutReference {
	return payoutReference("payout", string(account), string(hold))
}

// ReferenceOfFile is that of all payouts of one chunk of a disbursement, for a
// bank that executes a file of orders as one debit.
func ReferenceOfFile(account tape.AccountID, disbursement tape.ID, chunk int32) PayoutReference {
	return payoutReference("file", string(account), string(disbursement), strconv.Itoa(int(chunk)))
}

func payoutReference(words ...string) PayoutReference {
	digest := sha256.Sum256([]byte("lianbao reference 1\n" + strings.Join(words, "\n")))
	rest, letters := new(big.Int).SetBytes(digest[:]), big.NewInt(int64(len(referenceLetters)))
	digits := new(big.Int).Exp(big.NewInt(10), big.NewInt(payoutDigits), nil)
	figure := new(big.Int)
	var body [payoutLetters + 1]byte
	for i := range body {
		rest.DivMod(rest, letters, figure)
		body[i] = referenceLetters[figure.Int64()]
	}
	rest.DivMod(rest, digits, figure)
	return PayoutReference(check(fmt.Sprintf("%s%0*d%c", body[:payoutLetters], payoutDigits, figure, body[payoutLetters])))
}

// ParsePayoutReference reads the one spelling: capitals and digits without spaces.
func ParsePayoutReference(text string) (PayoutReference, error) {
	if payoutShape.FindString(text) != text || text == "" {
		return "", rule.Field("reference", rule.Refuse(rule.Invalid, "%.60q is not a payout's reference; it is RF, 2 digits, %d letters, %d digits and a letter", text, payoutLetters, payoutDigits))
	}
	return PayoutReference(text), agree(text)
}

// Grouped prints the reference for people, in groups of four.
func (r PayoutReference) Grouped() string { return inFours(string(r)) }

// FindPayoutReferences finds payouts' references in a memo, as FindReferences
// does gifts'. Most memos are seen to hold none without being read closely.
func FindPayoutReferences(memo string) []PayoutReference {
	if !mayHoldPayout(memo) {
		return nil
	}
	return find(memo, payoutShape, ParsePayoutReference)
}

// mayHoldPayout reports whether a text has as many digits, full-width or not,
// as a payout's reference, and the letter R.
func mayHoldPayout(memo string) bool {
	digits := 0
	for i := 0; i < len(memo); i++ {
		if c := memo[i]; c >= '0' && c <= '9' || c >= 0x90 && c <= 0x99 && i > 0 && memo[i-1] == 0xbc {
			digits++
		}
	}
	return digits >= 2+payoutDigits && strings.ContainsAny(memo, "RrＲｒ")
}
