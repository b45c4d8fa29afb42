package terms_test

import (
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// usual are terms that nothing is wrong with.
func usual() terms.Terms {
	return terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
}

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func advanced(units int64, day tape.Date) []terms.Advance {
	return []terms.Advance{{Amount: cny(units), Date: day}}
}

type offer struct {
	T terms.Terms
	A []terms.Advance
}

// TestRefusals: each row changes one thing in terms that are allowed.
func TestRefusals(t *testing.T) {
	crop := func(o *offer) {
		o.T.Method, o.T.Instalments, o.T.CropPrincipalPartsPerMillion = terms.Crop, 2, []int32{400_000, 600_000}
	}
	for _, c := range []struct {
		change func(*offer)
		want   string
	}{
		{func(o *offer) { o.T.Method = "balloon" }, "invalid: field method: is not one of annuity, equal-principal, flat, bullet, crop, after-sale"},
		{func(o *offer) { o.T.RatePartsPerMillion = -1 }, "invalid: field ratePartsPerMillion: is -1, not 0 to 10000000 parts per million"},
		{func(o *offer) { o.T.RatePartsPerMillion = terms.RateMax + 1 }, "invalid: field ratePartsPerMillion: is 10000001, not 0 to 10000000 parts per million"},
		{func(o *offer) { o.T.DayCount = "act/365f" }, "invalid: field dayCount: is not one of ACT/365F, ACT/360, ACT/364, ACT/ACT, 30/360, 30E/360, 30E/360-ISDA, 30/365, PERIODS"},
		{func(o *offer) { o.T.Rounding = "" }, "invalid: field rounding: is not one of half-even, half-up, half-down, up, down"},
		{func(o *offer) { o.T.Instalments = 0 }, "invalid: field instalments: is 0, not 1 to 600"},
		{func(o *offer) { o.T.Instalments = 601 }, "invalid: field instalments: is 601, not 1 to 600"},
		{func(o *offer) { o.T.Method = terms.AfterSale }, "invalid: field instalments: is 12; an after-sale loan has 1"},
		{func(o *offer) { o.T.SaleDays = 3 }, "invalid: field saleDays: is not 0 to 366, or the loan is not due after a sale"},
		{func(o *offer) { o.T.Every = terms.Interval{} }, "invalid: field every: needs exactly one of months, weeks, days"},
		{func(o *offer) { o.T.Every.Days = 1 }, "invalid: field every: needs exactly one of months, weeks, days"},
		{func(o *offer) { o.T.Every.Months = -1 }, "invalid: field every: is not 1 to 600 months, 1 to 2600 weeks or 1 to 18300 days"},
		{func(o *offer) { o.T.Every.Months = 62 }, "invalid: field instalments: with their interval come to 22320 days, 22000 at most"},
		{func(o *offer) { o.T.FirstDue = "2026-02-30" }, "invalid: field firstDue: is not a date; write it as 2026-11-22"},
		{func(o *offer) { o.T.FirstDue = "3000-01-01" }, "invalid: field firstDue: is not between 1900 and 2899"},
		{func(o *offer) { o.T.DueDates = []tape.Date{"2026-12-01"} }, "invalid: field dueDates: cannot stand beside every and firstDue"},
		{func(o *offer) { o.T.Every, o.T.DueDates = terms.Interval{}, []tape.Date{"2026-12-01"} }, "invalid: field dueDates: are 1 days for 12 instalments"},
		{func(o *offer) {
			o.T.Every, o.T.Instalments, o.T.DueDates = terms.Interval{}, 2, []tape.Date{"2026-12-01", "2026-12-01"}
		}, "invalid: field dueDates[1]: is not later than the one before"},
		{func(o *offer) {
			o.T.Every, o.T.Instalments, o.T.DueDates = terms.Interval{}, 1, []tape.Date{"2026-13-01"}
		}, "invalid: field dueDates[0]: is not a date; write it as 2026-11-22"},
		{func(o *offer) {
			o.T.Every, o.T.Instalments, o.T.DueDates, o.T.DayCount = terms.Interval{}, 1, []tape.Date{"2026-12-01"}, terms.Periods
		}, "invalid: field dayCount: is PERIODS, which needs equal intervals"},
		{func(o *offer) { o.T.RatePer = "month" }, "invalid: field ratePer: is not one of interval"},
		{func(o *offer) { o.T.RatePer = terms.PerInterval }, "invalid: field dayCount: must be PERIODS where the rate is of an interval"},
		{func(o *offer) { o.T.InstalmentRounding = "ceil" }, "invalid: field instalmentRounding: is not one of half-even, half-up, half-down, up, down"},
		{func(o *offer) { o.T.InstalmentMultipleUnits = -1 }, "invalid: field instalmentMultipleUnits: is not 0 to 1000000"},
		{func(o *offer) { o.T.InterestMultipleUnits = 1_000_001 }, "invalid: field interestMultipleUnits: is not 0 to 1000000"},
		{func(o *offer) { o.T.Difference = terms.Cumulative }, "invalid: field difference: is not one of last, first, level, adjust"},
		{func(o *offer) { o.T.Method, o.T.Difference = terms.Bullet, terms.Level }, "invalid: field difference: is not one of last"},
		{func(o *offer) { o.T.Method, o.T.Difference = terms.Flat, terms.Adjust }, "invalid: field difference: is not one of last, first, level, cumulative, split"},
		{func(o *offer) { o.T.InterestDifference = terms.Level }, "invalid: field interestDifference: is for flat interest only"},
		{func(o *offer) { o.T.Method, o.T.InterestDifference = terms.Flat, terms.Adjust }, "invalid: field interestDifference: is not one of last, first, level, cumulative, split"},
		{func(o *offer) { o.T.GracePrincipalInstalments = 12 }, "invalid: field gracePrincipalInstalments: is 12; it leaves at least one of 12 instalments"},
		{func(o *offer) { o.T.GraceInterestInstalments, o.T.GraceInterest = 1, terms.Waived }, "invalid: field graceInterestInstalments: is 1; only instalments without principal can be without interest"},
		{func(o *offer) { o.T.GraceInterest = terms.Waived }, "invalid: field graceInterest: goes with graceInterestInstalments"},
		{func(o *offer) {
			o.T.GracePrincipalInstalments, o.T.GraceInterestInstalments, o.T.GraceInterest = 1, 1, "forgotten"
		}, "invalid: field graceInterest: is not one of waived, deferred"},
		{func(o *offer) { o.T.CropPrincipalPartsPerMillion = []int32{1_000_000} }, "invalid: field cropPrincipalPartsPerMillion: is for the method crop only"},
		{func(o *offer) { crop(o); o.T.Instalments = 3 }, "invalid: field cropPrincipalPartsPerMillion: has 2 parts for 3 instalments that pay principal"},
		{func(o *offer) { crop(o); o.T.CropPrincipalPartsPerMillion[1]++ }, "invalid: field cropPrincipalPartsPerMillion: sums to 1000001, not to 1000000"},
		{func(o *offer) { crop(o); o.T.CropPrincipalPartsPerMillion[1] = -1 }, "invalid: field cropPrincipalPartsPerMillion[1]: is not 0 to 1000000"},
		{func(o *offer) { crop(o); o.T.CropInterestPartsPerMillion = []int32{0, 999_999} }, "invalid: field cropInterestPartsPerMillion: sums to 999999, not to 1000000"},
		{func(o *offer) {
			crop(o)
			o.T.CropPrincipalPartsPerMillion, o.T.CropInterestPartsPerMillion = []int32{1_000_000, 0}, []int32{0, 1_000_000}
		}, "invalid: field cropInterestPartsPerMillion[1]: is behind the last part of the principal"},
		{func(o *offer) { o.T.Instalment = cny(100_00) }, "invalid: field instalment: is for annuities whose last instalment takes the difference, with 0 instalments"},
		{func(o *offer) { o.T.Instalment, o.T.Instalments = cny(-1), 0 }, "invalid: field instalment: -0.01 CNY is not more than zero"},
		{func(o *offer) { o.T.Instalment, o.T.Instalments, o.T.DayCount = cny(100_00), 0, terms.EurobondISDA }, "invalid: field dayCount: needs the loan's last day, which an agreed instalment does not give"},
		{func(o *offer) { o.T.Instalment, o.T.Instalments = money.New(100_00, "USD"), 0 }, "invalid: field instalment: 100.00 USD is not in CNY"},
		{func(o *offer) { o.T.Instalment, o.T.Instalments = cny(4_00), 0 }, "invalid: instalment 1 of 2026-04-15 does not pay its interest of 510 minor units"},
		{func(o *offer) { o.T.Instalment, o.T.Instalments = cny(5_10), 0 }, "invalid: field instalment: 5.10 CNY does not repay the loan in 600 instalments"},
		{func(o *offer) { o.T.OddDays = "last" }, "invalid: field oddDays: is not one of first"},
		{func(o *offer) { o.T.Method, o.T.OddDays = terms.Bullet, terms.OddDaysFirst }, "invalid: field oddDays: is for annuities at equal intervals"},
		{func(o *offer) { o.T.LateRatePartsPerMillion = -1 }, "invalid: field lateRatePartsPerMillion: is -1, not 0 to 10000000 parts per million"},
		{func(o *offer) { o.T.LateRatePartsPerMillion = 1 }, "invalid: field lateOn: goes with lateRatePartsPerMillion"},
		{func(o *offer) { o.T.LateRatePartsPerMillion, o.T.LateOn = 1, "balance" }, "invalid: field lateOn: is not one of principal, instalment"},
		{func(o *offer) { o.T.LateGraceDays = 1 }, "invalid: field lateGraceDays: is not 0 to 366, or there is no late charge"},
		{func(o *offer) { o.T.Fees = make([]terms.Fee, 21) }, "invalid: field fees: are 21, 20 at most"},
		{func(o *offer) { o.T.Fees = []terms.Fee{{At: "end", PartsPerMillion: 1}} }, "invalid: field fees[0].at: is not one of disbursement, instalment"},
		{func(o *offer) { o.T.Fees = []terms.Fee{{At: terms.AtInstalment}} }, "invalid: field fees[0]: needs either an amount or partsPerMillion"},
		{func(o *offer) { o.T.Fees = []terms.Fee{{At: terms.AtInstalment, PartsPerMillion: -1}} }, "invalid: field fees[0].partsPerMillion: is not 1 to 1000000"},
		{func(o *offer) { o.T.Fees = []terms.Fee{{At: terms.AtInstalment, Amount: cny(-1)}} }, "invalid: field fees[0].amount: -0.01 CNY is not more than zero"},
		{func(o *offer) {
			o.T.Fees = []terms.Fee{{At: terms.AtInstalment, Amount: money.New(1, "USD")}}
		}, "invalid: field fees[0].amount: 0.01 USD is not in CNY"},
		{func(o *offer) { o.T.Allocation = "costs,late,interest" }, "invalid: field allocation: leaves one of costs, late, interest, principal out"},
		{func(o *offer) { o.T.Allocation = "costs,late,interest,principal,late" }, "invalid: field allocation: has late twice"},
		{func(o *offer) { o.T.Allocation = "rest" }, "invalid: field allocation: is neither law, costs-first, interest-first, principal-first nor costs, late, interest, principal joined by + and commas"},
		{func(o *offer) { o.A = nil }, "invalid: field advances: are 0, not 1 to 100"},
		{func(o *offer) { o.A[0].Amount = cny(0) }, "invalid: field advances[0].amount: 0.00 CNY is not more than zero"},
		{func(o *offer) { o.A[0].Amount = money.New(1, "XXX") }, "invalid: field advances[0].amount: is not a currency of ISO 4217"},
		{func(o *offer) { o.A[0].Date = "15.3.2026" }, "invalid: field advances[0].date: is not a date; write it as 2026-11-22"},
		{func(o *offer) { o.A = append(o.A, terms.Advance{Amount: cny(1), Date: "2026-03-14"}) }, "invalid: field advances[1].date: lies before the one before it"},
		{func(o *offer) {
			o.A = append(o.A, terms.Advance{Amount: money.New(1, "USD"), Date: "2026-03-15"})
		}, "invalid: field advances[1].amount: 0.01 USD is not in CNY, the currency of the account"},
		{func(o *offer) { o.A = append(o.A, terms.Advance{Amount: cny(money.Max), Date: "2026-03-15"}) }, "invalid: field advances[1]: the total is larger than 9007199254740991 minor units"},
		{func(o *offer) { o.A = append(o.A, terms.Advance{Amount: cny(1), Date: "2027-03-15"}) }, "invalid: field advances: one of 2027-03-15 is not earlier than the last due, 2027-03-15"},
		{func(o *offer) {
			o.T.Method = terms.Flat
			o.A = append(o.A, terms.Advance{Amount: cny(1), Date: "2026-03-16"})
		}, "invalid: field advances: with flat interest all are on one day"},
		{func(o *offer) { o.T.Revolving = true }, "invalid: field revolving: is for the method bullet only: what was repaid can be drawn again until the last due"},
		{func(o *offer) {
			o.T.Method, o.T.Revolving, o.T.Fees = terms.Bullet, true, []terms.Fee{{At: terms.AtInstalment, PartsPerMillion: 1}}
		}, "invalid: field revolving: goes with interest on what is drawn, without fees and without instalments that pay none"},
		{func(o *offer) {
			o.T.Method, o.T.Revolving, o.T.GraceInterestInstalments, o.T.GraceInterest = terms.Bullet, true, 1, terms.Waived
		}, "invalid: field revolving: goes with interest on what is drawn, without fees and without instalments that pay none"},
		{func(o *offer) {
			o.T.Method, o.T.Revolving, o.T.FirstDue = terms.Bullet, true, "2026-03-20"
			o.A[0].Date = "2027-02-20"
		}, "invalid: field advances: one of 2027-02-20 is not earlier than the last due, 2027-02-20"},
		{func(o *offer) { o.T.FirstDue = "2026-03-15" }, "invalid: field firstDue: 2026-03-15 is not later than the first advance"},
		{func(o *offer) { o.T.FirstDue = "2150-03-15" }, "invalid: field firstDue: the loan would last 45627 days, 44000 at most"},
		{func(o *offer) {
			o.A[0].Amount = cny(money.Max)
			o.T.Every.Months, o.T.RatePartsPerMillion = 3, terms.RateMax
		}, "invalid: an amount becomes larger than 9007199254740991 minor units"},
		{func(o *offer) {
			o.T.RatePartsPerMillion, o.T.InstalmentRounding, o.A[0].Amount = 1_200_000, terms.Down, cny(9)
			o.T.InstalmentMultipleUnits = 10
		}, "invalid: instalment 1 of 2026-04-15 does not pay its interest of 1 minor units"},
	} {
		o := offer{usual(), advanced(100_000, "2026-03-15")}
		if _, err := o.T.Schedule(o.A); err != nil {
			t.Fatal(err)
		}
		c.change(&o)
		if _, err := o.T.Schedule(o.A); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestInterestRefusals(t *testing.T) {
	for _, c := range []struct {
		units    int64
		rate     int32
		from, to tape.Date
		count    terms.DayCount
		rounding terms.Rounding
		want     string
	}{
		{-1, 0, "2026-01-01", "2026-02-01", terms.Act365, terms.HalfUp, "invalid: field units: is -1, not 0 to 9007199254740991"},
		{1, -1, "2026-01-01", "2026-02-01", terms.Act365, terms.HalfUp, "invalid: field ratePartsPerMillion: is -1, not 0 to 10000000 parts per million"},
		{1, 1, "2026-01-01", "2025-02-01", terms.Act365, terms.HalfUp, "invalid: field to: lies before the day from which it counts"},
		{1, 1, "2026-01-32", "2026-02-01", terms.Act365, terms.HalfUp, "invalid: field from: is not a date; write it as 2026-11-22"},
		{1, 1, "2026-01-01", "2026-02", terms.Act365, terms.HalfUp, "invalid: field to: is not a date; write it as 2026-11-22"},
		{1, 1, "2026-01-01", "2026-02-01", terms.Periods, terms.HalfUp, "invalid: field dayCount: does not count days without a loan's dues"},
		{1, 1, "2026-01-01", "2026-02-01", terms.EurobondISDA, terms.HalfUp, "invalid: field dayCount: does not count days without a loan's last day"},
		{1, 1, "2026-01-01", "2026-02-01", terms.Act365, "", "invalid: field rounding: is not one of half-even, half-up, half-down, up, down"},
		{money.Max, terms.RateMax, "2026-01-01", "2028-02-01", terms.Act365, terms.HalfUp, "invalid: an amount becomes larger than 9007199254740991 minor units"},
	} {
		if _, err := terms.Interest(c.units, c.rate, c.from, c.to, c.count, c.rounding); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestDays: every row that ISDA publishes for its conventions, as QuantLib's
// tests give them, and what the others count.
func TestDays(t *testing.T) {
	for _, c := range read[[]struct {
		DayCount terms.DayCount
		Last     tape.Date
		Rows     [][3]any
	}](t, "days.json") {
		for _, row := range c.Rows {
			from, to := tape.Date(row[0].(string)), tape.Date(row[1].(string))
			if days, err := c.DayCount.Days(from, to, c.Last); err != nil || days != int64(row[2].(float64)) {
				t.Errorf("%s from %s to %s: %d, want %v (%v)", c.DayCount, from, to, days, row[2], err)
			}
		}
	}
}

func TestInterest(t *testing.T) {
	for _, c := range []struct {
		units    int64
		rate     int32
		from, to tape.Date
		count    terms.DayCount
		rounding terms.Rounding
		want     int64
	}{
		{100_000, 1_000_000, "2026-01-01", "2026-01-02", terms.Act365, terms.Down, 273},
		{100_000, 1_000_000, "2026-01-01", "2026-01-02", terms.Act365, terms.Up, 274},
		{100_000, 1_000_000, "2026-01-01", "2026-01-02", terms.Act360, terms.HalfUp, 278},
		{100_000, 1_000_000, "2024-02-28", "2024-03-01", terms.ActAct, terms.HalfUp, 546},  // 2/366
		{100_000, 1_000_000, "2023-12-31", "2024-01-02", terms.ActAct, terms.HalfUp, 547},  // 1/365 + 1/366
		{100_000, 1_000_000, "2024-02-28", "2024-03-01", terms.Bond, terms.HalfUp, 833},    // 3/360
		{100_000, 1_000_000, "2024-02-28", "2024-03-01", terms.Bond365, terms.HalfUp, 822}, // 3/365
		{1, 1_825_000, "2026-01-01", "2026-04-11", terms.Act365, terms.HalfEven, 0},        // a half
		{3, 1_825_000, "2026-01-01", "2026-04-11", terms.Act365, terms.HalfEven, 2},        // one and a half
		{1, 1_825_000, "2026-01-01", "2026-04-11", terms.Act365, terms.HalfUp, 1},
		{1, 1_825_000, "2026-01-01", "2026-04-11", terms.Act365, terms.HalfDown, 0},
		{0, 1_825_000, "2026-01-01", "2026-01-01", terms.Act365, terms.Up, 0},
	} {
		if got, err := terms.Interest(c.units, c.rate, c.from, c.to, c.count, c.rounding); err != nil || got != c.want {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
}

// TestSold: an after-sale loan is due behind the sale, and not behind its last day.
func TestSold(t *testing.T) {
	loan := usual()
	loan.Method, loan.Instalments, loan.FirstDue, loan.SaleDays = terms.AfterSale, 1, "2026-12-31", 5
	for _, c := range []struct {
		sale tape.Date
		due  tape.Date
		want string
	}{
		{"2026-10-20", "2026-10-25", ""},
		{"2026-12-30", "2026-12-31", ""},
		{"2026-03-14", "", "invalid: field sale: lies before the first advance"},
		{"2026-3-14", "", "invalid: field sale: is not a date; write it as 2026-11-22"},
	} {
		sold, err := loan.Sold("2026-03-15", c.sale)
		if c.want != "" {
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: %v", c.sale, err)
			}
			continue
		}
		s, err := sold.Schedule(advanced(100_000, "2026-03-15"))
		if err != nil || len(s.Instalments) != 1 || s.Instalments[0].Due != c.due || !slices.Equal(sold.DueDates, []tape.Date{c.due}) {
			t.Errorf("%s: %+v %v", c.sale, s, err)
		}
	}
	if _, err := usual().Sold("2026-03-15", "2026-04-01"); err == nil || err.Error() != "invalid: field method: is not after-sale" {
		t.Error(err)
	}
}
