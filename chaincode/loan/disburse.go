package loan

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Disburse orders a part of the principal: each lender its share of it, from its
// own account. The first lender's command begins the tranche, the others join it.
type Disburse struct {
	Account tape.AccountID `json:"account"`
	// Amount is the whole tranche; what the lender pays of it is its share.
	Amount  money.Amount `json:"amount"`
	Expires tape.Instant `json:"expires"`
	// ID is the entry's and the payout's.
	ID   tape.ID `json:"id"`
	Loan tape.ID `json:"loan"`
	// Order is the confirmed delivery that a supplier is paid for; none where the household is paid.
	Order tape.ID        `json:"order,omitempty"`
	To    tape.AccountID `json:"to"`
	// Tranche counts from 1.
	Tranche int32 `json:"tranche"`
}

// Disbursing is what stands around a disbursement.
type Disbursing struct {
	Group *group.Group
	// Standing is of the group's living members.
	Standing []Standing
	// Supplies is the order that the command names, Supplier its supplier; nil for none.
	Supplies *Order
	Supplier *group.Supplier
}

// Disburse judges the command and returns the payout that the caller opens as a
// hold on the lender's account. That maker and checker signed is judged by the caller against the policy.
func (l Loan) Disburse(c Disburse, d Disbursing, ctx tape.Context) (Loan, tape.Payment, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Payment, tape.Entry, error) { return l, tape.Payment{}, tape.Entry{}, err }
	lender, err := l.lender(ctx)
	if err != nil {
		return refuse(err)
	}
	if err := rule.First(l.changed(ctx), l.must("money goes out under a contract", Contracted, Running), l.lendable(c, d), l.tranche(c, lender, ctx.Date), l.payee(c, d), l.arrives(c, ctx)); err != nil {
		return refuse(err)
	}
	share, err := l.share(c.Amount.Units, lender)
	if err != nil {
		return refuse(rule.Field("amount", err))
	}
	entry := ctx.Entry(c.ID, "disburse-loan", string(l.Scheme))
	l.Tranches = slices.Clone(l.Tranches)
	if int(c.Tranche) > len(l.Tranches) {
		l.Tranches = append(l.Tranches, Tranche{Amount: c.Amount, To: c.To, Order: c.Order, Holds: make([]tape.ID, len(l.Lenders)), Entry: entry.Reference()})
	}
	tranche := &l.Tranches[c.Tranche-1]
	tranche.Holds = slices.Clone(tranche.Holds)
	tranche.Holds[lender] = c.ID
	payment := tape.Payment{Amount: money.New(share, c.Amount.Currency), Line: c.ID, To: c.To, OnBehalfOf: l.Household}
	return l.touched(entry), payment, entry, nil
}

// lender is which of the loan's lenders the caller is.
func (l Loan) lender(ctx tape.Context) (int, error) {
	if err := carried(ctx); err != nil {
		return 0, err
	}
	if i := slices.IndexFunc(l.Lenders, func(one Lender) bool { return one.Organisation == ctx.Organisation }); i >= 0 {
		return i, nil
	}
	return 0, rule.Refuse(rule.Forbidden, "%s lends nothing of %s", ctx.Organisation, l.ID)
}

// AccountOf is the account of one of the lenders, empty for who lends nothing of it.
func (l Loan) AccountOf(lender string) tape.AccountID {
	for _, one := range l.Lenders {
		if one.Organisation == lender {
			return one.Account
		}
	}
	return ""
}

// share is what one lender pays of an amount: every unit is somebody's, and
// nobody's is nothing, since a tranche waits for all.
func (l Loan) share(units int64, lender int) (int64, error) {
	shares, err := money.Split(units, l.weights())
	if err != nil {
		return 0, err
	}
	if i := slices.Index(shares, 0); i >= 0 {
		return 0, rule.Refuse(rule.Invalid, "leaves nothing to %s", l.Lenders[i].Organisation)
	}
	return shares[lender], nil
}

func (l Loan) weights() []int64 {
	weights := make([]int64, len(l.Lenders))
	for i, lender := range l.Lenders {
		weights[i] = int64(lender.PartsPerMillion)
	}
	return weights
}

// lendable refuses money to a group that is frozen, filed or not, has ended, or a
// loan that is in arrears or was changed: what follows would have no schedule. What
// came back of one lender while others paid is ordered again all the same.
func (l Loan) lendable(c Disburse, d Disbursing) error {
	if err := d.regular(l); err != nil {
		return err
	}
	if int(c.Tranche) > len(l.Tranches) && (len(l.Restructured) > 0 || l.WrittenOff != nil) {
		return rule.Field("loan", rule.Refuse(rule.WrongState, "the terms of loan %s were changed, or it was written off; nothing more is disbursed under it", l.ID))
	}
	return nil
}

// regular refuses money to a group that is frozen, filed or not.
func (d Disbursing) regular(l Loan) error {
	if d.Group == nil || d.Group.State != group.Active {
		return rule.Field("loan", rule.Refuse(rule.WrongState, "group %s is not active; nothing is disbursed to it", l.Group))
	}
	return (Frame{Group: d.Group, Standing: d.Standing}).regular()
}

// arrives refuses a payout that the bank may pay on a day on which the loan has no
// schedule for it: once the money is out it must be booked.
func (l Loan) arrives(c Disburse, ctx tape.Context) error {
	if c.Expires <= ctx.At || c.Expires > ctx.At+TermDaysMax*tape.Day {
		return rule.Field("expires", rule.Refuse(rule.Invalid, "is not within %d days", TermDaysMax))
	}
	latest := ctx.Date.AddDays(int((c.Expires - ctx.At + tape.Day - 1) / tape.Day))
	for _, day := range []tape.Date{ctx.Date, latest} {
		if _, err := l.Book.advanced(terms.Advance{Amount: c.Amount, Date: day}, l.Terms, l.TermEnd); err != nil {
			return rule.Field("expires", rule.Refuse(rule.Expired, "the bank could pay it on %s, and loan %s has no schedule for that day: %v", day, l.ID, err))
		}
	}
	return nil
}

// tranche refuses one that is out of turn, differs from what the first lender ordered, or is too much.
func (l Loan) tranche(c Disburse, lender int, day tape.Date) error {
	if err := rule.Field("amount", c.Amount.Positive(l.Principal.Currency)); err != nil {
		return err
	}
	if c.Tranche >= 1 && int(c.Tranche) <= len(l.Tranches) {
		t := l.Tranches[c.Tranche-1]
		if t.Holds[lender] != "" || t.Cancelled {
			return rule.Field("tranche", rule.Refuse(rule.WrongState, "%d of loan %s is cancelled, or ordered by %s already", c.Tranche, l.ID, l.Lenders[lender].Organisation))
		}
		if t.Amount != c.Amount || t.To != c.To || t.Order != c.Order {
			return rule.Field("tranche", rule.Refuse(rule.Conflict, "%d of loan %s is %s to %s; all lenders pay the same", c.Tranche, l.ID, t.Amount, t.To))
		}
		if t.Waits() {
			return l.honours(c, lender, day)
		}
		return nil
	}
	if l.Terms.Revolving {
		return rule.Field("tranche", rule.Refuse(rule.Forbidden, "is %d; loan %s is a line, and its household draws what its lenders pay", c.Tranche, l.ID))
	}
	if lender != 0 || int(c.Tranche) != len(l.Tranches)+1 || l.live() >= l.TranchesMax || len(l.Tranches) >= l.tranchesEver() {
		return rule.Field("tranche", rule.Refuse(rule.Conflict, "is %d; %s begins number %d of %d", c.Tranche, l.Organisation, len(l.Tranches)+1, l.TranchesMax))
	}
	if left := l.Principal.Units - l.ordered(); c.Amount.Units > left {
		return rule.Field("amount", rule.Refuse(rule.Insufficient, "%s is more than %s, what is left of loan %s", c.Amount, money.New(left, c.Amount.Currency), l.ID))
	}
	return nil
}

// honours refuses to begin a draw by another than the originator, of a line that is drawn
// no more, and where by now more would be out than its limit.
func (l Loan) honours(c Disburse, lender int, day tape.Date) error {
	if lender != 0 {
		return rule.Field("tranche", rule.Refuse(rule.Conflict, "is %d; %s begins it", c.Tranche, l.Organisation))
	}
	if err := l.open(day); err != nil {
		return err
	}
	left, err := l.available(day) // the draw is taken off already
	if err == nil && left < 0 {
		err = rule.Field("amount", rule.Refuse(rule.Insufficient, "with %s more would be out of loan %s than its limit, %s", c.Amount, l.ID, l.Principal))
	}
	return err
}

// tranchesEver is how many tranches are ordered of a loan, with those that came back.
func (l Loan) tranchesEver() int {
	if l.Terms.Revolving {
		return DrawsMax + TranchesMax
	}
	return 4 * TranchesMax
}

// live counts the tranches that did not come back.
func (l Loan) live() int32 {
	var n int32
	for _, t := range l.Tranches {
		if !t.Cancelled {
			n++
		}
	}
	return n
}

// ordered is what was disbursed or is on its way, in minor units.
func (l Loan) ordered() int64 {
	var units int64
	for _, t := range l.Tranches {
		if !t.Cancelled {
			units += t.Amount.Units
		}
	}
	return units
}

// payee refuses cash from a purpose-locked loan, a supplier from any other, and
// what was not delivered (Civil Code art. 673).
func (l Loan) payee(c Disburse, d Disbursing) error {
	if len(l.Supplies) == 0 {
		if own := outside(l.Household); c.To != own {
			return rule.Field("to", rule.Refuse(rule.Forbidden, "is %s; loan %s is paid to %s", c.To, l.ID, own))
		}
		if c.Order != "" {
			return rule.Field("order", rule.Refuse(rule.Invalid, "loan %s buys nothing by order", l.ID))
		}
		return nil
	}
	if c.Order == "" {
		return rule.Field("order", rule.Refuse(rule.NotFound, "is not named; the money of loan %s goes to suppliers for what was delivered, and never in cash", l.ID))
	}
	if d.Supplies == nil || d.Supplies.Loan != l.ID {
		return rule.Field("order", rule.Refuse(rule.NotFound, "there is no order %s of loan %s; its money goes to suppliers for what was delivered, and never in cash", c.Order, l.ID))
	}
	if d.Supplies.State != Delivered {
		return rule.Field("order", rule.Refuse(rule.WrongState, "%s is %s; a supplier is paid for what household and cooperative have confirmed", c.Order, d.Supplies.State))
	}
	if c.To != d.Supplies.Supplier || c.Amount != d.Supplies.Amount {
		return rule.Field("to", rule.Refuse(rule.Conflict, "order %s is of %s from %s", c.Order, d.Supplies.Amount, d.Supplies.Supplier))
	}
	if d.Supplier == nil || d.Supplier.Withdrawn || !slices.Contains(d.Supplier.Categories, d.Supplies.Category) {
		return rule.Field("to", rule.Refuse(rule.Forbidden, "%s is no listed supplier of %s", c.To, d.Supplies.Category))
	}
	if slices.ContainsFunc(l.Tranches, func(t Tranche) bool { return t.Order == c.Order && !t.Cancelled }) && int(c.Tranche) > len(l.Tranches) {
		return rule.Field("order", rule.Refuse(rule.WrongState, "%s is paid already", c.Order))
	}
	return nil
}

// outside is where a household is paid off the ledger: its own pseudonym.
func outside(household tape.AccountID) tape.AccountID {
	_, rest, _ := strings.Cut(string(household), ":")
	pseudonym, _, _ := strings.Cut(rest, ":")
	return tape.AccountID("outside:" + tape.Household + ":" + pseudonym)
}

// BookTranche notes what the bank has done of a tranche: all its payouts are paid, or
// came back, or some of both; those are ordered once more. What comes back after it
// was booked comes off the loan again.
type BookTranche struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
	Tranche int32          `json:"tranche"`
}

// BookTranche judges the command, which anybody files: holds are the tranche's
// payouts in the order of the lenders, nil where a lender has ordered none.
func (l Loan) BookTranche(c BookTranche, holds []*tape.Hold, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("nothing of it is on its way", Contracted, Running, Closed)); err != nil {
		return refuse(err)
	}
	paid, back, err := l.arrived(c.Tranche, holds)
	if err != nil {
		return refuse(rule.Field("tranche", err))
	}
	entry := ctx.Entry(c.ID, "book-tranche", string(l.Scheme))
	l.Tranches = slices.Clone(l.Tranches)
	tranche := &l.Tranches[c.Tranche-1]
	if tranche.Paid != "" {
		l, tranche.Paid = l.off(*tranche, entry), ""
	}
	switch {
	case paid == "":
		tranche.Cancelled = true
	case len(back) > 0:
		tranche.Holds = slices.Clone(tranche.Holds)
		for _, i := range back {
			tranche.Holds[i] = ""
		}
	default:
		tranche.Paid, l.State = paid, Running
		if l.Book, err = l.Book.advanced(terms.Advance{Amount: tranche.Amount, Date: paid}, l.Terms, l.TermEnd); err != nil {
			return refuse(rule.Field("tranche", err))
		}
	}
	// It may have been all that was waited for, or paid for by what came since.
	if l, _, err = l.closed(ctx.Date); err != nil {
		return refuse(err)
	}
	return l.touched(entry), entry, nil
}

// arrived is what the bank has done of a tranche; refused of one that is not on its
// way, and of one that was booked while nothing of it has come back.
func (l Loan) arrived(n int32, holds []*tape.Hold) (paid tape.Date, back []int, err error) {
	away := rule.Refuse(rule.NotFound, "%d of loan %s is not on its way", n, l.ID)
	if n < 1 || int(n) > len(l.Tranches) || l.Tranches[n-1].Cancelled {
		return "", nil, away
	}
	if paid, back, err = arrived(l.Lenders, holds); err == nil && l.Tranches[n-1].Paid != "" && len(back) == 0 {
		err = away
	}
	return paid, back, err
}

// arrived is the day on which the last payout of a tranche was paid, none where
// all that was ordered came back, and which lenders' came back.
func arrived(lenders []Lender, holds []*tape.Hold) (paid tape.Date, back []int, err error) {
	waiting := -1
	for i, hold := range holds {
		switch {
		case hold == nil:
			waiting = i
		case (hold.State == tape.HoldReclaimed || hold.State == tape.HoldCaptured) && hold.Captured.Total() == hold.Returned.Total():
			back = append(back, i)
		case hold.State == tape.HoldCaptured && hold.Returned.Total() == 0:
			paid = max(paid, hold.Paid)
		case hold.State == tape.HoldCaptured:
			return "", nil, rule.Refuse(rule.WrongState, "a part of the payout %s of %s came back; it comes off when all of it has", hold.ID, lenders[i].Organisation)
		default:
			return "", nil, rule.Refuse(rule.WrongState, "the payout %s of %s is %s; the bank's line shows whether it was paid", hold.ID, lenders[i].Organisation, hold.State)
		}
	}
	if waiting >= 0 && len(back) == 0 {
		return "", nil, rule.Refuse(rule.WrongState, "%s has not ordered its share yet", lenders[waiting].Organisation)
	}
	return paid, back, nil
}

// Order is what a household orders from a listed supplier on a purpose-locked loan.
type Order struct {
	V        int32          `json:"v"`
	ID       tape.ID        `json:"id"`
	Loan     tape.ID        `json:"loan"`
	Supplier tape.AccountID `json:"supplier"`
	Category string         `json:"category"`
	Amount   money.Amount   `json:"amount"`
	// Invoice and Place are keyed fingerprints: equal ones show one invoice or one
	// place of delivery behind several loans, and nothing else.
	Invoice string     `json:"invoice,omitempty"`
	Place   string     `json:"place,omitempty"`
	State   OrderState `json:"state"`
	// Confirmed are household and cooperative, who say that it came.
	Confirmed []tape.Approval `json:"confirmed,omitempty"`
	// Refunded is what its supplier has paid back, in minor units.
	Refunded int64     `json:"refunded,omitempty,string"`
	Date     tape.Date `json:"date"`
	Entry    string    `json:"entry"`
}

// OrderState is where an order stands.
type OrderState string

// The states of an order.
const (
	Ordered   OrderState = "ordered"
	Delivered OrderState = "delivered"
	Cancelled OrderState = "cancelled"
)

// OrderKey is where an Order stands.
func OrderKey(scheme tape.AccountID, id tape.ID) string {
	return "order/" + string(scheme) + "/" + string(id)
}

// OrderSupplies orders from a supplier.
type OrderSupplies struct {
	Account  tape.AccountID `json:"account"`
	Amount   money.Amount   `json:"amount"`
	Category string         `json:"category"`
	// ID is the entry's and the order's.
	ID       tape.ID        `json:"id"`
	Loan     tape.ID        `json:"loan"`
	Supplier tape.AccountID `json:"supplier"`
}

// OrderSupplies judges the command, which the borrower signs; supplier is that of the scheme's list.
func (l Loan) OrderSupplies(c OrderSupplies, supplier *group.Supplier, ctx tape.Context) (Order, tape.Entry, error) {
	refuse := func(err error) (Order, tape.Entry, error) { return Order{}, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("orders are made under a contract", Contracted, Running), rule.Field("amount", c.Amount.Positive(l.Principal.Currency))); err != nil {
		return refuse(err)
	}
	if !slices.Contains(l.Supplies, c.Category) {
		return refuse(rule.Field("category", rule.Refuse(rule.Forbidden, "is not one that loan %s buys: %v", l.ID, l.Supplies)))
	}
	if supplier == nil || supplier.Withdrawn || !slices.Contains(supplier.Categories, c.Category) {
		return refuse(rule.Field("supplier", rule.Refuse(rule.Forbidden, "%s is no listed supplier of %s", c.Supplier, c.Category)))
	}
	if left, err := l.left(ctx.Date); err != nil || c.Amount.Units > left.Units {
		return refuse(rule.First(err, rule.Field("amount", rule.Refuse(rule.Insufficient, "%s is more than %s, what is left of loan %s", c.Amount, left, l.ID))))
	}
	if err := signedByOwn(ctx, l.Person, "orders"); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "order-supplies", string(l.Scheme))
	return Order{V: 1, ID: c.ID, Loan: l.ID, Supplier: c.Supplier, Category: c.Category, Amount: c.Amount, State: Ordered, Date: ctx.Date, Entry: entry.Reference()}, entry, nil
}

// ConfirmDelivery says that an order came, or cancels it.
type ConfirmDelivery struct {
	Account tape.AccountID `json:"account"`
	Cancel  bool           `json:"cancel,omitempty"`
	ID      tape.ID        `json:"id"`
	// Invoice and Place are keyed fingerprints of the supplier's invoice and the place of delivery.
	Invoice string  `json:"invoice,omitempty"`
	Order   tape.ID `json:"order"`
	Place   string  `json:"place,omitempty"`
}

// Confirm judges the command: the borrower and one of the cooperative's staff
// sign; neither alone could say that something came. To cancel, the borrower signs alone.
func (o Order) Confirm(c ConfirmDelivery, l Loan, cooperative string, ctx tape.Context) (Order, tape.Entry, error) {
	refuse := func(err error) (Order, tape.Entry, error) { return o, tape.Entry{}, err }
	if err := rule.First(carried(ctx), rule.Field("invoice", tape.CheckFingerprint(c.Invoice)), rule.Field("place", tape.CheckFingerprint(c.Place))); err != nil {
		return refuse(err)
	}
	if o.State != Ordered {
		return refuse(rule.Field("order", rule.Refuse(rule.WrongState, "%s is %s", o.ID, o.State)))
	}
	if err := signedByOwn(ctx, l.Person, "confirms"); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "confirm-delivery", string(l.Scheme))
	o.Entry = entry.Reference()
	if c.Cancel {
		o.State = Cancelled
		return o, entry, nil
	}
	if err := party.SignedBy(ctx, cooperative); err != nil {
		return refuse(err)
	}
	if c.Invoice == "" || c.Place == "" {
		return refuse(rule.Field("invoice", rule.Refuse(rule.Invalid, "and place are needed: by them loans that meet at one are found")))
	}
	o.State, o.Invoice, o.Place, o.Confirmed = Delivered, c.Invoice, c.Place, ctx.Approvals
	return o, entry, nil
}
