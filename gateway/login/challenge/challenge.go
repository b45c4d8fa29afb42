// Package challenge is what a person's key signs to log in at a gateway's
// pages: typed data of EIP-712 in the ledger's domain, so that a wallet shows
// the origin, and a signature made for one page is worth nothing at another.
package challenge

import (
	"crypto/ecdsa"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The types of EIP-712. Domain, name and version are those of the rules'
// intents; a test computes an intent's digest both ways.
const (
	domainType = "EIP712Domain(string name,string version,bytes32 salt)"
	loginType  = Type
	domainName = "Lianbao"
	version    = "1"
)

// Type is that of a login, as the EIP's encodeType writes it.
const Type = "Login(string origin,bytes32 nonce,uint64 deadline)"

// Nonce is 256 random bits that a gateway drew for one login.
type Nonce [32]byte

// String prints 64 hexadecimal digits.
func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// ParseNonce reads the one spelling.
func ParseNonce(text string) (Nonce, error) {
	var read party.Hash // has the same spelling
	err := read.UnmarshalText([]byte(text))
	return Nonce(read), err
}

// MarshalText writes the one spelling.
func (n Nonce) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads the one spelling.
func (n *Nonce) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNonce(string(text))
	return err
}

// Challenge asks a person to prove that it holds its key, once, at one page.
type Challenge struct {
	Ledger party.LedgerID `json:"ledger"`
	// Origin is where the person logs in, such as https://ledger.example.
	Origin string `json:"origin"`
	Nonce  Nonce  `json:"nonce"`
	// Deadline is a whole second.
	Deadline tape.Instant `json:"deadline"`
}

// Digest is what the key signs.
func (c Challenge) Digest() [32]byte {
	return typed(c.Ledger, loginType, text(c.Origin), c.Nonce[:], seconds(c.Deadline))
}

func typed(ledger party.LedgerID, kind string, members ...[]byte) [32]byte {
	domain := crypto.Keccak256(text(domainType), text(domainName), text(version), ledger[:])
	body := crypto.Keccak256(append([][]byte{text(kind)}, members...)...)
	return [32]byte(crypto.Keccak256([]byte{0x19, 0x01}, domain, body))
}

func text(s string) []byte { return crypto.Keccak256([]byte(s)) }

func seconds(at tape.Instant) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 24), uint64(at/1000))
}

// Sign answers the challenge.
func (c Challenge) Sign(key *ecdsa.PrivateKey) (party.Signature, error) {
	digest := c.Digest()
	plain, err := crypto.Sign(digest[:], key)
	if err != nil {
		return party.Signature{}, err
	}
	signature := party.Signature(plain)
	signature[64] += 27 // libraries count v from 0, wallets from 27
	return signature, nil
}

// Path is where the challenge is answered.
const Path = "/login/key"

// Address is the challenge as one line to copy: it is the page's own address.
func (c Challenge) Address() string {
	query := url.Values{"ledger": {c.Ledger.String()}, "nonce": {c.Nonce.String()}, "deadline": {strconv.FormatInt(int64(c.Deadline/1000), 10)}}
	return c.Origin + Path + "?" + query.Encode()
}

// addressMax is longer than any address of a challenge.
const addressMax = 600

// Parse reads an address in its one spelling.
func Parse(address string) (Challenge, error) {
	var c Challenge
	wrong := rule.Refuse(rule.Invalid, "%.80q is not the address of a challenge; copy all of it from the login page", address)
	parsed, err := url.Parse(address)
	if err != nil || len(address) > addressMax {
		return c, wrong
	}
	c.Origin = parsed.Scheme + "://" + parsed.Host
	if err := CheckOrigin(c.Origin); err != nil {
		return c, err
	}
	query := parsed.Query()
	deadline, err := strconv.ParseInt(query.Get("deadline"), 10, 64)
	if err != nil || deadline <= 0 || deadline > secondsMax {
		return c, wrong
	}
	c.Deadline = tape.Instant(deadline * 1000)
	if c.Nonce, err = ParseNonce(query.Get("nonce")); err != nil {
		return c, wrong
	}
	if c.Ledger.UnmarshalText([]byte(query.Get("ledger"))) != nil || c.Address() != address {
		return c, wrong
	}
	return c, nil
}

// secondsMax is the end of the year 9999, the last that instants can be written in.
const secondsMax = 253402300799

// CheckOrigin refuses what is not scheme://host[:port] in lower case, and http
// anywhere but on this machine: over plain http a cookie can be read on its way.
func CheckOrigin(origin string) error {
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host == "" || parsed.Hostname() == "" || parsed.Scheme+"://"+parsed.Host != origin || strings.ToLower(origin) != origin {
		return rule.Refuse(rule.Invalid, "%.80q is not an origin; write it as https://ledger.example, without a path", origin)
	}
	if port := parsed.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return rule.Refuse(rule.Invalid, "%.80q has no possible port", origin)
		}
	}
	if parsed.Scheme == "https" || parsed.Scheme == "http" && Loopback(parsed.Hostname()) {
		return nil
	}
	return rule.Refuse(rule.Invalid, "%.80q must be https; http is possible on this machine only", origin)
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
