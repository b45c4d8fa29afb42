package fund

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of what is promised and given in kind.
const (
	ItemMax     = 60 // characters
	QuantityMax = 1_000_000_000
)

// RecordPledge notes money that was promised.
type RecordPledge struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	Donor   string         `json:"donor,omitempty"`
	Due     tape.Date      `json:"due"`
	// ID is the entry's and the pledge's.
	ID tape.ID `json:"id"`
}

// RecordPledge judges the command.
func (c Campaign) RecordPledge(command RecordPledge, ctx tape.Context) (Pledge, tape.Entry, error) {
	refuse := func(err error) (Pledge, tape.Entry, error) { return Pledge{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), rule.Field("amount", command.Amount.Positive(c.Plan.Goal.Currency)),
		rule.Field("donor", tape.CheckDonor(command.Donor)), rule.Field("due", command.Due.Check())); err != nil {
		return refuse(err)
	}
	if command.Due < ctx.Date {
		return refuse(rule.Field("due", rule.Refuse(rule.Invalid, "is %s, before %s, when it is promised", command.Due, ctx.Date)))
	}
	entry := ctx.Entry(command.ID, "record-pledge", string(c.Account))
	return Pledge{V: 1, ID: command.ID, Amount: command.Amount, Donor: command.Donor, Due: command.Due, State: "open", Entry: entry.Reference()}, entry, nil
}

// SettlePledge says what became of a pledge: kept by a gift, or cancelled.
type SettlePledge struct {
	Account tape.AccountID `json:"account"`
	// Gift is the gift that kept it; none when it is cancelled.
	Gift   *tape.GiftProof `json:"gift,omitempty"`
	ID     tape.ID         `json:"id"`
	Pledge tape.ID         `json:"pledge"`
}

// Kept is the key by which the command's gift keeps one pledge only, empty for none.
func (c SettlePledge) Kept() string {
	if c.Gift == nil {
		return ""
	}
	name := c.Gift.Name(c.Account) // wherever its money is now
	return KeptKey(name.Account, name.Page, name.Index)
}

// SettlePledge judges the command; gift is the proven gift's id and amount, kept
// the mark of the pledge that it has kept before.
func (c Campaign) SettlePledge(command SettlePledge, p Pledge, gift *tape.Gift, kept *Mark, ctx tape.Context) (Pledge, tape.Entry, error) {
	if err := c.governs(ctx); err != nil {
		return p, tape.Entry{}, err
	}
	if p.State != "open" {
		return p, tape.Entry{}, rule.Refuse(rule.WrongState, "pledge %s is %s", p.ID, p.State)
	}
	p.State = "cancelled"
	if gift != nil {
		if kept != nil {
			return p, tape.Entry{}, rule.Field("gift", rule.Refuse(rule.WrongState, "gift %s has kept a pledge, by entry %s", gift.ID, kept.Entry))
		}
		if gift.Amount != p.Amount {
			return p, tape.Entry{}, rule.Field("gift", rule.Refuse(rule.Conflict, "gift %s is of %s, the pledge of %s", gift.ID, gift.Amount, p.Amount))
		}
		p.State, p.Gift = "kept", string(command.Gift.Page)+"/"+string(gift.ID)
	}
	return p, ctx.Entry(command.ID, "settle-pledge", string(c.Account)), nil
}

// ReceiveGoods notes a gift in kind.
type ReceiveGoods struct {
	Account tape.AccountID `json:"account"`
	Donor   string         `json:"donor,omitempty"`
	// ID is the entry's and the goods'.
	ID       tape.ID `json:"id"`
	Item     string  `json:"item"`
	Quantity int64   `json:"quantity,string"`
	// Unit is what the quantity counts, such as kg or piece.
	Unit string `json:"unit"`
}

// ReceiveGoods judges the command.
func (c Campaign) ReceiveGoods(command ReceiveGoods, ctx tape.Context) (Goods, tape.Entry, error) {
	refuse := func(err error) (Goods, tape.Entry, error) { return Goods{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), rule.Field("donor", tape.CheckDonor(command.Donor)), rule.Field("item", checkWord(command.Item)),
		rule.Field("unit", checkWord(command.Unit)), checkQuantity(command.Quantity, QuantityMax, command.Unit), party.SignedBy(ctx, c.Organisation)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "receive-goods", string(c.Account))
	return Goods{V: 1, ID: command.ID, Item: command.Item, Unit: command.Unit, Quantity: command.Quantity, Donor: command.Donor, Entry: entry.Reference()}, entry, nil
}

func checkWord(text string) error {
	if text == "" {
		return rule.Refuse(rule.Invalid, "is empty")
	}
	return checkText(text, ItemMax)
}

func checkQuantity(quantity, limit int64, unit string) error {
	if quantity < 1 || quantity > limit {
		return rule.Field("quantity", rule.Refuse(rule.Invalid, "%d is not 1 to %d %s", quantity, limit, unit))
	}
	return nil
}

// GiveGoods hands a part of a gift in kind on to a payee or a partner.
type GiveGoods struct {
	Account  tape.AccountID `json:"account"`
	Evidence []Citation     `json:"evidence,omitempty"`
	Goods    tape.ID        `json:"goods"`
	ID       tape.ID        `json:"id"`
	Quantity int64          `json:"quantity,string"`
	To       tape.AccountID `json:"to"`
}

// GiveGoods judges the command; line is the receiver, refused as for money. Goods
// of a closed campaign can still be handed on: nobody else could. That maker
// and checker signed is checked against the policy by the caller.
func (c Campaign) GiveGoods(command GiveGoods, goods Goods, line Line, ctx tape.Context) (Goods, tape.Entry, error) {
	refuse := func(err error) (Goods, tape.Entry, error) { return goods, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.filed(ctx), c.begun(ctx), checkEvidence(command.Evidence), c.pays(line, BudgetLine{Kind: Programme, ID: "goods"})); err != nil {
		return refuse(err)
	}
	if persons := line.persons(); slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return slices.Contains(persons, a.Person) }) {
		return refuse(rule.Field("to", rule.Refuse(rule.Forbidden, "who gives goods neither gets them nor serves %s", command.To)))
	}
	if partners := c.partners([]Line{line}); slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return slices.Contains(partners, a.Organisation) }) {
		return refuse(rule.Field("to", rule.Refuse(rule.Forbidden, "%s is an account of %s; staff of another organisation give it goods", command.To, line.Campaign.Organisation)))
	}
	if left := goods.Quantity - goods.Given; command.Quantity < 1 || command.Quantity > left {
		return refuse(rule.Field("quantity", rule.Refuse(rule.Insufficient, "%d %s of %s are left; %d were asked", left, goods.Unit, goods.ID, command.Quantity)))
	}
	goods.Given += command.Quantity
	return goods, ctx.Entry(command.ID, "give-goods", string(c.Account)), nil
}
