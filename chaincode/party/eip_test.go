package party

import (
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
)

// TestHashStructAgreesWithTheEIP takes the example of EIP-712 itself (Example.js: "Ether Mail").
func TestHashStructAgreesWithTheEIP(t *testing.T) {
	word := func(digits string) []byte {
		data, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return padLeft(data)
	}
	person := func(name, wallet string) []byte {
		return hashStruct("Person(string name,address wallet)", text(name), word(wallet))
	}
	domain := hashStruct("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
		text("Ether Mail"), text("1"), word("01"), word("cccccccccccccccccccccccccccccccccccccccc"))
	mail := hashStruct("Mail(Person from,Person to,string contents)Person(string name,address wallet)",
		person("Cow", "cd2a3d9f938e13cd947ec05abc7fe734df8dd826"), person("Bob", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), text("Hello, Bob!"))
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{domain, "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"},
		{mail, "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"},
		{crypto.Keccak256([]byte{0x19, 0x01}, domain, mail), "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	order := new(big.Int).Set(crypto.S256().Params().N)
	if order.Text(16) != hex.EncodeToString(curveOrder[:]) || order.Rsh(order, 1).Text(16) != hex.EncodeToString(curveHalf[:]) {
		t.Error("the order of the curve is mistyped")
	}
}
