package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/cmd/lianbao/story"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestPlaceBefore: a gift is identified from where it stands, and asked again from where it stood.
func TestPlaceBefore(t *testing.T) {
	const nobody, books, meals = tape.AccountID("charity:a:nobody"), tape.AccountID("charity:a:books"), tape.AccountID("charity:a:meals")
	gift := readmodel.Gift{Account: nobody}
	move := func(from, to tape.AccountID, inflow string) readmodel.Move {
		return readmodel.Move{Account: from, Reversal: tape.Reversal{To: to, Inflow: inflow}}
	}
	stands := func(at tape.AccountID, inflow string) readmodel.Stands {
		if inflow == "" {
			return readmodel.Stands{Account: at}
		}
		return readmodel.Stands{Account: at, Moved: &tape.Moved{Account: nobody, Inflow: inflow}}
	}
	there, back, again := move(nobody, books, "i1"), move(books, nobody, "i2"), move(nobody, books, "i3")
	for _, test := range []struct {
		name  string
		moves []readmodel.Move
		at    readmodel.Stands
		to    tape.AccountID
		want  string
	}{
		{"unclaimed", nil, stands(nobody, ""), books, "charity:a:nobody "},
		{"asked again", []readmodel.Move{there}, stands(books, "i1"), books, "charity:a:nobody "},
		{"for somebody else since", []readmodel.Move{there}, stands(books, "i1"), meals, "charity:a:books i1"},
		{"taken back", []readmodel.Move{there, back}, stands(nobody, "i2"), books, "charity:a:nobody i2"},
		{"asked again after that", []readmodel.Move{there, back, again}, stands(books, "i3"), books, "charity:a:nobody i2"},
	} {
		account, moved := placeBefore(readmodel.Trace{Gift: gift, Moves: test.moves, Stands: test.at}, test.to)
		inflow := ""
		if moved != nil {
			inflow = moved.Inflow
		}
		if got := fmt.Sprint(account, " ", inflow); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// identifies gives a line of nobody to the campaign, takes it back because that
// was wrong, and gives it there once more.
func (y typist) identifies(told story.Told) {
	y.Helper()
	campaign, books := string(told.Campaigns[0]), speak.Books{Gateway: y.gateway("charity")}
	unclaimed := campaign + ":unclaimed"
	at := readmodel.GiftAt{Account: tape.AccountID(unclaimed), Page: "story.nobody", Index: 1}
	gifts, err := books.GiftsOf(y.Context(), at.Account, at.Page)
	if err != nil || len(gifts) < 2 {
		y.Fatal(gifts, err)
	}
	gift := string(gifts[1].ID)
	stands := func(where string) {
		for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			trace, err := books.TraceGift(y.Context(), at)
			if err == nil && string(trace.Stands.Account) == where && trace.Stands.Span != nil {
				return
			}
			if time.Since(begun) > 30*time.Second {
				y.Fatalf("the gift stands at %+v and not at %s: %v", trace.Stands, where, err)
			}
		}
	}
	var first, second identified
	y.types(0, &first, "identify", gift, "--account", unclaimed, "--to", campaign)
	stands(campaign)
	y.types(0, nil, "fund", "correct-gift", campaign, "--page", string(at.Page), "--gift", gift, "--home", unclaimed, "--receiver", unclaimed, "--why", "wrongly-identified")
	stands(unclaimed)
	y.types(0, &second, "identify", gift, "--account", unclaimed, "--to", campaign)
	stands(campaign)
	if first.ID == second.ID || first.Gift.Moved != nil || second.Gift.Moved == nil {
		y.Errorf("identified as %s, after it was taken back as %s (%+v)", first.ID, second.ID, second.Gift.Moved)
	}
}
