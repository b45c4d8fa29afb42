package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realStatement is the published statement of a flood-relief account. It lies
// beside the repository and is never part of it.
const realStatement = "../../../shared/data/bank-statement-2024-09-a.csv.gz"

// TestRealStatement reads 200,361 lines that a bank wrote; where the file is
// missing, an invented one of the same shape stands in.
func TestRealStatement(t *testing.T) {
	if _, err := os.Stat(realStatement); errors.Is(err, fs.ErrNotExist) {
		t.Logf("%s is missing: only the sample is read", realStatement)
		checkSample(t, 200_361)
		return
	}
	s, err := Survey(realStatement, Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "200361 lines, 200360 gifts of 135081775728 VND, debits 55000, credits 135081775728, 2024-09-01 to 2024-09-10, opening -, closing -"
	if got := describeSummary(s); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	if len(s.NotGifts) != 1 || s.NotGifts[0] != (Remark{140, 55_000, 0, Verdict{Debit, "money out"}}) {
		t.Errorf("not gifts: %+v", s.NotGifts)
	}
	data, err := os.ReadFile(realStatement)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); s.FileDigest != hex.EncodeToString(sum[:]) {
		t.Errorf("the file's digest is %s", s.FileDigest)
	}
}

// TestRealStatementLineByLine counts again by another way than Survey does.
func TestRealStatementLineByLine(t *testing.T) {
	reader, err := Open(realStatement, Mapping{})
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is missing", realStatement)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	busiest, total := 0, int64(0)
	for _, line := range readAll(t, reader) {
		total += line.Credit
		if line.Date == "2024-09-10" {
			busiest++
		}
	}
	if busiest != 193_384 || total != 135_081_775_728 {
		t.Errorf("%d lines on the busiest day, %d in all", busiest, total)
	}
}

func checkSample(t *testing.T, lines int) {
	t.Helper()
	var text bytes.Buffer
	if err := Sample(&text, lines, 7); err != nil {
		t.Fatal(err)
	}
	s, err := SurveyFrom(&text, Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	debits := min(lines, 1)
	if s.Lines != lines || s.Gifts != lines-debits || len(s.NotGifts) != debits || s.Debits != int64(debits)*55_000 {
		t.Errorf("%d lines asked: %d lines, %d gifts, not gifts %+v", lines, s.Lines, s.Gifts, s.NotGifts)
	}
	if debits == 1 && s.NotGifts[0].Number != min(lines, 140) {
		t.Errorf("%d lines asked: line %d is the debit", lines, s.NotGifts[0].Number)
	}
}

func TestSampleHasTheShapeOfTheRealOne(t *testing.T) {
	for _, lines := range []int{0, 1, 2, 139, 140, 141, 5_000} {
		checkSample(t, lines)
	}
	if Sample(&bytes.Buffer{}, -1, 0) == nil || Sample(&bytes.Buffer{}, sampleLinesMax+1, 0) == nil {
		t.Error("an impossible number of lines was accepted")
	}
}

// TestSampleStaysTheSame: other tests and the demo rely on the very bytes.
func TestSampleStaysTheSame(t *testing.T) {
	var text, other bytes.Buffer
	if err := errors.Join(Sample(&text, 200, 1), Sample(&other, 200, 2)); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/sample-200.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), want) {
		t.Error("200 lines with seed 1 are not testdata/sample-200.csv")
	}
	if bytes.Equal(text.Bytes(), other.Bytes()) {
		t.Error("another seed gives the same sample")
	}
}

// TestDigestIsOfTheContent: how a file is packed does not matter, what a line says does.
func TestDigestIsOfTheContent(t *testing.T) {
	const lines = standardHeader + "1,2024-09-01,,R1,0,5,VND,p1\n2,2024-09-01,08:00:00,\"R\n2\",0,6,VND,p2\n"
	digest := func(text string) string {
		t.Helper()
		s, err := SurveyFrom(strings.NewReader(text), Mapping{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest
	}
	want := digest(lines)
	for name, same := range map[string]string{
		"gzip": string(packed(t, []byte(lines))), "CRLF": strings.ReplaceAll(lines, "\n", "\r\n"),
		"byte order mark": "\ufeff" + lines, "quotes": strings.ReplaceAll(lines, "R1", `"R1"`), "blank rows": lines + "\n\n",
	} {
		if digest(same) != want {
			t.Errorf("%s changes the digest", name)
		}
	}
	for _, edit := range [][2]string{
		{"R1", "R3"}, {"p1", "p3"}, {",5,", ",6,"}, {"0,6", "6,0"}, {"08:00:00", "08:00:01"}, {"08:00:00", ""},
		{"09-01,,", "09-02,,"}, {"VND", "JPY"}, {"2,2024-09-01,08:00:00,\"R\n2\",0,6,VND,p2\n", ""}, {"R1,0,5,VND,p1", "R,0,5,VND,1p1"},
	} {
		if digest(strings.ReplaceAll(lines, edit[0], edit[1])) == want {
			t.Errorf("%q for %q does not change the digest", edit[1], edit[0])
		}
	}
}

// TestDigestStaysTheSame: a statement that was imported years ago must still be recognised.
func TestDigestStaysTheSame(t *testing.T) {
	for _, row := range table(t, `
# file | digest of the content
testdata/sample-200.csv                                 | 8b48f3c58a578014ddd9315c93c591920a3b3f632c75fd5cbf9ae9aca3f395e0
testdata/dialects/gbk-direction/statement.csv           | b66cc6309d1405b93111797f6861019a7dcfb0ddf66807015a843159518b5a5c
`, 2) {
		folder, _ := filepath.Split(row.asked[0])
		s, err := Survey(row.asked[0], folderMapping(t, folder))
		if err != nil || s.Digest != row.answer {
			t.Errorf("%s: got %s, %v, want %s", row.asked[0], s.Digest, err, row.answer)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, row := range table(t, `
# debit | credit | kind
0     | 5      | gift
5     | 0      | debit
0     | 0      | zero
`, 3) {
		line := Line{Debit: int64(len(strings.Trim(row.asked[0], "0"))), Credit: int64(len(strings.Trim(row.asked[1], "0")))}
		if got := Classify(line); string(got.Kind) != row.answer || got.Gift() != (row.answer == "gift") || got.Reason == "" {
			t.Errorf("debit %s, credit %s: got %+v, want %s", row.asked[0], row.asked[1], got, row.answer)
		}
	}
}

func TestClassifyByPatterns(t *testing.T) {
	mapping, err := ParseMapping([]byte(`{v: 1, columns: {date: D, amount: A, description: T, payer: P, reference: R}, currency: {code: VND},
 classify: [{match: "^fee", side: out, as: fee}, {match: own, column: payer, as: transfer, reason: own account}, {match: "^X", column: reference, side: in, as: returned}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(strings.NewReader("D,A,T,P,R\n"), mapping)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table(t, `
# in or out | description | payer | reference | verdict
in   | thanks | p   | R | gift, money in
in   | fee    | p   | R | gift, money in
out  | fee    | p   | R | fee, the bank's fee
out  | fee    | own | R | fee, the bank's fee
in   | thanks | own | R | transfer, own account
out  | thanks | own | R | transfer, own account
in   | thanks | p   | X | returned, a payment that came back
out  | thanks | p   | X | debit, money out
zero | fee    | own | X | zero, no money moved
`, 5) {
		line := Line{Description: row.asked[1], Payer: row.asked[2], Reference: row.asked[3]}
		switch row.asked[0] {
		case "in":
			line.Credit = 1
		case "out":
			line.Debit = 1
		}
		verdict := r.Classify(line)
		if got := string(verdict.Kind) + ", " + verdict.Reason; got != row.answer {
			t.Errorf("%q: got %s, want %s", row.asked, got, row.answer)
		}
	}
}

// BenchmarkSurvey reads 200,361 invented lines, gzipped.
func BenchmarkSurvey(b *testing.B) {
	file := sampleFile(b)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		s, err := SurveyFrom(bytes.NewReader(file), Mapping{})
		if err != nil || s.Lines != 200_361 {
			b.Fatal(s.Lines, err)
		}
	}
	b.ReportMetric(200_361*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkSkip goes to the last line, as a resumed import does at worst.
func BenchmarkSkip(b *testing.B) {
	file := sampleFile(b)
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file), Mapping{})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Skip(200_361); err != nil {
			b.Fatal(err)
		}
	}
}

func sampleFile(b *testing.B) []byte {
	b.Helper()
	var text bytes.Buffer
	if err := Sample(&text, 200_361, 1); err != nil {
		b.Fatal(err)
	}
	return packed(b, text.Bytes())
}
