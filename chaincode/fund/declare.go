package fund

import (
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Declare settles a page of gifts that no line of the bank shows. It becomes
// money that can be spent on the word of people alone, so a maker and a checker
// give it, and every trail says what it rests on.
type Declare struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Page    tape.ID        `json:"page"`
}

// Check refuses a malformed command.
func (c Declare) Check() error { return rule.Field("page", c.Page.Check()) }

// Declare judges the command; source is the page, as far as it is on the ledger.
// A closed campaign's pages are declared too: what came late is carried with the
// rest. That maker and checker signed is checked against the policy by the caller.
func (c Campaign) Declare(command Declare, account tape.Account, head tape.Head, source tape.Source, ctx tape.Context) (tape.Head, tape.Settlement, tape.Entry, error) {
	if err := rule.First(c.governs(ctx), command.Check()); err != nil {
		return head, tape.Settlement{}, tape.Entry{}, err
	}
	return head.Declare(account, command.ID, command.Page, source, ctx)
}
