package books

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/export/threesixty"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// WriteGrants writes the 360Giving package of a campaign account: a grant for
// each order and each transfer to a partner or a household. Suppliers are paid
// and not granted, the charity's own accounts are itself. Nothing has been
// written when it returns a refusal.
func (b *Books) WriteGrants(ctx context.Context, w io.Writer, account tape.AccountID, cut Cut) error {
	r, err := b.read(ctx, account, cut)
	if err != nil {
		return err
	}
	campaign, err := r.Facts.Campaign(ctx, account)
	if err != nil {
		return err
	}
	if err := registered(campaign.Activity); err != nil {
		return err
	}
	if campaign.Grants.Prefix == "" {
		return rule.Refuse(rule.WrongState, "%s has named no 360Giving prefix, which every grant's id begins with; its maker and checker do, by lianbao fund name-publisher", campaign.Activity.Reporting.Ref)
	}
	funder := threesixty.Organisation{ID: campaign.Activity.Reporting.Ref, Name: inLanguage(campaign.Activity.Reporting.Names, campaign.Activity.Language)}
	title := inLanguage(campaign.Activity.Title, campaign.Activity.Language)
	return threesixty.Write(w, threesixty.Package{Issued: r.through, Publisher: funder, Title: title, Prefix: campaign.Grants.Prefix,
		License: campaign.Grants.License, Source: campaign.Grants.Source, Grants: r.grants(ctx, granting{campaign, funder, title})})
}

// inLanguage chooses a text: 360Giving's have one language only. It is the
// publisher's, which the activity has, else the first.
func inLanguage(texts iati.Texts, own string) string {
	for _, t := range texts {
		if t.Language == own || t.Language == "" {
			return t.Text
		}
	}
	if len(texts) > 0 {
		return texts[0].Text
	}
	return ""
}

// granting is what the grants of an account have in common.
type granting struct {
	campaign Campaign
	funder   threesixty.Organisation
	title    string
}

func (r *reading) grants(ctx context.Context, g granting) iter.Seq2[threesixty.Grant, error] {
	return func(yield func(threesixty.Grant, error) bool) {
		for hold, err := range r.holds(ctx) {
			one, is, err := r.ordered(ctx, g, hold, err)
			if (is || err != nil) && !yield(one, err) {
				return
			}
		}
		for p, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Posting], error) {
			return r.Model.Postings(ctx, r.account.ID, w)
		}) {
			one, is, err := r.transferred(ctx, g, p, err)
			if (is || err != nil) && !yield(one, err) {
				return
			}
		}
	}
}

// ordered is the grant of an order; is reports whether it is one.
func (r *reading) ordered(ctx context.Context, g granting, hold readmodel.Hold, err error) (one threesixty.Grant, is bool, _ error) {
	if err != nil {
		return one, false, err
	}
	entry, err := r.entryOf(ctx, hold.Entry)
	if err != nil {
		return one, false, err
	}
	awarded := committed(hold)
	if awarded == 0 || entry.BusinessDate > r.through {
		return one, false, nil
	}
	disbursed := money.New(hold.Captured.Total()-hold.Returned.Total(), r.account.Currency)
	one, is, err = r.grant(ctx, g, hold.To)
	one.ID = g.campaign.Grants.Prefix + "-" + string(r.account.ID) + "/" + string(hold.ID)
	one.Awarded, one.Disbursed, one.Date = money.New(awarded, r.account.Currency), &disbursed, entry.BusinessDate
	return one, is, err
}

// transferred is the grant of a transfer that no order came before.
func (r *reading) transferred(ctx context.Context, g granting, p readmodel.Posting, err error) (one threesixty.Grant, is bool, _ error) {
	if err != nil || p.Block >= r.next || p.Memo || p.From != r.account.ID || p.To.Outside() || p.Kind == "capture" || p.Date > r.through {
		return one, false, err
	}
	back, err := r.paysBack(ctx, p)
	if err != nil || back == p.Amount.Units {
		return one, false, err
	}
	granted := money.New(p.Amount.Units-back, p.Amount.Currency)
	one, is, err = r.grant(ctx, g, p.To)
	one.ID = g.campaign.Grants.Prefix + "-" + p.Inflow
	one.Awarded, one.Disbursed, one.Date = granted, &granted, p.Date
	return one, is, err
}

// grant is what a grant says of its receiver and its campaign.
func (r *reading) grant(ctx context.Context, g granting, to tape.AccountID) (threesixty.Grant, bool, error) {
	party, err := r.of(ctx, to)
	if err != nil {
		return threesixty.Grant{}, false, err
	}
	activity := g.campaign.Activity
	one := threesixty.Grant{Funder: g.funder, Title: g.title, Description: inLanguage(activity.Description, activity.Language), Programme: threesixty.Programme{Code: g.campaign.Grants.Code, Title: g.title}}
	if len(activity.Countries) == 1 {
		one.Place = threesixty.Place{Country: activity.Countries[0].Code, Name: g.campaign.Grants.Area}
	}
	switch party.Kind {
	case Household:
		individual := g.campaign.Grants.Individual
		one.Individual = &individual
		return one, true, nil
	case Partner:
		one.Recipient, one.Regrant = r.recipient(g, party, to), party.Regrant
		return one, true, nil
	}
	return one, false, nil
}

// recipient names a partner. Where it has no registered identifier it gets one
// of the charity's own, made of the account's name.
func (r *reading) recipient(g granting, party Party, to tape.AccountID) *threesixty.Organisation {
	o := threesixty.Organisation{ID: party.Organisation.Ref, Name: inLanguage(party.Organisation.Names, g.campaign.Activity.Language)}
	if o.ID == "" {
		o.ID = g.campaign.Grants.Prefix + "-ORG:" + strings.TrimPrefix(string(to), "outside:")
	}
	return &o
}
