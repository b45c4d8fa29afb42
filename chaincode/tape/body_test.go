package tape_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func fullPage(gifts int) tape.Receive {
	c := tape.Receive{Account: "charity:sunrise:books", ID: "page-1", Count: int32(gifts), Total: money.New(0, "CNY")}
	for i := range gifts {
		gift := tape.Gift{ID: tape.ID(fmt.Sprintf("2024-09-a-%06d", i)), Amount: money.New(int64(i+1)*100, "CNY"),
			Donor: fmt.Sprintf("%042dA", i), Reference: fmt.Sprintf("%021dA", i)}
		c.Total.Units += gift.Amount.Units
		c.Gifts = append(c.Gifts, gift)
	}
	return c
}

// TestBodiesAreCanonicalJSON: what the fast writer writes, encoding/json reads.
func TestBodiesAreCanonicalJSON(t *testing.T) {
	argument, err := fullPage(3).Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"account":"charity:sunrise:books","count":3,"gifts":[` +
		`["2024-09-a-000000","1.00 CNY","000000000000000000000000000000000000000000A","000000000000000000000A"],` +
		`["2024-09-a-000001","2.00 CNY","000000000000000000000000000000000000000001A","000000000000000000001A"],` +
		`["2024-09-a-000002","3.00 CNY","000000000000000000000000000000000000000002A","000000000000000000002A"]],"id":"page-1","total":"6.00 CNY"}`
	if string(argument) != want || !json.Valid(argument) {
		t.Errorf("got  %s\nwant %s", argument, want)
	}
	lines := tape.FileLines{Account: "outside:bank:a", ID: "l", Statement: "s", Lines: []tape.Line{{Number: 140, Date: "2024-09-07", Amount: money.New(55000, "VND")}}}
	argument, err = lines.Encode()
	want = `{"account":"outside:bank:a","id":"l","lines":[["140","2024-09-07","55000 VND",""]],"n":0,"statement":"s"}`
	if string(argument) != want || err != nil {
		t.Errorf("got  %s\nwant %s", argument, want)
	}
}

func FuzzDecodeReceive(f *testing.F) {
	seed, err := fullPage(2).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"gifts":[["a","1.00 CNY","",""]]}`))
	f.Add([]byte(`{"account":"\"gifts\":[","gifts":[]}`))
	f.Fuzz(func(t *testing.T, argument []byte) {
		c, err := tape.DecodeReceive(argument)
		if err != nil {
			return
		}
		if again, err := c.Encode(); err != nil || !bytes.Equal(again, argument) {
			t.Errorf("%q prints back as %q, %v", argument, again, err)
		}
	})
}

func FuzzDecodeFileLines(f *testing.F) {
	f.Add([]byte(`{"account":"outside:bank:a","id":"l","lines":[["140","2024-09-07","55000 VND",""]],"n":0,"statement":"s"}`))
	f.Fuzz(func(t *testing.T, argument []byte) {
		c, err := tape.DecodeFileLines(argument)
		if err != nil {
			return
		}
		if again, err := c.Encode(); err != nil || !bytes.Equal(again, argument) {
			t.Errorf("%q prints back as %q, %v", argument, again, err)
		}
	})
}

// TestMatchesTellsPagesApart: gifts and lines with the same money in the same
// order agree, and no others.
func TestMatchesTellsPagesApart(t *testing.T) {
	gifts := fullPage(3).Gifts
	var lines []tape.Line
	for i, gift := range gifts {
		lines = append(lines, tape.Line{Number: int32(i + 1), Date: "2026-01-01", Amount: gift.Amount, Reference: gift.Reference})
	}
	digest := func(lines []tape.Line) merkle.Hash {
		page, _, err := tape.LinesBody(tape.CreditSide, lines)
		if err != nil {
			t.Fatal(err)
		}
		return page.Matches
	}
	_, want, _, err := tape.GiftsBody(gifts)
	if err != nil || digest(lines) != want {
		t.Errorf("the same money in the same order does not agree: %v", err)
	}
	for name, change := range map[string]func([]tape.Line){
		"an amount":    func(l []tape.Line) { l[1].Amount.Units++ },
		"a reference":  func(l []tape.Line) { l[1].Reference = l[0].Reference },
		"an order":     func(l []tape.Line) { l[0].Amount, l[1].Amount = l[1].Amount, l[0].Amount },
		"a missing":    func(l []tape.Line) { l[2] = tape.Line{Number: 9, Date: "2026-01-01", Amount: money.New(1, "CNY")} },
		"no reference": func(l []tape.Line) { l[0].Reference = "" },
	} {
		changed := append([]tape.Line(nil), lines...)
		change(changed)
		if digest(changed) == want {
			t.Errorf("%s changed, and the digest did not", name)
		}
	}
}

// A full page is what every peer judges on the hot path; BenchmarkReceiveJSON
// is the baseline, the same page through general JSON alone.
func BenchmarkReceive(b *testing.B) {
	argument, err := fullPage(tape.PageGiftsMax).Encode()
	if err != nil {
		b.Fatal(err)
	}
	account := tape.Account{ID: "charity:sunrise:books", Currency: "CNY", Organisation: "charity"}
	ctx := tape.Context{Organisation: "charity", Role: "gateway"}
	b.SetBytes(int64(len(argument)))
	for b.Loop() {
		c, err := tape.DecodeReceive(argument)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := account.Receive(c, ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceiveJSON(b *testing.B) {
	argument, err := fullPage(tape.PageGiftsMax).Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(argument)))
	for b.Loop() {
		var page struct {
			Gifts [][4]string `json:"gifts"`
		}
		if err := json.Unmarshal(argument, &page); err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(page); err != nil {
			b.Fatal(err)
		}
	}
}
