package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of products.
const (
	LendersMax     = 8
	TranchesMax    = 12
	OfferDaysMax   = 90
	TermDaysMax    = 3 * 366 // no loan outlasts its group, and no group lasts longer than three years
	CategoriesMax  = 16
	InstalmentsMax = 160 // every week of three years: what a book and a settlement bear
	toleranceUnits = 1_000_000
)

// million is the whole of shares in parts per million.
const million = 1_000_000

// PurposeWords are what a loan can be for: a closed list, because a text would be
// visible to the channel for ever.
func PurposeWords() []string {
	return []string{"inputs", "planting", "harvest", "processing", "equipment", "livestock", "repair", "education", "health"}
}

// OfferProduct makes the next version of a product.
type OfferProduct struct {
	Account    tape.AccountID `json:"account"`
	Conditions Conditions     `json:"conditions"`
	// ID is the entry's.
	ID      tape.ID `json:"id"`
	Product tape.ID `json:"product"`
	Version int32   `json:"version"`
}

// Check refuses conditions that no loan could be made on.
func (c Conditions) Check(currency money.Currency) error {
	if err := rule.First(rule.Field("terms", c.Terms.Check()), rule.Field("terms", withoutDays(c.Terms)), rule.Field("terms", withoutDeduction(c.Terms)), rule.Field("principalMin", c.PrincipalMin.Positive(currency)),
		rule.Field("principalMax", c.PrincipalMax.Positive(currency)), c.checkLenders(), c.checkLists()); err != nil {
		return err
	}
	if c.PrincipalMin.Units > c.PrincipalMax.Units {
		return rule.Field("principalMin", rule.Refuse(rule.Invalid, "is %s, more than the most, %s", c.PrincipalMin, c.PrincipalMax))
	}
	return rule.First(rule.Field("termDaysMax", rule.Within(int64(c.TermDaysMax), 1, TermDaysMax)), rule.Field("offerDays", rule.Within(int64(c.OfferDays), 1, OfferDaysMax)),
		rule.Field("tranchesMax", rule.Within(int64(c.TranchesMax), 1, c.tranchesMax())), rule.Field("toleranceUnits", rule.Within(c.ToleranceUnits, 0, toleranceUnits)))
}

// withoutDays refuses days: they are each contract's.
func withoutDays(t terms.Terms) error {
	if t.FirstDue != "" || len(t.DueDates) > 0 {
		return rule.Refuse(rule.Invalid, "name days; those are each contract's own")
	}
	return nil
}

// withoutDeduction refuses what would be kept back of the money that is lent (Civil
// Code art. 670), and more instalments than a book bears.
func withoutDeduction(t terms.Terms) error {
	for i, fee := range t.Fees {
		if fee.At == terms.AtDisbursement {
			return rule.Item("fees", i, rule.Field("at", rule.Refuse(rule.Invalid, "is %s; nothing is kept back of what is lent, and fees are paid with instalments", fee.At)))
		}
	}
	if t.Instalments > InstalmentsMax {
		return rule.Field("instalments", rule.Refuse(rule.Invalid, "is %d, %d at most", t.Instalments, InstalmentsMax))
	}
	if t.Instalments == 0 && t.Every.Months == 0 && t.Every.Days+7*t.Every.Weeks < 7 {
		return rule.Field("every", rule.Refuse(rule.Invalid, "is less than a week"))
	}
	return nil
}

// tranchesMax is 1 of flat interest, which is reckoned on the whole from one day on; a line is drawn often.
func (c Conditions) tranchesMax() int64 {
	if c.Terms.Revolving {
		return DrawsMax
	}
	if c.Terms.Method == terms.Flat || len(c.Terms.CropInterestPartsPerMillion) > 0 {
		return 1
	}
	return TranchesMax
}

func (c Conditions) checkLists() error {
	if len(c.Purposes) == 0 {
		return rule.Field("purposes", rule.Refuse(rule.Invalid, "names none"))
	}
	for i, purpose := range c.Purposes {
		if err := rule.OneOf(purpose, PurposeWords()...); err != nil {
			return rule.Item("purposes", i, err)
		}
		if slices.Contains(c.Purposes[:i], purpose) {
			return rule.Item("purposes", i, rule.Refuse(rule.Invalid, "stands twice"))
		}
	}
	if len(c.Supplies) > CategoriesMax {
		return rule.Field("supplies", rule.Refuse(rule.Invalid, "names %d categories; %d at most", len(c.Supplies), CategoriesMax))
	}
	for i, category := range c.Supplies {
		if err := tape.CheckSegment(category); err != nil {
			return rule.Item("supplies", i, err)
		}
		if slices.Contains(c.Supplies[:i], category) {
			return rule.Item("supplies", i, rule.Refuse(rule.Invalid, "stands twice"))
		}
	}
	return nil
}

func (c Conditions) checkLenders() error {
	if len(c.Lenders) == 0 || len(c.Lenders) > LendersMax {
		return rule.Field("lenders", rule.Refuse(rule.Invalid, "names %d; 1 to %d lend together", len(c.Lenders), LendersMax))
	}
	var sum int64
	for i, lender := range c.Lenders {
		if err := rule.First(rule.Field("account", lender.Account.Check()), rule.Field("organisation", tape.CheckSegment(lender.Organisation)),
			rule.Field("partsPerMillion", rule.Within(int64(lender.PartsPerMillion), 1, million))); err != nil {
			return rule.Item("lenders", i, err)
		}
		if lender.Account.Outside() {
			return rule.Item("lenders", i, rule.Field("account", rule.Refuse(rule.Invalid, "%s is outside the ledger; a lender's account is on it", lender.Account)))
		}
		if slices.ContainsFunc(c.Lenders[:i], func(l Lender) bool {
			return l.Account == lender.Account || l.Organisation == lender.Organisation
		}) {
			return rule.Item("lenders", i, rule.Refuse(rule.Invalid, "%s or its account stands twice", lender.Organisation))
		}
		sum += int64(lender.PartsPerMillion)
	}
	if sum != million {
		return rule.Field("lenders", rule.Refuse(rule.Invalid, "have %d parts per million together, not 1000000", sum))
	}
	return nil
}

// Lending is one of a product's lenders as the ledger knows it.
type Lending struct {
	// Account is its record, nil where none is open.
	Account *tape.Account
	// Lends reports whether the organisation holds the power of a lender.
	Lends bool
}

// Offer judges the command: known is what is offered under the name, nil for
// nothing, lending is what stands of each lender. Who signed is judged by the caller against the
// policy: maker and checker of the originator, and one of each other lender.
func (c OfferProduct) Offer(scheme group.Scheme, version group.SchemeTerms, known *Offer, lending []Lending, ctx tape.Context) (Product, Offer, tape.Entry, error) {
	refuse := func(err error) (Product, Offer, tape.Entry, error) { return Product{}, Offer{}, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway || !slices.Contains(scheme.Lenders, ctx.Organisation) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is no lender of %s; its lenders are %v", ctx.Organisation, ctx.Role, scheme.Account, scheme.Lenders))
	}
	if err := rule.First(rule.Field("product", c.Product.Check()), rule.Field("conditions", c.Conditions.Check(scheme.Currency))); err != nil {
		return refuse(err)
	}
	if err := rule.Field("conditions", c.originates(scheme, version, ctx)); err != nil {
		return refuse(err)
	}
	for i, lender := range c.Conditions.Lenders {
		if err := lender.lends(lending[i], scheme.Currency); err != nil {
			return refuse(rule.Field("conditions", rule.Item("lenders", i, err)))
		}
		if err := party.SignedBy(ctx, lender.Organisation); err != nil {
			return refuse(err)
		}
	}
	latest := int32(0)
	if known != nil {
		if known.Organisation != ctx.Organisation {
			return refuse(rule.Field("product", rule.Refuse(rule.Forbidden, "%s is a product of %s, which alone makes its next version", c.Product, known.Organisation)))
		}
		latest = known.Latest
	}
	if c.Version != latest+1 {
		return refuse(rule.Field("version", rule.Refuse(rule.Conflict, "is %d; the next version of %s is %d", c.Version, c.Product, latest+1)))
	}
	entry := ctx.Entry(c.ID, "offer-product", string(c.Account))
	product := Product{V: 1, Scheme: c.Account, ID: c.Product, Version: c.Version, Organisation: ctx.Organisation, Conditions: c.Conditions, Entry: entry.Reference()}
	return product, Offer{V: 1, Latest: c.Version, Version: c.Version, Organisation: ctx.Organisation, Entry: entry.Reference()}, entry, nil
}

// originates refuses a product whose first lender is not the caller, holds less
// than the scheme's least share, or that lends more to one member than the scheme allows.
func (c OfferProduct) originates(scheme group.Scheme, version group.SchemeTerms, ctx tape.Context) error {
	first := c.Conditions.Lenders[0]
	if first.Organisation != ctx.Organisation {
		return rule.Field("lenders", rule.Refuse(rule.Forbidden, "begin with %s; the originator, %s, stands first", first.Organisation, ctx.Organisation))
	}
	if first.PartsPerMillion < version.OriginatorPartsPerMillion {
		return rule.Field("lenders", rule.Refuse(rule.Forbidden, "leave %d parts per million to the originator; %s wants %d at least", first.PartsPerMillion, scheme.Account, version.OriginatorPartsPerMillion))
	}
	for i, lender := range c.Conditions.Lenders {
		if !slices.Contains(scheme.Lenders, lender.Organisation) {
			return rule.Item("lenders", i, rule.Refuse(rule.Forbidden, "%s is no lender of %s", lender.Organisation, scheme.Account))
		}
	}
	if c.Conditions.PrincipalMax.Units > version.MemberMax.Units {
		return rule.Field("principalMax", rule.Refuse(rule.Forbidden, "is %s; %s guarantees %s of one member at most", c.Conditions.PrincipalMax, scheme.Account, version.MemberMax))
	}
	return nil
}

// lends refuses an account that is not a lender's own for loans.
func (l Lender) lends(lending Lending, currency money.Currency) error {
	if !lending.Lends {
		return rule.Field("organisation", rule.Refuse(rule.Forbidden, "%s holds no power of a lender", l.Organisation))
	}
	if lending.Account == nil {
		return rule.Field("account", rule.Refuse(rule.NotFound, "there is no account %s; its lender opens it first", l.Account))
	}
	if a := lending.Account; a.Organisation != l.Organisation || a.Subject != Subject || a.Currency != currency {
		return rule.Field("account", rule.Refuse(rule.Forbidden, "%s is an account of %s in %s spent by the commands of %q; a loan needs one of %s in %s for loans", a.ID, a.Organisation, a.Currency, a.Subject, l.Organisation, currency))
	}
	return nil
}

// WithdrawProduct ends the offer of a product. Loans that stand keep what they were made on.
type WithdrawProduct struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Product tape.ID        `json:"product"`
}

// Withdraw judges the command; latest is the product as it is offered. That maker and checker signed is judged by the caller.
func (o Offer) Withdraw(c WithdrawProduct, latest Product, ctx tape.Context) (Offer, tape.Entry, error) {
	if ctx.Organisation != latest.Organisation || ctx.Role != party.RoleGateway {
		return o, tape.Entry{}, rule.Refuse(rule.Forbidden, "%s (role %s) does not offer %s; %s does", ctx.Organisation, ctx.Role, latest.ID, latest.Organisation)
	}
	if o.Version == 0 {
		return o, tape.Entry{}, rule.Refuse(rule.WrongState, "%s is offered no more, by entry %s", latest.ID, o.Entry)
	}
	entry := ctx.Entry(c.ID, "withdraw-product", string(c.Account))
	return Offer{V: 1, Latest: o.Latest, Organisation: o.Organisation, Entry: entry.Reference()}, entry, nil
}
