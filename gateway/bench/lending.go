package bench

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// product is what the bank lends by.
const product = tape.ID("inputs")

// fortnightly is four instalments at 6 % a year.
func fortnightly() terms.Terms {
	return terms.Terms{Method: terms.EqualPrincipal, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 4, Every: terms.Interval{Weeks: 2}}
}

func (c *cooperative) application(i int) loan.Apply {
	return loan.Apply{Account: c.scheme, Amount: cny(borrowedUnits), Group: c.groupOf(i), Household: c.household(i), ID: c.loanOf(i), Product: product, ProductVersion: 1, Purpose: "inputs", Terms: fortnightly()}
}

// asks sends a household's application, which its guarantors sign.
func (c *cooperative) asks(ctx context.Context, i int) error {
	apply := c.application(i)
	return c.signs(ctx, c.coop, "Loan:ApplyForLoan", "apply-for-loan", apply.Amount.String(), apply, c.guarantors(i)...)
}

// borrows brings the applications of a group to loans that run, and its crop over
// the scale. Households of a group stand for one another, so that their loans
// begin one after the other.
func (c *cooperative) borrows(ctx context.Context, g int) error {
	members := c.of(g)
	if err := together(ctx, groupSize, members, c.delivers); err != nil {
		return err
	}
	if err := together(ctx, groupSize, members, c.decides); err != nil {
		return err
	}
	for _, i := range members {
		if err := c.takesOver(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// decides is the bank's yes to one application.
func (c *cooperative) decides(ctx context.Context, i int) error {
	amount := cny(borrowedUnits)
	decide := loan.Decide{Account: c.scheme, Amount: amount, ID: c.id("decide", i), Loan: c.loanOf(i), Reason: "meets-conditions"}
	return c.signs(ctx, c.bank, "Loan:DecideLoan", "decide-loan", amount.String(), decide, staff("bank")...)
}

// advances are what a loan came to some days ago.
func (c *cooperative) advances() []terms.Advance {
	return []terms.Advance{{Amount: cny(borrowedUnits), Date: c.today.AddDays(-lentDays)}}
}

// takesOver brings a loan onto the ledger that ran before: in one command, and
// without money of an account that all loans would wait for.
func (c *cooperative) takesOver(ctx context.Context, i int) error {
	take := loan.TakeOver{Account: c.scheme, Advances: c.advances(), Evidence: party.Hash{3}, ID: c.id("take", i), Loan: c.loanOf(i), Terms: fortnightly()}
	persons := append(append(staff("bank"), staff("coop")[0]), c.guarantors(i)...)
	return c.signs(ctx, c.bank, "Loan:TakeOverLoan", "take-over-loan", cny(borrowedUnits).String(), take, persons...)
}

// due is what of each loan falls due in the window of a sale of today.
func (c *cooperative) due() (units int64, err error) {
	schedule, err := fortnightly().Schedule(c.advances())
	for _, instalment := range schedule.Instalments {
		if instalment.Due <= c.today.AddDays(windowDays) {
			units += instalment.Total()
		}
	}
	return units, err
}
