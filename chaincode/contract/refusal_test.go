package contract_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestBadInput sends one command after another that must be refused, with a
// code and a sentence that names what to mend, and nothing written.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	w.settled()
	good := encode(t, page(books, "page-9", gift(9, 900)))
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in %q", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, c := range []struct{ name, as, function, argument, want string }{
		{"a negative amount", "charity", "Tape:Receive", edit("9.00 CNY", "-9.00 CNY"), "invalid: field gifts[0].amount: -9.00 CNY is not more than zero"},
		{"zero", "charity", "Tape:Receive", edit("9.00 CNY", "0.00 CNY"), "invalid: field gifts[0].amount: 0.00 CNY is not more than zero"},
		{"an overflow", "charity", "Tape:Receive", edit("9.00 CNY", "90071992547409.92 CNY"), `invalid: field gifts[0].amount: is not an amount of CNY`},
		{"a foreign currency", "charity", "Tape:Receive", edit("9.00 CNY", "900 VND"), "invalid: field gifts[0].amount: 900 VND is not in CNY, the currency of the account"},
		{"a second spelling of an amount", "charity", "Tape:Receive", edit("9.00 CNY", "09.00 CNY"), `invalid: field gifts[0].amount: is not an amount of CNY`},
		{"white space", "charity", "Tape:Receive", edit(`,"count":`, `, "count":`), "invalid: not in the canonical spelling of RFC 8785"},
		{"white space among the gifts", "charity", "Tape:Receive", edit(`"9.00 CNY",`, `"9.00 CNY", `), "invalid: field gifts[0]: is not a list of four texts"},
		{"an unknown field", "charity", "Tape:Receive", edit(`,"count":`, `,"colour":"red","count":`), `invalid: unknown field "colour"`},
		{"a doubled field", "charity", "Tape:Receive", edit(`,"count":1`, `,"count":1,"count":1`), "invalid: field count: stands twice"},
		{"a missing field", "charity", "Tape:Receive", edit(`,"count":1`, ""), "invalid: field count: is missing"},
		{"a field in another case", "charity", "Tape:Receive", edit(`"count"`, `"Count"`), `invalid: field "Count" must be written "count"`},
		{"a count that differs by one", "charity", "Tape:Receive", edit(`"count":1`, `"count":2`), "invalid: field count: says 2, the page holds 1 gifts"},
		{"a total that differs by one", "charity", "Tape:Receive", edit(`"total":"9.00`, `"total":"9.01`), "invalid: field total: says 9.01 CNY, the gifts sum to 9.00 CNY"},
		{"a donor that is no hash", "charity", "Tape:Receive", edit(donor(9), "Mr Smith"), "invalid: field gifts[0].donor: must be 43 characters of base64url, or empty"},
		{"a reference with stray bits", "charity", "Tape:Receive", edit(reference(9), reference(9)[:21]+"B"), "invalid: field gifts[0].reference: must be 22 characters of base64url, or empty"},
		{"an empty page", "charity", "Tape:Receive", `{"account":"` + string(books) + `","count":0,"gifts":[],"id":"p","total":"0.00 CNY"}`, "invalid: field gifts: must hold at least one gift"},
		{"an id with a slash", "charity", "Tape:Receive", edit(`"page-9"`, `"page/9"`), `invalid: field id: is not an id`},
		{"an account that does not exist", "charity", "Tape:Receive", edit(string(books), "charity:sunset:books"), "not-found: account charity:sunset:books does not exist"},
		{"another organisation", "coop", "Tape:Receive", good, "forbidden: coop (role gateway) does not sponsor charity:sunrise:books; charity does"},
		{"another role", "charity:auditor", "Tape:Receive", good, "forbidden: charity (role auditor) does not sponsor"},
		{"no role", "charity:", "Tape:Receive", good, "forbidden: charity (role ) does not sponsor"},
		{"a function in lower case", "charity", "Tape:receive", good, `invalid: there is no function "Tape:receive"; functions are written like Tape:Receive`},
		{"a contract in lower case", "charity", "tape:Receive", good, `invalid: there is no function "tape:Receive"`},
		{"no contract", "charity", "Receive", good, `invalid: there is no function "Receive"`},
		{"a helper's name", "charity", "Tape:GetName", good, `invalid: there is no function "Tape:GetName"`},
		{"the same page id", "charity", "Tape:Receive", strings.Replace(good, "page-9", "page-1", 1), "exists: entry page-1 exists with other content; choose another id"},
		{"an account opened twice", "charity", "Tape:Open", encode(t, rename(open(books), "again")), "exists: account charity:sunrise:books exists already"},
		{"an account of a kind that needs a power", "coop", "Tape:Open", encode(t, open("charity:moon:books")), "forbidden: coop (role gateway) may not open accounts of the kind charity"},
		{"an account of no kind", "charity", "Tape:Open", encode(t, open("bird:moon:books")), "forbidden: charity (role gateway) may not open accounts of the kind bird"},
		{"an account outside", "charity", "Tape:Open", encode(t, open("outside:moon:books")), "invalid: field account: outside:moon:books is outside the ledger"},
		{"an account in upper case", "charity", "Tape:Open", encode(t, open("charity:Moon:books")), "invalid: field account"},
		{"text that is no JSON", "charity", "Tape:Open", "{", "invalid: the argument is not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.TB = t
			w.refused(c.want, c.as, c.function, c.argument)
		})
	}
	w.TB = t
	w.must("charity", "Tape:Receive", good)
}

func rename(c tape.Open, id tape.ID) tape.Open {
	c.ID = id
	return c
}

// TestBadEvidence: the bank's statement must add up and follow on, to the unit.
func TestBadEvidence(t *testing.T) {
	w := newWorld(t)
	w.settled() // statement s1 closed with 175.00
	lines := []tape.Line{line(1, 100), line(2, 200)}
	for _, c := range []struct {
		name string
		edit func(*tape.FileStatement, *tape.FileLines)
		want string
	}{
		{"an opening balance that differs by one", func(s *tape.FileStatement, _ *tape.FileLines) { s.Opening.Units++; s.Closing.Units++ }, "conflict: field opening: is 175.01 CNY, statement s1 closed with 175.00 CNY"},
		{"a closing balance that differs by one", func(s *tape.FileStatement, _ *tape.FileLines) { s.Closing.Units-- }, "conflict: field closing: says 177.99 CNY, opening and lines come to 178.00 CNY"},
		{"a count that differs by one", func(s *tape.FileStatement, _ *tape.FileLines) { s.Count++ }, "conflict: field count: says 3, the pages hold 2 lines"},
		{"a page's total that differs by one", func(s *tape.FileStatement, _ *tape.FileLines) { s.Pages[0].Total.Units++; s.Closing.Units++ }, "conflict: field lines: page 0 of statement s2 sums to 3.01 CNY, the lines sent to 3.00 CNY"},
		{"a page's count that differs by one", func(s *tape.FileStatement, _ *tape.FileLines) { s.Pages[0].Count++; s.Count++ }, "conflict: field lines: page 0 of statement s2 has 3 lines, 2 were sent"},
		{"another previous statement", func(s *tape.FileStatement, _ *tape.FileLines) { s.Previous = "s0" }, `conflict: field previous: is another; the last statement filed for outside:bank:sunrise is "s1"`},
		{"days before the last statement's", func(s *tape.FileStatement, _ *tape.FileLines) { s.From = "2025-12-31" }, "conflict: field from: is 2025-12-31, statement s1 ran to 2026-01-01"},
		{"a day that does not exist", func(s *tape.FileStatement, _ *tape.FileLines) { s.To = "2026-02-30" }, `invalid: field to: is not a date`},
		{"an edited line", func(_ *tape.FileStatement, l *tape.FileLines) { l.Lines[1].Reference = reference(7) }, "conflict: field lines: page 0 of statement s2 holds other lines than those sent"},
		{"a line outside the statement's days", func(_ *tape.FileStatement, l *tape.FileLines) { l.Lines[1].Date = "2026-01-02" }, "conflict: field lines[1]: line 2 of 2026-01-02 is not between"},
		{"a page that does not exist", func(_ *tape.FileStatement, l *tape.FileLines) { l.N = 1 }, "not-found: field n: statement s2 has pages 0 to 0, not 1"},
		{"nothing wrong", func(*tape.FileStatement, *tape.FileLines) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.settled()
			head, bodies := statement(t, "s2", "s1", 17500, side{tape.CreditSide, append([]tape.Line(nil), lines...)})
			c.edit(&head, &bodies[0])
			_, err := w.do("bank", "Tape:FileStatement", head)
			if err == nil {
				_, err = w.do("bank", "Tape:FileLines", bodies[0])
			}
			if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
	head, _ := statement(t, "s2", "s1", 17500, side{tape.CreditSide, lines})
	w.refused("forbidden: charity (role gateway) does not keep the bank account", "charity", "Tape:FileStatement", head)
}

// TestSettlesOnce: a page, a page of lines and an inflow each settle once.
func TestSettlesOnce(t *testing.T) {
	w := newWorld(t)
	w.settled()
	item := tape.SettleItem{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}
	w.refused("wrong-state: field items[0]: page-1 is settled already, by settlement 1", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{item}})
	w.must("charity", "Tape:Receive", page(books, "page-2", gift(1, 10000), gift(2, 5000), gift(3, 2500)))
	item.Source = "page-2"
	w.refused("wrong-state: field items[0]: lines of page 0 of statement s1 are already settled; each line settles once", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{item}})
	w.refused("not-found: field items[0]: page 0 of statement s9", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "page-2", Lines: &tape.LinesRef{Statement: "s9"}}}})
	w.refused("invalid: field items[0]: page-2 needs exactly one of lines, processor and selfDeclared", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "page-2"}}})
	w.refused("invalid: field items[1]: page-2 stands twice", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "page-2", SelfDeclared: true}, {Source: "page-2", SelfDeclared: true}}})
	w.refused("not-found: field items[0]: charity:sunrise:books has no page or inflow charity/spend-1/0", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/spend-1/0"}}})
}

// TestTheSameAgain: a command that was done is answered as before, even when
// its intents were signed anew, and other content under its id is refused.
func TestTheSameAgain(t *testing.T) {
	w := newWorld(t)
	w.settled()
	spend := tape.Spend{Account: books, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(12000), Line: "l1", To: partner}}}
	first := w.must("charity", "Tape:Spend", w.signed("spend", books, cny(12000), spend, "charity-maker", "charity-checker"))
	state := w.State().Digest()
	again := w.must("charity", "Tape:Spend", w.signed("spend", books, cny(12000), spend, "charity-maker", "charity-checker"))
	if encode(t, first) != encode(t, again) || w.State().Digest() != state {
		t.Errorf("the same command again: %+v", again)
	}
	spend.Payments[0].Amount.Units++
	w.refused("exists: entry spend-1 exists with other content", "charity", "Tape:Spend",
		w.signed("spend", books, cny(12001), spend, "charity-maker", "charity-checker"))
}

// TestIntents: whoever decides, signs, and a signature is worth one command.
func TestIntents(t *testing.T) {
	w := newWorld(t)
	w.settled()
	spend := tape.Spend{Account: books, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(1000), Line: "l1", To: partner}}}
	sign := func(persons ...tape.ID) string { return w.signed("spend", books, cny(1000), spend, persons...) }
	pair := sign("charity-maker", "charity-checker")
	cut := strings.Index(pair, `"signature":"0x`) + len(`"signature":"0x`)
	forged := pair[:cut] + flip(pair[cut:cut+1]) + pair[cut+1:]
	for _, c := range []struct{ name, argument, want string }{
		{"nobody signed", sign(), "forbidden: "},
		{"the maker alone", sign("charity-maker"), "forbidden: "},
		{"one person twice", sign("charity-maker", "charity-maker"), "invalid: field intents[1].person: person charity-maker signs twice"},
		{"nobody of the sponsor", sign("bank-maker", "bank-checker"), "forbidden: "},
		{"another action", w.signed("hold", books, cny(1000), spend, "charity-maker", "charity-checker"), "forbidden: field intents[0].signature: is not that of person charity-maker"},
		{"another amount", w.signed("spend", books, cny(999), spend, "charity-maker", "charity-checker"), "forbidden: field intents[0].signature: is not that of person charity-maker"},
		{"another account", w.signed("spend", partner, cny(1000), spend, "charity-maker", "charity-checker"), "forbidden: field intents[0].signature: is not that of person charity-maker"},
		{"a forged signature", forged, "field intents[0].signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.TB = t
			w.refused(c.want, "charity", "Tape:Spend", c.argument)
		})
	}
	w.TB = t
	w.must("charity", "Tape:Spend", pair)
	late := tape.Spend{Account: books, ID: "spend-2", Payments: []tape.Payment{{Amount: cny(1000), Line: "l1", To: partner}}}
	signed := w.signed("spend", books, cny(1000), late, "charity-maker", "charity-checker")
	w.Advance(2 * 3600 * 1e9)
	w.refused("expired: field intents[0].deadline", "charity", "Tape:Spend", signed)
	w.refused("early: field intents[0].person: coop registered the key of person charity-maker", "coop", "Tape:Spend",
		w.signed("spend", books, cny(1000), late, "charity-maker", "charity-checker"))
}

func flip(digit string) string {
	if digit == "0" {
		return "1"
	}
	return "0"
}

// TestOwnerMustEndorse: the owner alone cannot write its account's head, three
// others without it cannot either, and what its policy asks for can.
func TestOwnerMustEndorse(t *testing.T) {
	w := newWorld(t)
	w.settled()
	for _, c := range []struct {
		endorsers []string
		want      peer.TxValidationCode
	}{
		{[]string{"charity"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"charity", "bank"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"coop", "bank", "insurer"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"charity", "bank", "insurer"}, peer.TxValidationCode_VALID},
		{[]string{"coop", "bank", "insurer", "regulator"}, peer.TxValidationCode_VALID},
	} {
		id := tape.ID("spend-" + strings.Join(c.endorsers, "-"))
		spend := tape.Spend{Account: books, ID: id, Payments: []tape.Payment{{Amount: cny(100), Line: "l1", To: partner}}}
		argument := w.signed("spend", books, cny(100), spend, "charity-maker", "charity-checker")
		_, err := w.Invoke(w.identity("charity"), "Tape:Spend", argument, peertest.From(c.endorsers...))
		got := peer.TxValidationCode_VALID
		var invalidated *peertest.InvalidatedError
		if errors.As(err, &invalidated) {
			got = invalidated.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("endorsed by %v: %s, want %s", c.endorsers, got, c.want)
		}
	}
}

// TestOneHeadWriteABlock: two spends of one account in one block conflict, two pages do not.
func TestOneHeadWriteABlock(t *testing.T) {
	w := newWorld(t)
	w.settled()
	endorse := func(function, argument string) *peertest.Endorsed {
		endorsed, err := w.Endorse(w.identity("charity"), function, argument)
		if err != nil {
			t.Fatal(err)
		}
		return endorsed
	}
	var batch []*peertest.Endorsed
	for i := range 2 {
		spend := tape.Spend{Account: books, ID: tape.ID(fmt.Sprint("spend-", i)), Payments: []tape.Payment{{Amount: cny(100), Line: "l1", To: partner}}}
		batch = append(batch, endorse("Tape:Spend", w.signed("spend", books, cny(100), spend, "charity-maker", "charity-checker")))
		batch = append(batch, endorse("Tape:Receive", encode(t, page(books, tape.ID(fmt.Sprint("more-", i)), gift(10+i, 100)))))
	}
	results, err := w.Commit(batch...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []peer.TxValidationCode{peer.TxValidationCode_VALID, peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_VALID} {
		if results[i].Code != want {
			t.Errorf("transaction %d: %s, want %s", i, results[i].Code, want)
		}
	}
}

// TestAuditReadsEverything pages through the state.
func TestAuditReadsEverything(t *testing.T) {
	w := newWorld(t)
	w.settled()
	count, after := 0, ""
	for {
		payload, err := w.Evaluate(w.identity("regulator:auditor"), "Audit:Range", encode(t, contract.RangeQuery{After: after, Limit: 7}))
		if err != nil {
			t.Fatal(err)
		}
		answer := decodeJSON[contract.RangeAnswer](t, payload)
		for _, record := range answer.Records {
			if record.Key <= after {
				t.Fatalf("%s comes after %s", record.Key, after)
			}
			value, found := w.State().Get(record.Key)
			if !found || string(value.Data) != record.Value {
				t.Fatalf("%s is %q", record.Key, record.Value)
			}
			after = record.Key
			count++
		}
		if !answer.More {
			break
		}
	}
	if want := w.State().Len(); count != want {
		t.Errorf("read %d of %d records", count, want)
	}
	payload, err := w.Evaluate(w.identity("regulator:auditor"), "Audit:Read", encode(t, contract.KeyQuery{Key: party.LedgerKey()}))
	if err != nil || decodeJSON[party.Ledger](t, payload).ID != ledgerID {
		t.Errorf("read %q, %v", payload, err)
	}
	if _, err := w.Evaluate(w.identity("regulator:auditor"), "Audit:Read", encode(t, contract.KeyQuery{Key: "nothing"})); err == nil || !strings.Contains(err.Error(), `not-found: there is no record "nothing"`) {
		t.Errorf("got %v", err)
	}
}

// TestASpoiltRecordEndsNoProcess: three organisations that collude can write
// rubbish under a new key. Who meets it gets an error, and the chaincode lives.
func TestASpoiltRecordEndsNoProcess(t *testing.T) {
	w := newWorld(t)
	w.settled()
	w.forged = 1
	const spoilt = tape.AccountID("charity:spoilt:books")
	forged := w.Forge(w.identity("bank"), func(set *replay.Set) {
		set.Writes = append(set.Writes, replay.Write{Key: tape.AccountKey(spoilt), Value: []byte("rubbish")})
	}, "bank", "coop", "insurer")
	if results, err := w.Commit(forged); err != nil || !results[0].Valid() {
		t.Fatalf("the rubbish is not on the ledger: %v", err)
	}
	_, err := w.do("charity", "Tape:Receive", page(spoilt, "page-8", gift(1, 100)))
	if err == nil || !strings.Contains(err.Error(), "defect: contract: account/charity:spoilt:books") || errors.Is(err, replay.ErrCrashed) {
		t.Errorf("got %v", err)
	}
	w.must("charity", "Tape:Receive", page(books, "page-2", gift(1, 100)))
}
