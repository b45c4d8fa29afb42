package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// tally is a sale that is opened, run in part and abandoned, with the tape beside it.
type tally struct {
	*testing.T
	random  *rand.Rand
	sale    harvest.Sale
	all     harvest.Shares
	account tape.Account
	head    tape.Head
	waiting *settlement.Waiting
	known   *settlement.Settlement
	loans   map[tape.AccountID][]loan.Loan

	job    tape.Job
	chunks []settlement.SettleHouseholds
	ran    []tape.Chunk
	got    map[tape.AccountID]int64 // by pseudonym, and by cost payee
	holds  []tape.Hold
	opened int
}

func newTally(t *testing.T, seed uint64) *tally {
	random := rand.New(rand.NewPCG(seed, 11))
	grams := make([]int64, 1+random.IntN(430))
	for i := range grams {
		grams[i] = []int64{1, 50, 300_000}[random.IntN(3)] // the first have no share of so little money
	}
	var costs []harvest.Cost
	if random.IntN(2) == 0 {
		costs = []harvest.Cost{{Amount: cny(3), Kind: "transport", Payee: "outside:supplier:carrier"}}
	}
	sale, all := sold(nil, grams...)
	sale.Proceeds = cny(10 + all.Grams()/100)
	sale.Costs, sale.Net = costs, sale.Proceeds
	for _, cost := range costs {
		sale.Net.Units -= cost.Amount.Units
	}
	w := &tally{T: t, random: random, sale: sale, all: all, loans: map[tape.AccountID][]loan.Loan{}, got: map[tape.AccountID]int64{},
		account: tape.Account{V: 1, ID: coffee, Currency: "CNY", Organisation: "coop", Subject: group.Subject}, head: tape.Head{V: 1, Account: coffee, Received: sale.Proceeds.Units}}
	for i := range grams {
		if random.IntN(4) == 0 {
			w.loans[household(i)] = []loan.Loan{borrowed(tape.ID(fmt.Sprint("l", i)), household(i), today.AddDays(-60))}
		}
	}
	return w
}

// open opens the settlement, of whatever is left, with some number of households a chunk.
func (w *tally) open() {
	w.Helper()
	w.opened++
	c := settlement.OpenSettlement{Account: coffee, Expires: noon + 300*tape.Day, Households: int32(1 + w.random.IntN(settlement.HouseholdsMax)), ID: tape.ID(fmt.Sprint("open-", w.opened)), Sale: w.sale.ID}
	o := opening(w.sale, w.all, w.known)
	o.Free, o.Waiting = cny(w.head.Free().Total()), w.waiting
	ctx := by(today, "coop")
	got, entry, err := c.Open(o, ctx)
	if err != nil {
		w.Fatal(err)
	}
	if w.chunks, err = c.Commands(w.sale, w.all, w.known); err != nil {
		w.Fatal(err)
	}
	head, job, _, err := w.head.OpenJob(w.account, got.Job, ctx)
	if err != nil {
		w.Fatal(err)
	}
	if err := tape.Conserved([]tape.Keeper{w.head}, []tape.Keeper{head, job}, nil, entry); err != nil {
		w.Fatal(err)
	}
	if got.Waiting != nil {
		w.waiting = got.Waiting
	}
	w.known, w.sale, w.head, w.job, w.ran = &got.Settlement, got.Sale, head, job, nil
	if again, _, err := c.Open(o, by(today, "coop")); err != nil || again.Job.Root != got.Job.Root {
		w.Errorf("the same sale has another root: %v", err)
	}
}

// run lets one chunk run, twice.
func (w *tally) run(n int) {
	w.Helper()
	c, ctx := w.chunks[n], by(today, "coop")
	settled, err := w.worksOut(c, ctx)
	if err != nil {
		w.Fatal(err)
	}
	payees := make([]*tape.Account, len(settled.Part.Lines))
	for i, line := range settled.Part.Lines {
		if !line.To.Outside() {
			payees[i] = &tape.Account{ID: line.To, Currency: "CNY"}
		}
	}
	ran, entry, err := w.job.RunPart(w.account, settled.Part, nil, payees, ctx)
	if err != nil {
		w.Fatal(err)
	}
	after := []tape.Keeper{ran.Chunk}
	for _, hold := range ran.Holds {
		after = append(after, hold)
	}
	if err := tape.Conserved(nil, after, nil, entry); err != nil {
		w.Fatal(err)
	}
	if _, _, err := w.job.RunPart(w.account, settled.Part, &ran.Chunk, payees, ctx); err == nil || !strings.HasPrefix(err.Error(), "wrong-state") {
		w.Errorf("a chunk that runs twice: %v", err)
	}
	w.ran, w.holds = append(w.ran, ran.Chunk), append(w.holds, ran.Holds...)
	for _, line := range settled.Part.Lines {
		w.got[cashOf(line)] += line.Amount.Units
	}
	for _, l := range settled.Loans {
		w.loans[l.Household] = []loan.Loan{l}
	}
}

func (w *tally) worksOut(c settlement.SettleHouseholds, ctx tape.Context) (settlement.Settled, error) {
	page := w.known.Page(c.N)
	if page < 0 {
		return w.known.PayCosts(c)
	}
	of := w.all.Pages()[page]
	var known []settlement.Known
	for _, share := range w.known.Of(c.N, of) {
		known = append(known, settlement.Known{Loans: w.loans[share.Household]})
	}
	return w.known.Settle(c, of, known, nil, ctx.Entry(c.ID, "settle-households", string(coffee)))
}

// abandon gives up what is left; it reports whether anything was.
func (w *tally) abandon() bool {
	w.Helper()
	ctx := by(today, "coop")
	c := settlement.AbandonSettlement{Account: coffee, ID: tape.ID(fmt.Sprint("abandon-", w.opened)), Sale: w.sale.ID}
	job, head, entry, err := w.job.Close(w.account, w.head, c.Job(*w.known), w.ran, ctx)
	if err != nil {
		w.Fatal(err)
	}
	if err := tape.Conserved([]tape.Keeper{w.head, w.job}, []tape.Keeper{head, job}, nil, entry); err != nil {
		w.Fatal(err)
	}
	s, sale, waiting, _, err := w.known.Abandon(c, scheme(), w.sale, job, w.ran, w.waiting, ctx)
	if job.Left.Total() == 0 {
		if got := fmt.Sprint(err); !strings.HasPrefix(got, "wrong-state: field sale: nothing of sale-1 is left to pay") {
			w.Errorf("nothing is left: %s", got)
		}
		return false
	}
	if err != nil {
		w.Fatal(err)
	}
	if opens := sale.State == harvest.SaleOpen; opens != (len(w.got) == 0 && !s.Paid) {
		w.Errorf("the sale is %s after %d payees were paid", sale.State, len(w.got))
	}
	if waiting != nil {
		w.waiting = waiting
	}
	w.known, w.sale, w.head, w.job = &s, sale, head, job
	paid := int64(0)
	for _, units := range w.got {
		paid += units
	}
	if free := w.head.Free().Total(); free+paid != w.sale.Proceeds.Units {
		w.Errorf("%d are free and %d paid of %d", free, paid, w.sale.Proceeds.Units)
	}
	if s.Paid && w.waiting.Units != w.head.Free().Total() {
		w.Errorf("%d wait, %d are free", w.waiting.Units, w.head.Free().Total())
	}
	if _, err := w.known.PayCosts(w.chunks[0]); err == nil {
		w.Error("a chunk of an abandoned settlement runs")
	}
	return true
}

// TestAbandoned opens sales, runs some of their chunks in any order, abandons them
// and opens them again, with more or fewer households in a chunk, until all is paid:
// every household has its share, once.
func TestAbandoned(t *testing.T) {
	seeds := 12
	if text := os.Getenv("LIANBAO_STEPS"); text != "" {
		seeds, _ = strconv.Atoi(text)
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newTally(t, uint64(seed))
			for done := false; !done; {
				w.open()
				order := w.random.Perm(len(w.chunks))
				stop := w.random.IntN(len(order) + 1)
				if w.opened > 6 {
					stop = len(order)
				}
				for _, n := range order[:stop] {
					w.run(n)
				}
				if stop < len(order) && w.abandon() {
					continue
				}
				for _, n := range order[stop:] { // those that pay nothing
					w.run(n)
				}
				closed, _, _, err := w.job.Close(w.account, w.head, tape.CloseJob{Account: coffee, ID: "close", Job: w.job.ID}, w.ran, by(today, "coop"))
				if err != nil || closed.State != tape.JobClosed {
					t.Fatal(closed.State, err)
				}
				done = true
			}
			w.everybodyHas()
		})
	}
}

func (w *tally) everybodyHas() {
	w.Helper()
	world{sale: w.sale, all: w.all}.everybodyHas(w.T, w.got)
	total := int64(0)
	for _, units := range w.got {
		total += units
	}
	if total != w.sale.Proceeds.Units || w.head.Free().Total() != 0 || w.waiting != nil && w.waiting.Units != 0 {
		w.Errorf("%d of %d were paid, %d are free, waiting is %+v", total, w.sale.Proceeds.Units, w.head.Free().Total(), w.waiting)
	}
}

// TestWaitingMoney: another sale is not settled with what waits for households.
func TestWaitingMoney(t *testing.T) {
	sale, all := sold(nil, 100_000, 150_000, 50_000)
	open, _, err := settlement.NewSettlement(sale, all, "settle-1", noon+tape.Day)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		free, waits int64
		want        string
	}{
		{900_000, 0, "<nil>"},
		{900_000, 1, "insufficient: coop:coop:coffee can spend 9000.00 CNY, of which 0.01 CNY waits for payees of other sales; 9000.00 CNY was asked"},
		{900_001, 1, "<nil>"},
	} {
		o := opening(sale, all, nil)
		o.Free, o.Waiting = cny(c.free), &settlement.Waiting{V: 1, Units: c.waits}
		if _, _, err := open.Open(o, by(today, "coop")); fmt.Sprint(err) != c.want {
			t.Errorf("%d free, %d waiting: %v", c.free, c.waits, err)
		}
	}
}

// TestHouseholdsFor: how many households fit a chunk.
func TestHouseholdsFor(t *testing.T) {
	for creditors, want := range map[int]int32{0: 200, 4: 200, 5: 166, 16: 58, 998: 1, 5_000: 1} {
		if got := settlement.HouseholdsFor(creditors); got != want {
			t.Errorf("%d creditors: %d households", creditors, got)
		}
	}
}

// TestManyLenders: households with many lenders fit no full chunk, and smaller ones.
func TestManyLenders(t *testing.T) {
	grams := make([]int64, 200)
	for i := range grams {
		grams[i] = 2_000_000
	}
	sale, all := sold(nil, grams...)
	w := opened(t, "2026-01-10", sale, all)
	for i := range grams {
		for j := range 6 {
			lender := loan.Lender{Account: tape.AccountID(fmt.Sprintf("lender:bank-%d:coffee", j)), Organisation: fmt.Sprint("bank-", j), PartsPerMillion: 1_000_000}
			w.loans[household(i)] = append(w.loans[household(i)], borrowed(tape.ID(fmt.Sprintf("l%d-%d", i, j)), household(i), today, lender))
		}
	}
	_, _, err := w.run("2026-01-10", 0)
	if got := fmt.Sprint(err); got != "insufficient: field n: chunk 0 makes 1400 payments; 1000 at most are one entry: abandon the settlement and open it with fewer households a chunk" {
		t.Error(got)
	}
	open := settlement.OpenSettlement{Account: coffee, Expires: noon + 300*tape.Day, Households: settlement.HouseholdsFor(6), ID: "settle-2", Sale: sale.ID}
	got, _, err := open.Open(opening(sale, all, nil), by("2026-01-10", "coop"))
	if err != nil {
		t.Fatal(err)
	}
	if w.chunks, err = open.Commands(sale, all, nil); err != nil {
		t.Fatal(err)
	}
	w.s = got.Settlement
	_, w.job, _, err = tape.Head{V: 1, Account: coffee, Received: sale.Proceeds.Units}.OpenJob(tape.Account{V: 1, ID: coffee, Currency: "CNY", Organisation: "coop", Subject: group.Subject}, got.Job, by("2026-01-10", "coop"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for n := range w.chunks {
		settled, _, err := w.run("2026-01-10", n)
		if err != nil {
			t.Fatal(err)
		}
		lines += len(settled.Part.Lines)
	}
	if len(w.chunks) != 2 || lines != 1400 {
		t.Errorf("%d chunks make %d payments", len(w.chunks), lines)
	}
}

// TestPaidAgain: what came back is ordered again, once, behind what the household owes by then.
func TestPaidAgain(t *testing.T) {
	sale, all := sold(nil, 100_000, 150_000, 50_000)
	w := opened(t, "2026-01-10", sale, all)
	w.s.Terms.LivingFloorPartsPerMillion = 200_000 // each keeps a fifth of its share
	_, ran, err := w.run("2026-01-10", 0)
	if err != nil {
		t.Fatal(err)
	}
	place := slices.IndexFunc(ran.Holds, func(h tape.Hold) bool {
		return strings.Contains(string(h.To), string(household(2)[len("household:"):len("household:")+32]))
	})
	paid := ran.Holds[place]
	came := paid
	came.State, came.Captured, came.Returned, came.Spans = tape.HoldCaptured, paid.Spans, paid.Spans, nil
	released := paid
	released.State, released.Spans = tape.HoldReclaimed, nil
	costs := came
	costs.To = "outside:supplier:carrier"
	owed := came
	owed.To, owed.OnBehalfOf = "outside:household:"+household(0)[len("household:"):len("household:")+32], household(2)
	late := []loan.Loan{borrowed("l2", household(2), "2026-01-01")} // 1,032.66 due on 1 February
	for _, c := range []struct {
		name  string
		hold  tape.Hold
		of    *settlement.Again
		loans []loan.Loan
		want  string
	}{
		{"the bank returned it", came, nil, nil, "outside:household:2 150000"},
		{"it was not paid in its time", released, nil, nil, "outside:household:2 150000"},
		{"what is due by then comes first, and the floor of the share stays", came, nil, late, "lender:bank:coffee 103266, outside:household:2 46734"},
		{"a part was ordered again", came, &settlement.Again{V: 1, Units: 40_000}, late, "lender:bank:coffee 80000, outside:household:2 30000"},
		{"a part that the floor has whole", came, &settlement.Again{V: 1, Units: 125_000}, late, "outside:household:2 25000"},
		{"all was ordered again", came, &settlement.Again{V: 1, Units: 150_000}, nil, "wrong-state: field hold: " + string(came.ID) + " is captured and nothing of it came back that was not ordered again"},
		{"it is on its way", paid, nil, nil, "wrong-state: field hold: " + string(paid.ID) + " is open and nothing of it"},
		{"a cost is paid again whole", costs, nil, late, "outside:supplier:carrier 150000"},
		{"what is another's is paid again whole", owed, nil, late, "outside:household:0 150000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := by("2026-01-20", "coop")
			command := settlement.PayAgain{Account: coffee, Expires: noon + 100*tape.Day, Hold: c.hold.ID, ID: "again-1", Sale: sale.ID}
			got, err := w.s.Again(command, scheme(), settlement.CameBack{Hold: c.hold, Of: c.of, Page: all.Pages()[0], Known: settlement.Known{Loans: c.loans}}, ctx.Entry("again-1", "pay-again", string(coffee)), ctx)
			if err != nil {
				if !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("\n got %v\nwant %s", err, c.want)
				}
				return
			}
			if told := spelled(got.Settled.Part.Lines); told != c.want {
				t.Errorf("\n got %s\nwant %s", told, c.want)
			}
			units := money.New(c.hold.Back(), "CNY").Units
			if c.of != nil {
				units -= c.of.Units
			}
			if got.Job.Amount.Units != units || got.Before.Units != c.hold.Back() || got.After.Of != c.hold.ID || got.Waiting.Units != -units {
				t.Errorf("%+v", got)
			}
		})
	}
	ctx := by(today, "coop")
	entry := ctx.Entry("again-1", "pay-again", string(coffee))
	other := came
	other.ID = "other.0.1"
	for _, c := range []struct {
		hold tape.Hold
		of   *settlement.Again
		as   string
		want string
	}{
		{came, nil, "bank", "forbidden: bank (role gateway) does not run"},
		{other, nil, "coop", "conflict: field hold: other.0.1 is no payout of sale sale-1"},
		{other, &settlement.Again{Of: came.ID}, "coop", "<nil>"}, // it was ordered again before
	} {
		got, err := w.s.Again(settlement.PayAgain{Account: coffee, Expires: noon + tape.Day, Hold: c.hold.ID, ID: "again-1", Sale: sale.ID}, scheme(), settlement.CameBack{Hold: c.hold, Of: c.of, Page: all.Pages()[0]}, entry, by(today, c.as))
		if !strings.HasPrefix(fmt.Sprint(err), c.want) || err == nil && got.After.Of != came.ID {
			t.Errorf("%v, %+v", err, got.After)
		}
	}
}
