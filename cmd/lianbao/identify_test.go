package main

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
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
