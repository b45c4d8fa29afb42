package portal

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// What households sign is said in plain words, out of the command and of what the
// ledger says of its group or loan.

// promises read a command and say what it promises, by function.
var promises = map[string]struct {
	act  string
	read func(*portal, context.Context, []byte, *views.Promise) error
}{
	"Group:SignGroup":   {"sign-group", promised((*portal).signsGroup)},
	"Group:Exit":        {"exit", promised(func(*portal, context.Context, group.Exit, *views.Promise) error { return nil })},
	"Group:Leave":       {"leave", promised(func(*portal, context.Context, group.Leave, *views.Promise) error { return nil })},
	"Loan:ApplyForLoan": {"apply-loan", promised((*portal).appliesFor)},
	"Loan:DrawLoan": {"draw-loan", promised(func(_ *portal, _ context.Context, c loan.DrawLoan, p *views.Promise) error {
		p.Own = true
		return most(p, c.Amount)
	})},
	"Loan:GuaranteeLoan": {"guarantee-loan", promised((*portal).guarantees)},
	"Loan:ContractLoan":  {"contract-loan", promised((*portal).contracts)},
	"Loan:WithdrawLoan":  {"withdraw-loan", promised(func(*portal, context.Context, loan.WithdrawLoan, *views.Promise) error { return nil })},
	"Loan:OrderSupplies": {"order-supplies", promised(func(_ *portal, _ context.Context, c loan.OrderSupplies, p *views.Promise) error {
		return most(p, c.Amount)
	})},
	"Loan:ConfirmDelivery": {"confirm-delivery", promised((*portal).confirms)},
	"Loan:RestructureLoan": {"restructure-loan", promised((*portal).restructures)},
	"Recourse:ReimburseCall": {"reimburse-call", promised(func(_ *portal, _ context.Context, c recourse.Reimburse, p *views.Promise) error {
		return most(p, c.Amount)
	})},
	"Settlement:ChoosePrepayment": {"choose-prepayment", promised(func(_ *portal, _ context.Context, c settlement.ChoosePrepayment, p *views.Promise) error {
		return most(p, c.Amount)
	})},
	"Recourse:ContributeCall": {"contribute-call", promised(func(_ *portal, _ context.Context, c recourse.Contribute, p *views.Promise) error {
		return most(p, c.Amount, c.From)
	})},
}

// promised reads a command of one kind; one that cannot be read promises nothing
// that could be said, and the draft's own words stand.
func promised[C any](say func(*portal, context.Context, C, *views.Promise) error) func(*portal, context.Context, []byte, *views.Promise) error {
	return func(p *portal, ctx context.Context, text []byte, promise *views.Promise) error {
		var command C
		if err := json.Unmarshal(text, &command); err != nil {
			return err
		}
		return say(p, ctx, command, promise)
	}
}

func most(p *views.Promise, amount money.Amount, others ...tape.AccountID) error {
	p.Most, p.Households = &amount, others
	return nil
}

// promiseOf says what a command promises; nil where staff alone decide it, or where
// what it is about does not stand.
func (p *portal) promiseOf(ctx context.Context, function string, command []byte) (*views.Promise, error) {
	of, is := promises[function]
	if !is {
		return nil, nil
	}
	promise := &views.Promise{Act: of.act}
	err := of.read(p, ctx, command, promise)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	return promise, err
}

// promiseIn is what the form of an act will promise, as far as its page knows it.
func (p *portal) promiseIn(ctx context.Context, act acts.Act, account tape.AccountID, answers acts.Answers) (*views.Promise, error) {
	if !slices.Contains(act.Sides, acts.Household) {
		return nil, nil
	}
	text := func(name string) string { return answers.Texts[name] }
	command, err := json.Marshal(map[string]string{"account": string(account), "group": text("group"), "household": text("household"), "loan": text("loan"), "order": text("order")})
	if err != nil || text("group")+text("loan")+text("order") == "" || act.Name == "apply-loan" || act.Name == "draw-loan" || act.Name == "choose-prepayment" || act.Name == "order-supplies" || act.Name == "contribute-call" || act.Name == "reimburse-call" {
		return nil, err // what is promised follows from what is filled in
	}
	return p.promiseOf(ctx, act.Function, command)
}

// signsGroup: joint and several guarantee, for whom, how much, how long.
func (p *portal) signsGroup(ctx context.Context, c group.SignGroup, promise *views.Promise) error {
	g, err := readmodel.RecordOf[group.Group](ctx, p.Model, group.GroupKey(c.Account, c.Group))
	if err != nil {
		return err
	}
	a := g.Agreement
	promise.Own, promise.Most, promise.Member, promise.Until, promise.Months, promise.Lenders = true, &a.GroupMax, &a.MemberMax, a.Expiry, int(a.GuaranteeMonths), a.Lenders
	shares := make([]group.Share, 0, len(g.Members))
	for _, member := range g.Members {
		if member.Gone == "" {
			shares = append(shares, group.Share{Household: member.Household, PartsPerMillion: member.PartsPerMillion})
		}
	}
	if g.Joining != nil {
		promise.Joining, shares = g.Joining.Household, g.Joining.Members
	}
	for _, share := range shares {
		if share.Household == c.Household {
			promise.Parts = int(share.PartsPerMillion)
		} else {
			promise.Households = append(promise.Households, share.Household)
		}
	}
	return nil
}

func (p *portal) loanOf(ctx context.Context, scheme tape.AccountID, id tape.ID) (loan.Loan, error) {
	return readmodel.RecordOf[loan.Loan](ctx, p.Model, loan.Key(scheme, id))
}

// guarantees: another's loan, its amount, until when it falls due.
func (p *portal) guarantees(ctx context.Context, c loan.Guarantee, promise *views.Promise) error {
	l, err := p.loanOf(ctx, c.Account, c.Loan)
	if err != nil {
		return err
	}
	promise.Own, promise.Most, promise.Until, promise.Purpose, promise.Households = true, &l.Principal, l.TermEnd, l.Purpose, []tape.AccountID{l.Household}
	for _, lender := range l.Lenders {
		promise.Lenders = append(promise.Lenders, lender.Organisation)
	}
	promise.Quote, err = p.quoteToday(l, nil)
	return err
}

// contracts: the plan that is signed, of the tranches that the command names.
func (p *portal) contracts(ctx context.Context, c loan.ContractLoan, promise *views.Promise) error {
	l, err := p.loanOf(ctx, c.Account, c.Loan)
	if err != nil {
		return err
	}
	promise.Own, promise.Most, promise.Purpose = true, &l.Principal, l.Purpose
	for _, lender := range l.Lenders {
		promise.Lenders = append(promise.Lenders, lender.Organisation)
	}
	promise.Quote, err = p.quoteToday(l, c.Advances)
	return err
}

// appliesFor: what it would cost if it were paid out today.
func (p *portal) appliesFor(ctx context.Context, c loan.Apply, promise *views.Promise) error {
	product, err := readmodel.RecordOf[loan.Product](ctx, p.Model, loan.ProductKey(c.Account, c.Product, c.ProductVersion))
	if err != nil {
		return err
	}
	promise.Most, promise.Purpose, promise.Own = &c.Amount, c.Purpose, true
	for _, lender := range product.Conditions.Lenders {
		promise.Lenders = append(promise.Lenders, lender.Organisation)
	}
	promise.Quote, err = p.quoteToday(loan.Loan{Principal: c.Amount, Terms: c.Terms}, nil)
	return err
}

// restructures: the new terms, which borrower and guarantors sign.
func (p *portal) restructures(ctx context.Context, c loan.Restructure, promise *views.Promise) error {
	l, err := p.loanOf(ctx, c.Account, c.Loan)
	if err != nil {
		return err
	}
	promise.Own, promise.Most, promise.Until, promise.Households = true, &l.Principal, c.TermEnd, []tape.AccountID{l.Household}
	return nil
}

func (p *portal) confirms(ctx context.Context, c loan.ConfirmDelivery, promise *views.Promise) error {
	o, err := readmodel.RecordOf[loan.Order](ctx, p.Model, loan.OrderKey(c.Account, c.Order))
	if err != nil {
		return err
	}
	return most(promise, o.Amount, o.Supplier)
}

// quoteToday is the plan of a loan for these tranches, or for all of it today. Terms
// that give no plan yet, such as those of a harvest that is to come, give no quote.
func (p *portal) quoteToday(l loan.Loan, advances []terms.Advance) (*views.Quote, error) {
	if len(advances) == 0 {
		advances = []terms.Advance{{Amount: l.Principal, Date: p.Today()}}
	}
	quote, err := l.Quote(advances)
	if err != nil {
		return nil, nil
	}
	currency := l.Principal.Currency
	shown := &views.Quote{Annual: string(quote.AnnualPercent), Lent: money.New(0, currency), Total: money.New(0, currency), Interest: money.New(0, currency)}
	for _, advance := range advances {
		shown.Lent.Units += advance.Amount.Units
	}
	for _, one := range quote.Instalments {
		shown.Total.Units += one.Total()
		shown.Interest.Units += one.Interest + one.Fee
		shown.Rows = append(shown.Rows, views.QuoteRow{N: int(one.N), Due: one.Due, Amount: money.New(one.Total(), currency), Principal: money.New(one.Principal, currency), Interest: money.New(one.Interest+one.Fee, currency)})
	}
	return shown, nil
}
