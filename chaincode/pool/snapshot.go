package pool

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// QuarterBefore is the last day of the last quarter that ended before a day; none
// before what is no day, such as that of a default that has not come.
func QuarterBefore(day tape.Date) tape.Date {
	if day.Check() != nil {
		return ""
	}
	month, _ := strconv.Atoi(string(day[5:7]))
	switch year := string(day[:4]); {
	case month > 9:
		return tape.Date(year + "-09-30")
	case month > 6:
		return tape.Date(year + "-06-30")
	case month > 3:
		return tape.Date(year + "-03-31")
	}
	return (day[:4] + "-01-01").AddDays(-1)
}

// QuarterAfter is the last day of the quarter that follows one, none after none.
func QuarterAfter(quarter tape.Date) tape.Date {
	if quarter == "" {
		return ""
	}
	return QuarterBefore(quarter.AddDays(1).AddMonths(3))
}

// Ratio is the share of non-performing loans in whole basis points, with what
// was written off added to both sides: a write-off does not better the book.
func (f Figures) Ratio() int32 {
	bad, all := f.NonPerforming+f.WrittenOff, f.Gross+f.WrittenOff
	if all == 0 {
		return 0
	}
	ratio, _ := money.Portion(basisPoints, bad, all)
	return int32(ratio)
}

// check refuses figures of which a part is more than its whole.
func (f Figures) check() error {
	for _, of := range []struct {
		field string
		units int64
	}{{"gross", f.Gross}, {"nonPerforming", f.NonPerforming}, {"writtenOff", f.WrittenOff}} {
		if of.units < 0 || of.units > money.Max {
			return rule.Field(of.field, rule.Refuse(rule.Invalid, "%d is not 0 to %d", of.units, int64(money.Max)))
		}
	}
	if _, err := money.Sum(f.Gross, f.WrittenOff); err != nil {
		return err
	}
	if f.NonPerforming > f.Gross {
		return rule.Field("nonPerforming", rule.Refuse(rule.Invalid, "%d is more than %d, all loans", f.NonPerforming, f.Gross))
	}
	return nil
}

// Freeze fixes a lender's book at a quarter's end, once.
type Freeze struct {
	Account tape.AccountID `json:"account"`
	Figures Figures        `json:"figures"`
	ID      tape.ID        `json:"id"`
	Lender  string         `json:"lender"`
	Quarter tape.Date      `json:"quarter"`
}

// Freeze judges the command; terms are the last that the lender accepted, found
// the figures that the ledger gives, known the snapshot of that quarter. Quarters
// follow one another, so that no lender leaves a bad one out.
func (p Pool) Freeze(command Freeze, lender *Lender, terms TermsRecord, found Figures, known *Snapshot, ctx tape.Context) (Snapshot, Lender, tape.Entry, error) {
	refuse := func(err error) (Snapshot, Lender, tape.Entry, error) {
		return Snapshot{}, Lender{}, tape.Entry{}, err
	}
	if err := rule.First(p.is(command.Account), p.covers(command.Lender, lender), p.freezes(command.Lender, ctx)); err != nil {
		return refuse(err)
	}
	if err := rule.First(rule.Field("quarter", command.check(lender.Quarter, known, ctx.Date)), rule.Field("figures", command.Figures.check()), notBefore(ctx, lender.At)); err != nil {
		return refuse(err)
	}
	if command.Figures != found {
		return refuse(rule.Field("figures", rule.Refuse(rule.Conflict, "the ledger has %d of %d non-performing and %d written off", found.NonPerforming, found.Gross, found.WrittenOff)))
	}
	if last := lender.Accepted[len(lender.Accepted)-1].N; terms.N != last {
		return refuse(rule.Refuse(rule.Conflict, "the lender accepted version %d of the terms last, not %d", last, terms.N))
	}
	entry := ctx.Entry(command.ID, "freeze-quarter", string(p.Account))
	snapshot := Snapshot{V: 1, Account: p.Account, Lender: command.Lender, Quarter: command.Quarter, Figures: found, BasisPoints: found.Ratio(), Entry: entry.Reference()}
	next := lender.after(snapshot.BasisPoints, terms.Terms)
	next.Quarter, next.At, next.Entry, snapshot.Suspended = command.Quarter, ctx.At, entry.Reference(), next.Suspended
	return snapshot, next, entry, nil
}

// freezes refuses figures that not both sides have signed.
func (p Pool) freezes(lender string, ctx tape.Context) error {
	if ctx.Organisation != p.Keeper && ctx.Organisation != lender || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) freezes no figures of %s; %s and %s do", ctx.Organisation, ctx.Role, lender, lender, p.Keeper)
	}
	return rule.First(party.SignedBy(ctx, lender), party.SignedBy(ctx, p.Keeper))
}

func (c Freeze) check(last tape.Date, known *Snapshot, today tape.Date) error {
	if err := c.Quarter.Check(); err != nil {
		return err
	}
	if known != nil {
		return rule.Refuse(rule.Exists, "%s is frozen, by entry %s", c.Quarter, known.Entry)
	}
	if QuarterBefore(c.Quarter.AddDays(1)) != c.Quarter {
		return rule.Refuse(rule.Invalid, "%s is not the last day of a quarter", c.Quarter)
	}
	if c.Quarter >= today {
		return rule.Refuse(rule.Early, "%s has not ended", c.Quarter)
	}
	if last != "" && c.Quarter != QuarterAfter(last) {
		return rule.Refuse(rule.Conflict, "is %s; that of %s comes next", c.Quarter, QuarterAfter(last))
	}
	return nil
}

// after is the lender after a quarter with a ratio.
func (l Lender) after(points int32, terms Terms) Lender {
	if _, within := terms.Tier(points); !within {
		l.Suspended, l.Good = true, 0
		return l
	}
	if !l.Suspended {
		return l
	}
	if points > terms.ResumeBasisPoints {
		l.Good = 0
		return l
	}
	if l.Good++; l.Good >= terms.ResumeQuarters {
		l.Suspended, l.Good = false, 0
	}
	return l
}

// covers refuses a lender that has no contract with the pool.
func (p Pool) covers(name string, lender *Lender) error {
	if err := tape.CheckSegment(name); err != nil {
		return rule.Field("lender", err)
	}
	if lender == nil || lender.Lender != name || lender.Account != p.Account {
		return rule.Field("lender", rule.Refuse(rule.NotFound, "%s has no contract with %s", name, p.Account))
	}
	return nil
}

// AdmitLoan is the pool's consent to a loan of a lender whose book asks for it.
type AdmitLoan struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lender  string         `json:"lender"`
	Loan    tape.ID        `json:"loan"`
	Scheme  tape.AccountID `json:"scheme"`
}

// Admit judges the command. A suspended lender's new loans are admitted by
// nobody. That maker and checker signed is checked against the policy by the caller.
func (p Pool) Admit(command AdmitLoan, lender *Lender, known *Consent, ctx tape.Context) (Consent, tape.Entry, error) {
	refuse := func(err error) (Consent, tape.Entry, error) { return Consent{}, tape.Entry{}, err }
	if err := rule.First(p.is(command.Account), p.keeps(ctx), p.covers(command.Lender, lender), party.SignedBy(ctx, p.Keeper),
		rule.Field("loan", command.Loan.Check()), rule.Field("scheme", command.Scheme.Check())); err != nil {
		return refuse(err)
	}
	if lender.Suspended {
		return refuse(rule.Field("lender", rule.Refuse(rule.WrongState, "%s is suspended; its new loans are not admitted", command.Lender)))
	}
	if known != nil {
		return refuse(rule.Field("loan", rule.Refuse(rule.Exists, "%s was admitted by entry %s", command.Loan, known.Entry)))
	}
	entry := ctx.Entry(command.ID, "admit-pool-loan", string(p.Account))
	return Consent{V: 1, Lender: command.Lender, Entry: entry.Reference()}, entry, nil
}

// Admits refuses a new loan that the pool would not cover, by the lender's last
// snapshot before it; consent is the pool's to this loan, nil for none. Lending
// rules may ask it before a loan is made; a claim is asked it in any case.
func (t Terms) Admits(at *Snapshot, consent *Consent, quarter tape.Date) error {
	if at == nil || at.Quarter != quarter {
		return rule.Refuse(rule.NotFound, "the quarter that ended on %s is not frozen, and it counts", quarter)
	}
	tier, within := t.Tier(at.BasisPoints)
	if !within || at.Suspended {
		return rule.Refuse(rule.Forbidden, "the lender was suspended by its quarter of %s; the pool covers no loan made then", quarter)
	}
	if tier.Consent && (consent == nil || consent.Lender != at.Lender) {
		return rule.Refuse(rule.Forbidden, "with %d basis points in the quarter of %s new loans needed the pool's consent, and this has none", at.BasisPoints, quarter)
	}
	return nil
}
