package harvest

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Pledge gives a lender a right over a stored lot: a warehouse receipt (Civil
// Code art. 440 (3) and 441). Until it is released the lot is neither sold nor
// shipped nor used up, nor pledged again.
type Pledge struct {
	Account tape.AccountID `json:"account"`
	// CoverPartsPerMillion and ValuePerTonne are agreed for a loan of the scheme, see
	// Security; none for a debt that does not stand on the ledger.
	CoverPartsPerMillion int32        `json:"coverPartsPerMillion,omitempty"`
	ID                   tape.ID      `json:"id"`
	Lender               string       `json:"lender"`
	Loan                 tape.ID      `json:"loan"`
	Lot                  tape.ID      `json:"lot"`
	ValuePerTonne        money.Amount `json:"valuePerTonne,omitzero"`
}

// Pledge judges the command; lot is the one that it names, nil where there is
// none, household whose alone it is, nil where it is several households', lends
// reports whether the lender holds the power of one, debt is the loan that it names,
// nil where the scheme has none of that name. The lender and the store's keeper sign,
// and for the lot of one household its own person, by its own hand. Maker and checker
// of the cooperative are checked against the policy by the caller. Returned is the
// lot, and what secures the loan, nil for another debt.
func (t Terms) Pledge(c Pledge, lot *Lot, household *Household, lends bool, debt *Debt, ctx tape.Context) (Lot, *Security, tape.Entry, error) {
	refuse := func(err error) (Lot, *Security, tape.Entry, error) { return Lot{}, nil, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), rule.Field("loan", c.Loan.Check())); err != nil {
		return refuse(err)
	}
	if !lends || c.Lender == t.Organisation {
		return refuse(rule.Field("lender", rule.Refuse(rule.Forbidden, "%s is not another organisation that holds the power of a lender", word(c.Lender))))
	}
	if lot == nil {
		return refuse(rule.Field("lot", rule.Refuse(rule.NotFound, "there is no lot %s", c.Lot)))
	}
	if err := rule.First(rule.Field("lot", loose(*lot)), c.secures(debt)); err != nil {
		return refuse(err)
	}
	if err := rule.First(party.SignedBy(ctx, c.Lender), t.kept(lot.Store, ctx)); err != nil {
		return refuse(err)
	}
	if lot.Household != "" && !household.owns(ctx) {
		return refuse(rule.Refuse(rule.Forbidden, "lot %s is that of %s alone: its person must sign, by a key in its own hands", lot.ID, lot.Household))
	}
	entry := ctx.Entry(c.ID, "pledge", string(c.Account))
	after := *lot
	after.Pledged, after.At, after.Entry = &Pledged{Lender: c.Lender, Loan: c.Loan, ValuePerTonne: c.ValuePerTonne, Entry: entry.Reference()}, ctx.At, entry.Reference()
	return after, debt.secured(c, after, entry), entry, nil
}

// owns reports whether the household's person signed by a key that nobody else holds.
func (h *Household) owns(ctx tape.Context) bool {
	return h != nil && h.Person != "" && slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool {
		return a.Person == h.Person && party.Custody(a.Custody).Confirms()
	})
}

// word is an organisation's name in a sentence; what is none is not repeated.
func word(organisation string) string {
	if tape.CheckSegment(organisation) != nil {
		return "(no organisation)"
	}
	return organisation
}

// ReleasePledge gives a lot free again, or a part of its weight: then the lot is
// divided into a free one and one that stays pledged.
type ReleasePledge struct {
	Account tape.AccountID `json:"account"`
	// Free and Rest name the two lots of a part; none for the whole.
	Free tape.ID `json:"free,omitempty"`
	// Grams is the weight that is free from now on.
	Grams int64   `json:"grams,string"`
	ID    tape.ID `json:"id"`
	Lot   tape.ID `json:"lot"`
	Rest  tape.ID `json:"rest,omitempty"`
}

// ReleasePledge judges the command; stock is the lot that it names, nil where there
// is none, debt the loan of the scheme that it secures, nil for another debt. The
// gateway of the cooperative or of the lender carries it, staff of the lender sign.
// What is not needed to cover the loan one of the cooperative's staff releases, and
// the whole lot anybody once nothing is owed. Returned is what secures the loan from
// now on, nil for another debt.
func (t Terms) ReleasePledge(c ReleasePledge, stock *Stock, debt *Debt, ctx tape.Context) (Change, *Security, tape.Entry, error) {
	refuse := func(err error) (Change, *Security, tape.Entry, error) {
		return Change{}, nil, tape.Entry{}, err
	}
	if stock == nil {
		return refuse(rule.Field("lot", rule.Refuse(rule.NotFound, "there is no lot %s", c.Lot)))
	}
	lot := stock.Lot
	if lot.Pledged == nil || lot.State != Stored {
		return refuse(rule.Field("lot", rule.Refuse(rule.WrongState, "lot %s is not pledged", lot.ID)))
	}
	if debt != nil && (debt.Security == nil || !debt.Security.has(lot.ID)) {
		debt = nil
	}
	if err := t.releases(c, lot, debt, ctx); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "release-pledge", string(c.Account))
	var security *Security
	if debt != nil {
		security = debt.Security.without(c, entry)
	}
	if c.Grams == lot.Grams {
		lot.Pledged, lot.At, lot.Entry = nil, ctx.At, entry.Reference()
		return Change{Lots: []Lot{lot}}, security, entry, nil
	}
	change, entry, err := t.step(Step{ID: c.ID, Kind: Divided}, []*Stock{stock}, lot.Form,
		[]Output{{Grade: lot.Grade, Grams: c.Grams, Lot: c.Free}, {Grade: lot.Grade, Grams: lot.Grams - c.Grams, Lot: c.Rest}}, entry)
	if err != nil {
		return refuse(err)
	}
	change.Lots[0].Pledged, change.New[1].Lot.Pledged = nil, lot.Pledged
	return change, security, entry, nil
}

// releases refuses a release that neither the lender nor what is owed allows.
func (t Terms) releases(c ReleasePledge, lot Lot, debt *Debt, ctx tape.Context) error {
	lender := lot.Pledged.Lender
	over := debt != nil && debt.Owed.Units == 0 && c.Grams == lot.Grams // anybody says so
	if t.governs(ctx) != nil && (ctx.Role != party.RoleGateway || ctx.Organisation != lender && !over) {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not release lot %s; the gateway of %s or %s does", ctx.Organisation, ctx.Role, lot.ID, lender, t.Organisation)
	}
	if c.Grams < 1 || c.Grams > lot.Grams {
		return rule.Field("grams", rule.Refuse(rule.Invalid, "%d is not 1 to %d, the weight of lot %s", c.Grams, lot.Grams, lot.ID))
	}
	if err := c.names(lot); err != nil || over {
		return err
	}
	signed := party.SignedBy(ctx, lender)
	if signed == nil || debt == nil || party.SignedBy(ctx, t.Organisation) != nil {
		return signed
	}
	if spare := debt.Security.spare(lot.ID, debt.Owed); c.Grams > spare {
		return rule.Field("grams", rule.Refuse(rule.Insufficient, "%d is more than %d, what is not needed of lot %s to cover %s of loan %s; more is free by the word of %s", c.Grams, spare, lot.ID, debt.Owed, lot.Pledged.Loan, lender))
	}
	return nil
}

// names refuses a part without two names for its lots, and a whole with any.
func (c ReleasePledge) names(lot Lot) error {
	if c.Grams == lot.Grams {
		if c.Free != "" || c.Rest != "" {
			return rule.Field("free", rule.Refuse(rule.Invalid, "the whole of lot %s is released; it keeps its name", lot.ID))
		}
		return nil
	}
	if c.Free == c.Rest {
		return rule.Field("rest", rule.Refuse(rule.Invalid, "the free lot and the one that stays pledged need two names"))
	}
	return rule.First(rule.Field("free", c.Free.Check()), rule.Field("rest", c.Rest.Check()))
}
