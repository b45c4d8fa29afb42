package contract

import (
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// RepayLoan puts money that has come to a lender to a loan.
func (*Loan) RepayLoan(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[loan.Repay], func(t *transaction, c loan.Repay) (tape.Entry, error) {
		orderKey := ""
		if c.Order != "" {
			orderKey = loan.OrderKey(c.Account, c.Order)
		}
		_, l, err := t.loan(c.ID, c.Account, c.Loan, orderKey)
		if err != nil {
			return tape.Entry{}, err
		}
		servicing := l.Lenders[0].Account
		arrived, err := t.arrived(servicing, c)
		if err != nil {
			return tape.Entry{}, err
		}
		if orderKey != "" {
			arrived.Supplies = read[loan.Order](t, orderKey)
		}
		after, onward, entry, err := l.Repay(c, arrived, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		call, err := t.openCall(l)
		if err != nil {
			return tape.Entry{}, err
		}
		counted, err := t.counts(l, after, loan.Pays{Amount: arrived.Amount, By: string(c.By)}, entry)
		if err != nil {
			return tape.Entry{}, rule.Field("gift", err)
		}
		t.save(c.Repaid(servicing), c.Counted(after, arrived, call, counted, entry))
		if order := c.Refunded(arrived, entry); order != nil {
			t.save(orderKey, *order)
		}
		if entry, err = t.handOn(servicing, onward, entry); err != nil {
			return tape.Entry{}, err
		}
		if after.State == loan.Closed {
			return entry, t.end(after, entry)
		}
		return entry, nil
	})
}

// TakeBackRepayment takes a payment off a loan that the bank has taken back.
func (*Loan) TakeBackRepayment(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[loan.TakeBack], func(t *transaction, c loan.TakeBack) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		servicing := l.Lenders[0].Account
		repaidKey, reversalKey := loan.Repay{Gift: c.Gift}.Repaid(servicing), c.Gift.ReversalKey(servicing)
		if err := t.load(repaidKey, reversalKey); err != nil {
			return tape.Entry{}, err
		}
		f := loan.TakingBack{Repaid: read[loan.Repayment](t, repaidKey), Reversal: read[tape.Reversal](t, reversalKey)}
		if f.Call, err = t.lastCall(l); err != nil {
			return tape.Entry{}, err
		}
		if f.Supplies, err = t.refundOf(c.Account, f.Repaid); err != nil {
			return tape.Entry{}, err
		}
		taken, entry, err := l.TakeBack(c, f, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(taken.Loan)
		t.save(repaidKey, taken.Repaid)
		if taken.Order != nil {
			t.save(loan.OrderKey(c.Account, taken.Order.ID), *taken.Order)
		}
		if err := t.undone(l, taken.Loan, entry); err != nil || taken.Call == nil {
			return entry, err
		}
		call := taken.Call.Changed(entry)
		t.save(recourse.CallKey(call.Scheme, call.Loan, call.ID), call)
		return entry, t.concern(l, call, entry)
	})
}

// refundOf is the order of which a repayment was a supplier's refund, nil for none.
func (t *transaction) refundOf(scheme tape.AccountID, repaid *loan.Repayment) (*loan.Order, error) {
	if repaid == nil || repaid.Order == "" {
		return nil, nil
	}
	key := loan.OrderKey(scheme, repaid.Order)
	if err := t.load(key); err != nil {
		return nil, err
	}
	return read[loan.Order](t, key), nil
}

// undone notes in the debts of all, and in what its lenders have lent, what has
// become of a loan of which something was undone.
func (t *transaction) undone(before, after loan.Loan, entry tape.Entry) error {
	switch {
	case before.State != loan.Closed && after.State == loan.Closed:
		return t.end(after, entry)
	case before.State == loan.Closed && after.State != loan.Closed:
		if err := t.list(after, entry); err != nil {
			return err
		}
		return t.each(after, func(known *loan.Debts, borrower bool) loan.Debts { return known.Reopen(before, borrower, entry) })
	}
	return nil
}

// ReturnPart returns a lender's part of payments that the bank took back to the originator.
func (*Loan) ReturnPart(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.ReturnPart, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		amount := money.New(l.Lacks(t.context.Organisation), l.Principal.Currency)
		if err := t.lends("return-part", c.Account, t.context.Organisation, amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, payment, entry, err := l.Return(c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		return t.handOn(l.AccountOf(t.context.Organisation), []tape.Payment{payment}, entry)
	})
}

// arrived is the money that a repayment names, and the day on which the bank shows it.
func (t *transaction) arrived(account tape.AccountID, c loan.Repay) (loan.Arrived, error) {
	key := c.Repaid(account)
	settled, err := t.settledGift(account, c.Gift)
	if err != nil {
		return loan.Arrived{}, err
	}
	gift, span, err := settled.Place(account, c.Gift)
	if err != nil {
		return loan.Arrived{}, err
	}
	if err := t.load(key, tape.AccountKey(account)); err != nil {
		return loan.Arrived{}, err
	}
	found := loan.Arrived{Amount: gift.Amount, Date: t.context.Date, Used: read[loan.Repayment](t, key)}
	found.Amount.Units = span.Length()
	if c.Line == nil {
		return found, nil
	}
	holder, err := need[tape.Account](t, tape.AccountKey(account), "account "+account.String())
	if err != nil {
		return found, err
	}
	lines := tape.LinesKey(holder.Custodian, c.Line.Statement, c.Line.N)
	if err := t.load(lines); err != nil {
		return found, err
	}
	found.Date, err = gift.ShownBy(*c.Line, read[tape.Lines](t, lines))
	return found, err
}

// handOn pays the other lenders their shares of what has arrived.
func (t *transaction) handOn(account tape.AccountID, payments []tape.Payment, entry tape.Entry) (tape.Entry, error) {
	if len(payments) == 0 {
		return entry, nil
	}
	payees := payeesOf(payments)
	if err := t.load(append(accountKeys(payees), tape.AccountKey(account), tape.HeadKey(account))...); err != nil {
		return entry, err
	}
	found, head, err := t.accountAndHead(account)
	if err != nil {
		return entry, err
	}
	after, inflows, spent, err := head.Spend(found, tape.Spend{Account: account, ID: entry.ID, Payments: payments}, t.payees(payees), t.context)
	if err != nil {
		return entry, err
	}
	t.changeHead(head, after)
	t.saveInflows(inflows)
	entry.Postings = spent.Postings
	return entry, nil
}

// ChooseOverpayment says what becomes of what is over of a loan.
func (*Loan) ChooseOverpayment(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.ChooseOverpayment, intents []intent) (tape.Entry, error) {
		otherKey := ""
		if c.For != "" {
			otherKey = loan.Key(c.Account, c.For)
		}
		_, l, err := t.loan(c.ID, c.Account, c.Loan, otherKey)
		if err != nil {
			return tape.Entry{}, err
		}
		var other *loan.Loan
		if otherKey != "" {
			other = read[loan.Loan](t, otherKey)
		}
		if err := t.signs("choose-overpayment", c.Account, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, next, entry, err := l.ChooseOverpayment(c, other, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		if next == nil {
			return entry, nil
		}
		t.saveLoan(*next)
		if _, err := t.counts(*other, *next, loan.Pays{}, entry); err != nil {
			return tape.Entry{}, err
		}
		return entry, t.undone(*other, *next, entry)
	})
}

// PayOverpayment orders a lender's part of an overpayment to the household.
func (*Loan) PayOverpayment(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.PayOverpayment, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		part, known := l.OverpaymentPart(c.N, t.context.Organisation)
		var before *tape.Hold
		if known != "" {
			key := tape.HoldKey(l.AccountOf(t.context.Organisation), known)
			if err := t.load(key); err != nil {
				return tape.Entry{}, err
			}
			before = read[tape.Hold](t, key)
		}
		if err := t.lends("pay-overpayment", c.Account, t.context.Organisation, part, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, payment, entry, err := l.PayOverpayment(c, before, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveLoan(after)
		return entry, t.payOut(l, c.Expires, payment)
	})
}

// GiveNotice notes that people were told of an overdue instalment.
func (*Loan) GiveNotice(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.GiveNotice, intents []intent) (tape.Entry, error) {
		key := loan.NoticeKey(c.Account, c.Loan, c.Instalment, c.Days)
		scheme, l, err := t.loan(c.ID, c.Account, c.Loan, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "the notice of loan "+c.Loan.String()); err != nil {
			return tape.Entry{}, err
		}
		version, err := t.version(c.Account, l.SchemeVersion)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("give-notice", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		notice, entry, err := l.GiveNotice(c, scheme, version, t.context)
		t.save(key, notice)
		return entry, err
	})
}

// notices are those given about a loan's oldest overdue instalment, nil for what was not given.
func (t *transaction) notices(l loan.Loan, version group.SchemeTerms) ([]*loan.Notice, error) {
	keys, err := l.NoticeKeys(version, t.context.Date)
	if err != nil {
		return nil, err
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	notices := make([]*loan.Notice, len(keys))
	for i, key := range keys {
		notices[i] = read[loan.Notice](t, key)
	}
	return notices, nil
}

// DefaultLoan makes it a fact that a loan is in default.
func (*Loan) DefaultLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Default, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		version, err := t.version(c.Account, l.SchemeVersion)
		if err != nil {
			return tape.Entry{}, err
		}
		notices, err := t.notices(l, version)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("default-loan", l.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.Default(c, version, notices, t.context)
		t.saveLoan(l)
		return entry, err
	})
}

// DeclareStay declares a disaster for a scheme.
func (*Loan) DeclareStay(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.DeclareStay, intents []intent) (tape.Entry, error) {
		key := loan.StayKey(c.Account, c.ID)
		stays := loan.StaysKey(c.Account)
		scheme, err := t.scheme(c.ID, c.Account, key, stays)
		if err != nil {
			return tape.Entry{}, err
		}
		version, err := t.version(c.Account, scheme.Version)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("declare-stay", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "stay "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		stay, entry, err := c.Declare(version, t.context)
		t.save(key, stay)
		t.save(stays, read[loan.Stays](t, stays).With(stay, t.context.Date))
		return entry, err
	})
}

// TakeOverLoan brings a loan onto the ledger that ran before.
func (*Loan) TakeOverLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.TakeOver, intents []intent) (tape.Entry, error) {
		scheme, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.lends("take-over-loan", c.Account, l.Organisation, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.TakeOver(c, scheme.Organisation, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.begin(l, entry)
	})
}

// RestructureLoan changes the terms of a running loan.
func (*Loan) RestructureLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.Restructure, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		last, err := t.lastCall(l)
		if err != nil {
			return tape.Entry{}, err
		}
		claims, err := t.lastClaims(l)
		if err != nil {
			return tape.Entry{}, err
		}
		key := group.GroupKey(c.Account, l.Group)
		if err := t.load(key); err != nil {
			return tape.Entry{}, err
		}
		of, err := need[group.Group](t, key, "group "+l.Group.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.lends("restructure-loan", c.Account, l.Organisation, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.Restructure(c, of.Agreement.Expiry, last, claims, t.context)
		t.saveLoan(l)
		return entry, err
	})
}

// WriteOffLoan takes a loan out of its lender's books.
func (*Loan) WriteOffLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.WriteOff, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.lends("write-off-loan", c.Account, l.Organisation, l.Principal, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.WriteOff(c, t.context)
		t.saveLoan(l)
		return entry, err
	})
}

// AddCosts notes what enforcing a debt has cost.
func (*Loan) AddCosts(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c loan.AddCosts, intents []intent) (tape.Entry, error) {
		_, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := c.Amount.Positive(l.Principal.Currency); err != nil {
			return tape.Entry{}, err
		}
		if err := t.lends("add-costs", c.Account, l.Organisation, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		l, entry, err := l.AddCosts(c, t.context)
		t.saveLoan(l)
		return entry, err
	})
}
