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
