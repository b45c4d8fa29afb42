package portal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/pace"
	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/typed"
)

// givers are the pages of those who give: they announce, and see with their
// code what became of it. No code and no name stands in an address, and nothing
// that a code opens is kept by browsers or logs.
type givers struct {
	*portal
	desk                      *giving.Desk
	announcements, wrongCodes *giving.Limit
	address                   func(*http.Request) string
	keepDays                  int
	font                      func() (*donation.Font, error)
	routes                    *http.ServeMux
}

// Givers are what the pages of givers are made of, beside the portal's parts.
type Givers struct {
	Desk *giving.Desk
	// Announcements and WrongCodes bound what one address may do.
	Announcements, WrongCodes *giving.Limit
	// Address names where a request comes from; nil takes pace.Address.
	Address func(*http.Request) string
	// KeepDays is how long an announcement waits for its line.
	KeepDays int
	// Font is the file of a TrueType font for PDFs; empty to look in the usual places.
	Font string
}

// NewGivers builds the pages of givers. They stand beside the portal's own.
func NewGivers(parts Parts, with Givers) http.Handler {
	p, _ := New(parts).(*portal) // it is made here
	g := &givers{portal: p, desk: with.Desk, announcements: with.Announcements, wrongCodes: with.WrongCodes, address: with.Address, keepDays: with.KeepDays, routes: http.NewServeMux(),
		font: sync.OnceValues(func() (*donation.Font, error) { return donation.FindFont(with.Font) })}
	for _, tag := range words.Tags {
		for pattern, page := range map[string]func(*http.Request) (int, views.Page, error){
			"GET /give/{account}": g.form, "POST /give/{account}": g.announce,
			"GET /receipts": g.ask, "POST /receipts": g.look, "POST /receipts/erase": g.erase, "POST /receipts/waive": g.waive,
		} {
			method, path, _ := strings.Cut(pattern, " ")
			g.routes.HandleFunc(method+" /"+tag+path, g.spoken(tag, page))
		}
		g.routes.HandleFunc("POST /"+tag+"/receipts/pdf", g.in(tag, g.pdf))
		g.routes.HandleFunc("GET /"+tag+"/receipts/paper.css", paperStyle)
	}
	if g.address == nil {
		g.address = pace.Address
	}
	// A page elsewhere cannot announce or ask in a reader's name.
	return http.NewCrossOriginProtection().Handler(g)
}

// GiverPatterns are what a server hands to the pages of givers.
func GiverPatterns() []string {
	var all []string
	for _, tag := range words.Tags {
		all = append(all, "/"+tag+"/give/", "/"+tag+"/receipts", "/"+tag+"/receipts/")
	}
	return all
}

// ServeHTTP implements http.Handler. What no form is sent to is the portal's.
func (g *givers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := g.routes.Handler(r); pattern == "" {
		g.portal.ServeHTTP(w, r)
		return
	}
	pages.Guard(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, giverBytesMax)
	g.routes.ServeHTTP(w, r)
}

// giverBytesMax bounds a form: a code, or a name and an amount.
const giverBytesMax = 8 << 10

func (g *givers) in(tag string, serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		serve(w, r.WithContext(context.WithValue(r.Context(), inLanguage{}, tag)))
	}
}

func (g *givers) spoken(tag string, load func(*http.Request) (int, views.Page, error)) http.HandlerFunc {
	return g.in(tag, func(w http.ResponseWriter, r *http.Request) {
		status, page, err := load(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		g.answerWith(w, r, status, page)
	})
}

// answerWith writes a page that nobody keeps.
func (g *givers) answerWith(w http.ResponseWriter, r *http.Request, status int, page views.Page) {
	place := "/receipts"
	if rest, isGive := strings.CutPrefix(r.URL.Path, "/"+languageOf(r)+"/give/"); isGive {
		place = "/give/" + rest
	}
	body, err := g.set.Render(pages.Frame{Language: languageOf(r), Path: place, Organisation: g.Organisation}, page)
	if err != nil {
		g.Log.Error("a page cannot be written", "path", place, "error", err)
		http.Error(w, "This page cannot be shown just now. 暂时无法显示页面。", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", languageOf(r))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever left does not read it
	}
}

func (g *givers) form(r *http.Request) (int, views.Page, error) {
	page, err := g.blank(r)
	return http.StatusOK, page, err
}

// blank is a form that nobody has filled in.
func (g *givers) blank(r *http.Request) (views.Give, error) {
	id, err := accountIn(r)
	if err != nil {
		return views.Give{}, err
	}
	campaign, account, err := g.desk.Campaign(r.Context(), id)
	if err != nil {
		return views.Give{}, err
	}
	page := views.Give{Account: id, Title: textOf(campaign.Title), Currency: account.Currency, Refused: campaign.Refused}
	page.Attempt, err = g.desk.NewAttempt()
	return page, err
}

func textOf(t donation.Text) views.Text {
	if t.English == "" {
		return views.Text{Chinese: t.Chinese, English: t.Chinese}
	}
	return views.Text{Chinese: t.Chinese, English: t.English}
}

// announce keeps what was filled in; what is wrong is said beside the form.
func (g *givers) announce(r *http.Request) (int, views.Page, error) {
	page, err := g.blank(r)
	if err != nil {
		return 0, nil, err
	}
	page.Amount, page.Anonymous, page.Publish = r.PostFormValue("amount"), r.PostFormValue("as") == "anonymous", r.PostFormValue("publish") == "yes"
	page.Waived = r.PostFormValue("waive") == "yes"
	if g.announcements.Reached(g.address(r)) {
		page.Fault = "limit"
		return http.StatusTooManyRequests, page, nil
	}
	g.announcements.Count(g.address(r))
	ask := giving.Ask{Attempt: r.PostFormValue("attempt"), Account: page.Account, Publish: page.Publish && !page.Anonymous,
		Donor: donation.Donor{Kind: donation.Named, Name: strings.TrimSpace(r.PostFormValue("name"))}}
	switch {
	case page.Anonymous:
		ask.Donor = donation.Donor{Kind: donation.Anonymous}
	case page.Waived:
		ask.Donor.Kind = donation.Waived
	}
	if ask.Amount, err = typedAmount(page.Amount, page.Currency); err != nil {
		page.Fault = "amount"
		return http.StatusUnprocessableEntity, page, nil
	}
	made, code, campaign, err := g.desk.Accept(r.Context(), ask)
	var refusal *rule.Refusal
	switch {
	case errors.As(err, &refusal):
		page.Fault = faultOf(refusal)
		return http.StatusUnprocessableEntity, page, nil
	case err != nil:
		return 0, nil, err
	}
	return http.StatusOK, views.Given{Account: made.Account, Title: page.Title, Amount: made.Amount, Code: code.String(), Reference: made.Reference.Grouped(),
		PayTo: campaign.Pay, Named: made.Donor.Kind != donation.Anonymous, KeepDays: g.keepDays, Address: g.addressFor(r, "/receipts")}, nil
}

// faultOf names what a form has wrong, as the catalogues know it.
func faultOf(r *rule.Refusal) string {
	field, _ := r.Pointer()
	if slices.Contains(words.Keys["give-fault."], field) {
		return field
	}
	return "other"
}

// typedAmount reads an amount of a gift as people type it.
func typedAmount(text string, currency money.Currency) (money.Amount, error) {
	amount, err := typed.Amount(text, currency)
	if err != nil {
		return amount, err
	}
	return amount, amount.Positive(currency)
}

// addressFor is the address of a page of the public's.
func (g *givers) addressFor(r *http.Request, path string) string {
	other := *r
	other.URL = &url.URL{Path: path}
	return g.addressOf(&other)
}

func (g *givers) ask(*http.Request) (int, views.Page, error) {
	return http.StatusOK, views.Receipts{}, nil
}

// found opens an announcement, or says the one thing that is said about every wrong code.
func (g *givers) found(r *http.Request) (giving.Announcement, int, views.Page, error) {
	announced, err := g.desk.Find(r.PostFormValue("code"))
	if rule.Is(err, rule.NotFound) {
		// A right code is never refused for others' wrong ones: nobody guesses 128 bits.
		if g.wrongCodes.Reached(g.address(r)) {
			return announced, http.StatusTooManyRequests, views.Receipts{Fault: "limit"}, nil
		}
		g.wrongCodes.Count(g.address(r))
		return announced, http.StatusNotFound, views.Receipts{Fault: "unknown"}, nil
	}
	return announced, http.StatusOK, nil, err
}

func (g *givers) look(r *http.Request) (int, views.Page, error) {
	announced, status, page, err := g.found(r)
	if err != nil || page != nil {
		return status, page, err
	}
	campaign, _, err := g.desk.Campaign(r.Context(), announced.Account)
	if err != nil {
		return 0, nil, err
	}
	code := r.PostFormValue("code")
	own := views.Receipt{Account: announced.Account, Title: textOf(campaign.Title), Amount: announced.Amount, Reference: announced.Reference.Grouped(), Code: code,
		Kind: string(announced.Donor.Kind), Issued: announced.Issued != nil}
	for _, use := range announced.Uses {
		standing, err := g.desk.Standing(r.Context(), use)
		if err != nil {
			return 0, nil, err
		}
		if !standing.Held() {
			continue // the import is under way
		}
		gift, err := g.ownGift(r, code, announced, standing)
		if err != nil {
			return 0, nil, err
		}
		own.Gifts = append(own.Gifts, gift)
	}
	return http.StatusOK, own, nil
}

func (g *givers) ownGift(r *http.Request, code string, a giving.Announcement, s giving.Standing) (views.OwnGift, error) {
	if s.Goods != nil {
		own := views.OwnGift{Gift: s.Gift, Goods: s.Goods, Path: pathTo("campaigns", string(s.Account)), State: "received"}
		return g.papered(r, code, own)
	}
	gift := s.Trace.Gift
	own := views.OwnGift{Gift: gift.ID, Amount: gift.Amount, Differs: gift.Amount != a.Amount, State: "waits", Attribution: s.Trace.Attribution,
		Path: "/gifts/" + string(gift.ID) + "?account=" + url.QueryEscape(string(gift.Account)) + "&page=" + url.QueryEscape(string(gift.Page))}
	var err error
	if own.Pieces, err = g.pieces(r.Context(), s.Trace.Root); err != nil {
		return own, err
	}
	if own, err = added(own); err != nil {
		return own, err
	}
	if s.Use.Page == "" { // money that was identified has no commitment of its giver
		opening, err := g.desk.Opening(code, gift.ID)
		if err != nil {
			return own, err
		}
		own.Salt, own.Giver, own.Commitment = opening.Salt, opening.Giver, opening.Commitment
	}
	switch {
	case !s.Settled():
		return own, nil
	case s.Unidentified(a.Account):
		own.State = "unidentified"
		return own, nil
	case s.Void:
		own.State = "void"
	default:
		own.State = "settled"
	}
	return g.papered(r, code, own)
}

// papered adds the receipt of the law, or why there is none.
func (g *givers) papered(r *http.Request, code string, own views.OwnGift) (views.OwnGift, error) {
	var err error
	own.Paper, own.Reason, err = paperOf(g.desk.Receipt(r.Context(), code, own.Gift, g.pageOf(r, own.Path)))
	return own, err
}

// pageOf is the address of the gift's public page.
func (g *givers) pageOf(r *http.Request, path string) string {
	place, query, has := strings.Cut(path, "?")
	if !has {
		return g.addressFor(r, place)
	}
	return g.addressFor(r, place) + "?" + query
}

// added sums the pieces by what became of them.
func added(own views.OwnGift) (views.OwnGift, error) {
	none := money.New(0, own.Amount.Currency)
	own.Arrived, own.Waits, own.Back, own.Fee, own.Pooled, own.Disputed = none, none, none, none, none, none
	for _, piece := range own.Pieces {
		sum := &own.Waits
		switch readmodel.State(piece.Shown()) {
		case readmodel.Refunded, readmodel.ChargedBack:
			sum = &own.Back
		case readmodel.Paid, readmodel.Laid:
			sum = &own.Arrived
		case readmodel.Shared:
			sum = &own.Pooled
		case views.PieceFee:
			sum = &own.Fee
		case views.PieceDisputed:
			sum = &own.Disputed
		}
		if err := add(sum, piece.Amount); err != nil {
			return own, err
		}
	}
	return own, nil
}

// waive notes that a giver wants no receipt, or one after all.
func (g *givers) waive(r *http.Request) (int, views.Page, error) {
	_, status, page, err := g.found(r)
	if err != nil || page != nil {
		return status, page, err
	}
	// That of an anonymous gift is refused, and the page says what there is.
	if err := g.desk.Waive(r.PostFormValue("code"), r.PostFormValue("wanted") == "yes"); err != nil && !rule.Is(err, rule.WrongState) {
		return 0, nil, err
	}
	return g.look(r)
}

func (g *givers) erase(r *http.Request) (int, views.Page, error) {
	_, status, page, err := g.found(r)
	if err != nil || page != nil {
		return status, page, err
	}
	if r.PostFormValue("sure") != "yes" {
		return http.StatusUnprocessableEntity, views.Receipts{Fault: "sure"}, nil
	}
	kept, err := g.desk.Erase(r.PostFormValue("code"), g.desk.Stands(r.Context()))
	return http.StatusOK, views.Receipts{Erased: true, Kept: kept}, err
}

// pdf hands the receipt out as a file.
func (g *givers) pdf(w http.ResponseWriter, r *http.Request) {
	announced, status, page, err := g.found(r)
	if err == nil && page == nil {
		err = g.writePDF(w, r, announced)
	}
	var refusal *rule.Refusal
	switch {
	case errors.As(err, &refusal):
		g.answerWith(w, r, http.StatusConflict, views.Receipts{Fault: "pdf"})
	case err != nil:
		g.refuse(w, r, err)
	case page != nil:
		g.answerWith(w, r, status, page)
	}
}

func (g *givers) writePDF(w http.ResponseWriter, r *http.Request, a giving.Announcement) error {
	at := slices.IndexFunc(a.Uses, func(u giving.Use) bool { return string(u.Gift) == r.PostFormValue("gift") })
	if at < 0 {
		return rule.Refuse(rule.NotFound, "the gift is not one of this code")
	}
	standing, err := g.desk.Standing(r.Context(), a.Uses[at])
	if err != nil || !standing.Held() {
		return errors.Join(err, rule.Refuse(rule.WrongState, "the gift waits for its line"))
	}
	own, err := g.ownGift(r, r.PostFormValue("code"), a, standing)
	if err != nil {
		return err
	}
	receipt, _, err := g.desk.Receipt(r.Context(), r.PostFormValue("code"), own.Gift, g.pageOf(r, own.Path))
	if err != nil {
		return err
	}
	font, err := g.font()
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := receipt.WritePDF(&file, font); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt.pdf"`)
	_, _ = file.WriteTo(w) // whoever left does not read it
	return nil
}

// paperStyle is the receipt's.
func paperStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = io.WriteString(w, donation.SectionStyle())
}
