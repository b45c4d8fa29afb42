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
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

const (
	coffee = tape.AccountID("coop:coop:coffee")
	bank   = tape.AccountID("lender:bank:coffee")
	union  = tape.AccountID("lender:union:coffee")
	noon   = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone +08:00
	today  = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func household(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))) + ":coffee")
}

func scheme() group.Scheme {
	return group.Scheme{V: 1, Account: coffee, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank", "union"}}
}

func version() group.SchemeTerms { return group.SchemeTerms{LivingFloor: cny(0), WindowDays: 30} }

func by(day tape.Date, organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon + tape.Instant(today.DaysUntil(day))*tape.Day, Date: day, Rules: 1, Command: "c", Subject: group.Subject}
	for _, person := range persons {
		name, custody, held := strings.Cut(person, "!")
		if !held {
			custody = "own"
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: organisation, Custody: custody, Duty: "member"})
	}
	return ctx
}

// borrowed is a running loan of a household of 12,000.00 CNY in twelve
// instalments at 6 %, paid out on a day.
func borrowed(id tape.ID, of tape.AccountID, day tape.Date, lenders ...loan.Lender) loan.Loan {
	if len(lenders) == 0 {
		lenders = []loan.Lender{{Account: bank, Organisation: "bank", PartsPerMillion: 1_000_000}}
	}
	advance := terms.Advance{Amount: cny(1_200_000), Date: day}
	t := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
	schedule, err := t.Schedule([]terms.Advance{advance})
	if err != nil {
		panic(err)
	}
	return loan.Loan{V: 1, Scheme: coffee, ID: id, State: loan.Running, Household: of, Principal: advance.Amount, Lenders: lenders, TermEnd: day.AddMonths(13), Terms: t,
		Tranches: []loan.Tranche{{Amount: advance.Amount, Paid: day}}, Book: loan.Book{Advances: []terms.Advance{advance}, Schedule: schedule.Instalments}}
}

// sold is a sale of everybody's grams at 30.00 CNY a kilogram.
func sold(costs []harvest.Cost, grams ...int64) (harvest.Sale, harvest.Shares) {
	var all harvest.Shares
	for i, g := range grams {
		all = append(all, harvest.Share{Grams: g, Household: household(i)})
	}
	all = harvest.Together(all)
	composition, err := all.Composition()
	if err != nil {
		panic(err)
	}
	proceeds := all.Grams() * 3 // fen
	sale := harvest.Sale{V: 1, Scheme: coffee, ID: "sale-1", Grams: all.Grams(), Proceeds: cny(proceeds), Costs: costs, Net: cny(proceeds), Composition: composition, State: harvest.SaleOpen}
	for _, cost := range costs {
		sale.Net.Units -= cost.Amount.Units
	}
	return sale, all
}

// world is a settlement on its way, with the tape's own job beside it.
type world struct {
	sale   harvest.Sale
	all    harvest.Shares
	s      settlement.Settlement
	job    tape.Job
	chunks []settlement.SettleHouseholds
	loans  map[tape.AccountID][]loan.Loan
	early  map[tape.AccountID]*settlement.Prepayment
	calls  settlement.Calls
	// compensated are claims for loans of the first household.
	compensated []settlement.Compensated
	owes        []string // the keys of calls, of everybody: who owes nothing by one is not asked
}

func opening(sale harvest.Sale, all harvest.Shares, known *settlement.Settlement) settlement.Opening {
	return settlement.Opening{Scheme: scheme(), Version: version(), Sale: sale, Shares: all, Known: known, Free: sale.Proceeds}
}

func opened(t testing.TB, day tape.Date, sale harvest.Sale, all harvest.Shares) *world {
	t.Helper()
	open, chunks, err := settlement.NewSettlement(sale, all, "settle-1", noon+tape.Instant(today.DaysUntil(day)+300)*tape.Day)
	if err != nil {
		t.Fatal(err)
	}
	ctx := by(day, "coop")
	got, _, err := open.Open(opening(sale, all, nil), ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, after, job := got.Settlement, got.Sale, got.Job
	if job.Amount != sale.Proceeds || after.State == harvest.SaleOpen {
		t.Errorf("the job is %s of %s, the sale %s", job.Amount, sale.Proceeds, after.State)
	}
	account := tape.Account{V: 1, ID: coffee, Currency: "CNY", Organisation: "coop", Subject: group.Subject}
	head := tape.Head{V: 1, Account: coffee, Received: sale.Proceeds.Units}
	_, opened, _, err := head.OpenJob(account, job, ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &world{sale: sale, all: all, s: s, job: opened, chunks: chunks, loans: map[tape.AccountID][]loan.Loan{}, early: map[tape.AccountID]*settlement.Prepayment{}}
}

// run settles one chunk and lets the tape judge it.
func (w *world) run(day tape.Date, n int) (settlement.Settled, tape.Ran, error) {
	c := w.chunks[n]
	ctx := by(day, "coop")
	entry := ctx.Entry(c.ID, "settle-households", string(coffee))
	var settled settlement.Settled
	var err error
	if page := w.s.Page(c.N); page < 0 {
		settled, err = w.s.PayCosts(c)
	} else {
		of := w.all.Pages()[page]
		part := w.s.Of(c.N, of)
		known := make([]settlement.Known, len(part))
		for i, share := range part {
			known[i] = settlement.Known{Loans: w.loans[share.Household], Prepayment: w.early[share.Household], Calls: w.owes}
			if len(known[i].Loans) > 0 {
				known[i].Compensated = w.compensated
			}
		}
		settled, err = w.s.Settle(c, of, known, w.calls, entry)
	}
	if err != nil {
		return settled, tape.Ran{}, err
	}
	payees := make([]*tape.Account, len(settled.Part.Lines))
	for i, line := range settled.Part.Lines {
		if !line.To.Outside() {
			payees[i] = &tape.Account{ID: line.To, Currency: "CNY"}
		}
	}
	account := tape.Account{V: 1, ID: coffee, Currency: "CNY", Organisation: "coop", Subject: group.Subject}
	ran, _, err := w.job.RunPart(account, settled.Part, nil, payees, ctx)
	return settled, ran, err
}

func spelled(lines []tape.Payment) string {
	var told []string
	for _, line := range lines {
		to := string(line.To)
		for n := range 4 {
			to = strings.ReplaceAll(to, string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))), strconv.Itoa(n))
		}
		told = append(told, fmt.Sprintf("%s %d", to, line.Amount.Units))
	}
	slices.Sort(told)
	return strings.Join(told, ", ")
}

// TestOneSale: 300 kg at 30.00; transport 100.00; three households with 100, 150 and 50 kg.
func TestOneSale(t *testing.T) {
	costs := []harvest.Cost{{Amount: cny(10_000), Kind: "transport", Payee: "outside:supplier:carrier"}}
	shared := []loan.Lender{{Account: bank, Organisation: "bank", PartsPerMillion: 300_000}, {Account: union, Organisation: "union", PartsPerMillion: 700_000}}
	for _, c := range []struct {
		name string
		day  tape.Date
		owe  func(w *world)
		want string
	}{
		{"nobody owes", today, func(*world) {}, "outside:household:0 296667, outside:household:1 445000, outside:household:2 148333"},
		{"one instalment falls due in the window", "2026-01-10", func(w *world) { w.loans[household(0)] = []loan.Loan{borrowed("l0", household(0), today)} },
			"lender:bank:coffee 103266, outside:household:0 193401, outside:household:1 445000, outside:household:2 148333"},
		{"two lenders by share", "2026-01-10", func(w *world) { w.loans[household(0)] = []loan.Loan{borrowed("l0", household(0), today, shared...)} },
			"lender:bank:coffee 30980, lender:union:coffee 72286, outside:household:0 193401, outside:household:1 445000, outside:household:2 148333"},
		{"the share does not reach", "2026-06-10", func(w *world) { w.loans[household(2)] = []loan.Loan{borrowed("l2", household(2), today)} },
			"lender:bank:coffee 148333, outside:household:0 296667, outside:household:1 445000"},
		{"the household pays more", "2026-01-10", func(w *world) {
			w.loans[household(1)] = []loan.Loan{borrowed("l1", household(1), today)}
			w.early[household(1)] = &settlement.Prepayment{Loan: "l1", Amount: cny(200_000)}
		}, "lender:bank:coffee 303266, outside:household:0 296667, outside:household:1 141734, outside:household:2 148333"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sale, all := sold(costs, 100_000, 150_000, 50_000)
			w := opened(t, c.day, sale, all)
			c.owe(w)
			settled, _, err := w.run(c.day, 0)
			if got := spelled(settled.Part.Lines); err != nil || got != "outside:supplier:carrier 10000" {
				t.Errorf("the costs: %s, %v", got, err)
			}
			settled, _, err = w.run(c.day, 1)
			if got := spelled(settled.Part.Lines); err != nil || got != c.want {
				t.Errorf("\n got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// TestPaidSinceTheOpening: a chunk asks for what is owed on its own day.
func TestPaidSinceTheOpening(t *testing.T) {
	sale, all := sold(nil, 100_000, 150_000, 50_000)
	w := opened(t, "2026-03-05", sale, all)
	l := borrowed("l0", household(0), today)
	owed, err := l.Owed("2026-03-06")
	if err != nil || owed.Due() != 103_266+103_713 {
		t.Fatalf("two instalments are overdue: %+v, %v", owed, err)
	}
	l.Book.Payments = append(l.Book.Payments, loan.Payment{Amount: cny(owed.Due()), Date: "2026-03-06"})
	w.loans[household(0)] = []loan.Loan{l}
	settled, _, err := w.run("2026-03-07", 0)
	if got := spelled(settled.Part.Lines); err != nil || !strings.HasPrefix(got, "lender:bank:coffee 103426, ") {
		t.Errorf("what the sale pays: %s, %v", got, err)
	}
}

// TestRefusals: what a settlement refuses, by name.
func TestRefusals(t *testing.T) {
	sale, all := sold(nil, 100_000, 150_000, 50_000)
	open, _, err := settlement.NewSettlement(sale, all, "settle-1", noon+tape.Day)
	if err != nil {
		t.Fatal(err)
	}
	member := &group.Member{Household: household(0), Person: "h0"}
	for _, c := range []struct {
		name string
		try  func() error
		want string
	}{
		{"another organisation", func() error {
			_, _, err := open.Open(opening(sale, all, nil), by(today, "bank"))
			return err
		}, "forbidden: bank (role gateway) does not run coop:coop:coffee; coop does"},
		{"settled twice", func() error {
			_, _, err := open.Open(opening(sale, all, &settlement.Settlement{Entry: "coop/settle-0"}), by(today, "coop"))
			return err
		}, "wrong-state: field sale: sale-1 is settled already, by entry coop/settle-0"},
		{"a sale that was corrected", func() error {
			s := sale
			s.State = "corrected"
			_, _, err := open.Open(opening(s, all, nil), by(today, "coop"))
			return err
		}, "wrong-state: field sale: sale sale-1 is corrected"},
		{"another cut", func() error {
			sale, all := sold([]harvest.Cost{{Amount: cny(10_000), Kind: "transport", Payee: "outside:supplier:carrier"}}, 100_000, 150_000, 50_000)
			w := opened(t, today, sale, all)
			w.s.Distribution.Cut = waterfall.Cut{} // nobody gets the unit that is left
			_, _, err := w.run(today, 1)
			return err
		}, "conflict: field path: chunk 1 is not under the root of job settle-1"},
		{"a chunk too many", func() error {
			w := opened(t, today, sale, all)
			w.chunks[0].N = 1
			_, err := w.s.PayCosts(w.chunks[0])
			return err
		}, "not-found: field n: 1 is no chunk of the settlement of sale-1; it has 1"},
		{"a settlement that is over", func() error {
			w := opened(t, today, sale, all)
			w.s = w.s.Close(by(today, "coop").Entry("close-1", "close-settlement", string(coffee)))
			_, _, err := w.run(today, 0)
			return err
		}, "wrong-state: field sale: the settlement of sale-1 is closed, by entry coop/close-1"},
		{"somebody else chooses", func() error {
			_, _, err := settlement.ChoosePrepayment{Account: coffee, Amount: cny(1), Household: household(0), ID: "c", Loan: "l0"}.Choose(member, borrowed("l0", household(0), today), by(today, "coop", "h1"))
			return err
		}, "forbidden: h0, who signs for household:"},
		{"an agent chooses", func() error {
			_, _, err := settlement.ChoosePrepayment{Account: coffee, Amount: cny(1), Household: household(0), ID: "c", Loan: "l0"}.Choose(member, borrowed("l0", household(0), today), by(today, "coop", "h0!agent-held"))
			return err
		}, "forbidden: the key of h0 is agent-held"},
		{"another's loan", func() error {
			_, _, err := settlement.ChoosePrepayment{Account: coffee, Amount: cny(1), Household: household(0), ID: "c", Loan: "l1"}.Choose(member, borrowed("l1", household(1), today), by(today, "coop", "h0"))
			return err
		}, "not-found: field household: household:"},
		{"more than was lent", func() error {
			_, _, err := settlement.ChoosePrepayment{Account: coffee, Amount: cny(1_200_001), Household: household(0), ID: "c", Loan: "l0"}.Choose(member, borrowed("l0", household(0), today), by(today, "coop", "h0"))
			return err
		}, "invalid: field amount: 12,000.01 CNY is not zero to"},
	} {
		if got := fmt.Sprint(c.try()); !strings.HasPrefix(got, strings.ReplaceAll(c.want, "12,000.01", "12000.01")) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestManySales settles sales of random size with random debts on random days.
// After each: lines come to the sale to the unit, every household has exactly its
// share, no loan is paid more than it owes, and no second settlement of the day would pay anything more.
func TestManySales(t *testing.T) {
	seed, sales := uint64(1), 6
	if text := os.Getenv("LIANBAO_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	if text := os.Getenv("LIANBAO_STEPS"); text != "" {
		sales, _ = strconv.Atoi(text)
	}
	random := rand.New(rand.NewPCG(seed, 7))
	for i := range sales {
		t.Run(fmt.Sprintf("seed %d, sale %d", seed, i), func(t *testing.T) { manyHouseholds(t, random) })
	}
}

func manyHouseholds(t *testing.T, random *rand.Rand) {
	grams := make([]int64, 1+random.IntN(450))
	for i := range grams {
		grams[i] = 1_000 + random.Int64N(400_000)
	}
	var costs []harvest.Cost
	if random.IntN(2) == 0 {
		costs = []harvest.Cost{{Amount: cny(1 + random.Int64N(1_000)), Kind: "transport", Payee: "outside:supplier:carrier"}}
	}
	day := today.AddDays(random.IntN(400))
	sale, all := sold(costs, grams...)
	w := opened(t, day, sale, all)
	owed := map[string]int64{}
	for i := range grams {
		for j := range random.IntN(3) {
			l := borrowed(tape.ID(fmt.Sprintf("l%d-%d", i, j)), household(i), today.AddDays(-random.IntN(300)))
			w.loans[household(i)] = append(w.loans[household(i)], l)
			stands, err := l.Owed(day)
			if err != nil {
				t.Fatal(err)
			}
			owed[l.Reference()] = stands.Payoff()
		}
	}
	var spans []tape.Span
	total, got := int64(0), map[tape.AccountID]int64{}
	for _, n := range random.Perm(len(w.chunks)) { // in any order
		settled, ran, err := w.run(day, n)
		if err != nil {
			t.Fatal(err)
		}
		spans = append(spans, ran.Chunk.Part)
		for _, line := range settled.Part.Lines {
			total += line.Amount.Units
			got[cashOf(line)] += line.Amount.Units
		}
		for _, l := range settled.Loans {
			w.after(t, l, day, owed[l.Reference()])
		}
	}
	if total != sale.Proceeds.Units {
		t.Errorf("the lines come to %d, the sale to %d", total, sale.Proceeds.Units)
	}
	slices.SortFunc(spans, func(a, b tape.Span) int { return int(a.Start - b.Start) })
	for i, span := range spans {
		if i > 0 && span.Start != spans[i-1].End {
			t.Errorf("chunks leave a gap or overlap at %d", span.Start)
		}
	}
	w.everybodyHas(t, got)
}

// cashOf is whose money a line is.
func cashOf(line tape.Payment) tape.AccountID {
	if line.OnBehalfOf != "" {
		return tape.AccountID(strings.Split(string(line.OnBehalfOf), ":")[1])
	}
	return tape.AccountID(strings.TrimPrefix(string(line.To), "outside:household:"))
}

// after refuses a loan that was paid more than it owed, or of which the sale leaves something due that it could pay.
func (w *world) after(t *testing.T, l loan.Loan, day tape.Date, owedBefore int64) {
	t.Helper()
	paid := int64(0)
	for _, p := range l.Book.Payments {
		paid += p.Amount.Units
	}
	// An instalment of the window is paid whole: with its interest to its day.
	if paid > owedBefore+10_000 {
		t.Errorf("loan %s owed %d and was paid %d", l.ID, owedBefore, paid)
	}
	stands, err := l.Owed(day)
	if err != nil || stands.Over > 0 || stands.Principal < 0 {
		t.Errorf("after it loan %s stands at %+v, %v", l.ID, stands, err)
	}
}

// everybodyHas compares what each household's lines come to with its exact part of the net.
func (w world) everybodyHas(t *testing.T, got map[tape.AccountID]int64) {
	t.Helper()
	weights := make([]int64, len(w.all))
	for i, share := range w.all {
		weights[i] = share.Grams
	}
	want, err := money.Split(w.sale.Net.Units, weights)
	if err != nil {
		t.Fatal(err)
	}
	for i, share := range w.all {
		if has := got[tape.AccountID(strings.Split(string(share.Household), ":")[1])]; has != want[i] {
			t.Errorf("%s has %d of the sale, not %d", share.Household, has, want[i])
		}
	}
}
