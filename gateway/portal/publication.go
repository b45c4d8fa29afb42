package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// publication shows a frozen document, and adds its figures up again.
func (p *portal) publication(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	n, err := publicationNumber(r.PathValue("n"))
	if err != nil {
		return nil, "", err
	}
	campaign, err := p.Model.Campaign(ctx, account)
	if err != nil {
		return nil, "", err
	}
	frozen, at, err := p.frozen(ctx, account, n)
	if err != nil {
		return nil, "", err
	}
	page := views.PublicationPage{Publication: trail.Published(frozen), Account: account, Organisation: campaign.Organisation,
		Block: uint64(max(frozen.Block, 0)), Previous: frozen.Previous, Document: p.documentAt(campaign.Organisation, frozen.Document)}
	if page.Title, err = p.title(ctx, account); err != nil {
		return nil, "", err
	}
	if page.Source, err = sourceOf(frozen, campaign.Plan); err != nil {
		return nil, "", err
	}
	return page, "", p.recount(ctx, &page, frozen, at)
}

func publicationNumber(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != text {
		return 0, rule.Field("n", rule.Refuse(rule.Invalid, "is not the number of a publication; the first is 1"))
	}
	return int32(n), nil
}

// frozen is one publication, and the block that it stands in.
func (p *portal) frozen(ctx context.Context, account tape.AccountID, n int32) (frozen fund.Publication, at uint64, err error) {
	record, err := p.Model.Record(ctx, fund.PublicationKey(account, n))
	if err != nil {
		return frozen, 0, err
	}
	return frozen, record.Block, json.Unmarshal(record.Value, &frozen)
}

// sourceOf is the article by which a publication was due.
func sourceOf(p fund.Publication, plan fund.Plan) (string, error) {
	law, err := fund.LawOn(p.Date)
	if err != nil {
		return "", err
	}
	for _, duty := range law.Duties {
		if duty.Duty == p.Duty && (!duty.EmergencyOnly || plan.Emergency) && (!duty.OrdinaryOnly || !plan.Emergency) {
			return duty.Article, nil
		}
	}
	return "", nil
}

// documentAt is where a document is handed out: by the organisation that published it.
func (p *portal) documentAt(organisation string, hash merkle.Hash) string {
	path := "/api/v1/publications/" + hash.String()
	if organisation == p.Organisation {
		return path
	}
	for _, neighbour := range p.Neighbours {
		if neighbour.Organisation == organisation {
			return strings.TrimSuffix(neighbour.URL, "/") + path
		}
	}
	return ""
}

// recount adds the publication up again from the blocks that it says it counts,
// and sets lines and months: the document's own where it is kept here.
// What names the block that it stands in itself, or one before its campaign, was not counted so by anybody.
func (p *portal) recount(ctx context.Context, page *views.PublicationPage, frozen fund.Publication, at uint64) error {
	document, err := disclosure.Recount(ctx, p.Model, frozen)
	if err != nil && !rule.Is(err, rule.NotFound) {
		return err
	}
	page.Figures = compared(frozen.Figures, document.Figures)
	page.Recount = views.RecountEqual
	if frozen.Figures != document.Figures || uint64(max(frozen.Block, 0)) >= at {
		page.Recount = views.RecountDiffers
	}
	if p.Documents != nil {
		own, err := p.Documents.Get(frozen.Document)
		switch {
		case err == nil:
			page.Kept = true
			document = disclosure.Document{}
			if err := json.Unmarshal(own, &document); err != nil {
				return err
			}
		case !rule.Is(err, rule.NotFound):
			p.Log.Error("a publication's document cannot be read", "document", frozen.Document, "error", err)
		}
	}
	inside(page, document)
	return nil
}

func compared(published, here fund.Figures) []views.PublishedFigure {
	return []views.PublishedFigure{
		{Key: "raised", Published: published.Raised, Here: here.Raised}, {Key: "received", Published: published.Settled, Here: here.Settled},
		{Key: "set-apart", Published: published.Ordered, Here: here.Ordered}, {Key: "paid-or-passed", Published: published.Paid, Here: here.Paid},
		{Key: "confirmed", Published: published.Confirmed, Here: here.Confirmed}, {Key: "management", Published: published.Management, Here: here.Management}}
}

// inside takes lines and months out of a document.
func inside(page *views.PublicationPage, document disclosure.Document) {
	for _, line := range document.Lines {
		page.Lines = append(page.Lines, views.PublishedLine{Title: trail.Text(line.Title), Planned: line.Amount, Ordered: line.Sums.Ordered,
			Paid: together(line.Sums), Confirmed: line.Sums.Confirmed})
	}
	for _, month := range document.Months {
		page.Months = append(page.Months, views.PublishedMonth{Month: month.Month, Settled: month.Sums.Settled, Paid: together(month.Sums), Confirmed: month.Sums.Confirmed})
	}
}

// together is what left a campaign by the bank or to other accounts, as publications count it.
func together(s disclosure.Sums) money.Amount {
	sum := s.Paid
	if add(&sum, s.Passed) != nil {
		return s.Paid // both are of one campaign, so of one currency
	}
	return sum
}

// organisation shows an organisation's years and the limits of the law.
func (p *portal) organisation(r *http.Request) (views.Page, string, error) {
	ctx, name := r.Context(), r.PathValue("organisation")
	if err := tape.CheckSegment(name); err != nil {
		return nil, "", rule.Field("organisation", err)
	}
	page := views.Organisation{Organisation: name}
	var err error
	if page.Named, err = disclosure.Publisher(ctx, p.Model, name); err != nil {
		return nil, "", err
	}
	if page.Named != nil {
		title := trail.Text(page.Named.Name)
		page.Title = &title
	}
	list, err := p.Model.Campaigns(ctx, readmodel.CampaignFilter{Organisation: name}, readmodel.Window{Limit: listRows})
	if err != nil {
		return nil, "", err
	}
	var accounts []readmodel.Account
	for _, campaign := range list.Items {
		account, err := p.Model.Account(ctx, campaign.Account)
		if err != nil {
			return nil, "", err
		}
		accounts = append(accounts, account)
	}
	if page.Campaigns, err = p.accountRows(ctx, accounts); err != nil || len(accounts) == 0 {
		return page, "", err
	}
	annuals, err := disclosure.Annuals(ctx, p.Model, name, p.Now())
	for _, annual := range annuals {
		page.Years = append(page.Years, yearOf(annual))
	}
	return page, "", err
}

// partsPerBasisPoint are the parts per million of a basis point.
const partsPerBasisPoint = 100

// ratioWords are the portal's words for the ratios of the law.
var ratioWords = map[string]string{"programme": "spending"}

func yearOf(a disclosure.Annual) views.Year {
	amount := func(units int64) money.Amount { return money.New(units, a.Year.Currency) }
	year := views.Year{Year: a.Year.Year, Running: a.Running, Law: a.Law, Income: amount(a.Year.Income), Programme: amount(a.Year.Programme),
		Management: amount(a.Year.Management), Fundraising: amount(a.Year.Fundraising)}
	for _, ratio := range a.Ratios {
		shown := views.YearRatio{Kept: ratio.Kept, Mean: ratio.Mean, Nothing: ratio.Whole.Units <= 0, Ratio: views.Ratio{Key: ratio.Ratio, Part: ratio.Part, Whole: ratio.Whole,
			Share: int(ratio.PartsPerMillion / partsPerBasisPoint), Limit: int(ratio.MostPartsPerMillion / partsPerBasisPoint), Source: ratio.Article}}
		if word, known := ratioWords[ratio.Ratio]; known {
			shown.Ratio.Key = word
		}
		if ratio.LeastPartsPerMillion > 0 {
			shown.Least, shown.Limit = true, int(ratio.LeastPartsPerMillion/partsPerBasisPoint)
		}
		year.Ratios = append(year.Ratios, shown)
	}
	return year
}

// pathTo is an address under which a part may hold any sign.
func pathTo(parts ...string) string {
	var path strings.Builder
	for _, part := range parts {
		path.WriteString("/" + url.PathEscape(part))
	}
	return path.String()
}
