package acts

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// recourseActs are about guarantors who are called. The call is the loan's last,
// where no other is named.
func recourseActs() []Act {
	guarantor, call := kind("guarantor", Account).need(), kind("call", Name)
	last := func(f *form, call *tape.ID, loan tape.ID) {
		if *call != "" || loan.Check() != nil {
			return
		}
		if mark := record[recourse.LastCall](f.ground, recourse.LastCallKey(f.ground.subject, loan)); mark != nil {
			*call = mark.Call
		}
	}
	return []Act{
		about("make-call", "Recourse:MakeCall", "loan", []Field{kind("amount", Amount).need(), kind("instalments", Names).need(), kind("guarantors", Names)}, steps[recourse.MakeCall]{finish: func(f *form, c *recourse.MakeCall) {
			if l := f.ground.loan(c.Loan); l != nil && len(c.Guarantors) == 0 { // all of them: none may be left out
				for _, one := range l.Guarantors {
					c.Guarantors = append(c.Guarantors, one.Household)
				}
			}
		}}, func(g *ground, c recourse.MakeCall) []Signer { return g.staff(c.Amount) }).of(Lender),
		about("respread-call", "Recourse:RespreadCall", "loan", []Field{guarantor, call}, steps[recourse.Respread]{finish: func(f *form, c *recourse.Respread) { last(f, &c.Call, c.Loan) }}, oneOfStaff[recourse.Respread]).of(Lender).to(deciders),
		about("declare-unable", "Recourse:DeclareUnable", "loan", []Field{guarantor, kind("evidence", Document), choice("kind", "citation-kind.", recourse.CitationKinds()...), kind("lift", Mark), call},
			steps[recourse.DeclareUnable]{finish: func(f *form, c *recourse.DeclareUnable) { last(f, &c.Call, c.Loan) }}, func(g *ground, c recourse.DeclareUnable) []Signer { return g.lenderAndCooperative(c.Loan) }).of(Lender, Cooperative),
		about("release-guarantor", "Recourse:ReleaseGuarantor", "loan", []Field{guarantor, call}, steps[recourse.Release]{finish: func(f *form, c *recourse.Release) { last(f, &c.Call, c.Loan) }}, makerAndChecker[recourse.Release]).of(Lender),
		about("withdraw-call", "Recourse:WithdrawCall", "loan", []Field{call}, steps[recourse.WithdrawCall]{finish: func(f *form, c *recourse.WithdrawCall) { last(f, &c.Call, c.Loan) }}, makerAndChecker[recourse.WithdrawCall]).of(Lender),
		about("contribute-call", "Recourse:ContributeCall", "loan", []Field{kind("payer", Account).at("from").need(), kind("receiver", Account).at("to").need(), kind("amount", Amount).need(), line("payment"), call},
			steps[recourse.Contribute]{finish: func(f *form, c *recourse.Contribute) { last(f, &c.Call, c.Loan) }}, func(g *ground, c recourse.Contribute) []Signer {
				if c.Payment != "" { // the tape shows it
					return nil
				}
				return g.personOf(c.To)
			}).of(Lender, Cooperative).to(servers),
		about("reimburse-call", "Recourse:ReimburseCall", "loan", []Field{kind("amount", Amount).need(), rows("by-payment", kind("receiver", Account).at("to"), line("payment")).at("parts"), call},
			steps[recourse.Reimburse]{finish: func(f *form, c *recourse.Reimburse) {
				last(f, &c.Call, c.Loan)
				f.hands(c)
			}}, func(g *ground, c recourse.Reimburse) []Signer {
				var households []tape.AccountID
				for _, part := range c.Parts {
					if part.Payment == "" { // cash, for which its receiver signs
						households = append(households, part.To)
					}
				}
				return g.personOf(households...)
			}).of(Lender, Cooperative).to(servers),
	}
}

// hands divides what a borrower has repaid among its guarantors as the call does.
// Who got its part by a payment that the tape shows is named with it; all others
// got cash.
func (f *form) hands(c *recourse.Reimburse) {
	c.Parts = []recourse.Handed{}
	if c.Call.Check() != nil || c.Loan.Check() != nil {
		return
	}
	of := record[recourse.Call](f.ground, recourse.CallKey(f.ground.subject, c.Loan, c.Call))
	if of == nil {
		return // the rule says so
	}
	_, parts, err := of.Return(c.Amount.Units)
	if err != nil {
		return
	}
	payments := map[tape.AccountID]string{}
	for _, row := range f.rows("by-payment") {
		cell := f.columns("by-payment", row)
		payments[tape.AccountID(cell("receiver"))] = cell("payment")
	}
	for _, part := range parts {
		c.Parts = append(c.Parts, recourse.Handed{Amount: money.New(part.Units, c.Amount.Currency), Payment: payments[part.Household], To: part.Household})
	}
}

// lenderAndCooperative are one of the asker's staff and one of the other's.
func (g *ground) lenderAndCooperative(id tape.ID) []Signer {
	l, s := g.loan(id), g.scheme()
	if l == nil || s == nil {
		return g.own(1)
	}
	other := s.Organisation
	if other == g.Organisation {
		other = l.Organisation
	}
	if other == g.Organisation { // the cooperative lends by itself
		return g.own(1)
	}
	return append(g.own(1), Signer{Organisation: other})
}
