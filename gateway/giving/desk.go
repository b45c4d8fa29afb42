package giving

import (
	"context"
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
	// Trace is nil while the ledger does not hold the gift.
	Trace *readmodel.Trace
	// Void is set when the gift goes back or went back, so that its receipt is
	// worth nothing; not where the giver's bank sent a refund back in turn.
	Void bool
}

// Settled reports whether the bank's line has shown the money, and whose it is.
func (s Standing) Settled() bool {
	return s.Trace != nil && s.Trace.Gift.State == readmodel.GiftSettled
}

// Standing finds a gift on the ledger.
func (d *Desk) Standing(ctx context.Context, u Use) (Standing, error) {
	s := Standing{Use: u}
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

// void reports whether a gift went back to its giver: one that was identified
// or moved stands elsewhere, and a refund that came back stands again.
func void(trace readmodel.Trace) bool {
	return trace.Reversal != nil && trace.Reversal.Inflow == "" && trace.Stands.Span == nil
}

// Unidentified reports whether the money waits where nobody has claimed it,
// which is not the account that it was announced for.
func (s Standing) Unidentified(announced tape.AccountID) bool {
	return s.Trace.Gift.Account != announced && s.Trace.Stands.Account == s.Trace.Gift.Account && s.Trace.Stands.Moved == nil
}

// Stands tells whether the ledger holds a gift.
func (d *Desk) Stands(ctx context.Context) Stands {
	return func(u Use) (bool, error) {
		s, err := d.Standing(ctx, u)
		return s.Trace != nil, err
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
	// Refused says why it takes no gifts today: draft, early, over or closed;
	// empty when it takes them.
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
	c.Refused = refused(filed.Campaign, d.Today())
	return c, account, nil
}

// refused says why a campaign takes no gifts on a day: nobody collects before
// the plan is filed (art. 24), but to answer a disaster (art. 73), nor on other
// days than those of the plan.
func refused(c fund.Campaign, today tape.Date) string {
	switch {
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

// notFiled stands on a receipt where a campaign has no filing number.
const notFiled = "— 未备案 (not filed)"

// Receipt makes the paper of article 38 for a settled gift of a code. Its
// number is given out with the first call; one that went back gets none, and
// one that had a number says that it is void.
func (d *Desk) Receipt(ctx context.Context, code string, gift tape.ID, giftPage string) (donation.Receipt, Standing, error) {
	announced, err := d.Find(code)
	if err != nil {
		return donation.Receipt{}, Standing{}, err
	}
	for _, use := range announced.Uses {
		if use.Gift == gift {
			return d.receipt(ctx, code, announced, use, giftPage)
		}
	}
	return donation.Receipt{}, Standing{}, unknown()
}

func (d *Desk) receipt(ctx context.Context, code string, a Announcement, use Use, giftPage string) (donation.Receipt, Standing, error) {
	s, err := d.Standing(ctx, use)
	if err != nil {
		return donation.Receipt{}, s, err
	}
	campaign, err := d.receiver(ctx, a, s)
	if err != nil {
		return donation.Receipt{}, s, err
	}
	today := d.Today()
	r := donation.Receipt{Charity: donation.Charity{Name: d.Issuer.Name, CreditCode: d.Issuer.CreditCode}, Handler: d.Issuer.Handler, Donor: a.Donor,
		Campaign: donation.Campaign{Title: campaign.Title, FilingNumber: campaign.Filing}, Amount: s.Trace.Gift.Amount,
		ReceivedOn: d.receivedOn(s), IssuedOn: string(today), Reference: a.Reference, GiftCode: spelled(code), GiftPage: giftPage}
	if r.Campaign.FilingNumber == "" {
		r.Campaign.FilingNumber = notFiled
	}
	// What cannot be printed must not take a number.
	r.Number = "?"
	if err := r.Check(); err != nil {
		return r, s, err
	}
	number, found, err := d.Number(use, today, !s.Void)
	if err != nil {
		return r, s, err
	}
	if !found {
		return r, s, rule.Refuse(rule.WrongState, "the gift went back before a receipt was issued")
	}
	r.Number, r.IssuedOn = number.Text(d.Organisation), number.IssuedOn
	if s.Void {
		r.Number += voidMark
	}
	return r, s, nil
}

// receiver is the campaign to which a gift stands; without a place on a tape it has none.
func (d *Desk) receiver(ctx context.Context, a Announcement, s Standing) (Campaign, error) {
	if !s.Settled() {
		return Campaign{}, rule.Refuse(rule.WrongState, "the gift waits for the bank's line")
	}
	if s.Unidentified(a.Account) {
		return Campaign{}, rule.Refuse(rule.WrongState, "the money stands unidentified until it is given to the campaign")
	}
	whose := a.Account
	if moved := s.Trace.Stands; moved.Moved != nil { // a gift that was corrected is the other campaign's
		whose = moved.Account
	}
	campaign, _, err := d.Campaign(ctx, whose)
	return campaign, err
}

// voidMark stands behind the number of a receipt whose gift went back.
const voidMark = " 作废 VOID"

// receivedOn is the day of the bank's line; of a gift without one, that of its entry.
func (d *Desk) receivedOn(s Standing) string {
	if s.Trace.Line != nil {
		return string(s.Trace.Line.Date)
	}
	return s.Trace.Gift.At.String()[:len("2006-01-02")]
}

// spelled prints a code that was found the way it was given out.
func spelled(code string) string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(codeSigns, r) {
			return r
		}
		return -1
	}, folded(code))
	var groups []string
	for ; len(plain) > codeGroup; plain = plain[codeGroup:] {
		groups = append(groups, plain[:codeGroup])
	}
	return strings.Join(append(groups, plain), " ")
}
