package loan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// calling is what stands beside the loan of household 1 when both notices were given.
func calling() loan.Calling {
	told := []tape.AccountID{household(1), household(2), household(3), household(4)}
	return loan.Calling{Scheme: scheme(), Version: version(), Group: *formed("frozen"), Notices: []*loan.Notice{{V: 1, Instalment: 1, Told: told}, {V: 1, Instalment: 1, Told: told}}, Bears: []int64{0, 0, 0}}
}

// TestDebt: a call is judged by the loan's own figures. On March 10 two
// instalments of 1,032.66 are overdue, the older since February 1, with 4.47 more
// of interest, because nothing was repaid of 12,000.00 in February (55.23, not
// 50.76), and late charges at 3 % of 2.95 and 0.73.
func TestDebt(t *testing.T) {
	l := running(t)
	command := recourse.MakeCall{Guarantors: []tape.AccountID{household(2), household(3), household(4)}, ID: "call-1", Instalments: []int32{1, 2}, Loan: "l1", Account: coffee}
	for _, c := range []struct {
		name   string
		day    tape.Date
		change func(*loan.Loan, *loan.Calling, *recourse.MakeCall)
		want   string
	}{
		{"each is asked for a third", "2026-03-10", nil, "2: 2028-02-01 68939 3: 2028-02-01 68938 4: 2028-02-01 68939"},
		{"one can bear less", "2026-03-10", func(_ *loan.Loan, f *loan.Calling, _ *recourse.MakeCall) { f.Bears[1] = 6_000_000 - 1 }, "2: 2028-02-01 103407 3: 2028-02-01 1 4: 2028-02-01 103408"},
		{"agreed parts", "2026-03-10", func(l *loan.Loan, _ *loan.Calling, _ *recourse.MakeCall) {
			for i, parts := range []int32{200_000, 100_000, 100_000} {
				l.Guarantors[i].PartsPerMillion = parts
			}
		}, "2: 2028-02-01 103408 3: 2028-02-01 51704 4: 2028-02-01 51704"},
		{"more than is owed", "2026-03-10", func(_ *loan.Loan, _ *loan.Calling, m *recourse.MakeCall) { m.Amount = cny(250_000) }, "conflict: field amount: is 2500.00 CNY; the debtor owes 2073.47 CNY on these instalments"},
		{"one is left out", "2026-03-10", func(_ *loan.Loan, _ *loan.Calling, m *recourse.MakeCall) { m.Guarantors = m.Guarantors[:2] }, "conflict: field guarantors: leaves out " + household(4).String()},
		{"too early", "2026-03-03", nil, "early: loan l1 is 30 days past due"},
		{"a notice was not given", "2026-03-10", func(_ *loan.Loan, f *loan.Calling, _ *recourse.MakeCall) { f.Notices[1] = nil }, "wrong-state: " + household(1).String() + " had no notice of day 15"},
		{"a disaster", "2026-03-10", func(_ *loan.Loan, f *loan.Calling, _ *recourse.MakeCall) {
			f.Stay = &loan.Stay{From: "2026-03-01", To: "2026-04-30"}
		}, "early: no guarantor is called until 2026-04-30"},
		{"a disaster that is over", "2026-03-10", func(_ *loan.Loan, f *loan.Calling, _ *recourse.MakeCall) {
			f.Stay = &loan.Stay{From: "2026-02-01", To: "2026-03-09"}
		}, "2: 2028-02-01 68939"},
		{"too late", "2028-02-02", func(_ *loan.Loan, _ *loan.Calling, m *recourse.MakeCall) { m.Amount.Units = 1 }, "expired: field guarantors: " + household(2).String() + " guaranteed instalment 1 until 2028-02-01"},
		{"an instalment that is due today", "2026-04-01", func(_ *loan.Loan, _ *loan.Calling, m *recourse.MakeCall) { m.Instalments = []int32{1, 2, 3} }, "not-found: field instalments[2]: instalment 3 of loan l1 is not overdue"},
		{"another group", "2026-03-10", func(_ *loan.Loan, f *loan.Calling, _ *recourse.MakeCall) { f.Group.ID = "g2" }, "conflict: loan l1 is of group g1 with 3 guarantors and 2 notices"},
		{"charges of before a change of terms", "2026-03-10", func(l *loan.Loan, _ *loan.Calling, m *recourse.MakeCall) {
			l.Book.Charges = []loan.Charge{{Date: "2026-02-20", Costs: 100}, {Date: "2026-02-10", Costs: 200}}
			m.Instalments, m.Amount.Units = []int32{0}, 300
		}, "2: 2028-02-10 100 3: 2028-02-10 100 4: 2028-02-10 100"},
	} {
		one, f, m := l, calling(), command
		one.Guarantors = append([]loan.Guarantor{}, l.Guarantors...)
		m.Amount = cny(206_816)
		if c.change != nil {
			c.change(&one, &f, &m)
		}
		got := ""
		debt, terms, err := one.Debt(f, c.day)
		if err == nil {
			var call recourse.Call
			call, _, _, err = debt.Call(m, terms, nil, on(c.day, "bank", "maker", "checker"))
			for n := 2; n <= 4; n++ {
				for i, stand := range call.Stands() {
					if stand.Household == household(n) {
						got += fmt.Sprintf("%d: %s %d ", n, call.Guarantors[i].Last, stand.Asked)
					}
				}
			}
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestDebtOfSeveral: one calls for all who lend together.
func TestDebtOfSeveral(t *testing.T) {
	l := running(t)
	l.Lenders = append([]loan.Lender{{Account: unions, Organisation: "union", PartsPerMillion: 1}}, l.Lenders...)
	debt, terms, err := l.Debt(calling(), "2026-03-10")
	if err != nil || debt.Lender != "bank" || fmt.Sprint(debt.CoLenders) != "[union]" || debt.Cooperative != "coop" || debt.Debtor != household(1) || debt.DaysPastDue != 37 || debt.WrittenOff || terms.CureDays != 30 {
		t.Errorf("%+v %+v %v", debt, terms, err)
	}
	l.WrittenOff = &loan.WrittenOff{}
	if debt, _, _ := l.Debt(calling(), "2026-03-10"); !debt.WrittenOff {
		t.Error("a write-off is not told")
	}
}

// TestBacked: sales of borrower and guarantors pay back who paid, in parts that
// the call and the waterfall split alike, until nobody owes anything.
func TestBacked(t *testing.T) {
	l := running(t)
	command := recourse.MakeCall{Amount: cny(200_003), Guarantors: []tape.AccountID{household(2), household(3), household(4)}, ID: "call-1", Instalments: []int32{1, 2}, Loan: "l1", Account: coffee}
	debt, conditions, err := l.Debt(calling(), "2026-03-10")
	if err != nil {
		t.Fatal(err)
	}
	call, _, _, err := debt.Call(command, conditions, nil, on("2026-03-10", "bank", "maker"))
	if err != nil {
		t.Fatal(err)
	}
	if claim := loan.Backed(call, household(1), call.State != recourse.Open); claim.Dues != nil {
		t.Errorf("the borrower owes %+v before anybody has paid", claim)
	}
	for _, n := range []int{2, 4} { // household 3 pays nothing; the others pay its part
		asked, _ := call.Owes(household(n))
		if call, err = call.Take(household(n), asked); err != nil {
			t.Fatal(err)
		}
	}
	if call, _, err = call.Respread(recourse.Respread{Call: "call-1", Guarantor: household(3), ID: "respread-1", Loan: "l1", Account: coffee}, on("2026-05-01", "bank", "maker")); err != nil {
		t.Fatal(err)
	}
	if claim := loan.Backed(call, household(1), call.State != recourse.Open); claim.Dues != nil {
		t.Errorf("the borrower owes %+v before the lender is whole", claim)
	}
	for _, n := range []int{2, 4} {
		asked, _ := call.Owes(household(n))
		if call, err = call.Take(household(n), asked); err != nil {
			t.Fatal(err)
		}
	}
	sale := waterfall.Terms{Day: "2026-06-01", LivingFloor: cny(0), WindowDays: 30}
	for i, c := range []struct {
		household int
		share     int64
		want      string
	}{
		{3, 10_001, "recourse 2:5000 4:5001"}, // of 33,333 and 33,334 that it owes them
		{1, 100_001, "recourse 2:47500 3:5001 4:47500"},
		{3, 1_000_000, "recourse 2:14167 4:14167"},
		{2, 1_000_000, ""},
		{1, 1_000_000, "recourse 2:33334 3:33334 4:33334"},
		{3, 1_000_000, ""},
	} {
		claim := loan.Backed(call, household(c.household), call.State != recourse.Open)
		position := waterfall.Position{Household: household(c.household), Share: cny(c.share), Dues: claim.Dues}
		if claim.Dues != nil {
			position.Debts = []waterfall.Debt{claim.Debt}
		}
		outcome, err := sale.Apply(position)
		if err == nil && len(outcome.Lines) > 0 {
			call, err = loan.Repaid(call, household(c.household), outcome.Lines)
		}
		got := ""
		for n := 2; n <= 4; n++ {
			for _, line := range outcome.Lines {
				if line.Creditor == household(n) {
					got += fmt.Sprintf(" %d:%d", n, line.Amount.Units)
				}
			}
		}
		if got != "" {
			got = "recourse" + got
		}
		if err != nil || got != c.want {
			t.Errorf("sale %d: %s, not %s: %v", i, got, c.want, err)
		}
	}
	if call.State != recourse.Closed {
		t.Errorf("%+v", call)
	}
}

// TestCount: what a payment on a loan does to an open call. On March 10 the
// borrower owes 2,073.47 on two instalments, of which 1,500.00 are called.
func TestCount(t *testing.T) {
	l := running(t)
	debt, conditions, err := l.Debt(calling(), "2026-03-10")
	if err != nil {
		t.Fatal(err)
	}
	command := recourse.MakeCall{Account: coffee, Amount: cny(150_000), Guarantors: []tape.AccountID{household(2), household(3), household(4)}, ID: "call-1", Instalments: []int32{1, 2}, Loan: "l1"}
	open, _, _, err := debt.Call(command, conditions, nil, on("2026-03-10", "bank", "maker"))
	if err != nil {
		t.Fatal(err)
	}
	outside := tape.AccountID("outside:" + strings.TrimSuffix(string(household(2)), ":coffee"))
	for _, c := range []struct {
		name  string
		by    tape.AccountID
		units int64
		on    tape.Date
		want  string
	}{
		{"a guarantor pays its share", household(2), 50_000, "2026-03-10", "open 100000: 50000 paid, 0 lowered"},
		{"by its account outside the ledger", outside, 50_000, "2026-03-10", "open 100000: 50000 paid, 0 lowered"},
		{"more than its share", household(2), 50_001, "2026-03-10", "insufficient: field amount: is 500.01 CNY; 500.00 CNY is asked of"},
		{"the borrower pays a part", "", 10_000, "2026-03-10", "open 140000: 0 paid, 10000 lowered"},
		{"a supplier pays for it", "outside:supplier:nursery", 10_000, "2026-03-10", "open 140000: 0 paid, 10000 lowered"},
		{"the borrower pays more than was called", "", 200_000, "2026-03-10", "closed 0: 0 paid, 150000 lowered"},
		// It paid 38.77 of principal on February 2: 0.17 less of interest and 0.11 less of late charges.
		{"the bank shows it of an earlier day", "", 10_000, "2026-02-02", "open 139972: 0 paid, 10028 lowered"},
	} {
		after, _, err := l.Pay(loan.Pays{Amount: cny(c.units), By: string(c.by), Date: c.on, Mostly: loan.Anything}, on("2026-03-10", "bank").Entry("repay-1", "repay-loan", string(coffee)))
		if err != nil {
			t.Fatal(err)
		}
		call, err := l.Count(after, open, c.by, cny(c.units), "2026-03-10")
		got := fmt.Sprintf("%s %d: %d paid, %d lowered", call.State, call.Open(), call.Guarantors[0].Paid+call.Guarantors[1].Paid+call.Guarantors[2].Paid, call.Lowered)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if loan.Bears(open, household(3)) != 50_000 || loan.Bears(open, household(1)) != 0 {
			t.Errorf("%s: household 3 bears %d", c.name, loan.Bears(open, household(3)))
		}
	}

	// What everybody's debts say of the call.
	entry := on("2026-03-10", "bank").Entry("call-1", "make-call", string(coffee))
	known := (*loan.Debts)(nil).Begin(l, false, entry)
	called := known.Concerned(l, open, household(2), entry)
	facts := must2(called.Facts(household(2), nil, []recourse.Call{open}, "2026-03-10"))(t)
	if facts.OpenCall != "call/coop:coop:coffee/l1/call-1" || facts.OpenRecourse != "" || len(known.Calls) != 0 {
		t.Errorf("one who is called: %+v, %+v", facts, known)
	}
	paid, err := open.Take(household(2), 50_000)
	if err != nil {
		t.Fatal(err)
	}
	if facts = must2(called.Facts(household(2), nil, []recourse.Call{paid}, "2026-03-10"))(t); facts.OpenCall != "" || facts.OpenRecourse != "" {
		t.Errorf("one who has paid: %+v", facts)
	}
	borrower := (*loan.Debts)(nil).Begin(l, true, entry)
	borrower = borrower.Concerned(l, paid, household(1), entry)
	if facts = must2(borrower.Facts(household(1), []loan.Loan{l}, []recourse.Call{paid}, "2026-03-10"))(t); facts.OpenCall != "" || facts.OpenRecourse != "call/coop:coop:coffee/l1/call-1" {
		t.Errorf("the borrower: %+v", facts)
	}
	again := called.Concerned(l, paid, household(2), entry)
	paid.State = recourse.Closed
	if over := again.Concerned(l, paid, household(2), entry); len(again.Calls) != 1 || len(over.Calls) != 0 || len(over.Guarantees) != 1 {
		t.Errorf("%+v, and when it is closed %+v", again, over)
	}

	// The group remembers its last call, and who paid in time is known for it for five years.
	later := open
	later.ID, later.Date = "call-2", open.Date.AddDays(40)
	newer := called.Concerned(l, later, household(2), entry)
	if both := newer.Concerned(l, open, household(2), entry); both.LastCall(coffee, l.Group) != later.Date || both.LastCall(coffee, "g9") != "" || known.LastCall(coffee, l.Group) != "" || (*loan.Debts)(nil).LastCall(coffee, l.Group) != "" {
		t.Errorf("calls under the group: %+v", both.Cycles)
	}
	once := called.HasPaid(open, entry)
	same := once.HasPaid(open, entry)
	twice := same.HasPaid(later, on("2026-05-01", "bank").Entry("repay-1", "repay-loan", string(coffee)))
	if fmt.Sprint(twice.PaidCalls) != "[{bank/call-1 2026-03-10} {bank/call-2 2026-05-01}]" || len(once.PaidCalls) != 1 || len(called.PaidCalls) != 0 || len(twice.Calls) != 1 {
		t.Errorf("calls that were paid: %+v", twice.PaidCalls)
	}
	if past := twice.HasPaid(later, on("2031-03-16", "bank").Entry("repay-2", "repay-loan", string(coffee))); len(past.PaidCalls) != 1 {
		t.Errorf("five years later: %+v", past.PaidCalls)
	}
}

// TestStays: those in force are known on every day, whichever was declared last.
func TestStays(t *testing.T) {
	var none *loan.Stays
	stays := none.With(loan.Stay{From: "2026-03-01", To: "2026-03-31", Entry: "county/a"}, "2026-03-01")
	stays = stays.With(loan.Stay{From: "2026-06-01", To: "2026-06-30", Entry: "county/b"}, "2026-03-10")
	stays = stays.With(loan.Stay{From: "2026-03-20", To: "2026-04-10", Entry: "county/c"}, "2026-03-11")
	for day, want := range map[tape.Date]string{"2026-02-28": "", "2026-03-01": "county/a", "2026-03-19": "county/a", "2026-03-20": "county/c", "2026-04-10": "county/c", "2026-04-11": "", "2026-06-30": "county/b"} {
		got := ""
		if stay := stays.On(day); stay != nil {
			got = stay.Entry
		}
		if got != want {
			t.Errorf("on %s: %s, want %s", day, got, want)
		}
	}
	if left := stays.With(loan.Stay{To: "2026-07-01", Entry: "county/d"}, "2026-04-11"); none.On("2026-03-01") != nil || len(left.Stays) != 2 || left.Stays[0].Entry != "county/b" || left.Entry != "county/d" || len(stays.Stays) != 3 {
		t.Errorf("left: %+v of %+v", left, stays)
	}
}
