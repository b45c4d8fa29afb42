package acts

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// termsFields say what a loan costs; see terms.Terms.
func termsFields(path string) []Field {
	under := func(name string, of Kind, at string) Field { return kind(name, of).at(path + at) }
	words := func(name, family, at string, of ...string) Field { return choice(name, family, of...).at(path + at) }
	return []Field{
		words("method", "method.", "method", string(terms.Annuity), string(terms.EqualPrincipal), string(terms.Flat), string(terms.Bullet), string(terms.Crop), string(terms.AfterSale)).need(),
		under("rate", Share, "ratePartsPerMillion").need(), words("day-count", "day-count.", "dayCount", string(terms.Act365), string(terms.Act360), string(terms.Bond), string(terms.Eurobond)).need(),
		words("rounding", "rounding.", "rounding", string(terms.HalfEven), string(terms.HalfUp), string(terms.HalfDown), string(terms.Up), string(terms.Down)).need(),
		under("instalments", Number, "instalments"), under("every-months", Number, "every.months"), under("every-weeks", Number, "every.weeks"), under("every-days", Number, "every.days"),
		words("difference", "difference.", "difference", string(terms.Last), string(terms.First), string(terms.Level), string(terms.Cumulative), string(terms.SplitUp), string(terms.Adjust)),
		under("grace-principal", Number, "gracePrincipalInstalments"), under("grace-interest", Number, "graceInterestInstalments"),
		under("crop-principal", Names, "cropPrincipalPartsPerMillion"), under("crop-interest", Names, "cropInterestPartsPerMillion"), under("sale-days", Number, "saleDays"),
		under("late-rate", Share, "lateRatePartsPerMillion"), under("late-grace-days", Number, "lateGraceDays"), words("late-on", "late-on.", "lateOn", terms.LateOnPrincipal, terms.LateOnInstalment),
	}
}

// daysFields are a contract's own days.
func daysFields() []Field {
	return []Field{kind("first-due", Day).at("terms.firstDue"), kind("due-dates", Names).at("terms.dueDates")}
}

func loanActs() []Act {
	return slices.Concat(productActs(), applicationActs(), runningActs(), overdueActs())
}

// productActs are what lenders offer.
func productActs() []Act {
	in := func(f Field, path string) Field { return f.at("conditions." + path) }
	product := kind("product", Name).need()
	fields := append([]Field{product, in(rows("lenders", kind("lender", Name).at("organisation"), kind("lending", Account).at("account"), kind("share", Share).at("partsPerMillion")), "lenders").need(),
		in(kind("least", Amount), "principalMin").need(), in(kind("most", Amount), "principalMax").need(), in(kind("purposes", Names), "purposes").need(), in(kind("supplies", Names), "supplies"),
		in(kind("term-days", Number), "termDaysMax").need(), in(kind("offer-days", Number), "offerDays").need(), in(kind("tranches", Number), "tranchesMax").need(), in(kind("tolerance-units", Number), "toleranceUnits")}, termsFields("conditions.terms.")...)
	fields = append(fields, in(kind("revolving", Mark), "terms.revolving"))
	return []Act{
		openAccount("open-lending", "Loan:OpenLending", "lending").of(Lender),
		about("offer-product", "Loan:OfferProduct", "product", fields, steps[loan.OfferProduct]{finish: func(f *form, c *loan.OfferProduct) {
			if c.Version = 1; c.Product.Check() == nil {
				if offer := record[loan.Offer](f.ground, loan.OfferKey(f.ground.subject, c.Product)); offer != nil {
					c.Version = offer.Latest + 1
				}
			}
		}}, func(g *ground, c loan.OfferProduct) []Signer {
			signers := g.staff(money.Amount{})
			for _, lender := range c.Conditions.Lenders {
				if lender.Organisation != g.Organisation {
					signers = append(signers, Signer{Organisation: lender.Organisation})
				}
			}
			return signers
		}).of(Lender).from(func(*ground) Answers {
			return Answers{Texts: map[string]string{"offer-days": "30", "tranches": "1", "day-count": string(terms.Act365), "rounding": string(terms.HalfEven)}}
		}),
		plain("withdraw-product", "Loan:WithdrawProduct", "product", nil, makerAndChecker[loan.WithdrawProduct]).of(Lender),
	}
}

// openAccount opens an account that a contract governs.
func openAccount(name, function, of string) Act {
	return plain(name, function, "", []Field{kind(of, Account).at("account").need(), kind("custodian", Account).need(), line("currency").need(), choice("attribution", "attribution.", string(tape.FIFO), string(tape.Pooled)).need()},
		makerAndChecker[tape.Open]).apart().from(func(*ground) Answers {
		return Answers{Texts: map[string]string{"currency": "CNY", "attribution": string(tape.FIFO)}}
	})
}

// applicationActs go from what a household asks to its contract.
func applicationActs() []Act {
	borrower := func(g *ground, id tape.ID) []Signer {
		if l := g.loan(id); l != nil {
			return g.personOf(l.Household)
		}
		return nil
	}
	return []Act{
		about("apply-loan", "Loan:ApplyForLoan", "", append([]Field{kind("household", Account).need(), kind("group", Name).need(), kind("product", Name).need(), kind("amount", Amount).need(),
			choice("purpose", "loan-purpose.", loan.PurposeWords()...).need()}, daysFields()...), steps[loan.Apply]{start: (*form).offered}, func(g *ground, c loan.Apply) []Signer { return g.personOf(c.Household) }).of(Household).to(servers).on(HouseholdPage),
		about("guarantee-loan", "Loan:GuaranteeLoan", "loan", []Field{kind("household", Account).need()}, steps[loan.Guarantee]{finish: func(f *form, c *loan.Guarantee) {
			if l := f.ground.loan(c.Loan); l != nil {
				c.Application = l.Carrier + "/" + string(l.ID)
			}
			f.ground.household = f.account("household")
		}}, func(g *ground, _ loan.Guarantee) []Signer { return g.personOf(g.household) }).of(Household).to(servers),
		plain("decide-loan", "Loan:DecideLoan", "loan", []Field{kind("amount", Amount).need(), choice("reason", "decide-reason.", loan.DecideReasons()...).need()}, func(g *ground, c loan.Decide) []Signer { return g.staff(c.Amount) }).of(Lender),
		about("contract-loan", "Loan:ContractLoan", "loan", []Field{rows("advances", kind("date", Day), kind("amount", Amount))}, steps[loan.ContractLoan]{finish: (*form).quotes},
			func(g *ground, c loan.ContractLoan) []Signer { return borrower(g, c.Loan) }).of(Household).to(servers),
		plain("withdraw-loan", "Loan:WithdrawLoan", "loan", nil, func(g *ground, c loan.WithdrawLoan) []Signer { return borrower(g, c.Loan) }).of(Household).to(servers),
		about("draw-loan", "Loan:DrawLoan", "loan", []Field{kind("amount", Amount), kind("order", Name), kind("tranche", Number), kind("take-back", Mark).at("cancel")}, steps[loan.DrawLoan]{finish: (*form).draws},
			func(g *ground, c loan.DrawLoan) []Signer { return borrower(g, c.Loan) }).of(Household).to(servers),
		plain("order-supplies", "Loan:OrderSupplies", "loan", []Field{kind("supplier", Account).need(), line("category").need(), kind("amount", Amount).need()},
			func(g *ground, c loan.OrderSupplies) []Signer { return borrower(g, c.Loan) }).of(Household).to(servers),
		plain("confirm-delivery", "Loan:ConfirmDelivery", "order", []Field{kind("invoice", Print), kind("place", Print), kind("cancel", Mark)}, func(g *ground, c loan.ConfirmDelivery) []Signer {
			o := g.order(c.Order)
			if o == nil {
				return nil
			}
			signers := borrower(g, o.Loan)
			if s := g.scheme(); s != nil && !c.Cancel {
				signers = append(signers, Signer{Organisation: s.Organisation})
			}
			return signers
		}).of(Household, Cooperative).to(servers),
	}
}

// offered begins an application with the product as it is offered.
func (f *form) offered(c *loan.Apply) {
	id := f.name("product")
	if id.Check() != nil {
		return
	}
	offer := record[loan.Offer](f.ground, loan.OfferKey(f.ground.subject, id))
	if offer == nil {
		f.fault(Fault{Field: "product"}, rule.Refuse(rule.NotFound, "there is no product %s in %s", id, f.ground.subject))
		return
	}
	c.ProductVersion = offer.Version
	if product := record[loan.Product](f.ground, loan.ProductKey(f.ground.subject, id, offer.Version)); product != nil {
		c.Terms = product.Conditions.Terms
	}
}

// quotes is the hash of what a household is shown before it signs: the plan of
// these tranches, or of all of the loan today.
func (f *form) quotes(c *loan.ContractLoan) {
	l := f.ground.loan(c.Loan)
	if l == nil {
		return
	}
	if len(c.Advances) == 0 {
		c.Advances = []terms.Advance{{Amount: l.Principal, Date: f.ground.context().Date}}
	}
	quote, err := l.Quote(c.Advances)
	if err == nil {
		c.Quote, err = quote.Hash()
	}
	f.fail("advances", err)
}

// draws numbers the next draw; one for an order is of what that costs, and one that
// is taken back is named by its number.
func (f *form) draws(c *loan.DrawLoan) {
	l := f.ground.loan(c.Loan)
	if l == nil {
		return
	}
	if c.Cancel {
		if c.Tranche >= 1 && int(c.Tranche) <= len(l.Tranches) {
			c.Amount, c.Order = l.Tranches[c.Tranche-1].Amount, l.Tranches[c.Tranche-1].Order
		}
		return
	}
	c.Tranche = int32(len(l.Tranches) + 1)
	if c.Amount.Currency != "" || c.Order.Check() != nil {
		return
	}
	if order := f.ground.order(c.Order); order != nil {
		c.Amount = order.Amount
	}
}

// runningActs move a loan's money.
func runningActs() []Act {
	return []Act{
		plain("disburse-loan", "Loan:DisburseLoan", "loan", []Field{kind("payee", Account).at("to").need(), kind("amount", Amount).need(), kind("tranche", Number).need(), kind("order", Name), kind("expires", Day).need()},
			func(g *ground, c loan.Disburse) []Signer { return g.staff(c.Amount) }).of(Lender).from(func(g *ground) Answers {
			return Answers{Texts: map[string]string{"tranche": "1", "expires": string(g.context().Date.AddDays(10))}}
		}),
		plain[loan.BookTranche]("book-tranche", "Loan:BookTranche", "loan", []Field{kind("tranche", Number).need()}, nil).of(Cooperative, Lender).to(deciders),
		about[loan.Repay]("repay-loan", "Loan:RepayLoan", "loan", []Field{kind("receiver", Account).need(), kind("page", Name).need(), kind("gift", Name).need(), kind("by", Account), line("bank-line")},
			steps[loan.Repay]{finish: (*form).repays}, nil).of(Lender),
		about("restructure-loan", "Loan:RestructureLoan", "loan", slices.Concat([]Field{kind("term-end", Day).at("termEnd").need()}, optional(termsFields("terms.")), daysFields()),
			steps[loan.Restructure]{start: (*form).termsNow}, func(g *ground, c loan.Restructure) []Signer {
				l := g.loan(c.Loan)
				if l == nil {
					return nil
				}
				households := []tape.AccountID{l.Household}
				for _, guarantor := range l.Guarantors {
					households = append(households, guarantor.Household)
				}
				return append(g.staff(l.Principal), g.personOf(households...)...)
			}).of(Lender).amending(),
		plain("write-off-loan", "Loan:WriteOffLoan", "loan", nil, func(g *ground, c loan.WriteOff) []Signer {
			if l := g.loan(c.Loan); l != nil {
				return g.staff(l.Principal)
			}
			return g.staff(money.Amount{})
		}).of(Lender),
		plain("add-costs", "Loan:AddCosts", "loan", []Field{kind("amount", Amount).need(), kind("evidence", Document).need()}, func(g *ground, c loan.AddCosts) []Signer { return g.staff(c.Amount) }).of(Lender),
	}
}

// repays names the gift that came to the lender's account, and by which line of
// its bank: the payment is then of that line's day.
func (f *form) repays(c *loan.Repay) {
	receiver := f.account("receiver")
	c.Gift = f.placed(receiver).proof
	if f.text("bank-line") == "" || len(f.faults) > 0 {
		return
	}
	at, body := f.bankLine(receiver)
	if proof := f.proof(at, body); len(f.faults) == 0 {
		c.Line = &proof
	}
}

// optional lets fields stay as they stand.
func optional(fields []Field) []Field {
	for i := range fields {
		fields[i].Required = false
	}
	return fields
}

// termsNow begins new terms with those of the loan; an interval is changed as a
// whole, and days that have passed are no days of a new plan.
func (f *form) termsNow(c *loan.Restructure) {
	l := f.ground.loan(f.name("loan"))
	if l == nil {
		return
	}
	c.Terms = l.Terms
	c.Terms.FirstDue, c.Terms.DueDates = "", nil
	if f.text("every-months")+f.text("every-weeks")+f.text("every-days") != "" {
		c.Terms.Every = terms.Interval{}
	}
}

// overdueActs are about what was not paid.
func overdueActs() []Act {
	return []Act{
		plain("give-notice", "Loan:GiveNotice", "loan", []Field{kind("instalment", Number).need(), kind("days", Number).need()}, oneOfStaff[loan.GiveNotice]).of(Lender, Cooperative).to(deciders),
		plain("default-loan", "Loan:DefaultLoan", "loan", nil, makerAndChecker[loan.Default]).of(Lender),
		plain("declare-stay", "Loan:DeclareStay", "", []Field{choice("disaster", "stay-kind.", loan.StayKinds()...).at("kind").need(), kind("from", Day).need(), kind("to", Day).need()}, oneOfStaff[loan.DeclareStay]).of(Regulator).to(deciders),
	}
}
