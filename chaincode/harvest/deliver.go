package harvest

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// HarvestedDaysMax is how long before its delivery a crop may have been harvested.
const HarvestedDaysMax = 366

// Deduction is what is taken off a weight, by its agreed name.
type Deduction struct {
	Grams int64  `json:"grams,string"`
	Kind  string `json:"kind"`
}

// Deliver brings a household's lot over the scale into a store.
type Deliver struct {
	Account    tape.AccountID `json:"account"`
	Deductions []Deduction    `json:"deductions,omitempty"`
	Form       string         `json:"form"`
	Grade      string         `json:"grade"`
	GrossGrams int64          `json:"grossGrams,string"`
	Harvested  tape.Date      `json:"harvested"`
	Household  tape.AccountID `json:"household"`
	// ID is the entry's and the lot's.
	ID                      tape.ID `json:"id"`
	MoisturePartsPerMillion int32   `json:"moisturePartsPerMillion,omitempty"`
	// NetGrams is gross less tare and deductions: both who sign read it, and it must be right.
	NetGrams  int64  `json:"netGrams,string"`
	Store     string `json:"store"`
	TareGrams int64  `json:"tareGrams,string"`
}

// Household is a household of the scheme as others know it.
type Household struct {
	Household tape.AccountID
	// Person signs for it, empty where nobody can yet; Agent serves it, empty for nobody.
	Person, Agent tape.ID
	// Admitted says that it belongs to the scheme today.
	Admitted bool
}

// Deliver judges the command; household is the one that it names, nil where the
// scheme has none of that name. It is signed by who weighed, staff of the store's
// keeper or of the cooperative, and by who delivered: the household's person, or an
// agent, whose custody and duty then stand in the lot for everyone to see.
func (t Terms) Deliver(c Deliver, household *Household, ctx tape.Context) (Stock, tape.Entry, error) {
	refuse := func(err error) (Stock, tape.Entry, error) { return Stock{}, tape.Entry{}, err }
	keeper, err := t.Agreement.keeper(c.Store)
	if err := rule.First(t.governs(ctx), err, t.Agreement.graded(c.Form, c.Grade), c.weights(t.Agreement.Deductions), c.days(ctx.Date)); err != nil {
		return refuse(err)
	}
	if household == nil {
		return refuse(rule.Field("household", rule.Refuse(rule.NotFound, "%s is no household of %s", c.Household, c.Account)))
	}
	if !household.Admitted {
		return refuse(rule.Field("household", rule.Refuse(rule.WrongState, "%s has left %s", c.Household, c.Account)))
	}
	by, err := household.delivers(t.Organisation, ctx)
	if err != nil {
		return refuse(err)
	}
	weigher, err := weigher(ctx, by.Person, keeper, t.Organisation)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "deliver", string(c.Account))
	stock, err := stocked(Lot{Scheme: c.Account, ID: c.ID, Form: c.Form, Grade: c.Grade, Store: c.Store, At: ctx.At, Entry: entry.Reference(),
		Delivery: &Delivery{GrossGrams: c.GrossGrams, TareGrams: c.TareGrams, Deductions: c.Deductions, MoisturePartsPerMillion: c.MoisturePartsPerMillion,
			Harvested: c.Harvested, Weigher: weigher, By: by, At: ctx.At, Entry: entry.Reference()}}, Shares{{Household: c.Household, Grams: c.NetGrams}})
	return stock, entry, err
}

// weights refuses a net weight that is not gross less tare and deductions, to the gram.
func (c Deliver) weights(kinds []string) error {
	if c.GrossGrams < 1 || c.GrossGrams > GramsMax {
		return rule.Field("grossGrams", rule.Refuse(rule.Invalid, "%d is not 1 to %d", c.GrossGrams, int64(GramsMax)))
	}
	if c.TareGrams < 0 || c.TareGrams > c.GrossGrams {
		return rule.Field("tareGrams", rule.Refuse(rule.Invalid, "%d is not 0 to %d, the gross weight", c.TareGrams, c.GrossGrams))
	}
	if c.MoisturePartsPerMillion < 0 || c.MoisturePartsPerMillion > partsPerOne {
		return rule.Field("moisturePartsPerMillion", rule.Refuse(rule.Invalid, "%d is not 0 to %d", c.MoisturePartsPerMillion, partsPerOne))
	}
	net := c.GrossGrams - c.TareGrams
	for i, deduction := range c.Deductions {
		if !slices.Contains(kinds, deduction.Kind) {
			return rule.Item("deductions", i, rule.Field("kind", rule.Refuse(rule.NotFound, "is not agreed")))
		}
		if slices.ContainsFunc(c.Deductions[:i], func(d Deduction) bool { return d.Kind == deduction.Kind }) {
			return rule.Item("deductions", i, rule.Field("kind", rule.Refuse(rule.Invalid, "%s stands twice", deduction.Kind)))
		}
		if deduction.Grams < 1 || deduction.Grams > net {
			return rule.Item("deductions", i, rule.Field("grams", rule.Refuse(rule.Invalid, "%d is not 1 to %d, what is left", deduction.Grams, net)))
		}
		net -= deduction.Grams
	}
	if net < 1 || net != c.NetGrams {
		return rule.Field("netGrams", rule.Refuse(rule.Conflict, "is %d; gross less tare and deductions is %d", c.NetGrams, net))
	}
	return nil
}

func (c Deliver) days(today tape.Date) error {
	if err := c.Harvested.Check(); err != nil {
		return rule.Field("harvested", err)
	}
	if days := c.Harvested.DaysUntil(today); days < 0 || days > HarvestedDaysMax {
		return rule.Field("harvested", rule.Refuse(rule.Invalid, "is %s, not within the %d days before %s", c.Harvested, HarvestedDaysMax, today))
	}
	return nil
}

// delivers finds who signed for the household: its own person, or an agent, the
// one that serves it where it has one, else any of the cooperative's.
func (h Household) delivers(cooperative string, ctx tape.Context) (tape.Approval, error) {
	for _, approval := range ctx.Approvals {
		own := h.Person != "" && approval.Person == h.Person
		agent := party.Duty(approval.Duty) == party.DutyAgent && (approval.Person == h.Agent || h.Agent == "" && approval.Organisation == cooperative)
		if own || agent {
			return approval, nil
		}
	}
	return tape.Approval{}, rule.Refuse(rule.Forbidden, "the person of %s must sign, or the agent who serves it", h.Household)
}

// weigher finds who weighed: staff of the store's keeper or of the cooperative,
// and somebody else than who delivered.
func weigher(ctx tape.Context, deliverer tape.ID, organisations ...string) (tape.Approval, error) {
	for _, approval := range ctx.Approvals {
		if party.Decides(approval) && approval.Person != deliverer && slices.Contains(organisations, approval.Organisation) {
			return approval, nil
		}
	}
	return tape.Approval{}, rule.Refuse(rule.Forbidden, "who weighed must sign: one of the staff of %s or %s, who does not deliver", organisations[0], organisations[1])
}
