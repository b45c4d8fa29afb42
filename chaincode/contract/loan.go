package contract

import (
	"slices"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Loan is the contract of products and loans.
type Loan struct{ contractapi.Contract }

// OpenLending opens a lender's account for loans: only the rules of loans spend it.
func (*Loan) OpenLending(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Open, intents []intent) (tape.Entry, error) {
		if err := t.ground(c.ID, openKeys(c)...); err != nil {
			return tape.Entry{}, err
		}
		if !t.context.Has(party.Lender) {
			return tape.Entry{}, rule.Refuse(rule.Forbidden, "%s holds no power of a lender", t.context.Organisation)
		}
		if err := t.organised("open-lending", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		entry, err := t.open(c)
		entry.Kind = "open-lending"
		return entry, err
	})
}

// OfferProduct makes the next version of a product.
func (*Loan) OfferProduct(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.OfferProduct, intents []intent) (tape.Entry, error) {
		offerKey := loan.OfferKey(c.Account, c.Product)
		lenders := c.Conditions.Lenders[:min(len(c.Conditions.Lenders), loan.LendersMax)]
		keys := []string{offerKey}
		for _, lender := range lenders {
			keys = append(keys, tape.AccountKey(lender.Account), party.PowersKey(lender.Organisation))
		}
		scheme, err := t.scheme(c.ID, c.Account, keys...)
		if err != nil {
			return tape.Entry{}, err
		}
		version, err := t.version(c.Account, scheme.Version)
		if err != nil {
			return tape.Entry{}, err
		}
		lending := make([]loan.Lending, len(lenders))
		for i, lender := range lenders {
			lending[i] = loan.Lending{Account: read[tape.Account](t, tape.AccountKey(lender.Account)), Lends: t.holds(lender.Organisation, party.Lender)}
		}
		if err := t.organised("offer-product", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		product, offer, entry, err := c.Offer(scheme, version, read[loan.Offer](t, offerKey), lending, t.context)
		t.save(loan.ProductKey(c.Account, product.ID, product.Version), product)
		t.save(offerKey, offer)
		return entry, err
	})
}

// version are a scheme's terms of a version; those of none have no figures, and the rules refuse it first.
func (t *transaction) version(account tape.AccountID, version int32) (group.SchemeTerms, error) {
	terms, err := t.schemeTerms(account, version)
	if err != nil || terms == nil {
		return group.SchemeTerms{}, err
	}
	return terms.Terms, nil
}

// WithdrawProduct ends the offer of a product.
func (*Loan) WithdrawProduct(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.WithdrawProduct, intents []intent) (tape.Entry, error) {
		key := loan.OfferKey(c.Account, c.Product)
		if _, err := t.scheme(c.ID, c.Account, key); err != nil {
			return tape.Entry{}, err
		}
		offer, err := need[loan.Offer](t, key, "product "+c.Product.String())
		if err != nil {
			return tape.Entry{}, err
		}
		latest, err := t.product(c.Account, c.Product, offer.Latest)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("withdraw-product", latest.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		offer, entry, err := offer.Withdraw(c, *latest, t.context)
		t.save(key, offer)
		return entry, err
	})
}

// product is a version of a product, nil where there is none.
func (t *transaction) product(scheme tape.AccountID, id tape.ID, version int32) (*loan.Product, error) {
	key := loan.ProductKey(scheme, id, version)
	if err := t.load(key); err != nil {
		return nil, err
	}
	return read[loan.Product](t, key), nil
}

// frame is what stands around an application to a product on behalf of a group.
func (t *transaction) frame(scheme group.Scheme, groupID, product tape.ID, productVersion int32) (loan.Frame, error) {
	f := loan.Frame{Scheme: scheme}
	groupKey, offerKey := group.GroupKey(scheme.Account, groupID), loan.OfferKey(scheme.Account, product)
	if err := t.load(groupKey, offerKey); err != nil {
		return f, err
	}
	f.Group, f.Offer = read[group.Group](t, groupKey), read[loan.Offer](t, offerKey)
	var err error
	if f.Product, err = t.product(scheme.Account, product, productVersion); err != nil || f.Group == nil {
		return f, err
	}
	if f.Version, err = t.version(scheme.Account, f.Group.Agreement.Terms); err != nil {
		return f, err
	}
	f.Standing, err = t.standings(*f.Group)
	return f, err
}

// standings are what is known of those who live in a group, in their order.
func (t *transaction) standings(g group.Group) ([]loan.Standing, error) {
	living := g.Living()
	var keys []string
	for _, m := range living {
		keys = append(keys, group.MemberKey(g.Scheme, m.Household), group.StandingKey(m.Fingerprint), loan.DebtsKey(m.Fingerprint))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	standings := make([]loan.Standing, len(living))
	for i, m := range living {
		standings[i].Member = read[group.Member](t, keys[3*i])
		var err error
		if standings[i].Debts, err = t.debts(m.Household, m.Fingerprint, read[group.Standing](t, keys[3*i+1])); err != nil {
			return nil, err
		}
		if standings[i].Borrowed, err = t.borrowed(g, m); err != nil {
			return nil, err
		}
	}
	return standings, nil
}

// ownLoans are the open loans of a household; its debts were loaded.
func (t *transaction) ownLoans(fingerprint string) ([]loan.Loan, error) {
	debts := read[loan.Debts](t, loan.DebtsKey(fingerprint))
	if debts == nil {
		return nil, nil
	}
	if err := t.load(debts.Loans...); err != nil {
		return nil, err
	}
	loans := make([]loan.Loan, len(debts.Loans))
	for i, key := range debts.Loans {
		one, err := need[loan.Loan](t, key, key)
		if err != nil {
			return nil, err
		}
		loans[i] = one
	}
	return loans, nil
}

// borrowed is what a member has borrowed under a group.
func (t *transaction) borrowed(g group.Group, m group.GroupMember) (group.Borrowed, error) {
	loans, err := t.ownLoans(m.Fingerprint)
	if err != nil {
		return group.Borrowed{}, err
	}
	return read[loan.Debts](t, loan.DebtsKey(m.Fingerprint)).Borrowed(g, m.Household, loans, t.context.Date)
}

// debts are the facts about a household's debts anywhere on the ledger.
func (t *transaction) debts(household tape.AccountID, fingerprint string, standing *group.Standing) (group.Debts, error) {
	if fingerprint == "" { // who is not admitted is refused by the rule
		return group.Debts{Household: household}, nil
	}
	key := loan.DebtsKey(fingerprint)
	if err := t.load(key); err != nil {
		return group.Debts{}, err
	}
	loans, err := t.ownLoans(fingerprint)
	if err != nil {
		return group.Debts{}, err
	}
	calls, err := t.ownCalls(fingerprint)
	if err != nil {
		return group.Debts{}, err
	}
	facts, err := read[loan.Debts](t, key).Facts(household, loans, calls, t.context.Date)
	if standing != nil {
		facts.ExcludedUntil = standing.ExcludedUntil
	}
	return facts, err
}

// outstanding counts what is open under a group.
func (t *transaction) outstanding(g group.Group) (group.Outstanding, error) {
	var open group.Outstanding
	for _, m := range g.Members {
		if err := t.load(loan.DebtsKey(m.Fingerprint)); err != nil {
			return open, err
		}
		loans, err := t.ownLoans(m.Fingerprint)
		if err != nil {
			return open, err
		}
		for _, l := range loans {
			if l.Scheme == g.Scheme && l.Group == g.ID {
				open.Loans++
			}
		}
		if err := t.outstandingCalls(g, m, &open); err != nil {
			return open, err
		}
	}
	return open, nil
}

// outstandingCalls counts the calls of guarantors for a member's loans under a
// group: those by which a lender still asks, and those of which guarantors are
// without what they paid.
func (t *transaction) outstandingCalls(g group.Group, m group.GroupMember, open *group.Outstanding) error {
	calls, err := t.ownCalls(m.Fingerprint)
	if err != nil {
		return err
	}
	for _, call := range calls {
		under, err := t.underGroup(call, g.Scheme, g.ID)
		if err != nil {
			return err
		}
		if !under || call.Debtor != m.Household {
			continue
		}
		if call.State == recourse.Open {
			open.Calls++
		} else {
			open.Recourses++
		}
	}
	return nil
}

// signs judges the intents of a decision about a loan that moves an amount.
func (t *transaction) signs(action string, scheme tape.AccountID, amount money.Amount, entry tape.ID, intents []intent) error {
	return t.judgeIntents(party.Act{Action: action, Subject: string(scheme), Amount: amount.String(), Entry: entry}, intents)
}

// lends is approve for a lender's maker and checker.
func (t *transaction) lends(action string, scheme tape.AccountID, organisation string, amount money.Amount, entry tape.ID, intents []intent) error {
	return t.approve(action, tape.Account{ID: scheme, Organisation: organisation}, amount, entry, intents)
}

// ApplyForLoan asks for a loan.
func (*Loan) ApplyForLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Apply, intents []intent) (tape.Entry, error) {
		key := loan.Key(c.Account, c.ID)
		scheme, err := t.scheme(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		f, err := t.frame(scheme, c.Group, c.Product, c.ProductVersion)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "loan "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("apply-for-loan", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if f.Assessment, err = t.assessment(f, c.Household, c.Amount); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := c.Apply(f, t.context)
		t.save(key, l)
		return entry, err
	})
}

// loan loads the ground, a scheme, one of its loans, and whatever else the rule reads.
func (t *transaction) loan(id tape.ID, scheme tape.AccountID, of tape.ID, keys ...string) (group.Scheme, loan.Loan, error) {
	key := loan.Key(scheme, of)
	found, err := t.scheme(id, scheme, append(keys, key)...)
	if err != nil {
		return found, loan.Loan{}, err
	}
	l, err := need[loan.Loan](t, key, "loan "+of.String())
	return found, l, err
}

// framed is loan with what stands around its application.
func (t *transaction) framed(id tape.ID, scheme tape.AccountID, of tape.ID) (loan.Loan, loan.Frame, error) {
	found, l, err := t.loan(id, scheme, of)
	if err != nil {
		return l, loan.Frame{}, err
	}
	f, err := t.frame(found, l.Group, l.Product, l.ProductVersion)
	if err != nil {
		return l, f, err
	}
	f.Assessment, err = t.assessment(f, l.Household, l.Principal)
	return l, f, err
}

// saveLoan saves a loan that was read: whole where what was agreed of it changes,
// and otherwise its progress alone.
func (t *transaction) saveLoan(l loan.Loan) {
	key := loan.ProgressKey(l.Reference())
	if l.Progresses(*written[loan.Loan](t, l.Reference())) {
		t.save(key, l.Progress())
		return
	}
	t.save(l.Reference(), l)
	if t.state[key] != nil {
		t.save(key, l.Progress())
	}
}

// GuaranteeLoan is a guarantor's consent.
func (*Loan) GuaranteeLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Guarantee, intents []intent) (tape.Entry, error) {
		l, f, err := t.framed(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("guarantee-loan", c.Account, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.Guarantee(c, f, t.context)
		t.saveLoan(l)
		return entry, err
	})
}

// DecideLoan is the lender's decision on an application.
func (*Loan) DecideLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Decide, intents []intent) (tape.Entry, error) {
		l, f, err := t.framed(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if c.Amount.Currency != l.Principal.Currency {
			return tape.Entry{}, rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not of %s", c.Amount, l.Principal.Currency))
		}
		if err := t.lends("decide-loan", c.Account, l.Organisation, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.Decide(c, f, t.context)
		t.saveLoan(l)
		return entry, err
	})
}

// WithdrawLoan ends what was asked for and not disbursed, or a line of which nothing is owed.
func (*Loan) WithdrawLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.WithdrawLoan, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("withdraw-loan", c.Account, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := l.Withdraw(c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		if l.State == loan.Contracted || l.State == loan.Running {
			return entry, t.end(after, entry)
		}
		return entry, nil
	})
}

// ContractLoan is the household's signature under a quote.
func (*Loan) ContractLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.ContractLoan, intents []intent) (tape.Entry, error) {
		l, f, err := t.framed(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if f.Product == nil {
			return tape.Entry{}, rule.Refuse(rule.NotFound, "the product of loan %s does not exist", c.Loan)
		}
		if err := t.signs("contract-loan", c.Account, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.ContractLoan(c, f.Product.Conditions.OfferDays, f, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.begin(l, entry)
	})
}

// begin saves a loan that its household has signed for: it stands among the debts
// of borrower and guarantors, and in what its lenders have lent.
func (t *transaction) begin(l loan.Loan, entry tape.Entry) error {
	t.saveLoan(l)
	if err := t.list(l, entry); err != nil {
		return err
	}
	return t.each(l, func(known *loan.Debts, borrower bool) loan.Debts { return known.Begin(l, borrower, entry) })
}

// list adds a loan to what its lenders have lent.
func (t *transaction) list(l loan.Loan, entry tape.Entry) error {
	keys := l.LentKeys()
	if err := t.load(keys...); err != nil {
		return err
	}
	for _, key := range keys {
		if known := read[loan.Lent](t, key); known == nil || !slices.Contains(known.Loans, l.Reference()) { // one that is open again may stand there still
			t.save(key, known.Begin(l, entry))
		}
	}
	return nil
}

// each rewrites the debts of borrower and guarantors.
func (t *transaction) each(l loan.Loan, change func(known *loan.Debts, borrower bool) loan.Debts) error {
	err := t.changeDebts(l.Fingerprint, func(known *loan.Debts) loan.Debts { return change(known, true) })
	for _, g := range l.Guarantors {
		if err != nil {
			return err
		}
		err = t.changeDebts(g.Fingerprint, func(known *loan.Debts) loan.Debts { return change(known, false) })
	}
	return err
}

// changeDebts rewrites the debts of a household, on top of what this transaction
// has made of them: a loan and a call can end by the same payment.
func (t *transaction) changeDebts(fingerprint string, change func(known *loan.Debts) loan.Debts) error {
	key := loan.DebtsKey(fingerprint)
	if err := t.load(key); err != nil {
		return err
	}
	known := read[loan.Debts](t, key)
	for i, write := range t.writes {
		if write.Key == key {
			pending := write.Record.(loan.Debts)
			t.writes[i].Record = change(&pending)
			return nil
		}
	}
	t.save(key, change(known))
	return nil
}

// end takes a loan that is over off the debts of borrower and guarantors.
func (t *transaction) end(l loan.Loan, entry tape.Entry) error {
	return t.each(l, func(known *loan.Debts, borrower bool) loan.Debts { return known.End(l, borrower, entry) })
}

// DrawLoan is a household's draw on a line.
func (*Loan) DrawLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.DrawLoan, intents []intent) (tape.Entry, error) {
		_, before, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		d, err := t.disbursing(before, c.Order)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("draw-loan", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := before.Draw(c, d, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		return entry, t.undone(before, after, entry) // a draw that is taken back may be all that was waited for
	})
}

// DisburseLoan orders a lender's share of a tranche.
func (*Loan) DisburseLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Disburse, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		d, err := t.disbursing(l, c.Order)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.lends("disburse-loan", c.Account, t.context.Organisation, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, payment, entry, err := l.Disburse(c, d, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(l)
		return entry, t.payOut(l, c.Expires, payment)
	})
}

// disbursing is what stands around a disbursement for an order, "" for none.
func (t *transaction) disbursing(l loan.Loan, order tape.ID) (loan.Disbursing, error) {
	d, key, orderKey := loan.Disbursing{}, group.GroupKey(l.Scheme, l.Group), ""
	if order != "" {
		orderKey = loan.OrderKey(l.Scheme, order)
	}
	if err := t.load(key, orderKey); err != nil {
		return d, err
	}
	if order != "" {
		d.Supplies = read[loan.Order](t, orderKey)
	}
	if d.Supplies != nil {
		supplierKey := group.SupplierKey(l.Scheme, d.Supplies.Supplier)
		if err := t.load(supplierKey); err != nil {
			return d, err
		}
		d.Supplier = read[group.Supplier](t, supplierKey)
	}
	if d.Group = read[group.Group](t, key); d.Group == nil {
		return d, nil
	}
	var err error
	d.Standing, err = t.standings(*d.Group)
	return d, err
}

// payOut orders a payment from the account of the lender who calls.
func (t *transaction) payOut(l loan.Loan, expires tape.Instant, payment tape.Payment) error {
	id := l.AccountOf(t.context.Organisation)
	holdKey := tape.HoldKey(id, payment.Line)
	if err := t.load(tape.AccountKey(id), tape.HeadKey(id), holdKey, tape.AccountKey(payment.To)); err != nil {
		return err
	}
	account, head, err := t.accountAndHead(id)
	if err != nil {
		return err
	}
	order := tape.OrderHolds{Account: id, Expires: expires, ID: payment.Line, Holds: []tape.HoldOrder{{Amount: payment.Amount, Hold: payment.Line, To: payment.To}}}
	after, holds, _, err := head.Hold(account, order, t.payees([]tape.AccountID{payment.To}), t.context)
	if err != nil {
		return err
	}
	t.changeHead(head, after)
	return t.openHolds(account.Organisation, holds)
}

// BookTranche notes what the bank has done of a tranche.
func (*Loan) BookTranche(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[loan.BookTranche], func(t *transaction, c loan.BookTranche) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		holds := make([]*tape.Hold, len(l.Lenders))
		if c.Tranche >= 1 && int(c.Tranche) <= len(l.Tranches) {
			for i, id := range l.Tranches[c.Tranche-1].Holds {
				if id == "" {
					continue
				}
				key := tape.HoldKey(l.Lenders[i].Account, id)
				if err := t.load(key); err != nil {
					return tape.Entry{}, err
				}
				holds[i] = read[tape.Hold](t, key)
			}
		}
		after, entry, err := l.BookTranche(c, holds, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		if _, err := t.counts(l, after, loan.Pays{Amount: money.New(0, l.Principal.Currency)}, entry); err != nil {
			return tape.Entry{}, err
		}
		return entry, t.undone(l, after, entry) // all else may be repaid, and this never left
	})
}

// OrderSupplies orders from a supplier on a purpose-locked loan.
func (*Loan) OrderSupplies(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.OrderSupplies, intents []intent) (tape.Entry, error) {
		key, supplier := loan.OrderKey(c.Account, c.ID), group.SupplierKey(c.Account, c.Supplier)
		_, l, err := t.loan(c.ID, c.Account, c.Loan, key, supplier)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "order "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("order-supplies", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		order, entry, err := l.OrderSupplies(c, read[group.Supplier](t, supplier), t.context)
		t.save(key, order)
		return entry, err
	})
}

// ConfirmDelivery says that what was ordered came.
func (*Loan) ConfirmDelivery(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.ConfirmDelivery, intents []intent) (tape.Entry, error) {
		key := loan.OrderKey(c.Account, c.Order)
		scheme, err := t.scheme(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		order, err := need[loan.Order](t, key, "order "+c.Order.String())
		if err != nil {
			return tape.Entry{}, err
		}
		loanKey := loan.Key(c.Account, order.Loan)
		if err := t.load(loanKey); err != nil {
			return tape.Entry{}, err
		}
		l, err := need[loan.Loan](t, loanKey, "loan "+order.Loan.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("confirm-delivery", c.Account, order.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		order, entry, err := order.Confirm(c, l, scheme.Organisation, t.context)
		t.save(key, order)
		return entry, err
	})
}
