// Package wallet writes what persons sign as wallets and cards take it, typed
// data of EIP-712 in JSON (eth_signTypedData_v4), and reads their signatures
// back. A hardware wallet, or a card that a wallet drives, so signs for this
// ledger without a driver of ours: it shows each field and keeps its key.
package wallet

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
)

// Field is one field of a type.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Domain is the ledger's, as in every signature. There is no chain id: this is
// no Ethereum chain.
type Domain struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Salt    string `json:"salt"`
}

// Document is what a wallet is given to sign.
type Document struct {
	Types       map[string][]Field `json:"types"`
	PrimaryType string             `json:"primaryType"`
	Domain      Domain             `json:"domain"`
	// Message has strings alone: numbers in decimal digits, bytes as 0x and digits.
	Message map[string]string `json:"message"`
}

// File is the document as it is downloaded and given to a wallet.
func (d Document) File() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// Intent is a decision for a wallet.
func Intent(ledger party.LedgerID, s party.Statement) Document {
	return document(ledger, party.Types()["Intent"], map[string]string{"action": s.Action, "subject": s.Subject, "amount": s.Amount,
		"command": digits(s.Command[:]), "intent": digits(s.Intent[:]), "deadline": seconds(s.Deadline)})
}

// Possession is the proof of a new key for a wallet.
func Possession(ledger party.LedgerID, p party.Possession) Document {
	return document(ledger, party.Types()["Possession"], map[string]string{"person": string(p.Person), "key": p.Key.String(),
		"custody": string(p.Custody), "duty": string(p.Duty), "organisation": p.Organisation, "registrar": p.Registrar})
}

// Login is the challenge of a login page for a wallet.
func Login(c challenge.Challenge) Document {
	return document(c.Ledger, challenge.Type, map[string]string{"origin": c.Origin, "nonce": digits(c.Nonce[:]), "deadline": seconds(c.Deadline)})
}

func document(ledger party.LedgerID, kind string, message map[string]string) Document {
	domain, domainFields := fields(party.Types()["EIP712Domain"])
	primary, primaryFields := fields(kind)
	name, version := party.Domain()
	return Document{Types: map[string][]Field{domain: domainFields, primary: primaryFields}, PrimaryType: primary,
		Domain: Domain{Name: name, Version: version, Salt: digits(ledger[:])}, Message: message}
}

// fields takes a type apart: name(type field,…). The types are constants, so
// that what a wallet hashes is what the ledger hashes.
func fields(kind string) (string, []Field) {
	name, inside, _ := strings.Cut(strings.TrimSuffix(kind, ")"), "(")
	var list []Field
	for member := range strings.SplitSeq(inside, ",") {
		kind, field, _ := strings.Cut(member, " ")
		list = append(list, Field{Name: field, Type: kind})
	}
	return name, list
}

func digits(bytes []byte) string           { return "0x" + hex.EncodeToString(bytes) }
func seconds(deadline tape.Instant) string { return strconv.FormatInt(int64(deadline/1000), 10) }

// signatureTextMax is longer than any spelling of a signature.
const signatureTextMax = 200

// ParseSignature reads what a wallet or card returned: r, s and v in 65 bytes
// of hexadecimal digits, with 0x or without, in quotes or not. Devices count v
// from 0 or from 27, and some return the larger of the two values of s: both are
// brought into the one spelling that the ledger takes, which is the same
// signature. Whether it is one, and whose, is for Recover to say.
func ParseSignature(text string) (party.Signature, error) {
	var signature party.Signature
	plain := strings.Trim(strings.TrimSpace(text), `"'`)
	if len(plain) > 2 && (plain[:2] == "0x" || plain[:2] == "0X") {
		plain = plain[2:]
	}
	bytes, err := hex.DecodeString(plain)
	if err != nil || len(text) > signatureTextMax || len(bytes) != len(signature) {
		return signature, rule.Refuse(rule.Invalid, "%.60q is not a signature of 65 bytes: 130 hexadecimal digits, as wallets and cards print them", text)
	}
	copy(signature[:], bytes)
	if signature[64] < 2 {
		signature[64] += 27
	}
	order := crypto.S256().Params().N
	s := new(big.Int).SetBytes(signature[32:64])
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 && s.Cmp(order) < 0 && (signature[64] == 27 || signature[64] == 28) {
		s.Sub(order, s).FillBytes(signature[32:64])
		signature[64] = 27 + 28 - signature[64]
	}
	return signature, nil
}

// ParseAddress reads an address as wallets print it: in lower case, or with the
// checksum of EIP-55 in its capitals, which must then be right.
func ParseAddress(text string) (party.Address, error) {
	plain := strings.TrimSpace(text)
	if !common.IsHexAddress(plain) || !strings.HasPrefix(plain, "0x") {
		return party.Address{}, rule.Field("address", rule.Refuse(rule.Invalid, "%.60q is not an address: 0x and 40 hexadecimal digits", text))
	}
	address := common.HexToAddress(plain)
	if plain != strings.ToLower(plain) && plain != address.Hex() {
		return party.Address{}, rule.Field("address", rule.Refuse(rule.Invalid, "%s has capitals that are not those of its checksum; copy it again", plain))
	}
	return party.Address(address), nil
}
