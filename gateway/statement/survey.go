package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/money"
)

// The report names this many lines and refusals and counts the rest.
const (
	remarksMax  = 100
	refusalsMax = 20
)

// Summary is what one pass over a statement tells.
type Summary struct {
	// Rows counts everything in the file, Lines the movements, Gifts those that are gifts.
	Rows, Lines, Gifts int
	// FirstLine and LastLine are their numbers; 0 when there is none.
	FirstLine, LastLine int
	// GiftTotal, Debits and Credits are minor units of Currency.
	GiftTotal, Debits, Credits int64
	Currency                   money.Currency
	// ByReason counts the lines of each verdict, in the order in which they first appear.
	ByReason []Tally
	// NotGifts names the first hundred lines that are not gifts.
	NotGifts []Remark
	// FirstDate and LastDate are the earliest and the latest booking date.
	FirstDate, LastDate string
	// Opening and Closing are minor units; nil when neither the file nor the mapping tells.
	Opening, Closing *int64
	// Digest is SHA-256 over the lines in one spelling: the same for a file and its
	// gzipped or re-encoded copy, another when anything in a line was edited.
	Digest string
	// FileDigest is SHA-256 over the file's bytes.
	FileDigest string
	// BadRows counts refusals; Refusals holds the first twenty.
	BadRows  int
	Refusals []error
}

// Tally counts the lines of one verdict.
type Tally struct {
	Verdict
	Lines         int
	Debit, Credit int64
}

// Remark names a line that is not a gift.
type Remark struct {
	Number        int
	Debit, Credit int64
	Verdict
}

// Survey reads a whole statement. With bad rows the summary tells all of them
// and the error is the first; the figures then leave them out.
func Survey(path string, m Mapping) (Summary, error) {
	file, err := os.Open(path)
	if err != nil {
		return Summary{}, fmt.Errorf("open the statement: %w", err)
	}
	defer file.Close()
	return SurveyFrom(file, m)
}

// SurveyFrom reads a whole statement from a stream.
func SurveyFrom(source io.Reader, m Mapping) (Summary, error) {
	whole := sha256.New()
	teed := io.TeeReader(source, whole)
	r, err := NewReader(teed, m)
	if err != nil {
		return Summary{BadRows: 1, Refusals: []error{err}}, err
	}
	s := newSurvey()
	for line, err := range r.All() {
		s.add(r, line, err)
	}
	if r.scanner.failed == io.EOF {
		// What follows the last gzip member or lies in a buffer belongs to the file too.
		if _, err := io.Copy(io.Discard, teed); err != nil {
			s.add(r, Line{}, readFault(r.Row(), err))
		}
	}
	return s.finish(r, whole)
}

// survey is a summary in the making.
type survey struct {
	summary Summary
	content hash.Hash
	spelled []byte
}

// spelledBytes is how much of the content is gathered before it is hashed.
const spelledBytes = 32 << 10

func newSurvey() *survey {
	s := &survey{content: sha256.New(), spelled: make([]byte, 0, spelledBytes+1024)}
	s.spelled = append(s.spelled, "lianbao statement 1\n"...)
	return s
}

func (s *survey) add(r *Reader, line Line, err error) {
	if err != nil {
		if s.summary.BadRows++; len(s.summary.Refusals) < refusalsMax {
			s.summary.Refusals = append(s.summary.Refusals, err)
		}
		return
	}
	s.count(r.Classify(line), line)
	s.period(line)
	if s.spelled = appendLine(s.spelled, line); len(s.spelled) > spelledBytes {
		s.content.Write(s.spelled)
		s.spelled = s.spelled[:0]
	}
}

func (s *survey) count(verdict Verdict, line Line) {
	sum := &s.summary
	sum.Lines++
	sum.Debits += line.Debit
	sum.Credits += line.Credit
	tally := s.tally(verdict)
	tally.Lines++
	tally.Debit += line.Debit
	tally.Credit += line.Credit
	if verdict.Gift() {
		sum.Gifts++
		sum.GiftTotal += line.Credit
		return
	}
	if len(sum.NotGifts) < remarksMax {
		sum.NotGifts = append(sum.NotGifts, Remark{line.Number, line.Debit, line.Credit, verdict})
	}
}

func (s *survey) tally(verdict Verdict) *Tally {
	for i := range s.summary.ByReason {
		if s.summary.ByReason[i].Verdict == verdict {
			return &s.summary.ByReason[i]
		}
	}
	s.summary.ByReason = append(s.summary.ByReason, Tally{Verdict: verdict})
	return &s.summary.ByReason[len(s.summary.ByReason)-1]
}

func (s *survey) period(line Line) {
	sum := &s.summary
	if sum.FirstLine == 0 {
		sum.FirstLine, sum.FirstDate, sum.LastDate = line.Number, line.Date, line.Date
	}
	sum.LastLine = line.Number
	sum.FirstDate = min(sum.FirstDate, line.Date)
	sum.LastDate = max(sum.LastDate, line.Date)
}

func (s *survey) finish(r *Reader, whole hash.Hash) (Summary, error) {
	s.content.Write(s.spelled)
	sum := s.summary
	sum.Rows, sum.Currency = r.Row(), r.Currency()
	sum.Opening, sum.Closing = r.book.ends()
	sum.Digest = hex.EncodeToString(s.content.Sum(nil))
	sum.FileDigest = hex.EncodeToString(whole.Sum(nil))
	if sum.BadRows > 0 {
		return sum, sum.Refusals[0]
	}
	return sum, nil
}

// appendLine spells a line for hashing. The separators are control characters,
// which no cell may hold, so two different lines never have one spelling.
func appendLine(text []byte, l Line) []byte {
	const between, end = 0x1f, 0x1e
	text = append(strconv.AppendInt(text, int64(l.Number), 10), between)
	for _, word := range [...]string{l.Date, l.Time, l.Reference, string(l.Currency), l.Payer, l.Description} {
		text = append(append(text, word...), between)
	}
	text = append(strconv.AppendInt(text, l.Debit, 10), between)
	text = append(strconv.AppendInt(text, l.Credit, 10), between)
	if l.Balance != nil {
		text = strconv.AppendInt(text, *l.Balance, 10)
	}
	return append(text, end)
}
