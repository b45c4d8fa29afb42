package contract

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Recourse is the contract of guarantor calls.
type Recourse struct{ contractapi.Contract }

// called is loan with one call of the loan's guarantors.
func (t *transaction) called(id tape.ID, scheme tape.AccountID, of, call tape.ID, keys ...string) (group.Scheme, loan.Loan, recourse.Call, error) {
	key := recourse.CallKey(scheme, of, call)
	found, l, err := t.loan(id, scheme, of, append(keys, key)...)
	if err != nil {
		return found, l, recourse.Call{}, err
	}
	c, err := need[recourse.Call](t, key, "call "+call.String())
	return found, l, c, err
}

// lastCall is the last call of a loan's guarantors, nil for none.
func (t *transaction) lastCall(l loan.Loan) (*recourse.Call, error) {
	key := recourse.LastCallKey(l.Scheme, l.ID)
	if err := t.load(key); err != nil {
		return nil, err
	}
	last := read[recourse.LastCall](t, key)
	if last == nil {
		return nil, nil
	}
	callKey := recourse.CallKey(l.Scheme, l.ID, last.Call)
	if err := t.load(callKey); err != nil {
		return nil, err
	}
	return read[recourse.Call](t, callKey), nil
}

// saveCall saves a call, and notes in the debts of whom it concerns that it is
// there, that it is closed, or that a guarantor has paid its part in time.
func (t *transaction) saveCall(l loan.Loan, call recourse.Call, entry tape.Entry) error {
	key := recourse.CallKey(call.Scheme, call.Loan, call.ID)
	if err := t.load(key); err != nil {
		return err
	}
	before := read[recourse.Call](t, key)
	t.save(key, call)
	var paid []tape.AccountID
	if before != nil {
		paid = call.PaidSince(*before, entry.BusinessDate)
	}
	for _, g := range l.Guarantors {
		if !slices.Contains(paid, g.Household) {
			continue
		}
		if err := t.changeDebts(g.Fingerprint, func(known *loan.Debts) loan.Debts { return known.HasPaid(call, entry) }); err != nil {
			return err
		}
	}
	if before != nil && call.State != recourse.Closed {
		return nil
	}
	return t.concern(l, call, entry)
}

// concern notes a call in the debts of whom it concerns.
func (t *transaction) concern(l loan.Loan, call recourse.Call, entry tape.Entry) error {
	if err := t.changeDebts(l.Fingerprint, func(known *loan.Debts) loan.Debts { return known.Concerned(l, call, l.Household, entry) }); err != nil {
		return err
	}
	for _, g := range l.Guarantors {
		if err := t.changeDebts(g.Fingerprint, func(known *loan.Debts) loan.Debts { return known.Concerned(l, call, g.Household, entry) }); err != nil {
			return err
		}
	}
	return nil
}

// openCall is the last call of a loan's guarantors where it is open, else nil.
func (t *transaction) openCall(l loan.Loan) (*recourse.Call, error) {
	call, err := t.lastCall(l)
	if err != nil || call == nil || call.State != recourse.Open {
		return nil, err
	}
	return call, nil
}

// counts lets what changed a loan count for the open call of its guarantors, and
// returns that call as it is then, nil where none is open.
func (t *transaction) counts(before, after loan.Loan, pays loan.Pays, entry tape.Entry) (*recourse.Call, error) {
	call, err := t.openCall(before)
	if err != nil || call == nil {
		return nil, err
	}
	next, err := before.Count(after, *call, tape.AccountID(pays.By), pays.Amount, entry.BusinessDate)
	if err != nil || next.Open() == call.Open() {
		return &next, err
	}
	next = next.Changed(entry)
	return &next, t.saveCall(before, next, entry)
}

// ownCalls are the calls that concern a household and are not closed.
func (t *transaction) ownCalls(fingerprint string) ([]recourse.Call, error) {
	if err := t.load(loan.DebtsKey(fingerprint)); err != nil {
		return nil, err
	}
	debts := read[loan.Debts](t, loan.DebtsKey(fingerprint))
	if debts == nil {
		return nil, nil
	}
	keys := make([]string, len(debts.Calls))
	for i, called := range debts.Calls {
		keys[i] = called.Call
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	calls := make([]recourse.Call, len(keys))
	for i, key := range keys {
		call, err := need[recourse.Call](t, key, key)
		if err != nil {
			return nil, err
		}
		calls[i] = call
	}
	return calls, nil
}

// underGroup reports whether a call is of a loan made under a group.
func (t *transaction) underGroup(call recourse.Call, scheme tape.AccountID, of tape.ID) (bool, error) {
	if call.Scheme != scheme {
		return false, nil
	}
	key := loan.Key(call.Scheme, call.Loan)
	if err := t.load(key); err != nil {
		return false, err
	}
	l, err := need[loan.Loan](t, key, "loan "+call.Loan.String())
	return l.Group == of, err
}

// bears are what the guarantors of a loan bear by the calls under its group.
func (t *transaction) bears(l loan.Loan) ([]int64, error) {
	bears := make([]int64, len(l.Guarantors))
	for i, g := range l.Guarantors {
		calls, err := t.ownCalls(g.Fingerprint)
		if err != nil {
			return nil, err
		}
		for _, call := range calls {
			under, err := t.underGroup(call, l.Scheme, l.Group)
			if err != nil {
				return nil, err
			}
			if under {
				bears[i] += loan.Bears(call, g.Household)
			}
		}
	}
	return bears, nil
}

// owes is what a call must know of a loan.
func (t *transaction) owes(scheme group.Scheme, l loan.Loan) (recourse.Debt, recourse.Terms, error) {
	refuse := func(err error) (recourse.Debt, recourse.Terms, error) {
		return recourse.Debt{}, recourse.Terms{}, err
	}
	groupKey, staysKey := group.GroupKey(l.Scheme, l.Group), loan.StaysKey(l.Scheme)
	if err := t.load(groupKey, staysKey); err != nil {
		return refuse(err)
	}
	of, err := need[group.Group](t, groupKey, "group "+l.Group.String())
	if err != nil {
		return refuse(err)
	}
	f := loan.Calling{Scheme: scheme, Group: of, Stay: read[loan.Stays](t, staysKey).On(t.context.Date)}
	if f.Version, err = t.version(l.Scheme, l.SchemeVersion); err != nil {
		return refuse(err)
	}
	if f.Notices, err = t.notices(l, f.Version); err != nil {
		return refuse(err)
	}
	if f.Bears, err = t.bears(l); err != nil {
		return refuse(err)
	}
	return l.Debt(f, t.context.Date)
}

// MakeCall calls everybody who guarantees a loan.
func (*Recourse) MakeCall(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.MakeCall, intents []intent) (tape.Entry, error) {
		scheme, l, err := t.loan(c.ID, c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		debt, terms, err := t.owes(scheme, l)
		if err != nil {
			return tape.Entry{}, err
		}
		last, err := t.lastCall(l)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := c.Amount.Positive(l.Principal.Currency); err != nil {
			return tape.Entry{}, rule.Field("amount", err)
		}
		if err := t.lends("make-call", c.Account, l.Organisation, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		call, mark, entry, err := debt.Call(c, terms, last, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(recourse.LastCallKey(c.Account, c.Loan), mark)
		return entry, t.saveCall(l, call, entry)
	})
}

// RespreadCall asks the others for what one has not paid in its time.
func (*Recourse) RespreadCall(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.Respread, intents []intent) (tape.Entry, error) {
		_, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("respread-call", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, entry, err := call.Respread(c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveCall(l, next, entry)
	})
}

// DeclareUnable says that a guarantor cannot pay, or can again.
func (*Recourse) DeclareUnable(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.DeclareUnable, intents []intent) (tape.Entry, error) {
		_, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("declare-unable", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, entry, err := call.Declare(c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveCall(l, next, entry)
	})
}

// ReleaseGuarantor frees a guarantor from what it has not paid of its share.
func (*Recourse) ReleaseGuarantor(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.Release, intents []intent) (tape.Entry, error) {
		scheme, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		debt, _, err := t.owes(scheme, l)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("release-guarantor", call.Lender, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, entry, err := call.Release(c, debt, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveCall(l, next, entry)
	})
}

// WithdrawCall asks no more of what a call asks.
func (*Recourse) WithdrawCall(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.WithdrawCall, intents []intent) (tape.Entry, error) {
		_, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("withdraw-call", call.Lender, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, entry, err := call.Withdraw(c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveCall(l, next, entry)
	})
}

// shown is what the tape shows of a payment; nothing where it shows no money that was paid.
func (t *transaction) shown(scheme tape.AccountID, source string) (recourse.Payment, error) {
	if err := tape.CheckPosting(source); err != nil {
		return recourse.Payment{}, rule.Field("payment", err)
	}
	parts := strings.Split(source, "/")
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		return recourse.Payment{}, err
	}
	key, counted := tape.EntryKey(parts[0], tape.ID(parts[1])), recourse.CountedKey(scheme, source)
	if err := t.load(key, counted); err != nil {
		return recourse.Payment{}, err
	}
	entry := read[tape.Entry](t, key)
	if entry == nil || n >= len(entry.Postings) || entry.Postings[n].Memo || entry.Postings[n].Origin != "" { // an accrual, or money that came back
		return recourse.Payment{}, nil
	}
	posting := entry.Postings[n]
	toKey := tape.AccountKey(posting.To)
	if err := t.load(toKey); err != nil {
		return recourse.Payment{}, err
	}
	if to := read[tape.Account](t, toKey); to != nil && to.Subject == loan.Subject { // what a lender got repays the loan, and no guarantor
		return recourse.Payment{}, nil
	}
	payment := recourse.Payment{Source: source, From: posting.From, To: posting.To, Amount: posting.Amount, Counted: read[recourse.Counted](t, counted)}
	if posting.OnBehalfOf != "" {
		payment.From = posting.OnBehalfOf
	}
	return payment, nil
}

// arrival is what is known of money that is said to have reached a household: by
// a payment on the tape, or else by whoever signs for it.
func (t *transaction) arrival(scheme tape.AccountID, part recourse.Handed) (recourse.Arrival, error) {
	if err := rule.Field("to", part.To.Check()); err != nil {
		return recourse.Arrival{}, err
	}
	var arrival recourse.Arrival
	if part.Payment != "" {
		payment, err := t.shown(scheme, part.Payment)
		arrival.Payment = &payment
		return arrival, err
	}
	key := group.MemberKey(scheme, part.To)
	if err := t.load(key); err != nil {
		return arrival, err
	}
	if member := read[group.Member](t, key); member != nil {
		arrival.Receiver = member.Person
	}
	return arrival, nil
}

// ReimburseCall counts what of the debtor's money has reached the guarantors once the lender is whole.
func (*Recourse) ReimburseCall(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.Reimburse, intents []intent) (tape.Entry, error) {
		scheme, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		debt, _, err := t.owes(scheme, l)
		if err != nil {
			return tape.Entry{}, err
		}
		if len(c.Parts) > recourse.GuarantorsMax {
			return tape.Entry{}, rule.Field("parts", rule.Refuse(rule.Invalid, "there are %d; %d at most guarantee a loan", len(c.Parts), recourse.GuarantorsMax))
		}
		arrivals := make([]recourse.Arrival, len(c.Parts))
		for i, part := range c.Parts {
			if arrivals[i], err = t.arrival(c.Account, part); err != nil {
				return tape.Entry{}, rule.Item("parts", i, err)
			}
		}
		if err := t.signs("reimburse-call", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, counted, entry, err := call.Reimburse(c, debt, arrivals, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		for _, part := range c.Parts {
			if part.Payment != "" {
				t.save(recourse.CountedKey(c.Account, part.Payment), counted)
			}
		}
		return entry, t.saveCall(l, next, entry)
	})
}

// ContributeCall counts what one guarantor has paid another.
func (*Recourse) ContributeCall(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c recourse.Contribute, intents []intent) (tape.Entry, error) {
		_, l, call, err := t.called(c.ID, c.Account, c.Loan, c.Call)
		if err != nil {
			return tape.Entry{}, err
		}
		arrival, err := t.arrival(c.Account, recourse.Handed{Amount: c.Amount, Payment: c.Payment, To: c.To})
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("contribute-call", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, counted, entry, err := call.Contribute(c, arrival, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if c.Payment != "" {
			t.save(recourse.CountedKey(c.Account, c.Payment), counted)
		}
		return entry, t.saveCall(l, next, entry)
	})
}
