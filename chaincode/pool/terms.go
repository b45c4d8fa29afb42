package pool

import (
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func number(n int32) string { return strconv.Itoa(int(n)) }

// Whole is all of something, in parts per million, BasisPoints in basis points.
const (
	whole       = 1_000_000
	basisPoints = 10_000
)

// Compensation is the nature of a pool's contract.
const Compensation = "compensation"

// Check refuses terms that are malformed or that say two things.
func (t Terms) Check(currency money.Currency) error {
	if t.Nature != Compensation {
		return rule.Field("nature", rule.Refuse(rule.Invalid, "is not %s: a pool compensates by contract; a state organ may not be a guarantor (Civil Code art. 683)", Compensation))
	}
	if t.Agreement == (merkle.Hash{}) {
		return rule.Field("agreement", rule.Refuse(rule.Invalid, "is empty"))
	}
	if err := rule.First(rule.Field("annualPartsPerMillion", between(t.AnnualPartsPerMillion, 1, whole)), rule.Field("classMin", rule.OneOf(t.ClassMin, Classes()...)),
		rule.Field("daysMin", between(t.DaysMin, 0, 3650)), rule.Field("interestDays", between(t.InterestDays, 0, 3650)), rule.Field("loanMax", t.LoanMax.Positive(currency)),
		rule.Field("resumeBasisPoints", between(t.ResumeBasisPoints, 0, basisPoints)), rule.Field("resumeQuarters", between(t.ResumeQuarters, 1, 40))); err != nil {
		return err
	}
	if n := len(t.Tiers); n == 0 || n > TiersMax {
		return rule.Field("tiers", rule.Refuse(rule.Invalid, "there are %d; 1 to %d", n, TiersMax))
	}
	for i, tier := range t.Tiers {
		if err := rule.First(rule.Field("toBasisPoints", between(tier.ToBasisPoints, 0, basisPoints)), rule.Field("ratioPartsPerMillion", between(tier.RatioPartsPerMillion, 0, whole))); err != nil {
			return rule.Item("tiers", i, err)
		}
		if i > 0 && tier.ToBasisPoints <= t.Tiers[i-1].ToBasisPoints {
			return rule.Item("tiers", i, rule.Field("toBasisPoints", rule.Refuse(rule.Invalid, "is %d; tiers ascend", tier.ToBasisPoints)))
		}
		if i > 0 && tier.RatioPartsPerMillion > t.Tiers[i-1].RatioPartsPerMillion {
			return rule.Item("tiers", i, rule.Field("ratioPartsPerMillion", rule.Refuse(rule.Invalid, "is %d; a worse book gets no more", tier.RatioPartsPerMillion)))
		}
	}
	return nil
}

func between(n, least, most int32) error {
	if n < least || n > most {
		return rule.Refuse(rule.Invalid, "%d is not %d to %d", n, least, most)
	}
	return nil
}

// Tier is that of a ratio; none above the last.
func (t Terms) Tier(points int32) (Tier, bool) {
	for _, tier := range t.Tiers {
		if points <= tier.ToBasisPoints { // inclusive at the top
			return tier, true
		}
	}
	return Tier{}, false
}

// share is so many parts per million of an amount, rounded down.
func share(units int64, partsPerMillion int32) int64 {
	part, _ := money.Portion(units, int64(partsPerMillion), whole)
	return part
}

// OpenPool makes a pool of an account, with the first terms.
type OpenPool struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Terms   Terms          `json:"terms"`
}

// Apply judges the command; account is the pool's, known the pool that stands
// there. That maker and checker signed is checked against the policy by the caller.
func (c OpenPool) Apply(account *tape.Account, known *Pool, ctx tape.Context) (Pool, TermsRecord, tape.Entry, error) {
	refuse := func(err error) (Pool, TermsRecord, tape.Entry, error) {
		return Pool{}, TermsRecord{}, tape.Entry{}, err
	}
	if known != nil {
		return refuse(rule.Field("account", rule.Refuse(rule.Exists, "is a pool already, by entry %s", known.Entry)))
	}
	if account == nil || account.ID != c.Account {
		return refuse(rule.Field("account", rule.Refuse(rule.NotFound, "there is no account %s", c.Account)))
	}
	if account.Organisation != ctx.Organisation || account.Subject != Subject || ctx.Role != party.RoleGateway {
		return refuse(rule.Field("account", rule.Refuse(rule.Forbidden, "%s (role %s) keeps no account %s that only the rules of pools spend", ctx.Organisation, ctx.Role, c.Account)))
	}
	if err := rule.First(party.SignedBy(ctx, ctx.Organisation), rule.Field("terms", c.Terms.Check(account.Currency))); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "open-pool", string(c.Account))
	pool := Pool{V: 1, Account: c.Account, Keeper: ctx.Organisation, Currency: account.Currency, Version: 1, At: ctx.At, Entry: entry.Reference()}
	return pool, TermsRecord{V: 1, N: 1, Terms: c.Terms, Entry: entry.Reference()}, entry, nil
}

// AmendPool offers new terms.
type AmendPool struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Terms   Terms          `json:"terms"`
}

// Amend judges the command. No loan of before comes under them. That maker and
// checker signed is checked against the policy by the caller.
func (p Pool) Amend(command AmendPool, ctx tape.Context) (Pool, TermsRecord, tape.Entry, error) {
	refuse := func(err error) (Pool, TermsRecord, tape.Entry, error) { return p, TermsRecord{}, tape.Entry{}, err }
	if err := rule.First(p.is(command.Account), p.keeps(ctx), party.SignedBy(ctx, p.Keeper), notBefore(ctx, p.At), rule.Field("terms", command.Terms.Check(p.Currency))); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "amend-pool", string(p.Account))
	p.Version, p.At, p.Entry = p.Version+1, ctx.At, entry.Reference()
	return p, TermsRecord{V: 1, N: p.Version, Terms: command.Terms, Entry: p.Entry}, entry, nil
}

// AcceptTerms is a lender's word to the pool's present terms.
type AcceptTerms struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Version int32          `json:"version"`
}

// Accept judges the command; known is the lender's contract, nil before the
// first. That maker and checker signed is checked against the policy by the caller.
func (p Pool) Accept(command AcceptTerms, known *Lender, ctx tape.Context) (Lender, tape.Entry, error) {
	refuse := func(err error) (Lender, tape.Entry, error) { return Lender{}, tape.Entry{}, err }
	if err := p.is(command.Account); err != nil {
		return refuse(err)
	}
	if ctx.Role != party.RoleGateway || !ctx.Has(party.Lender) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) holds no power of a lender", ctx.Organisation, ctx.Role))
	}
	if ctx.Organisation == p.Keeper {
		return refuse(rule.Refuse(rule.Forbidden, "%s keeps the pool and does not compensate itself", ctx.Organisation))
	}
	if err := party.SignedBy(ctx, ctx.Organisation); err != nil {
		return refuse(err)
	}
	if command.Version != p.Version {
		return refuse(rule.Field("version", rule.Refuse(rule.Conflict, "is %d; the pool offers version %d", command.Version, p.Version)))
	}
	next := Lender{V: 1, Account: p.Account, Lender: ctx.Organisation}
	if known != nil {
		if next = *known; next.Accepted[len(next.Accepted)-1].N == p.Version {
			return refuse(rule.Field("version", rule.Refuse(rule.WrongState, "%d is accepted, by entry %s", p.Version, next.Accepted[len(next.Accepted)-1].Entry)))
		}
		if err := notBefore(ctx, known.At); err != nil {
			return refuse(err)
		}
	}
	entry := ctx.Entry(command.ID, "accept-pool", string(p.Account))
	next.Accepted = append(slices.Clone(next.Accepted), Accepted{N: p.Version, From: ctx.Date, Entry: entry.Reference()})
	next.At, next.Entry = ctx.At, entry.Reference()
	return next, entry, nil
}

// TermsOn is the version for a loan that was contracted on a day: terms are
// never for loans of before (prospective, as guarantee schemes have it).
func (l Lender) TermsOn(contracted tape.Date) (int32, bool) {
	n, found := int32(0), false
	for _, accepted := range l.Accepted {
		if accepted.From <= contracted {
			n, found = accepted.N, true
		}
	}
	return n, found
}

// is refuses a command about another pool.
func (p Pool) is(account tape.AccountID) error {
	if p.Account != account {
		return rule.Field("account", rule.Refuse(rule.NotFound, "there is no pool %s", account))
	}
	return nil
}

// keeps refuses anybody but the pool's keeper.
func (p Pool) keeps(ctx tape.Context) error {
	if ctx.Organisation != p.Keeper || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not keep %s; %s does", ctx.Organisation, ctx.Role, p.Account, p.Keeper)
	}
	return nil
}

// notBefore refuses a transaction that is older than the last change.
func notBefore(ctx tape.Context, last tape.Instant) error {
	if ctx.At < last {
		return rule.Refuse(rule.Conflict, "the transaction is of %s, before the last change of %s; set the clock and send it again", ctx.At, last)
	}
	return nil
}
