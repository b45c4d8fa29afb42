package donation

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const campaignOfPayouts = tape.AccountID("charity:sunrise:speech")

// TestPayoutReferences: the same for whoever computes it, for ever, and another
// for every other payout, chunk and campaign.
func TestPayoutReferences(t *testing.T) {
	for _, c := range []struct{ got, want PayoutReference }{
		{ReferenceOfPayout(campaignOfPayouts, "d1.0.0"), "RF46FCF570141103988W"},
		{ReferenceOfFile(campaignOfPayouts, "d1", 0), "RF44EPP874320984533Y"},
	} {
		if c.got != c.want || byHand(string(c.got)) != 1 {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	seen := map[PayoutReference]string{}
	for i := range 20_000 {
		name := fmt.Sprintf("d1.%d.%d", i/200, i%200)
		reference := ReferenceOfPayout(campaignOfPayouts, tape.ID(name))
		if _, err := ParsePayoutReference(string(reference)); err != nil || seen[reference] != "" {
			t.Fatalf("%s of %s and %q: %v", reference, name, seen[reference], err)
		}
		seen[reference] = name
	}
	if got := ReferenceOfPayout(campaignOfPayouts, "d1.0.0").Grouped(); len(got) != 24 || strings.Count(got, " ") != 4 {
		t.Errorf("for people it is %q", got)
	}
}

// TestWhatIsNoPayoutReference: a gift's reference never passes for a payout's, nor the other way round.
func TestWhatIsNoPayoutReference(t *testing.T) {
	gift, payout := draw(t, "RCEF"), ReferenceOfPayout(campaignOfPayouts, "d1.0.0")
	for _, wrong := range []string{"", "RF", string(gift), strings.ToLower(string(payout)), string(payout) + "1", string(payout[:19]), payout.Grouped()} {
		if _, err := ParsePayoutReference(wrong); !rule.Is(err, rule.Invalid) {
			t.Errorf("%q is taken for a payout's", wrong)
		}
	}
	if _, err := ParseReference(string(payout)); err == nil {
		t.Error("a payout's is taken for a gift's")
	}
	if found := FindReferences("a " + string(payout) + " b"); found != nil {
		t.Errorf("%v are taken for gifts'", found)
	}
	if found := FindPayoutReferences("a " + string(gift) + " b 1234567890"); found != nil {
		t.Errorf("%v are taken for payouts'", found)
	}
}

// TestPayoutReferencesInMemos: as banks mangle them, one wrong character is never read as another's.
func TestPayoutReferencesInMemos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payout := ReferenceOfPayout(campaignOfPayouts, tape.ID(fmt.Sprint("d1.0.", rapid.IntRange(0, 1<<30).Draw(t, "payout"))))
		text := string(payout)
		switch rapid.IntRange(0, 4).Draw(t, "spelling") {
		case 1:
			text = strings.ToLower(payout.Grouped())
		case 2:
			text = strings.ReplaceAll(payout.Grouped(), " ", "-")
		case 3:
			text = strings.Map(func(r rune) rune { return r - '0' + '０' }, text)
		case 4:
			text = text[:9] + "\n" + text[9:]
		}
		memo := rapid.SampledFrom([]string{"", "付款 ", "Payout RF12 "}).Draw(t, "before") + text + rapid.SampledFrom([]string{"", " thanks", "。谢谢"}).Draw(t, "behind")
		if found := FindPayoutReferences(memo); len(found) != 1 || found[0] != payout {
			t.Fatalf("%q holds %v, not %s", memo, found, payout)
		}
		at := rapid.IntRange(0, len(payout)-1).Draw(t, "at")
		wrong := string(payout[:at]) + string(rapid.SampledFrom([]rune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")).Draw(t, "wrong")) + string(payout[at+1:])
		for _, found := range FindPayoutReferences(wrong) {
			if found != payout {
				t.Fatalf("%q is read as %s", wrong, found)
			}
		}
	})
}
