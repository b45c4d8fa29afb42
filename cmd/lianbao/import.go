package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/statement"
	"github.com/lianbao/lianbao/network"
)

type importCommand struct {
	Statement importStatementCommand `cmd:"" help:"Import a bank statement: the bank files it, the charity's gifts are settled against it."`
	Processor importProcessorCommand `cmd:"" help:"Import a payment processor's file: many gifts, one line of the bank, a fee."`
}

type importStatementCommand struct {
	File      string `arg:"" help:"CSV or gzipped CSV."`
	Account   string `help:"Account that receives the gifts; without it one is opened." placeholder:"ACCOUNT"`
	Unclaimed string `help:"Account of unidentified money: lines in without a known reference wait there until somebody claims them. Without it they are gifts to the account." placeholder:"ACCOUNT"`
	Mapping   string `help:"File that describes the bank's dialect; see docs/import.md." placeholder:"FILE"`
	Currency  string `help:"Currency of the statement, where the file does not say it." placeholder:"CODE"`
	Charity   string `help:"Organisation that receives the gifts." default:"charity" placeholder:"ORG"`
	Custodian string `help:"Organisation whose statement it is." default:"bank" placeholder:"ORG"`
}

func (c *importStatementCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	order := importing.Order{File: c.File, Account: tape.AccountID(c.Account), Unclaimed: tape.AccountID(c.Unclaimed), Currency: money.Currency(c.Currency)}
	if c.Mapping != "" {
		if order.Mapping, err = statement.LoadMapping(c.Mapping); err != nil {
			return err
		}
	}
	if order.Charity, err = side(n, c.Charity); err != nil {
		return err
	}
	if order.Bank, err = side(n, c.Custodian); err != nil {
		return err
	}
	order.Report = app.newMeter().report
	result, err := importing.Import(app.context, order)
	if err != nil {
		return err
	}
	app.console.result(result)
	app.tellImport(result)
	return nil
}

type importProcessorCommand struct {
	File      string `arg:"" help:"CSV or gzipped CSV."`
	Account   string `required:"" help:"Account that receives the gifts." placeholder:"ACCOUNT"`
	Processor string `required:"" help:"Who collected them and kept the fee, such as outside:processor:examplepay." placeholder:"ACCOUNT"`
	Reference string `help:"What the processor writes into the memo of its bank line: a statement that comes later leaves that line to this file." placeholder:"TEXT"`
	Line      string `help:"The bank line, where several carry the sum." placeholder:"STATEMENT:NUMBER"`
	Mapping   string `help:"File that describes the processor's dialect; see docs/import.md." placeholder:"FILE"`
	Charity   string `help:"Organisation that receives the gifts." default:"charity" placeholder:"ORG"`
}

func (c *importProcessorCommand) Run(app *application) error {
	n, err := network.Open(app.folder)
	if err != nil {
		return err
	}
	order := importing.ProcessorOrder{File: c.File, Account: tape.AccountID(c.Account), Processor: tape.AccountID(c.Processor), Reference: c.Reference, Line: c.Line}
	if c.Mapping != "" {
		if order.Mapping, err = statement.LoadSettlementMapping(c.Mapping); err != nil {
			return err
		}
	}
	charity, err := side(n, c.Charity)
	if err != nil {
		return err
	}
	order.Charity = charity.Receiver()
	result, err := importing.ImportProcessor(app.context, order)
	if err != nil {
		return err
	}
	app.console.result(result)
	app.tellProcessor(result)
	return nil
}

// tellProcessor says what a processor's file has come to.
func (a *application) tellProcessor(r importing.ProcessorResult) {
	if r.Repeated && r.Settled {
		a.console.say("  ✓ %-10s %s was imported before; nothing was sent", "known", r.File)
	}
	a.console.say("  ✓ %-10s %s gifts  %s less %s is %s", "processor", grouped(r.Gifts), groupedAmount(r.Total), groupedAmount(r.Fee), groupedAmount(r.Net))
	switch {
	case r.Settled && r.Statement != "":
		a.console.say("  ✓ %-10s page %s of %s, by line %d of statement %s", "settled", r.Page, r.Account, r.Line, r.Statement)
	case r.Settled:
		a.console.say("  ✓ %-10s page %s of %s", "settled", r.Page, r.Account)
	case r.Waits == importing.SeveralLines:
		a.console.say("  · %-10s several lines of %s carry %s; name one: --line %s", "waits", r.BankAccount, groupedAmount(r.Net), strings.Join(r.Candidates, " or --line "))
	case r.Waits == importing.Withdrawn:
		a.console.say("  · %-10s page %s of %s; it settles no more", "withdrawn", r.Page, r.Account)
	default:
		a.console.say("  · %-10s page %s of %s, for a line of %s at %s", "waits", r.Page, r.Account, groupedAmount(r.Net), r.BankAccount)
	}
	if r.Ignored > 0 {
		a.console.say("               %s rows were not paid, as the file says", grouped(r.Ignored))
	}
}

// side is one organisation's part in an import.
func side(n *network.Network, organisation string) (importing.Side, error) {
	connection, err := n.Connect(organisation)
	if err != nil {
		return importing.Side{}, &failure{exitUsage, err.Error(), ""}
	}
	gateway, err := speak.To(connection)
	return importing.Side{Organisation: organisation, Gateway: gateway,
		Folder: filepath.Join(n.Folder(), "organisations", organisation, "importing")}, err
}

// tellImport prints the result for people.
func (a *application) tellImport(r importing.Result) {
	if r.Repeated {
		a.console.say("  ✓ %-10s %s was imported before as statement %s; nothing was sent", "known", r.File, r.Statement)
	}
	rests := fmt.Sprintf("not gifts %s", grouped(r.NotGifts))
	if len(r.Remarks) > 0 {
		first := r.Remarks[0]
		amount := first.Credit
		if first.Debit.Units > 0 {
			amount = first.Debit
		}
		rests += fmt.Sprintf(" (line %d, %s %s)", first.Line, first.Reason, amount)
	}
	a.console.say("  ✓ %-10s %s gifts  %s   unmatched %d   %s", "settled", grouped(r.Settled), groupedAmount(r.SettledTotal), r.Unmatched, rests)
	for _, remark := range r.Remarks[min(1, len(r.Remarks)):min(10, len(r.Remarks))] {
		a.console.say("               line %d: %s, out %s, in %s", remark.Line, remark.Reason, remark.Debit, remark.Credit)
	}
	if len(r.Remarks) > 10 {
		a.console.say("               and more; --json lists the first hundred")
	}
	a.tellClaims(r)
	a.tellPayouts(r)
	for _, file := range r.Processors {
		a.tellProcessor(file)
	}
	a.console.say("")
	a.console.say("  Statement %s of %s, %s lines, closing with %s", r.Statement, r.BankAccount, grouped(r.Lines), groupedAmount(r.Closing))
	verb := "Account  "
	if r.Opened {
		verb = "Opened   "
	}
	a.console.say("  %s %s   %.1f s", verb, r.Account, r.Seconds)
	if r.FirstGift != "" {
		a.console.say("  Next      %s", a.again("trace "+string(r.FirstGift)))
	}
}

// tellClaims says what announcements and their absence have come to.
func (a *application) tellClaims(r importing.Result) {
	if r.Announced > 0 {
		where := ""
		for _, account := range r.Others {
			where += ", " + string(account)
		}
		a.console.say("  ✓ %-10s %s gifts by their references, on %s%s", "announced", grouped(r.Announced), r.Account, where)
	}
	if r.Unclaimed > 0 {
		a.console.say("  · %-10s %s lines  %s wait on %s until somebody claims them", "unclaimed", grouped(r.Unclaimed), groupedAmount(r.UnclaimedTotal), r.UnclaimedAccount)
	}
}

// tellPayouts says what the lines that name payouts have done, and why some did nothing.
func (a *application) tellPayouts(r importing.Result) {
	if r.Executed.Count > 0 {
		a.console.say("  ✓ %-10s %s lines  %s executed payouts", "payouts", grouped(r.Executed.Count), groupedAmount(r.Executed.Total))
	}
	if r.Returned.Count > 0 {
		a.console.say("  · %-10s %s lines  %s brought payouts back", "returned", grouped(r.Returned.Count), groupedAmount(r.Returned.Total))
	}
	for _, remark := range r.Payouts[:min(10, len(r.Payouts))] {
		ordered := ""
		if remark.Ordered != nil {
			ordered = ", " + groupedAmount(*remark.Ordered) + " is ordered"
		}
		a.console.say("  · %-10s line %d of %s: %s%s (%s)", "unmatched", remark.Line, groupedAmount(remark.Amount), remark.Reason, ordered, remark.Reference.Grouped())
	}
	if rest := len(r.Payouts) - 10; rest > 0 {
		a.console.say("               and %d more; --json lists them", rest)
	}
}

// meter shows how far an import is, with rate and remaining time.
type meter struct {
	console *console
	begun   time.Time
	filed   bool
	told    time.Time
}

func (a *application) newMeter() *meter { return &meter{console: a.console} }

// meterEvery keeps the progress readable, and cheap.
const meterEvery = 100 * time.Millisecond

func (m *meter) report(p importing.Progress) {
	now := time.Now()
	if p.Stage == importing.Carrying && !m.filed {
		m.filed, m.begun = true, now
		m.console.step(network.Step{Name: "bank", Done: true,
			Detail: fmt.Sprintf("evidence filed: %s lines, opening %s, closing %s", grouped(p.Lines), groupedAmount(p.Opening), groupedAmount(p.Closing))})
	}
	if p.Stage != importing.Carrying || now.Sub(m.told) < meterEvery {
		return
	}
	m.told = now
	m.show(p, now.Sub(m.begun))
}

// show draws the progress: a gift counts when both sides hold it; settling keeps up.
func (m *meter) show(p importing.Progress, elapsed time.Duration) {
	done := min(p.Received, p.Filed)
	rate := float64(done) / max(elapsed.Seconds(), 0.001)
	left := time.Duration(0)
	if rate > 0 {
		left = time.Duration(float64(p.Gifts-done) / rate * float64(time.Second))
	}
	m.console.meter(meterLine{Step: "gifts", Carried: done, Of: p.Gifts, Settled: p.Settled, PerSecond: int(rate), SecondsLeft: round(left)})
}

// meterLine is a progress report for programs and people.
type meterLine struct {
	Step string `json:"step"`
	// Carried is how many gifts both sides hold.
	Carried     int     `json:"carried"`
	Of          int     `json:"of"`
	Settled     int     `json:"settled"`
	PerSecond   int     `json:"perSecond"`
	SecondsLeft float64 `json:"secondsLeft"`
}

const barWidth = 30

func (l meterLine) String() string {
	full := 0
	if l.Of > 0 {
		full = barWidth * l.Carried / l.Of
	}
	return fmt.Sprintf("  · %-10s %s%s  %s / %s   %s/s   %.0f s left", l.Step,
		strings.Repeat("█", full), strings.Repeat("░", barWidth-full), grouped(l.Carried), grouped(l.Of), grouped(l.PerSecond), l.SecondsLeft)
}

// grouped writes a number as people read it.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// groupedAmount does the same for money.
func groupedAmount(a money.Amount) string {
	text := a.String()
	number, currency, _ := strings.Cut(text, " ")
	whole, decimals, has := strings.Cut(number, ".")
	units, err := strconv.Atoi(whole)
	if err != nil || units == 0 {
		return text // a sign before a zero would be lost
	}
	number = grouped(units)
	if has {
		number += "." + decimals
	}
	return number + " " + currency
}
