package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Stage is where a loan stands on a day, in one word: its state, or what the day
// makes of it.
func (l Loan) Stage(day tape.Date) (string, error) {
	if l.State != Running {
		return string(l.State), nil
	}
	owed, err := l.Owed(day)
	switch {
	case err != nil:
		return "", err
	case l.WrittenOff != nil:
		return "written-off", nil
	case l.inDefault(owed):
		return "defaulted", nil
	case owed.DaysPastDue > 0:
		return "overdue", nil
	}
	return string(Running), nil
}

// inDefault reports whether the default that was filed stands: the oldest unpaid
// instalment had fallen due by then. One that was cured is history.
func (l Loan) inDefault(o Owed) bool {
	return o.DaysPastDue > 0 && l.Defaulted > o.Date.AddDays(-int(o.DaysPastDue))
}

// GiveNotice notes that borrower, cooperative and every guarantor were told of an
// overdue instalment. Days is one of the scheme's days of notice; by then the
// instalment must be so many days past due.
type GiveNotice struct {
	Account tape.AccountID `json:"account"`
	Days    int32          `json:"days"`
	ID      tape.ID        `json:"id"`
	// Instalment is the oldest that is unpaid.
	Instalment int32   `json:"instalment"`
	Loan       tape.ID `json:"loan"`
}

// GiveNotice judges the command of a lender's or the cooperative's gateway; one of its staff signs.
func (l Loan) GiveNotice(c GiveNotice, scheme group.Scheme, version group.SchemeTerms, ctx tape.Context) (Notice, tape.Entry, error) {
	refuse := func(err error) (Notice, tape.Entry, error) { return Notice{}, tape.Entry{}, err }
	if err := rule.First(l.near(scheme, ctx), l.must("only a running loan is overdue", Running), party.SignedBy(ctx, ctx.Organisation)); err != nil {
		return refuse(err)
	}
	if !slices.Contains(version.NoticeDays, c.Days) {
		return refuse(rule.Field("days", rule.Refuse(rule.Invalid, "is %d; notices of %s go out after %v days", c.Days, l.Scheme, version.NoticeDays)))
	}
	owed, err := l.Owed(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if owed.Oldest == 0 || owed.Oldest != c.Instalment {
		return refuse(rule.Field("instalment", rule.Refuse(rule.Conflict, "is %d; the oldest that is overdue of loan %s is number %d (0 for none)", c.Instalment, l.ID, owed.Oldest)))
	}
	if owed.DaysPastDue < c.Days {
		return refuse(rule.Field("days", rule.Refuse(rule.Early, "is %d; loan %s is %d days past due", c.Days, l.ID, owed.DaysPastDue)))
	}
	told := []tape.AccountID{l.Household}
	for _, g := range l.Guarantors {
		told = append(told, g.Household)
	}
	entry := ctx.Entry(c.ID, "give-notice", string(l.Scheme))
	return Notice{V: 1, Instalment: c.Instalment, DaysPastDue: owed.DaysPastDue, Owed: money.New(owed.Due(), owed.Currency), Told: told, Date: ctx.Date, Entry: entry.Reference()}, entry, nil
}

// near refuses whoever is neither one of the loan's lenders nor the scheme's cooperative.
func (l Loan) near(scheme group.Scheme, ctx tape.Context) error {
	if err := carried(ctx); err != nil {
		return err
	}
	if ctx.Organisation == scheme.Organisation || slices.ContainsFunc(l.Lenders, func(one Lender) bool { return one.Organisation == ctx.Organisation }) {
		return nil
	}
	return rule.Refuse(rule.Forbidden, "%s neither lends %s nor runs %s", ctx.Organisation, l.ID, scheme.Account)
}

// Default makes it a fact that a loan is in default.
type Default struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
}

// Default judges the command of the originator: more days past due than the
// scheme allows, and all notices given. That maker and checker signed is judged by the caller.
func (l Loan) Default(c Default, version group.SchemeTerms, notices []*Notice, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only a running loan is in default", Running)); err != nil {
		return refuse(err)
	}
	owed, err := l.Owed(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if l.inDefault(owed) {
		return refuse(rule.Refuse(rule.WrongState, "loan %s is in default since %s", l.ID, l.Defaulted))
	}
	if owed.DaysPastDue <= version.DefaultDays {
		return refuse(rule.Refuse(rule.Early, "loan %s is %d days past due; it is in default after %d", l.ID, owed.DaysPastDue, version.DefaultDays))
	}
	for i, days := range version.NoticeDays {
		if notices[i] == nil {
			return refuse(rule.Refuse(rule.WrongState, "the notice after %d days about instalment %d of loan %s was not given", days, owed.Oldest, l.ID))
		}
	}
	entry := ctx.Entry(c.ID, "default-loan", string(l.Scheme))
	l.Defaulted = ctx.Date
	return l.touched(entry), entry, nil
}

// NoticeKeys are those of a loan's notices about its oldest overdue instalment on a day.
func (l Loan) NoticeKeys(version group.SchemeTerms, day tape.Date) ([]string, error) {
	owed, err := l.Owed(day)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(version.NoticeDays))
	for i, days := range version.NoticeDays {
		keys[i] = NoticeKey(l.Scheme, l.ID, owed.Oldest, days)
	}
	return keys, nil
}

// StayKinds are the disasters that a county declares.
func StayKinds() []string {
	return []string{"drought", "flood", "frost", "hail", "disease", "price-collapse"}
}

// With is what stands for the scheme once another stay was declared on a day.
func (s *Stays) With(declared Stay, day tape.Date) Stays {
	next := Stays{V: 1, Entry: declared.Entry}
	if s != nil {
		next.Stays = slices.DeleteFunc(slices.Clone(s.Stays), func(one Stay) bool { return one.To < day })
	}
	next.Stays = append(next.Stays, declared)
	return next
}

// On is the stay in force on a day, of several the one that ends last; nil for none.
func (s *Stays) On(day tape.Date) *Stay {
	var found *Stay
	if s == nil {
		return nil
	}
	for i, one := range s.Stays {
		if one.From <= day && day <= one.To && (found == nil || found.To < one.To) {
			found = &s.Stays[i]
		}
	}
	return found
}

// DeclareStay declares a disaster: no guarantor of the scheme is called while it lasts.
type DeclareStay struct {
	Account tape.AccountID `json:"account"`
	From    tape.Date      `json:"from"`
	// ID is the entry's and the stay's.
	ID   tape.ID   `json:"id"`
	Kind string    `json:"kind"`
	To   tape.Date `json:"to"`
}

// Declare judges the command of a regulator; one of its staff signs. A stay moves
// no due date and forgives nothing: a common shock must not run through the guarantees.
func (c DeclareStay) Declare(version group.SchemeTerms, ctx tape.Context) (Stay, tape.Entry, error) {
	refuse := func(err error) (Stay, tape.Entry, error) { return Stay{}, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway || !ctx.Has(party.Regulator) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) holds no power of a regulator; a county declares a disaster", ctx.Organisation, ctx.Role))
	}
	if err := rule.First(party.SignedBy(ctx, ctx.Organisation), rule.Field("kind", rule.OneOf(c.Kind, StayKinds()...)), rule.Field("from", c.From.Check()), rule.Field("to", c.To.Check())); err != nil {
		return refuse(err)
	}
	if days := c.From.DaysUntil(c.To); days < 0 || days >= int(version.StayDaysMax) {
		return refuse(rule.Field("to", rule.Refuse(rule.Invalid, "%s is not within %d days from %s", c.To, version.StayDaysMax, c.From)))
	}
	if c.To < ctx.Date {
		return refuse(rule.Field("to", rule.Refuse(rule.Invalid, "%s has passed", c.To)))
	}
	entry := ctx.Entry(c.ID, "declare-stay", string(c.Account))
	return Stay{V: 1, From: c.From, To: c.To, Kind: c.Kind, Entry: entry.Reference()}, entry, nil
}
