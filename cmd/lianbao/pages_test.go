//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafts "github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/statement"
)

// What the test pays, out of the invented speech training.
const (
	speechAccount = "charity:charity:invented-speech"
	firstChild    = "outside:household:ajkbfaoiofmdcaclhkichkdbiejmedoo"
	secondChild   = "outside:household:gicmfofaogohiebmgeepdlejmijochob"
	firstKey      = tape.ID("invented-child-01")
)

// reader is somebody at a browser on a real network's pages.
type reader struct {
	typist
	tab  context.Context
	home string
}

func newReader(y typist, home string) *reader {
	y.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err != nil && os.Getenv("LIANBAO_BROWSER") == "required":
		y.Fatal("LIANBAO_BROWSER=required, and there is no Chromium; run .ci/browser")
	case err != nil:
		y.Skip("NOT CHECKED in a browser: there is no Chromium here; .ci/browser brings it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(y.TempDir()))
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	var process *exec.Cmd
	options = append(options, chromedp.ModifyCmdFunc(func(command *exec.Cmd) {
		if process = command; command.SysProcAttr == nil {
			command.SysProcAttr = &syscall.SysProcAttr{}
		}
		command.SysProcAttr.Setpgid = true // a group of its own, so that it ends with all its helpers
	}))
	allocator, stop := chromedp.NewExecAllocator(y.Context(), options...)
	tab, end := chromedp.NewContext(allocator)
	y.Cleanup(func() {
		if process != nil && process.Process != nil {
			_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) // nothing of it is kept
		}
		end()
		stop()
	})
	if err := chromedp.Do(tab); err != nil {
		y.Fatal(err)
	}
	return &reader{y, tab, home}
}

// stepWait is how long one step of the browser may take.
const stepWait = 30 * time.Second

func (r *reader) does(what string, steps ...chromedp.Action[chromedp.Void]) {
	r.Helper()
	ctx, end := context.WithTimeout(r.tab, stepWait)
	defer end()
	if err := chromedp.Do(ctx, steps...); err != nil {
		r.Fatalf("%s: %v\n%.3000s", what, err, r.says("main"))
	}
}

// opens goes to a page.
func (r *reader) opens(path string) {
	r.Helper()
	r.does(path, chromedp.Navigate(r.home+path), chromedp.WaitVisible(chromedp.CSS("h1")))
}

// presses sends a form, and waits for the page that answers.
func (r *reader) presses(what, button string) {
	r.Helper()
	r.does(what, mark, chromedp.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS("body:not([data-old]) h1")))
}

// mark tells the old page from the one that answers.
var mark = chromedp.Evaluate[chromedp.Void](`document.body.dataset.old = "1"; 0`)

func (r *reader) says(selector string) string {
	ctx, end := context.WithTimeout(r.tab, stepWait)
	defer end()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		return err.Error()
	}
	return text
}

func (r *reader) place() string {
	r.Helper()
	ctx, end := context.WithTimeout(r.tab, stepWait)
	defer end()
	text, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		r.Fatal(err)
	}
	return text
}

func (r *reader) reads(selector, want string) {
	r.Helper()
	if got := r.says(selector); !strings.Contains(strings.ReplaceAll(got, "\u00a0", " "), want) {
		r.Fatalf("%s does not say %q:\n%.3000s", r.place(), want, got)
	}
}

// logsIn chooses one of the invented staff.
func (r *reader) logsIn(person string) {
	r.Helper()
	r.opens("/en/work")
	r.presses("log in", "main a.button")
	r.reads("main", "demonstration")
	r.does("choose", mark, chromedp.Click(chromedp.CSS(`main a.button`)), chromedp.WaitVisible(chromedp.CSS("body:not([data-old]) h1")))
	r.does("be "+person, mark, chromedp.Click(chromedp.CSS(`button[value="`+person+`"]`)), chromedp.WaitVisible(chromedp.CSS(".whoami")))
	r.reads(".whoami", person)
}

func (r *reader) logsOut() {
	r.Helper()
	r.presses("log out", ".whoami button")
	r.reads("main", "logged out")
}

// TestPages takes a payment on the pages of a real network from its proposal
// to the household's own word, as people do it.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network; left out with -short")
	}
	y := typist{t, filepath.Join(t.TempDir(), "network")}
	if _, err := exec.LookPath("chromium"); err != nil && os.Getenv("LIANBAO_BROWSER") != "required" {
		t.Skip("NOT CHECKED in a browser: there is no Chromium here; .ci/browser brings it")
	}
	y.types(0, nil, "up", "--detach")
	defer y.types(0, nil, "down")
	r := newReader(y, y.gateway("charity").Address())
	before := r.confirmed()
	id := r.proposes()
	r.approves(id)
	hold := tape.ChunkHold(id, 0, 0)
	r.executes(id)
	r.gift(hold)
	r.confirms(hold)
	if after := r.confirmed(); after == before {
		t.Errorf("the campaign still has %s confirmed", after)
	}
	// What docs/cli.md says to type for the family that has not answered yet.
	t.Setenv(passphraseVariable, founding.DevicePassphrase)
	code, out, errs := typed("person", "confirm", speechAccount, "speech-training.0.7", "--yes", "--key", founding.DevicePath(y.folder, "invented-child-08"),
		"--gateway", y.gateway("charity").Address(), "--send", y.gateway("coop").Address())
	if code != 0 || !strings.Contains(out, "on the ledger as confirm-") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// confirmed is what the campaign's page says that receivers have confirmed.
func (r *reader) confirmed() string {
	r.Helper()
	r.opens("/en/campaigns/" + speechAccount)
	figure := regexp.MustCompile(`Confirmed by the receivers\s+(\S+)`).FindStringSubmatch(r.says(".figures"))
	if figure == nil {
		r.Fatalf("the campaign's page shows no confirmed sum: %s", r.says(".figures"))
	}
	return figure[1]
}

func (r *reader) proposes() tape.ID {
	r.Helper()
	r.logsIn("invented-charity-maker")
	r.opens("/en/campaigns/" + speechAccount + "/propose")
	r.does("fill in", chromedp.SetValue(chromedp.CSS("#line"), "travel"), chromedp.SetValue(chromedp.CSS("#payee-1"), firstChild), chromedp.SetValue(chromedp.CSS("#amount-1"), "120.00"),
		chromedp.SetValue(chromedp.CSS("#payee-2"), secondChild), chromedp.SetValue(chromedp.CSS("#amount-2"), "130.00"))
	r.presses("propose", "main form.wide > button")
	r.reads("h1", "Propose to pay 250.00 CNY to 2 payees")
	r.presses("sign", `form[action$="/sign"] button`)
	r.reads("main", "Done: it stands on the ledger.")
	r.presses("see it", ".state + a")
	r.reads("main", "1 of 1 lists")
	r.reads("main", firstChild)
	r.reads(".acts", "another person has to approve it")
	r.logsOut()
	var list readmodel.List[readmodel.Disbursement]
	if err := r.gateway("charity").Get(r.Context(), "/disbursements", url.Values{"account": {speechAccount}, "state": {"proposed"}, "limit": {"1000"}}, 0, &list); err != nil {
		r.Fatal(err)
	}
	for _, d := range list.Items {
		if d.Amount.String() == "250.00 CNY" {
			return d.Disbursement.ID
		}
	}
	r.Fatal("the proposal is not on the ledger")
	return ""
}

func (r *reader) approves(id tape.ID) {
	r.Helper()
	r.logsIn("invented-charity-checker")
	r.opens("/en/work")
	r.presses("take it from the work list", `a[href$="`+string(id)+`"]`)
	r.presses("approve", `form[action$="/approve"] button`)
	r.reads("h1", "Approve disbursement")
	r.presses("sign", `form[action$="/sign"] button`)
	r.reads("main", "Done: it stands on the ledger.")
	r.presses("see it", ".state + a")
	r.presses("order", `form[action$="/order"] button`)
	r.presses("pay", `form[action$="/pay"] button`)
	r.reads("main", "Ordered at the bank: 1 of 1 lists")
	r.reads("main", "ordered, waits for the bank")
	r.logsOut()
}

// executes lets the bank pay, by the debit lines of its statement.
func (r *reader) executes(id tape.ID) {
	r.Helper()
	folder := r.TempDir()
	file := filepath.Join(folder, "debits.csv")
	today := time.Now().UTC().Add(8 * time.Hour).Format(time.DateOnly)
	text := "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n"
	for i, amount := range []string{"120.00", "130.00"} {
		text += fmt.Sprintf("%d,%s,,Rfake-page-%d,%s,0.00,CNY,,Payout %s\n", i+1, today, i, amount, donation.ReferenceOfPayout(speechAccount, tape.ChunkHold(id, 0, i)).Grouped())
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	side := func(organisation string) importing.Side {
		return importing.Side{Organisation: organisation, Gateway: r.gateway(organisation), Folder: filepath.Join(r.folder, "organisations", organisation, "importing")}
	}
	result, err := importing.Import(r.Context(), importing.Order{File: file, Mapping: statement.Mapping{V: 1}, Account: speechAccount, Charity: side("charity"), Bank: side("bank")})
	if err != nil || result.Executed.Count != 2 {
		r.Fatalf("%d payouts were executed: %v", result.Executed.Count, err)
	}
	// The pages are the charity's: they show it once its gateway has read so far.
	var blocks readmodel.List[readmodel.BlockSummary]
	if err := r.gateway("charity").Get(r.Context(), "/blocks", url.Values{"limit": {"1"}}, result.Position, &blocks); err != nil {
		r.Fatal(err)
	}
}

// gift goes from the payout back to a gift, whose page says where it went.
func (r *reader) gift(hold tape.ID) {
	r.Helper()
	r.opens("/en/payouts/" + speechAccount + "/" + string(hold))
	r.presses("the gift", `main a[href*="/gifts/"]`)
	r.reads("main", "reached "+firstChild)
}

// confirms logs the household in by the key on its device, and says there that the money arrived.
func (r *reader) confirms(hold tape.ID) {
	r.Helper()
	r.opens("/en/login?return=/en/me")
	command := r.says("main pre code")
	address := regexp.MustCompile(`'(http[^']+)'`).FindStringSubmatch(command)
	if address == nil {
		r.Fatalf("the page shows no challenge: %s", command)
	}
	asked, err := challenge.Parse(address[1])
	if err != nil {
		r.Fatal(err)
	}
	device, err := founding.Device(r.folder, "charity", firstKey, asked.Ledger)
	if err != nil {
		r.Fatal(err)
	}
	signature, err := asked.Sign(device.Key)
	if err != nil {
		r.Fatal(err)
	}
	r.does("answer", chromedp.SetValue(chromedp.CSS("#person"), string(firstKey)), chromedp.SetValue(chromedp.CSS("#signature"), signature.String()))
	r.presses("log in", "form.column button")
	r.reads("h1", "What concerns you")
	r.presses("it arrived", `form[action*="`+string(hold)+`/word"] button`)
	r.reads("h1", "Confirm that 120.00 CNY")
	r.does("paste", chromedp.SetValue(chromedp.CSS("#intent"), r.signs(device)))
	r.presses("bring", `form[action$="/intent"] button`)
	r.reads("main", "Done: it stands on the ledger.")
	r.opens("/en/payouts/" + speechAccount + "/" + string(hold))
	r.reads("main", "arrival confirmed (key held by the person)")
}

// signs does what lianbao person sign does with the draft that the page hands out.
func (r *reader) signs(device founding.Signer) string {
	r.Helper()
	ctx, end := context.WithTimeout(r.tab, stepWait)
	defer end()
	file, err := chromedp.Run(ctx, chromedp.Evaluate[string](`fetch(document.querySelector('a[href$="/file"]').href).then(function (r) { return r.text(); })`, chromedp.EvalAwaitPromise))
	if err != nil {
		r.Fatal(err)
	}
	draft, err := drafts.ParseDraft([]byte(file))
	if err != nil {
		r.Fatal(err)
	}
	act, err := draft.Act()
	if err != nil || draft.Function != "Fund:Confirm" || !strings.HasSuffix(act.Message.Key, fund.Arrived) {
		r.Fatalf("the draft is %+v: %v", act, err)
	}
	statement, err := draft.Statement()
	intent, err2 := sign.Intent(device.Key, draft.Ledger, draft.Person, statement)
	if err := errors.Join(err, err2); err != nil {
		r.Fatal(err)
	}
	text, err := encoded(intent)
	if err != nil {
		r.Fatal(err)
	}
	return text
}

func encoded(value any) (string, error) {
	text, err := canonical.Encode(value)
	return string(text), err
}
