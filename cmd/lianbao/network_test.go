package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/cmd/lianbao/story"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
	"github.com/lianbao/lianbao/network"
)

// realStatement is not part of Lianbao; where it is missing, an invented one of
// the same shape stands in for it.
const realStatement = "../../../shared/data/bank-statement-2024-09-a.csv.gz"

// typist types commands on one network.
type typist struct {
	*testing.T
	folder string
}

// types runs a command and returns the last line that it printed.
func (y typist) types(exit int, into any, arguments ...string) string {
	y.Helper()
	var out, errs bytes.Buffer
	arguments = append(append([]string{"lianbao"}, arguments...), "--json", "--dir", y.folder)
	begun := time.Now()
	code := run(arguments, &out, &errs)
	y.Logf("%s: exit %d, %.1f s", strings.Join(arguments[1:len(arguments)-3], " "), code, time.Since(begun).Seconds())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := lines[len(lines)-1]
	if code != exit || errs.Len() > 0 {
		y.Fatalf("%v: exit code %d, want %d\n%s\n%s", arguments[1:], code, exit, last, errs.String())
	}
	if into != nil {
		if err := json.Unmarshal([]byte(last), into); err != nil {
			y.Fatalf("%v: %v\n%s", arguments[1:], err, last)
		}
	}
	return last
}

func (y typist) network() *network.Network {
	y.Helper()
	n, err := network.Open(y.folder)
	if err != nil {
		y.Fatal(err)
	}
	return n
}

func (y typist) gateway(organisation string) *speak.Gateway {
	y.Helper()
	g, err := speaker(y.network(), organisation)
	if err != nil {
		y.Fatal(err)
	}
	return g
}

// TestNetwork is a whole day on a real network: a statement, two hops, a story,
// a kill, a night's rest, an audit.
func TestNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network; left out with -short")
	}
	y := typist{t, filepath.Join(t.TempDir(), "network")}
	var started up
	y.types(0, &started, "up", "--empty", "--detach")
	defer y.types(0, nil, "down")
	if len(started.Addresses) != 5 {
		t.Fatalf("%d gateways", len(started.Addresses))
	}
	y.connects()
	file := y.statement()
	result := y.imports(file)
	y.repeats(file, result)
	y.hops(file, result)
	y.killed()
	y.processor(result)
	y.story()
	y.types(0, nil, "stop")
	y.types(exitNoNetwork, nil, "status")
	y.types(0, nil, "start", "--detach")
	y.repeats(file, result)
	y.types(0, nil, "audit")
}

// connects follows the address that connect tells people to type.
func (y typist) connects() {
	y.Helper()
	var out, faults bytes.Buffer
	if code := run([]string{"lianbao", "connect", "charity", "--dir", y.folder}, &out, &faults); code != 0 {
		y.Fatalf("connect: %d, %s", code, faults.String())
	}
	url := regexp.MustCompile(`http://\S+/accounts`).FindString(out.String())
	response, err := http.Get(url)
	if err != nil {
		y.Fatalf("connect shows %q: %v", url, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		y.Errorf("%s, which connect shows, answers %s", url, response.Status)
	}
}

func (y typist) statement() string {
	y.Helper()
	if _, err := os.Stat(realStatement); err == nil {
		return realStatement
	}
	y.Logf("%s is not here; an invented statement of 20,000 lines takes its place", realStatement)
	return y.sample("sample.csv", 20_000, 1)
}

func (y typist) sample(name string, lines int, seed uint64) string {
	y.Helper()
	path := filepath.Join(filepath.Dir(y.folder), name)
	file, err := os.Create(path)
	if err != nil {
		y.Fatal(err)
	}
	defer file.Close()
	if err := statement.Sample(file, lines, seed); err != nil {
		y.Fatal(err)
	}
	return path
}

func (y typist) imports(file string) importing.Result {
	y.Helper()
	survey, err := statement.Survey(file, statement.Mapping{})
	if err != nil {
		y.Fatal(err)
	}
	var r importing.Result
	y.types(0, &r, "import", "statement", file)
	total := money.New(survey.GiftTotal, survey.Currency)
	if r.Lines != survey.Lines || r.Gifts != survey.Gifts || r.Settled != r.Gifts || r.Total != total || r.SettledTotal != total || r.Unmatched != 0 || r.NotGifts != 1 {
		y.Errorf("the file has %d lines, %d gifts of %s; imported: %+v", survey.Lines, survey.Gifts, total, r)
	}
	y.Logf("%d lines in %.1f s", r.Lines, r.Seconds)
	var stands readmodel.Account
	if err := y.gateway("charity").Get(y.Context(), "/accounts/"+url.PathEscape(string(r.Account)), nil, r.Position, &stands); err != nil || stands.Received != total {
		y.Errorf("the account received %s, want %s: %v", stands.Received, total, err)
	}
	return r
}

// processor imports a payment processor's file before the bank's line comes, and
// the statement that carries it.
func (y typist) processor(before importing.Result) {
	y.Helper()
	write := func(name, text string) string {
		path := filepath.Join(filepath.Dir(y.folder), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			y.Fatal(err)
		}
		return path
	}
	file := write("payments.csv", "date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n2024-10-01,,FAKE1,70000,420,69580,VND,paid,fake,\n2024-10-01,,FAKE2,30000,180,29820,VND,paid,,\ntotal,,,100000,600,99400,,,,\n")
	arguments := []string{"import", "processor", file, "--account", string(before.Account), "--processor", "outside:processor:examplepay", "--reference", "FAKE-BATCH-1"}
	var waits, settled importing.ProcessorResult
	y.types(0, &waits, arguments...)
	if waits.Settled || waits.Waits != importing.NoLine {
		y.Errorf("before the bank's line: %+v", waits)
	}
	var r importing.Result
	y.types(0, &r, "import", "statement", write("october.csv", "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n1,2024-10-02,,FAKE3,0,99400,VND,,FAKE-BATCH-1\n2,2024-10-02,,FAKE4,0,5000,VND,fake,\n"), "--account", string(before.Account))
	if r.Gifts != 1 || len(r.Processors) != 1 || !r.Processors[0].Settled || r.Processors[0].Line != 1 {
		y.Errorf("the statement: %+v", r)
	}
	y.types(0, &settled, arguments...)
	if !settled.Settled || !settled.Repeated || settled.Statement != r.Statement {
		y.Errorf("again: %+v", settled)
	}
	y.types(exitRefused, nil, "import", "processor", write("edited.csv", "date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n2024-10-01,,FAKE1,70000,420,69580,VND,paid,fake,\ntotal,,,70000,420,69580,,,,\n"), "--account", string(before.Account), "--processor", "outside:processor:examplepay")
}

// repeats imports a statement again, and an edited copy of it.
func (y typist) repeats(file string, first importing.Result) {
	y.Helper()
	var again importing.Result
	y.types(0, &again, "import", "statement", file)
	if !again.Repeated || again.Statement != first.Statement || again.Settled != first.Settled {
		y.Errorf("the repetition says %+v", again)
	}
	edited := filepath.Join(filepath.Dir(y.folder), "edited.csv")
	number := first.Lines/2 + 1
	y.edit(file, edited, number)
	last := y.types(exitRefused, nil, "import", "statement", edited)
	if !strings.Contains(last, fmt.Sprintf("line %d says", number)) || !strings.Contains(last, "exists: ") {
		y.Errorf("the edited copy is answered with %s", last)
	}
}

// edit adds a zero to the credit of one line.
func (y typist) edit(from, to string, number int) {
	y.Helper()
	file, err := os.Open(from)
	if err != nil {
		y.Fatal(err)
	}
	defer file.Close()
	var source io.Reader = file
	if strings.HasSuffix(from, ".gz") {
		if source, err = gzip.NewReader(file); err != nil {
			y.Fatal(err)
		}
	}
	var text bytes.Buffer
	scanner := bufio.NewScanner(source)
	for row := 0; scanner.Scan(); row++ {
		line := scanner.Text()
		if row == number {
			line = strings.Replace(line, ",VND,", "0,VND,", 1)
		}
		text.WriteString(line + "\n")
	}
	if err := os.WriteFile(to, text.Bytes(), 0o600); err != nil {
		y.Fatal(err)
	}
}

const (
	partner   = "partner:charity:two-hops"
	household = "household:idmbepekafmpfeiflneefnnhkkbcolcb:two-hops"
	firstHop  = 10_000_000
	secondHop = 4_000_000
)

// hops pays the front of a tape on over two hops, and compares every gift's
// trail with the span that the file alone gives it.
func (y typist) hops(file string, imported importing.Result) {
	y.Helper()
	g := y.gateway("charity")
	for _, id := range []tape.AccountID{partner, household} {
		open := tape.Open{Account: id, Attribution: tape.FIFO, Currency: "VND", Custodian: "outside:bank:two-hops", ID: tape.ID(strings.ReplaceAll(string(id), ":", "."))}
		if _, err := g.SendRecord(y.Context(), "Tape:Open", open); err != nil {
			y.Fatal(err)
		}
	}
	y.spend(g, imported.Account, partner, firstHop)
	y.spend(g, partner, household, secondHop)
	gifts := y.front(file)
	for _, gift := range gifts {
		var trace readmodel.Trace
		id := fmt.Sprintf("%s-%d", imported.Statement, gift.number)
		if err := g.Get(y.Context(), "/gifts/"+id+"/trace", nil, 0, &trace); err != nil {
			y.Fatal(err)
		}
		got := map[tape.AccountID]int64{}
		for _, end := range endsOf(trace.Root, nil) {
			got[end.Account] += end.Amount.Units
		}
		want := map[tape.AccountID]int64{}
		for account, part := range map[tape.AccountID]tape.Span{household: {Start: 0, End: secondHop}, partner: {Start: secondHop, End: firstHop},
			imported.Account: {Start: firstHop, End: money.Max}} {
			if units := (tape.Spans{gift.span}).Within(part).Total(); units > 0 {
				want[account] = units
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			y.Errorf("gift %s at %s: %v, want %v", id, gift.span, got, want)
		}
	}
	y.Logf("%d gifts traced over two hops", len(gifts))
}

// spend pays as maker and checker, and waits until the money has its place.
func (y typist) spend(g *speak.Gateway, from, to tape.AccountID, units int64) {
	y.Helper()
	charter, err := founding.Charter(y.folder)
	if err != nil {
		y.Fatal(err)
	}
	maker, checker, err := founding.Staff(y.folder, "charity")
	if err != nil {
		y.Fatal(err)
	}
	amount := money.New(units, "VND")
	command := tape.Spend{Account: from, ID: tape.ID("pay." + strings.ReplaceAll(string(to), ":", ".")), Payments: []tape.Payment{{Amount: amount, Line: "1", To: to}}}
	argument, err := founding.Envelope(charter.Ledger, command, founding.Decision{Action: "spend", Subject: string(from), Amount: amount.String(),
		Deadline: tape.Instant(time.Now().Add(time.Hour).Truncate(time.Second).UnixMilli())}, maker, checker)
	if err != nil {
		y.Fatal(err)
	}
	if _, err := g.Send(y.Context(), "Tape:Spend", argument); err != nil {
		y.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		var stands readmodel.Account
		if err := g.Get(y.Context(), "/accounts/"+url.PathEscape(string(to)), nil, 0, &stands); err != nil {
			y.Fatal(err)
		}
		if stands.Received == amount {
			return
		}
	}
	y.Fatalf("%s has not received %s", to, amount)
}

// placed is a gift and the span that follows from the file alone.
type placed struct {
	number int
	span   tape.Span
}

// front lists the gifts of a file up to one beyond the first hop.
func (y typist) front(file string) []placed {
	y.Helper()
	reader, err := statement.Open(file, statement.Mapping{})
	if err != nil {
		y.Fatal(err)
	}
	defer reader.Close()
	var found []placed
	at := int64(0)
	for line, err := range reader.All() {
		if err != nil {
			y.Fatal(err)
		}
		if line.Credit == 0 {
			continue
		}
		found = append(found, placed{line.Number, tape.Span{Start: at, End: at + line.Credit}})
		if at > firstHop {
			break
		}
		at += line.Credit
	}
	return found
}

// killed kills an import in the middle, and runs it again.
func (y typist) killed() {
	y.Helper()
	file := y.sample("killed.csv", 20_000, 2)
	cmd := exec.CommandContext(y.Context(), "lianbao", "import", "statement", file, "--json", "--dir", y.folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		y.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		y.Fatal(err)
	}
	done := 0
	for scanner := bufio.NewScanner(out); done < 4000 && scanner.Scan(); {
		var line meterLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			y.Fatal(err)
		}
		done = line.Carried
	}
	if err := cmd.Process.Kill(); err != nil {
		y.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || done < 4000 {
		y.Fatalf("it was not killed in the middle: %d gifts, %v", done, err)
	}
	y.Logf("killed after %d gifts", done)
	y.imports(file)
}

// story tells the story twice and follows its gift.
func (y typist) story() {
	y.Helper()
	var first, second story.Told
	y.types(0, &first, "demo")
	y.types(0, &second, "demo")
	if first.Repeated || !second.Repeated || first.Gift != second.Gift {
		y.Errorf("told %+v, then %+v", first, second)
	}
	var trail traced
	y.types(0, &trail, "trace", string(first.Gift))
	states := map[readmodel.State]bool{}
	var sum int64
	for _, end := range endsOf(trail.Root, nil) {
		states[end.State] = true
		sum += end.Amount.Units
	}
	if sum != trail.Gift.Amount.Units || !states[readmodel.Paid] || !states[readmodel.Free] || len(trail.Back) == 0 {
		y.Errorf("the trail of %s ends in %v with %d units of %s, %d ways back", first.Gift, states, sum, trail.Gift.Amount, len(trail.Back))
	}
	y.types(0, nil, "trace", string(first.Partner))
	if first.Code == "" {
		y.Error("the announced gift has no code")
	}
	y.cooperates(first)
	y.identifies(first)
	y.declares(first)
	y.books(first)
	y.types(exitRefused, nil, "trace", "nobody-1")
	y.documented(first)
}

// declares settles cash that no line of the bank shows: the charity's own word
// does not, and two of its persons do.
func (y typist) declares(told story.Told) {
	y.Helper()
	campaign, gateway := told.Campaigns[0], y.gateway("charity")
	cash := tape.Gift{ID: "cash-1", Amount: money.New(50_000, "VND")}
	received, err := tape.Receive{Account: campaign, Count: 1, Gifts: []tape.Gift{cash}, ID: "cash", Total: cash.Amount}.Encode()
	if err != nil {
		y.Fatal(err)
	}
	block, err := gateway.Send(y.Context(), "Tape:Receive", received)
	if err != nil {
		y.Fatal(err)
	}
	settle := tape.Settle{Account: campaign, ID: "cash.settled", Items: []tape.SettleItem{{Source: "cash", SelfDeclared: true}}}
	if _, err := gateway.SendRecord(y.Context(), "Tape:Settle", settle); err == nil || !strings.Contains(err.Error(), "settles there by Declare, which a maker and a checker sign") {
		y.Errorf("one word settles a campaign's page: %v", err)
	}
	var stands readmodel.Account // as of the page's block or later, so that the form finds it
	if err := gateway.Get(y.Context(), "/accounts/"+url.PathEscape(string(campaign)), nil, block, &stands); err != nil {
		y.Fatal(err)
	}
	y.types(exitRefused, nil, "fund", "settle-page", string(campaign), "--page", "cash")
	var declared done
	y.types(0, &declared, "fund", "declare-page", string(campaign), "--page", "cash")
	var entry readmodel.Entry
	if err := gateway.Get(y.Context(), "/entries/"+declared.Entry, nil, declared.Block, &entry); err != nil || len(entry.Intents) != 2 || entry.Evidence[0].Kind != tape.SelfDeclared {
		y.Errorf("the declaration: %+v, %v", entry, err)
	}
}

// books reads what the story's campaigns have come to, on the command line: no
// figure of one command may contradict another's.
func (y typist) books(told story.Told) {
	y.Helper()
	var sheets []disclosure.Sheet
	y.types(0, &sheets, "campaign")
	for _, listed := range sheets {
		account := string(listed.Campaign.Account)
		var sheet disclosure.Sheet
		y.types(0, &sheet, "campaign", account)
		var figures books.Reconciliation
		y.types(0, &figures, "export", "reconciliation", account)
		if len(sheet.Clock) == 0 || sheet.Sums.Paid != figures.Page.Paid || sheet.Sums.Paid.Units != figures.Bank.Payouts.Units-figures.Bank.PayoutsReturned.Units {
			y.Errorf("%s: %+v, reconciled as %+v", account, sheet.Sums, figures)
		}
	}
	if len(sheets) < 3 {
		y.Errorf("%d campaigns are listed", len(sheets))
	}
	var years []disclosure.Annual
	y.types(0, &years, "years", "charity")
	if len(years) == 0 || len(years[0].Ratios) == 0 {
		y.Errorf("the charity's years: %+v", years)
	}
	var paid readmodel.List[readmodel.Payout]
	if err := y.gateway("charity").Get(y.Context(), "/payouts", url.Values{"account": {string(told.Campaigns[0])}, "state": {"captured"}, "limit": {"3"}}, 0, &paid); err != nil || len(paid.Items) != 3 {
		y.Fatal(paid, err)
	}
	for _, payout := range paid.Items {
		var found []reached
		y.types(0, &found, "trace", string(payout.To))
		for _, one := range found {
			back := int64(0)
			for _, b := range one.Back {
				for _, o := range b.Origins {
					back += o.Amount.Units
				}
			}
			if back != one.Payout.Captured.Total() {
				y.Errorf("%s: %d units go back to gifts, %d were paid", one.Payout.ID, back, one.Payout.Captured.Total())
			}
		}
	}
	y.types(exitRefused, nil, "trace", "outside:household:gdicldmmiibebclhhlpmkoonacgaabma")
	var nothing published
	y.types(0, &nothing, "publish", string(sheets[0].Campaign.Account), "--duty", "other")
	if nothing.N == 0 || nothing.Document.String() == "" {
		y.Errorf("published: %+v", nothing)
	}
}
