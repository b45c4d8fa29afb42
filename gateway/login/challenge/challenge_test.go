package challenge

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func example() Challenge {
	return Challenge{Ledger: party.LedgerID{1}, Origin: "https://ledger.example", Nonce: Nonce{2}, Deadline: 1_800_000_000_000}
}

// TestDomain computes an intent's digest as this package does: domain and
// encoding are the rules' own.
func TestDomain(t *testing.T) {
	s := party.Statement{Action: "confirm", Subject: "a:b:c", Amount: "1.00 CNY", Command: sha256.Sum256([]byte("x")), Intent: party.IntentID{9}, Deadline: 1_800_000_000_000}
	ledger := party.LedgerID{7, 8}
	ours := typed(ledger, "Intent(string action,string subject,string amount,bytes32 command,bytes16 intent,uint64 deadline)",
		text(s.Action), text(s.Subject), text(s.Amount), s.Command[:], append(s.Intent[:], make([]byte, 16)...), seconds(s.Deadline))
	if ours != s.Digest(ledger) {
		t.Error("the domain or the encoding is another one than that of the rules")
	}
}

// TestSign: the signature is the key's, and good for this challenge only.
func TestSign(t *testing.T) {
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	c := example()
	signature, err := c.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	if signer, err := signature.Recover(c.Digest()); err != nil || signer != sign.Address(key) {
		t.Errorf("signed by %s: %v", signer, err)
	}
	for name, change := range map[string]func(*Challenge){
		"ledger": func(c *Challenge) { c.Ledger[31]++ }, "origin": func(c *Challenge) { c.Origin += "x" },
		"nonce": func(c *Challenge) { c.Nonce[31]++ }, "deadline": func(c *Challenge) { c.Deadline += 1000 },
	} {
		other := c
		change(&other)
		if signer, _ := signature.Recover(other.Digest()); signer == sign.Address(key) {
			t.Errorf("the signature is good for another %s", name)
		}
	}
}

func TestAddress(t *testing.T) {
	c := example()
	if got, err := Parse(c.Address()); err != nil || got != c {
		t.Errorf("%s reads as %+v: %v", c.Address(), got, err)
	}
	for _, bad := range []string{"", "https://ledger.example/login/key", c.Address() + "&x=1", c.Address() + "#x", strings.Replace(c.Address(), "https", "http", 1),
		strings.Replace(c.Address(), "deadline=18", "deadline=018", 1), strings.Replace(c.Address(), "/login/", "/Login/", 1),
		strings.Replace(c.Address(), "ledger.example", "user@ledger.example", 1), strings.ToUpper(c.Address())} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("%s reads as %+v", bad, got)
		}
	}
	written, err := json.Marshal(c)
	var read Challenge
	if err != nil || json.Unmarshal(written, &read) != nil || read != c {
		t.Errorf("%s reads as %+v: %v", written, read, err)
	}
}

func TestCheckOrigin(t *testing.T) {
	for origin, good := range map[string]bool{
		"https://ledger.example": true, "https://ledger.example:8443": true, "http://127.0.0.1:8101": true, "http://localhost": true, "http://[::1]:1": true,
		"http://ledger.example": false, "http://127.0.0.1.evil.example": false, "https://ledger.example/": false, "https://Ledger.example": false,
		"https://": false, "https://user@ledger.example": false, "ledger.example": false, "https://a?b": false, "https://a#b": false,
		"https://a:99999": false, "https://:1": false, "": false, "javascript:1": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != good {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// FuzzParse: whatever is read is written the same again.
func FuzzParse(f *testing.F) {
	f.Add(example().Address())
	f.Fuzz(func(t *testing.T, address string) {
		c, err := Parse(address)
		if err != nil {
			return
		}
		if c.Address() != address || CheckOrigin(c.Origin) != nil || c.Deadline%tape.Instant(1000) != 0 {
			t.Errorf("%q reads as %+v", address, c)
		}
	})
}
