package score_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/lianbao/lianbao/cmd/lianbao/score"
)

// FuzzAsk: whatever is asked is answered or refused, and every score that is
// given can be computed again from its record.
func FuzzAsk(f *testing.F) {
	document, err := os.ReadFile("../../../docs/credit.md")
	if err != nil {
		f.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)<<'END'\n(.*?)^END\n").FindSubmatch(document)
	if found == nil {
		f.Fatal("docs/credit.md asks for no score")
	}
	f.Add(found[1])
	f.Add([]byte(`{"industry":"livestock","request":{"household":"household:goojchpgdcjclhefnchgcleaimhocjfd:herd","person":"p","organisation":"bank","day":"2026-11-30","consents":[],"inputs":[]}}`))
	f.Fuzz(func(t *testing.T, question []byte) {
		answer, err := score.Ask(question)
		if err != nil {
			return
		}
		record, err := json.Marshal(answer.Score)
		if err != nil {
			t.Fatal(err)
		}
		if verified, err := score.Verify(record); err != nil || verified.Points != answer.Score.Points || verified.Points < 0 || verified.Points > 100 {
			t.Errorf("%s: %+v, %v", record, verified, err)
		}
	})
}
