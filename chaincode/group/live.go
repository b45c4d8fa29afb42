package group

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Why a group is frozen or winds down.
const (
	Overdue      = "overdue"
	BelowMinimum = "below-minimum"
	ExpiredTerm  = "expired"
	Vote         = "vote"
)

// Freeze stops new loans to a group of which somebody is overdue. Anyone files
// it: the facts decide.
type Freeze struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
}

// Freeze judges the command; debts are those of Concerned, in their order.
func (g Group) Freeze(command Freeze, debts []Debts, ctx tape.Context) (Group, tape.Entry, error) {
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("only an active group freezes", Active)); err != nil {
		return g, tape.Entry{}, err
	}
	if !slices.ContainsFunc(debts, func(d Debts) bool { return d.OverdueLoan != "" }) {
		return g, tape.Entry{}, rule.Refuse(rule.WrongState, "nobody of group %s is overdue", g.ID)
	}
	entry := ctx.Entry(command.ID, "freeze", string(g.Scheme))
	return g.frozen(Overdue, entry), entry, nil
}

// Concerned are the members whose arrears are the group's: who lives in it, and
// whose debts it still answers for because the person died or the others assumed them.
func (g Group) Concerned() []GroupMember {
	return slices.DeleteFunc(slices.Clone(g.Members), func(m GroupMember) bool { return m.Gone == Exited || m.Gone == Expelled && !m.Assumed })
}

// frozen is the group once it is frozen.
func (g Group) frozen(reason string, entry tape.Entry) Group {
	g.State, g.Cause = Frozen, &Cause{Reason: reason, Date: entry.BusinessDate, Entry: entry.Reference()}
	g.At, g.Entry = entry.At, entry.Reference()
	return g
}

// Cure makes a frozen group active again. Anyone files it.
type Cure struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
}

// Cure judges the command: enough households, none of Concerned overdue for the
// cooling days, no open call. Debts are those of Concerned, in their order.
func (g Group) Cure(command Cure, terms SchemeTerms, debts []Debts, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return g, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("only a frozen group is cured", Frozen), g.unexpired(ctx)); err != nil {
		return refuse(err)
	}
	if n := len(g.Living()); n < int(terms.GroupSizeMin) {
		return refuse(rule.Refuse(rule.WrongState, "%d households live in group %s; it needs %d", n, g.ID, terms.GroupSizeMin))
	}
	for _, d := range debts {
		if err := d.cured(terms.CoolingDays, ctx.Date); err != nil {
			return refuse(err)
		}
	}
	entry := ctx.Entry(command.ID, "cure", string(g.Scheme))
	g.State, g.Cause, g.At, g.Entry = Active, nil, entry.At, entry.Reference()
	return g, entry, nil
}

// cured refuses a household that is overdue, was so within the cooling days, or is called.
func (d Debts) cured(coolingDays int32, day tape.Date) error {
	if d.OverdueLoan != "" {
		return rule.Refuse(rule.WrongState, "%s is overdue with loan %s", d.Household, d.OverdueLoan)
	}
	if d.OpenCall != "" {
		return rule.Refuse(rule.WrongState, "%s is called as a guarantor, by %s, and has not paid", d.Household, d.OpenCall)
	}
	if d.LastOverdue == "" {
		return nil
	}
	if clear := d.LastOverdue.AddDays(int(coolingDays) + 1); day < clear {
		return rule.Refuse(rule.Early, "%s was overdue on %s; the group is cured from %s on", d.Household, d.LastOverdue, clear)
	}
	return nil
}

// Exit is a member's way out of a group, by its own word.
type Exit struct {
	Account   tape.AccountID `json:"account"`
	Group     tape.ID        `json:"group"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	// Tail says that the household goes on guaranteeing the loans that were made
	// while it was in the group. Without it, it leaves when they are repaid.
	Tail bool `json:"tail,omitempty"`
}

// Exit judges the command; any gateway carries it.
func (g Group) Exit(command Exit, terms SchemeTerms, leaving Leaving, ctx tape.Context) (Group, Standing, tape.Entry, error) {
	refuse := func(err error) (Group, Standing, tape.Entry, error) { return g, Standing{}, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("nobody leaves it", Active, Frozen), rule.Field("household", g.has(command.Household))); err != nil {
		return refuse(err)
	}
	if _, err := leaving.Member.signedBy(ctx); err != nil {
		return refuse(err)
	}
	if err := leaving.Debts.free(); err != nil {
		return refuse(err)
	}
	if n := leaving.Debts.GroupLoans; n > 0 && !command.Tail {
		return refuse(rule.Field("tail", rule.Refuse(rule.WrongState, "%s guarantees %d open loans; it leaves when they are repaid, or goes on guaranteeing them", command.Household, n)))
	}
	entry := ctx.Entry(command.ID, "exit", string(g.Scheme))
	gone := GroupMember{Gone: Exited, Left: ctx.At, Tail: leaving.Debts.GroupLoans > 0}
	return g.without(command.Household, gone, terms, entry), leaving.Standing.in(nil, entry), entry, nil
}

// Leaving is what is known of a household that goes.
type Leaving struct {
	Member   Member
	Standing Standing
	Debts    Debts
}

// has refuses a household that does not live in the group.
func (g Group) has(household tape.AccountID) error {
	if g.index(household) < 0 {
		return rule.Refuse(rule.NotFound, "%s does not live in group %s", household, g.ID)
	}
	return nil
}

// without is the group once a household has gone: frozen where too few are left.
// Who was joining joined other households than are left now, and begins anew.
func (g Group) without(household tape.AccountID, gone GroupMember, terms SchemeTerms, entry tape.Entry) Group {
	g.Members = slices.Clone(g.Members)
	m := &g.Members[g.index(household)]
	m.Gone, m.Left, m.Tail, m.Assumed = gone.Gone, gone.Left, gone.Tail, gone.Assumed
	g.Joining, g.At, g.Entry = nil, entry.At, entry.Reference()
	if len(g.Living()) >= int(terms.GroupSizeMin) || g.State == WindingDown {
		return g
	}
	if g.Below == "" {
		g.Below = entry.BusinessDate
	}
	if g.State == Active {
		return g.frozen(BelowMinimum, entry)
	}
	return g
}

// Expel sends a member out of a group by the word of all others. It has repaid
// before, or the others assume what it owes.
type Expel struct {
	Account tape.AccountID `json:"account"`
	// Assume says that the others take over its debts.
	Assume    bool           `json:"assume,omitempty"`
	Group     tape.ID        `json:"group"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
}

// Expel judges the command; others are the members of Living but the one who goes,
// in their order. Any gateway carries it.
func (g Group) Expel(command Expel, terms SchemeTerms, leaving Leaving, others []Member, ctx tape.Context) (Group, Standing, tape.Entry, error) {
	refuse := func(err error) (Group, Standing, tape.Entry, error) { return g, Standing{}, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("nobody is expelled from it", Active, Frozen), rule.Field("household", g.has(command.Household))); err != nil {
		return refuse(err)
	}
	for _, other := range others {
		if _, err := other.signedBy(ctx); err != nil {
			return refuse(err)
		}
	}
	owes := leaving.Debts.OpenLoans > 0
	if owes && !command.Assume {
		return refuse(rule.Field("assume", rule.Refuse(rule.WrongState, "%s has %d open loans; it repays them first, or all others assume them", command.Household, leaving.Debts.OpenLoans)))
	}
	entry := ctx.Entry(command.ID, "expel", string(g.Scheme))
	gone := GroupMember{Gone: Expelled, Left: ctx.At, Tail: leaving.Debts.GroupLoans > 0 || leaving.Debts.OpenCall != "", Assumed: owes}
	standing := leaving.Standing.in(nil, entry)
	if leaving.Debts.OverdueLoan != "" {
		standing = standing.exclude(ctx.Date, terms.ExclusionMonths)
	}
	return g.without(command.Household, gone, terms, entry), standing, entry, nil
}

// Refill lets another household sign the agreement of a group that has room.
type Refill struct {
	Account   tape.AccountID `json:"account"`
	Group     tape.ID        `json:"group"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	// Members are the shares of those who live in the group, in their order, and
	// of the newcomer behind them.
	Members []Share `json:"members"`
}

// Refill judges the command; kin are KinKeys of the newcomer's fingerprint and
// those of Living. That maker and checker of the cooperative signed, which is its
// endorsement, is checked by the caller.
func (s Scheme) Refill(command Refill, g Group, terms SchemeTerms, newcomer Candidate, kin []*Kin, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return g, tape.Entry{}, err }
	if err := rule.First(s.governs(ctx), notBefore(ctx, g.At), g.must("nobody joins it", Active, Frozen), g.unexpired(ctx)); err != nil {
		return refuse(err)
	}
	if g.Joining != nil {
		return refuse(rule.Refuse(rule.WrongState, "%s is on its way into group %s; reject it first", g.Joining.Household, g.ID))
	}
	if len(g.Living()) >= int(terms.GroupSizeMax) {
		return refuse(rule.Field("household", rule.Refuse(rule.Invalid, "group %s has %d households already, and no more", g.ID, terms.GroupSizeMax)))
	}
	if err := rule.Field("members", g.succeeds(command, terms)); err != nil {
		return refuse(err)
	}
	if err := rule.Field("household", rule.First(newcomer.eligible(command.Household, ctx))); err != nil {
		return refuse(err)
	}
	if err := rule.Field("household", g.strange(newcomer.Member, kin)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "refill", string(g.Scheme))
	g.Joining = &Joining{Household: command.Household, Fingerprint: newcomer.Member.Fingerprint, Members: command.Members, Entry: entry.Reference()}
	g.At, g.Entry = entry.At, entry.Reference()
	return g, entry, nil
}

// succeeds refuses shares that are not those of the living and the newcomer. A
// group that stays below its size for now may: the next newcomer comes next.
func (g Group) succeeds(command Refill, terms SchemeTerms) error {
	living := g.Living()
	if len(command.Members) != len(living)+1 {
		return rule.Refuse(rule.Conflict, "names %d households; %d live in group %s and one joins", len(command.Members), len(living), g.ID)
	}
	for i, member := range living {
		if command.Members[i].Household != member.Household {
			return rule.Field("["+decimal(int32(i))+"]", rule.Refuse(rule.Conflict, "is not %s", member.Household))
		}
	}
	if command.Members[len(living)].Household != command.Household {
		return rule.Field("["+decimal(int32(len(living)))+"]", rule.Refuse(rule.Conflict, "is not %s, which joins", command.Household))
	}
	terms.GroupSizeMin = 1
	return checkShares(command.Members, g.Agreement.Shares, terms)
}

// MemberDied says that the person of a household has died. What it owes stays
// with the estate, what it guaranteed stays guaranteed until the rules of the
// call say otherwise; new loans it neither gets nor guarantees.
type MemberDied struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
}

// DiedState is what MemberDied reads.
type DiedState struct {
	Member   *Member
	Standing *Standing
	Person   *party.Person // who signs for the household
	// Group is the one in which it lives, nil for none; Terms are that group's.
	Group *Group
	Terms SchemeTerms
	Debts Debts
}

// Death is what MemberDied writes; group and standing are nil where the household was in none.
type Death struct {
	Member   Member
	Group    *Group
	Standing *Standing
}

// MemberDied judges the command. Two organisations attest it, or the person was
// revoked on the ledger before. That maker and checker signed is checked by the caller.
func (s Scheme) MemberDied(command MemberDied, state DiedState, ctx tape.Context) (Death, tape.Entry, error) {
	refuse := func(err error) (Death, tape.Entry, error) { return Death{}, tape.Entry{}, err }
	if err := rule.First(s.governs(ctx), rule.Field("household", state.Member.lives(command.Household, ctx))); err != nil {
		return refuse(err)
	}
	revoked := state.Person != nil && state.Person.Revoked != 0
	if !revoked && attesting(ctx) < 2 {
		return refuse(rule.Refuse(rule.Forbidden, "staff of two organisations attest a death, or the person was revoked before; those of %d did", attesting(ctx)))
	}
	entry := ctx.Entry(command.ID, "member-died", string(s.Account))
	member := state.Member.on(ctx.At)
	member.State, member.Next, member.At, member.Entry = Deceased, nil, entry.At, entry.Reference()
	death := Death{Member: member}
	if state.Group != nil {
		gone := GroupMember{Gone: Died, Left: ctx.At, Tail: state.Debts.GroupLoans > 0 || state.Debts.OpenCall != ""}
		group, standing := state.Group.without(command.Household, gone, state.Terms, entry), state.Standing.in(nil, entry)
		death.Group, death.Standing = &group, &standing
	}
	return death, entry, nil
}

// attesting counts the organisations whose staff have signed.
func attesting(ctx tape.Context) int {
	var organisations []string
	for _, a := range ctx.Approvals {
		if party.Decides(a) && !slices.Contains(organisations, a.Organisation) {
			organisations = append(organisations, a.Organisation)
		}
	}
	return len(organisations)
}

// WindDown ends new loans of a group for good.
type WindDown struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
	// Reason is expired, below-minimum or vote.
	Reason string `json:"reason"`
}

// WindDown judges the command: anyone files that the agreement has expired or
// that the group stayed too small; a vote is signed by all who live in it. Members
// are those of Living, standings too, in their order. It returns the standings:
// the households are free to join another group, but for those by whose default
// this one ended.
func (g Group) WindDown(command WindDown, terms SchemeTerms, living []Leaving, ctx tape.Context) (Group, []Standing, tape.Entry, error) {
	refuse := func(err error) (Group, []Standing, tape.Entry, error) { return g, nil, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("only an active or frozen group winds down", Active, Frozen), rule.Field("reason", g.ends(command.Reason, terms, living, ctx))); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "wind-down", string(g.Scheme))
	g.State, g.Joining, g.At, g.Entry = WindingDown, nil, entry.At, entry.Reference()
	g.Cause = &Cause{Reason: command.Reason, Date: ctx.Date, Entry: entry.Reference()}
	standings := make([]Standing, len(living))
	for i, member := range living {
		standings[i] = member.Standing.in(nil, entry)
		if command.Reason != ExpiredTerm && member.Debts.OverdueLoan != "" {
			standings[i] = standings[i].exclude(ctx.Date, terms.ExclusionMonths)
		}
	}
	return g, standings, entry, nil
}

// ends refuses a reason that is not so.
func (g Group) ends(reason string, terms SchemeTerms, living []Leaving, ctx tape.Context) error {
	switch reason {
	case ExpiredTerm:
		if ctx.Date <= g.Agreement.Expiry {
			return rule.Refuse(rule.Early, "the agreement ends on %s", g.Agreement.Expiry)
		}
	case BelowMinimum:
		return g.tooSmall(terms, ctx)
	case Vote:
		for _, member := range living {
			if _, err := member.Member.signedBy(ctx); err != nil {
				return err
			}
		}
	default:
		return rule.OneOf(reason, ExpiredTerm, BelowMinimum, Vote)
	}
	return nil
}

func (g Group) tooSmall(terms SchemeTerms, ctx tape.Context) error {
	if n := len(g.Living()); n >= int(terms.GroupSizeMin) {
		return rule.Refuse(rule.WrongState, "%d households live in group %s, which are enough", n, g.ID)
	}
	if until := g.Below.AddDays(int(terms.RefillDays)); ctx.Date <= until {
		return rule.Refuse(rule.Early, "group %s is below its size since %s and may be refilled until %s", g.ID, g.Below, until)
	}
	return nil
}

// CloseGroup ends a group under which nothing is open. Anyone files it.
type CloseGroup struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
}

// Close judges the command.
func (g Group) Close(command CloseGroup, open Outstanding, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return g, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.must("it winds down before it is closed", WindingDown)); err != nil {
		return refuse(err)
	}
	if open != (Outstanding{}) {
		return refuse(rule.Refuse(rule.WrongState, "%d loans, %d calls and %d recourses of group %s are open", open.Loans, open.Calls, open.Recourses, g.ID))
	}
	entry := ctx.Entry(command.ID, "close-group", string(g.Scheme))
	g.State, g.At, g.Entry = Closed, entry.At, entry.Reference()
	return g, entry, nil
}
