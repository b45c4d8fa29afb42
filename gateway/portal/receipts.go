package portal

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/typed"
)

// Receipts that staff write: for givers whose money came without an
// announcement, and for gifts in kind. The name stands in the charity's sealed
// store and on the paper, nowhere else.

// What is typed for a receipt of money, and of goods; refusals call it by Path.
var (
	moneyFields = []acts.Field{{Name: "giver-name", Path: "name"}, {Name: "day", Kind: acts.Day}, {Name: "amount", Kind: acts.Amount}, {Name: "proof"}, {Name: "giver-code", Path: "code"}}
	goodsFields = []acts.Field{{Name: "giver-name", Path: "name", Required: true}, {Name: "delivery", Path: "proof", Required: true},
		{Name: "description", Kind: acts.Texts, Path: "goods[0].name", Required: true}, {Name: "counted-in", Kind: acts.Texts, Path: "goods[0].unit", Required: true},
		{Name: "worth", Kind: acts.Amount, Path: "goods[0].value"}, {Name: "worth-by", Kind: acts.Choice, Family: "worth-by.", Choices: bases(), Path: "goods[0].basis"},
		{Name: "worth-number", Path: "goods[0].basisNumber"}}
)

func bases() []string {
	var words []string
	for _, basis := range donation.Bases() {
		words = append(words, string(basis))
	}
	return words
}

func (p *portal) receiptRoutes() {
	if p.people.Receipts == nil {
		return
	}
	p.routes.HandleFunc("/campaigns/{account}/receipt", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.writing) })
	p.form("/campaigns/{account}/receipt", p.written)
}

// receiptPath is where a maker writes the receipt of a gift, empty for others.
func (p *portal) receiptPath(r *http.Request, u giving.Use) string {
	if p.people == nil || p.people.Receipts == nil || !p.session(r).LoggedIn() || !p.session(r).Has(login.Maker) {
		return ""
	}
	query := url.Values{"gift": {string(u.Gift)}}
	if u.Goods {
		query = url.Values{"goods": {string(u.Gift)}}
	}
	if u.Page != "" {
		query.Set("page", string(u.Page))
	}
	return pathTo("campaigns", string(u.Account)) + "/receipt?" + query.Encode()
}

// useIn is the gift that a form is about.
func useIn(r *http.Request) (u giving.Use, err error) {
	if u.Account, err = accountIn(r); err != nil {
		return u, err
	}
	if u.Gift, err = optionalID(r, "goods"); err != nil {
		return u, err
	}
	if u.Goods = u.Gift != ""; u.Goods {
		return u, nil
	}
	if u.Gift, err = optionalID(r, "gift"); err != nil {
		return u, err
	}
	if u.Gift == "" {
		return u, rule.Field("gift", rule.Refuse(rule.NotFound, "is missing in the address"))
	}
	u.Page, err = optionalID(r, "page")
	return u, err
}

// writing shows the receipt that staff wrote, and the form that writes or corrects it.
func (p *portal) writing(r *http.Request) (views.Page, string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.RequestURI()), nil
	}
	if err := roles(session, login.Maker); err != nil {
		return nil, "", err
	}
	page, err := p.writePage(r, session)
	return page, "", err
}

func (p *portal) writePage(r *http.Request, session login.Session) (views.Write, error) {
	use, err := useIn(r)
	if err != nil {
		return views.Write{}, err
	}
	desk := p.people.Receipts
	standing, err := desk.Standing(r.Context(), use)
	if err != nil {
		return views.Write{}, err
	}
	if !standing.Held() {
		return views.Write{}, rule.Refuse(rule.NotFound, "gift %s does not exist there", use.Gift)
	}
	page := views.Write{Account: use.Account, Gift: use.Gift, Page: use.Page, Goods: standing.Goods, Person: session.Person(), Token: session.Token(),
		Path: p.receiptPath(r, use), Claimed: desk.Claimed(use), Settled: standing.Settled(), Void: standing.Void}
	fields, answers := goodsFields, acts.Answers{Texts: map[string]string{}}
	if standing.Trace != nil {
		gift := standing.Trace.Gift
		fields, page.Amount = moneyFields, &gift.Amount
	}
	written, code, is := desk.Written(use)
	if is {
		page.Code = code.String()
		if page.Paper, page.Reason, err = paperOf(desk.Receipt(r.Context(), page.Code, use.Gift, p.publicPage(r, standing))); err != nil {
			return page, err
		}
		answers = writtenAnswers(written)
	}
	for _, field := range fields {
		page.Fields = append(page.Fields, fieldOf(field, answers))
	}
	page.Title, err = p.title(r.Context(), use.Account)
	return page, err
}

// writtenAnswers are what was typed before, for whoever corrects it. The line
// on the giver's statement is typed anew: it is compared, not kept.
func writtenAnswers(a giving.Announcement) acts.Answers {
	texts := map[string]string{"giver-name": a.Donor.Name, "proof": a.Issued.Proof, "delivery": a.Issued.Proof}
	if goods := a.Issued.Goods; goods != nil {
		texts["description-zh"], texts["description-en"], texts["counted-in-zh"], texts["counted-in-en"] = goods.Name.Chinese, goods.Name.English, goods.Unit.Chinese, goods.Unit.English
		texts["worth-by"], texts["worth-number"] = string(goods.Basis), goods.BasisNumber
		if goods.Basis != "" {
			texts["worth"] = goods.Value.String()
		}
	}
	return acts.Answers{Texts: texts}
}

// publicPage is the address of the page on which anybody follows the gift.
func (p *portal) publicPage(r *http.Request, s giving.Standing) string {
	path, query := pathTo("campaigns", string(s.Account)), url.Values{}
	if s.Trace != nil {
		path, query = pathTo("gifts", string(s.Gift)), url.Values{"account": {string(s.Account)}, "page": {string(s.Trace.Gift.Page)}}
	}
	other := *r
	other.URL = &url.URL{Path: path, RawQuery: query.Encode()}
	return p.addressOf(&other)
}

// paperOf writes a receipt as a piece of a page, or says why there is none.
func paperOf(receipt donation.Receipt, _ giving.Standing, err error) (template.HTML, string, error) {
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		switch refusal.Code {
		case rule.Unsupported:
			return "", "currency", nil
		case rule.WrongState:
			return "", "void", nil
		}
		return "", "other", nil
	}
	if err != nil {
		return "", "", err
	}
	paper, err := receipt.Section()
	return paper, "", err
}

// written takes the form; what is to be mended is shown beside what was typed.
func (p *portal) written(w http.ResponseWriter, r *http.Request) {
	session := p.session(r)
	if !session.LoggedIn() {
		p.toLogin(w, r, "/work")
		return
	}
	err := session.CheckForm(w, r, formBytes)
	if err == nil {
		err = roles(session, login.Maker)
	}
	if err == nil {
		err = p.staff(r.Context(), session)
	}
	var page views.Write
	if err == nil {
		page, err = p.writePage(r, session)
	}
	if err != nil {
		p.refused(w, r, err)
		return
	}
	writing, faults := p.writingIn(r, session, &page)
	if err = faults; len(faults) == 0 {
		err = p.people.Receipts.Write(r.Context(), writing)
	}
	if err == nil {
		p.Log.Info("a receipt was written", "person", session.Person(), "account", writing.Use.Account, "gift", writing.Use.Gift)
		p.redirect(w, r, "/"+languageOf(r)+page.Path)
		return
	}
	fields := moneyFields
	if page.Goods != nil {
		fields = goodsFields
	}
	if page.Refusal, page.Faulty = blame(page.Fields, acts.Act{Fields: fields}.Place(err)); !page.Faulty {
		p.refused(w, r, err)
		return
	}
	p.show(w, r, http.StatusUnprocessableEntity, page)
}

// writingIn reads the form, and leaves in the page what was typed.
func (p *portal) writingIn(r *http.Request, session login.Session, page *views.Write) (giving.Writing, acts.Faults) {
	text := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	for i := range page.Fields {
		field := &page.Fields[i]
		field.Value, field.English, field.Chinese = text(field.Name), text(field.Name+"-en"), text(field.Name+"-zh")
	}
	use, _ := useIn(r) // it was read before
	writing := giving.Writing{Use: use, By: session.Person(), Name: text("giver-name"), Code: text("giver-code"), Day: tape.Date(text("day")), Proof: text("proof")}
	if s, err := p.people.Receipts.Standing(r.Context(), use); err == nil {
		writing.Page = p.publicPage(r, s)
	}
	var faults acts.Faults
	amount := func(field string, currency money.Currency) money.Amount {
		read, err := typed.Amount(text(field), currency)
		var refusal *rule.Refusal
		if errors.As(err, &refusal) {
			faults = append(faults, acts.Fault{Field: field, Refusal: *refusal})
		}
		return read
	}
	switch {
	case use.Goods:
		writing.Proof, writing.Goods = text("delivery"), &donation.Goods{Name: donation.Text{Chinese: text("description-zh"), English: text("description-en")},
			Unit: donation.Text{Chinese: text("counted-in-zh"), English: text("counted-in-en")}, Basis: donation.Basis(text("worth-by")), BasisNumber: text("worth-number")}
		if text("worth") != "" {
			writing.Goods.Value = amount("worth", "CNY")
		}
	case writing.Code == "":
		writing.Amount = amount("amount", page.Amount.Currency)
	}
	return writing, faults
}

// goodsReceipts are where a maker writes the receipts of gifts in kind.
func (p *portal) goodsReceipts(r *http.Request, page *views.Campaign) {
	if page.Organisation != p.Organisation {
		return
	}
	for _, goods := range page.Life.Goods {
		page.Life.Receipts = append(page.Life.Receipts, p.receiptPath(r, giving.Use{Account: page.Account, Gift: goods.ID, Goods: true}))
	}
}

// giftReceipt is where a maker writes the receipt of a gift that stands.
func (p *portal) giftReceipt(r *http.Request, gift readmodel.Gift, stands readmodel.Stands) (string, error) {
	path := p.receiptPath(r, giving.Use{Account: gift.Account, Gift: gift.ID, Page: gift.Page})
	if path == "" || gift.State != readmodel.GiftSettled {
		return "", nil
	}
	account, err := p.Model.Account(r.Context(), stands.Account)
	if err != nil || account.Organisation != p.Organisation || account.Unidentified != "" {
		return "", err
	}
	return path, nil
}
