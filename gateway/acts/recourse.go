package acts

import (
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
