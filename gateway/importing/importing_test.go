package importing

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

// figures are what a result says, without times and names.
func figures(r Result) string {
	return fmt.Sprintf("%d lines, %d gifts of %s, settled %d of %s, unmatched %d, not gifts %d, from %s to %s",
		r.Lines, r.Gifts, r.Total, r.Settled, r.SettledTotal, r.Unmatched, r.NotGifts, r.Opening, r.Closing)
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	file := w.sample("relief.csv", 47, nil)
	survey, err := statement.Survey(file, statement.Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	var last Progress
	o := w.order(file)
	o.Report = func(p Progress) { last = p }
	r, err := w.run(o)
	if err != nil {
		t.Fatal(err)
	}
	total := money.New(survey.GiftTotal, "VND")
	want := fmt.Sprintf("47 lines, 46 gifts of %s, settled 46 of %s, unmatched 0, not gifts 1, from 0 VND to %s",
		total, total, money.New(survey.GiftTotal-55_000, "VND"))
	if got := figures(r); got != want {
		t.Errorf("result\n got %s\nwant %s", got, want)
	}
	if got := w.received(r.Account); got != total {
		t.Errorf("the tape received %s, want %s", got, total)
	}
	if len(r.Remarks) != 1 || r.Remarks[0].Line != 47 || r.Remarks[0].Debit.String() != "55000 VND" {
		t.Errorf("remarks %+v", r.Remarks)
	}
	if last.Received != 46 || last.Filed != 46 || last.Settled != 46 || last.Stage != Checking {
		t.Errorf("the last progress is %+v", last)
	}
	if got := strings.Join(w.log[:2], " "); !strings.Contains(got, "Tape:Open") || !strings.Contains(got, "Tape:FileStatement") {
		t.Errorf("the first commands are %s", got)
	}
}

// TestKilledAnywhere kills the import before and after every command, lets it
// run again, and compares the ledger to one that nothing happened to.
func TestKilledAnywhere(t *testing.T) {
	whole := newWorld(t)
	want, err := whole.run(whole.order(whole.sample("relief.csv", 47, nil)))
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if testing.Short() {
		step = 4
	}
	for _, what := range []fault{killedBefore, killedAfter} {
		for at := 1; at <= whole.sent; at += step {
			w := newWorld(t)
			o := w.order(w.sample("relief.csv", 47, nil))
			w.fault = func(sent int) fault {
				if sent == at {
					return what
				}
				return none
			}
			if _, err := w.run(o); err == nil {
				t.Fatalf("killed at command %d: no error", at)
			}
			got, err := w.run(o)
			if err != nil {
				t.Fatalf("killed at command %d: the second run says %v", at, err)
			}
			if figures(got) != figures(want) || got.Account != want.Account || got.Statement != want.Statement {
				t.Errorf("killed at command %d\n got %s\nwant %s", at, figures(got), figures(want))
			}
			if w.received(got.Account) != want.Total {
				t.Errorf("killed at command %d: the tape received %s, want %s", at, w.received(got.Account), want.Total)
			}
		}
	}
}

// TestKilledAgainAndAgain lets each run do two commands more and then die.
func TestKilledAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.sample("relief.csv", 47, nil))
	for run := 1; ; run++ {
		begun := w.sent
		w.fault = func(sent int) fault {
			if sent-begun == 2*run {
				return killedAfter
			}
			return none
		}
		r, err := w.run(o)
		if err == nil {
			if w.received(r.Account) != r.Total || r.Settled != 46 {
				t.Errorf("after %d runs: %s on the tape, %s", run, w.received(r.Account), figures(r))
			}
			return
		}
		if run > 20 {
			t.Fatalf("20 runs are not enough: %v", err)
		}
	}
}

func TestDoubled(t *testing.T) {
	w := newWorld(t)
	w.fault = func(int) fault { return doubled }
	r, err := w.run(w.order(w.sample("relief.csv", 47, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if w.received(r.Account) != r.Total {
		t.Errorf("the tape received %s, want %s", w.received(r.Account), r.Total)
	}
}

func TestRepeated(t *testing.T) {
	w := newWorld(t)
	first, err := w.run(w.order(w.sample("relief.csv", 47, nil)))
	if err != nil {
		t.Fatal(err)
	}
	sent := w.sent
	for _, name := range []string{"relief.csv", "another-name.csv"} {
		again, err := w.run(w.order(w.sample(name, 47, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if !again.Repeated || figures(again) != figures(first) || again.Account != first.Account {
			t.Errorf("%s: repeated %v, %s", name, again.Repeated, figures(again))
		}
	}
	if w.sent != sent {
		t.Errorf("the repetitions sent %d commands", w.sent-sent)
	}
}

// TestEdited imports a statement, edits the file, and imports it again.
func TestEdited(t *testing.T) {
	line := func(n int, old, new string) func(string) string {
		return func(text string) string {
			rows := strings.Split(text, "\n")
			if !strings.Contains(rows[n], old) {
				t.Fatalf("row %q holds no %q", rows[n], old)
			}
			rows[n] = strings.Replace(rows[n], old, new, 1)
			return strings.Join(rows, "\n")
		}
	}
	cut := func(text string) string { // the last line is gone
		rows := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		return strings.Join(rows[:len(rows)-1], "\n") + "\n"
	}
	for _, test := range []struct {
		name, file string
		edit       func(string) string
		want       string
	}{
		{"an amount", "relief.csv", line(23, ",0,", ",0,9"), "page 2 differs, line 23 says"},
		{"a date", "relief.csv", line(31, "2024-09-10", "2024-09-09"), "page 3 differs, line 31 says 2024-09-09, 2024-09-10 was filed"},
		{"a payer", "relief.csv", line(12, "fake", "face"), "page 1 differs, line 12 has another time, reference or payer"},
		{"a time", "relief.csv", line(12, ",,", ",08:00:00,"), "page 1 differs, line 12 has another time, reference or payer"},
		{"a debit", "relief.csv", line(47, "55000", "54000"), "page 5 differs, line 47 says 54000 VND, 55000 VND was filed"},
		{"a debit that became a gift", "relief.csv", line(47, "55000,0", "0,55000"), "page 4 differs"},
		{"a line less", "relief.csv", cut, "page 5 differs"},
		{"a line more", "relief.csv", func(text string) string { return text + "48,2024-09-10,,Rfake,0,1000,VND,fake\n" }, "page 4 differs"},
		{"under another name", "renamed.csv", line(23, ",0,", ",0,9"), "page 2 differs, line 23 says"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.run(w.order(w.sample("relief.csv", 47, nil))); err != nil {
				t.Fatal(err)
			}
			height := w.network.Height()
			_, err := w.run(w.order(w.sample(test.file, 47, test.edit)))
			if !rule.Is(err, rule.Exists) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want exists: …%s…", err, test.want)
			}
			if w.network.Height() != height {
				t.Error("something was written")
			}
		})
	}
}

// TestEditedBetween edits the file after a run that was killed.
func TestEditedBetween(t *testing.T) {
	w := newWorld(t)
	w.fault = func(sent int) fault {
		if sent == 5 {
			return killedAfter
		}
		return none
	}
	if _, err := w.run(w.order(w.sample("relief.csv", 47, nil))); err == nil {
		t.Fatal("not killed")
	}
	_, err := w.run(w.order(w.sample("relief.csv", 47, func(text string) string { return strings.Replace(text, "\n45,2024-09-10", "\n45,2024-09-09", 1) })))
	if !rule.Is(err, rule.Exists) || !strings.Contains(err.Error(), "page 4 differs, ") {
		t.Errorf("got %v", err)
	}
}

const header = "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym\n"

func TestNextStatement(t *testing.T) {
	w := newWorld(t)
	first, err := w.run(w.order(w.sample("september.csv", 20, nil)))
	if err != nil {
		t.Fatal(err)
	}
	o := w.order(w.file("october.csv", header+"1,2024-10-01,,R1,0,1000,VND,fake\n2,2024-10-02,,R2,0,0,VND,\n3,2024-10-02,,R3,300,0,VND,\n"))
	o.Account = first.Account
	second, err := w.run(o)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("3 lines, 1 gifts of 1000 VND, settled 1 of 1000 VND, unmatched 0, not gifts 2, from %s to %s",
		first.Closing, money.New(first.Closing.Units+700, "VND"))
	if got := figures(second); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := w.received(first.Account); got.Units != first.Total.Units+1000 {
		t.Errorf("the tape received %s", got)
	}
	if second.Opened || second.BankAccount != first.BankAccount {
		t.Errorf("opened %v at %s", second.Opened, second.BankAccount)
	}
}

// TestOvertaken lets another statement of the bank account be filed between the
// plan of an import and its own.
func TestOvertaken(t *testing.T) {
	w := newWorld(t)
	first, err := w.run(w.order(w.sample("september.csv", 20, nil)))
	if err != nil {
		t.Fatal(err)
	}
	late := w.order(w.file("late.csv", header+"1,2024-11-01,,R1,0,1000,VND,fake\n"))
	late.Account = first.Account
	at := w.sent + 1
	w.fault = func(sent int) fault {
		if sent == at {
			return killedBefore
		}
		return none
	}
	if _, err := w.run(late); err == nil {
		t.Fatal("not killed")
	}
	between := w.order(w.file("between.csv", header+"1,2024-10-01,,R1,0,2000,VND,fake\n"))
	between.Account = first.Account
	if _, err := w.run(between); err != nil {
		t.Fatal(err)
	}
	r, err := w.run(late)
	if err != nil {
		t.Fatal(err)
	}
	if want := money.New(first.Closing.Units+2000, "VND"); r.Opening != want {
		t.Errorf("it begins with %s, want %s", r.Opening, want)
	}
}

// TestRefused is what never reaches the ledger.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, text string
		change     func(*Order)
		want       string
	}{
		{"no line", header, nil, "invalid: refused.csv holds no line that moves money"},
		{"only zero lines", header + "1,2024-10-01,,R,0,0,VND,\n", nil, "invalid: refused.csv holds no line that moves money"},
		{"a bad row", header + "1,2024-10-01,,R,0,1.5,VND,\n", nil, "invalid: row 2"},
		{"two bad rows", header + "1,2024-10-01,,R,0,1.5,VND,\n2,2024-10-01,,R,0,x,VND,\n", nil, "1 more rows are at fault"},
		{"another currency", header + "1,2024-10-01,,R,0,15,VND,\n", func(o *Order) { o.Currency = "CNY" }, "invalid: "},
		{"no such account", header + "1,2024-10-01,,R,0,15,VND,\n", func(o *Order) { o.Account = "charity:charity:nobody" }, "not-found: account charity:charity:nobody"},
		{"an account in another currency", header + "1,2024-10-01,,R,0,15,VND,\n", func(o *Order) { o.Account = "charity:charity:yuan" }, "conflict: field account: charity:charity:yuan is in CNY"},
		{"an account at another bank", header + "1,2024-10-01,,R,0,15,VND,\n", func(o *Order) { o.Account = "charity:charity:elsewhere" }, "conflict: field custodian"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.must("charity", "gateway", "Tape:Open", tape.Open{Account: "charity:charity:yuan", Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:yuan", ID: "1"})
			w.must("charity", "gateway", "Tape:Open", tape.Open{Account: "charity:charity:elsewhere", Attribution: tape.FIFO, Currency: "VND", Custodian: "outside:other:x", ID: "2"})
			o := w.order(w.file("refused.csv", test.text))
			if test.change != nil {
				test.change(&o)
			}
			_, err := w.run(o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if w.sent > 0 {
				t.Errorf("%d commands were sent", w.sent)
			}
		})
	}
}

// TestOtherLines imports credits that are no gifts, and a statement without any.
func TestOtherLines(t *testing.T) {
	w := newWorld(t)
	mapping, err := statement.ParseMapping([]byte("v: 1\ncolumns: {line: line, date: day, reference: ref, debit: out, credit: in, payer: who, description: words}\n" +
		"dates: {layout: yyyy-mm-dd}\ncurrency: {code: CNY}\nclassify:\n  - {match: ^interest, as: interest}\n  - {match: ^fee, as: fee}\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := w.order(w.file("mixed.csv", "line,day,ref,out,in,who,words\n1,2024-10-01,a,,10.00,p,gift\n2,2024-10-01,b,,0.07,,interest\n3,2024-10-02,c,1.00,,,fee\n4,2024-10-02,d,,20.00,q,gift\n"))
	o.Mapping = mapping
	r, err := w.run(o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := figures(r), "4 lines, 2 gifts of 30.00 CNY, settled 2 of 30.00 CNY, unmatched 0, not gifts 2, from 0.00 CNY to 29.07 CNY"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	o = w.order(w.file("november.csv", "line,day,ref,out,in,who,words\n1,2024-11-01,a,5.00,,,fee\n"))
	o.Mapping, o.Account = mapping, r.Account
	for range 2 {
		r, err = w.run(o)
		if err != nil || r.Gifts != 0 || r.Closing.String() != "24.07 CNY" {
			t.Errorf("%s: %v", figures(r), err)
		}
	}
	if !r.Repeated {
		t.Error("a statement without gifts was not recognised")
	}
}

// TestSecrets: the same line gives the same texts, another line others, and
// who gave cannot be told without the charity's secret.
func TestSecrets(t *testing.T) {
	folder := t.TempDir()
	open := func(account tape.AccountID) secrets {
		s, err := openSecrets(folder+"/bank", folder+"/charity", account, "S")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	line := statement.Line{Number: 1, Date: "2024-09-01", Reference: "R", Credit: 5, Currency: "VND", Payer: "p"}
	one, same, other := open("outside:bank:a"), open("outside:bank:a"), open("outside:bank:b")
	if one.referenceOf(line) != same.referenceOf(line) || one.donorOf("S-1", "p") != same.donorOf("S-1", "p") {
		t.Error("the same line has two spellings")
	}
	if one.referenceOf(line) == other.referenceOf(line) {
		t.Error("two bank accounts share a secret")
	}
	if one.donorOf("S-1", "p") == one.donorOf("S-2", "p") {
		t.Error("two gifts of one payer can be linked")
	}
	if one.donorOf("S-1", "") != "" {
		t.Error("nobody has a commitment")
	}
	seen := map[string]statement.Line{}
	for _, l := range []statement.Line{line, {Number: 2}, {Date: "2"}, {Reference: "R1"}, {Payer: "R1"}, {Debit: 5}, {Credit: 5}, {Time: "1"}, {Currency: "VND"}} {
		text := one.referenceOf(l)
		if before, twice := seen[text]; twice {
			t.Errorf("%+v and %+v have one reference", before, l)
		}
		seen[text] = l
	}
	for _, name := range []string{"/bank/reference-outside_bank_a.key", "/charity/donors-S.key"} {
		info, err := os.Stat(folder + name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
