package donation

import (
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"rsc.io/qr"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Measures of the paper, in millimetres, and sizes of type, in points.
const (
	margin      = 18.0
	width       = 210 - 2*margin
	labelWidth  = 58.0
	valueWidth  = width - labelWidth
	padding     = 0.8 // above and below a line of the table
	codeSide    = 34.0
	sizeTitle   = 19.0
	sizeStrong  = 13.0
	sizeText    = 10.5
	sizeEnglish = 8.5
	// Of a line of one point of type: its height, and the baseline below its top.
	perPoint = 0.52
	baseline = 0.38
	bottom   = 297 - margin/2
)

// colour is red, green, blue.
type colour [3]int

var (
	ink       = colour{31, 27, 22}
	quietInk  = colour{92, 84, 74}
	persimmon = colour{180, 67, 31}
	hairline  = colour{221, 213, 200}
)

const family = "paper"

// paper is a receipt that is being drawn.
type paper struct {
	*fpdf.Fpdf
	receipt Receipt
	font    *Font
	// toLatin brings text to the encoding of the built-in font.
	toLatin func(string) string
}

// WritePDF writes the receipt on one sheet of A4, with the font embedded as far
// as it is used. The same receipt gives the same bytes.
func (r Receipt) WritePDF(w io.Writer, font *Font) (err error) {
	if err := r.Check(); err != nil {
		return err
	}
	lines, err := r.lines()
	if err != nil {
		return err
	}
	if err := r.printable(lines, font); err != nil {
		return err
	}
	code, err := qr.Encode(r.GiftPage, qr.M)
	if err != nil {
		return err
	}
	// The library indexes into the font without looking; a broken file must not end the process.
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the font %s cannot be put into a PDF: %v", font.path, broken)
		}
	}()
	p := newPaper(r, font)
	p.head()
	for _, l := range lines {
		p.line(l)
	}
	p.follow(code)
	if p.GetY() > bottom {
		return rule.Refuse(rule.Invalid, "the receipt does not fit on one sheet; shorten its texts or issue a receipt for some of the goods")
	}
	return p.Output(w)
}

// printable refuses a text with a character that the font has no sign for.
func (r Receipt) printable(lines []line, font *Font) error {
	texts := []Text{r.Title(), r.Charity.Name, {r.GiftCode, r.GiftPage}}
	for _, l := range lines {
		texts = append(texts, l.Label, l.Value)
	}
	for _, t := range append(texts, r.notes()...) {
		if sign, lacks := font.lacks(t.Chinese + t.English); lacks {
			return rule.Field("font", rule.Refuse(rule.Unsupported, "%s has no sign for %c (%U); print the page instead, or name a font that has it", font.path, sign, sign))
		}
	}
	return nil
}

func newPaper(r Receipt, font *Font) *paper {
	p := &paper{Fpdf: fpdf.New("P", "mm", "A4", ""), receipt: r, font: font}
	p.AddUTF8FontFromBytes(family, "", font.bytes)
	p.toLatin = p.UnicodeTranslatorFromDescriptor("")
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, 0)
	p.SetTitle(r.Title().Chinese+" "+r.Title().English+" "+r.Number, true)
	p.SetAuthor(r.Charity.Name.Chinese, true)
	p.SetCreator("Lianbao", true)
	p.SetLang("zh-CN")
	p.SetCatalogSort(true)
	issued, _ := time.Parse(time.DateOnly, r.IssuedOn) // checked before
	p.SetCreationDate(issued)
	p.SetModificationDate(issued)
	p.AddPage()
	return p
}

func (p *paper) rule(c colour, thick float64) {
	p.SetDrawColor(c[0], c[1], c[2])
	p.SetLineWidth(thick)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
}

func (p *paper) head() {
	p.write(sizeText, ink, margin, width, p.receipt.Charity.Name.Chinese, false)
	if english := p.receipt.Charity.Name.English; english != "" {
		p.write(sizeEnglish, quietInk, margin, width, english, false)
	}
	p.Ln(4)
	title := p.receipt.Title()
	p.write(sizeTitle, ink, margin, width, title.Chinese, false)
	p.write(sizeText, quietInk, margin, width, title.English, false)
	p.Ln(3)
	p.rule(persimmon, 0.6)
	p.Ln(2)
}

// line draws the label on the left, the value beside it, and a hairline below the longer of both.
func (p *paper) line(l line) {
	top := p.GetY() + padding
	p.SetY(top)
	p.write(sizeText, ink, margin, labelWidth-4, l.Label.Chinese, false)
	p.write(sizeEnglish, quietInk, margin, labelWidth-4, l.Label.English, false)
	lower := p.GetY()
	p.SetY(top)
	size := sizeText
	if l.Strong {
		size = sizeStrong
	}
	p.write(size, ink, margin+labelWidth, valueWidth, l.Value.Chinese, false)
	if l.Value.English != "" {
		p.write(sizeEnglish, quietInk, margin+labelWidth, valueWidth, l.Value.English, false)
	}
	p.SetY(max(lower, p.GetY()) + padding)
	p.rule(hairline, 0.2)
}

// follow draws the code to the gift's page, what it is for, and the place of the seal.
func (p *paper) follow(code *qr.Code) {
	p.Ln(6)
	top := p.GetY()
	p.code(code, margin, top)
	left := margin + codeSide + 6
	column := width - codeSide - 6
	p.SetY(top)
	p.write(sizeEnglish, quietInk, left, column, "捐款查询码 Gift code", false)
	p.write(sizeStrong, ink, left, column, p.receipt.GiftCode, false)
	p.write(sizeEnglish, ink, left, column, p.receipt.GiftPage, false)
	p.Ln(1)
	for _, note := range p.receipt.notes() {
		p.write(sizeEnglish, ink, left, column, note.Chinese, false)
		p.write(sizeEnglish-1, quietInk, left, column, note.English, false)
		p.Ln(1)
	}
	p.SetY(max(p.GetY(), top+codeSide) + 4)
	p.write(sizeEnglish, quietInk, margin, width, "（盖章） Seal of the charity", true)
}

func (p *paper) code(code *qr.Code, left, top float64) {
	module := codeSide / float64(code.Size+2*quiet)
	p.SetFillColor(0, 0, 0)
	for _, r := range runs(code) {
		p.Rect(left+float64(r.x+quiet)*module, top+float64(r.y+quiet)*module, float64(r.width)*module, module, "F")
	}
}
