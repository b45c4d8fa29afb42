package story

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
)

// earlier is a loan that ran before the ledger stood, and is taken over with its history.
type earlier struct {
	credit
	// days ago its money went out; paid is what came back a month later, zero for nothing.
	days int
	paid money.Amount
}

// defaulted is the loan that is called, late the one whose group is frozen and cured.
func (s *season) defaulted() earlier {
	return earlier{credit{id: "season-loan-91", group: 5, farm: s.members(5)[2], product: productOf("earlier"), amount: yuan(6_000)}, 160, yuan(1_040)}
}

func (s *season) late() earlier {
	return earlier{credit{id: "season-loan-92", group: 8, farm: s.members(8)[2], product: productOf("earlier"), amount: yuan(3_000)}, 45, yuan(0)}
}

// takesOver: whoever the debt concerns signs its history.
func (s *season) takesOver(ctx context.Context, c *course, k earlier) error {
	signers := s.signersOf(k.credit)
	if err := s.asks(ctx, c, k.credit, "history", signers); err != nil {
		return err
	}
	began := s.today.AddDays(-k.days)
	take := loan.TakeOver{Account: coffee, Advances: []terms.Advance{{Amount: k.amount, Date: began}}, Evidence: sha256.Sum256([]byte("invented lines of " + string(k.id))), ID: k.id + ".taken-over", Loan: k.id, Terms: k.product.terms}
	if k.paid.Units > 0 {
		take.Payments = []terms.Payment{{Amount: k.paid, Date: began.AddMonths(1)}}
	}
	knowing := append([]founding.Signer{s.officers[bank][0], s.officers[bank][1], s.officers[coop][0]}, signers...)
	if err := c.signs(ctx, bank, "Loan:TakeOverLoan", "take-over-loan", k.amount, take, knowing...); err != nil {
		return err
	}
	return c.records(ctx, coop, "Group:Freeze", group.Freeze{Account: coffee, Group: groupID(k.group), ID: k.id + ".freeze"})
}

// What is asked of the guarantors, and what each of the two who pay is asked for.
var (
	called  = yuan(1_600)
	onePart = yuan(400)
	cured   = yuan(520)
)

const guarantorCall = tape.ID("season-call")

// arrears: two loans of before are taken over. One was not repaid for more than ninety days: its borrower
// gets its notices, it is in default, all its guarantors are called, two pay, one cannot. The other
// was a little late: its group is frozen, the household pays, the group is active again.
func (s *season) arrears(ctx context.Context, c *course) error {
	s.say("coffee season: two loans of before are taken over; one is in default and its guarantors are called")
	if err := c.beside(ctx, 2, func(ctx context.Context, c *course, i int) error {
		if i == 0 {
			return s.calls(ctx, c, s.defaulted())
		}
		return s.takesOver(ctx, c, s.late())
	}); err != nil {
		return err
	}
	if err := s.repaid(ctx, c); err != nil {
		return err
	}
	if err := c.records(ctx, coop, "Group:Cure", group.Cure{Account: coffee, Group: groupID(s.late().group), ID: s.late().id + ".cure"}); err != nil {
		return err
	}
	unable := recourse.DeclareUnable{Account: coffee, Call: guarantorCall, Evidence: []recourse.Citation{{Hash: merkle.Hash(sha256.Sum256([]byte("an invented paper"))), Kind: "enforcement-ended"}},
		Guarantor: s.guarantors(s.defaulted())[2], ID: guarantorCall + ".unable", Loan: s.defaulted().id}
	if err := c.signs(ctx, coop, "Recourse:DeclareUnable", "declare-unable", nothing, unable, s.officers[coop][0], s.officers[bank][0]); err != nil {
		return err
	}
	stay := loan.DeclareStay{Account: coffee, From: s.today, ID: "season.stay", Kind: "frost", To: s.today.AddDays(60)}
	return c.signs(ctx, regulator, "Loan:DeclareStay", "declare-stay", nothing, stay, s.officers[regulator][0])
}

// guarantors are the others of the borrower's group.
func (s *season) guarantors(k earlier) []tape.AccountID {
	var all []tape.AccountID
	for _, f := range s.members(k.group) {
		if f.n != k.farm.n {
			all = append(all, f.household)
		}
	}
	return all
}

// calls takes the loan of before from its notices to the call.
func (s *season) calls(ctx context.Context, c *course, k earlier) error {
	if err := s.takesOver(ctx, c, k); err != nil {
		return err
	}
	for _, days := range []int32{1, 15} {
		notice := loan.GiveNotice{Account: coffee, Days: days, ID: k.id + tape.ID([]string{".first", ".second"}[days/15]), Instalment: 2, Loan: k.id}
		if err := c.signs(ctx, coop, "Loan:GiveNotice", "give-notice", nothing, notice, s.officers[coop][0]); err != nil {
			return err
		}
	}
	if err := c.signs(ctx, bank, "Loan:DefaultLoan", "default-loan", nothing, loan.Default{Account: coffee, ID: k.id + ".default", Loan: k.id}, s.officers[bank]...); err != nil {
		return err
	}
	call := recourse.MakeCall{Account: coffee, Amount: called, Guarantors: s.guarantors(k), ID: guarantorCall, Instalments: []int32{2, 3}, Loan: k.id}
	return c.signs(ctx, bank, "Recourse:MakeCall", "make-call", called, call, s.officers[bank]...)
}

// repaid: lines of the bank bring what two guarantors paid; that of the late household is of the day before.
func (s *season) repaid(ctx context.Context, c *course) error {
	opening := int64(lendingUnits)*100 + cured.Units
	for _, k := range s.credits() {
		opening -= k.shareOf(bank).Units
	}
	came := sheet{bank: lendingBank, id: "season.repaid", previous: "season.loans.bank", opening: opening, in: []movement{{onePart, "first guarantor"}, {onePart, "second guarantor"}}}
	if err := c.files(ctx, came); err != nil {
		return err
	}
	if err := c.arrives(ctx, bank, lending, came); err != nil {
		return err
	}
	for i, guarantor := range s.guarantors(s.defaulted())[:2] {
		if err := s.repays(ctx, c, came, i, guarantor, s.defaulted().id); err != nil {
			return err
		}
	}
	before := sheet{bank: lendingBank, id: "season.capital.bank", days: 1, in: []movement{{yuan(lendingUnits), "capital"}, {cured, "late household"}}}
	return s.repays(ctx, c, before, 1, "", s.late().id)
}

// repays puts a credit of a statement to a loan; by is a guarantor, or nobody for the household.
func (s *season) repays(ctx context.Context, c *course, came sheet, i int, by tape.AccountID, id tape.ID) error {
	gifts, _ := came.gifts()
	gift, err := tape.NewGiftProof(came.id+".page", gifts, i)
	if err != nil {
		return err
	}
	line, err := tape.NewLineProof(came.id, 0, came.lines(s.today, tape.CreditSide), i)
	if err != nil {
		return err
	}
	return c.records(ctx, bank, "Loan:RepayLoan", loan.Repay{Account: coffee, By: by, Gift: gift, ID: tape.ID(fmt.Sprintf("%s.repaid-%d", id, i+1)), Line: &line, Loan: id})
}
