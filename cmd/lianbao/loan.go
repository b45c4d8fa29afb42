package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/lianbao/lianbao/cmd/lianbao/loan"
)

// loanCommand is what is done about a loan, and what one costs. Each question about
// that is JSON on the standard input, each answer JSON; nothing is asked of a network.
type loanCommand struct {
	actsCommand
	Schedule loanQuestion `cmd:"" help:"When a loan comes back: every instalment, and the rate a year."`
	APR      loanQuestion `cmd:"" name:"apr" help:"The annual percentage rate of advances and payments, by European or United States law."`
	Days     loanQuestion `cmd:"" help:"The days between two dates by a day count, and the interest."`
	Payoff   loanQuestion `cmd:"" help:"What is owed on a day after payments, and what ends the loan."`
	Allocate loanQuestion `cmd:"" help:"What payments pay of what is due."`
	Recourse loanQuestion `cmd:"" help:"Who bears a debt among its guarantors, and who may ask whom."`
	Settle   loanQuestion `cmd:"" help:"What of a sale goes to whom: shares, dues by rank, what is left."`
	Surplus  loanQuestion `cmd:"" help:"What of a cooperative's surplus goes to which member."`
}

type loanQuestion struct{}

// questionMax is how long a question may be.
const questionMax = 4 << 20

// Help is printed with --help.
func (loanQuestion) Help() string {
	return "The question is read from the standard input as JSON; docs/loans.md explains its fields."
}

// asked reads the question.
func (a *application) asked() ([]byte, error) {
	if isatty.IsTerminal(os.Stdin.Fd()) {
		io.WriteString(a.console.errs, "Write the question as JSON and end it with Ctrl-D; docs/loans.md explains its fields.\n")
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, questionMax+1))
	if err == nil && len(data) > questionMax {
		err = &failure{exitRefused, "the question is longer than 4 MiB", ""}
	}
	return data, err
}

func (loanQuestion) Run(app *application, line *kong.Context) error {
	data, err := app.asked()
	if err != nil {
		return err
	}
	answer, err := loan.Answer(line.Selected().Name, data)
	if err != nil {
		return err
	}
	app.console.answer(answer)
	return nil
}

// answer prints a document that is JSON for people too.
func (c *console) answer(document any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.json {
		c.document(document)
		return
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		io.WriteString(c.errs, "lianbao: "+err.Error()+"\n")
	}
}
