package loan_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestLost: what a lender has lost of 12,000.00 at 6 % (ACT/365F, each instalment's
// interest rounded) that nobody repays but guarantors. Day 90 behind February 1 is May 2.
func TestLost(t *testing.T) {
	paid := func(by string, units int64, date tape.Date) func(*loan.Loan) {
		return func(l *loan.Loan) {
			l.Book.Payments = append(l.Book.Payments, loan.Payment{Amount: cny(units), Date: date, By: by, Entry: "bank/repay-1"})
		}
	}
	for _, c := range []struct {
		name   string
		lender string
		days   int32
		change []func(*loan.Loan)
		want   string
	}{
		// 61.15, 55.23, 61.15, 59.18 and 1.97 of interest for January to April and a day of May.
		{"nobody pays", "bank", 90, nil, "substandard 120 days: 1200000 + 23868 - 0 - 0"},
		{"until day 59", "bank", 59, nil, "substandard 120 days: 1200000 + 17753 - 0 - 0"},
		{"until before the default", "bank", 28, nil, "substandard 120 days: 1200000 + 11638 - 0 - 0"},
		// 1,000.00 on April 1 pay 4.71 of late charges and interest of 61.15, and 934.14 of principal: April then costs 54.57, the day of May 1.82.
		{"a guarantor pays", "bank", 90, []func(*loan.Loan){paid(string(household(2)), 100_000, "2026-04-01")}, "substandard 120 days: 1200000 + 23392 - 100000 - 0"},
		{"the household pays", "bank", 90, []func(*loan.Loan){paid("", 100_000, "2026-04-01")}, "substandard 120 days: 1200000 + 23392 - 0 - 100000"},
		{"a guarantor pays behind day 90", "bank", 90, []func(*loan.Loan){paid(string(household(2)), 50_000, "2026-05-20")}, "substandard 120 days: 1200000 + 23868 - 50000 - 0"},
		{"half is another's", "bank", 90, []func(*loan.Loan){paid(string(household(2)), 100_001, "2026-05-20"), func(l *loan.Loan) {
			l.Lenders = []loan.Lender{{Account: unions, Organisation: "union", PartsPerMillion: 500_000}, {Account: lending, Organisation: "bank", PartsPerMillion: 500_000}}
		}}, "substandard 120 days: 600000 + 11934 - 50000 - 0"},
		{"a stranger", "union", 90, nil, "forbidden: field loan: union does not lend l1"},
		{"not in default", "bank", 90, []func(*loan.Loan){func(l *loan.Loan) { l.Defaulted = "" }}, "early: field loan: l1 is not in default"},
		{"in default tomorrow", "bank", 90, []func(*loan.Loan){func(l *loan.Loan) { l.Defaulted = "2026-06-02" }}, "early: field loan: l1 is not in default"},
		{"other terms", "bank", 90, []func(*loan.Loan){func(l *loan.Loan) { l.Defaulted = "2025-12-31" }}, "wrong-state: field loan: l1 has had other terms since 2026-01-01"},
	} {
		l := running(t)
		l.Defaulted = "2026-03-05"
		for _, change := range c.change {
			change(&l)
		}
		lost, err := l.Lost(c.lender, scheme(), c.days, nil, "2026-06-01")
		got := fmt.Sprintf("%s %d days: %d + %d - %d - %d", lost.Class, lost.DaysPastDue, lost.Principal, lost.Interest, lost.Guaranteed, lost.Recovered)
		if err != nil {
			got = err.Error()
		} else if lost.Eligible() != lost.Principal+lost.Interest-lost.Guaranteed-lost.Recovered || lost.Owed < lost.Principal+lost.Interest || lost.Called != "" || lost.Defaulted != "2026-03-05" || lost.Contracted != today || lost.Cooperative != "coop" {
			t.Errorf("%s: %+v", c.name, lost)
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	l := running(t)
	l.Defaulted = "2026-03-05"
	call := recourse.Call{Scheme: coffee, Loan: "l1", ID: "call-1", Date: "2026-03-10", Guarantors: []recourse.Guarantor{{Until: "2026-04-09"}, {Until: "2026-04-09", SpreadUntil: "2026-05-10"}}}
	if lost, err := l.Lost("bank", scheme(), 90, &call, "2026-06-01"); err != nil || lost.Called != "call/coop:coop:coffee/l1/call-1" || lost.CuredUntil != "2026-05-10" {
		t.Errorf("%+v %v", lost, err)
	}
}

// TestLostTogether: what each of several lenders has lost, and got, is together
// all of it, whatever was paid and whether the parts come out even; and a payment
// brings each what Came says, but for what was paid too much.
func TestLostTogether(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 0))
		l := running(t)
		l.Defaulted = "2026-03-05"
		l.Lenders = []loan.Lender{{Organisation: "bank", PartsPerMillion: 333_334}, {Organisation: "fund", PartsPerMillion: 333_333}, {Organisation: "union", PartsPerMillion: 333_333}}
		paid := int64(0)
		for i := range 1 + random.IntN(5) {
			p := loan.Payment{Amount: cny(1 + random.Int64N(400_000)), Date: tape.Date("2026-03-06").AddDays(7 * i), Entry: "bank/r"}
			if random.IntN(3) == 0 {
				p.By = string(household(2))
			}
			l.Book.Payments, paid = append(l.Book.Payments, p), paid+p.Amount.Units
		}
		if random.IntN(4) == 0 {
			l.Book.Payments, paid = append(l.Book.Payments, loan.Payment{Amount: cny(1_500_000), Date: "2026-05-31", Entry: "bank/r", By: string(household(2))}), paid+1_500_000
		}
		then, err := l.Owed(l.Defaulted)
		if err != nil {
			t.Fatal(err)
		}
		now, err := l.Owed("2026-06-01")
		if err != nil {
			t.Fatal(err)
		}
		var principal, got, came int64
		for _, lender := range l.Lenders {
			lost, err := l.Lost(lender.Organisation, scheme(), 90, nil, "2026-06-01")
			if err != nil || lost.Guaranteed < 0 || lost.Recovered < 0 || lost.Guaranteed+lost.Recovered > lost.Owed || lost.Principal+lost.Interest > lost.Owed {
				t.Fatalf("seed %d, %s: %+v %v", seed, lender.Organisation, lost, err)
			}
			principal, got = principal+lost.Principal, got+lost.Guaranteed+lost.Recovered
			for i := range l.Book.Payments {
				part, err := l.Came(lender.Organisation, fmt.Sprint("bank/r/", i))
				if err != nil {
					t.Fatal(err)
				}
				came += part.Amount.Units
			}
		}
		if principal != then.Principal || got != paid-now.Over || came != paid {
			t.Errorf("seed %d: principal %d of %d, got %d of %d less %d, %d came", seed, principal, then.Principal, got, paid, now.Over, came)
		}
	}
}
