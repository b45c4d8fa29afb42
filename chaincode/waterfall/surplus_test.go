package waterfall_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

func law(t testing.TB) waterfall.Law {
	t.Helper()
	law, err := waterfall.LawOn(day)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

// TestLawFiles: what the law asks is data, and says where it stands.
func TestLawFiles(t *testing.T) {
	laws, err := waterfall.Laws()
	files, _ := filepath.Glob("law/*.json")
	if err != nil || len(laws) == 0 || len(files) != len(laws) {
		t.Fatalf("%d files, %d laws, %v", len(files), len(laws), err)
	}
	for i, law := range laws {
		if !slices.Contains(files, "law/"+law.ID+".json") || law.Article == "" || law.Source == "" || i > 0 && law.InForce <= laws[i-1].InForce {
			t.Errorf("%+v", law)
		}
	}
	if got := law(t); got.VolumePartsPerMillionMin != 600_000 {
		t.Errorf("art. 44 asks for 60 %%, not for %d parts per million", got.VolumePartsPerMillionMin)
	}
	if _, err := waterfall.LawOn("2018-06-30"); err == nil || !strings.HasPrefix(err.Error(), "unsupported: ") {
		t.Errorf("the day before: %v", err)
	}
}

func TestLawsAreReadStrictly(t *testing.T) {
	data, err := os.ReadFile("law/cn-2018-07-01.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{`"source"`, `"Source"`, "invalid: field"},
		{`"source"`, `"sources"`, "invalid: unknown field"},
		{`"id":`, `"article": "none", "id":`, "invalid: field article: stands twice"},
		{`600000`, `"600000"`, "invalid: field volumePartsPerMillionMin: "},
		{`600000`, `1000001`, "invalid: field volumePartsPerMillionMin: is 1000001; 0 to 1000000 is possible"},
		{`600000`, `-1`, "invalid: field volumePartsPerMillionMin: is -1"},
		{`"2018-07-01",`, `"2018-07-32",`, "invalid: field inForce: is not a date"},
		{"}\n", "}{}\n", "invalid: there is text behind the JSON document"},
	} {
		_, err := waterfall.ReadLaw([]byte(strings.Replace(string(data), c.from, c.to, 1)))
		if c.want == "" && err != nil || c.want != "" && !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
}

// surplus is 10,000.00 of three members, 70 % of it by volume.
func surplus() waterfall.Surplus {
	return waterfall.Surplus{Amount: cny(1_000_000), VolumePartsPerMillion: 700_000,
		Members: []waterfall.Member{{Household: house(3), Volume: 1, Capital: 500}, {Household: house(1), Volume: 5, Capital: 0}, {Household: house(2), Volume: 1, Capital: 100}}}
}

// TestSurplus: by hand. Of 10,000.00, 7,000.00 go by 5:1:1 and 3,000.00 by 0:100:500.
func TestSurplus(t *testing.T) {
	for _, c := range []struct {
		amount int64
		part   int32
		want   string // by volume and by capital, of each
	}{
		{1_000_000, 700_000, "500000+0 100000+50000 100000+250000"},
		{1_000_000, 600_000, "428572+0 85714+66667 85714+333333"},
		{1_000_000, 1_000_000, "714286+0 142857+0 142857+0"},
		{1, 600_000, "1+0 0+0 0+0"}, // six tenths of a unit: rounded up, so that the law is kept
		{11, 600_000, "5+0 1+1 1+3"},
	} {
		s := surplus()
		s.Amount, s.VolumePartsPerMillion = cny(c.amount), c.part
		dividends, err := s.Distribute(law(t))
		var words []string
		for _, d := range dividends {
			words = append(words, fmt.Sprintf("%d+%d", d.ByVolume.Units, d.ByCapital.Units))
		}
		if got := strings.Join(words, " "); got != c.want || err != nil {
			t.Errorf("%d, %d:\n got %s, %v\nwant %s", c.amount, c.part, got, err, c.want)
		}
		if err := law(t).Keeps(s.Amount, dividends); err != nil {
			t.Error(err)
		}
	}
}

func TestSurplusRefusals(t *testing.T) {
	ruletest.Refusals(t, surplus, func(s waterfall.Surplus) error { _, err := s.Distribute(law(t)); return err }, []row[waterfall.Surplus]{
		{func(s *waterfall.Surplus) { s.Amount = money.Amount{} }, "invalid: field amount: is not a currency"},
		{func(s *waterfall.Surplus) { s.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *waterfall.Surplus) { s.VolumePartsPerMillion = 599_999 }, "forbidden: field volumePartsPerMillion: is 599999; Farmers' Cooperatives Law art. 44 asks for 600000 to 1000000"},
		{func(s *waterfall.Surplus) { s.VolumePartsPerMillion = 1_000_001 }, "forbidden: field volumePartsPerMillion: is 1000001"},
		{func(s *waterfall.Surplus) { s.Members = nil }, "invalid: field members: names 0; 1 to 100000 is possible"},
		{func(s *waterfall.Surplus) { s.Members = make([]waterfall.Member, 100_001) }, "invalid: field members: names 100001"},
		{func(s *waterfall.Surplus) { s.Members[1].Household = "a" }, "invalid: field members[1].household: is not an account"},
		{func(s *waterfall.Surplus) { s.Members[1].Household = house(3) }, "invalid: field members[1].household: " + string(house(3)) + " stands twice"},
		{func(s *waterfall.Surplus) { s.Members[1].Volume = -5 }, "invalid: field members[1].volume: is -5; 0 to "},
		{func(s *waterfall.Surplus) { s.Members[1].Capital = -5 }, "invalid: field members[1].capital: is -5; 0 to "},
		{func(s *waterfall.Surplus) { s.Members[1].Volume = money.Max }, "invalid: field members: have together a volume or capital of more than"},
		{func(s *waterfall.Surplus) { s.Members[1].Capital = money.Max }, "invalid: field members: have together a volume or capital of more than"},
		{func(s *waterfall.Surplus) { s.Members[0].Volume, s.Members[1].Volume, s.Members[2].Volume = 0, 0, 0 }, "invalid: field members: have no volume, by which 700000 parts per million go back"},
		{func(s *waterfall.Surplus) { s.Members[0].Capital, s.Members[2].Capital = 0, 0 }, "invalid: field members: have no capital, by which the rest would go back"},
	})
}

type judged struct {
	Surplus   money.Amount
	Dividends []waterfall.Dividend
}

// TestKeepsRefusals: dividends that a meeting decided are judged by what the law asks.
func TestKeepsRefusals(t *testing.T) {
	ruletest.Refusals(t, func() judged {
		return judged{cny(101), []waterfall.Dividend{{cny(20), cny(31), house(1)}, {cny(20), cny(30), house(2)}}}
	}, func(s judged) error { return law(t).Keeps(s.Surplus, s.Dividends) }, []row[judged]{
		{func(s *judged) { s.Surplus = money.Amount{} }, "invalid: field amount: is not a currency"},
		{func(s *judged) { s.Surplus = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *judged) { s.Dividends[1].ByVolume = money.New(1, "USD") }, "invalid: field dividends[1]: 0.01 USD is not in CNY"},
		{func(s *judged) { s.Dividends[1].ByCapital = cny(-1) }, "invalid: field dividends[1]: -0.01 CNY is not more than zero"},
		{func(s *judged) { s.Dividends[1].ByCapital = cny(21) }, "insufficient: field dividends: are more than 1.01 CNY, the surplus"},
		{func(s *judged) { s.Dividends[1].ByCapital = cny(19) }, "conflict: field dividends: are 1.00 CNY of 1.01 CNY, the surplus"},
		// 60 % of 1.01 is 0.606: 0.60 is less than that.
		{func(s *judged) { s.Dividends[1].ByVolume, s.Dividends[1].ByCapital = cny(29), cny(21) }, "forbidden: field dividends: give back 0.60 CNY by volume; Farmers' Cooperatives Law art. 44 asks for 0.61 CNY of 1.01 CNY"},
	})
}

// TestSurplusIsExact: every distribution is the surplus to the unit and keeps the law.
func TestSurplusIsExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := waterfall.Surplus{Amount: cny(rapid.Int64Range(1, money.Max).Draw(r, "amount")), VolumePartsPerMillion: rapid.Int32Range(600_000, 1_000_000).Draw(r, "part")}
		for i := range rapid.IntRange(1, 9).Draw(r, "members") {
			s.Members = append(s.Members, waterfall.Member{Household: house(i + 1), Volume: rapid.Int64Range(1, 1<<40).Draw(r, "volume"), Capital: rapid.Int64Range(1, 1<<40).Draw(r, "capital")})
		}
		dividends, err := s.Distribute(law(t))
		if err != nil {
			r.Fatal(err)
		}
		if err := law(t).Keeps(s.Amount, dividends); err != nil {
			r.Fatal(err)
		}
	})
}
