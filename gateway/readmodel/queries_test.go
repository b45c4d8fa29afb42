package readmodel

import (
	"context"
	"reflect"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestLists: every list, read in parts of three and of a thousand, forwards and
// newest first, has the same items; and its cursor is refused by the others.
func TestLists(t *testing.T) {
	w := newWorld(11)
	w.run(400)
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	account := w.accounts[0].record.ID
	statement := w.statements[0]
	n := int32(0)
	block := w.blocks[len(w.blocks)/2].Number
	for name, walk := range map[string]func(*testing.T) int{
		"blocks": lists(func(win Window) (List[BlockSummary], error) { return m.Blocks(ctx, win) }, true),
		"transactions": lists(func(win Window) (List[TransactionSummary], error) {
			return m.Transactions(ctx, TransactionFilter{}, win)
		}, true),
		"invalid": lists(func(win Window) (List[TransactionSummary], error) {
			return m.Transactions(ctx, TransactionFilter{Invalid: true}, win)
		}, true),
		"transactions of a block": lists(func(win Window) (List[TransactionSummary], error) {
			return m.Transactions(ctx, TransactionFilter{Block: &block}, win)
		}, true),
		"entries":     lists(func(win Window) (List[Entry], error) { return m.Entries(ctx, EntryFilter{}, win) }, true),
		"spends":      lists(func(win Window) (List[Entry], error) { return m.Entries(ctx, EntryFilter{Kind: "spend"}, win) }, true),
		"postings":    lists(func(win Window) (List[Posting], error) { return m.Postings(ctx, account, win) }, true),
		"accounts":    lists(func(win Window) (List[Account], error) { return m.Accounts(ctx, AccountFilter{Currency: "VND"}, win) }, true),
		"pages":       lists(func(win Window) (List[GiftPage], error) { return m.Pages(ctx, PageFilter{}, win) }, true),
		"settlements": lists(func(win Window) (List[Settlement], error) { return m.Settlements(ctx, account, win) }, true),
		"holds":       lists(func(win Window) (List[Hold], error) { return m.Holds(ctx, HoldFilter{}, win) }, true),
		"inflows":     lists(func(win Window) (List[Inflow], error) { return m.Inflows(ctx, InflowFilter{}, win) }, true),
		"waiting":     lists(func(win Window) (List[Inflow], error) { return m.Inflows(ctx, InflowFilter{Waiting: true}, win) }, true),
		"jobs":        lists(func(win Window) (List[Job], error) { return m.Jobs(ctx, "", win) }, true),
		"statements":  lists(func(win Window) (List[Statement], error) { return m.Statements(ctx, bank, win) }, true),
		"lines pages": lists(func(win Window) (List[LinesPage], error) { return m.LinesPages(ctx, bank, statement, win) }, true),
		"lines":       lists(func(win Window) (List[Line], error) { return m.Lines(ctx, LineFilter{bank, statement, &n}, win) }, false),
		"open lines":  lists(func(win Window) (List[Line], error) { return m.OpenLines(ctx, OpenLineFilter{}, win) }, false),
		"reversals":   lists(func(win Window) (List[Reversal], error) { return m.Reversals(ctx, "", win) }, true),
		"records":     lists(func(win Window) (List[Record], error) { return m.Records(ctx, "statements/", win) }, true),
		"gifts":       lists(func(win Window) (List[Gift], error) { return m.Gifts(ctx, GiftFilter{}, win) }, false),
		"gifts of an account": lists(func(win Window) (List[Gift], error) {
			return m.Gifts(ctx, GiftFilter{Account: account}, win)
		}, false),
	} {
		t.Run(name, func(t *testing.T) {
			count := walk(t)
			want := map[string]int{"blocks": len(w.blocks), "accounts": len(w.accounts), "gifts": len(w.gifts), "holds": len(w.holds), "jobs": len(w.jobs),
				"inflows": len(w.inflows), "entries": w.entries, "statements": len(w.statements), "pages": len(w.pages), "lines pages": 1, "records": 1}[name]
			if want != 0 && count != want {
				t.Errorf("%d items, not %d", count, want)
			}
		})
	}
}

// lists walks a list in several ways and returns how many items it has.
func lists[T any](read func(Window) (List[T], error), newest bool) func(*testing.T) int {
	return func(t *testing.T) int {
		t.Helper()
		whole := walk(t, read, Window{Limit: 1000})
		if parts := walk(t, read, Window{Limit: 3}); !reflect.DeepEqual(parts, whole) {
			t.Errorf("in parts of three the list has other items: %d and %d", len(parts), len(whole))
		}
		if len(whole) == 0 {
			t.Error("the list is empty")
		}
		if newest {
			turned := walk(t, read, Window{Limit: 3, Newest: true})
			for i := range turned {
				if !reflect.DeepEqual(turned[i], whole[len(whole)-1-i]) {
					t.Fatalf("newest first, item %d is another", i)
				}
			}
		}
		for _, bad := range []Window{{Limit: -1}, {Limit: 1001}, {After: "x"}, {After: cursor{List: "other"}.String()}} {
			if _, err := read(bad); !rule.Is(err, rule.Invalid) {
				t.Errorf("window %+v: %v", bad, err)
			}
		}
		return len(whole)
	}
}

func walk[T any](t *testing.T, read func(Window) (List[T], error), window Window) []T {
	t.Helper()
	var all []T
	for {
		list, err := read(window)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > window.Limit {
			t.Fatalf("%d items, %d were wanted", len(list.Items), window.Limit)
		}
		all = append(all, list.Items...)
		if window.After = list.Next; list.Next == "" {
			return all
		}
	}
}

func TestNotFound(t *testing.T) {
	w := newWorld(12)
	w.run(60)
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	account := w.accounts[0].record.ID
	page := w.pages[0].record
	for name, ask := range map[string]func() error{
		"block":           func() error { _, err := m.Block(ctx, 1_000_000); return err },
		"entry":           func() error { _, err := m.Entry(ctx, "charity", "none"); return err },
		"account":         func() error { _, err := m.Account(ctx, "a:b:c"); return err },
		"page":            func() error { _, err := m.Page(ctx, account, "none"); return err },
		"gift of no page": func() error { _, err := m.Gift(ctx, GiftAt{account, "none", 0}); return err },
		"gift too far":    func() error { _, err := m.Gift(ctx, GiftAt{page.Account, page.ID, 2000}); return err },
		"gift below zero": func() error { _, err := m.Gift(ctx, GiftAt{page.Account, page.ID, -1}); return err },
		"gift id":         func() error { _, err := m.FindGifts(ctx, "none"); return err },
		"trace":           func() error { _, err := m.TraceGiftID(ctx, "none"); return err },
		"span beyond":     func() error { _, err := m.TraceSpan(ctx, account, tape.Span{Start: 0, End: 1 << 40}); return err },
		"span of nobody":  func() error { _, err := m.TraceSpan(ctx, "a:b:c", tape.Span{Start: 0, End: 1}); return err },
		"back beyond": func() error {
			_, err := m.TraceBack(ctx, account, tape.Span{Start: 0, End: 1 << 40}, Window{})
			return err
		},
		"hold":             func() error { _, err := m.Hold(ctx, account, "none"); return err },
		"statement":        func() error { _, err := m.Statement(ctx, bank, "none"); return err },
		"line of no page":  func() error { _, err := m.Line(ctx, bank, "none", 0, 0); return err },
		"line below zero":  func() error { _, err := m.Line(ctx, bank, w.statements[0], 0, -1); return err },
		"line too far":     func() error { _, err := m.Line(ctx, bank, w.statements[0], 0, 2000); return err },
		"record of no key": func() error { _, err := m.Record(ctx, "person/none"); return err },
	} {
		if err := ask(); !rule.Is(err, rule.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.TraceBack(ctx, account, tape.Span{Start: 0, End: 1}, Window{After: "x"}); !rule.Is(err, rule.Invalid) {
		t.Errorf("a cursor that is none: %v", err)
	}
}

// TestSingles: what a list holds is found by its name.
func TestSingles(t *testing.T) {
	w := newWorld(13)
	w.run(200)
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	entry, err := m.Entry(ctx, "charity", "e7")
	if err != nil || entry.Reference() != "charity/e7" || len(entry.Transaction) != 64 || len(entry.Verbatim) == 0 {
		t.Errorf("entry: %+v, %v", entry, err)
	}
	page := w.pages[0].record
	found, err := m.Page(ctx, page.Account, page.ID)
	if err != nil || !reflect.DeepEqual(found.Page, page) || found.Entry != "charity/"+string(page.ID) {
		t.Errorf("page: %+v, %v", found, err)
	}
	hold := w.holds[0].record
	if found, err := m.Hold(ctx, hold.Account, hold.ID); err != nil || found.State != hold.State || found.Amount != hold.Amount {
		t.Errorf("hold: %+v, %v", found, err)
	}
	statement, err := m.Statement(ctx, bank, w.statements[0])
	if err != nil || statement.Filed != 1 || statement.Pages != 1 {
		t.Errorf("statement: %+v, %v", statement, err)
	}
	line, err := m.Line(ctx, bank, w.statements[0], 0, 0)
	if err != nil || line.Number != 1 || line.Side != tape.CreditSide {
		t.Errorf("line: %+v, %v", line, err)
	}
	if r, err := m.Record(ctx, tape.StatementsKey(bank)); err != nil || len(r.Value) == 0 {
		t.Errorf("record: %+v, %v", r, err)
	}
}

// TestUnidentified: the lines that no gift claimed are gifts named after them,
// and each rests on its own line.
func TestUnidentified(t *testing.T) {
	w := newWorld(14)
	ctx := context.Background()
	p := w.accounts[0]
	lines := []tape.Line{{Number: 1, Date: "2024-09-02", Amount: vnd(5)}, {Number: 2, Date: "2024-09-02", Amount: vnd(6)}, {Number: 4, Date: "2024-09-03", Amount: vnd(7)}}
	key := w.file(lines, tape.CreditSide)
	w.begin("Settle", "settle", p.record.ID)
	w.write(tape.UsedKey(bank, w.statements[0], 0), tape.Used{V: 1, Lines: tape.Spans{{Start: 1, End: 2}}})
	w.commit()
	entry := w.begin("ReceiveUnidentified", "receive-unidentified", p.record.ID)
	argument, err := canonical.Encode(tape.NewReceiveUnidentified(p.record.ID, entry.ID, w.statements[0], 0, lines))
	if err != nil {
		t.Fatal(err)
	}
	w.current.Argument = argument
	w.write(tape.PageKey(p.record.ID, entry.ID), tape.Page{V: 1, Account: p.record.ID, ID: entry.ID, Organisation: "charity", Count: 2, Total: vnd(12),
		Evidence: &tape.Evidence{Kind: "statement", Reference: key}, At: w.at})
	w.write(tape.UsedKey(bank, w.statements[0], 0), tape.Used{V: 1, Lines: tape.Spans{{Start: 0, End: 3}}})
	w.commit()
	w.block()
	m := open(t)
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id    tape.ID
		index int
		line  int32
	}{{"line-1", 0, 1}, {"line-4", 1, 4}} {
		trace, err := m.TraceGiftID(ctx, test.id)
		if err != nil || trace.Gift.Index != test.index || trace.Line == nil || trace.Line.Number != test.line || !trace.Line.Used || trace.Root.State != Pending {
			t.Errorf("%s: %+v, %v", test.id, trace, err)
		}
	}
}

// TestSameID: an id may stand on several pages; a trace then wants the place.
func TestSameID(t *testing.T) {
	w := newWorld(15)
	ctx := context.Background()
	p := w.accounts[1]
	for range 2 {
		entry := w.begin("Receive", "receive", p.record.ID)
		c := tape.Receive{Account: p.record.ID, ID: entry.ID, Count: 1, Total: vnd(3), Gifts: []tape.Gift{{ID: "same", Amount: vnd(3)}}}
		w.current.Argument, _ = c.Encode()
		w.write(tape.PageKey(p.record.ID, entry.ID), tape.Page{V: 1, Account: p.record.ID, ID: entry.ID, Organisation: "charity", Count: 1, Total: vnd(3), At: w.at})
		w.commit()
	}
	w.block()
	m := open(t)
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	if gifts, err := m.FindGifts(ctx, "same"); err != nil || len(gifts) != 2 || gifts[0].Page == gifts[1].Page {
		t.Errorf("%+v, %v", gifts, err)
	}
	if _, err := m.TraceGiftID(ctx, "same"); !rule.Is(err, rule.Conflict) {
		t.Errorf("the trace of an id that stands twice: %v", err)
	}
}

// TestManySmallPages: single gifts are pages of their own, and their runs are merged twice and more.
func TestManySmallPages(t *testing.T) {
	w := newWorld(16)
	ctx := context.Background()
	p := w.accounts[0]
	pages, want := freshRunsMax*runsMax+300, 2
	if testing.Short() {
		pages, want = freshRunsMax+100, 1
	}
	for range pages {
		entry := w.begin("Receive", "receive", p.record.ID)
		c := tape.Receive{Account: p.record.ID, ID: entry.ID, Count: 1, Total: vnd(3), Gifts: []tape.Gift{{ID: "of-" + entry.ID, Amount: vnd(3)}}}
		w.current.Argument, _ = c.Encode()
		w.write(tape.PageKey(p.record.ID, entry.ID), tape.Page{V: 1, Account: p.record.ID, ID: entry.ID, Organisation: "charity", Count: 1, Total: vnd(3), At: w.at})
		w.commit()
	}
	w.block()
	m := open(t)
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	for i := 6; i < pages+6; i += 97 {
		id := tape.ID(w.entryName(i))
		if gifts, err := m.FindGifts(ctx, "of-"+id); err != nil || len(gifts) != 1 || gifts[0].Page != id {
			t.Fatalf("gift of page %s: %+v, %v", id, gifts, err)
		}
	}
	levels := 0
	err := m.view(ctx, func(s *session) error {
		_, err := s.get(ctx, "SELECT max(level) FROM gift_runs", nil, &levels)
		return err
	})
	if err != nil || levels != want {
		t.Errorf("%d levels, %v", levels, err)
	}
}

// TestTraceIsBounded: a gift that paid more than the tree may show keeps its sum.
func TestTraceIsBounded(t *testing.T) {
	r := newRelief(100)
	const payments = traceNodesMax + 200
	r.pass(0, 1, 0, 0, payments, 10)
	r.block()
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, r.blocks...); err != nil {
		t.Fatal(err)
	}
	span := tape.Span{Start: 0, End: 100 * giftUnits}
	node, err := m.TraceSpan(ctx, r.accounts[0].record.ID, span)
	if err != nil {
		t.Fatal(err)
	}
	tiles(t, node, tape.Spans{*node.Span})
	more := 0
	for _, leaf := range leaves(node) {
		if leaf.State == More {
			more++
		}
	}
	if more == 0 || len(leaves(node)) > 2*traceNodesMax {
		t.Errorf("%d leaves, %d cut", len(leaves(node)), more)
	}
}

// TestMatchSkipsUsedLines: a match repeats what the ledger did with the lines
// that were unused before it, and each gift rests on its own line.
func TestMatchSkipsUsedLines(t *testing.T) {
	w := newWorld(17)
	ctx := context.Background()
	p := w.accounts[0]
	var gifts []tape.Gift
	var lines []tape.Line
	for i := range 4 {
		gifts = append(gifts, tape.Gift{ID: tape.ID("m-" + w.entryName(i)), Amount: vnd(5), Reference: reference(7)})
		lines = append(lines, tape.Line{Number: int32(i + 1), Date: "2024-09-02", Amount: vnd(5), Reference: reference(7)})
	}
	key := w.file(lines, tape.CreditSide)
	w.begin("Settle", "settle", p.record.ID)
	w.write(tape.UsedKey(bank, w.statements[0], 0), tape.Used{V: 1, Lines: tape.Spans{{Start: 0, End: 1}, {Start: 2, End: 3}}})
	w.commit()
	whole := w.begin("Receive", "receive", p.record.ID)
	c := tape.Receive{Account: p.record.ID, ID: whole.ID, Count: 4, Total: vnd(20), Gifts: gifts}
	w.current.Argument, _ = c.Encode()
	page := tape.Page{V: 1, Account: p.record.ID, ID: whole.ID, Organisation: "charity", Count: 4, Total: vnd(20), At: w.at}
	w.write(tape.PageKey(p.record.ID, whole.ID), page)
	w.commit()
	entry := w.begin("Match", "match", p.record.ID)
	argument, err := canonical.Encode(tape.NewMatch(p.record.ID, entry.ID, whole.ID, gifts, w.statements[0], 0, lines))
	if err != nil {
		t.Fatal(err)
	}
	w.current.Argument = argument
	page.Parent, page.Count, page.Total = whole.ID, 2, vnd(10)
	page.ID, page.Evidence = whole.ID+tape.MatchedSuffix, &tape.Evidence{Kind: "statement", Reference: key}
	w.write(tape.PageKey(p.record.ID, page.ID), page)
	page.ID, page.Evidence, page.Unmatched = whole.ID+tape.UnmatchedSuffix, nil, []tape.Unmatched{{Reason: "no-line", Count: 2}}
	w.write(tape.PageKey(p.record.ID, page.ID), page)
	w.write(tape.SettledKey(p.record.ID, string(whole.ID)), tape.Settled{V: 1})
	w.write(tape.UsedKey(bank, w.statements[0], 0), tape.Used{V: 1, Lines: tape.Spans{{Start: 0, End: 4}}})
	w.commit()
	w.block()
	m := open(t)
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		page  tape.ID
		index int
		line  int32
		state State
	}{{whole.ID + ".m", 0, 2, Pending}, {whole.ID + ".m", 1, 4, Pending}, {whole.ID + ".u", 0, 0, Unmatched}, {whole.ID + ".u", 1, 0, Unmatched}} {
		trace, err := m.TraceGift(ctx, GiftAt{p.record.ID, whole.ID, i})
		line := int32(0)
		if trace.Line != nil {
			line = trace.Line.Number
		}
		if err != nil || trace.Gift.ID != gifts[i].ID || trace.Gift.Page != want.page || trace.Gift.Index != want.index || line != want.line || trace.Root.State != want.state {
			t.Errorf("gift %d: %+v line %d, %v", i, trace.Gift, line, err)
		}
	}
}

// TestOpenLines: what no gift, payout or file rests on is listed, and nothing else.
func TestOpenLines(t *testing.T) {
	w := newWorld(15)
	w.run(400)
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	for _, side := range []tape.Side{"", tape.CreditSide, tape.DebitSide} {
		var want []Line
		used := 0
		for _, id := range w.statements {
			for _, line := range walk(t, func(win Window) (List[Line], error) {
				return m.Lines(ctx, LineFilter{Account: bank, Statement: id}, win)
			}, Window{Limit: 1000}) {
				if line.Used {
					used++
				} else if side == "" || line.Side == side {
					want = append(want, line)
				}
			}
		}
		got := walk(t, func(win Window) (List[Line], error) {
			return m.OpenLines(ctx, OpenLineFilter{Account: bank, Side: side}, win)
		}, Window{Limit: 7})
		if used == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("side %q: %d lines, %d are open, %d used", side, len(got), len(want), used)
		}
		for _, line := range want {
			list, err := m.OpenLines(ctx, OpenLineFilter{Account: bank, Side: side, Amount: &line.Amount}, Window{Limit: 1000})
			if err != nil || len(list.Items) == 0 || list.Items[0].Amount != line.Amount {
				t.Fatalf("%v %+v", err, list)
			}
		}
	}
	if list, err := m.OpenLines(ctx, OpenLineFilter{Account: "outside:bank:none"}, Window{}); err != nil || len(list.Items) != 0 {
		t.Errorf("another account: %v %+v", err, list)
	}
}
