package terms_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
)

// read decodes a file of testdata.
func read[T any](t testing.TB, name string) T {
	t.Helper()
	var value T
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(name, err)
	}
	return value
}

// written spells minor units without the currency.
func written(units int64, currency money.Currency) string {
	text, _, _ := strings.Cut(money.New(units, currency).String(), " ")
	return text
}

// schedule is a published one. Each row is principal, interest, and the balance behind it.
type schedule struct {
	ID, Source string
	Terms      terms.Terms
	Advances   []terms.Advance
	Rows       [][]string
}

func published(t testing.TB) []schedule { return read[[]schedule](t, "schedules.json") }

// TestPublishedSchedules: what other houses publish comes out to the unit.
func TestPublishedSchedules(t *testing.T) {
	for _, c := range published(t) {
		s, err := c.Terms.Schedule(c.Advances)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		var got [][]string
		for _, row := range s.Instalments {
			got = append(got, []string{written(row.Principal, s.Currency), written(row.Interest, s.Currency), written(row.Balance, s.Currency)})
		}
		if fmt.Sprint(got) != fmt.Sprint(c.Rows) {
			t.Errorf("%s (%s):\n got %v\nwant %v", c.ID, c.Source, got, c.Rows)
		}
	}
}

// TestSmallAmounts: where rounding weighs as much as what is rounded. Rows are principal and interest.
func TestSmallAmounts(t *testing.T) {
	each := func(method terms.Method, instalments int32) terms.Terms {
		return terms.Terms{Method: method, DayCount: terms.Periods, RatePer: terms.PerInterval, Rounding: terms.HalfUp, Instalments: instalments, Every: terms.Interval{Months: 1}}
	}
	flat := each(terms.Flat, 2)
	flat.RatePartsPerMillion = 1_000_000
	crop := each(terms.Crop, 3)
	crop.CropPrincipalPartsPerMillion, crop.Difference, crop.InstalmentMultipleUnits = []int32{0, 500_000, 500_000}, terms.First, 10
	annuity := each(terms.Annuity, 2)
	annuity.RatePartsPerMillion, annuity.Rounding, annuity.InstalmentRounding, annuity.Difference = 1, terms.Up, terms.HalfUp, terms.First
	for _, c := range []struct {
		name  string
		terms terms.Terms
		units int64
		want  string
	}{
		{"who repays all at once owes no interest later", flat, 1, "[[1 2] [0 0]]"},
		{"the first that pays anything takes the difference", crop, 4, "[[0 0] [4 0] [0 0]]"},
		{"the last keeps what it would else owe interest without", annuity, 1, "[[0 1] [1 1]]"},
		{"the first takes what the last is off", annuity, 3, "[[2 1] [1 1]]"},
	} {
		s, err := c.terms.Schedule(advanced(c.units, "2026-01-01"))
		var rows [][2]int64
		for _, row := range s.Instalments {
			rows = append(rows, [2]int64{row.Principal, row.Interest})
		}
		if got := fmt.Sprint(rows); err != nil || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.want)
		}
	}
}
