package books_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	campaign  = tape.AccountID("charity:sunrise:books")
	own       = tape.AccountID("charity:sunrise:own")
	lost      = tape.AccountID("charity:sunrise:books-lost")
	partner   = tape.AccountID("partner:green:travel")
	household = tape.AccountID("household:pcfekbohnfgieakepcpkkgfledpicncb:books")
	sunrise   = tape.AccountID("outside:bank:sunrise")
	green     = tape.AccountID("outside:bank:green")
	printer   = tape.AccountID("outside:supplier:print")
	processor = tape.AccountID("outside:processor")
	stranger  = tape.AccountID("outside:someone:x1")
	abroad    = tape.AccountID("outside:partner:abroad")
)

var ledgerID = party.LedgerID{9}

// world runs the real contracts on a network in memory and follows its blocks into a read model.
type world struct {
	*testing.T
	*peertest.Network
	model   *readmodel.Model
	read    uint64
	keys    map[tape.ID]*ecdsa.PrivateKey
	intents uint32
	serial  int
	banks   map[tape.AccountID]*bankBook
}

// bankBook is what the custodian knows of a bank account.
type bankBook struct {
	last    tape.ID
	balance int64
	lines   int32
}

func newWorld(t *testing.T) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	w := &world{T: t, Network: peertest.New(t, build, "charity", "bank", "coop"), keys: map[tape.ID]*ecdsa.PrivateKey{},
		banks: map[tape.AccountID]*bankBook{sunrise: {balance: 1_000_000_00}, green: {balance: 1_000_000_00}}}
	var err error
	if w.model, err = readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "readmodel.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.model.Close(); err != nil {
			t.Error(err)
		}
	})
	w.found()
	w.open(own, sunrise, "")
	w.open(campaign, sunrise, own)
	w.open(household, sunrise, "")
	w.open(partner, green, "")
	c := opening(lost, sunrise)
	c.Unidentified = campaign
	w.must("charity", "Tape:Open", c)
	return w
}

func (w *world) found() {
	charter := party.Charter{Ledger: ledgerID, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(
		party.Threshold{Amount: money.New(1e11, "CNY"), Organisations: 2}, party.Threshold{Amount: money.New(1e12, "VND"), Organisations: 2})}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range []string{"charity", "bank", "coop"} {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	charter.Powers = []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Charity}}
	hash, err := charter.Hash()
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank:admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	for _, name := range []string{"charity", "bank", "coop"} {
		w.must(name+":admin", "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	for _, organisation := range []string{"charity", "coop"} {
		for _, role := range []string{"maker", "checker"} {
			w.register(tape.ID(organisation+"-"+role), organisation)
		}
	}
}

func (w *world) register(person tape.ID, organisation string) {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		w.Fatal(err)
	}
	w.keys[person] = key
	proof, err := sign.Possession(key, ledgerID, party.Possession{Person: person, Custody: party.Own, Duty: party.DutyStaff, Organisation: organisation, Registrar: "bank"})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: party.DutyStaff, ID: "register-" + person, Organisation: organisation, Person: person, Proof: proof})
	w.must(organisation, "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: party.DutyStaff, ID: "witness-" + person, Person: person})
}

func encode(t testing.TB, command any) string {
	t.Helper()
	if text, is := command.(string); is {
		return text
	}
	if body, can := command.(interface{ Encode() ([]byte, error) }); can {
		argument, err := body.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return string(argument)
	}
	argument, err := canonical.Encode(command)
	if err != nil {
		t.Fatal(err)
	}
	return string(argument)
}

func (w *world) must(as, function string, command any) {
	w.Helper()
	organisation, role, found := strings.Cut(as, ":")
	if !found {
		role = "gateway"
	}
	if _, err := w.Invoke(w.Identity(organisation, role), function, encode(w.T, command)); err != nil {
		w.Fatalf("%s by %s: %v", function, as, err)
	}
}

// signed wraps a command in the intents of its sponsor's maker and checker.
func (w *world) signed(as, action string, subject tape.AccountID, units int64, command any) string {
	body := encode(w.T, command)
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{Command: json.RawMessage(body)}
	for _, role := range []string{"maker", "checker"} {
		w.intents++
		person := tape.ID(as + "-" + role)
		intent, err := sign.Intent(w.keys[person], ledgerID, person, party.Statement{Action: action, Subject: string(subject), Amount: cny(units).String(), Command: sha256.Sum256([]byte(body)),
			Intent: party.IntentID(binary.BigEndian.AppendUint32(make([]byte, 12), w.intents)), Deadline: tape.Instant(w.Clock().UnixMilli()/1000*1000) + tape.Hour})
		if err != nil {
			w.Fatal(err)
		}
		envelope.Intents = append(envelope.Intents, intent)
	}
	return encode(w.T, envelope)
}

// follow reads what is new into the read model.
func (w *world) follow() {
	w.Helper()
	for ; w.read < w.Height(); w.read++ {
		block, err := fabric.ReadBlock(w.Block(w.read), peertest.Chaincode, nil)
		if err != nil {
			w.Fatal(err)
		}
		// The network in memory does not chain its blocks.
		block.PreviousHash = nil
		if w.read > 0 {
			before, err := fabric.ReadBlock(w.Block(w.read-1), peertest.Chaincode, nil)
			if err != nil {
				w.Fatal(err)
			}
			block.PreviousHash = before.Hash
		}
		if err := w.model.Apply(w.Context(), block); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) id(what string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", what, w.serial))
}

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func opening(account, custodian tape.AccountID) tape.Open {
	return tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: custodian, ID: tape.ID("open-" + strings.ReplaceAll(string(account), ":", "-"))}
}

func (w *world) open(account, custodian, ownFunds tape.AccountID) {
	c := opening(account, custodian)
	c.OwnFunds = ownFunds
	w.must(sponsor(account), "Tape:Open", c)
}

func sponsor(account tape.AccountID) string {
	if account == partner {
		return "coop"
	}
	return "charity"
}

// bank files a statement of one page and returns its id.
func (w *world) bank(account tape.AccountID, side tape.Side, lines ...tape.Line) tape.ID {
	w.Helper()
	book, id := w.banks[account], w.id("s")
	for i := range lines {
		book.lines++
		lines[i].Number = book.lines
	}
	head, _, err := tape.LinesBody(side, lines)
	if err != nil {
		w.Fatal(err)
	}
	c := tape.FileStatement{Account: account, ID: id, Previous: book.last, From: lines[0].Date, To: lines[len(lines)-1].Date, Opening: cny(book.balance), Count: head.Count, Pages: []tape.LinesPage{head}}
	if book.last = id; side == tape.CreditSide {
		book.balance += head.Total.Units
	} else {
		book.balance -= head.Total.Units
	}
	c.Closing = cny(book.balance)
	w.must("bank", "Tape:FileStatement", c)
	w.must("bank", "Tape:FileLines", tape.FileLines{Account: account, ID: id + "-0", Lines: lines, Statement: id})
	return id
}

func line(date tape.Date, units int64, reference string) tape.Line {
	return tape.Line{Date: date, Amount: cny(units), Reference: reference}
}

// one files a statement of one line and proves it.
func (w *world) one(account tape.AccountID, side tape.Side, date tape.Date, units int64) tape.LineProof {
	w.Helper()
	lines := []tape.Line{line(date, units, "")}
	id := w.bank(account, side, lines...)
	lines[0].Number = w.banks[account].lines
	proof, err := tape.NewLineProof(id, 0, lines, 0)
	if err != nil {
		w.Fatal(err)
	}
	return proof
}

func hashed(text string, bytes int) string {
	digest := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(digest[:bytes])
}

// give receives a page of gifts and returns it.
func (w *world) give(account tape.AccountID, units ...int64) (tape.ID, []tape.Gift) {
	w.Helper()
	c := tape.Receive{Account: account, ID: w.id("page"), Count: int32(len(units)), Total: cny(0)}
	for i, u := range units {
		name := fmt.Sprintf("%s-%d", c.ID, i)
		c.Gifts = append(c.Gifts, tape.Gift{ID: tape.ID(name), Amount: cny(u), Donor: hashed("donor"+name, 32), Reference: hashed("reference"+name, 16)})
		c.Total.Units += u
	}
	w.must(sponsor(account), "Tape:Receive", c)
	return c.ID, c.Gifts
}

// listed are bank lines of gifts.
func listed(date tape.Date, gifts ...tape.Gift) []tape.Line {
	var lines []tape.Line
	for _, g := range gifts {
		lines = append(lines, line(date, g.Amount.Units, g.Reference))
	}
	return lines
}

func (w *world) settle(account tape.AccountID, item tape.SettleItem) {
	w.Helper()
	w.must(sponsor(account), "Tape:Settle", tape.Settle{Account: account, ID: w.id("settle"), Items: []tape.SettleItem{item}})
}

func (w *world) declare(account tape.AccountID, units ...int64) (tape.ID, []tape.Gift) {
	w.Helper()
	id, gifts := w.give(account, units...)
	w.settle(account, tape.SettleItem{Source: string(id), SelfDeclared: true})
	return id, gifts
}

func (w *world) expires() tape.Instant {
	return tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day
}

// hold orders a payout and returns the hold's id.
func (w *world) hold(account, to tape.AccountID, units int64) tape.ID {
	w.Helper()
	hold := w.id("hold")
	c := tape.OrderHolds{Account: account, ID: w.id("order"), Expires: w.expires(), Holds: []tape.HoldOrder{{Amount: cny(units), Hold: hold, To: to}}}
	w.must(sponsor(account), "Tape:Hold", w.signed(sponsor(account), "hold", account, units, c))
	return hold
}

// execute captures a hold by a debit line of the bank.
func (w *world) execute(account, bankAccount tape.AccountID, hold tape.ID, date tape.Date, units int64) {
	w.Helper()
	proof := w.one(bankAccount, tape.DebitSide, date, units)
	w.must("bank", "Tape:Capture", tape.Capture{Account: account, Amount: cny(units), Hold: hold, ID: w.id("capture"), Line: &proof})
}

// executeTogether pays several holds by one debit line, as a bank executes a file of orders.
func (w *world) executeTogether(account, bankAccount tape.AccountID, date tape.Date, units int64, holds ...tape.ID) {
	w.Helper()
	lines := []tape.Line{line(date, units, "")}
	id := w.bank(bankAccount, tape.DebitSide, lines...)
	lines[0].Number = w.banks[bankAccount].lines
	c, err := tape.NewExecute(account, w.id("execute"), id, 0, lines, []tape.ExecutedLine{{Holds: holds}})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Execute", c)
}

func (w *world) pay(account, bankAccount, to tape.AccountID, date tape.Date, units int64) tape.ID {
	w.Helper()
	hold := w.hold(account, to, units)
	w.execute(account, bankAccount, hold, date, units)
	return hold
}

func (w *world) comesBack(account, bankAccount tape.AccountID, hold tape.ID, date tape.Date, units int64) {
	w.Helper()
	w.must("bank", "Tape:Return", tape.Return{Account: account, Amount: cny(units), Hold: hold, ID: w.id("return"), Line: w.one(bankAccount, tape.CreditSide, date, units)})
}

func (w *world) spend(account, to tape.AccountID, units int64, origin string) (entry tape.ID) {
	w.Helper()
	entry = w.id("spend")
	c := tape.Spend{Account: account, ID: entry, Payments: []tape.Payment{{Amount: cny(units), Line: "l", Origin: origin, To: to}}}
	w.must(sponsor(account), "Tape:Spend", w.signed(sponsor(account), "spend", account, units, c))
	return entry
}

func (w *world) lay(account tape.AccountID, source string) {
	w.Helper()
	w.settle(account, tape.SettleItem{Source: source})
}

func (w *world) refund(page tape.ID, gifts []tape.Gift, index int, date tape.Date) tape.ID {
	w.Helper()
	proof, err := tape.NewGiftProof(page, gifts, index)
	if err != nil {
		w.Fatal(err)
	}
	id, units := w.id("refund"), gifts[index].Amount.Units
	w.must("charity", "Tape:Refund", w.signed("charity", "refund", campaign, units, tape.Refund{Account: campaign, Expires: w.expires(), Gift: proof, ID: id, To: "outside:giver:g1"}))
	w.execute(campaign, sunrise, id, date, units)
	return id
}

func (w *world) chargeBack(page tape.ID, gifts []tape.Gift, index int, date tape.Date) {
	w.Helper()
	proof, err := tape.NewGiftProof(page, gifts, index)
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:ChargeBack", tape.ChargeBack{Account: campaign, Gift: proof, ID: w.id("back"), Line: w.one(sunrise, tape.DebitSide, date, gifts[index].Amount.Units)})
}

// story is a small world with everything that can happen to money of a campaign.
func (w *world) story() {
	// Three gifts of two days, shown line by line.
	first, gifts := w.give(campaign, 100_00, 50_00, 25_00)
	s := w.bank(sunrise, tape.CreditSide, append(listed("2026-01-02", gifts[0], gifts[1]), listed("2026-01-03", gifts[2])...)...)
	w.settle(campaign, tape.SettleItem{Source: string(first), Lines: &tape.LinesRef{Statement: s}})
	// One of two gifts is found among the lines; what nobody claimed is found to be the campaign's.
	w.matched()
	// Fifteen hundred by a processor, which keeps a hundredth.
	w.processed()
	declared, declaredGifts := w.declare(campaign, 40_00)
	w.declare(own, 90_00)

	// 1 and 2 of January's gifts go to the partner, who gives a part back and pays a family with the rest.
	spent := w.spend(campaign, partner, 120_00, "")
	w.lay(partner, "charity/"+string(spent)+"/0")
	back := w.spend(partner, campaign, 20_00, "charity/"+string(spent))
	w.lay(campaign, "coop/"+string(back)+"/0")
	w.pay(partner, green, "outside:household:hbbedapgbgeojdiadnjdecilmbpkliap", "2026-01-06", 33_00)
	// An order for the partner is paid on the ledger, another is given up.
	ordered := w.hold(campaign, partner, 30_00)
	w.must("charity", "Tape:Capture", tape.Capture{Account: campaign, Amount: cny(30_00), Hold: ordered, ID: w.id("capture")})
	given := w.hold(campaign, partner, 10_00)
	w.must("charity", "Tape:Release", w.signed("charity", "release", campaign, 10_00, tape.Release{Account: campaign, Hold: given, ID: w.id("release")}))

	// Payouts, of which one comes back; one is of a day that has not come in the export.
	w.executeTogether(campaign, sunrise, "2026-01-06", 20_00, w.hold(campaign, "outside:household:mkjhibbcmkbllnmkpkmcdbldjkcdnmen", 12_00), w.hold(campaign, "outside:household:docdoibgaadjfjekddijepgfgeoblbde", 8_00))
	returned := w.pay(campaign, sunrise, "outside:household:cohncmadkjfahkocgfompflfdfgiifkf", "2026-01-06", 5_00)
	w.pay(campaign, sunrise, printer, "2026-01-07", 9_00)
	w.pay(campaign, sunrise, stranger, "2026-01-07", 2_00)
	w.pay(campaign, sunrise, abroad, "2026-01-07", 3_00)
	w.comesBack(campaign, sunrise, returned, "2026-01-08", 5_00)
	w.hold(campaign, "outside:household:dphjllhledflafdcbgfbnkopndhemnmg", 6_00)
	family := w.spend(campaign, household, 7_00, "")
	w.lay(household, "charity/"+string(family)+"/0")

	// Refunds, of which one does not reach its giver; chargebacks of what is free and of what was spent.
	refunded, refundedGifts := w.declare(campaign, 11_00, 13_00)
	w.refund(refunded, refundedGifts, 0, "2026-01-08")
	w.comesBack(campaign, sunrise, w.refund(refunded, refundedGifts, 1, "2026-01-08"), "2026-01-09", 13_00)
	w.chargeBack(declared, declaredGifts, 0, "2026-01-09")
	w.chargeBack(first, gifts, 1, "2026-01-09")
	w.chargeBack(first, gifts, 0, "2026-01-09")
	w.pay(campaign, sunrise, "outside:household:bikmdohdedpabgijamfbaojdpjdfcgbb", "2026-01-20", 4_00)
	// A gift that was meant for another purpose goes there; one for this came there.
	misled, misledGifts := w.declare(campaign, 17_00, 3_00)
	w.correct(campaign, own, misled, misledGifts, 0)
	meant, meantGifts := w.declare(own, 6_00)
	w.correct(own, campaign, meant, meantGifts, 0)
	w.give(campaign, 77_00) // pending: not in any book yet
	w.follow()
}

// correct moves a whole gift, and lays it where it belongs.
func (w *world) correct(from, to tape.AccountID, page tape.ID, gifts []tape.Gift, index int) {
	w.Helper()
	proof, err := tape.NewGiftProof(page, gifts, index)
	if err != nil {
		w.Fatal(err)
	}
	id := w.id("correct")
	w.must("charity", "Tape:Correct", w.signed("charity", "correct", from, gifts[index].Amount.Units,
		tape.Correct{Account: from, Gift: proof, ID: id, Reason: "wrong-reference", To: to}))
	w.lay(to, "charity/"+string(id)+"/0")
}

func (w *world) matched() {
	w.Helper()
	page, gifts := w.give(campaign, 200_00, 7_00)
	lines := append(listed("2026-01-04", gifts[0]), line("2026-01-04", 50_01, hashed("stranger", 16)))
	s := w.bank(sunrise, tape.CreditSide, lines...)
	w.must("charity", "Tape:Match", tape.NewMatch(campaign, w.id("match"), page, gifts, s, 0, lines))
	w.settle(campaign, tape.SettleItem{Source: string(page) + tape.MatchedSuffix})
	unclaimed := w.id("lost")
	w.must("charity", "Tape:ReceiveUnidentified", tape.NewReceiveUnidentified(lost, unclaimed, s, 0, lines))
	w.settle(lost, tape.SettleItem{Source: string(unclaimed)})
	proof, err := tape.NewGiftProof(unclaimed, []tape.Gift{{ID: tape.ID(fmt.Sprintf("line-%d", lines[1].Number)), Amount: cny(50_01), Reference: lines[1].Reference}}, 0)
	if err != nil {
		w.Fatal(err)
	}
	identify := w.id("identify")
	w.must("charity", "Tape:Identify", w.signed("charity", "identify", lost, 50_01, tape.Identify{Account: lost, Gift: proof, ID: identify, To: campaign}))
	w.lay(campaign, "charity/"+string(identify)+"/0")
}

func (w *world) processed() {
	w.Helper()
	page, gifts := w.give(campaign, 100_00, 50_00)
	_, matches, _, err := tape.GiftsBody(gifts)
	if err != nil {
		w.Fatal(err)
	}
	fee, file := cny(1_50), w.id("file")
	w.must("charity", "Tape:FileProcessor", tape.FileProcessor{Account: campaign, Count: 2, Fee: &fee, FeeTo: processor, ID: file, Line: w.one(sunrise, tape.CreditSide, "2026-01-05", 148_50), Matches: matches, Page: page, Total: cny(150_00)})
	w.settle(campaign, tape.SettleItem{Source: string(page), Processor: file})
}

// cutAt is an export made at noon of a day.
func cutAt(day string) (at time.Time) {
	at, err := time.Parse(time.DateTime, day+" 12:00:00")
	if err != nil {
		panic(err)
	}
	return at
}
