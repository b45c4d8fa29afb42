package loan

import (
	"crypto/sha256"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Quote is what a household is shown before it signs: what it gets when, what it
// pays when, and what that costs in a year.
type Quote struct {
	Advances []terms.Advance `json:"advances"`
	// AnnualPercent is the annual percentage rate by the directive of the European Union, six decimals.
	AnnualPercent terms.Percent      `json:"annualPercent"`
	Instalments   []terms.Instalment `json:"instalments"`
	Loan          tape.ID            `json:"loan"`
	Scheme        tape.AccountID     `json:"scheme"`
	Terms         terms.Terms        `json:"terms"`
}

// Hash is what is signed of a quote: its SHA-256.
func (q Quote) Hash() (party.Hash, error) {
	data, err := canonical.Encode(q)
	return sha256.Sum256(data), err
}

// Quote reckons the offer for a plan of advances. Its first due is fixed: the days
// that the household signs stand, on whatever day the money comes.
func (l Loan) Quote(advances []terms.Advance) (Quote, error) {
	schedule, err := l.Terms.Schedule(advances)
	if err != nil {
		return Quote{}, err
	}
	if len(l.Terms.DueDates) == 0 {
		l.Terms.FirstDue = schedule.Instalments[0].Due
	}
	lent, paid := schedule.Flows(advances)
	rate, err := terms.EuropeanRate(lent, paid, terms.ByDays, "")
	if err != nil {
		return Quote{}, err
	}
	return Quote{Advances: advances, AnnualPercent: rate.Percent(6), Instalments: schedule.Instalments, Loan: l.ID, Scheme: l.Scheme, Terms: l.Terms}, nil
}

// ContractLoan is the household's signature under a quote.
type ContractLoan struct {
	Account  tape.AccountID  `json:"account"`
	Advances []terms.Advance `json:"advances"`
	ID       tape.ID         `json:"id"`
	Loan     tape.ID         `json:"loan"`
	// Quote is the hash of what the household was shown.
	Quote party.Hash `json:"quote"`
}

// ContractLoan judges the command: what was signed is what the ledger reckons.
func (l Loan) ContractLoan(c ContractLoan, offerDays int32, f Frame, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("only what is approved is contracted", Approved)); err != nil {
		return refuse(err)
	}
	if until := l.approvedOn().AddDays(int(offerDays)); ctx.Date > until {
		return refuse(rule.Refuse(rule.Expired, "the offer of loan %s stood until %s; apply again", l.ID, until))
	}
	if err := signedByOwn(ctx, l.Person, "borrows"); err != nil {
		return refuse(err)
	}
	if _, err := f.borrower(l.Household, l.Principal, ctx.Date); err != nil {
		return refuse(err)
	}
	quote, err := l.planned(c, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	hash, err := quote.Hash()
	if err != nil {
		return refuse(err)
	}
	if hash != c.Quote {
		return refuse(rule.Field("quote", rule.Refuse(rule.Conflict, "is not that of loan %s; for these advances it costs %s %% a year", l.ID, quote.AnnualPercent)))
	}
	entry := ctx.Entry(c.ID, "contract-loan", string(l.Scheme))
	l.State, l.Terms = Contracted, quote.Terms
	l.Contract = &Contract{Quote: hash, AnnualPercent: quote.AnnualPercent, Date: ctx.Date, Entry: entry.Reference()}
	return l.touched(entry), entry, nil
}

// approvedOn is the day of the approval.
func (l Loan) approvedOn() tape.Date {
	if l.Decided != nil {
		return l.Decided.Date
	}
	return l.Decision.Date
}

// planned is the quote for the advances that the command names: together the
// principal, in no more tranches than allowed, from today on, and over by the loan's last
// day. Who is free to draw is assumed to draw all at once and to keep it to the end
// (Directive 2008/48/EC, Annex I, part II (a)).
func (l Loan) planned(c ContractLoan, day tape.Date) (Quote, error) {
	if len(c.Advances) == 0 || len(c.Advances) > int(l.TranchesMax) {
		return Quote{}, rule.Field("advances", rule.Refuse(rule.Invalid, "are %d; 1 to %d tranches are possible", len(c.Advances), l.TranchesMax))
	}
	if l.Terms.Revolving && len(c.Advances) != 1 {
		return Quote{}, rule.Field("advances", rule.Refuse(rule.Invalid, "are %d; the offer of a line is reckoned as though its whole limit were drawn at once", len(c.Advances)))
	}
	total := money.New(0, l.Principal.Currency)
	for i, advance := range c.Advances {
		if err := rule.First(rule.Field("amount", advance.Amount.Positive(l.Principal.Currency)), rule.Field("date", advance.Date.Check())); err != nil {
			return Quote{}, rule.Item("advances", i, err)
		}
		if advance.Date < day {
			return Quote{}, rule.Item("advances", i, rule.Field("date", rule.Refuse(rule.Invalid, "%s has passed", advance.Date)))
		}
		var err error
		if total, err = total.Add(advance.Amount); err != nil {
			return Quote{}, err
		}
	}
	if total != l.Principal {
		return Quote{}, rule.Field("advances", rule.Refuse(rule.Conflict, "come to %s; loan %s is of %s", total, l.ID, l.Principal))
	}
	quote, err := l.Quote(c.Advances)
	if err != nil {
		return Quote{}, err
	}
	if last := quote.Instalments[len(quote.Instalments)-1].Due; last > l.TermEnd {
		return Quote{}, rule.Field("advances", rule.Refuse(rule.Invalid, "put the last instalment on %s; loan %s ends on %s", last, l.ID, l.TermEnd))
	}
	return quote, nil
}
