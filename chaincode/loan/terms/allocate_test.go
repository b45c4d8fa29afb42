package terms_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// owed are three dues, the newest first, to show that the oldest is paid first.
func owed() []terms.Due {
	return []terms.Due{
		{N: 3, Due: "2026-05-01", Interest: 30, Principal: 300},
		{N: 1, Due: "2026-03-01", Costs: 5, Late: 7, Interest: 10, Principal: 100},
		{N: 2, Due: "2026-04-01", Late: 3, Interest: 20, Principal: 200},
	}
}

// TestAllocate: what is paid of each due (costs, late charge, interest, principal) and what is left over.
func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		order terms.Order
		units int64
		want  string
	}{
		{"", 0, "[0 0 0 0] [0 0 0 0] [0 0 0 0] 0"},
		{terms.Law, 4, "[0 0 0 0] [4 0 0 0] [0 0 0 0] 0"},
		{terms.Law, 12, "[0 0 0 0] [5 7 0 0] [0 0 0 0] 0"},
		{terms.Law, 122, "[0 0 0 0] [5 7 10 100] [0 0 0 0] 0"},
		{"", 150, "[0 0 0 0] [5 7 10 100] [0 3 20 5] 0"},
		{terms.Law, 700, "[0 0 30 300] [5 7 10 100] [0 3 20 200] 25"},
		{terms.CostsFirst, 40, "[0 0 0 0] [5 7 10 0] [0 3 15 0] 0"},
		{terms.CostsFirst, 90, "[0 0 30 0] [5 7 10 15] [0 3 20 0] 0"},
		{terms.InterestFirst, 70, "[0 0 25 0] [5 7 10 0] [0 3 20 0] 0"},
		{terms.InterestFirst, 100, "[0 0 30 0] [5 7 10 25] [0 3 20 0] 0"},
		{terms.PrincipalFirst, 350, "[0 0 0 50] [0 0 0 100] [0 0 0 200] 0"},
		{terms.PrincipalFirst, 635, "[0 0 5 300] [0 0 10 100] [0 0 20 200] 0"},
		{"interest+principal,late,costs", 125, "[0 0 0 0] [0 0 10 100] [0 0 15 0] 0"},
		{"interest+principal,late,costs", 668, "[0 0 30 300] [0 7 10 100] [0 1 20 200] 0"},
	} {
		paid, rest, err := terms.Allocate(c.order, owed(), c.units)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, p := range paid {
			text += fmt.Sprint([]int64{p.Costs, p.Late, p.Interest, p.Principal}) + " "
		}
		if got := text + fmt.Sprint(rest); got != c.want {
			t.Errorf("%s pays with %d: %s, want %s", c.order, c.units, got, c.want)
		}
	}
}

// TestAllocateOnOneDay: of two dues of one day the lower number comes first.
func TestAllocateOnOneDay(t *testing.T) {
	paid, _, err := terms.Allocate(terms.Law, []terms.Due{{N: 2, Due: "2026-03-01", Interest: 5}, {N: 1, Due: "2026-03-01", Interest: 5}}, 6)
	if err != nil || paid[0].Interest != 1 || paid[1].Interest != 5 {
		t.Errorf("%+v %v", paid, err)
	}
}

// TestInterestOfAllDuesFirst: apache/fineract@4198b0bc, ClientLoanIntegrationTest
// testRBIPaymentStrategy: of 3200 on the last due's day, the interest of the last
// two instalments comes first; the loan is closed with 3000 more.
func TestInterestOfAllDuesFirst(t *testing.T) {
	dues := []terms.Due{
		{N: 3, Due: "2011-12-20", Interest: 100_00, Principal: 3100_00},
		{N: 4, Due: "2012-01-20", Interest: 100_00, Principal: 2900_00},
	}
	of, rest, err := terms.Allocate(terms.InterestFirst, dues, 3200_00)
	if err != nil || rest != 0 || of[0].Interest != 100_00 || of[0].Principal != 3000_00 || of[1].Interest != 100_00 || of[1].Principal != 0 {
		t.Errorf("%+v %d %v", of, rest, err)
	}
	loan := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 20_000, RatePer: terms.PerInterval, DayCount: terms.Periods, Rounding: terms.HalfEven,
		Instalments: 4, Every: terms.Interval{Months: 1}, InstalmentMultipleUnits: 100_00, InterestMultipleUnits: 100_00, Allocation: terms.InterestFirst}
	payments := paid("2011-10-20", 3200_00, "2011-11-20", 3200_00, "2012-01-20", 3200_00)
	s, err := loan.Standing(advanced(12_000_00, "2011-09-20"), payments, "2012-01-20")
	if err != nil || fmt.Sprint(s.Dues) != "[{0 2011-12-20 0 0 3 10000} {0 2012-01-20 0 0 4 290000}]" || s.Payoff() != 3000_00 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = loan.Standing(advanced(12_000_00, "2011-09-20"), append(payments, paid("2012-01-20", 3000_00)...), "2012-01-20"); err != nil || s.Payoff() != 0 || s.Over != 0 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestAllocateRefusals(t *testing.T) {
	for _, c := range []struct {
		order terms.Order
		units int64
		due   terms.Due
		want  string
	}{
		{"interest", 1, owed()[0], "invalid: field order: leaves one of costs, late, interest, principal out"},
		{terms.Law, -1, owed()[0], "invalid: field units: is not 0 to 9007199254740991"},
		{terms.Law, money.Max + 1, owed()[0], "invalid: field units: is not 0 to 9007199254740991"},
		{terms.Law, 1, terms.Due{Due: "today"}, "invalid: field dues[0].due: is not a date; write it as 2026-11-22"},
		{terms.Law, 1, terms.Due{Due: "2026-01-01", Costs: -1}, "invalid: field dues[0].costs: is not 0 to 2251799813685247"},
		{terms.Law, 1, terms.Due{Due: "2026-01-01", Late: money.Max}, "invalid: field dues[0].late: is not 0 to 2251799813685247"},
		{terms.Law, 1, terms.Due{Due: "2026-01-01", Interest: -1}, "invalid: field dues[0].interest: is not 0 to 2251799813685247"},
		{terms.Law, 1, terms.Due{Due: "2026-01-01", Principal: -1}, "invalid: field dues[0].principal: is not 0 to 2251799813685247"},
	} {
		if _, _, err := terms.Allocate(c.order, []terms.Due{c.due}, c.units); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestAllocateLosesNothing: what is paid and what is left over is the payment,
// nothing is paid beyond what is owed, and nothing is left over while something is owed.
func TestAllocateLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(0, 200)
		var dues []terms.Due
		var owed, total int64
		for n := range rapid.Int32Range(0, 5).Draw(t, "dues") {
			due := terms.Due{N: n, Due: tape.Date("2026-01-01").AddDays(rapid.IntRange(0, 3).Draw(t, "day")),
				Costs: units.Draw(t, "costs"), Late: units.Draw(t, "late"), Interest: units.Draw(t, "interest"), Principal: units.Draw(t, "principal")}
			dues = append(dues, due)
			owed += due.Total()
		}
		order := rapid.SampledFrom([]terms.Order{"", terms.Law, terms.CostsFirst, terms.InterestFirst, terms.PrincipalFirst, "principal+costs,late+interest"}).Draw(t, "order")
		payment := rapid.Int64Range(0, 4000).Draw(t, "payment")
		paid, rest, err := terms.Allocate(order, dues, payment)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range paid {
			if p.Costs > dues[i].Costs || p.Late > dues[i].Late || p.Interest > dues[i].Interest || p.Principal > dues[i].Principal {
				t.Fatalf("%+v is paid of %+v", p, dues[i])
			}
			total += p.Total()
		}
		if total+rest != payment || rest > 0 && total < owed {
			t.Fatalf("%d paid, %d left over of %d, %d owed", total, rest, payment, owed)
		}
	})
}

// TestRoundedUpInstalments: frappe/lending@3f2cbc13, test_loan.py test_loan: its
// interest is unrounded and shown in whole units, which ours agrees with.
func TestRoundedUpInstalments(t *testing.T) {
	whole := func(units int64) int64 { return (units + 50) / 100 }
	loan := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 84_000, DayCount: terms.Periods, Rounding: terms.HalfEven, Instalments: 20,
		Every: terms.Interval{Months: 1}, InstalmentMultipleUnits: 100, InstalmentRounding: terms.Up}
	for _, c := range []struct {
		instalment int64
		n          int
		interest   int64
		rows       [][4]int64 // index, principal, interest, balance
	}{
		{0, 20, 21034, [][4]int64{{3, 13369, 1683, 227080}, {17, 14740, 312, 29785}, {19, 14941, 105, 0}}},
		{14000, 22, 22712, nil},
	} {
		if c.instalment > 0 {
			loan.Instalment, loan.Instalments = cny(c.instalment*100), 0
		}
		s, err := loan.Schedule(advanced(280_000_00, "2024-01-05"))
		if err != nil || len(s.Instalments) != c.n {
			t.Fatal(len(s.Instalments), err)
		}
		var interest int64
		for _, row := range s.Instalments {
			interest += row.Interest
		}
		if whole(interest) != c.interest {
			t.Errorf("%d of interest, want %d", whole(interest), c.interest)
		}
		for _, row := range c.rows {
			got := s.Instalments[row[0]]
			if [3]int64{whole(got.Principal), whole(got.Interest), whole(got.Balance)} != [3]int64(row[1:]) {
				t.Errorf("%+v, want %v", got, row)
			}
		}
	}
}
