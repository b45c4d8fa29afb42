package credit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Whoever stands here is invented.
const (
	day    = tape.Date("2026-11-30")
	person = tape.ID("person-1")
)

var household = tape.AccountID("household:" + string(tape.PseudonymFrom("an invented household")) + ":coffee")

func model(t testing.TB, industry string) credit.Model {
	t.Helper()
	m, err := credit.ModelOn(industry, day)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// models are all that are known.
func models(t testing.TB) (list []credit.Model) {
	t.Helper()
	ids, err := credit.Models()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		m, err := credit.ModelOf(id)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// consent is for one class of data, by the entry coop/consent-<class>.
func consent(about string) credit.Consent {
	return credit.Consent{About: about, From: "2026-01-15", Organisation: "bank", Person: person, Purpose: "credit", Reference: "coop/consent-" + about, Until: "2027-01-14"}
}

// input is recorded by an entry that bears its indicator and number, under the consent for its class.
func input(t testing.TB, m credit.Model, name string, n int, on tape.Date, value int32) credit.Input {
	t.Helper()
	indicator := indicatorOf(t, m, name)
	return credit.Input{Consent: "coop/consent-" + indicator.About, Day: on, Indicator: name,
		Source: fmt.Sprintf("%s/coop/%s-%d", indicator.Evidence[0], name, n), Value: value}
}

func indicatorOf(t testing.TB, m credit.Model, name string) credit.Indicator {
	t.Helper()
	for _, factor := range m.Factors {
		for _, indicator := range factor.Indicators {
			if indicator.Indicator == name {
				return indicator
			}
		}
	}
	t.Fatalf("%s asks for no %s", m.ID, name)
	return credit.Indicator{}
}

// asking has every consent and no input yet.
func asking(m credit.Model) credit.Request {
	r := credit.Request{Day: day, Household: household, Organisation: "bank", Person: person, Inputs: []credit.Input{}, Consents: []credit.Consent{}}
	var classes []string
	for _, factor := range m.Factors {
		for _, indicator := range factor.Indicators {
			if !slices.Contains(classes, indicator.About) {
				classes = append(classes, indicator.About)
				r.Consents = append(r.Consents, consent(indicator.About))
			}
		}
	}
	return r
}

// grower is a coffee household of which most is known.
func grower(t testing.TB) credit.Request {
	m := model(t, "coffee")
	r := asking(m)
	r.Inputs = []credit.Input{
		input(t, m, "meetings-attended", 1, "2026-06-30", 800_000),
		input(t, m, "training-completed", 1, "2026-03-01", 1),
		input(t, m, "agreement-breaches", 1, "2026-11-01", 0),
		input(t, m, "seasons-delivered", 1, "2026-02-01", 4),
		input(t, m, "delivery-kept", 1, "2025-02-01", 900_000),
		input(t, m, "delivery-kept", 2, "2026-02-01", 800_001),
		input(t, m, "sales-trend", 1, "2026-02-01", 950_000),
		input(t, m, "canopy-index", 1, "2026-10-01", 900_000),
		input(t, m, "days-past-due", 1, "2026-04-01", 3),
		input(t, m, "loans-repaid", 1, "2025-04-01", 1),
		input(t, m, "loans-repaid", 2, "2026-04-01", 1),
	}
	return r
}

// told writes a score in one line: the points of each factor, and the sum.
func told(s credit.Score) string {
	var words []string
	for _, f := range s.Factors {
		word := fmt.Sprintf("%s %d/%d", f.Factor, f.Points, f.Of)
		if f.Bonus > 0 {
			word += fmt.Sprintf("+%d", f.Bonus)
		}
		words = append(words, word)
	}
	return strings.Join(append(words, fmt.Sprint(s.Points)), ", ")
}

// spelled is a record's canonical bytes.
func spelled(t testing.TB, record any) string {
	t.Helper()
	data, err := canonical.Encode(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
