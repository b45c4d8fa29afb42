package story

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
)

func groupID(i int) tape.ID { return tape.ID(fmt.Sprintf("coffee-%02d", i+1)) }

// grouping: every household signs the one agreement of its group by its own key,
// the cooperative endorses it, both lenders approve it.
func (s *season) grouping(ctx context.Context, c *course) error {
	s.say("coffee season: %d guarantee groups sign their agreements", groups)
	return c.beside(ctx, groups, s.forms)
}

func (s *season) forms(ctx context.Context, c *course, i int) error {
	agreement := group.Agreement{Expiry: s.today.AddMonths(30), Form: "joint-and-several", GroupMax: yuan(100_000), GuaranteeMonths: 24, Lenders: []string{bank, coop}, MemberMax: yuan(60_000),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: sha256.Sum256([]byte("an invented agreement")), TextZh: sha256.Sum256([]byte("虚构联保协议"))}
	for _, f := range s.members(i) {
		agreement.Members = append(agreement.Members, group.Share{Household: f.household})
	}
	name := "season." + groupID(i)
	form := group.FormGroup{Account: coffee, Agreement: agreement, Group: groupID(i), ID: name + ".form"}
	if err := c.signs(ctx, coop, "Group:FormGroup", "form-group", nothing, form, s.officers[coop]...); err != nil {
		return err
	}
	hash, err := agreement.Hash(coffee, groupID(i))
	if err != nil {
		return err
	}
	for _, f := range s.members(i) {
		word := group.SignGroup{Account: coffee, Agreement: hash, Group: groupID(i), Household: f.household, ID: tape.ID(fmt.Sprintf("%s.sign-%02d", name, f.n))}
		if err := c.signs(ctx, coop, "Group:SignGroup", "sign-group", nothing, word, f.person); err != nil {
			return err
		}
	}
	if err := c.signs(ctx, coop, "Group:Endorse", "endorse", nothing, group.Endorse{Account: coffee, Group: groupID(i), ID: name + ".endorse"}, s.officers[coop]...); err != nil {
		return err
	}
	for _, lender := range agreement.Lenders {
		if err := c.signs(ctx, lender, "Group:ApproveGroup", "approve-group", nothing, group.ApproveGroup{Account: coffee, Group: groupID(i), ID: name + ".approve"}, s.officers[lender]...); err != nil {
			return err
		}
	}
	return nil
}

// credit is one loan of the season.
type credit struct {
	id      tape.ID
	group   int
	farm    farm
	product product
	amount  money.Amount
	// supplier and category are what it buys; none where the household is paid.
	supplier tape.AccountID
	category string
}

// credits are one loan in each group for what its first household plants, and some beside them: two
// that meet at one supplier and one place, one that two lenders share, and one that the sale ends.
func (s *season) credits() []credit {
	var all []credit
	for i := range groups {
		c := credit{group: i, farm: s.members(i)[0], product: productOf("inputs"), amount: yuan(int64(4_000 + 500*i)), supplier: nursery, category: "seedling"}
		if i%2 == 1 {
			c.supplier, c.category = fertiliser, "fertiliser"
		}
		all = append(all, c)
	}
	all = append(all, credit{group: 4, farm: s.members(4)[1], product: productOf("inputs"), amount: yuan(4_000), supplier: nursery, category: "seedling"},
		credit{group: 2, farm: s.members(2)[1], product: productOf("equipment"), amount: yuan(10_000)},
		credit{group: 7, farm: s.members(7)[1], product: productOf("picking"), amount: yuan(1_200)})
	for i := range all {
		all[i].id = tape.ID(fmt.Sprintf("season-loan-%02d", i+1))
	}
	return all
}

// out is the payout of a lender.
func (k credit) out(lender string) tape.ID { return k.id + tape.ID(".out."+lender) }

// lends: households borrow with the consent of their groups, suppliers deliver, the bank pays.
func (s *season) lends(ctx context.Context, c *course) error {
	credits := s.credits()
	s.say("coffee season: %d loans are asked for, guaranteed, decided and signed; suppliers deliver what they buy", len(credits))
	s.told.Loans = len(credits) + 2
	if err := c.beside(ctx, len(credits), func(ctx context.Context, c *course, i int) error { return s.lend(ctx, c, credits[i]) }); err != nil {
		return err
	}
	if err := c.beside(ctx, 2, func(ctx context.Context, c *course, i int) error {
		one := []struct {
			lender        string
			account, bank tape.AccountID
			units         int64
		}{{bank, lending, lendingBank, lendingUnits}, {coop, ownFund, ownFundBank, ownFundUnits}}[i]
		paid := sheet{bank: one.bank, id: tape.ID("season.loans." + one.lender), previous: tape.ID("season.capital." + one.lender), opening: one.units * 100}
		if one.lender == bank {
			paid.opening += cured.Units
		}
		var holds []tape.ID
		for _, k := range credits {
			if share := k.shareOf(one.lender); share.Units > 0 {
				paid.out, holds = append(paid.out, movement{share, string(k.out(one.lender))}), append(holds, k.out(one.lender))
			}
		}
		if err := c.files(ctx, paid); err != nil {
			return err
		}
		return c.executes(ctx, one.account, paid, holds)
	}); err != nil {
		return err
	}
	return c.beside(ctx, len(credits), func(ctx context.Context, c *course, i int) error {
		return c.records(ctx, coop, "Loan:BookTranche", loan.BookTranche{Account: coffee, ID: credits[i].id + ".book", Loan: credits[i].id, Tranche: 1})
	})
}

// shareOf is what a lender pays of the loan; the amounts of the season divide evenly.
func (k credit) shareOf(lender string) money.Amount {
	for _, l := range k.product.lenders {
		if l.Organisation == lender {
			return money.New(k.amount.Units*int64(l.PartsPerMillion)/1_000_000, "CNY")
		}
	}
	return money.New(0, "CNY")
}

// lend takes one loan from its application to the orders for the bank.
func (s *season) lend(ctx context.Context, c *course, k credit) error {
	if err := s.asks(ctx, c, k, "meets-conditions", s.signersOf(k)); err != nil {
		return err
	}
	if err := s.contracts(ctx, c, k); err != nil {
		return err
	}
	disburse := loan.Disburse{Account: coffee, Amount: k.amount, Expires: s.begun + 5*day, Loan: k.id, To: k.farm.outside(), Tranche: 1}
	if k.supplier != "" {
		if err := s.orders(ctx, c, k); err != nil {
			return err
		}
		disburse.Order, disburse.To = k.id+".order", k.supplier
	}
	for _, lender := range k.product.lenders {
		disburse.ID = k.out(lender.Organisation)
		if err := c.signs(ctx, lender.Organisation, "Loan:DisburseLoan", "disburse-loan", k.amount, disburse, s.officers[lender.Organisation]...); err != nil {
			return err
		}
	}
	return nil
}

// signersOf are the borrower, and the others of its group who guarantee.
func (s *season) signersOf(k credit) []founding.Signer {
	signers := []founding.Signer{k.farm.person}
	for _, f := range s.members(k.group) {
		if f.n != k.farm.n {
			signers = append(signers, f.person)
		}
	}
	return signers
}

// asks: the household asks, its group consents in the same entry, the lender decides.
func (s *season) asks(ctx context.Context, c *course, k credit, reason string, signers []founding.Signer) error {
	apply := loan.Apply{Account: coffee, Amount: k.amount, Group: groupID(k.group), Household: k.farm.household, ID: k.id, Product: tape.ID(k.product.name), ProductVersion: 1, Purpose: k.product.purpose, Terms: k.product.terms}
	if err := c.signs(ctx, coop, "Loan:ApplyForLoan", "apply-for-loan", k.amount, apply, signers...); err != nil {
		return err
	}
	originator := k.product.lenders[0].Organisation
	decide := loan.Decide{Account: coffee, Amount: k.amount, ID: k.id + ".decide", Loan: k.id, Reason: reason}
	return c.signs(ctx, originator, "Loan:DecideLoan", "decide-loan", k.amount, decide, s.officers[originator]...)
}

// contracts lets the household sign what it was shown.
func (s *season) contracts(ctx context.Context, c *course, k credit) error {
	advances := []terms.Advance{{Amount: k.amount, Date: s.today}}
	quote, err := loan.Loan{Scheme: coffee, ID: k.id, Terms: k.product.terms}.Quote(advances)
	if err != nil {
		return err
	}
	hash, err := quote.Hash()
	if err != nil {
		return err
	}
	contract := loan.ContractLoan{Account: coffee, Advances: advances, ID: k.id + ".contract", Loan: k.id, Quote: hash}
	return c.signs(ctx, coop, "Loan:ContractLoan", "contract-loan", k.amount, contract, k.farm.person)
}

// orders buys from a listed supplier, and household and cooperative confirm what came.
func (s *season) orders(ctx context.Context, c *course, k credit) error {
	order := loan.OrderSupplies{Account: coffee, Amount: k.amount, Category: k.category, ID: k.id + ".order", Loan: k.id, Supplier: k.supplier}
	if err := c.signs(ctx, coop, "Loan:OrderSupplies", "order-supplies", k.amount, order, k.farm.person); err != nil {
		return err
	}
	confirm := loan.ConfirmDelivery{Account: coffee, ID: k.id + ".delivered", Invoice: mark("invoice of " + string(k.id)), Order: order.ID, Place: mark(fmt.Sprint("village ", k.group))}
	return c.signs(ctx, coop, "Loan:ConfirmDelivery", "confirm-delivery", k.amount, confirm, k.farm.person, s.officers[coop][0])
}

// mark is an invented keyed fingerprint.
func mark(of string) string { return movement{memo: "fingerprint of " + of}.reference() }
