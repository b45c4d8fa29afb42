package importing

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

const (
	examplePay = tape.AccountID("outside:processor:examplepay")
	collected  = "date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n"
	paidOut    = "EXAMPLEPAY-20260301"
)

// collects writes a processor's file: rows are amounts in yuan and memos, of
// which the processor keeps one per cent each.
func (w *world) collects(name string, first int, rows ...[2]string) string {
	var text strings.Builder
	text.WriteString(collected)
	var total, fees int64
	for i, row := range rows {
		amount, err := money.Parse(row[0] + " CNY")
		if err != nil {
			w.Fatal(err)
		}
		fee := amount.Units / 100
		total, fees = total+amount.Units, fees+fee
		fmt.Fprintf(&text, "2026-03-01,08:%02d:00,PAYMENT%04d,%s,%s,%s,CNY,paid,Invented Payer %d,%s\n", i, first+i, row[0], plain(fee), plain(amount.Units-fee), i, row[1])
	}
	fmt.Fprintf(&text, "total,,,%s,%s,%s,,,,\n", plain(total), plain(fees), plain(total-fees))
	return w.file(name, text.String())
}

func plain(units int64) string { return strings.TrimSuffix(money.New(units, "CNY").String(), " CNY") }

func (w *world) processorOrder(file string) ProcessorOrder {
	return ProcessorOrder{File: file, Account: books, Processor: examplePay, Reference: paidOut, Charity: w.side("charity").Receiver()}
}

func (w *world) process(o ProcessorOrder) (ProcessorResult, error) {
	w.dead = false
	return ImportProcessor(context.Background(), o)
}

// bazaar is a processor's file of 157.00, one gift of which was announced, and
// a statement whose third line carries the net.
func (w *world) bazaar() (file, bank string, ada giver) {
	w.campaigns()
	ada = w.announce(1, books, "Invented Ada")
	file = w.collects("payments.csv", 1, [2]string{"100.00", "for the children"}, [2]string{"50.00", "gift " + ada.Reference.Grouped()}, [2]string{"7.00", ""})
	return file, w.memos("march.csv", [2]string{"3.00", "a gift"}, [2]string{"155.43", "a gift of that very sum"}, [2]string{"155.43", "settlement " + paidOut}, [2]string{"2.00", "a gift"}), ada
}

func (w *world) bazaarOrder(bank string) Order {
	o := w.order(bank)
	o.Account, o.pageLines, o.settlePages = books, 2, 1
	return o
}

func processed(r ProcessorResult) string {
	return fmt.Sprintf("%d gifts of %s less %s is %s, announced %d, settled %v by %s:%d, waits %q", r.Gifts, r.Total, r.Fee, r.Net, r.Announced, r.Settled, r.Statement, r.Line, r.Waits)
}

// bazaarStands compares what stands on the books: the other gifts and the whole
// page, of which the processor has kept its fee.
func (w *world) bazaarStands() {
	w.Helper()
	var head tape.Head
	if !w.read(tape.HeadKey(books), &head) || head.Received != 317_43 || head.Free().Total() != 315_86 {
		w.Errorf("received %d, free %d", head.Received, head.Free().Total())
	}
}

// TestProcessor: the statement comes after the file, or before it.
func TestProcessor(t *testing.T) {
	const settled = "3 gifts of 157.00 CNY less 1.57 CNY is 155.43 CNY, announced 1, settled true by "
	mapping := statement.Mapping{V: 1, Header: "row", Columns: statement.Columns{Date: "booking_date", Reference: "bank_reference", Debit: "debit", Credit: "credit", Currency: "currency", Payer: "payer_pseudonym", Description: "description"},
		Classify: []statement.ClassRule{{Match: "EXAMPLEPAY", As: "processor"}}}
	for name, first := range map[string]bool{"after": true, "before": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			file, bank, ada := w.bazaar()
			if first {
				r, err := w.process(w.processorOrder(file))
				if want := `3 gifts of 157.00 CNY less 1.57 CNY is 155.43 CNY, announced 1, settled false by :0, waits "no line"`; err != nil || processed(r) != want {
					t.Fatalf("%v\n got %s\nwant %s", err, processed(r), want)
				}
			}
			o := w.bazaarOrder(bank)
			if !first {
				o.Mapping = mapping
			}
			s, err := w.run(o)
			if err != nil || s.Gifts != 3 || s.Total.String() != "160.43 CNY" || s.Unmatched != 0 {
				t.Fatalf("%v %s", err, figures(s))
			}
			want := settled + string(s.Statement) + `:3, waits ""`
			if first && (len(s.Processors) != 1 || processed(s.Processors[0]) != want) {
				t.Errorf("the statement says %+v", s.Processors)
			}
			r, err := w.process(w.processorOrder(file))
			if err != nil || processed(r) != want || r.Repeated != first {
				t.Errorf("%v, repeated %v\n got %s\nwant %s", err, r.Repeated, processed(r), want)
			}
			w.bazaarStands()
			sent := w.sent
			if again, err := w.process(w.processorOrder(file)); err != nil || !again.Repeated || processed(again) != want {
				t.Errorf("again: %v %s", err, processed(again))
			}
			if again, err := w.run(o); err != nil || !again.Repeated || len(again.Processors) != 0 {
				t.Errorf("the statement again: %v %+v", err, again)
			}
			if w.sent != sent {
				t.Errorf("the repetitions sent %d commands", w.sent-sent)
			}
			w.checkUses([]giver{ada}, 1)
			for _, word := range []string{"Invented", "PAYMENT0001", "EXAMPLEPAY", "for the children"} {
				if strings.Contains(w.ledgerText(), word) {
					t.Errorf("%q is on the ledger", word)
				}
			}
			if strings.Contains(w.kept(), "Invented") || strings.Contains(w.kept(), "PAYMENT0001") {
				t.Error("a giver or the number of a payment is in the folders")
			}
		})
	}
}

// TestProcessorKilledAnywhere kills the file's import before and after every
// command, and the statement's after it: what is run again ends to the unit.
func TestProcessorKilledAnywhere(t *testing.T) {
	play := func(w *world, file, bank string) (err error) {
		for range 2 {
			if _, err = w.process(w.processorOrder(file)); err != nil {
				return err
			}
			if _, err = w.run(w.bazaarOrder(bank)); err != nil {
				return err
			}
		}
		return nil
	}
	whole := newWorld(t)
	file, bank, _ := whole.bazaar()
	if err := play(whole, file, bank); err != nil {
		t.Fatal(err)
	}
	whole.bazaarStands()
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, what := range []fault{killedBefore, killedAfter} {
		for at := 1; at <= whole.sent; at += step {
			w := newWorld(t)
			file, bank, _ := w.bazaar()
			w.fault = func(sent int) fault {
				if sent == at {
					return what
				}
				return none
			}
			if err := play(w, file, bank); err == nil {
				t.Fatalf("killed at command %d: no error", at)
			}
			if err := play(w, file, bank); err != nil {
				t.Fatalf("killed at command %d: the second run says %v", at, err)
			}
			w.bazaarStands()
		}
	}
}

// TestProcessorLines: which line of the bank a file takes.
func TestProcessorLines(t *testing.T) {
	const net, transfer = "155.43", "own money"
	mapping := statement.Mapping{V: 1, Header: "row", Columns: statement.Columns{Date: "booking_date", Reference: "bank_reference", Debit: "debit", Credit: "credit", Currency: "currency", Description: "description"},
		Classify: []statement.ClassRule{{Match: transfer, As: "transfer"}}}
	for name, c := range map[string]struct {
		lines [][2]string
		line  string
		want  string
	}{
		"the only one that is no gift": {[][2]string{{net, "a gift"}, {net, transfer}}, "", `settled true by S:2, waits ""`},
		"gifts keep their lines":       {[][2]string{{net, "a gift"}, {net, "another"}}, "", `settled false by :0, waits "no line"`},
		"another sum":                  {[][2]string{{"155.42", transfer}}, "", `settled false by :0, waits "no line"`},
		"two":                          {[][2]string{{net, transfer}, {net, transfer}}, "", `settled false by :0, waits "several lines" S:1 S:2`},
		"two, and one is chosen":       {[][2]string{{net, transfer}, {net, transfer}}, "S:2", `settled true by S:2, waits ""`},
		"one that is not there":        {[][2]string{{net, transfer}, {net, transfer}}, "S:3", `not-found: field line: names no free line of outside:bank:sunrise-1 that carries 155.43 CNY; there are: S:1, S:2`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			file, _, _ := w.bazaar()
			bank := w.bazaarOrder(w.memos("lines.csv", c.lines...))
			bank.Mapping = mapping
			s, err := w.run(bank)
			if err != nil {
				t.Fatal(err)
			}
			o := w.processorOrder(file)
			o.Line = strings.Replace(c.line, "S", string(s.Statement), 1)
			r, err := w.process(o)
			_, got, _ := strings.Cut(processed(r), "announced 1, ")
			got = strings.Join(append([]string{got}, r.Candidates...), " ")
			if err != nil {
				got = err.Error()
			}
			if got = strings.ReplaceAll(got, string(s.Statement)+":", "S:"); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestProcessorRefused: nothing is sent, and nothing kept.
func TestProcessorRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, o *ProcessorOrder)
		want   string
	}{
		"no account":              {func(_ *world, o *ProcessorOrder) { o.Account = "charity:sunrise:none" }, "not-found: field account: account charity:sunrise:none does not exist"},
		"unidentified money":      {func(_ *world, o *ProcessorOrder) { o.Account = unknown }, "wrong-state: field account: charity:sunrise:unknown holds money that nobody has claimed; name the account that it is for"},
		"a processor within":      {func(_ *world, o *ProcessorOrder) { o.Processor = meals }, `invalid: field processor: is not outside the ledger, as outside:processor:NAME`},
		"a name for a processor":  {func(_ *world, o *ProcessorOrder) { o.Processor = "Invented Bo" }, `invalid: field processor: is not outside the ledger, as outside:processor:NAME`},
		"another campaign's gift": {func(_ *world, o *ProcessorOrder) { o.Account = meals }, "conflict: row 3: its memo names a gift that was announced for charity:sunrise:books, the file is imported for charity:sunrise:meals; let the processor settle each campaign by a file of its own"},
		"sums that disagree": {func(w *world, o *ProcessorOrder) {
			o.File = w.file("wrong.csv", collected+"2026-03-01,,A,7.00,0.07,6.93,CNY,paid,,\ntotal,,,7.00,0.07,6.94,,,,\n")
		}, "conflict: row 3, column net: a total of 6.94 CNY is stated; the rows of gifts give 6.93 CNY"},
		"another currency": {func(w *world, o *ProcessorOrder) {
			o.File = w.file("euro.csv", collected+"2026-03-01,,A,7.00,0.07,6.93,EUR,paid,,\ntotal,,,7.00,0.07,6.93,,,,\n")
		}, "conflict: field account: charity:sunrise:books is in CNY, the file in EUR"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			file, _, _ := w.bazaar()
			o := w.processorOrder(file)
			c.change(w, &o)
			if _, err := w.process(o); fmt.Sprint(err) != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if plans, err := processorPlans(o.Charity.Folder); err != nil || len(plans) > 0 || slices.Contains(w.log, "Tape:Receive") {
				t.Errorf("%d plans stand, %v were sent, %v", len(plans), w.log, err)
			}
		})
	}
}

// TestPaymentsTwice: a payment that one file brought is refused in another,
// until the page that it was brought on is withdrawn.
func TestPaymentsTwice(t *testing.T) {
	p := newPayer(t)
	write := func(name, amount string) ProcessorOrder {
		o := p.processorOrder(p.file(name, collected+"2024-10-01,,A,"+amount+",0,"+amount+",VND,paid,,\ntotal,,,"+amount+",0,"+amount+",,,,\n"))
		o.Account = paying
		return o
	}
	wrong, err := p.process(write("wrong.csv", "70"))
	if err != nil || wrong.Waits != NoLine {
		t.Fatal(wrong, err)
	}
	right := write("right.csv", "700")
	if _, err := p.process(right); !rule.Is(err, rule.Exists) || !strings.HasPrefix(err.Error(), "exists: row 2: this payment was imported before from wrong.csv, as page ") {
		t.Errorf("the edited file: %v", err)
	}
	elsewhere := right
	elsewhere.Account = "charity:charity:elsewhere"
	p.must("charity", "gateway", "Tape:Open", tape.Open{Account: elsewhere.Account, Attribution: tape.FIFO, Currency: "VND", Custodian: "outside:bank:paying", ID: "elsewhere"})
	if _, err := p.process(elsewhere); !rule.Is(err, rule.Exists) {
		t.Errorf("the edited file for another account: %v", err)
	}
	other := write("wrong.csv", "70")
	other.Processor = "outside:processor:otherpay"
	if _, err := p.process(other); !rule.Is(err, rule.Exists) {
		t.Errorf("for another processor: %v", err)
	}
	p.signed("Tape:Withdraw", "withdraw", "w1", money.New(70, "VND"), tape.Withdraw{Account: paying, ID: "w1", Page: wrong.Page, Reason: "entered-wrongly"})
	if r, err := p.process(right); err != nil || r.Total.Units != 700 || r.Waits != NoLine {
		t.Errorf("after the withdrawal: %+v, %v", r, err)
	}
	if r, err := p.process(write("wrong.csv", "70")); err != nil || r.Waits != Withdrawn || r.Settled {
		t.Errorf("the withdrawn file again: %+v, %v", r, err)
	}
}

// TestProcessorLeavesGifts: a line that an import has filed and not yet settled
// is a gift's, though nothing rests on it so far.
func TestProcessorLeavesGifts(t *testing.T) {
	w := newWorld(t)
	file, _, _ := w.bazaar()
	o := w.bazaarOrder(w.memos("dies.csv", [2]string{"155.43", "a gift of that very sum"}))
	w.fault = func(int) fault {
		if slices.Contains(w.log, "Tape:FileLines") && slices.Contains(w.log, "Tape:Receive") {
			return killedBefore
		}
		return none
	}
	if _, err := w.run(o); err == nil {
		t.Fatal("the import was to die before it settles")
	}
	w.fault = nil
	if r, err := w.process(w.processorOrder(file)); err != nil || r.Waits != NoLine {
		t.Errorf("%v %s", err, processed(r))
	}
	if r, err := w.run(o); err != nil || r.Settled != 1 || len(r.Processors) != 1 || r.Processors[0].Waits != NoLine {
		t.Errorf("%v %s %+v", err, figures(r), r.Processors)
	}
}

// TestTwoAtOnce: the same file from two hands at the same moment is one import,
// by one secret, and ends to the unit.
func TestTwoAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	found := make([][]byte, 16)
	var hands sync.WaitGroup
	for i := range found {
		hands.Go(func() {
			var err error
			if found[i], err = keepSecret(path); err != nil {
				t.Error(err)
			}
		})
	}
	hands.Wait()
	for _, secret := range found {
		if !bytes.Equal(secret, found[0]) {
			t.Fatal("two hands have two secrets")
		}
	}
	w := newWorld(t)
	file, bank, _ := w.bazaar()
	for range 2 {
		hands.Go(func() {
			if _, err := ImportProcessor(context.Background(), w.processorOrder(file)); err != nil {
				t.Error(err)
			}
		})
	}
	hands.Wait()
	if _, err := w.run(w.bazaarOrder(bank)); err != nil {
		t.Fatal(err)
	}
	w.bazaarStands()
}
