package party

import (
	"bytes"
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What persons sign is typed data as in EIP-712, so that a wallet or a card
// with a screen can show it field by field. The headings name the EIP's sections.

// Definition of domainSeparator: name and version are fixed, salt is the
// ledger's id. There is no chainId and no verifyingContract: this is no
// Ethereum chain, and a made-up number could be another chain's true one.
const (
	domainName    = "Lianbao"
	domainVersion = "1"
	domainType    = "EIP712Domain(string name,string version,bytes32 salt)"
)

// Definition of encodeType: the name, then the members in the order they are signed.
const (
	intentType     = "Intent(string action,string subject,string amount,bytes32 command,bytes16 intent,uint64 deadline)"
	possessionType = "Possession(string person,address key,string custody,string duty,string organisation,string registrar)"
)

// Statement is what a person signs to decide something.
type Statement struct {
	// Action is the contract's function, such as "spend".
	Action string
	// Subject is the account, person or loan it is about.
	Subject string
	// Amount is money in its one spelling, or empty where the action has none.
	Amount string
	// Command is the SHA-256 of the canonical command, without its intents.
	Command Hash
	Intent  IntentID
	// Deadline is a whole second after 1970.
	Deadline tape.Instant
}

// Digest is what the key signs: encode(domainSeparator, message) of the EIP.
func (s Statement) Digest(ledger LedgerID) [32]byte {
	return typedDigest(ledger, intentType,
		text(s.Action), text(s.Subject), text(s.Amount), s.Command[:], padRight(s.Intent[:]), seconds(s.Deadline))
}

// Possession is what a new key signs before it is registered: whose key it is,
// and which organisation may bring it. Without it an organisation could
// register a key that nobody holds, or take another's registration for its own.
type Possession struct {
	Person       tape.ID
	Key          Address
	Custody      Custody
	Duty         Duty
	Organisation string
	Registrar    string
}

// Digest is what the new key signs.
func (p Possession) Digest(ledger LedgerID) [32]byte {
	return typedDigest(ledger, possessionType,
		text(string(p.Person)), padLeft(p.Key[:]), text(string(p.Custody)), text(string(p.Duty)), text(p.Organisation), text(p.Registrar))
}

// typedDigest is keccak256(0x19 0x01 ‖ domainSeparator ‖ hashStruct(message)).
// The domain's digest differs from every message's by its type hash, and an
// intent's from a possession's: one can never be passed off as the other.
func typedDigest(ledger LedgerID, kind string, members ...[]byte) [32]byte {
	domain := hashStruct(domainType, text(domainName), text(domainVersion), ledger[:])
	return [32]byte(crypto.Keccak256([]byte{0x19, 0x01}, domain, hashStruct(kind, members...)))
}

// hashStruct is the EIP's definition of hashStruct: keccak256(typeHash ‖ encodeData).
func hashStruct(kind string, members ...[]byte) []byte {
	return crypto.Keccak256(append([][]byte{text(kind)}, members...)...)
}

// Definition of encodeData: strings by their hash, an address and an integer
// filled with zeros on the left, bytes16 on the right.
func text(s string) []byte         { return crypto.Keccak256([]byte(s)) }
func padLeft(short []byte) []byte  { return append(make([]byte, 32-len(short)), short...) }
func padRight(short []byte) []byte { return append(bytes.Clone(short), make([]byte, 32-len(short))...) }
func seconds(at tape.Instant) []byte {
	return padLeft(binary.BigEndian.AppendUint64(nil, uint64(at/1000)))
}

// Half the order of the curve (SEC 2, secp256k1), and the order itself.
var (
	curveHalf  = [32]byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0}
	curveOrder = [32]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41}
)

// Recover returns the address of the key that signed a digest. All ranges are
// checked here and no library's sentence is passed on, because peers may be
// built with cgo or without it and must refuse alike, to the letter. A large s
// is refused (EIP-2): s and order-s both verify, so anyone could make a second
// signature out of the first.
func (s Signature) Recover(digest [32]byte) (Address, error) {
	var zero [32]byte
	r, low, v := s[:32], s[32:64], s[64]
	switch {
	case v != 27 && v != 28:
		return Address{}, rule.Refuse(rule.Invalid, "the signature ends in v %d; it must be 27 or 28", v)
	case bytes.Equal(r, zero[:]) || bytes.Equal(low, zero[:]) || bytes.Compare(r, curveOrder[:]) >= 0:
		return Address{}, rule.Refuse(rule.Invalid, "the signature is not two numbers of the curve")
	case bytes.Compare(low, curveHalf[:]) > 0:
		return Address{}, rule.Refuse(rule.Invalid, "the signature has the larger of its two values of s; send the smaller")
	}
	plain := s
	plain[64] -= 27
	key, err := crypto.Ecrecover(digest[:], plain[:])
	if err != nil || len(key) != 65 {
		return Address{}, rule.Refuse(rule.Invalid, "the signature belongs to no key")
	}
	return Address(crypto.Keccak256(key[1:])[12:]), nil
}

// Types are the types of what is signed, by their names, as the EIP's
// encodeType writes them: for whoever shows a wallet what it signs.
func Types() map[string]string {
	return map[string]string{"EIP712Domain": domainType, "Intent": intentType, "Possession": possessionType}
}

// Domain is the name and the version that stand beside the ledger's id in every signature.
func Domain() (name, version string) { return domainName, domainVersion }
