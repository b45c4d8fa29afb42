package terms_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// drawn are terms and advances at random, most of which make a schedule.
func drawn(t *rapid.T) (terms.Terms, []terms.Advance) {
	pick := func(name string, list ...string) string { return rapid.SampledFrom(list).Draw(t, name) }
	loan := terms.Terms{
		Method:                  terms.Method(pick("method", "annuity", "equal-principal", "flat", "bullet", "crop")),
		DayCount:                terms.DayCount(pick("dayCount", "ACT/365F", "ACT/360", "ACT/364", "ACT/ACT", "30/360", "30E/360", "30E/360-ISDA", "30/365", "PERIODS")),
		Rounding:                terms.Rounding(pick("rounding", "half-even", "half-up", "half-down", "up", "down")),
		Difference:              terms.Difference(pick("difference", "", "last", "first", "level", "cumulative", "split", "adjust")),
		RatePartsPerMillion:     rapid.Int32Range(0, 400_000).Draw(t, "rate"),
		Instalments:             rapid.Int32Range(1, 40).Draw(t, "instalments"),
		InstalmentMultipleUnits: rapid.SampledFrom([]int32{0, 1, 10, 100}).Draw(t, "multiple"),
	}
	switch pick("every", "months", "weeks", "days") {
	case "months":
		loan.Every.Months = rapid.Int32Range(1, 4).Draw(t, "months")
	case "weeks":
		loan.Every.Weeks = rapid.Int32Range(1, 8).Draw(t, "weeks")
	default:
		loan.Every.Days = rapid.Int32Range(1, 40).Draw(t, "days")
	}
	loan.GracePrincipalInstalments = rapid.Int32Range(0, loan.Instalments-1).Draw(t, "grace")
	if loan.GraceInterestInstalments = rapid.Int32Range(0, loan.GracePrincipalInstalments).Draw(t, "free"); loan.GraceInterestInstalments > 0 {
		loan.GraceInterest = terms.GraceInterest(pick("graceInterest", "waived", "deferred"))
	}
	if loan.Method == terms.Crop {
		left := int32(1_000_000)
		for range loan.Instalments - loan.GracePrincipalInstalments - 1 {
			part := rapid.Int32Range(0, left).Draw(t, "part")
			loan.CropPrincipalPartsPerMillion = append(loan.CropPrincipalPartsPerMillion, part)
			left -= part
		}
		loan.CropPrincipalPartsPerMillion = append(loan.CropPrincipalPartsPerMillion, left)
		if rapid.Bool().Draw(t, "flat") {
			loan.CropInterestPartsPerMillion = loan.CropPrincipalPartsPerMillion
		}
	}
	day := tape.Date("2023-01-31").AddDays(rapid.IntRange(0, 900).Draw(t, "day"))
	if rapid.Bool().Draw(t, "stub") {
		loan.FirstDue = day.AddDays(rapid.IntRange(1, 100).Draw(t, "first"))
	}
	var advances []terms.Advance
	for range rapid.IntRange(1, 3).Draw(t, "advances") {
		advances = append(advances, terms.Advance{Amount: cny(rapid.Int64Range(1, 10_000_000).Draw(t, "units")), Date: day})
		day = day.AddDays(rapid.IntRange(0, 60).Draw(t, "later"))
	}
	return loan, advances
}

// invariants hold for every schedule.
var invariants = []struct {
	name  string
	holds func(terms.Terms, []terms.Advance, terms.Schedule) bool
}{
	{"principal comes back whole", func(_ terms.Terms, advances []terms.Advance, s terms.Schedule) bool {
		var lent, back int64
		for _, a := range advances {
			lent += a.Amount.Units
		}
		for _, row := range s.Instalments {
			back += row.Principal
		}
		return lent == back
	}},
	{"the last balance is nothing", func(_ terms.Terms, _ []terms.Advance, s terms.Schedule) bool {
		return s.Instalments[len(s.Instalments)-1].Balance == 0
	}},
	{"no amount is negative", func(_ terms.Terms, _ []terms.Advance, s terms.Schedule) bool {
		for _, row := range s.Instalments {
			if row.Principal < 0 || row.Interest < 0 || row.Balance < 0 {
				return false
			}
		}
		return true
	}},
	{"each balance is the one before, what was drawn, less principal", func(_ terms.Terms, advances []terms.Advance, s terms.Schedule) bool {
		balance, next := int64(0), 0
		for _, row := range s.Instalments {
			for ; next < len(advances) && advances[next].Date < row.Due; next++ {
				balance += advances[next].Amount.Units
			}
			if balance -= row.Principal; balance != row.Balance {
				return false
			}
		}
		return true
	}},
	{"nobody owes interest on nothing", func(loan terms.Terms, advances []terms.Advance, s terms.Schedule) bool {
		for i, row := range s.Instalments {
			if i > 0 && s.Instalments[i-1].Balance == 0 && row.Interest > 0 && advances[len(advances)-1].Date < s.Instalments[i-1].Due && loan.GraceInterest != terms.Deferred {
				return false
			}
		}
		return true
	}},
	{"dues are in order and numbered", func(_ terms.Terms, _ []terms.Advance, s terms.Schedule) bool {
		for i, row := range s.Instalments {
			if row.N != int32(i+1) || i > 0 && row.Due <= s.Instalments[i-1].Due {
				return false
			}
		}
		return true
	}},
	{"grace pays no principal and no interest", func(loan terms.Terms, _ []terms.Advance, s terms.Schedule) bool {
		for i, row := range s.Instalments {
			if i < int(loan.GracePrincipalInstalments) && row.Principal != 0 || i < int(loan.GraceInterestInstalments) && row.Interest != 0 {
				return false
			}
		}
		return true
	}},
	{"without a rate there is no interest", func(loan terms.Terms, _ []terms.Advance, s terms.Schedule) bool {
		for _, row := range s.Instalments {
			if loan.RatePartsPerMillion == 0 && row.Interest != 0 {
				return false
			}
		}
		return true
	}},
}

// TestInvariants: whatever the terms, a schedule is made or refused, keeps all
// invariants, and comes out again byte for byte, from terms that were written and read.
func TestInvariants(t *testing.T) {
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		loan, advances := drawn(t)
		s, err := loan.Schedule(advances)
		if err != nil {
			return
		}
		made++
		for _, invariant := range invariants {
			if !invariant.holds(loan, advances, s) {
				t.Fatalf("%s: %+v", invariant.name, s)
			}
		}
		text, err := canonical.Encode(loan)
		var back terms.Terms
		if err != nil || canonical.Decode(text, &back) != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := back.Schedule(advances)
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("another schedule: %v", err)
		}
	})
	if made < least() {
		t.Errorf("only %d schedules were made", made)
	}
}

// FuzzTerms: whatever is read makes a schedule that keeps all invariants, or is refused.
func FuzzTerms(f *testing.F) {
	for _, c := range published(f) {
		text, err := canonical.Encode(c.Terms)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), c.Advances[0].Amount.Units)
	}
	f.Fuzz(func(t *testing.T, text string, units int64) {
		var loan terms.Terms
		if canonical.Decode([]byte(text), &loan) != nil {
			return
		}
		advances := advanced(units, "2024-01-31")
		s, err := loan.Schedule(advances)
		if err != nil {
			return
		}
		for _, invariant := range invariants {
			if !invariant.holds(loan, advances, s) {
				written, _ := json.Marshal(s)
				t.Fatalf("%s: %s %s", invariant.name, text, written)
			}
		}
	})
}

// least is how many of the loans that are drawn must have a schedule, so that no
// property is true of nothing. About half have one, and short runs draw a fifth, 20.
func least() int {
	if testing.Short() {
		return 1
	}
	return 10
}
