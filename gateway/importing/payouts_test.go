package importing

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

const paying = tape.AccountID("charity:charity:paying")

// payer is a world with an account that has 10,000,000 VND and two persons who sign.
type payer struct {
	*world
	keys  map[tape.ID]*ecdsa.PrivateKey
	drawn uint32
}

func newPayer(t testing.TB) *payer {
	p := &payer{world: newWorld(t), keys: map[tape.ID]*ecdsa.PrivateKey{}}
	for _, person := range []tape.ID{"maker", "checker"} {
		seed := sha256.Sum256([]byte(person))
		key, err := crypto.ToECDSA(seed[:])
		if err != nil {
			t.Fatal(err)
		}
		p.keys[person] = key
		proof, err := sign.Possession(key, party.LedgerID{7}, party.Possession{Person: person, Custody: party.Own, Duty: party.DutyStaff, Organisation: "charity", Registrar: "regulator"})
		if err != nil {
			t.Fatal(err)
		}
		p.must("regulator", "gateway", "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: party.DutyStaff, ID: "register-" + person, Organisation: "charity", Person: person, Proof: proof})
		p.must("charity", "gateway", "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: party.DutyStaff, ID: "witness-" + person, Person: person})
	}
	p.network.Advance(30 * 24 * 3600 * 1e9)
	p.must("charity", "gateway", "Tape:Open", tape.Open{Account: paying, Attribution: tape.FIFO, Currency: "VND", Custodian: "outside:bank:paying", ID: "paying"})
	if _, err := p.takes("given.csv", "1,2024-09-01,,R1,0,10000000,VND,fake,for the flood"); err != nil {
		t.Fatal(err)
	}
	return p
}

const described = "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n"

// takes imports a statement of some lines, in pages of three.
func (p *payer) takes(name string, lines ...string) (Result, error) {
	o := p.order(p.file(name, described+strings.Join(lines, "\n")+"\n"))
	o.Account, o.pageLines = paying, 3
	return p.run(o)
}

// orders holds payouts of so many VND, one chunk of a job that no campaign governs: <id>.0.0 and on.
func (p *payer) orders(id tape.ID, amounts ...int64) {
	p.Helper()
	var payments []tape.Payment
	for i, units := range amounts {
		payments = append(payments, tape.Payment{Amount: money.New(units, "VND"), Line: tape.ID(fmt.Sprint("h", i)), To: tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprint("h", i)))})
	}
	open, runs, err := tape.NewJob(paying, id, tape.Instant(p.network.Clock().UnixMilli())+30*tape.Day, [][]tape.Payment{payments})
	if err != nil {
		p.Fatal(err)
	}
	p.signed("Tape:OpenJob", "open-job", id, open.Amount, open)
	p.must("charity", "gateway", "Tape:RunChunk", runs[0])
}

func (p *payer) signed(function, action string, id tape.ID, amount money.Amount, command any) {
	p.Helper()
	body, err := canonical.Encode(command)
	if err != nil {
		p.Fatal(err)
	}
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{body, nil}
	for _, person := range []tape.ID{"maker", "checker"} {
		p.drawn++
		statement := party.Statement{Action: action, Subject: string(paying), Amount: amount.String(), Command: sha256.Sum256(body),
			Intent: party.IntentID(binary.BigEndian.AppendUint32(make([]byte, 12), p.drawn)), Deadline: tape.Instant(p.network.Clock().UnixMilli()/1000*1000) + tape.Hour}
		intent, err := sign.Intent(p.keys[person], party.LedgerID{7}, person, statement)
		if err != nil {
			p.Fatal(err)
		}
		envelope.Intents = append(envelope.Intents, intent)
	}
	p.must("charity", "gateway", function, envelope)
}

func (p *payer) hold(id tape.ID) tape.Hold {
	p.Helper()
	var hold tape.Hold
	if !p.read(tape.HoldKey(paying, id), &hold) {
		p.Fatalf("hold %s is not there", id)
	}
	return hold
}

// pays is a debit line whose memo names a payout.
func pays(line, units int, reference donation.PayoutReference) string {
	return fmt.Sprintf("%d,2024-10-%02d,,B%d,%d,0,VND,,Payout %s", line, 1+line%28, line, units, reference.Grouped())
}

func returns(line, units int, reference donation.PayoutReference) string {
	return fmt.Sprintf("%d,2024-10-%02d,,B%d,0,%d,VND,,returned: %s", line, 1+line%28, line, units, strings.ToLower(string(reference)))
}

func to(id tape.ID) donation.PayoutReference { return donation.ReferenceOfPayout(paying, id) }

// told are what an import says of the lines that name payouts.
func told(r Result) string {
	text := fmt.Sprintf("executed %d of %s, returned %d of %s", r.Executed.Count, r.Executed.Total, r.Returned.Count, r.Returned.Total)
	for _, remark := range r.Payouts {
		text += fmt.Sprintf("; line %d %s", remark.Line, remark.Reason)
		if remark.Ordered != nil {
			text += " from " + remark.Ordered.String()
		}
	}
	return text
}

// statement of October: what fits, one debit for a file of two, and one of each kind that does not.
func october() []string {
	return []string{
		pays(1, 100, to("d1.0.0")), pays(2, 200, to("d1.0.1")), pays(3, 999, to("d1.0.2")), pays(4, 400, to("d9.0.0")),
		pays(5, 500, to("d1.0.3")), pays(6, 100, to("d1.0.0")), returns(7, 200, to("d1.0.1")),
		pays(8, 400, to("d1.0.2")+" and "+to("d1.0.3")), returns(9, 10, to("d1.0.4")), pays(10, 1300, donation.ReferenceOfFile(paying, "d2", 0)),
		"11,2024-10-12,,B11,33,0,VND,,the bank's fee", "12,2024-10-12,,B12,0,70,VND,fake,a gift",
	}
}

const octoberTold = "executed 4 of 2100 VND, returned 1 of 200 VND; line 3 amount differs from 300 VND; line 4 unknown reference; line 6 already executed; line 8 two references; line 9 not executed"

// TestPayoutsAreExecuted by the lines whose memos name them, once, also when the statement comes again.
func TestPayoutsAreExecuted(t *testing.T) {
	p := newPayer(t)
	p.orders("d1", 100, 200, 300, 500, 60)
	p.orders("d2", 600, 700)
	r, err := p.takes("october.csv", october()...)
	if err != nil || told(r) != octoberTold {
		t.Fatalf("%v\n got %s\nwant %s", err, told(r), octoberTold)
	}
	if r.Gifts != 1 || r.NotGifts != 11 || r.Unmatched != 0 {
		t.Errorf("gifts: %s", figures(r))
	}
	for id, want := range map[tape.ID]string{"d1.0.0": "captured 0", "d1.0.1": "captured 200", "d1.0.2": "open 0", "d1.0.3": "captured 0", "d1.0.4": "open 0", "d2.0.0": "captured 0", "d2.0.1": "captured 0"} {
		hold := p.hold(id)
		if got := fmt.Sprint(hold.State, " ", hold.Returned.Total()); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	height := p.network.Height()
	if r, err = p.takes("october.csv", october()...); err != nil || told(r) != octoberTold || !r.Repeated || p.network.Height() != height {
		t.Errorf("again: %v %s, %d blocks", err, told(r), p.network.Height()-height)
	}
	// Ordered late, when the bank has paid it already; the statement is at hand still.
	p.orders("d9", 400)
	want := strings.Replace(strings.Replace(octoberTold, "; line 4 unknown reference", "", 1), "executed 4 of 2100", "executed 5 of 2500", 1)
	if r, err = p.takes("october.csv", october()...); err != nil || told(r) != want || r.Repeated {
		t.Errorf("after a late order: %v %s", err, told(r))
	}
}

// TestPayoutsReleased are paid by a line of before, not by a later one, and not once they were reclaimed.
func TestPayoutsReleased(t *testing.T) {
	p := newPayer(t)
	p.orders("d1", 100, 200, 300)
	for i, units := range []int64{100, 200, 300} {
		release := tape.Release{Account: paying, Hold: tape.ChunkHold("d1", 0, i), ID: tape.ID(fmt.Sprint("release-", i))}
		p.signed("Tape:Release", "release", release.ID, money.New(units, "VND"), release)
	}
	p.must("charity", "gateway", "Tape:Reclaim", tape.Reclaim{Account: paying, Holds: []tape.ID{"d1.0.2"}, ID: "reclaim"})
	day := p.hold("d1.0.0").Released
	late := strings.Replace(pays(3, 200, to("d1.0.1")), "2024-10-04", "2099-01-01", 1)
	before := strings.Replace(pays(1, 100, to("d1.0.0")), "2024-10-02", string(day), 1)
	r, err := p.takes("october.csv", before, strings.Replace(pays(2, 300, to("d1.0.2")), "2024-10-03", string(day), 1), late)
	if want := "executed 1 of 100 VND, returned 0 of 0 VND; line 2 released; line 3 released"; err != nil || told(r) != want {
		t.Errorf("%v\n got %s\nwant %s", err, told(r), want)
	}
}

// TestPayoutsKilledAnywhere kills the import before and after every command,
// lets it run again, and finds what a whole run would have left.
func TestPayoutsKilledAnywhere(t *testing.T) {
	whole := newPayer(t)
	whole.orders("d1", 100, 200, 300, 500, 60)
	whole.orders("d2", 600, 700)
	begun := whole.sent
	if _, err := whole.takes("october.csv", october()...); err != nil {
		t.Fatal(err)
	}
	commands := whole.sent - begun
	for _, what := range []fault{killedBefore, killedAfter, doubled} {
		for at := 1; at <= commands; at++ {
			if testing.Short() && at%5 != 0 {
				continue
			}
			p := newPayer(t)
			p.orders("d1", 100, 200, 300, 500, 60)
			p.orders("d2", 600, 700)
			first := p.sent
			p.fault = func(sent int) fault {
				if sent-first == at {
					return what
				}
				return none
			}
			_, err := p.takes("october.csv", october()...)
			if (err == nil) != (what == doubled) {
				t.Fatalf("killed at command %d: %v", at, err)
			}
			r, err := p.takes("october.csv", october()...)
			if err != nil || told(r) != octoberTold {
				t.Fatalf("killed at command %d: the second run: %v\n got %s\nwant %s", at, err, told(r), octoberTold)
			}
			if head := p.free(); head != whole.free() {
				t.Fatalf("killed at command %d: %d are free, %d without", at, head, whole.free())
			}
		}
	}
}

func (p *payer) free() int64 {
	var head tape.Head
	p.read(tape.HeadKey(paying), &head)
	return head.Free().Total()
}

// TestBatches: some hundred payouts each, of one page and one account, and every one once.
func TestBatches(t *testing.T) {
	p := newPayer(t)
	var amounts []int64
	var lines []string
	for i := range 450 {
		amounts = append(amounts, int64(10+i))
		lines = append(lines, pays(i+1, 10+i, to(tape.ChunkHold("d1", 0, i%225))))
		if i >= 225 {
			lines[i] = pays(i+1, 10+i, to(tape.ChunkHold("d3", 0, i-225)))
		}
	}
	p.orders("d1", amounts[:200]...)
	p.orders("d3", amounts[225:425]...)
	o := p.order(p.file("many.csv", described+strings.Join(lines, "\n")+"\n"))
	o.Account, o.pageLines = paying, 2000
	p.log = nil
	r, err := p.run(o)
	if err != nil || r.Executed.Count != 400 || len(r.Payouts) != 50 {
		t.Fatalf("%v %s", err, told(r)[:60])
	}
	sent := 0
	for _, function := range p.log {
		if function == "Tape:Execute" {
			sent++
		}
	}
	if sent != 4 || !slices.Contains(p.log, "Tape:FileLines") {
		t.Errorf("%d commands executed 400 payouts", sent)
	}
}
