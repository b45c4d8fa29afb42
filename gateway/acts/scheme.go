package acts

import (
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/signing"
)

// steps are what a command gets besides what is typed: start before, finish after it.
type steps[C any] struct{ start, finish func(*form, *C) }

// about makes a row about a scheme, or about one thing of it. Its fields lead
// into the command by their paths; who signs is asked of the command, and the
// contract itself judges it.
func about[C any](name, function, of string, fields []Field, s steps[C], signers func(*ground, C) []Signer) Act {
	if of != "" && !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == of }) {
		fields = append([]Field{kind(of, Name).need()}, fields...)
	}
	a := Act{Name: name, Function: function, Fields: fields, Subject: Scheme, Of: of, Sides: []Side{Cooperative}, Roles: makers}
	a.read = func(f *form) any {
		c := new(C)
		if s.start != nil {
			s.start(f, c)
		}
		f.filled(c)
		f.named(c)
		if s.finish != nil && len(f.faults) == 0 {
			s.finish(f, c)
		}
		return *c
	}
	a.judge = func(*ground, any) error { return nil }
	if signers != nil {
		a.signers = func(g *ground, command any) ([]Signer, string) {
			who := signers(g, command.(C))
			return who, g.worth(function, command)
		}
	}
	return a
}

// plain makes a row of a command that holds what is typed and nothing else.
func plain[C any](name, function, of string, fields []Field, signers func(*ground, C) []Signer) Act {
	return about(name, function, of, fields, steps[C]{}, signers)
}

// named gives a command its account and its id.
func (f *form) named(command any) {
	unless(command, "account", string(f.ground.subject))
	unless(command, "id", string(f.id))
}

// worth is the amount that those sign who sign a command: its own, or what the
// ledger knows; none of most.
func (g *ground) worth(function string, command any) string {
	text, err := canonical.Encode(command)
	if err != nil {
		return ""
	}
	own, measured := signing.Own(function, text)
	if !measured {
		return ""
	}
	if own.Currency == "" {
		own = g.asked(command)
	}
	if account := g.account(g.subject); own.Currency == "" && account != nil {
		own.Currency = account.Currency // of what is not there; the rule says so
	}
	return own.String()
}

// asked is the amount of a command that names what the ledger knows it of.
func (g *ground) asked(command any) money.Amount {
	switch c := command.(type) {
	case loan.Guarantee:
		return g.principal(c.Loan)
	case loan.WithdrawLoan:
		return g.principal(c.Loan)
	case loan.ContractLoan:
		return g.principal(c.Loan)
	case loan.Restructure:
		return g.principal(c.Loan)
	case loan.WriteOff:
		return g.principal(c.Loan)
	case loan.ConfirmDelivery:
		if o := g.order(c.Order); o != nil {
			return o.Amount
		}
		return money.Amount{}
	}
	return g.askedOfHarvest(command)
}

func (g *ground) askedOfHarvest(command any) money.Amount {
	switch c := command.(type) {
	case settlement.OpenSettlement:
		return g.unsettled(c.Sale)
	case settlement.PayAgain:
		return g.back(c.Hold)
	case harvest.CorrectSale:
		return g.proceeds(c.Sale)
	}
	return money.Amount{}
}

// principal is what a loan is of.
func (g *ground) principal(id tape.ID) money.Amount {
	if l := g.loan(id); l != nil {
		return l.Principal
	}
	return money.Amount{}
}

// proceeds are what a sale has brought.
func (g *ground) proceeds(sale tape.ID) money.Amount {
	if found := g.sale(sale); found != nil {
		return found.Proceeds
	}
	return money.Amount{}
}

// staff are makers and checkers of the asker's organisation, as many as the
// policy asks for, and one of each other organisation that it asks for besides.
func (g *ground) staff(amount money.Amount) []Signer {
	few, organisations := 2, 1
	if voted := record[party.PolicyRecord](g, party.PolicyKey()); voted != nil {
		few = max(few, int(voted.Policy.Approval.Approvers))
		for _, threshold := range voted.Policy.Approval.Thresholds {
			if threshold.Amount.Currency == amount.Currency && amount.Units > threshold.Amount.Units {
				organisations = int(threshold.Organisations)
			}
		}
	}
	return append(g.own(few), g.others(organisations-1)...)
}

// own are so many of the asker's staff, the asker first.
func (g *ground) own(few int) []Signer {
	signers := []Signer{{Organisation: g.Organisation, Person: g.Person}}
	for range few - 1 {
		signers = append(signers, Signer{Organisation: g.Organisation})
	}
	return signers
}

// others are so many other organisations that have to do with the scheme.
func (g *ground) others(few int) []Signer {
	if few < 1 {
		return nil
	}
	var signers []Signer
	if s := g.scheme(); s != nil {
		for _, name := range append([]string{s.Organisation}, s.Lenders...) {
			if name != g.Organisation && len(signers) < few {
				signers = append(signers, Signer{Organisation: name})
			}
		}
	}
	return signers
}

// The usual signers: maker and checker, one of the staff, nobody.
func makerAndChecker[C any](g *ground, _ C) []Signer { return g.staff(money.Amount{}) }
func oneOfStaff[C any](g *ground, _ C) []Signer      { return g.own(1) }

func (g *ground) scheme() *group.Scheme {
	return record[group.Scheme](g, group.SchemeKey(g.subject))
}

func (g *ground) loan(id tape.ID) *loan.Loan {
	if id.Check() != nil {
		return nil
	}
	return record[loan.Loan](g, loan.Key(g.subject, id))
}

func (g *ground) order(id tape.ID) *loan.Order {
	if id.Check() != nil {
		return nil
	}
	return record[loan.Order](g, loan.OrderKey(g.subject, id))
}

func (g *ground) group(id tape.ID) *group.Group {
	if id.Check() != nil {
		return nil
	}
	return record[group.Group](g, group.GroupKey(g.subject, id))
}

// personOf is who signs for households of the scheme; who is none signs nothing,
// and the rule says so.
func (g *ground) personOf(households ...tape.AccountID) []Signer {
	var signers []Signer
	for _, household := range households {
		if household.Check() != nil {
			continue
		}
		if member := record[group.Member](g, group.MemberKey(g.subject, household)); member != nil {
			signers = append(signers, Signer{Person: member.PersonOn(g.At)})
		}
	}
	return signers
}

// SidesOf are what an organisation is to the account that acts are about; none for
// a stranger. Where no account is named it is what the organisation's powers let it open.
func SidesOf(ctx context.Context, of Subject, asker Asker, account tape.AccountID) ([]Side, error) {
	g := &ground{Asker: asker, ctx: ctx, subject: account}
	if account == "" {
		return g.sidesByPower(), g.err
	}
	switch of {
	case Scheme:
		return g.sidesOfScheme(), g.err
	case Pool:
		return g.sidesOfPool(), g.err
	}
	campaign, err := asker.Ledger.Campaign(ctx, account)
	if err != nil {
		return nil, err
	}
	stands, err := asker.Ledger.Account(ctx, account)
	if side := SideOf(campaign.Campaign, stands.Custodian, asker.Organisation); side != "" && err == nil {
		return []Side{side}, nil
	}
	return nil, err
}

func (g *ground) sidesByPower() []Side {
	var sides []Side
	for _, one := range []struct {
		power string
		side  Side
	}{{party.Charity, Charity}, {party.Cooperative, Cooperative}, {party.Lender, Lender}, {party.Regulator, Regulator}, {party.Custodian, Bank}} {
		if g.holds(g.Organisation, one.power) {
			sides = append(sides, one.side)
		}
	}
	return append(sides, Keeper) // a pool is kept by whoever has the money
}

// sidesOfScheme: whoever has a gateway may carry what a household signs.
func (g *ground) sidesOfScheme() []Side {
	s := g.scheme()
	if s == nil {
		return nil
	}
	sides := []Side{Household}
	if s.Organisation == g.Organisation {
		sides = append(sides, Cooperative)
	}
	lenders := s.Lenders
	if s.Pending != nil {
		lenders = append(slices.Clone(lenders), s.Pending.Lenders...)
	}
	if slices.Contains(lenders, g.Organisation) {
		sides = append(sides, Lender)
	}
	if g.holds(g.Organisation, party.Regulator) {
		sides = append(sides, Regulator)
	}
	return sides
}

func (g *ground) sidesOfPool() []Side {
	p := record[pool.Pool](g, pool.PoolKey(g.subject))
	switch {
	case p == nil:
		if account := g.account(g.subject); account != nil && account.Subject == pool.Subject && account.Organisation == g.Organisation {
			return []Side{Keeper} // who opened the account makes a pool of it
		}
		return nil
	case p.Keeper == g.Organisation:
		return []Side{Keeper}
	}
	var sides []Side
	if g.holds(g.Organisation, party.Lender) {
		sides = append(sides, Lender)
	}
	if g.holds(g.Organisation, party.Cooperative) {
		sides = append(sides, Cooperative)
	}
	return sides
}
