package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Apply asks for a loan. The household signs it; guarantors may sign the same
// command, or consent later.
type Apply struct {
	Account   tape.AccountID `json:"account"`
	Amount    money.Amount   `json:"amount"`
	Group     tape.ID        `json:"group"`
	Household tape.AccountID `json:"household"`
	// ID is the entry's and the loan's.
	ID             tape.ID `json:"id"`
	Product        tape.ID `json:"product"`
	ProductVersion int32   `json:"productVersion"`
	Purpose        string  `json:"purpose"`
	// Terms are the product's, with this loan's days.
	Terms terms.Terms `json:"terms"`
}

// Frame is what stands around an application: the scheme with the version of its
// terms in force, the product as it is offered, and the group.
type Frame struct {
	Scheme  group.Scheme
	Version group.SchemeTerms
	Offer   *Offer
	Product *Product
	Group   *group.Group
	// Standing is of the group's living members, in their order.
	Standing []Standing
	// Assessment is what the model of credit says of the borrower.
	Assessment Assessment
}

// Standing is what is known of a member of the group.
type Standing struct {
	Member   *group.Member
	Debts    group.Debts
	Borrowed group.Borrowed
}

// Assessment is a score and what follows from it, as package credit reckons it
// from inputs on the ledger.
type Assessment struct {
	Outcome string
	Reasons []string
	Score   int32
	Limit   money.Amount
	Model   string
}

// The outcomes of an assessment.
const (
	Approve = "approve"
	Refer   = "refer"
	Refuse  = "refuse"
)

// Apply judges the command. That its id is free is judged by the caller.
func (c Apply) Apply(f Frame, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return Loan{}, tape.Entry{}, err }
	if err := carried(ctx); err != nil {
		return refuse(err)
	}
	if err := rule.First(rule.Field("id", c.ID.Check()), rule.Field("household", c.Household.Check()), c.offered(f)); err != nil {
		return refuse(err)
	}
	if err := rule.First(c.within(f), c.guaranteed(f)); err != nil { // both look into the product
		return refuse(err)
	}
	termEnd, err := c.ends(f, ctx.Date)
	if err != nil {
		return refuse(rule.Field("terms", err))
	}
	borrower, err := f.borrower(c.Household, c.Amount, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	product := f.Product
	entry := ctx.Entry(c.ID, "apply-for-loan", string(c.Account))
	l := Loan{V: 1, Scheme: c.Account, ID: c.ID, State: Applied, Household: c.Household, Person: borrower.PersonOn(ctx.At), Fingerprint: borrower.Fingerprint,
		Group: c.Group, SchemeVersion: f.Group.Agreement.Terms, Product: c.Product, ProductVersion: c.ProductVersion, Organisation: product.Organisation, Carrier: ctx.Organisation, Purpose: c.Purpose,
		Principal: c.Amount, Terms: c.Terms, Lenders: product.Conditions.Lenders, Supplies: product.Conditions.Supplies,
		ToleranceUnits: product.Conditions.ToleranceUnits, TranchesMax: product.Conditions.TranchesMax, TermEnd: termEnd, Applied: ctx.Date,
		At: ctx.At, Entry: entry.Reference()}
	if l.Guarantors, err = f.guarantors(c.Household, ctx.At); err != nil {
		return refuse(err)
	}
	if err := signedByOwn(ctx, l.Person, "borrows"); err != nil {
		return refuse(err)
	}
	if l, err = l.consented(ctx, entry); err != nil {
		return refuse(err)
	}
	return l.assessed(f.Assessment, entry), entry, nil
}

// carried refuses what no gateway brings.
func carried(ctx tape.Context) error {
	if ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) is no gateway; gateways carry what people sign", ctx.Organisation, ctx.Role)
	}
	return nil
}

// offered refuses a product that is not offered, or another version than is.
func (c Apply) offered(f Frame) error {
	if f.Scheme.Version == 0 {
		return rule.Field("account", rule.Refuse(rule.WrongState, "%s waits for its lenders; no loans are made in it yet", c.Account))
	}
	if f.Product == nil || f.Offer == nil {
		return rule.Field("product", rule.Refuse(rule.NotFound, "there is no version %d of a product %s in %s", c.ProductVersion, c.Product, c.Account))
	}
	if f.Offer.Version != c.ProductVersion {
		return rule.Field("productVersion", rule.Refuse(rule.WrongState, "version %d of %s is not offered now", c.ProductVersion, c.Product))
	}
	return nil
}

// within refuses an amount or a purpose that the product is not for, and other terms than its own.
func (c Apply) within(f Frame) error {
	conditions := f.Product.Conditions
	if err := rule.Field("amount", c.Amount.Positive(conditions.PrincipalMax.Currency)); err != nil {
		return err
	}
	if c.Amount.Units < conditions.PrincipalMin.Units || c.Amount.Units > conditions.PrincipalMax.Units {
		return rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not %s to %s, which %s lends", c.Amount, conditions.PrincipalMin, conditions.PrincipalMax, c.Product))
	}
	if !slices.Contains(conditions.Purposes, c.Purpose) {
		return rule.Field("purpose", rule.Refuse(rule.Invalid, "is not one that %s lends for: %v", c.Product, conditions.Purposes))
	}
	asked := c.Terms
	asked.FirstDue, asked.DueDates = "", nil
	if len(c.Terms.DueDates) > 0 { // days of their own take the place of an interval
		asked.Every = conditions.Terms.Every
	}
	if !same(asked, conditions.Terms) {
		return rule.Field("terms", rule.Refuse(rule.Conflict, "are not those of version %d of %s; only days are a loan's own", c.ProductVersion, c.Product))
	}
	return nil
}

// guaranteed refuses a loan of a lender towards whom the group guarantees nothing.
func (c Apply) guaranteed(f Frame) error {
	if f.Group == nil {
		return rule.Field("group", rule.Refuse(rule.NotFound, "there is no group %s in %s", c.Group, c.Account))
	}
	for _, lender := range f.Product.Conditions.Lenders {
		if !slices.Contains(f.Group.Agreement.Lenders, lender.Organisation) {
			return rule.Field("product", rule.Refuse(rule.Forbidden, "is lent by %s; group %s guarantees towards %v", lender.Organisation, c.Group, f.Group.Agreement.Lenders))
		}
	}
	return nil
}

// same compares by the one spelling.
func same[R any](a, b R) bool {
	one, err := canonical.Encode(a)
	other, err2 := canonical.Encode(b)
	return err == nil && err2 == nil && string(one) == string(other)
}

// ends is the last day on which an instalment may fall due. A loan whose last
// instalment is planned behind it is refused: no loan outlasts its group's
// agreement (guideline of 2004, restated by IMAR art. 6).
func (c Apply) ends(f Frame, day tape.Date) (tape.Date, error) {
	end := min(day.AddDays(int(f.Product.Conditions.TermDaysMax)), f.Group.Agreement.Expiry)
	schedule, err := c.Terms.Schedule([]terms.Advance{{Amount: c.Amount, Date: day}})
	if err != nil {
		return "", err
	}
	if last := schedule.Instalments[len(schedule.Instalments)-1].Due; last > end {
		return "", rule.Refuse(rule.Invalid, "end on %s; %s lends for %d days, and the agreement of group %s ends on %s", last, c.Product, f.Product.Conditions.TermDaysMax, c.Group, f.Group.Agreement.Expiry)
	}
	return end, nil
}

// borrower is the member who asks; refused where the group may not stand for it now.
func (f Frame) borrower(household tape.AccountID, amount money.Amount, day tape.Date) (group.Member, error) {
	borrowed := make([]group.Borrowed, len(f.Standing))
	var found *group.Member
	for i, standing := range f.Standing {
		if borrowed[i] = standing.Borrowed; standing.Debts.Household == household {
			found = standing.Member
		}
	}
	if err := f.Group.MayBorrow(household, f.Version, borrowed, day); err != nil {
		return group.Member{}, err
	}
	if found == nil || found.State != group.Admitted {
		return group.Member{}, rule.Field("household", rule.Refuse(rule.WrongState, "%s is no admitted member of %s", household, f.Scheme.Account))
	}
	if err := f.Group.ExposureAllowed(household, amount, f.Version, borrowed); err != nil {
		return group.Member{}, err
	}
	return *found, f.regular()
}

// regular refuses a loan while somebody of the group is overdue anywhere, is
// called, or owes a guarantor: filed as a freeze or not.
func (f Frame) regular() error {
	for _, standing := range f.Standing {
		d := standing.Debts
		switch {
		case d.OverdueLoan != "":
			return rule.Field("group", rule.Refuse(rule.WrongState, "%s is overdue with %s; the group borrows nothing until that is cured", d.Household, d.OverdueLoan))
		case d.OpenCall != "":
			return rule.Field("group", rule.Refuse(rule.WrongState, "%s has not paid the call %s; the group borrows nothing until that is done", d.Household, d.OpenCall))
		case d.OpenRecourse != "":
			return rule.Field("group", rule.Refuse(rule.WrongState, "%s owes %s to those who paid for it; the group borrows nothing until that is done", d.Household, d.OpenRecourse))
		}
	}
	return nil
}

// guarantors are the group's other members with their shares and who signs for them.
func (f Frame) guarantors(borrower tape.AccountID, at tape.Instant) ([]Guarantor, error) {
	shares, err := f.Group.Guarantors(borrower, at)
	if err != nil {
		return nil, err
	}
	guarantors := make([]Guarantor, len(shares))
	for i, share := range shares {
		j := slices.IndexFunc(f.Standing, func(s Standing) bool { return s.Debts.Household == share.Household })
		if j < 0 || f.Standing[j].Member == nil {
			return nil, rule.Field("group", rule.Refuse(rule.NotFound, "guarantor %s is no member of %s", share.Household, f.Scheme.Account))
		}
		member := f.Standing[j].Member
		guarantors[i] = Guarantor{Household: share.Household, Person: member.PersonOn(at), Fingerprint: member.Fingerprint, PartsPerMillion: share.PartsPerMillion}
	}
	return guarantors, nil
}

// signedByOwn refuses an obligation that its person has not signed by a key in its own hands.
func signedByOwn(ctx tape.Context, person tape.ID, does string) error {
	for _, a := range ctx.Approvals {
		if a.Person == person {
			return ownHands(a, does)
		}
	}
	return rule.Refuse(rule.Forbidden, "%s %s and has not signed", person, does)
}

// ownHands refuses a key that somebody else holds: nobody is bound by another's hand.
func ownHands(a tape.Approval, does string) error {
	if custody := party.Custody(a.Custody); custody != party.Own && custody != party.Card {
		return rule.Refuse(rule.Forbidden, "%s %s by a key that is %s; who binds itself signs with a key or a card of its own", a.Person, does, a.Custody)
	}
	return nil
}

// consented notes the guarantors among those who signed. Others than borrower
// and guarantors have no part in it.
func (l Loan) consented(ctx tape.Context, entry tape.Entry) (Loan, error) {
	l.Guarantors = slices.Clone(l.Guarantors)
	for i := range ctx.Approvals {
		a := ctx.Approvals[i]
		if a.Person == l.Person {
			continue
		}
		j := slices.IndexFunc(l.Guarantors, func(g Guarantor) bool { return g.Person == a.Person })
		if j < 0 {
			return l, rule.Refuse(rule.Forbidden, "%s is neither borrower nor guarantor of loan %s", a.Person, l.ID)
		}
		if l.Guarantors[j].Consented != nil {
			return l, rule.Refuse(rule.WrongState, "%s has consented to loan %s, by entry %s", a.Person, l.ID, l.Guarantors[j].Entry)
		}
		if err := ownHands(a, "guarantees"); err != nil {
			return l, err
		}
		l.Guarantors[j].Consented, l.Guarantors[j].Entry = &a, entry.Reference()
	}
	return l, nil
}

// awaited is the first guarantor who has not consented, "" for none.
func (l Loan) awaited() tape.AccountID {
	for _, g := range l.Guarantors {
		if g.Consented == nil {
			return g.Household
		}
	}
	return ""
}

// assessed decides as soon as all have consented: in the transaction of the last consent.
func (l Loan) assessed(a Assessment, entry tape.Entry) Loan {
	if l.awaited() != "" {
		return l
	}
	l.Decision = &Decision{Outcome: a.Outcome, Reasons: a.Reasons, Score: a.Score, Limit: a.Limit, Model: a.Model, Date: entry.BusinessDate, Entry: entry.Reference()}
	switch {
	case a.Outcome == Refuse:
		l.State = Refused
	case a.Outcome == Approve && l.Principal.Units <= a.Limit.Units:
		l.State = Approved
	default:
		l.State = Referred
	}
	return l
}

// Guarantee is a guarantor's consent to an application.
type Guarantee struct {
	Account tape.AccountID `json:"account"`
	// Application is the entry of the application, organisation/id: what is consented to.
	Application string  `json:"application"`
	ID          tape.ID `json:"id"`
	Loan        tape.ID `json:"loan"`
}

// Guarantee judges the command.
func (l Loan) Guarantee(c Guarantee, f Frame, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("only an application waits for consent", Applied)); err != nil {
		return refuse(err)
	}
	if c.Application != l.applied() {
		return refuse(rule.Field("application", rule.Refuse(rule.Conflict, "is another entry than %s, by which loan %s was asked for", l.applied(), l.ID)))
	}
	if len(ctx.Approvals) == 0 || slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == l.Person }) {
		return refuse(rule.Refuse(rule.Forbidden, "guarantors of loan %s sign, and nobody else", l.ID))
	}
	if _, err := f.borrower(l.Household, l.Principal, ctx.Date); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "guarantee-loan", string(l.Scheme))
	after, err := l.consented(ctx, entry)
	if err != nil {
		return refuse(err)
	}
	return after.assessed(f.Assessment, entry).touched(entry), entry, nil
}

// applied is the entry by which the loan was asked for: its id is the loan's.
func (l Loan) applied() string { return l.Carrier + "/" + string(l.ID) }

// must refuses a loan that is in none of some states.
func (l Loan) must(why string, states ...State) error {
	if slices.Contains(states, l.State) {
		return nil
	}
	return rule.Refuse(rule.WrongState, "loan %s is %s; %s", l.ID, l.State, why)
}

// changed refuses a moment before the loan's last change.
func (l Loan) changed(ctx tape.Context) error {
	if ctx.At < l.At {
		return rule.Refuse(rule.Conflict, "loan %s was changed at %s, after %s", l.ID, l.At, ctx.At)
	}
	return nil
}

// touched notes the entry that changed the loan.
func (l Loan) touched(entry tape.Entry) Loan {
	l.At, l.Entry = entry.At, entry.Reference()
	return l
}

// DecideReasons say why a lender approves or refuses: a closed list.
func DecideReasons() []string {
	return []string{"meets-conditions", "income", "history", "purpose", "exposure", "documents", "collateral"}
}

// Decide is the lender's decision on an application that was referred to it.
type Decide struct {
	Account tape.AccountID `json:"account"`
	// Amount is what is approved; zero refuses.
	Amount money.Amount `json:"amount"`
	ID     tape.ID      `json:"id"`
	Loan   tape.ID      `json:"loan"`
	Reason string       `json:"reason"`
}

// Decide judges the command. That maker and checker signed is judged by the caller against the policy.
func (l Loan) Decide(c Decide, f Frame, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only what was referred is decided", Referred), l.ofOthers(ctx), rule.Field("reason", rule.OneOf(c.Reason, DecideReasons()...))); err != nil {
		return refuse(err)
	}
	if c.Amount.Currency != l.Principal.Currency || c.Amount.Units < 0 || c.Amount.Units > l.Principal.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not zero to %s, which was asked", c.Amount, l.Principal)))
	}
	entry := ctx.Entry(c.ID, "decide-loan", string(l.Scheme))
	decided := &Decided{Principal: c.Amount, Reason: c.Reason, Date: ctx.Date, Entry: entry.Reference()}
	if c.Amount.Units == 0 {
		l.State, l.Decided = Refused, decided
		return l.touched(entry), entry, nil
	}
	if c.Amount.Units < f.Product.Conditions.PrincipalMin.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Invalid, "%s is less than %s, the least that %s lends", c.Amount, f.Product.Conditions.PrincipalMin, l.Product)))
	}
	if _, err := f.borrower(l.Household, c.Amount, ctx.Date); err != nil {
		return refuse(err)
	}
	l.State, l.Principal, l.Decided = Approved, c.Amount, decided
	return l.touched(entry), entry, nil
}

// ofOthers refuses a decision by who borrows or guarantees.
func (l Loan) ofOthers(ctx tape.Context) error {
	for _, a := range ctx.Approvals {
		if a.Person == l.Person || slices.ContainsFunc(l.Guarantors, func(g Guarantor) bool { return g.Person == a.Person }) {
			return rule.Refuse(rule.Forbidden, "%s borrows or guarantees loan %s and does not decide on it", a.Person, l.ID)
		}
	}
	return nil
}

// originator refuses whoever is not the gateway of the lender that decides.
func (l Loan) originator(ctx tape.Context) error {
	if ctx.Organisation != l.Organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not lend %s; %s does", ctx.Organisation, ctx.Role, l.ID, l.Organisation)
	}
	return nil
}

// WithdrawLoan ends an application, a contract under which nothing was disbursed, or a
// line of which nothing is owed.
type WithdrawLoan struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
}

// Withdraw judges the command: the borrower signs it, by a key of any custody. A line
// that is drawn no more anybody ends.
func (l Loan) Withdraw(c WithdrawLoan, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	states := []State{Applied, Referred, Approved, Contracted}
	if l.Terms.Revolving {
		states = append(states, Running)
	}
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("what is disbursed is repaid, not withdrawn", states...), l.withdraws(ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "withdraw-loan", string(l.Scheme))
	if l.State == Running {
		ended, err := l.ended(ctx.Date)
		if err != nil {
			return refuse(err)
		}
		return ended.touched(entry), entry, nil
	}
	if l = l.lapsed(); l.ordered() > 0 {
		return refuse(rule.Refuse(rule.WrongState, "%s of loan %s are on their way", money.New(l.ordered(), l.Principal.Currency), l.ID))
	}
	if err := l.unsettled(ctx.Date); err != nil {
		return refuse(err)
	}
	l.State = Withdrawn
	return l.touched(entry), entry, nil
}

// withdraws refuses whoever is not the borrower; nobody needs to sign that a line has ended.
func (l Loan) withdraws(ctx tape.Context) error {
	over := l.Terms.Revolving && slices.Contains([]State{Contracted, Running}, l.State) && !l.Revolves(ctx.Date)
	if over && len(ctx.Approvals) == 0 || len(ctx.Approvals) == 1 && ctx.Approvals[0].Person == l.Person {
		return nil
	}
	return rule.Refuse(rule.Forbidden, "%s, who asked for loan %s, signs alone", l.Person, l.ID)
}
