package party

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ConsentDaysMax is how long a consent can last: five years, then it is asked anew.
const ConsentDaysMax = 1826

// Purposes and Abouts are what a consent can be for and about: closed lists,
// so that nothing personal can be written into one.
func Purposes() []string {
	return []string{"support", "verification", "publication", "research", "credit"}
}

// Abouts are the classes of data.
func Abouts() []string {
	return []string{"identity", "contact", "bank-account", "household", "health", "image", "participation", "production", "repayment", "trade"}
}

// ConsentKey is where a Consent stands: one for each organisation, purpose and class.
func ConsentKey(person tape.ID, organisation, purpose, about string) string {
	return strings.Join([]string{"consent", string(person), organisation, purpose, about}, "/")
}

// Consent is a person's word that an organisation may use data about it. The
// data is not here, and neither is any of it.
type Consent struct {
	V            int32   `json:"v"`
	Person       tape.ID `json:"person"`
	Organisation string  `json:"organisation"`
	Purpose      string  `json:"purpose"`
	About        string  `json:"about"`
	// Until is the last day on which it stands.
	Until tape.Date `json:"until"`
	// By is who has signed: the person, or its guardian.
	By    tape.Approval `json:"by"`
	At    tape.Instant  `json:"at"`
	Entry string        `json:"entry"`
	// Withdrawn is when it was taken back, by the entry Withdrawal; none while it stands.
	Withdrawn  tape.Instant `json:"withdrawn,omitempty"`
	Withdrawal string       `json:"withdrawal,omitempty"`
}

// Stands reports whether the data may be used on a day.
func (c Consent) Stands(on tape.Date) bool { return c.Withdrawn == 0 && on <= c.Until }

// ConsentCommand gives a consent, or prolongs one.
type ConsentCommand struct {
	About        string    `json:"about"`
	ID           tape.ID   `json:"id"`
	Organisation string    `json:"organisation"`
	Person       tape.ID   `json:"person"`
	Purpose      string    `json:"purpose"`
	Until        tape.Date `json:"until"`
}

// WithdrawCommand takes a consent back.
type WithdrawCommand struct {
	About        string  `json:"about"`
	ID           tape.ID `json:"id"`
	Organisation string  `json:"organisation"`
	Person       tape.ID `json:"person"`
	Purpose      string  `json:"purpose"`
}

// ConsentState is what both commands read.
type ConsentState struct {
	Organisation *Organisation // OrganisationKey of the organisation
	Person       *Person       // PersonKey
	Known        *Consent      // ConsentKey; nil for none
}

// consenting refuses what is malformed, and whoever speaks for somebody else.
func consenting(state ConsentState, c WithdrawCommand, ctx tape.Context) (tape.Approval, error) {
	if err := rule.First(c.ID.Check(), rule.Field("person", c.Person.Check()), rule.Field("organisation", tape.CheckSegment(c.Organisation)),
		rule.Field("purpose", among(c.Purpose, Purposes())), rule.Field("about", among(c.About, Abouts())), carriedBy(ctx, RoleGateway)); err != nil {
		return tape.Approval{}, err
	}
	person, err := state.Person.living(c.Person, ctx)
	if err != nil {
		return tape.Approval{}, err
	}
	if state.Organisation == nil {
		return tape.Approval{}, rule.Field("organisation", rule.Refuse(rule.NotFound, "there is no organisation %s", c.Organisation))
	}
	if len(ctx.Approvals) != 1 || ctx.Approvals[0].Person != c.Person && ctx.Approvals[0].Person != person.GuardianOn(ctx.At) {
		return tape.Approval{}, rule.Refuse(rule.Forbidden, "person %s signs, or its guardian, and nobody else", c.Person)
	}
	return ctx.Approvals[0], nil
}

func among(word string, list []string) error {
	if !slices.Contains(list, word) {
		return rule.Refuse(rule.Invalid, "is none of %s", strings.Join(list, ", "))
	}
	return nil
}

// Agree judges a consent. It is given by a key in the signer's own hands: who
// keeps a key for somebody else cannot give away what is known about it.
func Agree(state ConsentState, c ConsentCommand, ctx tape.Context) (Outcome, error) {
	by, err := consenting(state, WithdrawCommand{c.About, c.ID, c.Organisation, c.Person, c.Purpose}, ctx)
	if err != nil {
		return Outcome{}, err
	}
	if err := rule.Field("until", c.Until.Check()); err != nil {
		return Outcome{}, err
	}
	if days := ctx.Date.DaysUntil(c.Until); days < 0 || days > ConsentDaysMax {
		return Outcome{}, rule.Field("until", rule.Refuse(rule.Invalid, "%s is not a day from today on, %d days ahead at most", c.Until, ConsentDaysMax))
	}
	if !Custody(by.Custody).Confirms() {
		return Outcome{}, rule.Refuse(rule.Forbidden, "the key of %s is %s; consent is given by a key in the signer's own hands", by.Person, by.Custody)
	}
	if state.Known != nil && state.Known.Stands(ctx.Date) && state.Known.Until == c.Until {
		return Outcome{}, rule.Refuse(rule.WrongState, "it stands until %s already, by entry %s", state.Known.Until, state.Known.Entry)
	}
	entry := ctx.Entry(c.ID, "consent", string(c.Person))
	record := Consent{V: 1, Person: c.Person, Organisation: c.Organisation, Purpose: c.Purpose, About: c.About, Until: c.Until, By: by, At: ctx.At, Entry: entry.Reference()}
	return Outcome{Writes: []Write{{ConsentKey(c.Person, c.Organisation, c.Purpose, c.About), record}}, Entry: entry}, nil
}

// WithdrawConsent judges the taking back of a consent. Any key of the person takes
// back, also one that an agent holds: nobody is kept from saying no.
func WithdrawConsent(state ConsentState, c WithdrawCommand, ctx tape.Context) (Outcome, error) {
	if _, err := consenting(state, c, ctx); err != nil {
		return Outcome{}, err
	}
	if state.Known == nil {
		return Outcome{}, rule.Refuse(rule.NotFound, "person %s has given no such consent to %s", c.Person, c.Organisation)
	}
	if state.Known.Withdrawn != 0 {
		return Outcome{}, rule.Refuse(rule.WrongState, "it was withdrawn on %s, by entry %s", state.Known.Withdrawn, state.Known.Withdrawal)
	}
	if err := notBefore(ctx, state.Known.At); err != nil {
		return Outcome{}, err
	}
	entry := ctx.Entry(c.ID, "withdraw-consent", string(c.Person))
	record := *state.Known
	record.Withdrawn, record.Withdrawal = ctx.At, entry.Reference()
	return Outcome{Writes: []Write{{ConsentKey(c.Person, c.Organisation, c.Purpose, c.About), record}}, Entry: entry}, nil
}
