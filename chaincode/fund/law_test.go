package fund_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestLawFiles: what the law asks for is data, and each piece says where it stands.
func TestLawFiles(t *testing.T) {
	laws, err := fund.Laws()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("law/*.json")
	if err != nil || len(files) != len(laws) || len(laws) < 2 {
		t.Fatalf("%d files, %d laws, %v", len(files), len(laws), err)
	}
	for i, law := range laws {
		if err := law.InForce.Check(); err != nil || i > 0 && law.InForce <= laws[i-1].InForce {
			t.Errorf("%s is in force from %s: %v", law.ID, law.InForce, err)
		}
		if !slices.Contains(files, "law/"+law.ID+".json") || len(law.Sources) == 0 || law.LongMonths < 1 || law.SettleDays < 1 || law.ManagementFree.Positive("CNY") != nil {
			t.Errorf("%s: %+v", law.ID, law)
		}
		for _, duty := range law.Duties {
			checkDuty(t, law.ID, duty)
		}
		for _, ratio := range law.Ratios {
			if ratio.Article == "" || ratio.Of == "" || ratio.Organisation == "" || (ratio.LeastPartsPerMillion > 0) == (ratio.MostPartsPerMillion > 0) {
				t.Errorf("%s: %+v", law.ID, ratio)
			}
		}
	}
}

func checkDuty(t *testing.T, law string, duty fund.LawDuty) {
	t.Helper()
	// A filing is met by the regulator's number, so nobody publishes it.
	if duty.Duty != "filing" && !slices.Contains(fund.Duties(), duty.Duty) || duty.Article == "" {
		t.Errorf("%s: nobody can publish %+v", law, duty)
	}
	forms := 0
	for _, has := range []bool{slices.Contains([]string{"start", "end", "close"}, duty.After), duty.Before == "start", duty.Every, len(duty.Yearly) == 5} {
		if has {
			forms++
		}
	}
	if forms != 1 || (duty.Yearly == "") == (duty.Days == 0 && duty.Months == 0) || duty.EmergencyOnly && duty.OrdinaryOnly {
		t.Errorf("%s: it cannot be said when %+v is due", law, duty)
	}
	if duty.Yearly != "" {
		if err := tape.Date("2026-" + duty.Yearly).Check(); err != nil {
			t.Errorf("%s: %+v: %v", law, duty, err)
		}
	}
}

func TestLawsAreReadStrictly(t *testing.T) {
	data, err := os.ReadFile("law/cn-2026-01-01.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to string }{{`"settleDays"`, `"settledays2"`}, {`"every"`, `"each"`}, {`"days": 5`, `"days": "5"`}, {`200000.00 CNY`, `200000 CNY`}, {"}\n", "}\n{}"}} {
		spoilt := strings.Replace(string(data), c.from, c.to, 1)
		if c.from == "}\n" {
			spoilt = string(data) + "{}"
		}
		if law, err := fund.ReadLaw([]byte(spoilt)); err == nil || spoilt == string(data) {
			t.Errorf("%s: %+v", c.to, law)
		}
	}
}

func TestLawOn(t *testing.T) {
	for _, c := range []struct {
		day  tape.Date
		want string
	}{
		{"2024-09-04", "unsupported: no version of the disclosure law is known for 2024-09-04"},
		{"2024-09-05", "cn-2024-09-05"}, {"2025-12-31", "cn-2024-09-05"}, {"2026-01-01", "cn-2026-01-01"}, {"2030-02-28", "cn-2026-01-01"},
	} {
		law, err := fund.LawOn(c.day)
		if got := law.ID; got != c.want && fmt.Sprint(err) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.day, got, err, c.want)
		}
	}
}

// running is a campaign of some days that was handed in long before.
func running(from, to tape.Date) fund.Campaign {
	c := campaign()
	c.Plan.From, c.Plan.To, c.Submitted = from, to, from.AddDays(-10)
	return c
}

func emergency(from, to tape.Date) fund.Campaign {
	c := running(from, to)
	c.Plan.Emergency, c.Submitted = true, from
	return c
}

func closed(c fund.Campaign, at tape.Instant) fund.Campaign {
	c.State, c.Closed = fund.Closed, at
	return c
}

func draft(c fund.Campaign) fund.Campaign {
	c.State, c.Version, c.Filing = fund.Draft, 0, nil
	return c
}

func by2(basis fund.Basis, c fund.Campaign) fund.Campaign {
	c.Basis = basis
	return c
}

func late(c fund.Campaign) fund.Campaign {
	c.Submitted = c.Submitted.AddDays(1)
	return c
}

// published are publications, each "duty from to", of the day after or of the
// day that stands behind.
func published(rows ...string) fund.Facts {
	var facts fund.Facts
	for i, r := range rows {
		words := strings.Fields(r)
		p := fund.Publication{N: int32(i + 1), Duty: words[0], From: tape.Date(words[1]), To: tape.Date(words[2]), Date: tape.Date(words[2]).AddDays(1)}
		if len(words) > 3 {
			p.Date = tape.Date(words[3])
		}
		facts.Published = append(facts.Published, p)
	}
	return facts
}

// until says up to which day there was money.
func until(day tape.Date, facts fund.Facts) fund.Facts {
	facts.Until = day
	return facts
}

func partners(facts fund.Facts) fund.Facts {
	facts.Partners = true
	return facts
}

func numbered(day tape.Date, c fund.Campaign) fund.Campaign {
	c.Numbered = day
	return c
}

func TestClock(t *testing.T) {
	const day = tape.Day
	midnight := func(date string) tape.Instant { // the first moment of a day in the zone
		var at tape.Instant
		if err := at.UnmarshalText([]byte(date + "T00:00:00.000Z")); err != nil {
			t.Fatal(err)
		}
		return at - 8*tape.Hour
	}
	long := running("2026-01-01", "2026-12-31")
	for i, c := range []struct {
		campaign fund.Campaign
		facts    fund.Facts
		today    tape.Date
		want     string // duty date state days publication
	}{
		{long, fund.Facts{}, "2025-12-31", "filing 2025-12-22 met -9 0"},
		{long, fund.Facts{}, "2026-01-01", "filing 2025-12-22 met -10 0; progress 2026-04-01 running 90 0; annual 2027-05-31 running 515 0"},
		{late(long), fund.Facts{}, "2025-12-31", "filing 2025-12-22 late -9 0"},
		{long, fund.Facts{}, "2026-04-01", "filing 2025-12-22 met -100 0; progress 2026-04-01 running 0 0; annual 2027-05-31 running 425 0"},
		{long, fund.Facts{}, "2026-04-02", "filing 2025-12-22 met -101 0; progress 2026-04-01 overdue -1 0; annual 2027-05-31 running 424 0"},
		// Each counts from the day that the last of its own kind covers; another kind is no progress.
		{long, published("progress 2026-01-01 2026-03-20", "other 2026-01-01 2026-03-31", "annual 2026-01-01 2026-03-31"), "2026-04-02", "filing 2025-12-22 met -101 0; progress 2026-06-20 running 79 1; annual 2027-05-31 running 424 0"},
		// Month ends: three months after 30 November is the last of February.
		{running("2025-11-30", "2026-12-31"), fund.Facts{}, "2026-02-28", "filing 2025-11-20 met -100 0; progress 2026-02-28 running 0 0; annual 2026-05-31 running 92 0"},
		{running("2027-11-30", "2028-12-31"), fund.Facts{}, "2028-03-01", "filing 2027-11-20 met -102 0; progress 2028-02-29 overdue -1 0; annual 2028-05-31 running 91 0"},
		// Six months to the day are not long, a day more is.
		{running("2026-01-01", "2026-06-30"), fund.Facts{}, "2026-02-01", "filing 2025-12-22 met -41 0; annual 2027-05-31 running 484 0"},
		{running("2026-01-01", "2026-07-01"), fund.Facts{}, "2026-02-01", "filing 2025-12-22 met -41 0; progress 2026-04-01 running 59 0; annual 2027-05-31 running 484 0"},
		// What would be due after the end is the final publication's.
		{long, published("progress 2026-01-01 2026-10-01"), "2026-12-01", "filing 2025-12-22 met -344 0; annual 2027-05-31 running 181 0"},
		{long, published("progress 2026-01-01 2026-09-30"), "2027-01-01", "filing 2025-12-22 met -375 0; progress 2026-12-30 overdue -2 1; final 2027-03-31 running 89 0; annual 2027-05-31 running 150 0"},
		{long, published("progress 2026-01-01 2026-09-30", "final 2026-01-01 2026-12-31"), "2027-01-01", "filing 2025-12-22 met -375 0; final 2027-03-31 met 89 2; annual 2027-05-31 running 150 0"},
		// A final publication before the end is none.
		{long, published("progress 2026-01-01 2026-11-30", "final 2026-01-01 2026-12-30"), "2027-04-01", "filing 2025-12-22 met -465 0; final 2027-03-31 overdue -1 0; annual 2027-05-31 running 60 0"},
		// Closed early: its end is that day, in the zone.
		{closed(long, midnight("2026-02-15")), until("2026-02-15", fund.Facts{}), "2026-02-15", "filing 2025-12-22 met -55 0; final 2026-05-15 running 89 0; remainder 2026-05-15 running 89 0; annual 2027-05-31 running 470 0"},
		{closed(long, midnight("2026-02-15")-1), until("2026-02-15", fund.Facts{}), "2026-02-15", "filing 2025-12-22 met -55 0; final 2026-05-14 running 88 0; remainder 2026-05-14 running 88 0; annual 2027-05-31 running 470 0"},
		{closed(long, midnight("2026-11-30")), until("2027-03-01", published("progress 2026-01-01 2026-11-01", "remainder 2026-01-01 2026-11-28", "final 2026-01-01 2026-11-30", "annual 2026-01-01 2026-11-30")), "2027-03-01",
			"filing 2025-12-22 met -434 0; final 2027-02-28 met -1 3; remainder 2027-02-28 overdue -1 0; annual 2027-05-31 met 91 4"},
		{closed(long, midnight("2026-11-30")), until("2026-12-05", published("progress 2026-01-01 2026-11-01", "final 2026-01-01 2026-12-30", "remainder 2026-11-30 2026-12-30")), "2027-03-01",
			"filing 2025-12-22 met -434 0; final 2027-02-28 met -1 2; remainder 2027-02-28 met -1 3; annual 2027-05-31 running 91 0"},
		// Years: each one that ran, whole, one after another.
		{running("2026-06-15", "2028-06-15"), published("progress 2026-06-15 2029-01-01", "annual 2026-06-15 2026-12-30"), "2027-06-01", "filing 2026-06-05 met -361 0; annual 2027-05-31 overdue -1 0"},
		{running("2026-06-15", "2028-06-15"), published("progress 2026-06-15 2029-01-01", "annual 2026-06-15 2026-12-31", "annual 2028-01-01 2028-12-31"), "2027-06-01", "filing 2026-06-05 met -361 0; annual 2028-05-31 running 365 2"},
		// An emergency: five days at a time, from a draft on; a number within ten.
		{draft(emergency("2028-02-25", "2028-03-20")), fund.Facts{}, "2028-02-29", "emergency 2028-03-01 running 1 0; filing 2028-03-06 running 6 0; annual 2029-05-31 running 457 0"},
		{draft(emergency("2026-02-25", "2026-03-20")), fund.Facts{}, "2026-03-08", "emergency 2026-03-02 overdue -6 0; filing 2026-03-07 overdue -1 0; annual 2027-05-31 running 449 0"},
		{numbered("2026-03-07", emergency("2026-02-25", "2026-03-20")), published("emergency 2026-02-25 2026-03-01", "progress 2026-02-25 2026-03-04"), "2026-03-05", "emergency 2026-03-06 running 1 1; filing 2026-03-07 met 2 0; annual 2027-05-31 running 452 0"},
		{numbered("2026-03-02", emergency("2026-02-25", "2026-02-28")), fund.Facts{}, "2026-03-02", "filing 2026-03-07 met 5 0; final 2026-05-28 running 87 0; annual 2027-05-31 running 455 0"},
		// What is met after its day is late for ever: a number, a final publication, that of the remainder, that of the last year.
		{numbered("2026-03-08", emergency("2026-02-25", "2026-02-28")), fund.Facts{}, "2026-03-09", "filing 2026-03-07 late -2 0; final 2026-05-28 running 80 0; annual 2027-05-31 running 448 0"},
		{closed(long, midnight("2026-11-30")), until("2027-03-01", published("progress 2026-01-01 2026-11-01", "final 2026-01-01 2026-11-30 2027-03-01", "remainder 2026-11-30 2027-03-01", "annual 2026-01-01 2026-11-30 2027-06-01")), "2027-06-02",
			"filing 2025-12-22 met -527 0; final 2027-02-28 late -94 2; remainder 2027-02-28 late -94 3; annual 2027-05-31 late -2 4"},
		// A final publication that leaves out the beginning is none.
		{closed(long, midnight("2026-11-30")), published("progress 2026-01-01 2026-11-01", "final 2026-01-02 2026-11-30"), "2026-12-01",
			"filing 2025-12-22 met -344 0; final 2027-02-28 running 89 0; annual 2027-05-31 running 181 0"},
		// One day after months of silence makes up for nothing; the gap can be filled.
		{long, published("progress 2026-06-01 2026-06-01"), "2026-06-02", "filing 2025-12-22 met -162 0; progress 2026-04-01 overdue -62 0; annual 2027-05-31 running 363 0"},
		{long, published("progress 2026-06-01 2026-06-01", "progress 2026-01-01 2026-05-31"), "2026-06-02", "filing 2025-12-22 met -162 0; progress 2026-09-01 running 91 1; annual 2027-05-31 running 363 0"},
		// Money that is left behind the last day: progress goes on, and its remainder is asked for although nobody closes.
		{long, until("2027-06-01", published("progress 2026-01-01 2026-12-31", "final 2026-01-01 2026-12-31", "annual 2026-01-01 2026-12-31")), "2027-06-01",
			"filing 2025-12-22 met -526 0; progress 2027-03-31 overdue -62 2; final 2027-03-31 met -62 2; remainder 2027-03-31 overdue -62 0; annual 2028-05-31 running 365 3"},
		{long, until("2026-12-31", published("progress 2026-01-01 2026-12-31", "final 2026-01-01 2026-12-31", "annual 2026-01-01 2026-12-31")), "2027-06-01",
			"filing 2025-12-22 met -526 0; final 2027-03-31 met -62 2; annual 2028-05-31 running 365 3"},
		// Closing late begins nothing anew.
		{closed(long, midnight("2027-05-01")), until("2027-05-01", published("progress 2026-01-01 2026-12-31", "final 2026-01-01 2026-12-31", "annual 2026-01-01 2026-12-31", "remainder 2026-12-31 2027-03-01")), "2027-06-01",
			"filing 2025-12-22 met -526 0; progress 2027-03-31 overdue -62 2; final 2027-03-31 met -62 2; remainder 2027-03-31 met -62 4; annual 2028-05-31 running 365 3"},
		// A short one that still spends after six months counts from its last day.
		{running("2026-01-01", "2026-03-31"), until("2026-06-30", fund.Facts{}), "2026-06-30", "filing 2025-12-22 met -190 0; final 2026-06-30 running 0 0; remainder 2026-06-30 running 0 0; annual 2027-05-31 running 335 0"},
		{running("2026-01-01", "2026-03-31"), until("2026-07-01", fund.Facts{}), "2026-07-01", "filing 2025-12-22 met -191 0; progress 2026-06-30 overdue -1 0; final 2026-06-30 overdue -1 0; remainder 2026-06-30 overdue -1 0; annual 2027-05-31 running 334 0"},
		// Partners are evaluated where there are any.
		{running("2026-01-01", "2026-03-31"), partners(published("final 2026-01-01 2026-03-31")), "2026-04-01", "filing 2025-12-22 met -100 0; final 2026-06-30 met 90 1; evaluation 2026-06-30 running 90 0; annual 2027-05-31 running 425 0"},
		{running("2026-01-01", "2026-03-31"), partners(published("final 2026-01-01 2026-03-31", "evaluation 2026-01-01 2026-03-31")), "2026-04-01", "filing 2025-12-22 met -100 0; final 2026-06-30 met 90 1; evaluation 2026-06-30 met 90 2; annual 2027-05-31 running 425 0"},
		// A draft that is no emergency has not begun; an agreement is not filed.
		{draft(long), fund.Facts{}, "2026-02-01", "filing 2025-12-22 met -41 0"},
		{by2(fund.Agreement, long), fund.Facts{}, "2026-02-01", "progress 2026-04-01 running 59 0; annual 2027-05-31 running 484 0"},
		{closed(by2(fund.Agreement, long), midnight("2025-12-01")), until("2025-12-01", fund.Facts{}), "2026-02-01", "remainder 2026-03-01 running 28 0"},
		{closed(by2(fund.Agreement, long), midnight("2025-12-01")-30*day), until("2025-12-02", fund.Facts{}), "2025-12-02", "remainder 2026-02-01 running 61 0"},
	} {
		law, err := fund.LawOn("2026-01-01")
		if err != nil {
			t.Fatal(err)
		}
		clock, err := law.Clock(c.campaign, zone, c.facts, c.today)
		var got []string
		for _, due := range clock {
			got = append(got, fmt.Sprintf("%s %s %s %d %d", due.Duty, due.Date, due.State, due.Days, due.Publication))
			if due.Article == "" {
				t.Errorf("row %d: %s has no article", i, due.Duty)
			}
		}
		if text := strings.Join(got, "; "); err != nil || text != c.want {
			t.Errorf("row %d, %s:\n got %s, %v\nwant %s", i, c.today, text, err, c.want)
		}
	}
	if _, err := fund.LawOn("2026-01-01"); err != nil {
		t.Error(err)
	}
	law := fund.Law{Duties: []fund.LawDuty{{Duty: "final", After: "end", Months: 3}}}
	if _, err := law.Clock(closed(long, noon), "Shanghai", fund.Facts{}, "2026-02-01"); err == nil {
		t.Error("a zone that is none")
	}
}

func TestJudge(t *testing.T) {
	law, err := fund.LawOn("2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		organisation                              string
		before                                    int64 // income of the year before
		programme, management, fundraising, units int64
		want                                      string
	}{
		{"public-foundation", 1_000_000_000, 700_000_000, 0, 0, 0, "programme 700000 true; management 0 true"},
		{"public-foundation", 1_000_000_000, 699_999_999, 0, 0, 0, "programme 699999 false; management 0 true"},
		{"public-foundation", 0, 0, 0, 0, 0, "programme 0 true; management 0 true"},
		{"public-foundation", 0, 900_000_000, 100_000_000, 0, 0, "programme 0 true; management 100000 true"},
		{"public-foundation", 0, 899_999_990, 100_000_001, 0, 0, "programme 0 true; management 100000 false"}, // one unit above rounds down to the limit
		{"public-foundation", 0, 800_000_000, 100_000_000, 100_000_000, 0, "programme 0 true; management 100000 true"},
		{"public-foundation", 0, 1, 19_999_999, 0, 0, "programme 0 true; management 999999 true"}, // below 200,000.00
		{"public-foundation", 0, 1, 20_000_000, 0, 0, "programme 0 true; management 999999 false"},
		// Known from a draft only; and by net assets, which the ledger does not know.
		{"public-association", 1_000_000_000, 0, 130_000_001, 0, 0, ""}, {"foundation", 1_000_000_000, 0, 130_000_001, 0, 0, ""}, {"association", 1, 1, 1, 1, 0, ""}, {"other", 1, 1, 1, 1, 0, ""},
		{"club", 1, 1, 1, 1, 0, ""},
		{"public-foundation", money.Max, money.Max / 10 * 7, money.Max, money.Max, 0, "programme 699999 false; management 370370 false"},
	} {
		year := fund.Year{Year: "2026", Currency: "CNY", Programme: c.programme, Management: c.management, Fundraising: c.fundraising}
		var got []string
		for _, r := range law.Judge(c.organisation, []fund.Year{{Income: c.before}}, year) {
			got = append(got, fmt.Sprintf("%s %d %t", r.Ratio, r.PartsPerMillion, r.Kept))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("row %d:\n got %s\nwant %s", i, text, c.want)
		}
	}
	// Where the mean of three years is lower than last year's income, it counts.
	for _, c := range []struct {
		incomes []int64
		want    string
	}{{[]int64{1_000, 100, 101}, "401 true 700748 true"}, {[]int64{1_000, 100, 103}, "401 true 700748 true"}, {[]int64{1_000, 100, 104}, "402 true 699004 false"},
		{[]int64{400, 600, 600}, "400 false 702500 true"}, {[]int64{1_000, 0}, "1000 false 281000 false"}, {[]int64{money.Max, money.Max, money.Max - 1}, "9007199254740991 false 0 false"}} {
		var earlier []fund.Year
		for _, income := range c.incomes {
			earlier = append(earlier, fund.Year{Income: income})
		}
		r := law.Judge("public-foundation", earlier, fund.Year{Currency: "CNY", Programme: 281})[0]
		if got := fmt.Sprintf("%d %t %d %t", r.Whole.Units, r.Mean, r.PartsPerMillion, r.Kept); got != c.want {
			t.Errorf("%v: %s, not %s", c.incomes, got, c.want)
		}
	}
	// The exemption is an amount of one currency.
	if r := law.Judge("public-foundation", nil, fund.Year{Currency: "USD", Programme: 1, Management: 1}); r[1].Kept {
		t.Errorf("a free amount of another currency: %+v", r)
	}
}

// TestSharesAgainstBigNumbers: two ways to compute a share that must be one.
func TestSharesAgainstBigNumbers(t *testing.T) {
	seed := ruletest.Setting(t, "LIANBAO_SEED", rand.Uint64())
	t.Logf("LIANBAO_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	number := func() int64 { return random.Int64N(money.Max+1) >> random.IntN(53) }
	million := big.NewInt(1_000_000)
	for range 20_000 {
		part, whole, parts := number(), number(), random.Int32N(1_000_001)
		want := new(big.Int)
		if whole > 0 {
			want.Quo(want.Mul(big.NewInt(part), million), big.NewInt(whole))
		}
		if limit := big.NewInt(money.Max); want.Cmp(limit) > 0 {
			want = limit
		}
		if got := fund.PartsPerMillion(part, whole); got != want.Int64() {
			t.Fatalf("%d of %d is %d parts, not %s", part, whole, got, want)
		}
		want.Quo(want.Mul(big.NewInt(whole), big.NewInt(int64(parts))), million)
		if got := fund.Share(whole, parts); got != want.Int64() {
			t.Fatalf("%d parts of %d are %d, not %s", parts, whole, got, want)
		}
		law := fund.Law{Ratios: []fund.LawRatio{{Ratio: "programme", LeastPartsPerMillion: int64(parts) + 1}}}
		left, right := new(big.Int).Mul(big.NewInt(part), million), new(big.Int).Mul(big.NewInt(whole), big.NewInt(int64(parts)+1))
		if got := law.Judge("", []fund.Year{{Income: whole}}, fund.Year{Programme: part, Currency: "CNY"})[0].Kept; got != (whole == 0 || left.Cmp(right) >= 0) {
			t.Fatalf("%d of %d against %d: %t", part, whole, parts, got)
		}
	}
}
