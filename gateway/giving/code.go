package giving

import (
	"crypto/sha256"
	"math/big"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Code is a gift code: who has it sees what became of the gift. It is printed
// in seven groups of four, in signs of which none is taken for another.
type Code [codeBytes]byte

const (
	codeBytes = 16
	// codeSigns are letters and digits without those that read like others:
	// B 8, D 0, G 6, I 1, L 1, O 0, Q 0, S 5, V U, Z 2.
	codeSigns  = "23456789ACEFHJKMNPRTUWXY"
	codeLength = 28 // 24^28 is a little more than 2^128
	codeGroup  = 4
)

type codeHash [sha256.Size]byte

// String prints the code.
func (c Code) String() string {
	var signs [codeLength]byte
	rest, base, digit := new(big.Int).SetBytes(c[:]), big.NewInt(int64(len(codeSigns))), new(big.Int)
	for i := codeLength - 1; i >= 0; i-- {
		rest.DivMod(rest, base, digit)
		signs[i] = codeSigns[digit.Int64()]
	}
	var text strings.Builder
	for i := 0; i < codeLength; i += codeGroup {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.Write(signs[i : i+codeGroup])
	}
	return text.String()
}

// codeTextMax bounds what is looked at of what somebody types.
const codeTextMax = 200

// hashOf is what the store knows a code by. Case, blanks, dashes and full width
// do not matter; whatever else is typed has a hash as well, which nobody has.
func hashOf(text string) codeHash {
	return sha256.Sum256([]byte("lianbao gift code 1\n" + folded(text)))
}

func folded(text string) string {
	if len(text) > codeTextMax {
		text = text[:codeTextMax]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf) || r == '.' || r == '_' {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(text))
}
