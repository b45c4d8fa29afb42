package terms_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func paid(rows ...any) []terms.Payment {
	var list []terms.Payment
	for i := 0; i < len(rows); i += 2 {
		list = append(list, terms.Payment{Date: tape.Date(rows[i].(string)), Amount: cny(int64(rows[i+1].(int)))})
	}
	return list
}

// TestStanding: what is owed on a day: pay-off, interest, late charge, over, days past due, dues that are open.
func TestStanding(t *testing.T) {
	seven := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 70_000, DayCount: terms.Periods, Rounding: terms.HalfEven, Instalments: 6, Every: terms.Interval{Months: 1}}
	late := seven
	late.LateOn, late.LateRatePartsPerMillion, late.LateGraceDays = terms.LateOnPrincipal, 365_000, 3
	instalment := late
	instalment.LateOn = terms.LateOnInstalment
	fee := seven
	fee.Fees = []terms.Fee{{At: terms.AtInstalment, Amount: cny(100)}}
	waived := seven
	waived.GracePrincipalInstalments, waived.GraceInterestInstalments, waived.GraceInterest = 2, 1, terms.Waived
	deferred := waived
	deferred.GraceInterest = terms.Deferred
	flat := terms.Terms{Method: terms.Flat, RatePartsPerMillion: 12_000, RatePer: terms.PerInterval, DayCount: terms.Periods, Rounding: terms.HalfEven, Instalments: 4, Every: terms.Interval{Months: 1}}
	for _, c := range []struct {
		name  string
		terms terms.Terms
		paid  []terms.Payment
		date  tape.Date
		want  string
	}{
		// apache/fineract@4198b0bc, Loan.feature and ProgressiveEMICalculatorTest: payoff_on0215, payoff_on0115.
		{"paid off on 15 February", seven, paid("2024-02-01", 1701), "2024-02-15", "8381 24 0 0 0 []"},
		{"paid off on 15 January", seven, nil, "2024-01-15", "10026 26 0 0 0 []"},
		{"on the first day", seven, nil, "2024-01-01", "10000 0 0 0 0 []"},
		{"one instalment is due", seven, nil, "2024-02-01", "10058 58 0 0 0 [1 0 0 58 1643]"},
		{"it is late and bears interest", seven, nil, "2024-03-01", "10116 116 0 0 29 [1 0 0 58 1643 2 0 0 58 1652]"},
		{"a part of it is paid: interest first", seven, paid("2024-02-10", 100), "2024-02-10", "9976 18 0 0 9 [1 0 0 0 1601]"},
		{"the next is paid before it is due: interest to the day, then principal", seven, paid("2024-02-01", 1701, "2024-02-15", 1701), "2024-03-01", "6700 20 0 0 0 [2 0 0 20 0]"},
		{"too much is paid", seven, paid("2024-02-15", 12_000), "2024-02-15", "0 0 0 1914 0 []"},
		{"interest behind the last due", seven, nil, "2024-08-01", "10406 406 0 0 182 [1 0 0 58 1643 2 0 0 58 1652 3 0 0 58 1662 4 0 0 58 1672 5 0 0 58 1681 6 0 0 58 1690]"},
		{"late within the days of grace", late, nil, "2024-02-04", "10064 64 0 0 3 [1 0 0 58 1643]"},
		{"late behind them, for all days", late, nil, "2024-02-05", "10073 66 7 0 4 [1 0 7 58 1643]"},
		{"late on interest too", instalment, nil, "2024-02-09", "10088 74 14 0 8 [1 0 14 58 1643]"},
		{"paid late, the charge first", late, paid("2024-02-11", 1717), "2024-02-11", "8377 20 0 0 0 []"},
		{"fees fall due", fee, nil, "2024-02-01", "10158 58 0 0 0 [1 100 0 58 1643]"},
		{"waived interest", waived, nil, "2024-01-20", "10000 0 0 0 0 []"},
		{"behind the waiver", waived, nil, "2024-03-01", "10058 58 0 0 0 [2 0 0 58 0]"},
		{"deferred interest", deferred, nil, "2024-01-20", "10036 36 0 0 0 []"},
		{"behind the deferral", deferred, nil, "2024-03-01", "10116 116 0 0 0 [2 0 0 116 0]"},
		{"flat interest by the day", flat, paid("2024-02-01", 2620), "2024-02-15", "7558 58 0 0 0 []"},
	} {
		s, err := c.terms.Standing(advanced(10_000, "2024-01-01"), c.paid, c.date)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var late int64
		var dues []int64
		for _, due := range s.Dues {
			late += due.Late
			dues = append(dues, int64(due.N), due.Costs, due.Late, due.Interest, due.Principal)
		}
		if got := fmt.Sprint(s.Payoff(), s.Interest(), late, s.Over, s.DaysPastDue, dues); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestRevolving: what is drawn, repaid and drawn again bears interest on the days on which
// it is out, at a thousandth a day; nothing else falls due before the end.
func TestRevolving(t *testing.T) {
	line := terms.Terms{Method: terms.Bullet, Revolving: true, RatePartsPerMillion: 365_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 3, Every: terms.Interval{Months: 1}, FirstDue: "2026-02-01"}
	again := append(advanced(100_000, "2026-01-11"), advanced(80_000, "2026-02-11")...)
	for _, c := range []struct {
		name     string
		advances []terms.Advance
		paid     []terms.Payment
		date     tape.Date
		want     string
	}{
		{"drawn for 21 days", again[:1], nil, "2026-02-01", "102100 2100 [1 2100 0]"},
		{"repaid but for a half", again[:1], paid("2026-02-01", 52_100), "2026-02-01", "50000 0 []"},
		{"drawn again, to more than the first draw", again, paid("2026-02-01", 52_100), "2026-02-11", "130500 500 []"},
		{"interest of both falls due, and no principal", again, paid("2026-02-01", 52_100), "2026-03-01", "132840 2840 [2 2840 0]"},
		{"repaid wholly, and nothing runs", again, paid("2026-02-01", 52_100, "2026-03-01", 132_840), "2026-03-31", "0 0 []"},
		{"all principal is due at the end", again, paid("2026-02-01", 52_100, "2026-03-01", 2_840), "2026-04-01", "134030 4030 [3 4030 130000]"},
		{"what is first drawn behind a due owes nothing of it", again[1:], nil, "2026-02-11", "80000 0 []"},
		{"and its own days only", again[1:], nil, "2026-03-01", "81440 1440 [2 1440 0]"},
	} {
		s, err := line.Standing(c.advances, c.paid, c.date)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var dues []int64
		for _, due := range s.Dues {
			dues = append(dues, int64(due.N), due.Interest, due.Principal)
		}
		if got := fmt.Sprint(s.Payoff(), s.Interest(), dues); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	if end := line.LastDue(""); end != "2026-04-01" {
		t.Errorf("it ends on %s", end)
	}
}

func TestStandingRefusals(t *testing.T) {
	for _, c := range []struct {
		paid []terms.Payment
		date tape.Date
		want string
	}{
		{nil, "2026-03-14", "invalid: field date: lies before the first advance"},
		{nil, "2026-3-15", "invalid: field date: is not a date; write it as 2026-11-22"},
		{nil, "2150-03-15", "invalid: field date: lies 45290 days behind the first advance, 44000 at most"},
		{paid("2026-03-14", 1), "2026-04-01", "invalid: field payments[0].date: lies before the one before it, or behind 2026-04-01"},
		{paid("2026-04-02", 1), "2026-04-01", "invalid: field payments[0].date: lies before the one before it, or behind 2026-04-01"},
		{paid("2026-03-20", 1, "2026-03-19", 1), "2026-04-01", "invalid: field payments[1].date: lies before the one before it, or behind 2026-04-01"},
		{paid("2026-03-20", 0), "2026-04-01", "invalid: field payments[0].amount: 0.00 CNY is not more than zero"},
		{[]terms.Payment{{Amount: money.New(1, "USD"), Date: "2026-03-20"}}, "2026-04-01", "invalid: field payments[0].amount: 0.01 USD is not in CNY, the currency of the account"},
		{paid("2026-03-20", money.Max, "2026-03-20", 1), "2026-04-01", "invalid: field payments[1]: the total is larger than 9007199254740991 minor units"},
		{make([]terms.Payment, terms.PaymentsMax+1), "2026-04-01", "invalid: field payments: are 10001, 10000 at most"},
	} {
		if _, err := usual().Standing(advanced(100_000, "2026-03-15"), c.paid, c.date); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestAnotherSchedule: rows of other advances are not a loan's.
func TestAnotherSchedule(t *testing.T) {
	s, err := usual().Schedule(advanced(100_000, "2026-04-15"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][]terms.Instalment{nil, s.Instalments, append(s.Instalments, s.Instalments...)} {
		if _, err := usual().StandingOn(rows, advanced(100_000, "2026-03-15"), nil, "2026-06-01"); err == nil || err.Error() != "conflict: field rows: are not the schedule of these advances" {
			t.Errorf("got %v", err)
		}
	}
}

// TestPaidAsScheduled: whoever pays each instalment on its day owes nothing behind
// the last; whoever pays the pay-off owes nothing from that day on.
func TestPaidAsScheduled(t *testing.T) {
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		loan, advances := drawn(t)
		s, err := loan.Schedule(advances)
		if err != nil {
			return
		}
		made++
		var payments []terms.Payment
		last := s.Instalments[len(s.Instalments)-1].Due
		for _, row := range s.Instalments {
			if row.Total() > 0 {
				payments = append(payments, terms.Payment{Amount: cny(row.Total()), Date: row.Due})
			}
			at, err := loan.Standing(advances, payments, row.Due)
			if on, failed := loan.StandingOn(s.Instalments, advances, payments, row.Due); !reflect.DeepEqual(on, at) || fmt.Sprint(failed) != fmt.Sprint(err) {
				t.Fatalf("by its schedule it stands at %+v, %v, not at %+v, %v", on, failed, at, err)
			}
			if err != nil || at.Payoff() != row.Balance+drawnOn(advances, row.Due) && loan.GraceInterest != terms.Deferred || at.Over != 0 || len(at.Dues) != 0 {
				t.Fatalf("on %s: %+v, %v", row.Due, at, err)
			}
		}
		day := advances[len(advances)-1].Date.AddDays(rapid.IntRange(0, 400).Draw(t, "payoff"))
		for len(payments) > 0 && payments[len(payments)-1].Date >= day {
			payments = payments[:len(payments)-1]
		}
		payoff, err := loan.Payoff(advances, payments, day)
		if err != nil {
			t.Fatal(err)
		}
		if payoff.Units > 0 {
			payments = append(payments, terms.Payment{Amount: payoff, Date: day})
		}
		later := last.AddDays(500)
		if at, err := loan.Standing(advances, payments, later); err != nil || at.Payoff() != 0 || at.Over != 0 {
			t.Fatalf("%s paid on %s, then %+v, %v", payoff, day, at, err)
		}
	})
	if made < least() {
		t.Errorf("only %d schedules were made", made)
	}
}

func drawnOn(advances []terms.Advance, day tape.Date) (units int64) {
	for _, a := range advances {
		if a.Date == day {
			units += a.Amount.Units
		}
	}
	return units
}
