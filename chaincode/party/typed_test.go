package party_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"testing"

	decred "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

var domainFields = []apitypes.Type{{Name: "name", Type: "string"}, {Name: "version", Type: "string"}, {Name: "salt", Type: "bytes32"}}

// reference hashes with go-ethereum's own implementation of the EIP.
func reference(t testing.TB, ledger party.LedgerID, primary string, fields []apitypes.Type, message apitypes.TypedDataMessage) [32]byte {
	digest, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: apitypes.Types{"EIP712Domain": domainFields, primary: fields}, PrimaryType: primary,
		Domain: apitypes.TypedDataDomain{Name: "Lianbao", Version: "1", Salt: "0x" + ledger.String()}, Message: message})
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(digest)
}

func referenceStatement(t testing.TB, ledger party.LedgerID, s party.Statement) [32]byte {
	return reference(t, ledger, "Intent", []apitypes.Type{{Name: "action", Type: "string"}, {Name: "subject", Type: "string"},
		{Name: "amount", Type: "string"}, {Name: "command", Type: "bytes32"}, {Name: "intent", Type: "bytes16"}, {Name: "deadline", Type: "uint64"}},
		apitypes.TypedDataMessage{"action": s.Action, "subject": s.Subject, "amount": s.Amount, "command": s.Command[:],
			"intent": s.Intent[:], "deadline": (*math.HexOrDecimal256)(big.NewInt(int64(s.Deadline) / 1000))})
}

func referencePossession(t testing.TB, ledger party.LedgerID, p party.Possession) [32]byte {
	return reference(t, ledger, "Possession", []apitypes.Type{{Name: "person", Type: "string"}, {Name: "key", Type: "address"},
		{Name: "custody", Type: "string"}, {Name: "duty", Type: "string"}, {Name: "organisation", Type: "string"}, {Name: "registrar", Type: "string"}},
		apitypes.TypedDataMessage{"person": string(p.Person), "key": p.Key.String(), "custody": string(p.Custody), "duty": string(p.Duty),
			"organisation": p.Organisation, "registrar": p.Registrar})
}

func drawBytes(t *rapid.T, into []byte, label string) {
	copy(into, rapid.SliceOfN(rapid.Byte(), len(into), len(into)).Draw(t, label))
}

func TestDigestsAgreeWithGoEthereum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var ledger party.LedgerID
		drawBytes(r, ledger[:], "ledger")
		words := rapid.String()
		s := party.Statement{Action: words.Draw(r, "action"), Subject: words.Draw(r, "subject"), Amount: words.Draw(r, "amount"),
			Deadline: tape.Instant(rapid.Int64Range(0, 1<<42).Draw(r, "deadline") * 1000)}
		drawBytes(r, s.Command[:], "command")
		drawBytes(r, s.Intent[:], "intent")
		if got, want := s.Digest(ledger), referenceStatement(t, ledger, s); got != want {
			r.Fatalf("%+v: %x, want %x", s, got, want)
		}
		p := party.Possession{Person: tape.ID(words.Draw(r, "person")), Custody: party.Custody(words.Draw(r, "custody")), Duty: party.Duty(words.Draw(r, "duty")),
			Organisation: words.Draw(r, "organisation"), Registrar: words.Draw(r, "registrar")}
		drawBytes(r, p.Key[:], "key")
		if got, want := p.Digest(ledger), referencePossession(t, ledger, p); got != want {
			r.Fatalf("%+v: %x, want %x", p, got, want)
		}
	})
}

// vectors are statements that do not change: clients in other languages are
// held to the same file, and programs built with cgo and without it too.
type vectors struct {
	Statements []struct {
		Key       string          `json:"key"`
		Ledger    party.LedgerID  `json:"ledger"`
		Action    string          `json:"action"`
		Subject   string          `json:"subject"`
		Amount    string          `json:"amount"`
		Command   party.Hash      `json:"command"`
		Intent    party.IntentID  `json:"intent"`
		Deadline  string          `json:"deadlineSeconds"`
		Address   party.Address   `json:"address"`
		Digest    party.Hash      `json:"digest"`
		Signature party.Signature `json:"signature"`
	} `json:"statements"`
	Possessions []struct {
		Key          string          `json:"key"`
		Ledger       party.LedgerID  `json:"ledger"`
		Person       tape.ID         `json:"person"`
		Custody      party.Custody   `json:"custody"`
		Duty         party.Duty      `json:"duty"`
		Organisation string          `json:"organisation"`
		Registrar    string          `json:"registrar"`
		Address      party.Address   `json:"address"`
		Digest       party.Hash      `json:"digest"`
		Signature    party.Signature `json:"signature"`
	} `json:"possessions"`
}

func readVectors(t *testing.T) vectors {
	data, err := os.ReadFile("testdata/eip712.json")
	if err != nil {
		t.Fatal(err)
	}
	var file vectors
	if err := json.Unmarshal(data, &file); err != nil || len(file.Statements) < 4 || len(file.Possessions) < 2 {
		t.Fatalf("%v: %+v", err, file)
	}
	return file
}

func TestFixedStatements(t *testing.T) {
	for i, v := range readVectors(t).Statements {
		key, err := crypto.HexToECDSA(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		seconds, err := strconv.ParseInt(v.Deadline, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s := party.Statement{Action: v.Action, Subject: v.Subject, Amount: v.Amount, Command: v.Command, Intent: v.Intent, Deadline: tape.Instant(seconds * 1000)}
		signed, err := sign.Intent(key, v.Ledger, "zhang", s)
		signer, err2 := v.Signature.Recover(v.Digest)
		if s.Digest(v.Ledger) != v.Digest || signed.Signature != v.Signature || signer != v.Address || err != nil || err2 != nil {
			t.Errorf("statement %d: digest %x, signature %s, signer %s, %v, %v", i, s.Digest(v.Ledger), signed.Signature, signer, err, err2)
		}
		if want := referenceStatement(t, v.Ledger, s); want != v.Digest {
			t.Errorf("statement %d: go-ethereum has %x", i, want)
		}
	}
}

func TestFixedPossessions(t *testing.T) {
	for i, v := range readVectors(t).Possessions {
		key, err := crypto.HexToECDSA(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		p := party.Possession{Person: v.Person, Key: v.Address, Custody: v.Custody, Duty: v.Duty, Organisation: v.Organisation, Registrar: v.Registrar}
		signature, err := sign.Possession(key, v.Ledger, party.Possession{Person: v.Person, Custody: v.Custody, Duty: v.Duty, Organisation: v.Organisation, Registrar: v.Registrar})
		signer, err2 := v.Signature.Recover(v.Digest)
		if p.Digest(v.Ledger) != v.Digest || signature != v.Signature || signer != v.Address || err != nil || err2 != nil {
			t.Errorf("possession %d: digest %x, signature %s, signer %s, %v, %v", i, p.Digest(v.Ledger), signature, signer, err, err2)
		}
		if want := referencePossession(t, v.Ledger, p); want != v.Digest {
			t.Errorf("possession %d: go-ethereum has %x", i, want)
		}
	}
}

// TestEverySignedFieldCounts changes one field at a time: each must change the digest.
func TestEverySignedFieldCounts(t *testing.T) {
	base := party.Statement{Action: "spend", Subject: "a:b:c", Amount: "1.00 CNY", Deadline: start}
	seen := map[[32]byte]int{base.Digest(party.LedgerID{}): -1, base.Digest(party.LedgerID{1}): -2}
	for i, change := range []func(*party.Statement){
		func(s *party.Statement) { s.Action = "settle" }, func(s *party.Statement) { s.Subject = "a:b:d" },
		func(s *party.Statement) { s.Amount = "1.01 CNY" }, func(s *party.Statement) { s.Command[31] = 1 },
		func(s *party.Statement) { s.Intent[15] = 1 }, func(s *party.Statement) { s.Intent[0] = 1 },
		func(s *party.Statement) { s.Deadline += 1000 },
		func(s *party.Statement) { s.Action, s.Subject = "spenda:b:c", "" },
	} {
		s := base
		change(&s)
		if other, taken := seen[s.Digest(party.LedgerID{})]; taken {
			t.Errorf("changes %d and %d have one digest", i, other)
		}
		seen[s.Digest(party.LedgerID{})] = i
	}
	if len(seen) != 10 {
		t.Errorf("%d digests", len(seen))
	}
}

// TestRecoverAgreesWithPureGo compares with the library that is used without
// cgo, on signatures that are mostly nonsense: peers built either way must
// agree on each, or their endorsements differ.
func TestRecoverAgreesWithPureGo(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var signature party.Signature
		var digest [32]byte
		drawBytes(t, signature[:64], "signature")
		drawBytes(t, digest[:], "digest")
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			copy(signature[:16], bytes.Repeat([]byte{0xff}, 16)) // r near the order and beyond
		case 1:
			digest = [32]byte(bytes.Repeat([]byte{0xff}, 32)) // more than the order
		}
		signature[32] &= 0x7f
		signature[64] = rapid.SampledFrom([]byte{27, 28}).Draw(t, "v")
		got, err := signature.Recover(digest)
		compact := append([]byte{signature[64]}, signature[:64]...)
		public, _, err2 := decred.RecoverCompact(compact, digest[:])
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%s: %v, %v", signature, err, err2)
		}
		if err != nil {
			refused++
			return
		}
		accepted++
		if want := party.Address(crypto.Keccak256(public.SerializeUncompressed()[1:])[12:]); got != want {
			t.Fatalf("%s: %s, want %s", signature, got, want)
		}
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused: the draw is too narrow", accepted, refused)
	}
}

// TestRecoverAtTheLimits takes r of a known point and the least and greatest s.
func TestRecoverAtTheLimits(t *testing.T) {
	order := crypto.S256().Params().N
	half := new(big.Int).Rsh(order, 1)
	point := crypto.S256().Params().Gx
	add := func(n *big.Int, one int64) *big.Int { return new(big.Int).Add(n, big.NewInt(one)) }
	const curve, high = "invalid: the signature is not two numbers of the curve", "invalid: the signature has the larger of its two values of s; send the smaller"
	for i, c := range []struct {
		r, s *big.Int
		v    byte
		want string
	}{
		{point, half, 27, "<nil>"},
		{point, big.NewInt(1), 28, "<nil>"},
		{point, add(half, 1), 27, high},
		{point, add(order, -1), 28, high},
		{point, order, 27, high},
		{point, big.NewInt(0), 27, curve},
		{big.NewInt(0), half, 27, curve},
		{order, half, 27, curve},
		{add(order, 1), half, 28, curve},
		{big.NewInt(5), half, 28, "invalid: the signature belongs to no key"},
		{point, half, 0, "invalid: the signature ends in v 0; it must be 27 or 28"},
		{point, half, 1, "invalid: the signature ends in v 1; it must be 27 or 28"},
		{point, half, 26, "invalid: the signature ends in v 26; it must be 27 or 28"},
		{point, half, 29, "invalid: the signature ends in v 29; it must be 27 or 28"},
	} {
		var signature party.Signature
		c.r.FillBytes(signature[:32])
		c.s.FillBytes(signature[32:64])
		signature[64] = c.v
		if _, err := signature.Recover([32]byte{1}); fmt.Sprint(err) != c.want {
			t.Errorf("%d: got %v, want %s", i, err, c.want)
		}
	}
}

func TestSignedIntentsAreRecoveredAndLow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "key")
		s := party.Statement{Action: rapid.String().Draw(t, "action"), Deadline: start}
		intent, err := sign.Intent(key(name), party.LedgerID{1}, "zhang", s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := intent.Signature.Recover(s.Digest(party.LedgerID{1})); err != nil || got != address(name) {
			t.Fatalf("%s, %v", got, err)
		}
		if _, err := malleate(intent.Signature).Recover(s.Digest(party.LedgerID{1})); err == nil {
			t.Fatal("the malleated signature was accepted")
		}
	})
}

// TestAddressAgreesWithGoEthereum: the well-known first account of many test networks.
func TestAddressAgreesWithGoEthereum(t *testing.T) {
	key, err := crypto.HexToECDSA("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
	if err != nil {
		t.Fatal(err)
	}
	if got := sign.Address(key).String(); got != "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266" {
		t.Error(got)
	}
}

func BenchmarkRecover(b *testing.B) {
	s := party.Statement{Action: "spend", Deadline: start}
	intent, err := sign.Intent(key("k1"), party.LedgerID{1}, "zhang", s)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := intent.Signature.Recover(s.Digest(party.LedgerID{1})); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	s := party.Statement{Action: "spend", Deadline: start}
	for b.Loop() {
		s.Digest(party.LedgerID{1})
	}
}
