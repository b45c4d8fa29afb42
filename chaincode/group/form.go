package group

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Agreement is what the members of a group sign: one text, by its hashes, and
// what the ledger computes with. All sign the same (Interpretation on the
// Guarantee System art. 13): only so do they share among themselves what one pays.
type Agreement struct {
	// Expiry is the last day; loans end by then.
	Expiry tape.Date `json:"expiry"`
	// Form names the guarantee, as the law wants it named (art. 686, 688).
	Form string `json:"form"`
	// GroupMax and MemberMax are the most that all and that one member guarantee
	// for loans made until Expiry (art. 690).
	GroupMax money.Amount `json:"groupMax"`
	// GuaranteeMonths is the guarantee period behind each due date (art. 692).
	GuaranteeMonths int32 `json:"guaranteeMonths"`
	// Lenders are the creditors, in the scheme's order.
	Lenders   []string     `json:"lenders"`
	MemberMax money.Amount `json:"memberMax"`
	Members   []Share      `json:"members"`
	// MutualRecourse: who paid more than its share has recourse to the others.
	MutualRecourse bool `json:"mutualRecourse"`
	// Shares are equal or agreed (art. 519, 699).
	Shares string `json:"shares"`
	// Terms is the version of the scheme's terms under which it stands.
	Terms  int32      `json:"terms"`
	TextEn party.Hash `json:"textEn"`
	TextZh party.Hash `json:"textZh"`
}

// Share is a household's part among the guarantors.
type Share struct {
	Household tape.AccountID `json:"household"`
	// PartsPerMillion sum to a million where they are agreed, and are 0 where they are equal.
	PartsPerMillion int32 `json:"partsPerMillion,omitempty"`
}

// How shares are set.
const (
	EqualShares  = "equal"
	AgreedShares = "agreed"
)

// Hash is what members sign: the agreement, of this group of this scheme.
func (a Agreement) Hash(scheme tape.AccountID, group tape.ID) (party.Hash, error) {
	encoded, err := canonical.Encode(struct {
		Agreement Agreement      `json:"agreement"`
		Group     tape.ID        `json:"group"`
		Scheme    tape.AccountID `json:"scheme"`
	}{a, group, scheme})
	if err != nil {
		return party.Hash{}, err
	}
	return sha256.Sum256(encoded), nil
}

// check refuses an agreement that the terms do not allow, or the law does not know.
func (a Agreement) check(terms Terms, law Law, day tape.Date) error {
	if a.Terms != terms.Version {
		return rule.Field("terms", rule.Refuse(rule.Conflict, "is version %d; version %d is in force", a.Terms, terms.Version))
	}
	if a.Form != law.Form {
		return rule.Field("form", rule.Refuse(rule.Invalid, "is not %s; a guarantee that is not named so is a general one (Civil Code art. 686)", law.Form))
	}
	if !a.MutualRecourse {
		return rule.Field("mutualRecourse", rule.Refuse(rule.Invalid, "is not agreed; guarantors would not share what one of them pays"))
	}
	if a.TextEn == (party.Hash{}) || a.TextZh == (party.Hash{}) {
		return rule.Refuse(rule.Invalid, "the hash of the text is missing in one of the two languages")
	}
	if a.GuaranteeMonths != terms.Terms.GuaranteeMonths {
		return rule.Field("guaranteeMonths", rule.Refuse(rule.Conflict, "are %d; the scheme has %d", a.GuaranteeMonths, terms.Terms.GuaranteeMonths))
	}
	if err := rule.First(a.lends(terms), a.amounts(terms.Terms), a.ends(terms.Terms, day)); err != nil {
		return err
	}
	return rule.Field("members", checkShares(a.Members, a.Shares, terms.Terms))
}

func (a Agreement) lends(terms Terms) error {
	if err := checkLenders(a.Lenders); err != nil {
		return err
	}
	for i, lender := range a.Lenders {
		if !slices.Contains(terms.Lenders, lender) {
			return rule.Item("lenders", i, rule.Refuse(rule.NotFound, "%s is no lender of the scheme; those are %s", lender, strings.Join(terms.Lenders, ", ")))
		}
	}
	return nil
}

func (a Agreement) amounts(terms SchemeTerms) error {
	if err := rule.First(rule.Field("memberMax", a.MemberMax.Positive(terms.MemberMax.Currency)), rule.Field("groupMax", a.GroupMax.Positive(terms.MemberMax.Currency))); err != nil {
		return err
	}
	if a.MemberMax.Units > terms.MemberMax.Units {
		return rule.Field("memberMax", rule.Refuse(rule.Invalid, "is %s; one member guarantees %s at most", a.MemberMax, terms.MemberMax))
	}
	if a.GroupMax.Units < a.MemberMax.Units {
		return rule.Field("groupMax", rule.Refuse(rule.Invalid, "is %s, less than the %s of one member", a.GroupMax, a.MemberMax))
	}
	return nil
}

// ends refuses an agreement that is over, or that outlives what the scheme and the law allow.
func (a Agreement) ends(terms SchemeTerms, day tape.Date) error {
	if err := rule.Field("expiry", a.Expiry.Check()); err != nil {
		return err
	}
	if a.Expiry <= day {
		return rule.Field("expiry", rule.Refuse(rule.Invalid, "is %s, which is not behind %s", a.Expiry, day))
	}
	if most := day.AddMonths(int(terms.GroupMonthsMax)); a.Expiry > most {
		return rule.Field("expiry", rule.Refuse(rule.Invalid, "is %s; a group ends after %d months at most, by %s", a.Expiry, terms.GroupMonthsMax, most))
	}
	return nil
}

// checkShares refuses a group that is too small or too large, a household that
// stands twice, and shares that do not make a whole.
func checkShares(members []Share, how string, terms SchemeTerms) error {
	if n := len(members); n < int(terms.GroupSizeMin) || n > int(terms.GroupSizeMax) {
		return rule.Refuse(rule.Invalid, "has %d households; a group has %d to %d", n, terms.GroupSizeMin, terms.GroupSizeMax)
	}
	if how != EqualShares && how != AgreedShares {
		return rule.Refuse(rule.Invalid, "shares are neither %s nor %s", EqualShares, AgreedShares)
	}
	sum := int64(0)
	for i, member := range members {
		path := "[" + decimal(int32(i)) + "]"
		if slices.ContainsFunc(members[:i], func(s Share) bool { return s.Household == member.Household }) {
			return rule.Field(path, rule.Refuse(rule.Invalid, "%s stands twice", member.Household))
		}
		if (how == EqualShares) != (member.PartsPerMillion == 0) || member.PartsPerMillion < 0 {
			return rule.Field(path, rule.Refuse(rule.Invalid, "has a share of %d; shares are %s", member.PartsPerMillion, how))
		}
		sum += int64(member.PartsPerMillion)
	}
	if how == AgreedShares && sum != million {
		return rule.Refuse(rule.Invalid, "the shares are %d parts per million together", sum)
	}
	return nil
}

// Candidate is a household who is to be in a group, with what is known of it.
type Candidate struct {
	Member   *Member   // MemberKey
	Standing *Standing // StandingKey of its fingerprint
	Controls *Controls // ControlsKey of its fingerprint
	Person   *party.Person
	Debts    Debts
}

// KinKeys are the keys of all pairs of fingerprints, the first with each behind
// it first: the order in which eligible takes the records.
func KinKeys(fingerprints []string) []string {
	var keys []string
	for i, one := range fingerprints {
		for _, other := range fingerprints[i+1:] {
			keys = append(keys, KinKey(one, other))
		}
	}
	return keys
}

// eligible refuses who may not be in a group now.
func (c Candidate) eligible(household tape.AccountID, ctx tape.Context) error {
	if err := c.Member.lives(household, ctx); err != nil {
		return err
	}
	if c.Person == nil || c.Person.ID != c.Member.PersonOn(ctx.At) {
		return rule.Refuse(rule.NotFound, "there is no person %s, who signs for %s", c.Member.PersonOn(ctx.At), household)
	}
	if _, err := c.Person.InForce(ctx.At); err != nil {
		return err
	}
	if in := c.Standing.place(); in != nil {
		return rule.Refuse(rule.Forbidden, "%s is in group %s of %s; a household is in one", household, in.Group, in.Scheme)
	}
	if c.Controls != nil && len(c.Controls.Suppliers) > 0 {
		return rule.Refuse(rule.Forbidden, "%s controls %s, a supplier of this scheme", household, c.Controls.Suppliers[0])
	}
	if c.Debts.OverdueLoan != "" {
		return rule.Refuse(rule.Forbidden, "%s is overdue with loan %s", household, c.Debts.OverdueLoan)
	}
	if err := c.Debts.uncalled(); err != nil {
		return err
	}
	if until := c.Debts.ExcludedUntil; until >= ctx.Date {
		return rule.Refuse(rule.Forbidden, "%s is excluded until %s, because a group ended by its default", household, until)
	}
	return nil
}

// eligible refuses a group of which one may not be in it, or of which two are one or close kin.
func eligible(households []tape.AccountID, candidates []Candidate, kin []*Kin, ctx tape.Context) error {
	for i, candidate := range candidates {
		if err := candidate.eligible(households[i], ctx); err != nil {
			return rule.Field("["+decimal(int32(i))+"]", err)
		}
	}
	pair := 0
	for i := range candidates {
		for j := i + 1; j < len(candidates); j++ {
			if err := apart(candidates[i].Member, candidates[j].Member, kin[pair]); err != nil {
				return rule.Field("["+decimal(int32(j))+"]", err)
			}
			pair++
		}
	}
	return nil
}

// apart refuses two names of one household, and close kin.
func apart(one, other *Member, kin *Kin) error {
	if one.Fingerprint == other.Fingerprint {
		return rule.Refuse(rule.Forbidden, "%s and %s are one household", other.Household, one.Household)
	}
	if kin.stands() {
		return rule.Refuse(rule.Forbidden, "%s and %s are close kin, by entry %s", other.Household, one.Household, kin.Entry)
	}
	return nil
}

// FormGroup writes a draft: an agreement for its members to sign.
type FormGroup struct {
	Account   tape.AccountID `json:"account"`
	Agreement Agreement      `json:"agreement"`
	Group     tape.ID        `json:"group"`
	ID        tape.ID        `json:"id"`
}

// FormGroup judges the command; terms are those in force, candidates the
// agreement's members in their order, kin the records of KinKeys of their
// fingerprints. Maker and checker of the cooperative sign.
func (s Scheme) FormGroup(command FormGroup, terms *Terms, candidates []Candidate, kin []*Kin, ctx tape.Context) (Group, tape.Entry, error) {
	refuse := func(err error) (Group, tape.Entry, error) { return Group{}, tape.Entry{}, err }
	if err := rule.First(s.governs(ctx), rule.Field("group", command.Group.Check())); err != nil {
		return refuse(err)
	}
	if terms == nil {
		return refuse(rule.Refuse(rule.WrongState, "the terms of %s wait for its lenders", s.Account))
	}
	law, err := LawOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if err := rule.Field("agreement", command.Agreement.check(*terms, law, ctx.Date)); err != nil {
		return refuse(err)
	}
	households := command.Agreement.Households()
	if err := rule.Field("agreement", rule.Field("members", eligible(households, candidates, kin, ctx))); err != nil {
		return refuse(err)
	}
	hash, err := command.Agreement.Hash(s.Account, command.Group)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "form-group", string(s.Account))
	group := Group{V: 1, Scheme: s.Account, ID: command.Group, State: Draft, Agreement: command.Agreement, AgreementHash: hash, At: ctx.At, Entry: entry.Reference()}
	for i, share := range command.Agreement.Members {
		group.Members = append(group.Members, GroupMember{Household: share.Household, Fingerprint: candidates[i].Member.Fingerprint, PartsPerMillion: share.PartsPerMillion})
	}
	return group, entry, nil
}

// Households are those whom it names.
func (a Agreement) Households() []tape.AccountID {
	households := make([]tape.AccountID, len(a.Members))
	for i, member := range a.Members {
		households[i] = member.Household
	}
	return households
}
