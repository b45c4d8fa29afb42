package cooperative_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// sold writes a sale of everybody's grams at 30.00 CNY a kilogram and settles it
// by the rules, the chunks before ran; loans become what the settlement leaves.
func (b *books) sold(day tape.Date, grams []int64, loans map[int][]loan.Loan, early map[int]*settlement.Prepayment, costs []harvest.Cost, ran int) {
	b.Helper()
	var all harvest.Shares
	for i, g := range grams {
		all = append(all, harvest.Share{Grams: g, Household: household(i)})
	}
	composition, err := all.Composition()
	if err != nil {
		b.Fatal(err)
	}
	sale := harvest.Sale{V: 1, Scheme: coffee, ID: "sale-1", Grams: all.Grams(), PricePerTonne: cny(3_000_000), Proceeds: cny(all.Grams() * 3), Costs: costs, Net: cny(all.Grams() * 3), Composition: composition, State: harvest.SaleOpen}
	for _, cost := range costs {
		sale.Net.Units -= cost.Amount.Units
	}
	at := noon + tape.Instant(today.DaysUntil(day))*tape.Day
	open, chunks, err := settlement.NewSettlement(sale, all, "settle-1", at+300*tape.Day)
	if err != nil {
		b.Fatal(err)
	}
	ctx := tape.Context{Organisation: "coop", Role: "gateway", At: at, Date: day, Rules: 1, Command: "00", Subject: group.Subject}
	opened, entry, err := open.Open(settlement.Opening{Scheme: group.Scheme{Account: coffee, Organisation: "coop", Currency: "CNY"}, Version: version(), Sale: sale, Shares: all, Free: sale.Proceeds}, ctx)
	if err != nil {
		b.Fatal(err)
	}
	s, order := opened.Settlement, opened.Job
	sale = opened.Sale
	head := tape.Head{V: 1, Account: coffee, Received: sale.Proceeds.Units}
	account := tape.Account{V: 1, ID: coffee, Attribution: tape.FIFO, Currency: "CNY", Organisation: "coop", Subject: group.Subject}
	head, job, _, err := head.OpenJob(account, order, ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.put(tape.AccountKey(coffee), account)
	b.put(tape.AccountKey(lending), tape.Account{V: 1, ID: lending, Attribution: tape.FIFO, Currency: "CNY", Organisation: "bank", Subject: loan.Subject})
	b.put(tape.JobKey(coffee, job.ID), job)
	b.put(tape.HeadKey(coffee), head)
	b.put(harvest.SaleKey(coffee, sale.ID), sale)
	b.put(settlement.Key(coffee, sale.ID), s)
	for n, page := range all.Pages() {
		b.put(harvest.ShareKey(coffee, sale.ID, int32(n)), page)
	}
	b.entry(entry)
	for _, of := range loans {
		for _, l := range of {
			b.put(l.Reference(), l)
		}
	}
	b.block()
	for n := range ran {
		entry := ctx.Entry(chunks[n].ID, "settle-households", string(coffee))
		var settled settlement.Settled
		if page := s.Page(int32(n)); page < 0 {
			settled, err = s.PayCosts(chunks[n])
		} else {
			of := all.Pages()[page]
			known := make([]settlement.Known, len(of.Shares))
			for i := range of.Shares {
				at := int(page)*200 + i
				known[i] = settlement.Known{Loans: loans[at], Prepayment: early[at]}
				for _, call := range b.calls {
					known[i].Calls = append(known[i].Calls, recourse.CallKey(call.Scheme, call.Loan, call.ID))
				}
				for _, l := range loans[at] {
					known[i].Compensated = append(known[i].Compensated, b.compensated[l.ID]...)
				}
			}
			settled, err = s.Settle(chunks[n], of, known, b.calls, entry)
		}
		if err != nil {
			b.Fatal(err)
		}
		var payees []*tape.Account
		for _, line := range settled.Part.Lines {
			payees = append(payees, &tape.Account{V: 1, ID: line.To, Currency: "CNY"})
		}
		moved, moving, err := job.RunPart(account, settled.Part, nil, payees, ctx)
		if err != nil {
			b.Fatal(err)
		}
		entry.Postings = moving.Postings
		b.entry(entry)
		b.put(tape.ChunkKey(coffee, job.ID, int32(n)), moved.Chunk)
		for _, hold := range moved.Holds {
			b.put(tape.HoldKey(coffee, hold.ID), hold)
		}
		for _, inflow := range moved.Inflows {
			b.put(tape.InflowKey(inflow.Account, inflow.Source), inflow)
		}
		for _, l := range settled.Loans {
			b.put(l.Reference(), l)
		}
		b.block()
	}
}

// TestSettlementBehindLenders: what guarantors and a pool get of a sale is told apart
// from what lenders get and from a household's own rest.
func TestSettlementBehindLenders(t *testing.T) {
	const day, county = tape.Date("2026-01-05"), tape.AccountID("pool:insurer:county")
	b := newBooks(t)
	b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
	b.scheme()
	b.put(tape.AccountKey(county), tape.Account{V: 1, ID: county, Attribution: tape.FIFO, Currency: "CNY", Organisation: "insurer", Subject: pool.Subject})
	b.put(pool.PoolKey(county), pool.Pool{V: 1, Account: county, Keeper: "insurer", Currency: "CNY", Version: 1})
	// 300.00 are overdue of household 0's loan, half of it a pool's; February's instalment falls into the window.
	loans := map[int][]loan.Loan{0: {lent("l0", household(0), 120_000, "2025-10-01", flat(12), func(l *loan.Loan) { l.Defaulted = "2025-12-15" })}}
	b.compensated = map[tape.ID][]settlement.Compensated{"l0": {{InterestDays: 90, Claim: pool.Claim{V: 1, Account: county, ID: "c1", Lender: "bank", Cooperative: "coop", Scheme: coffee, Loan: "l0", State: pool.Paid,
		Defaulted: "2025-12-15", Eligible: 100_000, Compensation: 50_000}}}}
	// Household 0 has paid 30.00 for household 2, which owes it that.
	b.calls = settlement.Calls{{V: 1, Scheme: coffee, Loan: "l2", ID: "k1", Lender: "bank", Cooperative: "coop", Debtor: household(2), Amount: cny(3_000), Instalments: []int32{1}, Date: "2025-12-01", CureDays: 30,
		Guarantors: []recourse.Guarantor{{Household: household(0), Share: 1, Max: 100_000, Paid: 3_000}}, State: recourse.Met}}
	b.sold(day, []int64{10_000, 20_000, 30_000}, loans, nil, nil, 1)
	s, err := cooperative.SettlementOf(t.Context(), b.model, coffee, "sale-1")
	if err != nil {
		t.Fatal(err)
	}
	if got := sums(s); got != "overdue 150.00, window 100.00, recourse 30.00, pool 50.00, paid-out 1470.00; together 1800.00 exact 3 of 3" {
		t.Error(got)
	}
	share, err := cooperative.ShareOf(t.Context(), b.model, coffee, "sale-1", household(0))
	if err != nil || share == nil || fmt.Sprint(share.Rest) != "0.00 CNY" {
		t.Errorf("%+v %v: what comes from another's share is none of its own", share, err)
	}
}

// TestSettlement: what of a sale went where, by kind, is the sale to the unit;
// of a settlement that is on its way the rest waits.
func TestSettlement(t *testing.T) {
	const day = tape.Date("2026-01-05")
	loans := map[int][]loan.Loan{
		// Instalments of 100.00 on the 1st: December's and January's are overdue, February's falls into the window of 30 days.
		0: {lent("l0", household(0), 120_000, "2025-11-01", flat(12))},
		// January's of the 20th falls into the window; 50.00 are chosen to be paid early.
		1: {lent("l1", household(1), 120_000, "2025-12-20", flat(12))},
	}
	early := map[int]*settlement.Prepayment{1: {V: 1, Loan: "l1", Amount: cny(5_000)}}
	costs := []harvest.Cost{{Amount: cny(10_000), Payee: "outside:transport:t1"}}
	grams := []int64{10_000, 20_000, 30_000} // 300.00, 600.00 and 900.00 less the costs by weight
	for _, c := range []struct {
		what string
		ran  int
		want string
	}{
		{"no chunk has run", 0, "waiting 1800.00; together 1800.00 exact 0 of 3"},
		{"the costs are paid", 1, "costs 100.00, waiting 1700.00; together 1800.00 exact 0 of 3"},
		{"all have run", 2, "costs 100.00, overdue 200.00, window 183.33, prepayment 50.00, paid-out 1266.67; together 1800.00 exact 3 of 3"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBooks(t)
			b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
			b.scheme()
			b.sold(day, grams, loans, early, costs, c.ran)
			s, err := cooperative.SettlementOf(t.Context(), b.model, coffee, "sale-1")
			if err != nil {
				t.Fatal(err)
			}
			if got := sums(s); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.ran < 2 {
				return
			}
			share, err := cooperative.ShareOf(t.Context(), b.model, coffee, "sale-1", household(0))
			if err != nil || share == nil {
				t.Fatal(share, err)
			}
			if got := fmt.Sprint(share.Amount, share.Lines, share.Rest); got != fmt.Sprint(cny(28_333), []cooperative.Paying{{Kind: "overdue", Loan: "l0", Amount: cny(20_000)}, {Kind: "window", Loan: "l0", Amount: cny(8_333)}}, cny(0)) {
				t.Error(got)
			}
			one, err := cooperative.HouseholdOf(t.Context(), b.model, coffee, household(1), day)
			if err != nil || len(one.Shares) != 1 || len(one.Loans) != 1 || one.Schedule == nil || one.Schedule.Line.Loan != "l1" {
				t.Errorf("the household: %+v, %v", one, err)
			}
			if none, err := cooperative.ShareOf(t.Context(), b.model, coffee, "sale-1", household(9)); none != nil || err != nil {
				t.Errorf("who delivered nothing has a share: %v, %v", none, err)
			}
			statement, err := cooperative.StatementOf(t.Context(), b.model, coffee, household(0), "2026-01-01", "2026-01-31")
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(statement); got != "l0 1200.00: 2026-01-05 paid -100.00 2026-01-05 paid -100.00 = 1000.00" {
				t.Error(got)
			}
		})
	}
}

func sums(s cooperative.Settlement) string {
	var parts []string
	for _, sum := range s.Sums {
		parts = append(parts, sum.Kind+" "+strings.TrimSuffix(sum.Amount.String(), " CNY"))
	}
	exact := "exact"
	if !s.Exact {
		exact = "NOT EXACT"
	}
	return fmt.Sprintf("%s; together %s %s %d of %d", strings.Join(parts, ", "), strings.TrimSuffix(s.Total.String(), " CNY"), exact, s.Settled, s.Households)
}

func lines(s cooperative.Statement) string {
	var all []string
	of := func(text string) string { return strings.TrimSuffix(text, " CNY") }
	for _, l := range s.Loans {
		text := string(l.Loan) + " " + of(l.Opening.String()) + ":"
		for _, line := range l.Lines {
			text += fmt.Sprintf(" %s %s %s", line.Date, line.Kind, of(line.Amount.String()))
		}
		all = append(all, text+" = "+of(l.Closing.String()))
	}
	return strings.Join(all, "; ")
}

// TestStatement: opening and each line are closing, to the unit; interest and
// late charges of the period are one line.
func TestStatement(t *testing.T) {
	b := newBooks(t)
	b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
	b.scheme()
	for _, l := range []loan.Loan{
		lent("l1", household(1), 1_200_000, "2026-01-01", annuity(), paid(103_280, "2026-02-01", "bank/a")),
		lent("l2", household(1), 120_000, "2026-03-01", flat(12)),
	} {
		b.put(l.Reference(), l)
	}
	b.block()
	for _, c := range []struct {
		from, to tape.Date
		want     string
	}{
		{"2025-12-01", "2025-12-31", ""},
		{"2026-01-01", "2026-01-31", "l1 0.00: 2026-01-01 lent 12000.00 2026-01-31 charged 59.18 = 12059.18"},
		{"2026-01-01", "2026-02-01", "l1 0.00: 2026-01-01 lent 12000.00 2026-02-01 paid -1032.80 2026-02-01 charged 61.15 = 11028.35"},
		{"2026-03-01", "2026-03-31", "l1 11077.30: 2026-03-31 charged 56.20 = 11133.50; l2 0.00: 2026-03-01 lent 1200.00 = 1200.00"},
	} {
		s, err := cooperative.StatementOf(t.Context(), b.model, coffee, household(1), c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(s); got != c.want {
			t.Errorf("%s to %s: got %s, want %s", c.from, c.to, got, c.want)
		}
	}
}

// TestLoan: each instalment with what is paid of it, and what is owed.
func TestLoan(t *testing.T) {
	b := newBooks(t)
	b.scheme()
	l := lent("l1", household(0), 40_000, "2025-10-01", flat(4), paid(15_000, "2025-11-20", "bank/a"), paid(10_000, "2026-02-01", "coop/sale"))
	l.Book.Payments = append([]loan.Payment{}, l.Book.Payments...)
	l.Guarantors = []loan.Guarantor{{Household: household(1)}}
	b.put(l.Reference(), l)
	b.put(loan.OrderKey(coffee, "o1"), loan.Order{V: 1, ID: "o1", Loan: "l1", Amount: cny(1), Date: "2025-10-01"})
	b.put(loan.NoticeKey(coffee, "l1", 2, 1), loan.Notice{V: 1, Instalment: 2, DaysPastDue: 1, Owed: cny(5_000), Told: []tape.AccountID{household(0)}, Date: "2025-12-02", Entry: "bank/n"})
	b.block()
	one, err := cooperative.LoanOf(t.Context(), b.model, coffee, "l1", "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range one.Schedule {
		rows = append(rows, fmt.Sprintf("%d %s %s left %s %s", row.N, row.Due, row.Amount, row.Left, row.State))
	}
	const want = "1 2025-11-01 100.00 CNY left 0.00 CNY paid; 2 2025-12-01 100.00 CNY left 50.00 CNY overdue; 3 2026-01-01 100.00 CNY left 100.00 CNY due; 4 2026-02-01 100.00 CNY left 100.00 CNY coming" // what was paid for its day pays what is older first
	if got := strings.Join(rows, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if one.Owed.Principal != cny(25_000) || one.Owed.Ahead != cny(10_000) || one.Payoff != cny(15_000) || one.DaysPastDue != 31 || len(one.Orders) != 1 || len(one.Notices) != 1 {
		t.Errorf("%+v, %d days, %d orders, %d notices", one.Owed, one.DaysPastDue, len(one.Orders), len(one.Notices))
	}
}

// TestGroup: what each owes and guarantees under a group, and that the day freezes it.
// TestLine: what falls due of a line of credit, and what can be drawn of it: its schedule
// knows draws and no repayments. A thousandth a day; 1,000.00 are drawn, 600.00 come back after ten days.
func TestLine(t *testing.T) {
	b := newBooks(t)
	line := flat(3)
	line.Method, line.Revolving, line.RatePartsPerMillion, line.FirstDue = terms.Bullet, true, 365_000, "2026-02-01"
	b.scheme()
	l1 := lent("l1", household(1), 100_000, today, line, paid(61_000, "2026-01-11", "bank/repay-1"))
	b.put(l1.Reference(), l1)
	b.put(harvest.SecurityKey(coffee, "l1"), harvest.Security{V: 1, Scheme: coffee, Loan: "l1", Lender: "bank", Lots: []harvest.Securing{{Grams: 5, Lot: "lot-1", ValuePerTonne: cny(1)}}})
	b.block()
	l, err := cooperative.LoanOf(t.Context(), b.model, coffee, "l1", "2026-01-20")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range l.Schedule {
		rows = append(rows, fmt.Sprintf("%s %d %d %d %s", row.Due, row.Principal.Units, row.Interest.Units, row.Left.Units, row.State))
	}
	want := []string{"2026-02-01 0 840 840 coming", "2026-03-01 0 1120 1120 coming", "2026-04-01 40000 1240 41240 coming"}
	if !slices.Equal(rows, want) || l.Available == nil || l.Available.Units != 60_000 || l.Outstanding.Units != 40_000 || l.Security == nil || l.Security.Lots[0].Lot != "lot-1" {
		t.Errorf("%v, %v can be drawn; want %v", rows, l.Available, want)
	}
}

func TestGroup(t *testing.T) {
	b := newBooks(t)
	b.scheme()
	guaranteed := func(l *loan.Loan) {
		l.Guarantors = []loan.Guarantor{{Household: household(1)}, {Household: household(2)}}
	}
	late := lent("l1", household(0), 120_000, "2025-11-01", flat(12), guaranteed)
	b.put(late.Reference(), late)
	b.block()
	g, err := cooperative.GroupOf(t.Context(), b.model, coffee, "g1", today)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range g.Households {
		got = append(got, fmt.Sprint(h.Own, " ", h.Guaranteed, " ", h.DaysPastDue))
	}
	if text := strings.Join(got, "; "); text != "1200.00 CNY 0.00 CNY 31; 0.00 CNY 1200.00 CNY 0; 0.00 CNY 1200.00 CNY 0; 0.00 CNY 0.00 CNY 0" || g.DaysPastDue != 31 || g.Exposure != cny(120_000) {
		t.Errorf("%s; %d days, %s", text, g.DaysPastDue, g.Exposure)
	}
}

// TestCall: each guarantor's clock, and what the call means for each household.
func TestCall(t *testing.T) {
	b := newBooks(t)
	b.scheme()
	call := recourse.Call{V: 1, Scheme: coffee, Loan: "l1", ID: "c1", Lender: "bank", Cooperative: "coop", Debtor: household(0), Amount: cny(30_000), Instalments: []int32{1}, Date: "2026-01-01", CureDays: 30, State: recourse.Open, Entry: "bank/c1"}
	for n := 1; n <= 3; n++ {
		call.Guarantors = append(call.Guarantors, recourse.Guarantor{Household: household(n), Share: 1, Max: 6_000_000, Last: "2027-12-01", Until: "2026-01-31"})
	}
	call.Guarantors[0].Paid = 10_000
	b.put(recourse.CallKey(coffee, "l1", "c1"), call)
	b.put(loan.DebtsKey(fingerprint(0)), loan.Debts{V: 1, Calls: []loan.Called{{Call: recourse.CallKey(coffee, "l1", "c1"), Household: household(0)}}})
	b.put(loan.DebtsKey(fingerprint(1)), loan.Debts{V: 1, Calls: []loan.Called{{Call: recourse.CallKey(coffee, "l1", "c1"), Household: household(1)}}})
	b.block()
	list, err := cooperative.Calls(t.Context(), b.model, coffee, "l1", "2026-01-21", readmodel.Window{})
	if err != nil || len(list.Items) != 1 {
		t.Fatal(list, err)
	}
	var got []string
	for _, clock := range list.Items[0].Clocks {
		left := "-"
		if clock.Left != nil {
			left = fmt.Sprint(*clock.Left)
		}
		got = append(got, fmt.Sprint(clock.Share, " ", clock.Borne, " ", clock.Asked, " ", left, " ", clock.PeriodEnd))
	}
	if text := strings.Join(got, "; "); text != "100.00 CNY 100.00 CNY 0.00 CNY - 2027-12-01; 100.00 CNY 0.00 CNY 100.00 CNY 10 2027-12-01; 100.00 CNY 0.00 CNY 100.00 CNY 10 2027-12-01" {
		t.Error(text)
	}
	for n, want := range map[int]string{0: "debtor 200.00 CNY owes 1 claims 0", 1: "guarantor 0.00 CNY owes 0 claims 1"} {
		b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
		one, err := cooperative.HouseholdOf(t.Context(), b.model, coffee, household(n), "2026-01-21")
		if err != nil || len(one.Calls) != 1 {
			t.Fatal(one.Calls, err)
		}
		c := one.Calls[0]
		if got := fmt.Sprintf("%s %s owes %d claims %d", c.Role, c.Owes, len(c.OwesOthers), len(c.Claims)); got != want {
			t.Errorf("household %d: %s, want %s", n, got, want)
		}
	}
}

// TestPool: balance, tiers by quarter, claims by state, what was paid and came back.
func TestPool(t *testing.T) {
	const county = tape.AccountID("pool:county:coffee")
	b := newBooks(t)
	b.put(pool.PoolKey(county), pool.Pool{V: 1, Account: county, Keeper: "county", Currency: "CNY", Version: 1})
	terms := pool.Terms{LoanMax: cny(1), Tiers: []pool.Tier{{ToBasisPoints: 200, RatioPartsPerMillion: 800_000}, {ToBasisPoints: 800, RatioPartsPerMillion: 300_000, Consent: true}}, Agreement: merkle.Hash{1}}
	b.put(pool.TermsKey(county, 1), pool.TermsRecord{V: 1, N: 1, Terms: terms})
	b.put(pool.LenderKey(county, "bank"), pool.Lender{V: 1, Account: county, Lender: "bank"})
	for quarter, points := range map[tape.Date]int32{"2025-09-30": 150, "2025-12-31": 600, "2026-03-31": 900} {
		b.put(pool.SnapshotKey(county, "bank", quarter), pool.Snapshot{V: 1, Account: county, Lender: "bank", Quarter: quarter, BasisPoints: points})
	}
	b.put(pool.ClaimKey(county, "c1"), pool.Claim{V: 1, Account: county, ID: "c1", State: pool.Sharing, Eligible: 10_000, Compensation: 8_000, ToPool: 500})
	b.put(pool.ClaimKey(county, "c2"), pool.Claim{V: 1, Account: county, ID: "c2", State: pool.Approved, Eligible: 5_000, Compensation: 4_000})
	b.put(pool.PromisedKey(county), pool.Promised{V: 1, Units: 4_000})
	b.put(tape.AccountKey(county), tape.Account{V: 1, ID: county, Attribution: tape.Pooled, Currency: "CNY", Organisation: "county", Subject: pool.Subject})
	b.put(tape.HeadKey(county), tape.Head{V: 1, Account: county, Received: 50_000})
	b.block()
	p, err := cooperative.PoolOf(t.Context(), b.model, county)
	if err != nil {
		t.Fatal(err)
	}
	var quarters []string
	for _, q := range p.Lenders[0].Quarters {
		quarters = append(quarters, fmt.Sprint(q.Quarter, " ", q.RatioPartsPerMillion, " ", q.Consent))
	}
	if got := strings.Join(quarters, "; "); got != "2025-09-30 800000 false; 2025-12-31 300000 true; 2026-03-31 0 false" {
		t.Error(got)
	}
	if got := fmt.Sprint(p.Balance, p.Promised, p.Free, p.Paid, p.Recovered, p.States); got != fmt.Sprint(cny(50_000), cny(4_000), cny(46_000), cny(8_000), cny(500),
		[]cooperative.Claimed{{State: "approved", Count: 1, Eligible: cny(5_000), Compensation: cny(4_000)}, {State: "sharing", Count: 1, Eligible: cny(10_000), Compensation: cny(8_000)}}) {
		t.Error(got)
	}
}

// TestAgents: what an agent signed itself and what the keys in its hands signed, by station.
func TestAgents(t *testing.T) {
	b := newBooks(t)
	b.put(readmodel.PersonPrefix+"agent-1", party.Person{V: 1, ID: "agent-1", Organisation: "coop", Key: party.Key{Duty: party.DutyAgent}})
	b.member(1, "agent-1")
	b.block()
	agent, held := tape.Approval{Person: "agent-1", Organisation: "coop", Custody: "own", Duty: "agent"}, tape.Approval{Person: "h1", Organisation: "coop", Custody: "agent-held", Duty: "member"}
	for i, e := range []tape.Entry{
		{Organisation: "coop", Kind: "admit", At: noon, Intents: []tape.Approval{agent}},
		{Organisation: "coop", Kind: "deliver", At: noon + 1, Intents: []tape.Approval{agent, held}},
		{Organisation: "bank", Kind: "withdraw-loan", At: noon + 2, Intents: []tape.Approval{held}},
		{Organisation: "bank", Kind: "deliver", At: noon + 3, Intents: []tape.Approval{{Person: "h9", Custody: "own", Duty: "member"}}},
	} {
		e.ID, e.Subject = tape.ID(fmt.Sprint("e", i)), string(coffee)
		b.entry(e)
		b.block()
	}
	agents, err := cooperative.Agents(t.Context(), b.model, "coop")
	if err != nil || len(agents) != 1 {
		t.Fatal(agents, err)
	}
	a := agents[0]
	if got := fmt.Sprint(a.Person, a.Count, len(a.Serves), a.Kinds, a.Acts[0].Kind, a.Acts[0].For); got != fmt.Sprint("agent-1", 4, 1,
		[]cooperative.Carried{{Kind: "withdraw-loan", Station: "bank", Count: 1}, {Kind: "admit", Station: "coop", Count: 1}, {Kind: "deliver", Station: "coop", Count: 2}}, "withdraw-loan", household(1)) {
		t.Error(got)
	}
	if others, err := cooperative.Agents(t.Context(), b.model, "bank"); err != nil || len(others) != 0 {
		t.Error(others, err)
	}
}

// TestTrialBalance: every sum is zero in every currency, of money and of accruals; households stand together.
func TestTrialBalance(t *testing.T) {
	b := newBooks(t)
	b.put(tape.AccountKey(coffee), tape.Account{V: 1, ID: coffee, Attribution: tape.FIFO, Currency: "CNY", Organisation: "coop"})
	b.block()
	for i, postings := range [][]tape.Posting{
		{{From: "outside:bank:main", To: coffee, Amount: cny(1_000)}},
		{{From: coffee, To: "outside:household:" + tape.AccountID(pseudonym(1)), Amount: cny(300)}, {From: coffee, To: "outside:household:" + tape.AccountID(pseudonym(2)), Amount: cny(200)}},
		{{From: lending, To: coffee, Amount: cny(70), Memo: true}},
	} {
		b.entry(tape.Entry{ID: tape.ID(fmt.Sprint("e", i)), Kind: "move", BusinessDate: tape.Date("2026-01-01").AddDays(20 * i), Postings: postings})
		b.block()
	}
	for _, c := range []struct {
		organisation string
		from, to     tape.Date
		want         string
	}{
		{"", "2026-01-15", "2026-01-31", "coop:coop:coffee 10.00 0.00 5.00 5.00; outside:bank:main -10.00 0.00 0.00 -10.00; outside:household 0.00 5.00 0.00 5.00"},
		{"coop", "2026-01-01", "2026-02-28", "coop:coop:coffee 0.00 10.00 5.00 5.00; outside:bank:main 0.00 0.00 10.00 -10.00; outside:household 0.00 5.00 0.00 5.00; memo coop:coop:coffee 0.00 0.70 0.00 0.70; memo others 0.00 0.00 0.70 -0.70"},
	} {
		balance, err := cooperative.TrialBalanceOf(t.Context(), b.model, c.organisation, c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range balance.Rows {
			text := fmt.Sprint(r.Account, " ", r.Opening, " ", r.Debit, " ", r.Credit, " ", r.Closing)
			if r.Memo {
				text = "memo " + text
			}
			got = append(got, strings.ReplaceAll(text, " CNY", ""))
		}
		if text := strings.Join(got, "; "); text != c.want || !balance.Balanced {
			t.Errorf("got  %s (balanced %t)\nwant %s", text, balance.Balanced, c.want)
		}
	}
}

// TestRights: who reads what names a household and its debts.
func TestRights(t *testing.T) {
	b := newBooks(t)
	b.scheme()
	l := lent("l1", household(0), 120_000, "2025-12-01", flat(12))
	b.put(l.Reference(), l)
	b.put(party.PowersKey("county"), party.Powers{V: 1, Powers: []string{party.Regulator}})
	b.put(pool.PoolKey("pool:fund:coffee"), pool.Pool{V: 1, Account: "pool:fund:coffee", Keeper: "fund", Currency: "CNY", Version: 1})
	b.put(pool.LenderKey("pool:fund:coffee", "bank"), pool.Lender{V: 1, Account: "pool:fund:coffee", Lender: "bank"})
	b.block()
	ctx := t.Context()
	for _, c := range []struct {
		organisation                          string
		scheme, loan, lender, pool, allOfThem bool
	}{
		{"coop", true, true, false, false, false},
		{"bank", true, true, true, true, false},
		{"union", true, false, false, false, false}, // a lender of the scheme that lends nothing of the loan
		{"county", true, true, true, true, true},
		{"fund", true, true, true, true, false}, // keeps the pool that has a contract with the bank
		{"insurer", false, false, false, false, false},
		{"", false, false, false, false, false},
	} {
		for what, one := range map[string]struct {
			err  error
			want bool
		}{
			"the scheme":        {cooperative.MayRead(ctx, b.model, c.organisation, coffee), c.scheme},
			"the loan":          {cooperative.MayReadLoan(ctx, b.model, c.organisation, coffee, "l1"), c.loan},
			"the lender's book": {cooperative.MayReadLender(ctx, b.model, c.organisation, "bank"), c.lender},
			"the pool":          {cooperative.MayReadPool(ctx, b.model, c.organisation, "pool:fund:coffee"), c.pool},
			"the bank's books":  {cooperative.MayReadBooks(ctx, b.model, c.organisation, "bank"), c.allOfThem || c.organisation == "bank"},
			"all figures":       {cooperative.MaySupervise(ctx, b.model, c.organisation), c.allOfThem},
		} {
			if (one.err == nil) != one.want {
				t.Errorf("%q reads %s: %v, want %t", c.organisation, what, one.err, one.want)
			}
		}
	}
}
