package assessment

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Assess computes a household's score and limit with the lender that calls.
type Assess struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	// IncomeMax is the most that the household's income bears, as the lender examined it.
	IncomeMax money.Amount `json:"incomeMax"`
}

// AssessState is what the command reads.
type AssessState struct {
	Scheme group.Scheme
	// Terms are the scheme's in force.
	Terms  group.SchemeTerms
	Member *group.Member // MemberKey
	// Consents are those that the member's person has given the lender for the model's purpose, of every class.
	Consents []Consent
	Inputs   *Inputs // InputsKey; nil for none
	// History is how the household repays, by all lenders of the ledger.
	History []loan.Past
	// PaidCalls are guarantor calls whose part it has paid in time.
	PaidCalls []loan.PaidCall
	// Group is the one that the household is in, of this scheme; nil for none. Debts are of its living members.
	Group *group.Group
	Debts []group.Debts
	// LastCall is the day of the last guarantor call in that group, none for none.
	LastCall tape.Date
	Known    *Standing // Key; nil before the first
}

// Consent is one as it stands on the ledger, with the civil day from which it does.
type Consent struct {
	party.Consent
	From tape.Date
}

// Classes are the classes of data that a model asks for, each once.
func Classes(model credit.Model) []string {
	var classes []string
	for _, factor := range model.Factors {
		for _, indicator := range factor.Indicators {
			if !slices.Contains(classes, indicator.About) {
				classes = append(classes, indicator.About)
			}
		}
	}
	return classes
}

// Apply judges the command. That maker and checker of the lender signed is judged by the caller.
func (c Assess) Apply(state AssessState, ctx tape.Context) (Standing, tape.Entry, error) {
	refuse := func(err error) (Standing, tape.Entry, error) { return Standing{}, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway || !ctx.Has(party.Lender) || !slices.Contains(state.Scheme.Lenders, ctx.Organisation) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is no lender of %s", ctx.Organisation, ctx.Role, c.Account))
	}
	if err := rule.First(rule.Field("id", c.ID.Check()), rule.Field("household", c.Household.Check()), admitted(state.Member, c.Household),
		rule.Field("incomeMax", c.IncomeMax.Positive(state.Scheme.Currency)), state.Known.unchanged(ctx)); err != nil {
		return refuse(err)
	}
	if state.Group == nil {
		return refuse(rule.Field("household", rule.Refuse(rule.WrongState, "%s is in no group of %s; a limit is what a group can bear", c.Household, c.Account)))
	}
	model, err := Model(state.Terms.Industry, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	next := Standing{V: 1, Date: ctx.Date, At: ctx.At}
	if next.Score, err = model.Score(c.request(state, model, ctx)); err != nil {
		return refuse(err)
	}
	if next.Limit, err = model.Limit(c.facts(state, ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "assess", string(c.Account))
	next.Entry = entry.Reference()
	if state.Known != nil {
		next.LastStep, next.LastCut = state.Known.LastStep, state.Known.LastCut
		next.Contested = slices.DeleteFunc(slices.Clone(state.Known.Contested), func(one Contested) bool { return next.input(one.Indicator, one.Source) < 0 })
	}
	switch next.Limit.Change {
	case credit.LimitFirst, credit.LimitGrown:
		next.LastStep = ctx.Date
	case credit.LimitCut:
		next.LastCut = ctx.Date
	}
	next, err = next.without(model)
	return next, entry, err
}

// unchanged refuses a moment before the last change.
func (s *Standing) unchanged(ctx tape.Context) error {
	if s != nil && ctx.At < s.At {
		return rule.Refuse(rule.Conflict, "the score was computed or contested at %s, after %s", s.At, ctx.At)
	}
	return nil
}

// request is all that may be used: what was attested and what the ledger knows,
// each under a consent to this lender that stands today. What the household does
// not allow is not known.
func (c Assess) request(state AssessState, model credit.Model, ctx tape.Context) credit.Request {
	request := credit.Request{Consents: []credit.Consent{}, Inputs: []credit.Input{}, Day: ctx.Date, Household: c.Household, Organisation: ctx.Organisation, Person: state.Member.PersonOn(ctx.At)}
	for _, one := range state.Consents {
		if one.Stands(ctx.Date) {
			request.Consents = append(request.Consents, credit.Consent{About: one.About, From: one.From, Organisation: one.Organisation, Person: one.Person, Purpose: one.Purpose, Reference: one.Entry, Until: one.Until})
		}
	}
	for _, input := range slices.Concat(state.attested(), known(state.History, ctx.Date), paid(state.PaidCalls)) {
		indicator, asked := model.Indicator(input.Indicator)
		i := slices.IndexFunc(request.Consents, func(one credit.Consent) bool { return one.About == indicator.About })
		if !asked || i < 0 {
			continue
		}
		input.Consent, input.Value = request.Consents[i].Reference, min(input.Value, indicator.ValueMax)
		request.Inputs = append(request.Inputs, input)
	}
	return request
}

func (s AssessState) attested() []credit.Input {
	var inputs []credit.Input
	for _, one := range s.Inputs.orNone().Inputs {
		inputs = append(inputs, credit.Input{Day: one.Day, Indicator: one.Indicator, Source: one.Source, Value: one.Value})
	}
	return inputs
}

// The indicators that the ledger knows by itself, beside credit.CallPaid.
const (
	daysPastDue = "days-past-due"
	loansRepaid = "loans-repaid"
	ownDefaults = "own-defaults"
)

// known are the inputs that loans give, by the entry that asked for each. What is
// still so is of today, what ended of the day when it did.
func known(history []loan.Past, today tape.Date) []credit.Input {
	var inputs []credit.Input
	for _, past := range history {
		day, source, defaults := past.Closed, "entry/"+past.Application, int32(0)
		if past.Defaulted != "" {
			defaults = 1
		}
		if day == "" {
			day = today
		} else {
			inputs = append(inputs, credit.Input{Day: day, Indicator: loansRepaid, Source: source, Value: 1})
		}
		inputs = append(inputs, credit.Input{Day: day, Indicator: daysPastDue, Source: source, Value: past.DaysPastDueMax},
			credit.Input{Day: day, Indicator: ownDefaults, Source: source, Value: defaults})
	}
	return inputs
}

// paid are the inputs that guarantor calls give to who has paid them, by the entry that made each.
func paid(calls []loan.PaidCall) []credit.Input {
	inputs := make([]credit.Input, len(calls))
	for i, call := range calls {
		inputs[i] = credit.Input{Day: call.Date, Indicator: credit.CallPaid, Source: "entry/" + call.Made, Value: 1}
	}
	return inputs
}

// facts are what the limit is judged from. Without a consent about repayment the
// lender knows the loans that it made itself, and no others.
func (c Assess) facts(state AssessState, ctx tape.Context) credit.LimitFacts {
	consented := slices.ContainsFunc(state.Consents, func(one Consent) bool { return one.About == "repayment" && one.Stands(ctx.Date) })
	bears := state.Group.Agreement.GroupMax
	facts := credit.LimitFacts{Day: ctx.Date, Limit: money.New(0, state.Scheme.Currency), IncomeCap: c.IncomeMax, ProductCap: bears, GroupShareCap: bears, LastCall: state.LastCall, MembersRegular: true}
	// A share of a million of an amount is always an amount.
	facts.GroupShareCap.Units, _ = money.Portion(bears.Units, int64(state.Terms.MemberSharePartsPerMillion), credit.Million)
	if state.Known != nil {
		facts.Limit, facts.LastStep, facts.LastCut = state.Known.Limit.Amount, state.Known.LastStep, state.Known.LastCut
	}
	for _, past := range state.History {
		if !consented && past.Organisation != ctx.Organisation {
			continue
		}
		facts.LastDefault = max(facts.LastDefault, past.Defaulted)
		if past.Closed != "" && past.Closed >= facts.LastClosed {
			facts.LastClosed, facts.DaysPastDueMax = past.Closed, past.DaysPastDueMax
		}
	}
	for _, debts := range state.Debts {
		if debts.OverdueLoan != "" || debts.OpenCall != "" || debts.OpenRecourse != "" {
			facts.MembersRegular = false
		}
	}
	return facts
}

// input is where the score has an input, -1 where it has not.
func (s Standing) input(indicator, source string) int {
	return slices.IndexFunc(s.Score.Request.Inputs, func(one credit.Input) bool { return one.Indicator == indicator && one.Source == source })
}

// without computes the score without what is contested.
func (s Standing) without(model credit.Model) (Standing, error) {
	if s.Without = nil; len(s.Contested) == 0 {
		s.Contested = nil
		return s, nil
	}
	request := s.Score.Request
	request.Inputs = slices.DeleteFunc(slices.Clone(request.Inputs), func(input credit.Input) bool {
		return slices.ContainsFunc(s.Contested, func(one Contested) bool { return one.Indicator == input.Indicator && one.Source == input.Source })
	})
	score, err := model.Score(request)
	s.Without = &score
	return s, err
}

// DisputeInput is the household's word that one input of its score is wrong
// (Regulation on the Credit Reporting Industry, State Council Order 631, art. 25).
type DisputeInput struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Indicator string         `json:"indicator"`
	Lender    string         `json:"lender"`
	Source    string         `json:"source"`
}

// Dispute judges the command: the household's own person signs it alone, by a key
// of any custody, and any gateway carries it; nobody is kept from saying no. The
// score stays, and beside it stands what it would be without the input.
func (s Standing) Dispute(c DisputeInput, member *group.Member, ctx tape.Context) (Standing, tape.Entry, error) {
	refuse := func(err error) (Standing, tape.Entry, error) { return s, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is no gateway; gateways carry what people sign", ctx.Organisation, ctx.Role))
	}
	if err := rule.First(admitted(member, c.Household), s.unchanged(ctx)); err != nil {
		return refuse(err)
	}
	if person := member.PersonOn(ctx.At); len(ctx.Approvals) != 1 || ctx.Approvals[0].Person != person {
		return refuse(rule.Refuse(rule.Forbidden, "%s, who signs for %s, contests alone", person, c.Household))
	}
	if s.input(c.Indicator, c.Source) < 0 {
		return refuse(rule.Field("source", rule.Refuse(rule.NotFound, "is none of the sources of that indicator in the score of %s", s.Date)))
	}
	if i := slices.IndexFunc(s.Contested, func(one Contested) bool { return one.Indicator == c.Indicator && one.Source == c.Source }); i >= 0 {
		return refuse(rule.Field("source", rule.Refuse(rule.Exists, "is contested already, by entry %s", s.Contested[i].Entry)))
	}
	model, err := credit.ModelOf(s.Score.Model)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "dispute-input", string(c.Account))
	s.Contested = append(slices.Clone(s.Contested), Contested{Indicator: c.Indicator, Source: c.Source, Date: ctx.Date, Entry: entry.Reference()})
	s.At, s.Entry = entry.At, entry.Reference()
	next, err := s.without(model)
	return next, entry, err
}
