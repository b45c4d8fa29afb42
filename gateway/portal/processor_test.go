package portal

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

const processorPage = "/en/campaigns/" + string(speech) + "/processor"

// payments are a processor's file: rows of reference, amount and fee in minor units, and the totals.
func payments(rows ...[3]string) string {
	text := "date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n"
	var gross, fees, net float64
	for _, row := range rows {
		var amount, fee float64
		_, _ = fmt.Sscan(row[1], &amount)
		_, _ = fmt.Sscan(row[2], &fee)
		gross, fees, net = gross+amount, fees+fee, net+amount-fee
		text += fmt.Sprintf("2026-01-01,,%s,%.2f,%.2f,%.2f,CNY,paid,Invented Payer %s,a memo\n", row[0], amount, fee, amount-fee, row[0])
	}
	return text + fmt.Sprintf("total,,,%.2f,%.2f,%.2f,,,,\n", gross, fees, net)
}

// TestProcessorUpload: a file is read while staff wait, carried behind them, and known again.
func TestProcessorUpload(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, bankPage, nil)
	maker.reads("Bring a payment processor's file")
	maker.request(http.MethodGet, processorPage, nil)
	form := maker.body
	good := payments([3]string{"A1", "15", "0.60"}, [3]string{"A2", "6", "0.40"})
	uploads := func(file, content string, fields ...string) {
		t.Helper()
		maker.body = form
		maker.uploads(processorPage, "file", file, content, append(fields, "processor", "outside:processor:examplepay")...)
	}
	w.gate = make(chan struct{})
	uploads("january.csv", good)
	file := strings.TrimSuffix(maker.place, "?again=yes")
	if maker.reads("How far is january.csv?", "2 gifts of 21.00 CNY. The processor kept 1.00 CNY, so the bank shows 20.00 CNY.", "on its way to the ledger", "Look again", "not yet"); maker.code != http.StatusAccepted {
		t.Errorf("%s answers %d", maker.place, maker.code)
	}
	uploads("the same, renamed.csv", good)
	if maker.reads("This file was brought before. Nothing was done twice."); maker.place != file+"?again=yes" {
		t.Errorf("the same file stands at %s, not at %s", maker.place, file)
	}
	close(w.gate)
	w.processors.Wait()
	want := []string{"Tape:Receive", "Tape:FileProcessor", "Tape:Settle"}
	for _, again := range []bool{false, true} {
		if again {
			uploads("january.csv", good)
			maker.reads("This file was brought before.")
			w.processors.Wait()
		}
		if maker.request(http.MethodGet, file, nil); maker.code != http.StatusOK || !slices.Equal(w.carried, want) {
			t.Errorf("%s answers %d, and %v were carried", file, maker.code, w.carried)
		}
		maker.reads("The gifts are settled.", "line 8 of january")
		if strings.Contains(maker.body, "not yet") {
			t.Error("something is not done yet")
		}
	}
	account, err := w.model.Account(t.Context(), speech)
	if err != nil || account.Received.String() != "371.00 CNY" {
		t.Errorf("%s were received: %v", account.Received, err)
	}
	maker.request(http.MethodGet, bankPage, nil)
	maker.reads("outside:processor:examplepay", "21.00 CNY", "20.00 CNY")
	uploads("edited.csv", payments([3]string{"A1", "15", "0.60"}, [3]string{"A3", "6", "0.40"}))
	maker.reads("The file was not taken", "row 2: this payment was imported before from january.csv")
	w.nowhere("Invented Payer", "a memo")
}

// carries lets what was brought be carried only when the pages have answered.
func (w *town) carries(do func()) {
	w.gate = make(chan struct{})
	do()
	close(w.gate)
	w.processors.Wait()
	w.gate = nil
}

// TestProcessorWaits: a file that comes before its line waits, is listed, and
// goes on by the line that staff choose.
func TestProcessorWaits(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, processorPage, nil)
	w.carries(func() {
		maker.uploads(processorPage, "file", "february.csv", payments([3]string{"B1", "50", "1"}), "processor", "outside:processor:examplepay")
	})
	file := maker.place
	maker.request(http.MethodGet, file, nil)
	maker.reads("No free line of " + string(bank) + " carries 49.00 CNY yet.")
	maker.request(http.MethodGet, processorPage, nil)
	maker.reads("Which files were brought and are not settled?", "february.csv", "1 gift")
	lines := []tape.Line{{Number: 9, Date: "2026-02-01", Amount: yuan(4_900)}, {Number: 10, Date: "2026-02-02", Amount: yuan(4_900)}}
	page, _, err := tape.LinesBody(tape.CreditSide, lines)
	made(w.ledger, page, err)
	w.bank("Tape:FileStatement", tape.FileStatement{Account: bank, ID: "february", Previous: "january", From: "2026-02-01", To: "2026-02-28", Opening: yuan(21_200), Closing: yuan(31_000), Count: 2, Pages: []tape.LinesPage{page}})
	w.bank("Tape:FileLines", tape.FileLines{Account: bank, ID: "february-lines", Lines: lines, Statement: "february"})
	w.follow()
	for _, line := range []string{"february:11", "february:10"} {
		maker.request(http.MethodGet, file, nil)
		maker.reads("Which line of the bank carries 49.00 CNY?", "february:9", "february:10")
		w.carries(func() { maker.posts(file, "line", line) })
		maker.request(http.MethodGet, file, nil)
		if line == "february:11" {
			maker.reads("It did not get further", "names no free line of "+string(bank))
		}
	}
	maker.reads("The gifts are settled.", "line 10 of february")
	maker.request(http.MethodGet, processorPage, nil)
	if strings.Contains(maker.body, "february.csv") {
		t.Error("what is settled waits still")
	}
}

// TestProcessorUploadRefused: nothing is carried and nothing kept of a file that cannot be taken.
func TestProcessorUploadRefused(t *testing.T) {
	w := newTown(t)
	maker, checker, stranger := w.logsIn("maker"), w.logsIn("checker"), &visitor{town: w}
	maker.request(http.MethodGet, processorPage, nil)
	form := maker.body
	rows := make([][3]string, tape.PageGiftsMax+1)
	for i := range rows {
		rows[i] = [3]string{fmt.Sprint("P", i), "1", "0"}
	}
	good := payments([3]string{"A1", "15", "0.60"})
	for _, c := range []struct{ name, file, processor, want string }{
		{"none", "", "outside:processor:x", "field file: is missing; choose a file"},
		{"a PDF", "%PDF-1.7", "outside:processor:x", "the file is a PDF file"},
		{"a workbook", "PK\x03\x04", "outside:processor:x", "the file is an Excel workbook"},
		{"other headers", "a,b\n1,2\n", "outside:processor:x", "row 1"},
		{"a bad cell", strings.Replace(good, "15.00", "15,00", 1), "outside:processor:x", "row 2"},
		{"sums that differ", strings.Replace(good, "total,,,15.00", "total,,,15.01", 1), "outside:processor:x", "row 3, column amount: a total of 15.01 CNY is stated; the rows of gifts give 15.00 CNY"},
		{"cut off", strings.Split(good, "total")[0], "outside:processor:x", "the file was cut off"},
		{"too many", payments(rows...), "outside:processor:x", "row 2002 is beyond the 2000 gifts"},
		{"another currency", strings.ReplaceAll(good, "CNY", "EUR"), "outside:processor:x", "is in CNY, the file in EUR"},
		{"a processor within", good, string(training), "processor: is not outside the ledger"},
		{"a name for a processor", good, "Invented Bo", "processor: is not outside the ledger"},
		{"too long", good + strings.Repeat(" ", processorBytesMax), "outside:processor:x", "The form is too long"},
	} {
		maker.body = form
		maker.uploads(processorPage, "file", c.name+".csv", c.file, "processor", c.processor, "reference", "EXAMPLEPAY")
		if maker.reads(c.want); c.name != "too long" {
			maker.reads(`value="EXAMPLEPAY"`, "The file was not taken")
		}
	}
	maker.body = ""
	maker.uploads(processorPage, "file", "foreign.csv", good, "processor", "outside:processor:x")
	maker.reads("This was not done")
	checker.request(http.MethodGet, bankPage, nil)
	if strings.Contains(checker.body, "Bring a payment") {
		t.Error("a checker is led to the form")
	}
	for _, v := range []*visitor{checker, stranger} {
		for _, path := range []string{processorPage, processorPage + "/P234567"} {
			v.request(http.MethodGet, path, nil)
			if strings.Contains(v.body, `type="file"`) {
				t.Errorf("%s is shown to who may not bring files", path)
			}
		}
	}
	checker.request(http.MethodGet, "/en/me", nil)
	checker.uploads(processorPage, "file", "a.csv", good, "processor", "outside:processor:x")
	checker.reads("This was not done")
	maker.request(http.MethodGet, processorPage+"/P234567", nil)
	maker.reads("no processor's file P234567")
	if kept, err := os.ReadDir(w.imports); err != nil || len(kept) > 0 || len(w.carried) > 0 {
		t.Errorf("%v are kept, %v were carried: %v", kept, w.carried, err)
	}
}
