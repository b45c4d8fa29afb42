package audit_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

var five = []string{"charity", "coop", "bank", "insurer", "regulator"}

// The accounts of the test's ledger.
const (
	relief  tape.AccountID = "charity:sunrise:relief"
	unknown tape.AccountID = "charity:sunrise:unknown"
	own     tape.AccountID = "charity:sunrise:own"
	reach   tape.AccountID = "partner:reach:field"
	bank    tape.AccountID = "outside:bank:relief"
	shop    tape.AccountID = "outside:shop-1"
)

// village is a ledger on which nearly every command has been given once.
type village struct {
	*peertest.Network
	t      testing.TB
	ledger party.LedgerID
	signed int
}

func newContracts() shim.Chaincode {
	contracts, err := contract.New()
	if err != nil {
		panic(err)
	}
	return contracts
}

func newVillage(t testing.TB) *village {
	t.Helper()
	v := &village{Network: peertest.New(t, newContracts, five...), t: t, ledger: party.LedgerID{1}}
	v.found()
	for _, account := range []tape.Open{
		{Account: unknown, Unidentified: ""}, {Account: own}, {Account: relief, OwnFunds: own}, {Account: reach},
	} {
		account.ID = tape.ID(fmt.Sprintf("open-%x", sha256.Sum256([]byte(account.Account)))[:20])
		account.Attribution, account.Currency, account.Custodian = tape.FIFO, "CNY", bank
		v.by("charity", "Tape:Open", account)
	}
	return v
}

func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// by gives one command as an organisation's gateway.
func (v *village) by(organisation, function string, command any) {
	v.t.Helper()
	v.invoke(organisation, "gateway", function, v.encode(command))
}

func (v *village) invoke(organisation, role, function, argument string) {
	v.t.Helper()
	v.Advance(time.Second)
	_, err := v.Invoke(v.Identity(organisation, role), function, argument)
	if err != nil {
		v.t.Fatalf("%s: %v", function, err)
	}
}

func (v *village) encode(command any) string {
	v.t.Helper()
	type encoder interface{ Encode() ([]byte, error) }
	if special, is := command.(encoder); is {
		encoded, err := special.Encode()
		return string(must(v.t, encoded, err))
	}
	encoded, err := canonical.Encode(command)
	return string(must(v.t, encoded, err))
}

func (v *village) found() {
	v.t.Helper()
	policy := party.DefaultPolicy(party.Threshold{Amount: money.New(1_000_000_00, "CNY"), Organisations: 2})
	policy.Persons.KeyWaitingHours = 0
	charter := party.Charter{Ledger: v.ledger, Policy: policy, Quorum: 3, Rules: 1, Zone: "+08:00", Powers: []party.Grant{
		{Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Cooperative}, {Organisation: "bank", Power: party.Custodian}, {Organisation: "bank", Power: party.Lender}, {Organisation: "insurer", Power: party.Insurer},
		{Organisation: "regulator", Power: party.Regulator}}}
	for _, name := range five {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	v.invoke("charity", "admin", "Party:Found", v.encode(party.FoundCommand{Charter: charter, ID: "found"}))
	hash, err := charter.Hash()
	must(v.t, hash, err)
	for _, name := range five {
		v.invoke(name, "admin", "Party:Join", v.encode(party.JoinCommand{Charter: hash, ID: tape.ID("join-" + name)}))
	}
	for _, person := range []tape.ID{"maker", "checker"} {
		key := v.key(person)
		proof, err := sign.Possession(key, v.ledger, party.Possession{Person: person, Custody: party.Own, Duty: party.DutyStaff, Organisation: "charity", Registrar: "regulator"})
		must(v.t, proof, err)
		v.by("regulator", "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: party.DutyStaff, ID: "register-" + person,
			Organisation: "charity", Person: person, Proof: proof})
		v.by("charity", "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: party.DutyStaff, ID: "witness-" + person, Person: person})
	}
}

func (v *village) key(person tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	return must(v.t, key, err)
}

// decided gives a command with the intents of maker and checker.
func (v *village) decided(action, function string, account tape.AccountID, amount int64, command any) {
	v.t.Helper()
	plain, err := canonical.Encode(command)
	must(v.t, plain, err)
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{Command: plain}
	for _, person := range []tape.ID{"maker", "checker"} {
		v.signed++
		statement := party.Statement{Action: action, Subject: string(account), Amount: cny(amount).String(), Command: sha256.Sum256(plain),
			Intent: party.IntentID{byte(v.signed), 1}, Deadline: tape.Instant(v.Clock().Add(time.Hour).Truncate(time.Second).UnixMilli())}
		intent, err := sign.Intent(v.key(person), v.ledger, person, statement)
		envelope.Intents = append(envelope.Intents, must(v.t, intent, err))
	}
	v.by("charity", function, envelope)
}

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// rows of the statement: references r0, r1, …; the amounts are their numbers.
func giftsOf(page string, units ...int64) []tape.Gift {
	gifts := make([]tape.Gift, len(units))
	for i, u := range units {
		gifts[i] = tape.Gift{ID: tape.ID(fmt.Sprintf("%s-%d", page, i)), Amount: cny(u), Reference: reference(page, i)}
	}
	return gifts
}

func linesOf(page string, first int32, units ...int64) []tape.Line {
	lines := make([]tape.Line, len(units))
	for i, u := range units {
		lines[i] = tape.Line{Number: first + int32(i), Date: "2026-01-01", Amount: cny(u), Reference: reference(page, i)}
	}
	return lines
}

func reference(page string, i int) string {
	return (fmt.Sprintf("%s-%d-", page, i) + "AAAAAAAAAAAAAAAAAAAAAA")[:21] + "A"
}

func (v *village) receive(account tape.AccountID, page string, gifts []tape.Gift) {
	v.t.Helper()
	total := int64(0)
	for _, g := range gifts {
		total += g.Amount.Units
	}
	v.by("charity", "Tape:Receive", tape.Receive{Account: account, ID: tape.ID(page), Count: int32(len(gifts)), Total: cny(total), Gifts: gifts})
}

// The bank's statement: two pages of credits, one of debits, one of returns.
var (
	creditsA = linesOf("a", 1, 10_000, 20_000, 30_000)
	creditsB = linesOf("b", 4, 4_000, 5_000, 6_000)
	debits   = linesOf("d", 7, 7_000, 2_000, 500, 10_000)
	returns  = linesOf("r", 11, 2_000)
)

// evidence files the statement.
func (v *village) evidence() {
	v.t.Helper()
	file := tape.FileStatement{Account: bank, ID: "january", From: "2026-01-01", To: "2026-01-31", Opening: cny(1_000)}
	balance := file.Opening.Units
	for i, lines := range [][]tape.Line{creditsA, creditsB, debits, returns} {
		side, sign := tape.CreditSide, int64(1)
		if i == 2 {
			side, sign = tape.DebitSide, -1
		}
		page, _, err := tape.LinesBody(side, lines)
		file.Pages = append(file.Pages, must(v.t, page, err))
		file.Count += page.Count
		balance += sign * page.Total.Units
	}
	file.Closing = cny(balance)
	v.by("bank", "Tape:FileStatement", file)
	for n, lines := range [][]tape.Line{creditsA, creditsB, debits, returns} {
		v.by("bank", "Tape:FileLines", tape.FileLines{Account: bank, ID: tape.ID(fmt.Sprintf("lines-%d", n)), Lines: lines, N: int32(n), Statement: "january"})
	}
}

func (v *village) line(n int32, lines []tape.Line, index int) tape.LineProof {
	proof, err := tape.NewLineProof("january", n, lines, index)
	return must(v.t, proof, err)
}

// live gives nearly every command once.
func (v *village) live() {
	v.t.Helper()
	v.evidence()
	v.receive(relief, "a", giftsOf("a", 10_000, 20_000, 30_000))
	v.receive(relief, "b", giftsOf("b", 4_000, 9_999, 6_000))
	v.by("charity", "Tape:Settle", tape.Settle{Account: relief, ID: "settle-a", Items: []tape.SettleItem{
		{Source: "a", Lines: &tape.LinesRef{N: 0, Statement: "january"}}}})
	v.by("charity", "Tape:Match", tape.NewMatch(relief, "match-b", "b", giftsOf("b", 4_000, 9_999, 6_000), "january", 1, creditsB))
	v.by("charity", "Tape:Settle", tape.Settle{Account: relief, ID: "settle-b", Items: []tape.SettleItem{
		{Source: "b.m"}, {Source: "b.u", SelfDeclared: true}}})
	v.decided("spend", "Tape:Spend", relief, 15_000, tape.Spend{Account: relief, ID: "spend-1", Payments: []tape.Payment{
		{Amount: cny(12_000), Line: "l1", To: reach}, {Amount: cny(3_000), Line: "l2", To: own}}})
	v.by("charity", "Tape:Settle", tape.Settle{Account: reach, ID: "settle-reach", Items: []tape.SettleItem{{Source: "charity/spend-1/0"}}})
	v.payouts()
	v.takenBack()
	v.job()
}

func (v *village) payouts() {
	v.t.Helper()
	expires := tape.Instant(v.Clock().Add(48 * time.Hour).UnixMilli())
	v.decided("hold", "Tape:Hold", reach, 10_000, tape.OrderHolds{Account: reach, Expires: expires, ID: "hold-1", Holds: []tape.HoldOrder{
		{Amount: cny(7_000), Hold: "h1", To: shop}, {Amount: cny(2_000), Hold: "h2", To: shop}, {Amount: cny(1_000), Hold: "h3", To: own}}})
	first, second := v.line(2, debits, 0), v.line(2, debits, 1)
	v.by("bank", "Tape:Capture", tape.Capture{Account: reach, Amount: cny(7_000), Hold: "h1", ID: "capture-1", Line: &first})
	v.by("bank", "Tape:Capture", tape.Capture{Account: reach, Amount: cny(2_000), Hold: "h2", ID: "capture-2", Line: &second})
	v.by("bank", "Tape:Return", tape.Return{Account: reach, Amount: cny(2_000), Hold: "h2", ID: "return-1", Line: v.line(3, returns, 0)})
	v.decided("release", "Tape:Release", reach, 1_000, tape.Release{Account: reach, Hold: "h3", ID: "release-1"})
	v.by("charity", "Tape:Reclaim", tape.Reclaim{Account: reach, Holds: []tape.ID{"h3"}, ID: "reclaim-1"})
}

func (v *village) takenBack() {
	v.t.Helper()
	gifts := giftsOf("a", 10_000, 20_000, 30_000)
	last, err := tape.NewGiftProof("a", gifts, 2)
	must(v.t, last, err)
	expires := tape.Instant(v.Clock().Add(time.Hour).UnixMilli())
	v.decided("refund", "Tape:Refund", relief, 30_000, tape.Refund{Account: relief, Expires: expires, Gift: last, ID: "refund-1", To: "outside:giver-1"})
	v.Advance(2 * time.Hour)
	v.by("regulator", "Tape:Expire", tape.Release{Account: relief, Hold: "refund-1", ID: "expire-1"})
	v.by("charity", "Tape:Reclaim", tape.Reclaim{Account: relief, Holds: []tape.ID{"refund-1"}, ID: "reclaim-2"})
	expires = tape.Instant(v.Clock().Add(time.Hour).UnixMilli())
	v.decided("refund", "Tape:Refund", relief, 30_000, tape.Refund{Account: relief, Expires: expires, Gift: last, ID: "refund-2", To: "outside:giver-1"})
	spentGift, err := tape.NewGiftProof("a", gifts, 0)
	must(v.t, spentGift, err)
	v.by("bank", "Tape:ChargeBack", tape.ChargeBack{Account: relief, Gift: spentGift, ID: "back-1", Line: v.line(2, debits, 3)})
}

// job pays two lines in two chunks, one of them outside the ledger; the second never runs.
func (v *village) job() {
	v.t.Helper()
	chunks := [][]tape.Payment{
		{{Amount: cny(1_500), Line: "c1", To: own}, {Amount: cny(500), Line: "c2", To: shop}},
		{{Amount: cny(1_000), Line: "c3", To: own}},
	}
	var leaves []merkle.Leaf
	for n, lines := range chunks {
		leaf, err := tape.ChunkLeaf(int32(n), lines)
		leaves = append(leaves, must(v.t, leaf, err))
	}
	root, _ := merkle.Root(leaves)
	expires := tape.Instant(v.Clock().Add(48 * time.Hour).UnixMilli())
	v.decided("open-job", "Tape:OpenJob", relief, 3_000, tape.OpenJob{Account: relief, Amount: cny(3_000), Chunks: 2, Expires: expires, ID: "job-1", Root: root})
	path, err := merkle.Prove(leaves, 0)
	must(v.t, path, err)
	v.by("charity", "Tape:RunChunk", tape.RunChunk{Account: relief, ID: "chunk-0", Job: "job-1", Lines: chunks[0], N: 0, Path: path})
	v.by("charity", "Tape:CloseJob", tape.CloseJob{Abandon: true, Account: relief, ID: "close-1", Job: "job-1"})
}

// race orders two settlements of one account into one block: the second loses.
func (v *village) race() {
	v.t.Helper()
	var batch []*peertest.Endorsed
	v.receive(own, "x", giftsOf("x", 100))
	v.receive(own, "y", giftsOf("y", 200))
	for _, page := range []string{"x", "y"} {
		v.Advance(time.Second)
		settle := tape.Settle{Account: own, ID: tape.ID("settle-" + page), Items: []tape.SettleItem{{Source: page, SelfDeclared: true}}}
		endorsed, err := v.Endorse(v.Identity("charity", "gateway"), "Tape:Settle", v.encode(settle))
		batch = append(batch, must(v.t, endorsed, err))
	}
	results, err := v.Commit(batch...)
	must(v.t, results, err)
	if results[1].Valid() {
		v.t.Fatal("both settlements of one head are valid")
	}
}
