package group

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// SignGroup is one household's word for the agreement of a group that forms, or,
// with Joining, for letting another in under the same agreement.
type SignGroup struct {
	Account tape.AccountID `json:"account"`
	// Agreement is the hash of what is signed.
	Agreement party.Hash     `json:"agreement"`
	Group     tape.ID        `json:"group"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Joining   tape.AccountID `json:"joining,omitempty"`
}

// Sign judges the command; member is the household that signs. Any gateway
// carries it. The last signature brings a group that forms under review.
func (g Group) Sign(command SignGroup, member *Member, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return g, tape.Entry{}, err }
	if err := rule.First(carried(ctx), notBefore(ctx, g.At), g.signable(command), g.unexpired(ctx)); err != nil {
		return refuse(err)
	}
	if command.Agreement != g.AgreementHash {
		return refuse(rule.Field("agreement", rule.Refuse(rule.Conflict, "is another; that of group %s is %s", g.ID, g.AgreementHash)))
	}
	if err := rule.Field("household", rule.First(g.mine(command.Household), member.lives(command.Household, ctx))); err != nil {
		return refuse(err)
	}
	approved, err := member.signedBy(ctx)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "sign-group", string(g.Scheme))
	signature := Signature{Household: command.Household, Person: approved.Person, Custody: approved.Custody, At: ctx.At, Entry: entry.Reference()}
	g.At, g.Entry = entry.At, entry.Reference()
	if g.Joining != nil {
		joining := *g.Joining
		joining.Signed = append(slices.Clone(joining.Signed), signature)
		g.Joining = &joining
		return g, entry, nil
	}
	g.Members = slices.Clone(g.Members)
	g.Members[g.index(command.Household)].Signed = &signature
	if g.State = Signing; !slices.ContainsFunc(g.Members, func(m GroupMember) bool { return m.Signed == nil }) {
		g.State, g.Effective = Review, ctx.Date
	}
	return g, entry, nil
}

// signable refuses a group that nobody signs now, and a signature for another
// newcomer than the one who waits.
func (g Group) signable(command SignGroup) error {
	if g.Joining == nil {
		if command.Joining != "" {
			return rule.Field("joining", rule.Refuse(rule.WrongState, "%s is not on its way into group %s", command.Joining, g.ID))
		}
		return g.must("it is not signed now", Draft, Signing)
	}
	if command.Joining != g.Joining.Household {
		return rule.Field("joining", rule.Refuse(rule.Conflict, "is another; group %s is signed for %s", g.ID, g.Joining.Household))
	}
	return nil
}

// mine refuses who does not sign here, and who has signed.
func (g Group) mine(household tape.AccountID) error {
	index := g.index(household)
	if g.Joining == nil {
		if index < 0 {
			return rule.Refuse(rule.Forbidden, "%s is not in group %s", household, g.ID)
		}
		if signed := g.Members[index].Signed; signed != nil {
			return rule.Refuse(rule.Exists, "%s has signed, by entry %s", household, signed.Entry)
		}
		return nil
	}
	if !slices.ContainsFunc(g.Joining.Members, func(s Share) bool { return s.Household == household }) {
		return rule.Refuse(rule.Forbidden, "%s is not in group %s", household, g.ID)
	}
	if i := slices.IndexFunc(g.Joining.Signed, func(s Signature) bool { return s.Household == household }); i >= 0 {
		return rule.Refuse(rule.Exists, "%s has signed, by entry %s", household, g.Joining.Signed[i].Entry)
	}
	return nil
}

// index is where a household that lives in the group stands, -1 where it does not.
func (g Group) index(household tape.AccountID) int {
	return slices.IndexFunc(g.Members, func(m GroupMember) bool { return m.Household == household && m.Gone == "" })
}

// Living are the members who have not left, in the order of joining.
func (g Group) Living() []GroupMember {
	return slices.DeleteFunc(slices.Clone(g.Members), func(m GroupMember) bool { return m.Gone != "" })
}

// must refuses a state that is none of those named.
func (g Group) must(why string, states ...State) error {
	if !slices.Contains(states, g.State) {
		return rule.Refuse(rule.WrongState, "group %s is %s; %s", g.ID, g.State, why)
	}
	return nil
}

// unexpired refuses a group whose agreement has ended.
func (g Group) unexpired(ctx tape.Context) error {
	if ctx.Date > g.Agreement.Expiry {
		return rule.Refuse(rule.Expired, "the agreement of group %s ended on %s", g.ID, g.Agreement.Expiry)
	}
	return nil
}

// Endorse is the cooperative's word for a group that everybody has signed.
type Endorse struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
}

// Endorse judges the command.
func (s Scheme) Endorse(command Endorse, g Group, ctx tape.Context) (Group, tape.Entry, error) {
	if err := rule.First(s.governs(ctx), notBefore(ctx, g.At), g.must("it is endorsed under review", Review), g.unexpired(ctx)); err != nil {
		return g, tape.Entry{}, err
	}
	if g.Endorsed != nil {
		return g, tape.Entry{}, rule.Refuse(rule.Exists, "group %s is endorsed, by entry %s", g.ID, g.Endorsed.Entry)
	}
	entry := ctx.Entry(command.ID, "endorse", string(g.Scheme))
	g.Endorsed, g.At, g.Entry = &Decision{Organisation: ctx.Organisation, At: ctx.At, Entry: entry.Reference()}, entry.At, entry.Reference()
	return g, entry, nil
}

// ApproveGroup is the yes of a lender whom the agreement names: to a group under
// review, or to who is to join one.
type ApproveGroup struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
}

// Candidates are the households of whom it is asked again whether they may be in
// the group when a lender approves: all of one that forms, the newcomer alone of
// one that takes somebody in.
func (g Group) Candidates() []tape.AccountID {
	if g.Joining != nil {
		return []tape.AccountID{g.Joining.Household}
	}
	return g.Agreement.Households()
}

// Fingerprints are those of Candidates, and behind them of who lives in the group
// already: among all of them nobody is close kin.
func (g Group) Fingerprints() []string {
	var all []string
	if g.Joining != nil {
		all = append(all, g.Joining.Fingerprint)
	}
	for _, member := range g.Living() {
		all = append(all, member.Fingerprint)
	}
	return all
}

// Approve judges the command. Candidates and kin are those of Candidates and
// KinKeys of Fingerprints. With the last lender's yes the candidates are in the
// group; their standings are returned then, none before.
func (g Group) Approve(command ApproveGroup, candidates []Candidate, kin []*Kin, ctx tape.Context) (Group, []Standing, tape.Entry, error) {
	refuse := func(err error) (Group, []Standing, tape.Entry, error) { return g, nil, tape.Entry{}, err }
	if err := rule.First(g.lends(ctx), notBefore(ctx, g.At), g.approvable(), g.unexpired(ctx)); err != nil {
		return refuse(err)
	}
	approved := g.Approved
	if g.Joining != nil {
		approved = g.Joining.Approved
	}
	if decided(approved, ctx.Organisation) {
		return refuse(rule.Refuse(rule.Exists, "%s has approved", ctx.Organisation))
	}
	if err := rule.Field("group", g.eligible(candidates, kin, ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "approve-group", string(g.Scheme))
	approved = append(slices.Clone(approved), Decision{Organisation: ctx.Organisation, At: ctx.At, Entry: entry.Reference()})
	g.At, g.Entry = entry.At, entry.Reference()
	if g.Joining != nil {
		g = g.joinedBy(approved, ctx)
	} else if g.Approved = approved; len(approved) == len(g.Agreement.Lenders) {
		g.State, g.Members = Active, slices.Clone(g.Members)
		for i := range g.Members {
			g.Members[i].Joined = ctx.At
		}
	}
	if len(approved) < len(g.Agreement.Lenders) {
		return g, nil, entry, nil
	}
	standings := make([]Standing, len(candidates))
	for i, candidate := range candidates {
		standings[i] = candidate.Standing.in(&Place{Scheme: g.Scheme, Group: g.ID}, entry)
	}
	return g, standings, entry, nil
}

// joinedBy notes who approved a newcomer; once every lender has, it is a member,
// from now on: what was lent before is not its to guarantee.
func (g Group) joinedBy(approved []Decision, ctx tape.Context) Group {
	joining := *g.Joining
	joining.Approved = approved
	if g.Joining = &joining; len(approved) < len(g.Agreement.Lenders) {
		return g
	}
	i := slices.IndexFunc(joining.Signed, func(s Signature) bool { return s.Household == joining.Household })
	g.Members = append(slices.Clone(g.Members), GroupMember{Household: joining.Household, Fingerprint: joining.Fingerprint, Signed: &joining.Signed[i], Joined: ctx.At})
	for _, share := range joining.Members {
		g.Members[g.index(share.Household)].PartsPerMillion = share.PartsPerMillion
	}
	g.Joining = nil
	return g
}

// lends refuses whoever is not the gateway of a lender whom the agreement names.
func (g Group) lends(ctx tape.Context) error {
	if !slices.Contains(g.Agreement.Lenders, ctx.Organisation) || ctx.Role != party.RoleGateway || !ctx.Has(party.Lender) {
		return rule.Refuse(rule.Forbidden, "%s (role %s) is no lender of group %s", ctx.Organisation, ctx.Role, g.ID)
	}
	return nil
}

// approvable refuses what is not complete.
func (g Group) approvable() error {
	if g.Joining != nil {
		if signed, all := len(g.Joining.Signed), len(g.Joining.Members); signed < all {
			return rule.Refuse(rule.WrongState, "%d of %d households have signed for %s", signed, all, g.Joining.Household)
		}
		return nil
	}
	if err := g.must("it is approved under review", Review); err != nil {
		return err
	}
	if g.Endorsed == nil {
		return rule.Refuse(rule.WrongState, "group %s waits for the cooperative to endorse it", g.ID)
	}
	return nil
}

// eligible asks of the candidates whether they may be in the group, and of each
// with all others whether the two are kin.
func (g Group) eligible(candidates []Candidate, kin []*Kin, ctx tape.Context) error {
	households := g.Candidates()
	if g.Joining == nil {
		return eligible(households, candidates, kin, ctx)
	}
	if err := candidates[0].eligible(households[0], ctx); err != nil {
		return err
	}
	return g.strange(candidates[0].Member, kin)
}

// strange refuses a newcomer who is one household with a member, or kin of one;
// the pairs of the newcomer stand first.
func (g Group) strange(newcomer *Member, kin []*Kin) error {
	for i, member := range g.Living() {
		if err := apart(&Member{Household: member.Household, Fingerprint: member.Fingerprint}, newcomer, kin[i]); err != nil {
			return err
		}
	}
	return nil
}

// RejectReasons say why a group does not come about, or a newcomer does not join.
func RejectReasons() []string {
	return []string{"ineligible", "documents", "credit", "withdrawn", "other"}
}

// RejectGroup ends a group that is not active yet, or keeps a newcomer out of one
// that is. A lender may under review, the cooperative until the last approval.
type RejectGroup struct {
	Account tape.AccountID `json:"account"`
	Group   tape.ID        `json:"group"`
	ID      tape.ID        `json:"id"`
	Reason  string         `json:"reason"`
}

// Reject judges the command.
func (s Scheme) Reject(command RejectGroup, g Group, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return g, tape.Entry{}, err }
	if err := rule.First(s.rejects(g, ctx), rule.Field("reason", rule.OneOf(command.Reason, RejectReasons()...)), notBefore(ctx, g.At)); err != nil {
		return refuse(err)
	}
	if g.Joining == nil {
		if err := g.must("only what is on its way is rejected", Draft, Signing, Review); err != nil {
			return refuse(err)
		}
	}
	entry := ctx.Entry(command.ID, "reject-group", string(g.Scheme))
	g.At, g.Entry = entry.At, entry.Reference()
	if g.Joining != nil {
		g.Joining = nil
		return g, entry, nil
	}
	g.State, g.Cause = Rejected, &Cause{Reason: command.Reason, Date: ctx.Date, Entry: entry.Reference()}
	return g, entry, nil
}

// rejects refuses whoever is neither the cooperative nor a lender whose turn it is.
func (s Scheme) rejects(g Group, ctx tape.Context) error {
	if ctx.Organisation == s.Organisation {
		return s.governs(ctx)
	}
	if err := g.lends(ctx); err != nil {
		return rule.Refuse(rule.Forbidden, "%s (role %s) neither runs %s nor is a lender of group %s", ctx.Organisation, ctx.Role, s.Account, g.ID)
	}
	if g.Joining == nil && g.State != Review {
		return rule.Refuse(rule.WrongState, "group %s is %s; a lender rejects under review", g.ID, g.State)
	}
	return nil
}
