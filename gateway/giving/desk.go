package giving

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Issuer is who signs receipts, as the charity is registered.
type Issuer struct {
	Name donation.Text `json:"name"`
	// CreditCode is its 统一社会信用代码; Handler deals with gifts.
	CreditCode string `json:"creditCode"`
	Handler    string `json:"handler"`
}

// InventedCreditCode has the right check digit and is nobody's: it says that
// the organisation has not said how it is registered.
const InventedCreditCode = "000000000000000000"

// Desk joins the store with what the ledger says about the gifts.
type Desk struct {
	*Store
	Organisation string
	Model        *readmodel.Model
	Issuer       Issuer
	// BankAccounts are how a giver pays to a bank account of the ledger: holder,
	// bank and number as people need them. One that is missing is shown by its
	// name on the ledger.
	BankAccounts map[tape.AccountID]string
	// Today is the civil day.
	Today func() tape.Date
}

// Standing is how one gift of an announcement stands.
type Standing struct {
	Use
	// Trace is nil while the ledger does not hold the gift, and of goods.
	Trace *readmodel.Trace
	// Goods are set of a gift in kind that the ledger holds, with the day on
	// which they were received.
	Goods    *fund.Goods
	Received tape.Date
	// Void is set when the gift goes back or went back, so that its receipt is
	// worth nothing; not where the giver's bank sent a refund back in turn.
	Void bool
}

// Settled reports whether the bank's line has shown the money, and whose it is.
func (s Standing) Settled() bool {
	return s.Goods != nil || s.Trace != nil && s.Trace.Gift.State == readmodel.GiftSettled
}

// Held reports whether the ledger holds the gift.
func (s Standing) Held() bool { return s.Trace != nil || s.Goods != nil }

// Standing finds a gift on the ledger.
func (d *Desk) Standing(ctx context.Context, u Use) (Standing, error) {
	s := Standing{Use: u}
	if u.Goods {
		return d.goods(ctx, s)
	}
	all, err := d.Model.FindGifts(ctx, u.Gift)
	if rule.Is(err, rule.NotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	for _, gift := range all {
		if gift.Account != u.Account || u.Page != "" && !gift.On(u.Page) {
			continue
		}
		trace, err := d.Model.TraceGift(ctx, readmodel.GiftAt{Account: gift.Account, Page: gift.Page, Index: gift.Index})
		if err != nil {
			return s, err
		}
		s.Trace = &trace
		s.Void = void(trace)
		return s, nil
	}
	return s, nil
}

// goods finds a gift in kind on the ledger.
func (d *Desk) goods(ctx context.Context, s Standing) (Standing, error) {
	found, err := d.Model.Record(ctx, fund.GoodsKey(s.Account, s.Gift))
	if rule.Is(err, rule.NotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var goods fund.Goods
	if err := json.Unmarshal(found.Value, &goods); err != nil {
		return s, err
	}
	organisation, id, _ := strings.Cut(goods.Entry, "/")
	entry, err := d.Model.Entry(ctx, organisation, tape.ID(id))
	if err != nil {
		return s, err
	}
	s.Goods, s.Received = &goods, entry.BusinessDate
	return s, nil
}

// void reports whether a gift went back to its giver: one that was identified
// or moved stands elsewhere, and a refund that came back stands again.
func void(trace readmodel.Trace) bool {
	return trace.Reversal != nil && trace.Reversal.Inflow == "" && trace.Stands.Span == nil
}

// Unidentified reports whether the money waits where nobody has claimed it,
// which is not the account that it was announced for.
func (s Standing) Unidentified(announced tape.AccountID) bool {
	return s.Trace != nil && s.Trace.Gift.Account != announced && s.Trace.Stands.Account == s.Trace.Gift.Account && s.Trace.Stands.Moved == nil
}

// Stands tells whether the ledger holds a gift.
func (d *Desk) Stands(ctx context.Context) Stands {
	return func(u Use) (bool, error) {
		s, err := d.Standing(ctx, u)
		return s.Held(), err
	}
}

// Campaign is what a giver gives to.
type Campaign struct {
	Account tape.AccountID
	Title   donation.Text
	// Filing is the campaign's filing number, empty where it has none.
	Filing string
	// Pay is where the money goes, as people need it.
	Pay string
	// Refused says why it takes no gifts today: draft, early, over, closed or
	// grant; empty when it takes them.
	Refused  string
	from, to tape.Date
}

// Campaign finds what can be given to: an account of this organisation.
func (d *Desk) Campaign(ctx context.Context, id tape.AccountID) (Campaign, readmodel.Account, error) {
	account, err := d.Model.Account(ctx, id)
	if err != nil {
		return Campaign{}, account, err
	}
	if account.Organisation != d.Organisation || account.Unidentified != "" {
		return Campaign{}, account, rule.Field("account", rule.Refuse(rule.NotFound, "%s takes no gifts here; ask the gateway of %s", id, account.Organisation))
	}
	c := Campaign{Account: id, Title: donation.Text{Chinese: string(id)}, Pay: string(account.Custodian)}
	if words, known := d.BankAccounts[account.Custodian]; known {
		c.Pay = words
	}
	filed, err := d.Model.Campaign(ctx, id)
	switch {
	case rule.Is(err, rule.NotFound):
		return c, account, nil
	case err != nil:
		return c, account, err
	}
	c.Title = donation.Text{Chinese: filed.Plan.Title.Zh, English: filed.Plan.Title.En}
	if c.Title.Chinese == "" {
		c.Title.Chinese = c.Title.English
	}
	if filed.Filing != nil {
		c.Filing = filed.Filing.Number
	}
	c.from, c.to = filed.Plan.From, filed.Plan.To
	if c.Refused = refused(filed.Campaign, d.Today()); filed.Basis == fund.Earmark {
		err = d.earmarked(ctx, &c, filed.Parent)
	}
	return c, account, err
}

// earmarked gives an earmark the filing of its campaign: what is given for some
// lines of a plan is given under that plan, as long as it takes gifts.
func (d *Desk) earmarked(ctx context.Context, c *Campaign, parent tape.AccountID) error {
	whole, err := d.Model.Campaign(ctx, parent)
	if err != nil {
		return err
	}
	if whole.Filing != nil {
		c.Filing = whole.Filing.Number
	}
	if c.Refused == "" {
		c.from, c.to = whole.Plan.From, whole.Plan.To
		c.Refused = refused(whole.Campaign, d.Today())
	}
	return nil
}

// Refused says why a campaign takes no gifts on a day, empty where it takes them.
func Refused(ctx context.Context, model *readmodel.Model, c fund.Campaign, today tape.Date) (string, error) {
	why := refused(c, today)
	if why != "" || c.Basis != fund.Earmark {
		return why, nil
	}
	whole, err := model.Campaign(ctx, c.Parent)
	return refused(whole.Campaign, today), err
}

// refused says why a campaign takes no gifts on a day: nobody collects before
// the plan is filed (art. 24), but to answer a disaster (art. 73), nor on other
// days than those of the plan. A grant spends what its campaign hands over, and
// collects nothing itself.
func refused(c fund.Campaign, today tape.Date) string {
	switch {
	case c.Basis == fund.Grant:
		return "grant"
	case c.State == fund.Closed:
		return "closed"
	case c.State == fund.Draft && !c.Plan.Emergency:
		return "draft"
	case today < c.Plan.From:
		return "early"
	case today > c.Plan.To:
		return "over"
	}
	return ""
}

// refusal says by name why a campaign takes no gifts.
func (c Campaign) refusal() error {
	switch c.Refused {
	case "grant":
		return rule.Field("account", rule.Refuse(rule.WrongState, "%s is a grant, and spends what its campaign hands over", c.Account))
	case "closed":
		return rule.Field("account", rule.Refuse(rule.WrongState, "%s is closed and takes no more gifts", c.Account))
	case "draft":
		return rule.Field("account", rule.Refuse(rule.WrongState, "%s waits for its filing number and takes no gifts before", c.Account))
	case "early":
		return rule.Field("account", rule.Refuse(rule.Early, "%s takes gifts from %s on", c.Account, c.from))
	case "over":
		return rule.Field("account", rule.Refuse(rule.Expired, "%s took gifts until %s", c.Account, c.to))
	}
	return nil
}

// Accept keeps an announcement for a campaign that takes gifts.
func (d *Desk) Accept(ctx context.Context, a Ask) (Announcement, Code, Campaign, error) {
	campaign, account, err := d.Campaign(ctx, a.Account)
	if err != nil {
		return Announcement{}, Code{}, campaign, err
	}
	if err := campaign.refusal(); err != nil {
		return Announcement{}, Code{}, campaign, err
	}
	if a.Amount.Currency != account.Currency {
		return Announcement{}, Code{}, campaign, rule.Field("amount", rule.Refuse(rule.Invalid, "%s is kept in %s", a.Account, account.Currency))
	}
	made, code, err := d.Announce(a)
	return made, code, campaign, err
}
