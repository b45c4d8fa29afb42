package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/cmd/lianbao/score"
)

// documentedScore is the question of docs/credit.md and what is printed there.
func documentedScore(t *testing.T) (question, printed, document string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/credit.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^\\$ lianbao credit score <<'END'\n(.*?)^END\n(.*?)^```").FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("docs/credit.md shows no score")
	}
	return found[1], found[2], string(text)
}

// TestDocumentedScore: the document's question has the answer that stands there, and its record can be verified.
func TestDocumentedScore(t *testing.T) {
	question, want, _ := documentedScore(t)
	answer, err := score.Ask([]byte(question))
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	if err := newConsole(&printed, &printed).score(answer); err != nil || printed.String() != want {
		t.Errorf("%v\n got %s\nwant %s", err, printed.String(), want)
	}
	record, err := json.Marshal(answer.Score)
	if err != nil {
		t.Fatal(err)
	}
	if verified, err := score.Verify(record); err != nil || verified.Points != answer.Score.Points || verified.Model != answer.Score.Model {
		t.Errorf("%+v, %v", verified, err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"points":51}`, `"points":52}`, "conflict: the score is recorded as 52 points"},
		{`"value":960000`, `"value":950000`, "conflict: the score is recorded as 51 points"},
		{`"v":1`, `"v":1,"w":2`, `invalid: unknown field "w"`},
	} {
		spoilt := strings.Replace(string(record), c.from, c.to, 1)
		if _, err := score.Verify([]byte(spoilt)); spoilt == string(record) || !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %s", c.to, err, c.want)
		}
	}
}

// TestCreditDocumentNamesEveryField: each field of the question and of the answer stands in the document.
func TestCreditDocumentNamesEveryField(t *testing.T) {
	_, _, document := documentedScore(t)
	for path, until := range map[string]string{"score/score.go": "", "../../chaincode/credit/score.go": "", "../../chaincode/credit/limit.go": "type LimitFacts", "../../chaincode/credit/decision.go": "type Application"} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, from, found := strings.Cut(string(source), until) // what stands before are the model's own fields
		if !found {
			t.Fatalf("%s has no %s", path, until)
		}
		for _, field := range regexp.MustCompile("`json:\"([A-Za-z]+)").FindAllStringSubmatch(from, -1) {
			if name := field[1]; name != "with" && name != "input" && !strings.Contains(document, "`"+name+"`") { // those two stand in a record of a dispute only
				t.Errorf("docs/credit.md does not name %s of %s", name, path)
			}
		}
	}
}

// TestScoresThatAreRefused: what cannot be answered is refused by name.
func TestScoresThatAreRefused(t *testing.T) {
	question, _, _ := documentedScore(t)
	for _, c := range []struct{ from, to, want string }{
		{`"industry": "coffee"`, `"industry": "tea"`, "unsupported: field industry: no version of a credit model for this industry is known for 2026-11-30"},
		{`"organisation": "bank", "day": "2026-11-30"`, `"organisation": "bank", "day": "2026-11-31"`, "invalid: field request.day: is not a date"},
		{`"purpose": "credit"`, `"purpose": "research"`, "forbidden: field request.inputs[0].consent: coop/consent-1 is for research and about trade"},
		{`"dispute": {"indicator": "loans-repaid"`, `"dispute": {"indicator": "call-paid"`, "not-found: field dispute.source: is none of the sources of that indicator"},
		{`"limit": "20000.00 CNY"`, `"limit": "20000.00 USD"`, "invalid: field facts.limit: 20000.00 USD is not in CNY"},
		{`"amount": "15000.00 CNY"`, `"amount": "0.00 CNY"`, "invalid: field application.amount: 0.00 CNY is not more than zero"},
		{`"industry": "coffee"`, `"industry": "coffee", "model": "mine"`, `invalid: unknown field "model"`},
		{`"value": 5,`, `"value": 5.5,`, "invalid: field request.inputs[0].value: a JSON number 5.5 does not belong here"},
	} {
		spoilt := strings.Replace(question, c.from, c.to, 1)
		if _, err := score.Ask([]byte(spoilt)); spoilt == question || !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
}
