package loan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/cmd/lianbao/loan"
)

// example is a question with its answer, as docs/loans.md shows them.
var example = regexp.MustCompile(`(?ms)^\$ lianbao loan (\S+) <<'END'\n(.*?)^END\n(.*?)^` + "```")

func examples(t testing.TB) [][]string {
	document, err := os.ReadFile("../../../docs/loans.md")
	if err != nil {
		t.Fatal(err)
	}
	return example.FindAllStringSubmatch(string(document), -1)
}

// TestDocumentedExamples: each question of the document has the answer that stands there.
func TestDocumentedExamples(t *testing.T) {
	asked := map[string]bool{}
	for _, e := range examples(t) {
		question, input, want := e[1], e[2], e[3]
		asked[question] = true
		answer, err := loan.Answer(question, []byte(input))
		if err != nil {
			t.Errorf("%s %s: %v", question, input, err)
			continue
		}
		if got := written(t, answer); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", question, input, got, want)
		}
	}
	for _, question := range loan.Questions() {
		if !asked[question] {
			t.Errorf("docs/loans.md has no example of %s", question)
		}
	}
}

// TestDocumentNamesEveryField: each field of questions and answers stands in the document.
func TestDocumentNamesEveryField(t *testing.T) {
	document, err := os.ReadFile("../../../docs/loans.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"loan.go", "payment.go", "../../../chaincode/loan/terms/terms.go", "../../../chaincode/loan/terms/flow.go", "../../../chaincode/loan/terms/regz.go",
		"sale.go", "../../../chaincode/waterfall/waterfall.go", "../../../chaincode/waterfall/sale.go", "../../../chaincode/waterfall/settlement.go"} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range regexp.MustCompile("`json:\"([A-Za-z]+)").FindAllStringSubmatch(string(source), -1) {
			if !regexp.MustCompile("[`\"]" + field[1] + "[`\"]").Match(document) {
				t.Errorf("docs/loans.md does not name %s of %s", field[1], path)
			}
		}
	}
}

func written(t *testing.T, answer any) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(answer); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestAnswers: what the document's examples do not show. The answer is written in short.
func TestAnswers(t *testing.T) {
	const seven = `"terms":{"method":"annuity","ratePartsPerMillion":70000,"dayCount":"PERIODS","rounding":"half-even","instalments":2,"every":{"months":1}}`
	const lent = `"advances":[{"date":"2024-01-01","amount":"100.00 CNY"}]`
	const dues = `"dues":[{"n":2,"due":"2026-04-01","principal":"200.00 CNY"},{"n":1,"due":"2026-03-01","interest":"10.00 CNY","principal":"100.00 CNY"}]`
	const grower = "household:goojchpgdcjclhefnchgcleaimhocjfd:coffee"
	const sold = `"sale":{"costs":[],"deliveries":[{"household":"` + grower + `","weight":"2"}],"proceeds":"1.00 CNY"},"terms":{"day":"2026-11-30","livingFloor":"0.00 CNY","livingFloorPartsPerMillion":0,"windowDays":0}`
	const owes = `{"household":"` + grower + `","debts":[{"creditors":[{"account":"lender:bank:loans","weight":"1"}],"owed":"0.30 CNY","reference":"loan/s/1"}],"dues":[{"amount":"0.30 CNY","date":"2026-11-01","debt":"loan/s/1","rank":"overdue"}]}`
	for _, c := range []struct{ question, input, want string }{
		{"days", `{"dayCount":"30E/360-ISDA","from":"2011-08-31","last":"2012-02-29","to":"2012-02-29"}`, `{"days":179,"year":"179/360"}`},
		{"days", `{"dayCount":"ACT/ACT","from":"2023-12-31","to":"2024-01-01"}`, `{"days":1,"year":"1/365"}`},
		{"days", `{"dayCount":"PERIODS","from":"2023-12-31","to":"2024-01-01"}`, "invalid: field dayCount: does not count days without a loan's dues"},
		{"days", `{"dayCount":"weeks","from":"2023-12-31","to":"2024-01-01"}`, "invalid: field dayCount: is not one of ACT/365F"},
		{"days", `{"dayCount":"30/360","from":"2023-12-31"}`, "invalid: field to: is missing"},
		{"days", `{"dayCount":"30/360","from":"2023-12-31","to":"2024-01-01","amount":"1.00 CNY"}`, "invalid: field rounding: is not one of"},
		{"apr", `{"method":"european",` + seven + `,"advances":[{"amount":"100.00 CNY","at":{"date":"2024-01-01"}}]}`, `{"percent":"7.2","percentSixDecimals":"7.179484"}`},
		{"apr", `{"method":"united-states",` + seven + `,"advances":[{"amount":"100.00 CNY","at":{"date":"2024-01-01"}}]}`, `{"percent":"6.95","percentSixDecimals":"6.953535","unitPeriod":{"months":1}}`},
		{"apr", `{"method":"european",` + seven + `,"advances":[{"amount":"100.00 CNY","at":{"months":1}}]}`, "invalid: field advances[0]: has an amount and a date only, where there are terms"},
		{"apr", `{"method":"european",` + seven + `,"advances":[{"amount":"100.00 CNY","at":{"date":"2024-01-01"}}],"payments":[{"amount":"1.00 CNY"}]}`, "invalid: field payments: follow from the terms"},
		{"apr", `{"method":"british","advances":[{"amount":"1.00 CNY"}],"payments":[{"amount":"1.00 CNY"}]}`, "invalid: field method: is not one of european, united-states"},
		{"apr", `{"method":"european","unitPeriod":{"months":1},"advances":[],"payments":[]}`, "invalid: field payments: is empty; leave it out"},
		{"apr", `{"method":"european","unitPeriod":{"months":1},"advances":[{"amount":"1.00 CNY"}]}`, "invalid: field unitPeriod: is for the method united-states"},
		{"apr", `{"method":"united-states","yearDays":"365","advances":[{"amount":"1.00 CNY"}]}`, "invalid: field method: united-states takes neither counting nor yearDays"},
		{"schedule", `{` + seven + `,"advances":[]}`, "invalid: field advances: are 0, not 1 to 100"},
		{"schedule", `{` + seven + `,"advances":[],"sale":"2026-01-01"}`, "invalid: field advances: is empty"},
		{"schedule", `{` + seven + `,` + lent + `,"sale":"2026-01-01"}`, "invalid: field method: is not after-sale"},
		{"schedule", `{` + strings.Replace(seven, `"instalments":2`, `"instalments":-2`, 1) + `,` + lent + `}`, "invalid: field instalments: is -2, not 1 to 600"},
		{"schedule", `{` + strings.Replace(seven, `"months":1`, `"month":1`, 1) + `,` + lent + `}`, `invalid: unknown field "month"`},
		{"schedule", `{` + strings.Replace(seven, `"instalments":2,`, ``, 1) + `,` + lent + `}`, `invalid: field terms.instalments: is missing`},
		{"schedule", `{` + seven + `,` + seven + `,` + lent + `}`, `invalid: field terms: stands twice`},
		{"payoff", `{` + seven + `,` + lent + `,"date":"2023-01-01"}`, "invalid: field date: lies before the first advance"},
		{"allocate", `{` + dues + `,"payments":[{"amount":"115.00 CNY","date":"2026-03-02"}]}`, `{"payments":[{"amount":"115.00 CNY","paid":[{"n":1,"due":"2026-03-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"10.00 CNY","principal":"100.00 CNY"}],"rest":"5.00 CNY"}],"outstanding":[{"n":1,"due":"2026-03-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"0.00 CNY"},{"n":2,"due":"2026-04-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"200.00 CNY"}]}`},
		{"allocate", `{"inAdvance":true,` + dues + `,"payments":[{"amount":"115.00 CNY","date":"2026-03-02"},{"amount":"200.00 CNY"}]}`, `{"payments":[{"amount":"115.00 CNY","paid":[{"n":1,"due":"2026-03-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"10.00 CNY","principal":"100.00 CNY"},{"n":2,"due":"2026-04-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"5.00 CNY"}],"rest":"0.00 CNY"},{"amount":"200.00 CNY","paid":[{"n":2,"due":"2026-04-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"195.00 CNY"}],"rest":"5.00 CNY"}],"outstanding":[{"n":1,"due":"2026-03-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"0.00 CNY"},{"n":2,"due":"2026-04-01","costs":"0.00 CNY","late":"0.00 CNY","interest":"0.00 CNY","principal":"0.00 CNY"}]}`},
		{"allocate", `{` + dues + `,"payments":[]}`, "invalid: field payments: are 0, not 1 to 1000"},
		{"allocate", `{` + dues + `,"payments":[{"amount":"0.00 CNY"}]}`, "invalid: field payments[0].amount: 0.00 CNY is not more than zero"},
		{"allocate", `{` + dues + `,"payments":[{"amount":"1.00 CNY","date":"2026-3-2"}]}`, "invalid: field payments[0].date: is not a date; write it as 2026-11-22"},
		{"allocate", `{` + dues + `,"payments":[{"amount":"1.00 USD"}]}`, "invalid: field dues[0]: 200.00 CNY is negative or not in USD"},
		{"allocate", `{"order":"last",` + dues + `,"payments":[{"amount":"1.00 CNY"}]}`, "invalid: field order: is neither law"},
		{"recourse", `{"debt":"30.00 CNY","guarantors":[{"name":"B","paid":"30.00 CNY"},{"name":"C"}],"repaid":"10.00 CNY"}`, `{"guarantors":[{"name":"B","part":"15.00 CNY","share":"10.00 CNY","asked":"0.00 CNY","debtor":"20.00 CNY","returned":"10.00 CNY"},{"name":"C","part":"15.00 CNY","share":"10.00 CNY","asked":"0.00 CNY","debtor":"0.00 CNY","returned":"0.00 CNY"}],"claims":[{"by":"B","of":"C","amount":"10.00 CNY"}],"open":"0.00 CNY","released":"0.00 CNY"}`},
		{"recourse", `{"debt":"30.00 CNY","guarantors":[{"name":"B","paid":"30.00 USD"}]}`, "invalid: field guarantors[0]: 30.00 USD is not in CNY"},
		{"settle", `{` + sold + `,"owing":[` + owes + `]}`, `{"distribution":{"costs":"0.00 CNY","cut":{"remainder":"0"},"net":"1.00 CNY","proceeds":"1.00 CNY","weight":"2"},"outcomes":[{"floor":"0.00 CNY","household":"` + grower + `","lines":[{"amount":"0.30 CNY","creditor":"lender:bank:loans","date":"2026-11-01","debt":"loan/s/1","rank":"overdue"}],"rest":"0.70 CNY","share":"1.00 CNY"}],"tally":{"deducted":"0.30 CNY","first":"` + grower + `","households":1,"last":"` + grower + `","rest":"0.70 CNY","shares":"1.00 CNY"}}`},
		{"settle", `{` + strings.Replace(sold, `"1.00 CNY"`, `"0.00 CNY"`, 1) + `}`, "invalid: field sale.proceeds: 0.00 CNY is not more than zero"},
		{"settle", `{` + strings.Replace(sold, `"2026-11-30"`, `"2026-02-30"`, 1) + `}`, "invalid: field terms.day: is not a date"},
		{"settle", `{` + sold + `,"owing":[` + strings.Replace(owes, "household:", "household:coffee:", 1) + `]}`, "not-found: field owing[0].household: (no account) has delivered nothing of the sale"},
		{"settle", `{` + sold + `,"owing":[` + owes + `,` + owes + `]}`, "invalid: field owing[1].household: " + grower + " stands twice"},
		{"settle", `{` + sold + `,"owing":[` + strings.Replace(owes, "overdue", "window", 1) + `]}`, "conflict: field owing[0].dues[0].rank: is window; what falls due on 2026-11-01 is overdue"},
		{"surplus", `{"day":"2018-06-30","surplus":{"amount":"1.00 CNY","members":[],"volumePartsPerMillion":600000}}`, "unsupported: field day: no version of the law"},
		{"surplus", `{"day":"30 June","surplus":{"amount":"1.00 CNY","members":[],"volumePartsPerMillion":600000}}`, "invalid: field day: is not a date"},
		{"surplus", `{"day":"2026-12-31","surplus":{"amount":"1.00 CNY","members":[],"volumePartsPerMillion":599999}}`, "forbidden: field surplus.volumePartsPerMillion: is 599999; Farmers' Cooperatives Law art. 44"},
		{"recourse", `{"debt":"30.00 CNY","guarantors":[{"name":"B"}],"repaid":"1.00 USD"}`, "invalid: field repaid: 1.00 USD is not in CNY"},
	} {
		answer, err := loan.Answer(c.question, []byte(c.input))
		got := fmt.Sprint(err)
		if err == nil {
			text, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			got = string(text)
		}
		if err != nil && !strings.HasPrefix(got, c.want) || err == nil && got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.question, c.input, got, c.want)
		}
	}
}

// FuzzAnswer: whatever is asked is answered or refused, and the same again.
func FuzzAnswer(f *testing.F) {
	for _, e := range examples(f) {
		f.Add(e[1], e[2])
	}
	f.Fuzz(func(t *testing.T, question, input string) {
		answer, err := loan.Answer(question, []byte(input))
		again, err2 := loan.Answer(question, []byte(input))
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%v, then %v", err, err2)
		}
		if err == nil && written(t, answer) != written(t, again) {
			t.Fatal("another answer")
		}
	})
}
