package party

import (
	"bytes"
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ProposalDays is how long a proposal can be voted for.
const ProposalDays = 30

// Change is what a proposal asks for: exactly one field is set.
type Change struct {
	// Admit takes in an organisation. The quorum rises where it would no longer be more than half.
	Admit *Member `json:"admit,omitempty"`
	// GrantPower and RevokePower give and take one power.
	GrantPower *Grant `json:"grantPower,omitempty"`
	// Policy replaces the policy as a whole.
	Policy      *Policy `json:"policy,omitempty"`
	RevokePower *Grant  `json:"revokePower,omitempty"`
	// Rules is the version of the rules to put in force; 0 is no change.
	Rules int32 `json:"rules,omitempty"`
}

// Proposal is a change that was proposed. It never changes; votes and
// enactment have their own keys.
type Proposal struct {
	V            int32        `json:"v"`
	ID           tape.ID      `json:"id"`
	Organisation string       `json:"organisation"`
	Change       Change       `json:"change"`
	At           tape.Instant `json:"at"`
	Entry        string       `json:"entry"`
}

// Expires is the last moment at which the proposal can be voted for.
func (p Proposal) Expires() tape.Instant { return p.At + ProposalDays*tape.Day }

// VoteCommand is a yes to a change. Who votes first makes the proposal.
type VoteCommand struct {
	Change   Change  `json:"change"`
	ID       tape.ID `json:"id"`
	Proposal tape.ID `json:"proposal"`
}

// VoteState is what Vote reads.
type VoteState struct {
	Organisations Organisations // OrganisationsKey
	Rules         Rules         // RulesKey
	Joined        *Mark         // JoinedKey of the caller's organisation
	Proposal      *Proposal     // ProposalKey
	Enacted       *Mark         // EnactedKey
	// Votes are those of VoteKey for each of Organisations.Names, in their order; nil is none yet.
	Votes []*Mark
	// Organisation is OrganisationKey of Change.Admit.Name, or of the organisation
	// whose power is voted on; MSP is MSPKey of Change.Admit.MSP; Powers is PowersKey
	// of the organisation whose power is voted on. Change.Keys names them.
	Organisation *Organisation
	MSP          *MSP
	Powers       *Powers
	// Known is the highest version of the rules that this program knows.
	Known int32
}

// Keys are what the change itself reads, beside what every vote reads.
func (c Change) Keys() []string {
	switch {
	case c.Admit != nil:
		return []string{OrganisationKey(c.Admit.Name), MSPKey(c.Admit.MSP)}
	case c.GrantPower != nil:
		return []string{OrganisationKey(c.GrantPower.Organisation), PowersKey(c.GrantPower.Organisation)}
	case c.RevokePower != nil:
		return []string{OrganisationKey(c.RevokePower.Organisation), PowersKey(c.RevokePower.Organisation)}
	}
	return nil
}

// Vote records a vote, and enacts the change when the votes reach the quorum.
func Vote(state VoteState, command VoteCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("proposal", command.Proposal.Check()), rule.Field("change", command.Change.check(len(state.Organisations.Names))), carriedBy(ctx, RoleAdmin)); err != nil {
		return Outcome{}, err
	}
	voter := slices.Index(state.Organisations.Names, ctx.Organisation)
	if voter < 0 || len(state.Votes) != len(state.Organisations.Names) {
		return Outcome{}, rule.Refuse(rule.Forbidden, "%s has no vote", ctx.Organisation)
	}
	if state.Joined == nil {
		return Outcome{}, rule.Refuse(rule.WrongState, "%s has not joined; join by the charter's hash first", ctx.Organisation)
	}
	if err := state.open(command, ctx); err != nil {
		return Outcome{}, err
	}
	if state.Votes[voter] != nil {
		return Outcome{}, rule.Refuse(rule.Exists, "%s has voted for %s already, by entry %s", ctx.Organisation, command.Proposal, state.Votes[voter].Entry)
	}
	if err := rule.Field("change", state.possible(command.Change)); err != nil {
		return Outcome{}, err
	}
	return state.count(command, ctx), nil
}

// open refuses a vote for something else than was proposed, or too late.
func (s VoteState) open(command VoteCommand, ctx tape.Context) error {
	if s.Proposal == nil {
		return nil
	}
	proposed, err := canonical.Encode(s.Proposal.Change)
	if err != nil {
		return err
	}
	voted, err := canonical.Encode(command.Change)
	if err != nil {
		return err
	}
	if !bytes.Equal(proposed, voted) {
		return rule.Field("change", rule.Refuse(rule.Conflict, "proposal %s of %s asks for another change", command.Proposal, s.Proposal.Organisation))
	}
	if s.Enacted != nil {
		return rule.Refuse(rule.WrongState, "proposal %s was enacted already, by entry %s", command.Proposal, s.Enacted.Entry)
	}
	if ctx.At > s.Proposal.Expires() {
		return rule.Refuse(rule.Expired, "proposal %s could be voted for until %s", command.Proposal, s.Proposal.Expires())
	}
	return notBefore(ctx, s.Proposal.At)
}

// check refuses a change that is malformed whatever the state is.
func (c Change) check(organisations int) error {
	set := 0
	for _, one := range []bool{c.Admit != nil, c.GrantPower != nil, c.Policy != nil, c.RevokePower != nil, c.Rules != 0} {
		if one {
			set++
		}
	}
	switch {
	case set != 1:
		return rule.Refuse(rule.Invalid, "has %d parts; exactly one of admit, grantPower, policy, revokePower, rules is voted on", set)
	case c.Admit != nil:
		return rule.Field("admit", c.Admit.check())
	case c.GrantPower != nil:
		return rule.Field("grantPower", c.GrantPower.check())
	case c.RevokePower != nil:
		return rule.Field("revokePower", c.RevokePower.check())
	case c.Policy != nil:
		return rule.Field("policy", c.Policy.Check(organisations))
	}
	return nil
}

// possible refuses a change that the present state does not allow: it is asked
// at every vote, because the state may have changed since the proposal.
func (s VoteState) possible(change Change) error {
	switch {
	case change.Admit != nil:
		return s.admissible(*change.Admit)
	case change.GrantPower != nil:
		return rule.Field("grantPower", s.holds(*change.GrantPower, false))
	case change.RevokePower != nil:
		return rule.Field("revokePower", s.holds(*change.RevokePower, true))
	case change.Rules != 0 && (change.Rules < 0 || change.Rules > s.Known):
		return rule.Field("rules", rule.Refuse(rule.Unsupported, "version %d is not known here; 1 to %d are", change.Rules, s.Known))
	case change.Rules != 0 && change.Rules <= s.Rules.Version:
		return rule.Field("rules", rule.Refuse(rule.WrongState, "version %d is in force; a vote goes forward only", s.Rules.Version))
	}
	return nil
}

func (s VoteState) admissible(member Member) error {
	switch {
	case s.Organisation != nil:
		return rule.Field("admit.name", rule.Refuse(rule.Exists, "%s is an organisation of this ledger already", member.Name))
	case s.MSP != nil:
		return rule.Field("admit.msp", rule.Refuse(rule.Exists, "MSP %s is that of %s already", member.MSP, s.MSP.Organisation))
	case len(s.Organisations.Names) >= OrganisationsMax:
		return rule.Field("admit", rule.Refuse(rule.WrongState, "there are %d organisations, the most that can share a ledger", OrganisationsMax))
	}
	return nil
}

func (s VoteState) holds(grant Grant, want bool) error {
	if s.Organisation == nil || s.Powers == nil {
		return rule.Field("organisation", rule.Refuse(rule.NotFound, "there is no organisation %s", grant.Organisation))
	}
	switch has := slices.Contains(s.Powers.Powers, grant.Power); {
	case has && !want:
		return rule.Field("power", rule.Refuse(rule.WrongState, "%s has the power %s already", grant.Organisation, grant.Power))
	case !has && want:
		return rule.Field("power", rule.Refuse(rule.WrongState, "%s does not have the power %s", grant.Organisation, grant.Power))
	}
	return nil
}

// count writes the vote and, when it is the one that was missing, the change.
// The entry's kind is then "enact".
func (s VoteState) count(command VoteCommand, ctx tape.Context) Outcome {
	votes := int32(1)
	for _, vote := range s.Votes {
		if vote != nil {
			votes++
		}
	}
	kind := "vote"
	if votes >= s.Organisations.Quorum {
		kind = "enact"
	}
	entry := ctx.Entry(command.ID, kind, string(command.Proposal))
	mark := Mark{V: 1, Entry: entry.Reference()}
	writes := []Write{{VoteKey(command.Proposal, ctx.Organisation), mark}}
	if s.Proposal == nil {
		writes = append(writes, Write{ProposalKey(command.Proposal), Proposal{V: 1, ID: command.Proposal,
			Organisation: ctx.Organisation, Change: command.Change, At: ctx.At, Entry: mark.Entry}})
	}
	if kind == "enact" {
		writes = append(writes, Write{EnactedKey(command.Proposal), mark})
		writes = append(writes, s.enact(command.Change, mark.Entry)...)
	}
	return Outcome{Writes: writes, Entry: entry}
}

func (s VoteState) enact(change Change, entry string) []Write {
	switch {
	case change.Admit != nil:
		list := s.Organisations
		list.Names = append(slices.Clone(list.Names), change.Admit.Name)
		list.Quorum = max(list.Quorum, int32(len(list.Names)/2+1))
		return append(change.Admit.writes(Powers{V: 1}, entry), Write{OrganisationsKey(), list})
	case change.GrantPower != nil:
		return []Write{{PowersKey(change.GrantPower.Organisation), s.Powers.with(change.GrantPower.Power, true)}}
	case change.RevokePower != nil:
		return []Write{{PowersKey(change.RevokePower.Organisation), s.Powers.with(change.RevokePower.Power, false)}}
	case change.Policy != nil:
		return []Write{{PolicyKey(), PolicyRecord{V: 1, Policy: *change.Policy, Entry: entry}}}
	}
	return []Write{{RulesKey(), Rules{V: 1, Version: change.Rules, Entry: entry}}}
}

// with gives or takes one power and keeps the list in its order.
func (p Powers) with(changed string, held bool) Powers {
	next := Powers{V: 1}
	for _, power := range AllPowers() {
		if (power == changed && held) || (power != changed && slices.Contains(p.Powers, power)) {
			next.Powers = append(next.Powers, power)
		}
	}
	return next
}
