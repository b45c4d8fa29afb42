package assessment

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Attest says one value about a household, for one lender.
type Attest struct {
	Account tape.AccountID `json:"account"`
	// Attestation is the salted hash of a paper, Evidence an entry of the ledger,
	// organisation/id: the value rests on one of the two.
	Attestation *party.Hash    `json:"attestation,omitempty"`
	Day         tape.Date      `json:"day"`
	Evidence    string         `json:"evidence,omitempty"`
	Household   tape.AccountID `json:"household"`
	ID          tape.ID        `json:"id"`
	Indicator   string         `json:"indicator"`
	Lender      string         `json:"lender"`
	Value       int32          `json:"value"`
}

// AttestState is what the command reads.
type AttestState struct {
	Scheme group.Scheme
	// Industry is that of the scheme's terms in force.
	Industry string
	Member   *group.Member  // MemberKey
	Consent  *party.Consent // ConsentKey of the member's person, the lender, and the indicator's class
	Evidence *tape.Entry    // EntryKey of Evidence
	Known    *Inputs        // InputsKey; nil for none
}

// Model is that by which a scheme scores on a day.
func Model(industry string, day tape.Date) (credit.Model, error) {
	if industry == "" {
		return credit.Model{}, rule.Refuse(rule.Unsupported, "the terms of the scheme name no industry; nobody is scored in it")
	}
	return credit.ModelOn(industry, day)
}

// Asked is the model's indicator that is attested. What the ledger knows by itself nobody attests.
func (c Attest) Asked(model credit.Model) (credit.Indicator, error) {
	indicator, known := model.Indicator(c.Indicator)
	if !known {
		return indicator, rule.Field("indicator", rule.Refuse(rule.NotFound, "is none of the indicators of %s", model.ID))
	}
	if len(indicator.Attesters) == 0 {
		return indicator, rule.Field("indicator", rule.Refuse(rule.Forbidden, "%s is what the ledger knows by itself; nobody attests it", c.Indicator))
	}
	return indicator, nil
}

// Check refuses what is malformed, so that a contract can read what the command names.
func (c Attest) Check() error {
	if err := rule.First(rule.Field("id", c.ID.Check()), rule.Field("household", c.Household.Check()), rule.Field("lender", tape.CheckSegment(c.Lender)), rule.Field("day", c.Day.Check())); err != nil {
		return err
	}
	if (c.Attestation == nil) == (c.Evidence == "") {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "is an entry or the hash of an attestation, one of the two"))
	}
	if c.Evidence == "" {
		return nil
	}
	return rule.Field("evidence", tape.CheckReference(c.Evidence))
}

// Apply judges the command of an organisation that the model lets attest; one of its staff signs.
func (c Attest) Apply(state AttestState, ctx tape.Context) (Inputs, tape.Entry, error) {
	refuse := func(err error) (Inputs, tape.Entry, error) { return Inputs{}, tape.Entry{}, err }
	if err := c.Check(); err != nil {
		return refuse(err)
	}
	model, err := Model(state.Industry, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	indicator, err := c.Asked(model)
	if err != nil {
		return refuse(err)
	}
	if err := rule.First(attests(indicator, state.Scheme, ctx), party.SignedBy(ctx, ctx.Organisation), lends(state.Scheme, c.Lender),
		admitted(state.Member, c.Household), state.Known.unchanged(ctx)); err != nil {
		return refuse(err)
	}
	if err := rule.First(c.says(indicator, state.Evidence, ctx), c.consented(state.Consent, indicator, ctx)); err != nil {
		return refuse(err)
	}
	return c.add(*state.Known.orNone(), model, ctx)
}

// attests refuses an organisation that the model does not let attest an
// indicator. A cooperative attests in its own scheme, a lender in those where it lends.
func attests(indicator credit.Indicator, scheme group.Scheme, ctx tape.Context) error {
	may := slices.ContainsFunc(indicator.Attesters, func(power string) bool {
		if !ctx.Has(power) {
			return false
		}
		return (power != party.Cooperative || ctx.Organisation == scheme.Organisation) && (power != party.Lender || slices.Contains(scheme.Lenders, ctx.Organisation))
	})
	if ctx.Role != party.RoleGateway || !may {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not attest %s in %s; %v does", ctx.Organisation, ctx.Role, indicator.Indicator, scheme.Account, indicator.Attesters)
	}
	return nil
}

// lends refuses who is no lender of the scheme.
func lends(scheme group.Scheme, lender string) error {
	if !slices.Contains(scheme.Lenders, lender) {
		return rule.Field("lender", rule.Refuse(rule.NotFound, "%s is no lender of %s", lender, scheme.Account))
	}
	return nil
}

func admitted(member *group.Member, household tape.AccountID) error {
	if member == nil || member.State != group.Admitted {
		return rule.Field("household", rule.Refuse(rule.NotFound, "%s is no admitted member of the scheme", household))
	}
	return nil
}

// unchanged refuses a moment before the last change.
func (i *Inputs) unchanged(ctx tape.Context) error {
	if i != nil && ctx.At < i.At {
		return rule.Refuse(rule.Conflict, "the inputs were changed at %s, after %s", i.At, ctx.At)
	}
	return nil
}

func (i *Inputs) orNone() *Inputs {
	if i == nil {
		return &Inputs{V: 1, Inputs: []Input{}}
	}
	return i
}

// says refuses a value that the indicator does not take, and evidence that proves nothing about the scheme.
func (c Attest) says(indicator credit.Indicator, evidence *tape.Entry, ctx tape.Context) error {
	if err := rule.Field("value", rule.Within(int64(c.Value), 0, int64(indicator.ValueMax))); err != nil {
		return err
	}
	if c.Day > ctx.Date || c.Day.AddDays(int(indicator.ExpiryDays)) < ctx.Date {
		return rule.Field("day", rule.Refuse(rule.Invalid, "%s is not within the %d days up to %s for which %s counts", c.Day, indicator.ExpiryDays, ctx.Date, indicator.Indicator))
	}
	kind := "attestation"
	if c.Evidence != "" {
		kind = "entry"
	}
	if !slices.Contains(indicator.Evidence, kind) {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "an %s does not prove %s", kind, indicator.Indicator))
	}
	if c.Evidence != "" && (evidence == nil || evidence.Subject != string(c.Account)) {
		return rule.Field("evidence", rule.Refuse(rule.NotFound, "%s is no entry about %s", c.Evidence, c.Account))
	}
	return nil
}

// consented refuses a value about a household whose person has not allowed the lender to use it.
func (c Attest) consented(consent *party.Consent, indicator credit.Indicator, ctx tape.Context) error {
	if consent == nil || !consent.Stands(ctx.Date) {
		return rule.Field("lender", rule.Refuse(rule.Forbidden, "the person of %s has not consented, or no longer, that %s uses data about %s for credit", c.Household, c.Lender, indicator.About))
	}
	return nil
}

// source is what a score names: the entry of the ledger, or this attestation.
func (c Attest) source(ctx tape.Context) string {
	if c.Evidence != "" {
		return "entry/" + c.Evidence
	}
	return "attestation/" + ctx.Organisation + "/" + string(c.ID)
}

// add puts the value to those that still count.
func (c Attest) add(known Inputs, model credit.Model, ctx tape.Context) (Inputs, tape.Entry, error) {
	known.Inputs = slices.DeleteFunc(slices.Clone(known.Inputs), func(i Input) bool {
		indicator, asked := model.Indicator(i.Indicator)
		return !asked || i.Day.AddDays(int(indicator.ExpiryDays)) < ctx.Date
	})
	source := c.source(ctx)
	if slices.ContainsFunc(known.Inputs, func(i Input) bool {
		return i.Indicator == c.Indicator && (i.Source == source || c.Attestation != nil && i.Attestation != nil && *i.Attestation == *c.Attestation)
	}) {
		return known, tape.Entry{}, rule.Field("evidence", rule.Refuse(rule.Exists, "was given for %s already", c.Indicator))
	}
	if len(known.Inputs) >= InputsMax {
		return known, tape.Entry{}, rule.Refuse(rule.Invalid, "%d inputs about %s stand already, and no more than that", InputsMax, c.Household)
	}
	entry := ctx.Entry(c.ID, "attest", string(c.Account))
	known.Inputs = append(known.Inputs, Input{Attestation: c.Attestation, Day: c.Day, Indicator: c.Indicator, Organisation: ctx.Organisation, Source: source, Value: c.Value, Entry: entry.Reference()})
	known.At, known.Entry = entry.At, entry.Reference()
	return known, entry, nil
}

// Retract takes back what the same organisation attested: it was wrong, or the household contests it with reason.
type Retract struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Indicator string         `json:"indicator"`
	Lender    string         `json:"lender"`
	Source    string         `json:"source"`
}

// Retract judges the command; one of the staff of who attested signs. No consent is needed to say less.
func (i *Inputs) Retract(c Retract, ctx tape.Context) (Inputs, tape.Entry, error) {
	known := *i.orNone()
	refuse := func(err error) (Inputs, tape.Entry, error) { return known, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is no gateway", ctx.Organisation, ctx.Role))
	}
	if err := rule.First(party.SignedBy(ctx, ctx.Organisation), i.unchanged(ctx)); err != nil {
		return refuse(err)
	}
	at := slices.IndexFunc(known.Inputs, func(one Input) bool { return one.Indicator == c.Indicator && one.Source == c.Source })
	if at < 0 {
		return refuse(rule.Field("source", rule.Refuse(rule.NotFound, "is none of the attested sources of that indicator")))
	}
	if by := known.Inputs[at].Organisation; by != ctx.Organisation {
		return refuse(rule.Field("source", rule.Refuse(rule.Forbidden, "was attested by %s, who alone takes it back", by)))
	}
	entry := ctx.Entry(c.ID, "retract", string(c.Account))
	known.Inputs = slices.Delete(slices.Clone(known.Inputs), at, at+1)
	known.At, known.Entry = entry.At, entry.Reference()
	return known, entry, nil
}
