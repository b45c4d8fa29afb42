package contract_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestMatchKeepsPages: a match names its pages after their parent, and a page
// that was received under such a name is not lost to it.
func TestMatchKeepsPages(t *testing.T) {
	for _, suffix := range []tape.ID{tape.MatchedSuffix, tape.UnmatchedSuffix} {
		t.Run(string(suffix), func(t *testing.T) {
			w := newWorld(t)
			w.must("charity", "Tape:Open", open(books))
			gifts := []tape.Gift{gift(1, 10000), gift(2, 5000)}
			w.must("charity", "Tape:Receive", page(books, "page-1", gifts...))
			w.must("charity", "Tape:Receive", page(books, "page-1"+suffix, gift(3, 900)))
			w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{SelfDeclared: true, Source: "page-1" + string(suffix)}}})
			lines := []tape.Line{line(1, 10000)}
			w.file("s1", "", 0, side{tape.CreditSide, lines})
			w.refused("exists: page page-1"+string(suffix)+" exists already", "charity", "Tape:Match", tape.NewMatch(books, "match-1", "page-1", gifts, "s1", 0, lines))
			if kept := record[tape.Page](w, tape.PageKey(books, "page-1"+suffix)); kept.Total != cny(900) {
				t.Errorf("the page that stood there now holds %s", kept.Total)
			}
		})
	}
}

// TestChunkKeepsHolds: a chunk names its holds after its job and does not look
// whether one stands there, so no other command holds money under such a name.
func TestChunkKeepsHolds(t *testing.T) {
	w := newWorld(t)
	w.settled()
	expires := tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day
	order := tape.OrderHolds{Account: books, ID: "order-1", Expires: expires, Holds: []tape.HoldOrder{{Amount: cny(3000), Hold: "job-1.0.1", To: "outside:bank:payee-1"}}}
	const taken = "ends like the name of a job's payout, .number.number; choose another id"
	w.refused("invalid: field holds[0].hold: "+taken, "charity", "Tape:Hold", w.signed("hold", books, cny(3000), order, "charity-maker", "charity-checker"))
	chunks := [][]tape.Payment{{{Amount: cny(100), Line: "a", To: household}, {Amount: cny(200), Line: "b", To: "outside:bank:payee-2"}}}
	open, runs := job(t, books, "job-1", expires, chunks)
	w.must("charity", "Tape:OpenJob", w.signed("open-job", books, open.Amount, open, "charity-maker", "charity-checker"))
	w.must("charity", "Tape:RunChunk", runs[0])
	again := runs[0]
	again.ID = "again"
	w.refused("wrong-state: field n: chunk 0 of job job-1 has run", "charity", "Tape:RunChunk", again)
	if kept := record[tape.Hold](w, tape.HoldKey(books, "job-1.0.1")); kept.Amount != cny(200) {
		t.Errorf("the hold of the chunk keeps %s", kept.Amount)
	}
}

// TestJobNamesItsHolds: what a chunk's holds are called is an id too.
func TestJobNamesItsHolds(t *testing.T) {
	w := newWorld(t)
	w.settled()
	expires := tape.Instant(w.Clock().UnixMilli()) + tape.Day
	chunks := [][]tape.Payment{{{Amount: cny(100), Line: "a", To: "outside:bank:payee"}}}
	long, _ := job(t, books, tape.ID(strings.Repeat("j", 57)), expires, chunks)
	w.refused("invalid: field id: is 57 characters long; a job's holds are named after it, so 56 at most", "charity", "Tape:OpenJob",
		w.signed("open-job", books, long.Amount, long, "charity-maker", "charity-checker"))
	most, runs := job(t, books, tape.ID(strings.Repeat("j", 56)), expires, chunks)
	w.must("charity", "Tape:OpenJob", w.signed("open-job", books, most.Amount, most, "charity-maker", "charity-checker"))
	w.must("charity", "Tape:RunChunk", runs[0])
}

// TestOneStatementHoldsALineOnce: the same page of lines twice in one statement
// would count its money twice, whatever the balances say.
func TestOneStatementHoldsALineOnce(t *testing.T) {
	w := newWorld(t)
	lines := []tape.Line{line(1, 100)}
	head, _ := statement(t, "s1", "", 0, side{tape.CreditSide, lines}, side{tape.CreditSide, lines})
	w.refused("conflict: field pages[1]: holds the same lines as page 0", "bank", "Tape:FileStatement", head)
}

// TestProcessorNamesAPage: a file names one page that can exist, and uses no line up otherwise.
func TestProcessorNamesAPage(t *testing.T) {
	w := newWorld(t)
	w.must("charity", "Tape:Open", open(books))
	lines := []tape.Line{line(9, 15000)}
	w.file("s1", "", 0, side{tape.CreditSide, lines})
	proof, err := tape.NewLineProof("s1", 0, lines, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		page  tape.ID
		count int32
		want  string
	}{
		{"page/1", 1, `invalid: field page: is not an id`},
		{"", 1, `invalid: field page: is not an id`},
		{"page-1", 0, "invalid: field count: is 0; 1 to 2000 are possible"},
		{"page-1", 2001, "invalid: field count: is 2001; 1 to 2000 are possible"},
		{"page-1", -1, "invalid: field count: is -1; 1 to 2000 are possible"},
	} {
		w.refused(c.want, "charity", "Tape:FileProcessor", tape.FileProcessor{Account: books, Count: c.count, ID: "file-1", Line: proof, Page: c.page, Total: cny(15000)})
	}
}

// TestKeysAreOneKinds: no two packages write under one prefix: a reader of the
// ledger tells by it what a record is.
func TestKeysAreOneKinds(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	owner, prefix := map[string]string{}, regexp.MustCompile(`(?s)func \w*Key\([^)]*\) string \{[^}]*?"([a-z-]+)/"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range prefix.FindAllStringSubmatch(string(source), -1) {
			folder := filepath.Dir(file)
			if before, known := owner[found[1]]; known && before != folder {
				t.Errorf("both %s and %s write under %s/", before, folder, found[1])
			}
			owner[found[1]] = folder
		}
	}
	if len(owner) < 60 {
		t.Errorf("found only %d prefixes", len(owner))
	}
}
