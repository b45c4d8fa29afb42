package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// LendersMax is how many lenders share a scheme: each accepts every version.
const LendersMax = 8

// SchemeTerms are what a cooperative and its lenders agree on. Every threshold of
// the cooperative's rules is one of them or a table of its own with a version.
type SchemeTerms struct {
	// CoolingDays pass without arrears before a frozen group is active again.
	CoolingDays int32 `json:"coolingDays"`
	// CureDays are what a called guarantor has to pay.
	CureDays int32 `json:"cureDays"`
	// DefaultDays past due let a loan be called.
	DefaultDays int32 `json:"defaultDays"`
	// DepositPartsPerMillion of a loan would be held on the borrower's own tape; 0, since deposits are not held yet.
	DepositPartsPerMillion int32 `json:"depositPartsPerMillion"`
	// ExclusionMonths is how long who defaulted joins no other group.
	ExclusionMonths int32 `json:"exclusionMonths"`
	GroupMonthsMax  int32 `json:"groupMonthsMax"`
	GroupSizeMax    int32 `json:"groupSizeMax"`
	GroupSizeMin    int32 `json:"groupSizeMin"`
	// GuaranteeMonths is the guarantee period behind each due date (art. 692).
	GuaranteeMonths int32 `json:"guaranteeMonths"`
	// Industry names whose model scores the households, such as coffee; none where nobody is scored.
	Industry string `json:"industry,omitempty"`
	// LivingFloor is what a household keeps of a sale before it repays; zero for nothing.
	LivingFloor                money.Amount `json:"livingFloor"`
	LivingFloorPartsPerMillion int32        `json:"livingFloorPartsPerMillion"`
	// MemberMax is the most that one member guarantees (art. 690).
	MemberMax money.Amount `json:"memberMax"`
	// MemberSharePartsPerMillion is one member's part of the group's maximum.
	MemberSharePartsPerMillion int32 `json:"memberSharePartsPerMillion"`
	// NoticeDays past due are when notices go out, ascending.
	NoticeDays []int32 `json:"noticeDays"`
	// OriginatorPartsPerMillion is the least own share of a co-lent loan's originator.
	OriginatorPartsPerMillion int32 `json:"originatorPartsPerMillion"`
	// PoolingDays is the window in which loans that meet at one payee are shown.
	PoolingDays int32 `json:"poolingDays"`
	// RefillDays a group may stay below its size before it winds down.
	RefillDays int32 `json:"refillDays"`
	// Sequence is how many members may borrow before others have paid, such as 2, 2, 1; none for all at once.
	Sequence []int32 `json:"sequence,omitempty"`
	// StayDaysMax is the longest stay of calls after a declared disaster.
	StayDaysMax int32 `json:"stayDaysMax"`
	// WindowDays after a settlement are looked at for what falls due.
	WindowDays int32 `json:"windowDays"`
}

const (
	million = 1_000_000
	daysMax = 366
)

// Check refuses terms outside the limits of the law of their day.
func (s SchemeTerms) Check(law Law) error {
	return rule.First(
		within("groupSizeMin", s.GroupSizeMin, law.GroupSizeMin, law.GroupSizeMax), within("groupSizeMax", s.GroupSizeMax, s.GroupSizeMin, law.GroupSizeMax),
		within("groupMonthsMax", s.GroupMonthsMax, 1, law.GroupMonthsMax), within("guaranteeMonths", s.GuaranteeMonths, 1, law.GuaranteeMonthsMax),
		s.amounts(), s.shares(),
		within("coolingDays", s.CoolingDays, 0, daysMax), within("cureDays", s.CureDays, 1, daysMax), within("defaultDays", s.DefaultDays, 1, daysMax),
		within("exclusionMonths", s.ExclusionMonths, 0, 120), within("poolingDays", s.PoolingDays, 1, daysMax), within("refillDays", s.RefillDays, 1, daysMax),
		within("stayDaysMax", s.StayDaysMax, 0, daysMax), within("windowDays", s.WindowDays, 0, daysMax),
		s.notices(), s.sequence(), s.industry())
}

func (s SchemeTerms) industry() error {
	if s.Industry == "" {
		return nil
	}
	return rule.Field("industry", tape.CheckSegment(s.Industry))
}

func (s SchemeTerms) amounts() error {
	if _, err := s.MemberMax.Currency.Exponent(); err != nil {
		return rule.Field("memberMax", err)
	}
	if err := rule.Field("memberMax", s.MemberMax.Positive(s.MemberMax.Currency)); err != nil {
		return err
	}
	if s.LivingFloor.Currency != s.MemberMax.Currency || s.LivingFloor.Units < 0 || s.LivingFloor.Units > money.Max {
		return rule.Field("livingFloor", rule.Refuse(rule.Invalid, "is not zero or more of %s", s.MemberMax.Currency))
	}
	return nil
}

func (s SchemeTerms) shares() error {
	return rule.First(noDeposit(s.DepositPartsPerMillion), within("depositPartsPerMillion", s.DepositPartsPerMillion, 0, million), within("livingFloorPartsPerMillion", s.LivingFloorPartsPerMillion, 0, million),
		within("memberSharePartsPerMillion", s.MemberSharePartsPerMillion, 1, million), within("originatorPartsPerMillion", s.OriginatorPartsPerMillion, 0, million))
}

// noDeposit refuses a deposit: no command asks for it or holds it yet, and a term that
// nobody keeps is worse than none.
func noDeposit(partsPerMillion int32) error {
	if partsPerMillion <= 0 {
		return nil
	}
	return rule.Field("depositPartsPerMillion", rule.Refuse(rule.Unsupported, "is %d; deposits are not held on the ledger yet, and a scheme asks for none", partsPerMillion))
}

func (s SchemeTerms) notices() error {
	if len(s.NoticeDays) == 0 || len(s.NoticeDays) > 8 {
		return rule.Field("noticeDays", rule.Refuse(rule.Invalid, "has %d days; 1 to 8 are possible", len(s.NoticeDays)))
	}
	for i, day := range s.NoticeDays {
		if day < 1 || day > daysMax || i > 0 && day <= s.NoticeDays[i-1] {
			return rule.Item("noticeDays", i, rule.Refuse(rule.Invalid, "%d is not 1 to %d and more than the one before", day, daysMax))
		}
	}
	return nil
}

// sequence refuses steps that do not let every member in.
func (s SchemeTerms) sequence() error {
	sum := int32(0)
	for i, step := range s.Sequence {
		if step < 1 || step > s.GroupSizeMax {
			return rule.Item("sequence", i, rule.Refuse(rule.Invalid, "%d is not 1 to %d", step, s.GroupSizeMax))
		}
		sum += step
	}
	if len(s.Sequence) > 0 && sum != s.GroupSizeMax {
		return rule.Field("sequence", rule.Refuse(rule.Invalid, "lets %d members borrow; the largest group has %d", sum, s.GroupSizeMax))
	}
	return nil
}

// same reports whether two versions say the same; what they print has every field.
func (s SchemeTerms) same(other SchemeTerms) bool { return fmt.Sprint(s) == fmt.Sprint(other) }

// OpenScheme opens a scheme together with the account that gets the sales' proceeds.
type OpenScheme struct {
	Account   tape.AccountID `json:"account"`
	Custodian tape.AccountID `json:"custodian"`
	ID        tape.ID        `json:"id"`
	Lenders   []string       `json:"lenders"`
	Terms     SchemeTerms    `json:"terms"`
}

// Tape is the command that opens the account.
func (c OpenScheme) Tape() tape.Open {
	return tape.Open{Account: c.Account, Attribution: tape.FIFO, Currency: c.Terms.MemberMax.Currency, Custodian: c.Custodian, ID: c.ID}
}

// OpenState is what OpenScheme reads beside the accounts: whether the bank
// account's keeper and each of the lenders hold their powers.
type OpenState struct {
	Keeps bool
	Lends []bool
}

// Apply judges the command beside tape.Open, which judges the account.
func (c OpenScheme) Apply(state OpenState, ctx tape.Context) (Scheme, error) {
	if !ctx.Has(party.Cooperative) || ctx.Role != party.RoleGateway {
		return Scheme{}, rule.Refuse(rule.Forbidden, "%s (role %s) is no cooperative's gateway", ctx.Organisation, ctx.Role)
	}
	if err := rule.Field("account", c.Account.Check()); err != nil {
		return Scheme{}, err
	}
	if parts := strings.Split(string(c.Account), ":"); len(parts) != 3 || parts[0] != "coop" || parts[1] != ctx.Organisation {
		return Scheme{}, rule.Field("account", rule.Refuse(rule.Invalid, "is not a scheme's; write coop:%s:<name>", ctx.Organisation))
	}
	if keeper := tape.CustodianOf(c.Custodian); keeper == "" || keeper == ctx.Organisation || !state.Keeps {
		return Scheme{}, rule.Field("custodian", rule.Refuse(rule.Forbidden, "%s is not kept by another organisation that holds the power of a custodian", c.Custodian))
	}
	proposal, err := propose(c.Lenders, c.Terms, state.Lends, ctx)
	if err != nil {
		return Scheme{}, err
	}
	entry := ctx.Entry(c.ID, "open-scheme", string(c.Account))
	proposal.Entry = entry.Reference()
	return Scheme{V: 1, Account: c.Account, Organisation: ctx.Organisation, Currency: c.Terms.MemberMax.Currency, Pending: &proposal, At: ctx.At, Entry: entry.Reference()}, nil
}

// propose judges a version of the terms; lends says of each lender whether it holds the power.
func propose(lenders []string, terms SchemeTerms, lends []bool, ctx tape.Context) (Proposal, error) {
	law, err := LawOn(ctx.Date)
	if err != nil {
		return Proposal{}, err
	}
	if err := rule.First(checkLenders(lenders), rule.Field("terms", terms.Check(law))); err != nil {
		return Proposal{}, err
	}
	for i, lender := range lenders {
		if !lends[i] {
			return Proposal{}, rule.Item("lenders", i, rule.Refuse(rule.NotFound, "%s holds no power of a lender", lender))
		}
	}
	return Proposal{Lenders: lenders, Terms: terms}, nil
}

func checkLenders(lenders []string) error {
	if len(lenders) == 0 || len(lenders) > LendersMax {
		return rule.Field("lenders", rule.Refuse(rule.Invalid, "names %d; 1 to %d are possible", len(lenders), LendersMax))
	}
	for i, lender := range lenders {
		if err := tape.CheckSegment(lender); err != nil {
			return rule.Item("lenders", i, err)
		}
		if slices.Contains(lenders[:i], lender) {
			return rule.Item("lenders", i, rule.Refuse(rule.Invalid, "%s stands twice", lender))
		}
	}
	return nil
}

// governs refuses whoever is not the gateway of the cooperative.
func (s Scheme) governs(ctx tape.Context) error {
	if ctx.Organisation != s.Organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not run %s; %s does", ctx.Organisation, ctx.Role, s.Account, s.Organisation)
	}
	return notBefore(ctx, s.At)
}

// AmendScheme proposes other terms or other lenders. It takes the place of a
// proposal that waits. What is in force stays so until every lender has accepted.
type AmendScheme struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lenders []string       `json:"lenders"`
	Terms   SchemeTerms    `json:"terms"`
}

// Amend judges the command; now are the terms in force, nil before there are any,
// lends says of each lender named whether it holds the power. That maker and
// checker signed is checked against the policy by the caller, here as below.
func (s Scheme) Amend(command AmendScheme, now *Terms, lends []bool, ctx tape.Context) (Scheme, tape.Entry, error) {
	refuse := func(err error) (Scheme, tape.Entry, error) { return s, tape.Entry{}, err }
	if err := s.governs(ctx); err != nil {
		return refuse(err)
	}
	proposal, err := propose(command.Lenders, command.Terms, lends, ctx)
	if err != nil {
		return refuse(err)
	}
	if command.Terms.MemberMax.Currency != s.Currency {
		return refuse(rule.Field("terms.memberMax", rule.Refuse(rule.Invalid, "is of %s; the account of the scheme is of %s", command.Terms.MemberMax.Currency, s.Currency)))
	}
	if now != nil && slices.Equal(now.Lenders, command.Lenders) && now.Terms.same(command.Terms) {
		return refuse(rule.Field("terms", rule.Refuse(rule.WrongState, "are those in force, version %d", now.Version)))
	}
	entry := ctx.Entry(command.ID, "amend-scheme", string(s.Account))
	proposal.Entry = entry.Reference()
	s.Pending, s.At, s.Entry = &proposal, entry.At, entry.Reference()
	return s, entry, nil
}

// AcceptScheme is one lender's yes to the terms that wait.
type AcceptScheme struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	// Proposal is the entry that brought the terms, so that nobody accepts others than it read.
	Proposal string `json:"proposal"`
}

// Accept judges the command. The last lender's brings the terms into force: they
// are returned then, nil before. Lenders of the version before accept as well,
// because what they lent goes on under the scheme.
func (s Scheme) Accept(command AcceptScheme, ctx tape.Context) (Scheme, *Terms, tape.Entry, error) {
	refuse := func(err error) (Scheme, *Terms, tape.Entry, error) { return s, nil, tape.Entry{}, err }
	if s.Pending == nil {
		return refuse(rule.Refuse(rule.WrongState, "no terms of %s wait for anybody", s.Account))
	}
	asked := s.asked()
	if !slices.Contains(asked, ctx.Organisation) || ctx.Role != party.RoleGateway || !ctx.Has(party.Lender) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is not asked; the lenders of %s are: %s", ctx.Organisation, ctx.Role, s.Account, strings.Join(asked, ", ")))
	}
	if command.Proposal != s.Pending.Entry {
		return refuse(rule.Field("proposal", rule.Refuse(rule.Conflict, "is another; the terms that wait were brought by entry %s", s.Pending.Entry)))
	}
	if decided(s.Pending.Accepted, ctx.Organisation) {
		return refuse(rule.Refuse(rule.Exists, "%s has accepted these terms", ctx.Organisation))
	}
	if err := notBefore(ctx, s.At); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "accept-scheme", string(s.Account))
	pending := *s.Pending
	pending.Accepted = append(slices.Clone(pending.Accepted), Decision{Organisation: ctx.Organisation, At: ctx.At, Entry: entry.Reference()})
	s.Pending, s.At, s.Entry = &pending, entry.At, entry.Reference()
	if len(pending.Accepted) < len(asked) {
		return s, nil, entry, nil
	}
	s.Version, s.Lenders, s.Pending = s.Version+1, pending.Lenders, nil
	return s, &Terms{V: 1, Version: s.Version, Lenders: pending.Lenders, Terms: pending.Terms, From: ctx.Date, Entry: entry.Reference()}, entry, nil
}

// asked are the lenders whose word a proposal waits for.
func (s Scheme) asked() []string {
	asked := slices.Clone(s.Pending.Lenders)
	for _, lender := range s.Lenders {
		if !slices.Contains(asked, lender) {
			asked = append(asked, lender)
		}
	}
	return asked
}

func decided(decisions []Decision, organisation string) bool {
	return slices.ContainsFunc(decisions, func(d Decision) bool { return d.Organisation == organisation })
}

// within refuses a number that is not between two others.
func within(field string, n, least, most int32) error {
	if n < least || n > most {
		return rule.Field(field, rule.Refuse(rule.Invalid, "%d is not %d to %d", n, least, most))
	}
	return nil
}

func decimal(n int32) string { return strconv.Itoa(int(n)) }

// notBefore refuses a timestamp before a record's last change.
func notBefore(ctx tape.Context, last tape.Instant) error {
	if ctx.At < last {
		return rule.Refuse(rule.Conflict, "the transaction is of %s, before the last change at %s", ctx.At, last)
	}
	return nil
}
