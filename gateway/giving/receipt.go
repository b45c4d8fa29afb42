package giving

import (
	"context"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
)

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
	r, campaign, err := d.paper(ctx, a, s, code, giftPage)
	if err != nil {
		return r, s, err
	}
	paper := Paper{To: campaign}
	if a.Issued != nil {
		paper.Revision = a.Issued.Revision
	}
	number, found, err := d.Number(use, paper, d.Today(), !s.Void)
	if err != nil {
		return r, s, err
	}
	if !found {
		return r, s, rule.Refuse(rule.WrongState, "the gift went back before a receipt was issued")
	}
	r.Number, r.IssuedOn = number.Text(d.Organisation), number.IssuedOn
	if number.Instead != nil {
		r.Replaces = number.Instead.Text(d.Organisation)
	}
	if s.Void {
		r.Number += voidMark
	}
	return r, s, nil
}

// paper is a receipt without its number. What cannot be printed must not take
// one, so all of it is checked here.
func (d *Desk) paper(ctx context.Context, a Announcement, s Standing, code, giftPage string) (donation.Receipt, tape.AccountID, error) {
	campaign, err := d.receiver(ctx, a, s)
	if err != nil {
		return donation.Receipt{}, "", err
	}
	r := donation.Receipt{Number: "?", Charity: donation.Charity{Name: d.Issuer.Name, CreditCode: d.Issuer.CreditCode}, Handler: d.Issuer.Handler, Donor: a.Donor,
		Campaign:   donation.Campaign{Title: campaign.Title, FilingNumber: campaign.Filing},
		ReceivedOn: d.receivedOn(s), IssuedOn: string(d.Today()), Reference: a.Reference, GiftCode: spelled(code), GiftPage: giftPage}
	if r.Campaign.FilingNumber == "" {
		r.Campaign.FilingNumber = notFiled
	}
	if s.Goods == nil {
		r.Amount = s.Trace.Gift.Amount
	} else {
		goods := *a.Issued.Goods // only staff write about goods
		goods.Quantity = s.Goods.Quantity
		r.Goods = []donation.Goods{goods}
	}
	return r, campaign.Account, r.Check()
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
	if s.Trace != nil && s.Trace.Stands.Moved != nil { // a gift that was corrected is the other campaign's
		whose = s.Trace.Stands.Account
	}
	campaign, _, err := d.Campaign(ctx, whose)
	return campaign, err
}

// voidMark stands behind the number of a receipt whose gift went back.
const voidMark = " 作废 VOID"

// receivedOn is the day of the bank's line; of a gift without one, that of its entry.
func (d *Desk) receivedOn(s Standing) string {
	switch {
	case s.Goods != nil:
		return string(s.Received)
	case s.Trace.Line != nil:
		return string(s.Trace.Line.Date)
	}
	return s.Trace.Gift.At.String()[:len("2006-01-02")]
}

// Writing is what staff type to write the receipt of a gift that nobody announced.
type Writing struct {
	Use Use
	// Code is the giver's own, where there is one: then nothing else is typed.
	Code string
	Name string
	// Day, Amount and Proof are those of the line on the giver's own statement:
	// its date, its amount, its number. Of goods Proof alone is typed.
	Day    tape.Date
	Amount money.Amount
	Proof  string
	// Goods are how the paper calls a gift in kind, and its value where a paper gives one.
	Goods *donation.Goods
	By    tape.ID
	// Page is the address of the gift's page.
	Page string
}

// lineDays is how many days before the charity's line the giver's own may lie:
// transfers wait over the longest of the public holidays, which has eight days
// (国办发明电, the yearly notice), and a day on either side.
const lineDays = 10

// Write keeps a receipt for a giver who came without announcing, on proof. With
// a giver's code the gift becomes one of that code, which shows the receipt.
func (d *Desk) Write(ctx context.Context, w Writing) error {
	s, to, err := d.writable(ctx, w.Use)
	if err != nil {
		return err
	}
	if w.Code != "" {
		return d.attach(w, to)
	}
	issue := Issue{Use: w.Use, To: to, Name: w.Name, By: w.By, Proof: w.Proof}
	switch {
	case s.Goods != nil && w.Goods == nil:
		return rule.Field("name.zh", rule.Refuse(rule.Invalid, "is missing; say what the goods are"))
	case s.Goods != nil:
		issue.Goods = w.Goods
	default:
		if err := d.proved(w, s); err != nil {
			return err
		}
		issue.Amount = s.Trace.Gift.Amount
	}
	if err := issue.check(); err != nil {
		return err
	}
	draft := Announcement{Account: to, Donor: issue.donor(), Issued: &Issued{Goods: issue.Goods}}
	if _, _, err := d.paper(ctx, draft, s, codeSigns, w.Page); err != nil {
		return err
	}
	_, _, err = d.Issue(issue)
	return err
}

// attach gives a gift to the code of a giver who had announced one to the same campaign.
func (d *Desk) attach(w Writing, to tape.AccountID) error {
	announced, err := d.Find(w.Code)
	if err != nil {
		return err
	}
	if announced.Account != to {
		return rule.Field("code", rule.Refuse(rule.Conflict, "the code was given out for %s; the gift stands in %s", announced.Account, to))
	}
	return d.Attach(w.Code, w.Use)
}

// writable finds a gift and the campaign whose it is, or says why it gets no receipt.
func (d *Desk) writable(ctx context.Context, u Use) (Standing, tape.AccountID, error) {
	s, err := d.Standing(ctx, u)
	switch {
	case err != nil:
		return s, "", err
	case !s.Held():
		return s, "", rule.Field("gift", rule.Refuse(rule.NotFound, "gift %s does not exist there", u.Gift))
	case !s.Settled():
		return s, "", rule.Field("gift", rule.Refuse(rule.WrongState, "gift %s waits for the bank's line; a receipt says what has come", u.Gift))
	case s.Void:
		return s, "", rule.Field("gift", rule.Refuse(rule.WrongState, "gift %s went back", u.Gift))
	}
	to := u.Account
	if s.Trace != nil && s.Trace.Stands.Moved != nil {
		to = s.Trace.Stands.Account
	}
	if _, _, err := d.Campaign(ctx, to); err != nil {
		return s, to, err // money that nobody has claimed is no campaign's
	}
	return s, to, nil
}

// proved compares the line on the giver's statement with the gift.
func (d *Desk) proved(w Writing, s Standing) error {
	received := d.receivedOn(s)
	if w.Amount != s.Trace.Gift.Amount {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "the giver's line is of %s, the gift of %s", w.Amount, s.Trace.Gift.Amount))
	}
	last, err := time.Parse(time.DateOnly, received)
	if err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, string(w.Day))
	if err != nil || day.After(last) || day.Before(last.AddDate(0, 0, -lineDays)) {
		return rule.Field("day", rule.Refuse(rule.Conflict, "the giver's line is of %.10s; that of a gift which came on %s is of that day, or of one of the %d before", string(w.Day), received, lineDays))
	}
	return nil
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
