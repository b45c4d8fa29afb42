package wallet

import (
	"crypto/ecdsa"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
)

// wallet is go-ethereum's own implementation of EIP-712: it knows the document
// alone, as a hardware wallet does, and signs what that says.
func wallet(t *rapid.T, key *ecdsa.PrivateKey, d Document) ([32]byte, []byte) {
	file, err := d.File()
	if err != nil {
		t.Fatal(err)
	}
	var typed apitypes.TypedData
	if err := json.Unmarshal(file, &typed); err != nil {
		t.Fatal(err)
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	signature, err := crypto.Sign(digest, key)
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(digest), signature
}

func draw(t *rapid.T, into []byte, label string) {
	copy(into, rapid.SliceOfN(rapid.Byte(), len(into), len(into)).Draw(t, label))
}

// TestWalletsSignWhatTheLedgerChecks: another program makes the same digest out
// of the document alone, and what it signs is taken back.
func TestWalletsSignWhatTheLedgerChecks(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.StringMatching(`[ -~万元路]{0,20}`)
		var ledger party.LedgerID
		draw(r, ledger[:], "ledger")
		deadline := tape.Instant(rapid.Int64Range(0, 1<<37).Draw(r, "deadline") * 1000)
		s := party.Statement{Action: words.Draw(r, "action"), Subject: words.Draw(r, "subject"), Amount: words.Draw(r, "amount"), Deadline: deadline}
		draw(r, s.Command[:], "command")
		draw(r, s.Intent[:], "intent")
		p := party.Possession{Person: tape.ID(words.Draw(r, "person")), Custody: party.Card, Duty: party.DutyMember, Organisation: words.Draw(r, "organisation"), Registrar: words.Draw(r, "registrar")}
		draw(r, p.Key[:], "key")
		c := challenge.Challenge{Ledger: ledger, Origin: words.Draw(r, "origin"), Deadline: deadline}
		draw(r, c.Nonce[:], "nonce")
		for what, one := range map[string]struct {
			document Document
			digest   [32]byte
		}{"intent": {Intent(ledger, s), s.Digest(ledger)}, "possession": {Possession(ledger, p), p.Digest(ledger)}, "login": {Login(c), c.Digest()}} {
			digest, plain := wallet(r, key, one.document)
			if digest != one.digest {
				r.Fatalf("%s: a wallet hashes %x, the ledger %x", what, digest, one.digest)
			}
			signature, err := ParseSignature(digits(plain))
			if err != nil {
				r.Fatal(err)
			}
			if signer, err := signature.Recover(one.digest); err != nil || signer != sign.Address(key) {
				r.Fatalf("%s: signed by %s: %v", what, signer, err)
			}
		}
	})
}

// TestParseSignature: spellings of one signature, and what is none.
func TestParseSignature(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	digest := [32]byte{1}
	plain, err := crypto.Sign(digest[:], key)
	if err != nil {
		t.Fatal(err)
	}
	high := append([]byte(nil), plain...)
	new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(plain[32:64])).FillBytes(high[32:64])
	high[64] ^= 1
	from27 := append([]byte(nil), plain...)
	from27[64] += 27
	highFrom27 := append([]byte(nil), high...)
	highFrom27[64] += 27
	for what, text := range map[string]string{
		"v from 0": digits(plain), "v from 27": digits(from27), "without 0x": digits(plain)[2:], "in capitals": strings.ToUpper(digits(plain)),
		"in quotes": ` "` + digits(plain) + "\"\n", "the larger s": digits(high), "the larger s, v from 27": digits(highFrom27),
	} {
		signature, err := ParseSignature(text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if signer, err := signature.Recover(digest); err != nil || signer != sign.Address(key) {
			t.Errorf("%s: signed by %s: %v", what, signer, err)
		}
	}
	for what, text := range map[string]string{
		"nothing": "", "no digits": "0x" + strings.Repeat("zz", 65), "64 bytes": digits(plain[:64]), "66 bytes": digits(append(from27, 1)), "a story": strings.Repeat(" ", 300) + digits(plain),
	} {
		if signature, err := ParseSignature(text); err == nil || !strings.HasPrefix(err.Error(), "invalid: ") {
			t.Errorf("%s: %s, %v", what, signature, err)
		}
	}
	odd := append([]byte(nil), plain...)
	odd[64] = 37 // of a chain's own v, as transactions carry it
	if signature, err := ParseSignature(digits(odd)); err != nil {
		t.Error(err)
	} else if _, err := signature.Recover(digest); err == nil || !strings.Contains(err.Error(), "it must be 27 or 28") {
		t.Errorf("v 37: %v", err)
	}
}

// FuzzParseSignature: whatever is pasted, what is taken can be written and read again.
func FuzzParseSignature(f *testing.F) {
	f.Add("0x" + strings.Repeat("ff", 65))
	f.Fuzz(func(t *testing.T, text string) {
		signature, err := ParseSignature(text)
		if err != nil {
			return
		}
		if again, err := ParseSignature(signature.String()); err != nil || again != signature {
			t.Errorf("%q is %s, and that is %s: %v", text, signature, again, err)
		}
	})
}

// TestParseAddress: the spellings of wallets, and a digit that was mistyped.
func TestParseAddress(t *testing.T) {
	const checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // of EIP-55 itself
	for text, good := range map[string]bool{
		checksummed: true, strings.ToLower(checksummed): true, " " + checksummed + "\n": true,
		"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": false, checksummed[2:]: false, checksummed[:41]: false, "": false, "household": false,
	} {
		address, err := ParseAddress(text)
		if (err == nil) != good || good && address.String() != strings.ToLower(checksummed) {
			t.Errorf("%q: %s, %v", text, address, err)
		}
	}
}
