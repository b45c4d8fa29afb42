package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
)

// lends brings every application to a loan that runs.
func (c *cooperative) lends(ctx context.Context) error {
	if err := c.each(ctx, 1, c.contracts); err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	for k := range c.accounts() {
		work.Go(func() error { return c.pays(working, k) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	return c.each(ctx, 1, func(ctx context.Context, i int) error {
		return c.tells(ctx, c.coop, "Loan:BookTranche", loan.BookTranche{Account: c.scheme, ID: tape.ID(fmt.Sprintf("%s.book.%d", c.run, i)), Loan: c.loanOf(i), Tranche: 1})
	})
}

// accounts is how many accounts the bank lends from.
func (c *cooperative) accounts() int { return (c.count + loansAnAccount - 1) / loansAnAccount }

func (c *cooperative) lender(k int) tape.AccountID {
	return tape.AccountID(fmt.Sprintf("lender:bank:%s-%d", c.run, k))
}

func (c *cooperative) lenderBank(k int) tape.AccountID {
	return tape.AccountID(fmt.Sprintf("outside:bank:%s-%d", c.run, k))
}

// capital is what an account lends, and no more.
const capital = loansAnAccount * borrowedUnits

// offers opens every account with its capital, and a product of each.
func (c *cooperative) offers(ctx context.Context) error {
	work, working := errgroup.WithContext(ctx)
	for k := range c.accounts() {
		work.Go(func() error {
			account, product := c.lender(k), c.product(k*loansAnAccount)
			open := tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: c.lenderBank(k), ID: tape.ID(fmt.Sprintf("%s.lend.%d", c.run, k))}
			if err := c.signsAbout(working, c.bank, "Loan:OpenLending", "open-lending", account, "", open, staff("bank")...); err != nil {
				return err
			}
			if err := c.arrives(working, c.bank, account, c.lenderBank(k), fmt.Sprint("cap-", k), cny(capital)); err != nil {
				return err
			}
			offer := loan.OfferProduct{Account: c.scheme, ID: tape.ID(fmt.Sprintf("%s.offer.%d", c.run, k)), Product: product, Version: 1, Conditions: loan.Conditions{
				Lenders: []loan.Lender{{Account: account, Organisation: "bank", PartsPerMillion: 1_000_000}}, OfferDays: 30, PrincipalMin: cny(1_000_00), PrincipalMax: cny(20_000_00),
				Purposes: []string{"inputs"}, TermDaysMax: 100, Terms: fortnightly(), TranchesMax: 1}}
			return c.signs(working, c.bank, "Loan:OfferProduct", "offer-product", "", offer, staff("bank")...)
		})
	}
	return work.Wait()
}

// contracts is the bank's yes to one application, and the household's signature under the quote.
func (c *cooperative) contracts(ctx context.Context, i int) error {
	amount := cny(borrowedUnits)
	decide := loan.Decide{Account: c.scheme, Amount: amount, ID: tape.ID(fmt.Sprintf("%s.decide.%d", c.run, i)), Loan: c.loanOf(i), Reason: "meets-conditions"}
	if err := c.signs(ctx, c.bank, "Loan:DecideLoan", "decide-loan", amount.String(), decide, staff("bank")...); err != nil {
		return err
	}
	advances := []terms.Advance{{Amount: amount, Date: c.today}}
	quote, err := loan.Loan{Scheme: c.scheme, ID: c.loanOf(i), Terms: fortnightly()}.Quote(advances)
	if err != nil {
		return err
	}
	hash, err := quote.Hash()
	if err != nil {
		return err
	}
	contract := loan.ContractLoan{Account: c.scheme, Advances: advances, ID: tape.ID(fmt.Sprintf("%s.contract.%d", c.run, i)), Loan: c.loanOf(i), Quote: hash}
	return c.signs(ctx, c.coop, "Loan:ContractLoan", "contract-loan", amount.String(), contract, c.person(i))
}

// pays lets one account of the bank pay its loans out, one after the other, and
// executes them all by one statement.
func (c *cooperative) pays(ctx context.Context, k int) error {
	amount, account := cny(borrowedUnits), c.lender(k)
	var lines []tape.Line
	var executed []tape.ExecutedLine
	for i := k * loansAnAccount; i < min((k+1)*loansAnAccount, c.count); i++ {
		out := tape.ID(fmt.Sprintf("%s-out-%d", c.run, i))
		disburse := loan.Disburse{Account: c.scheme, Amount: amount, Expires: tape.Instant(time.Now().Add(5 * 24 * time.Hour).UnixMilli()), ID: out, Loan: c.loanOf(i),
			To: tape.AccountID("outside:household:" + c.pseudonym(i)), Tranche: 1}
		if err := c.signs(ctx, c.bank, "Loan:DisburseLoan", "disburse-loan", amount.String(), disburse, staff("bank")...); err != nil {
			return err
		}
		executed = append(executed, tape.ExecutedLine{Index: len(lines), Holds: []tape.ID{out}})
		lines = append(lines, tape.Line{Number: int32(len(lines) + 1), Date: c.today, Amount: amount, Reference: c.reference("out", i)})
	}
	paid := tape.ID(fmt.Sprintf("%s-paid-%d", c.run, k))
	if err := c.files(ctx, c.lenderBank(k), paid, tape.ID(fmt.Sprintf("%s-cap-%d", c.run, k)), cny(capital), tape.DebitSide, lines); err != nil {
		return err
	}
	execute, err := tape.NewExecute(account, paid+".execute", paid, 0, lines, executed)
	if err != nil {
		return err
	}
	return c.tells(ctx, c.bank, "Tape:Execute", execute)
}

// arrives lets money of one line of the bank come to an account.
func (c *cooperative) arrives(ctx context.Context, owner *fabric.Ledger, account, bank tape.AccountID, name string, amount money.Amount) error {
	id := tape.ID(c.run + "-" + name)
	came := tape.Gift{ID: id, Amount: amount, Reference: c.reference(name, 0)}
	received, err := tape.Receive{Account: account, Count: 1, Gifts: []tape.Gift{came}, ID: id + ".page", Total: amount}.Encode()
	if err != nil {
		return err
	}
	if err := c.carries(ctx, owner, "Tape:Receive", received); err != nil {
		return err
	}
	line := tape.Line{Number: 1, Date: c.today, Amount: amount, Reference: came.Reference}
	if err := c.files(ctx, bank, id, "", cny(0), tape.CreditSide, []tape.Line{line}); err != nil {
		return err
	}
	return c.tells(ctx, owner, "Tape:Settle", tape.Settle{Account: account, ID: id + ".settled", Items: []tape.SettleItem{{Source: string(id) + ".page", Lines: &tape.LinesRef{Statement: id}}}})
}

// files files a statement of lines on one side.
func (c *cooperative) files(ctx context.Context, bank tape.AccountID, id, previous tape.ID, opening money.Amount, side tape.Side, lines []tape.Line) error {
	page, _, err := tape.LinesBody(side, lines)
	if err != nil {
		return err
	}
	closing := opening
	for _, line := range lines {
		if side == tape.DebitSide {
			closing.Units -= line.Amount.Units
		} else {
			closing.Units += line.Amount.Units
		}
	}
	statement := tape.FileStatement{Account: bank, Closing: closing, Count: int32(len(lines)), From: c.today, ID: id, Opening: opening, Pages: []tape.LinesPage{page}, Previous: previous, To: c.today}
	if err := c.tells(ctx, c.bank, "Tape:FileStatement", statement); err != nil {
		return err
	}
	body, err := tape.FileLines{Account: bank, ID: id + "-0", Lines: lines, N: 0, Statement: id}.Encode()
	if err != nil {
		return err
	}
	return c.carries(ctx, c.bank, "Tape:FileLines", body)
}
