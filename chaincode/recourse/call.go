package recourse

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// MakeCall calls everybody who guarantees a loan.
type MakeCall struct {
	// Account is the scheme.
	Account    tape.AccountID   `json:"account"`
	Amount     money.Amount     `json:"amount"`
	Guarantors []tape.AccountID `json:"guarantors"`
	// ID is the entry's and the call's.
	ID tape.ID `json:"id"`
	// Instalments are the numbers of those that are called, ascending; 0 are
	// charges that belong to none, such as the cost of enforcement (art. 691).
	Instalments []int32 `json:"instalments"`
	Loan        tape.ID `json:"loan"`
}

// Check refuses what is malformed.
func (c MakeCall) Check() error {
	if err := rule.First(checkNames(c.Account, c.Loan, c.ID), rule.Field("amount", c.Amount.Positive(c.Amount.Currency))); err != nil {
		return err
	}
	if n := len(c.Instalments); n == 0 || n > InstalmentsMax {
		return rule.Field("instalments", rule.Refuse(rule.Invalid, "names %d; a call is for 1 to %d", n, InstalmentsMax))
	}
	for i, n := range c.Instalments {
		if n < 0 || i > 0 && n <= c.Instalments[i-1] {
			return rule.Item("instalments", i, rule.Refuse(rule.Invalid, "is %d; numbers begin at 0 and ascend", n))
		}
	}
	if n := len(c.Guarantors); n == 0 || n > GuarantorsMax {
		return rule.Field("guarantors", rule.Refuse(rule.Invalid, "names %d; a call is of 1 to %d", n, GuarantorsMax))
	}
	for i, household := range c.Guarantors {
		if err := household.Check(); err != nil {
			return rule.Item("guarantors", i, err)
		}
		if slices.Contains(c.Guarantors[:i], household) {
			return rule.Item("guarantors", i, rule.Refuse(rule.Invalid, "%s stands twice", household))
		}
	}
	return nil
}

func checkNames(scheme tape.AccountID, loan, call tape.ID) error {
	return rule.First(rule.Field("account", scheme.Check()), rule.Field("loan", loan.Check()), rule.Field("id", call.Check()))
}

// Call judges the command; last is the loan's last call, nil for none. That maker
// and checker of the lender signed is checked against the policy by the caller.
func (d Debt) Call(command MakeCall, terms Terms, last *Call, ctx tape.Context) (Call, LastCall, tape.Entry, error) {
	refuse := func(err error) (Call, LastCall, tape.Entry, error) { return Call{}, LastCall{}, tape.Entry{}, err }
	if err := rule.First(command.Check(), d.asks(command, ctx), party.SignedBy(ctx, d.Lender), d.due(terms, last, ctx), d.names(command), d.noticed(terms), d.amount(command)); err != nil {
		return refuse(err)
	}
	guarantors, err := d.called(command, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "make-call", string(command.Account))
	for i := range guarantors {
		guarantors[i].Until = ctx.Date.AddDays(int(terms.CureDays))
	}
	call := Call{V: 1, Scheme: d.Scheme, Loan: d.Loan, ID: command.ID, Lender: d.Lender, CoLenders: d.CoLenders, Cooperative: d.Cooperative, Debtor: d.Debtor, Amount: command.Amount,
		Instalments: command.Instalments, Date: ctx.Date, CureDays: terms.CureDays, Guarantors: guarantors, State: Open, At: ctx.At, Entry: entry.Reference()}
	if most := sum(call.shares()); most < command.Amount.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; the guarantors have %s left to guarantee (art. 690)", command.Amount, money.New(most, d.Currency))))
	}
	return call, LastCall{V: 1, Call: call.ID, Entry: call.Entry}, entry, nil
}

func (c Call) shares() []int64 { return ownShares(c.Open()+c.Borne(), c.members()) }

// asks refuses anybody but the lender, and figures of another loan.
func (d Debt) asks(command MakeCall, ctx tape.Context) error {
	if d.Scheme != command.Account || d.Loan != command.Loan {
		return rule.Field("loan", rule.Refuse(rule.NotFound, "there is no loan %s of %s", command.Loan, command.Account))
	}
	if ctx.Organisation != d.Lender || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not call the guarantors of loan %s; its lender %s does", ctx.Organisation, ctx.Role, d.Loan, d.Lender)
	}
	return nil
}

// due refuses a call that comes too early, or beside another.
func (d Debt) due(terms Terms, last *Call, ctx tape.Context) error {
	if last != nil && last.State == Open {
		return rule.Field("loan", rule.Refuse(rule.WrongState, "call %s of loan %s is open", last.ID, d.Loan))
	}
	if d.DaysPastDue <= terms.DefaultDays {
		return rule.Refuse(rule.Early, "loan %s is %d days past due; guarantors are called after more than %d", d.Loan, d.DaysPastDue, terms.DefaultDays)
	}
	if d.StayedUntil != "" && ctx.Date <= d.StayedUntil {
		return rule.Refuse(rule.Early, "no guarantor is called until %s: a disaster was declared", d.StayedUntil)
	}
	return nil
}

// binds reports whether a guarantor stands for the loan: of one that repaid
// another only who guaranteed that one too, or knew (Interpretation art. 16).
func (d Debt) binds(g Bound) bool { return d.Refinances == "" || g.Knew }

// names refuses a call that leaves a guarantor out: a claim on one does not count
// for the others, and who loses recourse by it is free to that extent (Interpretation art. 29).
func (d Debt) names(command MakeCall) error {
	for _, g := range d.Guarantors {
		if d.binds(g) && !slices.Contains(command.Guarantors, g.Household) {
			return rule.Field("guarantors", rule.Refuse(rule.Conflict, "leaves out %s; a call on the others is none on it (Interpretation art. 29)", g.Household))
		}
	}
	for i, household := range command.Guarantors {
		at := slices.IndexFunc(d.Guarantors, func(g Bound) bool { return g.Household == household })
		if at < 0 {
			return rule.Item("guarantors", i, rule.Refuse(rule.NotFound, "%s does not guarantee loan %s", household, d.Loan))
		}
		if !d.binds(d.Guarantors[at]) {
			return rule.Item("guarantors", i, rule.Refuse(rule.Forbidden, "%s is not bound: loan %s repaid loan %s, which it neither guaranteed nor knew of (Interpretation art. 16)", household, d.Loan, d.Refinances))
		}
	}
	return nil
}

// noticed refuses a call before the debtor and every guarantor had each notice.
func (d Debt) noticed(terms Terms) error {
	households := []tape.AccountID{d.Debtor}
	for _, g := range d.Guarantors {
		if d.binds(g) {
			households = append(households, g.Household)
		}
	}
	for _, day := range terms.NoticeDays {
		for _, household := range households {
			if !slices.Contains(d.Notices, Notice{household, day}) {
				return rule.Refuse(rule.WrongState, "%s had no notice of day %d", household, day)
			}
		}
	}
	return nil
}

// amount refuses more than the debtor owes on the instalments that are called:
// no guarantor owes more than the debtor (Interpretation art. 3).
func (d Debt) amount(command MakeCall) error {
	if err := rule.Field("amount", command.Amount.Positive(d.Currency)); err != nil {
		return err
	}
	owed := int64(0)
	for i, n := range command.Instalments {
		instalment, err := d.instalment(n)
		if err != nil {
			return rule.Item("instalments", i, err)
		}
		owed += instalment.Unpaid
	}
	if command.Amount.Units > owed {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; the debtor owes %s on these instalments, and no guarantor more than that (Interpretation art. 3)", command.Amount, money.New(owed, d.Currency)))
	}
	return nil
}

func (d Debt) instalment(n int32) (Instalment, error) {
	for _, instalment := range d.Overdue {
		if instalment.N == n {
			return instalment, nil
		}
	}
	return Instalment{}, rule.Refuse(rule.NotFound, "instalment %d of loan %s is not overdue", n, d.Loan)
}

// called are the guarantors as the call begins. Each has a period of its own
// for each instalment; nothing interrupts it (art. 692), and a claim on another
// does not keep it (Interpretation art. 29).
func (d Debt) called(command MakeCall, on tape.Date) ([]Guarantor, error) {
	var guarantors []Guarantor // in the order of their names: an odd unit is the first one's, here as in a sale
	agreed := slices.ContainsFunc(d.Guarantors, func(g Bound) bool { return g.Share > 0 })
	for _, g := range d.Guarantors {
		if !d.binds(g) {
			continue
		}
		if agreed != (g.Share > 0) || g.Share < 0 || g.Months < 1 || g.Left.Units < 0 || g.Left.Currency != d.Currency {
			return nil, rule.Refuse(rule.Conflict, "%s has %d parts, %s left to guarantee and %d months; parts are agreed for all or for none", g.Household, g.Share, g.Left, g.Months)
		}
		last, err := d.within(g, command.Instalments, on)
		if err != nil {
			return nil, err
		}
		guarantors = append(guarantors, Guarantor{Household: g.Household, Share: max(1, g.Share), Max: min(g.Left.Units, command.Amount.Units), Last: last})
	}
	slices.SortFunc(guarantors, func(a, b Guarantor) int { return strings.Compare(string(a.Household), string(b.Household)) })
	return guarantors, nil
}

// within refuses a guarantor whose period has lapsed for an instalment, and
// gives the first of its last days.
func (d Debt) within(g Bound, instalments []int32, on tape.Date) (tape.Date, error) {
	first := tape.Date("")
	for _, n := range instalments {
		instalment, err := d.instalment(n)
		if err != nil {
			return "", err
		}
		last := instalment.Due.AddMonths(int(g.Months))
		if on > last {
			return "", rule.Field("guarantors", rule.Refuse(rule.Expired, "%s guaranteed instalment %d until %s (art. 693)", g.Household, n, last))
		}
		if first == "" || last < first {
			first = last
		}
	}
	return first, nil
}

// WithdrawCall asks no more of what a call asks: the loan was restructured, or
// nobody can pay. It frees nobody from the guarantee.
type WithdrawCall struct {
	Account tape.AccountID `json:"account"`
	Call    tape.ID        `json:"call"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
}

// Withdraw judges the command. That maker and checker of the lender signed is
// checked against the policy by the caller.
func (c Call) Withdraw(command WithdrawCall, ctx tape.Context) (Call, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.lender(ctx), c.open(), party.SignedBy(ctx, c.Lender), c.notBefore(ctx)); err != nil {
		return c, tape.Entry{}, err
	}
	c.Withdrawn += c.Open()
	entry := ctx.Entry(command.ID, "withdraw-call", string(c.Scheme))
	return c.Changed(entry), entry, nil
}

// stated is the call with the state that its figures give.
func (c Call) stated() Call {
	switch c.State = Closed; {
	case c.Open() > 0:
		c.State = Open
	case c.Borne() > 0:
		c.State = Met
	}
	return c
}

// Changed is the call after an entry.
func (c Call) Changed(entry tape.Entry) Call {
	c = c.stated()
	c.At, c.Entry = entry.At, entry.Reference()
	return c
}

// at is the call with one guarantor changed.
func (c Call) at(i int, change func(*Guarantor)) Call {
	c.Guarantors = slices.Clone(c.Guarantors)
	change(&c.Guarantors[i])
	return c
}

// is refuses a command about another call.
func (c Call) is(scheme tape.AccountID, loan, id tape.ID) error {
	if c.Scheme != scheme || c.Loan != loan || c.ID != id {
		return rule.Field("call", rule.Refuse(rule.NotFound, "there is no call %s of loan %s of %s", id, loan, scheme))
	}
	return nil
}

// lender refuses anybody but the lender's gateway.
func (c Call) lender(ctx tape.Context) error {
	if ctx.Organisation != c.Lender || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not run call %s; its lender %s does", ctx.Organisation, ctx.Role, c.ID, c.Lender)
	}
	return nil
}

// keeper refuses anybody but the gateways of lender and cooperative.
func (c Call) keeper(ctx tape.Context) error {
	if ctx.Organisation != c.Lender && ctx.Organisation != c.Cooperative || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) keeps no books of call %s; %s and %s do", ctx.Organisation, ctx.Role, c.ID, c.Lender, c.Cooperative)
	}
	return nil
}

// open refuses a call by which the lender asks nothing any more.
func (c Call) open() error {
	if c.State != Open {
		return rule.Refuse(rule.WrongState, "call %s is %s", c.ID, c.State)
	}
	return nil
}

// notBefore refuses a transaction that is older than the last change.
func (c Call) notBefore(ctx tape.Context) error {
	if ctx.At < c.At {
		return rule.Refuse(rule.Conflict, "the transaction is of %s, before the last change of %s; set the clock and send it again", ctx.At, c.At)
	}
	return nil
}

// guarantor finds one, and refuses who is none.
func (c Call) guarantor(field string, household tape.AccountID) (int, error) {
	i := c.index(household)
	if i < 0 {
		return i, rule.Field(field, rule.Refuse(rule.NotFound, "%s was not called by %s", household, c.ID))
	}
	return i, nil
}

func checkEvidence(evidence []Citation) error {
	if len(evidence) == 0 || len(evidence) > EvidenceMax {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "holds %d documents; 1 to %d show that somebody cannot pay", len(evidence), EvidenceMax))
	}
	for i, citation := range evidence {
		if err := rule.Field("kind", rule.OneOf(citation.Kind, CitationKinds()...)); err != nil {
			return rule.Item("evidence", i, err)
		}
		if citation.Hash == (merkle.Hash{}) || slices.ContainsFunc(evidence[:i], func(c Citation) bool { return c.Hash == citation.Hash }) {
			return rule.Item("evidence", i, rule.Field("hash", rule.Refuse(rule.Invalid, "is empty or stands twice")))
		}
	}
	return nil
}
