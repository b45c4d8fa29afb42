package donation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Text is said in both languages. English may be empty: then the Chinese stands for both.
type Text struct {
	Chinese string `json:"zh"`
	English string `json:"en,omitempty"`
}

// in returns the text in English where it has one.
func (t Text) in() string {
	if t.English != "" {
		return t.English
	}
	return t.Chinese
}

// DonorKind says how a giver stands to the receipt.
type DonorKind string

// Article 38: the charity gives each donor a receipt; of one who is anonymous
// or waives it, the charity keeps a record.
const (
	Named     DonorKind = "named"
	Anonymous DonorKind = "anonymous"
	Waived    DonorKind = "waived"
)

// Donor is who gave. Name is empty exactly when the giver is anonymous.
type Donor struct {
	Kind DonorKind `json:"kind"`
	Name string    `json:"name,omitempty"`
}

// Charity is who received.
type Charity struct {
	Name Text `json:"name"`
	// CreditCode is its 统一社会信用代码, 18 characters.
	CreditCode string `json:"creditCode"`
}

// Campaign is what the gift is for.
type Campaign struct {
	Title Text `json:"title"`
	// FilingNumber is the 备案编号 of the campaign.
	FilingNumber string `json:"filingNumber"`
}

// Goods are a gift in kind: "大米", "袋", 3.
type Goods struct {
	Name     Text  `json:"name"`
	Unit     Text  `json:"unit"`
	Quantity int64 `json:"quantity"`
	// Value in CNY stands on the paper only where Basis gives it, with the
	// number of that paper: an invoice or an appraisal. Nobody guesses it.
	Value       money.Amount `json:"value,omitzero"`
	Basis       Basis        `json:"basis,omitempty"`
	BasisNumber string       `json:"basisNumber,omitempty"`
}

// Basis is the paper that gives the value of goods.
type Basis string

// The papers that do.
const (
	Invoice   Basis = "invoice"
	Appraisal Basis = "appraisal"
)

// Bases lists them.
func Bases() []Basis { return []Basis{Invoice, Appraisal} }

// Receipt is the paper of article 38 of the Charity Law: donor, kind and
// quantity of what was given, charity, handler, date. It holds personal data
// and never goes to the ledger.
type Receipt struct {
	// Number is the charity's own, unique within it.
	Number string `json:"number"`
	// Replaces is the number of the receipt that this one makes void; empty for none.
	Replaces string `json:"replaces,omitempty"`
	// OfficialNumber is that of the 公益事业捐赠统一票据 issued for the same
	// gift, the form under the finance ministry's seal on which tax relief
	// rests; empty when none was.
	OfficialNumber string   `json:"officialNumber,omitempty"`
	Charity        Charity  `json:"charity"`
	Donor          Donor    `json:"donor"`
	Campaign       Campaign `json:"campaign"`
	// Amount is in CNY. A gift has an amount, goods, or both.
	Amount money.Amount `json:"amount,omitzero"`
	Goods  []Goods      `json:"goods,omitempty"`
	// ReceivedOn and IssuedOn are civil dates, 2026-03-15.
	ReceivedOn string `json:"receivedOn"`
	IssuedOn   string `json:"issuedOn"`
	// Handler is the person of the charity who dealt with the gift.
	Handler string `json:"handler"`
	// Reference is what stood in the transfer's memo; empty where none did.
	Reference Reference `json:"reference,omitempty"`
	// GiftCode shows what became of the gift; who has it needs no name. An
	// anonymous giver has nothing else, so it must not be guessable.
	GiftCode string `json:"giftCode"`
	// GiftPage is the address of that page.
	GiftPage string `json:"giftPage"`
}

const (
	textMax  = 90 // characters of a name or title: what fits on the paper
	goodsMax = 20
	pageMax  = 300 // characters of an address: what a printed code of modest size carries
)

// Check refuses a receipt that lacks what the law asks for, or does not fit on the paper.
func (r Receipt) Check() error {
	for _, f := range []struct{ field, value string }{
		{"number", r.Number}, {"charity.name.zh", r.Charity.Name.Chinese}, {"campaign.title.zh", r.Campaign.Title.Chinese},
		{"campaign.filingNumber", r.Campaign.FilingNumber}, {"handler", r.Handler}, {"giftCode", r.GiftCode},
	} {
		if err := checkText(f.field, f.value, true); err != nil {
			return err
		}
	}
	for _, f := range []struct{ field, value string }{
		{"replaces", r.Replaces}, {"officialNumber", r.OfficialNumber}, {"charity.name.en", r.Charity.Name.English}, {"campaign.title.en", r.Campaign.Title.English}, {"donor.name", r.Donor.Name},
	} {
		if err := checkText(f.field, f.value, false); err != nil {
			return err
		}
	}
	for _, check := range []func() error{r.checkDonor, r.checkGift, r.checkDates, r.checkPage} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func checkText(field, value string, needed bool) error {
	switch {
	case needed && value == "":
		return rule.Field(field, rule.Refuse(rule.Invalid, "is missing; article 38 of the Charity Law or the gift's page needs it"))
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unprintable) || strings.TrimSpace(value) != value:
		return rule.Field(field, rule.Refuse(rule.Invalid, "holds what cannot be printed, or blanks at its ends"))
	case utf8.RuneCountInString(value) > textMax:
		return rule.Field(field, rule.Refuse(rule.Invalid, "is longer than %d characters", textMax))
	}
	return nil
}

// unprintable also holds the marks that turn the direction of writing, with
// which a name could make an amount read otherwise.
func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' }

func (r Receipt) checkDonor() error {
	switch {
	case r.Donor.Kind != Named && r.Donor.Kind != Anonymous && r.Donor.Kind != Waived:
		return rule.Field("donor.kind", rule.Refuse(rule.Invalid, "%.20q is not one of %s, %s, %s", string(r.Donor.Kind), Named, Anonymous, Waived))
	case r.Donor.Kind == Anonymous && r.Donor.Name != "":
		return rule.Field("donor.name", rule.Refuse(rule.Invalid, "an anonymous giver has no name on paper"))
	case r.Donor.Kind != Anonymous && r.Donor.Name == "":
		return rule.Field("donor.name", rule.Refuse(rule.Invalid, "is missing; a giver who wants no name is anonymous"))
	case !isCreditCode(r.Charity.CreditCode):
		return rule.Field("charity.creditCode", rule.Refuse(rule.Invalid, "%.40q is not a unified social credit code: 18 characters, the last one checks the others", r.Charity.CreditCode))
	}
	return nil
}

// isCreditCode checks GB 32100-2015: base 31, weights 3^i mod 31, sum 0 mod 31.
func isCreditCode(code string) bool {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1
	for _, c := range code[:17] {
		value := strings.IndexRune(alphabet, c)
		if value < 0 {
			return false
		}
		sum, weight = sum+value*weight, weight*3%31
	}
	return code[17] == alphabet[(31-sum%31)%31]
}

func (r Receipt) checkGift() error {
	if r.Amount == (money.Amount{}) && len(r.Goods) == 0 {
		return rule.Field("amount", rule.Refuse(rule.Invalid, "a receipt names an amount or goods"))
	}
	if r.Amount != (money.Amount{}) {
		if err := inCNY(r.Amount); err != nil {
			return err
		}
	}
	if len(r.Goods) > goodsMax {
		return rule.Field("goods", rule.Refuse(rule.Invalid, "a receipt has room for %d kinds of goods", goodsMax))
	}
	for i, g := range r.Goods {
		if err := rule.Field(fmt.Sprintf("goods[%d]", i), g.check()); err != nil {
			return err
		}
	}
	return nil
}

func (g Goods) check() error {
	if g.Quantity <= 0 || g.Quantity > money.Max {
		return rule.Field("quantity", rule.Refuse(rule.Invalid, "%d is not a quantity", g.Quantity))
	}
	for _, f := range []struct {
		field, value string
		needed       bool
	}{{"name.zh", g.Name.Chinese, true}, {"unit.zh", g.Unit.Chinese, true}, {"name.en", g.Name.English, false}, {"unit.en", g.Unit.English, false}} {
		if err := checkText(f.field, f.value, f.needed); err != nil {
			return err
		}
	}
	return g.checkValue()
}

// checkValue refuses a value without the paper that gives it, and the paper without a value.
func (g Goods) checkValue() error {
	switch {
	case g.Value == (money.Amount{}) && g.Basis == "" && g.BasisNumber == "":
		return nil
	case g.Value == (money.Amount{}):
		return rule.Field("value", rule.Refuse(rule.Invalid, "is missing beside the paper that gives it"))
	case !slices.Contains(Bases(), g.Basis):
		return rule.Field("basis", rule.Refuse(rule.Invalid, "a value stands on a receipt where an invoice or an appraisal gives it; %.40q is neither", string(g.Basis)))
	case g.Value.Currency != "CNY" || g.Value.Units <= 0:
		return rule.Field("value", rule.Refuse(rule.Invalid, "%s is not an amount in CNY, more than zero", g.Value))
	}
	return checkText("basisNumber", g.BasisNumber, true)
}

func (r Receipt) checkDates() error {
	for _, d := range []struct{ field, value string }{{"receivedOn", r.ReceivedOn}, {"issuedOn", r.IssuedOn}} {
		if day, err := time.Parse(time.DateOnly, d.value); err != nil || day.Year() < 2000 {
			return rule.Field(d.field, rule.Refuse(rule.Invalid, "%.40q is not a date; write it as 2026-03-15", d.value))
		}
	}
	if r.IssuedOn < r.ReceivedOn {
		return rule.Field("issuedOn", rule.Refuse(rule.Invalid, "a receipt cannot be issued on %s for a gift that came on %s", r.IssuedOn, r.ReceivedOn))
	}
	return nil
}

func (r Receipt) checkPage() error {
	if r.Reference != "" {
		if _, err := ParseReference(string(r.Reference)); err != nil {
			return err
		}
	}
	page, err := url.Parse(r.GiftPage)
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Host == "" || page.User != nil || len(r.GiftPage) > pageMax {
		return rule.Field("giftPage", rule.Refuse(rule.Invalid, "%.80q is not the address of a gift's page, at most %d characters", r.GiftPage, pageMax))
	}
	return nil
}

// Title is a receipt for a giver who takes one, and a record of the others.
func (r Receipt) Title() Text {
	if r.Donor.Kind == Named {
		return Text{"捐赠票据", "Donation receipt"}
	}
	return Text{"捐赠记录", "Record of a gift"}
}

// line is one line of the paper in both languages. Value is shown when both say the same.
type line struct {
	Label   Text
	Value   Text
	Strong  bool
	Figures bool // what is copied or compared: shown so that characters align
}

func same(text string) Text { return Text{Chinese: text} }

// lines are what stands on the paper, in order. The receipt has been checked.
func (r Receipt) lines() ([]line, error) {
	lines := []line{
		{Label: Text{"票据编号", "Receipt number"}, Value: same(r.Number), Figures: true},
	}
	if r.Replaces != "" {
		lines = append(lines, line{Label: Text{"替换并作废的票据", "Replaces and makes void"}, Value: same(r.Replaces), Figures: true})
	}
	if r.OfficialNumber != "" {
		lines = append(lines, line{Label: Text{"公益事业捐赠统一票据号码", "Number of the fiscal receipt"}, Value: same(r.OfficialNumber), Figures: true})
	}
	lines = append(lines,
		line{Label: Text{"捐赠人", "Donor"}, Value: r.donorText(), Strong: true},
		line{Label: Text{"捐赠项目", "Campaign"}, Value: r.Campaign.Title},
		line{Label: Text{"备案编号", "Filing number"}, Value: same(r.Campaign.FilingNumber), Figures: true})
	if r.Amount != (money.Amount{}) {
		chinese, err := CapitalWords(r.Amount)
		if err != nil {
			return nil, err
		}
		english, err := EnglishWords(r.Amount)
		if err != nil {
			return nil, err
		}
		lines = append(lines,
			line{Label: Text{"金额（小写）", "Amount in figures"}, Value: same(grouped(r.Amount)), Strong: true, Figures: true},
			line{Label: Text{"金额（大写）", "Amount in words"}, Value: Text{chinese, english}})
	}
	for _, g := range r.Goods {
		lines = append(lines, line{Label: Text{"捐赠物资种类及数量", "Goods: kind and quantity"}, Value: Text{
			fmt.Sprintf("%s %d %s", g.Name.Chinese, g.Quantity, g.Unit.Chinese), fmt.Sprintf("%s, %d %s", g.Name.in(), g.Quantity, g.Unit.in())}})
		if g.Basis != "" {
			lines = append(lines, line{Label: Text{"物资价值", "Value of the goods"}, Value: g.worth()})
		}
	}
	lines = append(lines, line{Label: Text{"收到日期", "Received on"}, Value: date(r.ReceivedOn)})
	if r.Reference != "" {
		lines = append(lines, line{Label: Text{"转账附言", "Transfer reference"}, Value: same(r.Reference.Grouped()), Figures: true})
	}
	return append(lines,
		line{Label: Text{"受赠慈善组织", "Charity"}, Value: r.Charity.Name},
		line{Label: Text{"统一社会信用代码", "Unified social credit code"}, Value: same(r.Charity.CreditCode), Figures: true},
		line{Label: Text{"经办人", "Handled by"}, Value: same(r.Handler)},
		line{Label: Text{"开具日期", "Issued on"}, Value: date(r.IssuedOn)}), nil
}

// worth is the value of goods, and what gives it.
func (g Goods) worth() Text {
	by := map[Basis]Text{Invoice: {"发票", "invoice"}, Appraisal: {"评估报告", "appraisal"}}[g.Basis]
	return Text{grouped(g.Value) + "（依据" + by.Chinese + " " + g.BasisNumber + "）", grouped(g.Value) + ", by " + by.English + " " + g.BasisNumber}
}

func (r Receipt) donorText() Text {
	switch r.Donor.Kind {
	case Anonymous:
		return Text{"匿名", "Anonymous"}
	case Waived:
		return Text{r.Donor.Name + "（放弃接受捐赠票据）", r.Donor.Name + " (waived the receipt)"}
	}
	return same(r.Donor.Name)
}

// notes stand below the lines.
func (r Receipt) notes() []Text {
	notes := []Text{{"凭此码可随时查询这笔捐款的去向，无需姓名。请妥善保管。", "This code shows at any time what became of the gift. No name is needed; keep it safe."}}
	if r.Donor.Kind != Named {
		return append(notes, Text{"捐赠人匿名或者放弃接受捐赠票据，本组织依《慈善法》第三十八条做好本记录。", "The donor is anonymous or waived the receipt; this record is kept under article 38 of the Charity Law."})
	}
	if r.OfficialNumber == "" {
		return append(notes, Text{"本票据依《慈善法》第三十八条开具，不替代财政部门监制的公益事业捐赠统一票据。", "Issued under article 38 of the Charity Law. It does not replace the fiscal receipt on which tax relief rests."})
	}
	return append(notes, Text{"本票据依《慈善法》第三十八条开具。", "Issued under article 38 of the Charity Law."})
}

// grouped prints ¥1,234.50 with the currency's code behind it.
func grouped(a money.Amount) string {
	figures, code, _ := strings.Cut(a.String(), " ")
	yuan, fen, _ := strings.Cut(figures, ".")
	for i := len(yuan) - 3; i > 0; i -= 3 {
		yuan = yuan[:i] + "," + yuan[i:]
	}
	return "¥" + yuan + "." + fen + " " + code
}

// date prints a civil date as people write it in each language.
func date(text string) Text {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return same(text)
	}
	return Text{day.Format("2006年1月2日"), day.Format("2 January 2006")}
}
