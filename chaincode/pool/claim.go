package pool

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// SubmitClaim asks for compensation, or asks again after it was returned.
type SubmitClaim struct {
	Account  tape.AccountID `json:"account"`
	Claim    tape.ID        `json:"claim"`
	Evidence []Citation     `json:"evidence"`
	ID       tape.ID        `json:"id"`
	Loan     tape.ID        `json:"loan"`
	Scheme   tape.AccountID `json:"scheme"`
}

// Check refuses what is malformed.
func (c SubmitClaim) Check() error {
	if err := rule.First(rule.Field("claim", c.Claim.Check()), rule.Field("loan", c.Loan.Check()), rule.Field("scheme", c.Scheme.Check())); err != nil {
		return err
	}
	if len(c.Evidence) == 0 || len(c.Evidence) > EvidenceMax {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "holds %d documents; 1 to %d show what was done to recover", len(c.Evidence), EvidenceMax))
	}
	for i, citation := range c.Evidence {
		if err := rule.Field("kind", rule.OneOf(citation.Kind, CitationKinds()...)); err != nil {
			return rule.Item("evidence", i, err)
		}
		if citation.Hash == (merkle.Hash{}) || slices.ContainsFunc(c.Evidence[:i], func(other Citation) bool { return other.Hash == citation.Hash }) {
			return rule.Item("evidence", i, rule.Field("hash", rule.Refuse(rule.Invalid, "is empty or stands twice")))
		}
	}
	return nil
}

// Ground is what a claim is judged by.
type Ground struct {
	Loan   Loan
	Lender *Lender     // LenderKey of the loan's lender
	Terms  TermsRecord // TermsKey of Lender.TermsOn(Loan.Contracted)
	// AtContract and AtDefault are the lender's snapshots of QuarterBefore the two days.
	AtContract, AtDefault *Snapshot
	Consent               *Consent // ConsentKey of the loan
}

// SubmitState is what SubmitClaim reads beside the pool.
type SubmitState struct {
	Ground
	Known *Claim // ClaimKey
	// Last is the claim that ClaimedKey of the loan names, in whichever pool.
	Last *Claim
}

// Submit judges the command. That maker and checker of the lender signed is
// checked against the policy by the caller.
func (p Pool) Submit(command SubmitClaim, state SubmitState, ctx tape.Context) (Claim, Claimed, tape.Entry, error) {
	refuse := func(err error) (Claim, Claimed, tape.Entry, error) { return Claim{}, Claimed{}, tape.Entry{}, err }
	if err := rule.First(p.is(command.Account), command.Check(), p.asks(command, state, ctx), command.anew(state), p.due(state.Ground, ctx.Date)); err != nil {
		return refuse(err)
	}
	ratio, err := p.ratio(state.Ground)
	if err != nil {
		return refuse(err)
	}
	if state.Known != nil {
		if err := notBefore(ctx, state.Known.At); err != nil {
			return refuse(err)
		}
	}
	entry := ctx.Entry(command.ID, "submit-pool-claim", string(p.Account))
	loan := state.Loan
	claim := Claim{V: 1, Account: p.Account, ID: command.Claim, Lender: loan.Lender, Cooperative: loan.Cooperative, Scheme: loan.Scheme, Loan: loan.Loan, State: Submitted, Defaulted: loan.Defaulted, Terms: state.Terms.N,
		Evidence: command.Evidence, Eligible: loan.Eligible(), Quarter: state.AtDefault.Quarter, RatioPartsPerMillion: ratio, At: ctx.At, Entry: entry.Reference()}
	return claim, Claimed{V: 1, Account: p.Account, Claim: claim.ID, Entry: claim.Entry}, entry, nil
}

// asks refuses anybody but the loan's lender, and figures of another loan.
func (p Pool) asks(command SubmitClaim, state SubmitState, ctx tape.Context) error {
	loan := state.Loan
	if loan.Loan != command.Loan || loan.Scheme != command.Scheme {
		return rule.Field("loan", rule.Refuse(rule.NotFound, "there is no loan %s of %s", command.Loan, command.Scheme))
	}
	if ctx.Organisation != loan.Lender || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not claim for loan %s; its lender %s does", ctx.Organisation, ctx.Role, loan.Loan, loan.Lender)
	}
	if err := rule.First(party.SignedBy(ctx, loan.Lender), p.covers(loan.Lender, state.Lender)); err != nil {
		return err
	}
	n, bound := state.Lender.TermsOn(loan.Contracted)
	if !bound {
		return rule.Field("loan", rule.Refuse(rule.Forbidden, "%s was contracted on %s, before %s had a contract with %s", loan.Loan, loan.Contracted, loan.Lender, p.Account))
	}
	if state.Terms.N != n {
		return rule.Refuse(rule.Conflict, "loan %s is under version %d of the terms, not %d", loan.Loan, n, state.Terms.N)
	}
	return nil
}

// anew refuses a second claim for a loan: one that was returned is submitted
// again under its own name, one that was rejected is no hindrance.
func (c SubmitClaim) anew(state SubmitState) error {
	if known := state.Known; known != nil && (known.Loan != c.Loan || known.Scheme != c.Scheme || known.Lender != state.Loan.Lender || known.State != Returned) {
		return rule.Field("claim", rule.Refuse(rule.Exists, "%s is %s", known.ID, known.State))
	}
	if last := state.Last; last != nil && last.State != Rejected && (last.ID != c.Claim || last.Account != c.Account) {
		return rule.Field("loan", rule.Refuse(rule.WrongState, "claim %s of %s for loan %s is %s", last.ID, last.Account, c.Loan, last.State))
	}
	return nil
}

// due refuses a claim before the loan is bad enough and its guarantors were
// called: the pool comes after them.
func (p Pool) due(g Ground, today tape.Date) error {
	loan, terms := g.Loan, g.Terms.Terms
	if err := loan.check(p.Currency); err != nil {
		return err
	}
	if class := slices.Index(Classes(), loan.Class); class < slices.Index(Classes(), terms.ClassMin) {
		return rule.Refuse(rule.Early, "loan %s is %s; the pool compensates from %s on", loan.Loan, loan.Class, terms.ClassMin)
	}
	if loan.DaysPastDue <= terms.DaysMin {
		return rule.Refuse(rule.Early, "loan %s is %d days past due; the pool compensates after more than %d", loan.Loan, loan.DaysPastDue, terms.DaysMin)
	}
	if loan.Called == "" {
		return rule.Refuse(rule.WrongState, "the guarantors of loan %s were not called", loan.Loan)
	}
	if today <= loan.CuredUntil {
		return rule.Refuse(rule.Early, "the guarantors of loan %s have until %s to pay", loan.Loan, loan.CuredUntil)
	}
	if loan.Eligible() == 0 {
		return rule.Refuse(rule.WrongState, "the lender has lost nothing on loan %s", loan.Loan)
	}
	return nil
}

// ratio is what the terms of the loan's day give by the lender's last snapshot
// before its default, in parts per million.
func (p Pool) ratio(g Ground) (int32, error) {
	if err := g.Terms.Terms.Admits(g.AtContract, g.Consent, QuarterBefore(g.Loan.Contracted)); err != nil {
		return 0, err
	}
	at, quarter := g.AtDefault, QuarterBefore(g.Loan.Defaulted)
	if at == nil || at.Quarter != quarter {
		return 0, rule.Refuse(rule.NotFound, "the quarter that ended on %s is not frozen, and it counts", quarter)
	}
	tier, within := g.Terms.Terms.Tier(at.BasisPoints)
	if !within || at.Suspended || tier.RatioPartsPerMillion == 0 {
		return 0, rule.Refuse(rule.Forbidden, "by %d basis points in the quarter of %s the pool pays nothing", at.BasisPoints, quarter)
	}
	return tier.RatioPartsPerMillion, nil
}

// Step moves a claim on: it is verified, reviewed, approved.
type Step struct {
	Account tape.AccountID `json:"account"`
	Claim   tape.ID        `json:"claim"`
	ID      tape.ID        `json:"id"`
}

// Verify is the cooperative's word that the figures are its own books'; ground
// gives them anew.
func (c Claim) Verify(command Step, ground Ground, ctx tape.Context) (Claim, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Claim), carried(ctx, c.Cooperative), c.in(Submitted), party.SignedBy(ctx, c.Cooperative), notBefore(ctx, c.At), c.same(ground)); err != nil {
		return c, tape.Entry{}, err
	}
	c.State = Verified
	return c.changed(ctx.Entry(command.ID, "verify-pool-claim", string(c.Account)))
}

// same refuses figures that have changed since the claim was submitted.
func (c Claim) same(ground Ground) error {
	if eligible := ground.Loan.Eligible(); eligible != c.Eligible || ground.Loan.Loan != c.Loan || ground.Loan.Scheme != c.Scheme {
		return rule.Refuse(rule.Conflict, "claim %s is for a loss of %d, the books now say %d; return it, so that it is submitted anew", c.ID, c.Eligible, eligible)
	}
	return nil
}

// TakeUp is the beginning of the pool's review: who takes it up does not decide alone.
func (p Pool) TakeUp(command Step, c Claim, ctx tape.Context) (Claim, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Claim), p.keeps(ctx), c.in(Verified), party.SignedByOne(ctx, p.Keeper, "takes up a claim"), notBefore(ctx, c.At)); err != nil {
		return c, tape.Entry{}, err
	}
	c.State, c.Reviewer = Review, ctx.Approvals[0].Person
	return c.changed(ctx.Entry(command.ID, "review-pool-claim", string(c.Account)))
}

// Approve judges a claim by the figures of its day; balance is what is free in
// the pool. The compensation is held for the lender by the same transaction, so
// that no other claim is promised it. That maker and checker of the keeper
// signed is checked against the policy by the caller.
func (p Pool) Approve(command Step, c Claim, ground Ground, balance money.Amount, ctx tape.Context) (Claim, Lender, tape.Entry, error) {
	refuse := func(err error) (Claim, Lender, tape.Entry, error) { return c, Lender{}, tape.Entry{}, err }
	if err := rule.First(c.is(command.Account, command.Claim), p.keeps(ctx), c.in(Review), p.decides(c, ctx), notBefore(ctx, c.At), p.covers(c.Lender, ground.Lender)); err != nil {
		return refuse(err)
	}
	if err := rule.First(c.same(ground), p.due(ground, ctx.Date), notBefore(ctx, ground.Lender.At), c.under(ground)); err != nil {
		return refuse(err)
	}
	lender := ground.Lender.inYear(string(ctx.Date[:4]), balance.Units)
	left := share(lender.Base, ground.Terms.Terms.AnnualPartsPerMillion) - lender.Used
	compensation := min(share(c.Eligible, c.RatioPartsPerMillion), ground.Terms.Terms.LoanMax.Units, left, balance.Units)
	if balance.Currency != p.Currency || compensation <= 0 {
		return refuse(rule.Refuse(rule.Insufficient, "the pool has %s, of which %s may get %s this year", balance, c.Lender, money.New(max(0, left), p.Currency)))
	}
	c.State, c.Compensation, c.Year = Approved, compensation, lender.Year
	c, entry, err := c.changed(ctx.Entry(command.ID, "approve-pool-claim", string(c.Account)))
	lender.Used, lender.At, lender.Entry = lender.Used+compensation, ctx.At, entry.Reference()
	return c, lender, entry, err
}

// under refuses other terms or another snapshot than the claim was submitted by.
func (c Claim) under(ground Ground) error {
	if ground.Terms.N != c.Terms || ground.AtDefault == nil || ground.AtDefault.Quarter != c.Quarter {
		return rule.Refuse(rule.Conflict, "claim %s is under version %d of the terms and the quarter of %s", c.ID, c.Terms, c.Quarter)
	}
	return nil
}

// decides refuses a decision that only who prepared it has signed.
func (p Pool) decides(c Claim, ctx tape.Context) error {
	if slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool {
		return party.Decides(a) && a.Organisation == p.Keeper && a.Person != c.Reviewer
	}) {
		return nil
	}
	return rule.Refuse(rule.Forbidden, "one of the staff of %s who did not take up claim %s must sign", p.Keeper, c.ID)
}

// inYear is the lender in a year: the balance at its first approved claim is what its cap is of.
func (l Lender) inYear(year string, balance int64) Lender {
	if l.Year != year {
		l.Year, l.Base, l.Used = year, balance, 0
	}
	return l
}

// Decline ends a claim, or gives it back to be submitted again.
type Decline struct {
	Account tape.AccountID `json:"account"`
	Claim   tape.ID        `json:"claim"`
	ID      tape.ID        `json:"id"`
	Reason  string         `json:"reason"`
}

// Reasons are the words for why a claim is returned or rejected.
func Reasons() []string {
	return []string{"documents", "figures", "class", "guarantors", "recovery", "terms", "withdrawn", "other"}
}

// Return judges the command: until it is paid a claim can be given back, by the
// cooperative while it has to verify it, then by the pool. What was approved is
// the lender's cap's again, and the pool releases what it held.
func (p Pool) Return(command Decline, c Claim, lender *Lender, ctx tape.Context) (Claim, *Lender, tape.Entry, error) {
	by := p.Keeper
	if c.State == Submitted {
		by = c.Cooperative
	}
	if err := rule.First(c.is(command.Account, command.Claim), carried(ctx, by), c.in(Submitted, Verified, Review, Approved), rule.Field("reason", rule.OneOf(command.Reason, Reasons()...)),
		party.SignedBy(ctx, by), notBefore(ctx, c.At)); err != nil {
		return c, nil, tape.Entry{}, err
	}
	return c.declined(Returned, command, lender, ctx.Entry(command.ID, "return-pool-claim", string(c.Account)))
}

// Reject judges the command. That maker and checker of the keeper signed is
// checked against the policy by the caller.
func (p Pool) Reject(command Decline, c Claim, ctx tape.Context) (Claim, *Lender, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Claim), p.keeps(ctx), c.in(Review), rule.Field("reason", rule.OneOf(command.Reason, Reasons()...)), p.decides(c, ctx), notBefore(ctx, c.At)); err != nil {
		return c, nil, tape.Entry{}, err
	}
	return c.declined(Rejected, command, nil, ctx.Entry(command.ID, "reject-pool-claim", string(c.Account)))
}

// declined is a claim that is not approved, and its lender where its cap changes.
func (c Claim) declined(state State, command Decline, lender *Lender, entry tape.Entry) (Claim, *Lender, tape.Entry, error) {
	var changed *Lender
	if c.State == Approved {
		if lender == nil || lender.Lender != c.Lender || lender.Account != c.Account {
			return c, nil, tape.Entry{}, rule.Refuse(rule.NotFound, "%s has no contract with %s", c.Lender, c.Account)
		}
		next := *lender
		if next.Year == c.Year {
			next.Used -= c.Compensation
		}
		next.At, next.Entry = entry.At, entry.Reference()
		changed = &next
	}
	c.State, c.Reason, c.Compensation, c.Year, c.Reviewer = state, command.Reason, 0, "", ""
	next, entry, err := c.changed(entry)
	return next, changed, entry, err
}

// changed is the claim after an entry.
func (c Claim) changed(entry tape.Entry) (Claim, tape.Entry, error) {
	c.At, c.Entry = entry.At, entry.Reference()
	return c, entry, nil
}

// is refuses a command about another claim.
func (c Claim) is(account tape.AccountID, claim tape.ID) error {
	if c.Account != account || c.ID != claim {
		return rule.Field("claim", rule.Refuse(rule.NotFound, "there is no claim %s of %s", claim, account))
	}
	return nil
}

// in refuses a claim that is not in one of these states.
func (c Claim) in(states ...State) error {
	if !slices.Contains(states, c.State) {
		return rule.Field("claim", rule.Refuse(rule.WrongState, "%s is %s", c.ID, c.State))
	}
	return nil
}

// carried refuses a command that another organisation's gateway carries.
func carried(ctx tape.Context, organisation string) error {
	if ctx.Organisation != organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not decide this; %s does", ctx.Organisation, ctx.Role, organisation)
	}
	return nil
}
