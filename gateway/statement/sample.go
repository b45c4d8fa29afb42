package statement

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// The shape of a flood-relief account in its first ten days: quiet, then one
// day with almost everything. Numbers are lines a day.
var sampleDays = []struct {
	date  string
	lines int
}{
	{"2024-09-01", 14}, {"2024-09-02", 5}, {"2024-09-03", 9}, {"2024-09-04", 42}, {"2024-09-05", 32},
	{"2024-09-06", 34}, {"2024-09-07", 59}, {"2024-09-08", 503}, {"2024-09-09", 6279}, {"2024-09-10", 193384},
}

// sampleGifts are round sums in VND and how many of a thousand gifts have them; the rest are odd sums.
var sampleGifts = []struct {
	units   int64
	permill uint64
}{
	{100_000, 218}, {200_000, 215}, {500_000, 160}, {1_000_000, 98}, {50_000, 74}, {300_000, 64}, {2_000_000, 24},
	{20_000, 15}, {10_000, 14}, {5_000_000, 11}, {150_000, 9}, {30_000, 7}, {3_000_000, 6}, {10_000_000, 6},
}

const (
	sampleLinesMax = 10_000_000
	// sampleDebitLine is the one line that is not a gift; in a shorter sample it is the last.
	sampleDebitLine  = 140
	sampleDebitUnits = 55_000
)

// Sample writes an invented statement in the standard headers with the shape of
// a real one. The same lines and seed give the same bytes. References repeat now and then, as banks' do;
// they and the payers say "fake", so that nobody takes the file for a real one.
func Sample(w io.Writer, lines int, seed uint64) error {
	if lines < 0 || lines > sampleLinesMax {
		return rule.Refuse(rule.Invalid, "a sample has 0 to %d lines; %d were asked", sampleLinesMax, lines)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintln(out, "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym")
	random := rand.NewPCG(seed, 0x6c69616e62616f)
	for number := 1; number <= lines; number++ {
		debit, credit := int64(0), sampleGift(random)
		if number == min(lines, sampleDebitLine) {
			debit, credit = sampleDebitUnits, 0
		}
		reference := random.Uint64() % (uint64(lines)*13 + 1)
		payer := random.Uint64() & 0xffff_ffff_ffff
		fmt.Fprintf(out, "%d,%s,,Rfake%08x,%d,%d,VND,fake%012x\n", number, sampleDate(number, lines), reference, debit, credit, payer)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the sample: %w", err)
	}
	return nil
}

func sampleGift(random *rand.PCG) int64 {
	pick := random.Uint64() % 1000
	for _, gift := range sampleGifts {
		if pick < gift.permill {
			return gift.units
		}
		pick -= gift.permill
	}
	return int64(1+random.Uint64()%900) * 1000
}

// sampleDate spreads any number of lines over the days in the real proportion.
func sampleDate(number, lines int) string {
	total := 0
	for _, day := range sampleDays {
		total += day.lines
	}
	place := (number - 1) * total / lines
	for _, day := range sampleDays {
		if place < day.lines {
			return day.date
		}
		place -= day.lines
	}
	return sampleDays[len(sampleDays)-1].date
}
