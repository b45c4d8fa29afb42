// Command lianbao is the one command for people: it starts a network on this
// machine, says how it stands, imports bank statements and follows gifts.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// commandLine is everything that can be typed. docs/cli.md explains it.
type commandLine struct {
	Dir  string `help:"Folder that holds the network." default:".lianbao" placeholder:"FOLDER" type:"path"`
	JSON bool   `name:"json" help:"Print JSON, one document a line; the last line is the result."`

	Up         upCommand         `cmd:"" help:"Start the network; make it first where the folder holds none."`
	Down       downCommand       `cmd:"" help:"Stop the network and remove it, its ledger and its keys."`
	Stop       stopCommand       `cmd:"" help:"Stop the network and keep its data."`
	Start      startCommand      `cmd:"" help:"Start a network that was stopped."`
	Reset      resetCommand      `cmd:"" help:"Stop the network and remove its ledger and its keys; ports and topology stay."`
	Status     statusCommand     `cmd:"" help:"Show every node: address, height, certificate's end."`
	Logs       logsCommand       `cmd:"" help:"Print what nodes have written."`
	Doctor     doctorCommand     `cmd:"" help:"Look for what would keep a network from starting."`
	Import     importCommand     `cmd:"" help:"Import what others hold."`
	Identify   identifyCommand   `cmd:"" help:"Give money that nobody had claimed to the campaign it was meant for."`
	Demo       demoCommand       `cmd:"" help:"Play three invented stories: two campaigns, and a season of a cooperative."`
	Trace      traceCommand      `cmd:"" help:"Follow a gift to where it is now, and back."`
	Campaign   campaignCommand   `cmd:"" help:"Show what campaigns have come to, and what the law asks of them next."`
	Years      yearsCommand      `cmd:"" help:"Show an organisation's years beside the law's ratios."`
	Publish    publishCommand    `cmd:"" help:"Publish what a campaign has come to: a frozen document, its hash on the ledger."`
	Export     exportCommand     `cmd:"" help:"Write a campaign's books (IATI 2.03, 360Giving, tables as CSV) or a harvest's events (EPCIS 2.0)."`
	Orders     ordersCommand     `cmd:"" help:"Write the payouts that wait for the bank as CSV, each with the reference for its memo."`
	Fund       actsCommand       `cmd:"" help:"What staff do about a campaign: open, amend, close, enrol, pledge, cite."`
	Harvest    actsCommand       `cmd:"" help:"What is done about a harvest, from the scale to the sale."`
	Settlement settlementCommand `cmd:"" help:"What is done about a sale that repays loans first."`
	Recourse   actsCommand       `cmd:"" help:"What is done about guarantors who are called."`
	Books      actsCommand       `cmd:"" help:"What is done about an organisation's own books: closing a month."`
	Group      actsCommand       `cmd:"" help:"What a cooperative, its lenders and households do about a scheme and its groups."`
	Send       sendCommand       `cmd:"" help:"Carry what people have signed on their devices."`
	Evidence   evidenceCommand   `cmd:"" help:"Keep, cite and check documents: an invoice, a photo, a delivery note."`
	Personal   personalCommand   `cmd:"" help:"Keep, show and purge what is known about people, at the members of a collection."`
	Audit      auditCommand      `cmd:"" help:"Replay the ledger and compare it with every peer and read model."`
	Bench      benchCommand      `cmd:"" help:"Measure this machine: gifts a second, beside baselines of the same run."`
	Coop       coopCommand       `cmd:"" help:"What stands of a cooperative: portfolio, groups, loans, settlements, the bookkeeper's lists."`
	Credit     creditCommand     `cmd:"" help:"A household's credit score and why, offline: JSON in; docs/credit.md."`
	Loan       loanCommand       `cmd:"" help:"What is done about a loan, from the application to its end; and what one costs, offline: docs/loans.md."`
	Connect    connectCommand    `cmd:"" help:"Show how a program speaks to the network for an organisation."`
	Person     personCommand     `cmd:"" help:"Keep a key of your own: sign, log in, confirm what reached you."`
}

// application is what every command gets.
type application struct {
	context context.Context
	folder  string
	console *console
	// invoked is how this program was called, for "what to type next".
	invoked string
}

// run is the whole program but its exit; arguments begins with the program's name.
func run(arguments []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commandLine
	screen := newConsole(out, errs)
	exited := -1
	parser, err := newParser(&line, kong.Writers(out, errs), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		return screen.fail(explain(ctx, err, &application{context: ctx}))
	}
	chosen, err := parser.Parse(arguments[1:])
	if exited >= 0 { // --help has printed what was asked
		return exited
	}
	screen.json = line.JSON || wantsJSON(arguments)
	if err != nil {
		return screen.fail(&failure{exitUsage, err.Error(), "see " + invokedAs(arguments[0]) + " --help"})
	}
	app := &application{context: ctx, folder: line.Dir, console: screen, invoked: invokedAs(arguments[0])}
	if err := chosen.Run(app); err != nil {
		return screen.fail(explain(ctx, err, app))
	}
	return 0
}

// newParser reads command lines into line.
func newParser(line *commandLine, options ...kong.Option) (*kong.Kong, error) {
	var err error
	for family, command := range map[string]*actsCommand{"fund": &line.Fund, "group": &line.Group, "loan": &line.Loan.actsCommand, "harvest": &line.Harvest, "settlement": &line.Settlement.actsCommand, "recourse": &line.Recourse, "books": &line.Books} {
		if *command, err = newActsCommand(family); err != nil {
			return nil, err
		}
	}
	return kong.New(line, append(options, kong.Name("lianbao"), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("A ledger that charities, cooperatives, insurers, a bank and a regulator share, on Hyperledger Fabric. Documentation: docs/cli.md."))...)
}

// wantsJSON finds the flag on a command line that could not be read.
func wantsJSON(arguments []string) bool {
	for _, argument := range arguments {
		if argument == "--json" {
			return true
		}
	}
	return false
}

// invokedAs is what a person types to call this program again.
func invokedAs(program string) string {
	if strings.Contains(filepath.ToSlash(program), "/go-build") {
		return "go run ./cmd/lianbao"
	}
	return "lianbao"
}

// again writes a command for "what to type next", with the folder where it is
// not the usual one.
func (a *application) again(command string) string {
	usual, err := filepath.Abs(".lianbao")
	if err == nil && usual == a.folder {
		return a.invoked + " " + command
	}
	folder := a.folder
	if here, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(here, folder); err == nil && !strings.HasPrefix(near, "..") {
			folder = near
		}
	}
	return a.invoked + " " + command + " --dir " + folder
}

// interrupted says that the person pressed Ctrl-C.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}
