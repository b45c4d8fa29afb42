package fund

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of a plan. Its texts are public statements of an organisation, which
// the law has it publish; nobody's personal data belongs in them.
const (
	TitleMax     = 120 // characters
	TextMax      = 1000
	NumberMax    = 40
	LinesMax     = 40
	DonorsMax    = 16
	partsPerOne  = 1_000_000
	planYearsMax = 10
)

// Text is a text in the two languages; one of them at least.
type Text struct {
	En string `json:"en,omitempty"`
	Zh string `json:"zh,omitempty"`
}

// In is the text in a language of Languages, empty where it is not there.
func (t Text) In(language string) string {
	if language == "zh" {
		return t.Zh
	}
	return t.En
}

func (t Text) check(max int) error {
	if t.En == "" && t.Zh == "" {
		return rule.Refuse(rule.Invalid, "is empty in both languages")
	}
	return rule.First(rule.Field("en", checkText(t.En, max)), rule.Field("zh", checkText(t.Zh, max)))
}

// checkText refuses what cannot be shown on one line or is too long.
func checkText(text string, max int) error {
	if !utf8.ValidString(text) {
		return rule.Refuse(rule.Invalid, "is not UTF-8")
	}
	if n := utf8.RuneCountInString(text); n > max {
		return rule.Refuse(rule.Invalid, "has %d characters; %d at most", n, max)
	}
	for _, r := range text {
		// Control characters and marks that turn the direction of writing can
		// make a text read as something else than was approved.
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return rule.Refuse(rule.Invalid, "holds the character U+%04X, which cannot be shown", r)
		}
	}
	if text != strings.TrimSpace(text) {
		return rule.Refuse(rule.Invalid, "begins or ends with a space")
	}
	return nil
}

// BudgetLine is one use of the money.
type BudgetLine struct {
	Amount money.Amount `json:"amount"`
	ID     tape.ID      `json:"id"`
	// Kind is programme, management or fundraising.
	Kind  string `json:"kind"`
	Title Text   `json:"title"`
}

// The kinds of budget lines.
const (
	Programme   = "programme"
	Management  = "management"
	Fundraising = "fundraising"
)

// Plan is what a charity files before it collects (Charity Law art. 24).
type Plan struct {
	// Area is where the money is used: an ISO 3166 code, CN or CN-53.
	Area          string `json:"area"`
	Beneficiaries Text   `json:"beneficiaries"`
	// Donors sign a change of use of an agreement; none for the other bases.
	Donors []tape.ID `json:"donors,omitempty"`
	// Emergency marks a campaign in answer to a disaster: its clocks run faster (art. 72, 73).
	Emergency bool         `json:"emergency,omitempty"`
	From      tape.Date    `json:"from"`
	Goal      money.Amount `json:"goal"`
	// Leftover is the campaign of a similar purpose that gets the remainder (art. 58).
	Leftover tape.AccountID `json:"leftover"`
	Lines    []BudgetLine   `json:"lines"`
	// ManagementPartsPerMillion of what was received may be spent on management lines.
	ManagementPartsPerMillion int32 `json:"managementPartsPerMillion"`
	Purpose                   Text  `json:"purpose"`
	// Regulator is the organisation that accepts the filing.
	Regulator string `json:"regulator"`
	// Sector is the OECD DAC purpose code under which the money is reported, five digits.
	Sector string    `json:"sector"`
	Title  Text      `json:"title"`
	To     tape.Date `json:"to"`
}

// Check refuses a plan that could not be published or kept.
func (p Plan) Check(account tape.AccountID, basis Basis) error {
	if err := rule.First(rule.Field("title", p.Title.check(TitleMax)), rule.Field("purpose", p.Purpose.check(TextMax)),
		rule.Field("beneficiaries", p.Beneficiaries.check(TextMax)), rule.Field("area", checkArea(p.Area)),
		rule.Field("sector", checkSector(p.Sector)), p.period(), rule.Field("goal", p.Goal.Positive(p.Goal.Currency)),
		rule.Field("regulator", tape.CheckSegment(p.Regulator)), rule.Field("leftover", p.Leftover.Check())); err != nil {
		return err
	}
	if p.Leftover == account || p.Leftover.Outside() {
		return rule.Field("leftover", rule.Refuse(rule.Invalid, "names %s; what is left over goes to another campaign of a similar purpose", p.Leftover))
	}
	if p.ManagementPartsPerMillion < 0 || p.ManagementPartsPerMillion > partsPerOne {
		return rule.Field("managementPartsPerMillion", rule.Refuse(rule.Invalid, "%d is not 0 to %d", p.ManagementPartsPerMillion, partsPerOne))
	}
	if err := p.consenting(basis); err != nil {
		return err
	}
	return p.lines(basis)
}

func (p Plan) period() error {
	if err := rule.First(rule.Field("from", p.From.Check()), rule.Field("to", p.To.Check())); err != nil {
		return err
	}
	if p.To < p.From || p.From.AddMonths(12*planYearsMax) < p.To {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s is not within %d years after %s", p.To, planYearsMax, p.From))
	}
	return nil
}

func (p Plan) consenting(basis Basis) error {
	if (basis == Agreement) != (len(p.Donors) > 0) || len(p.Donors) > DonorsMax {
		return rule.Field("donors", rule.Refuse(rule.Invalid, "names %d; an agreement names 1 to %d donors who must consent to a change of use, other campaigns none", len(p.Donors), DonorsMax))
	}
	for i, donor := range p.Donors {
		if err := donor.Check(); err != nil {
			return rule.Item("donors", i, err)
		}
		if slices.Contains(p.Donors[:i], donor) {
			return rule.Item("donors", i, rule.Refuse(rule.Invalid, "%s stands twice", donor))
		}
	}
	return nil
}

// givenBy refuses donors who could not consent, and staff of the charity, who
// would consent to their own change of use. Who was named before stays named: a
// donor who has died since does not keep a plan from being amended.
func (p Plan) givenBy(persons []*party.Person, before []tape.ID, ctx tape.Context) error {
	for i, donor := range p.Donors {
		if slices.Contains(before, donor) {
			continue
		}
		if err := registered(donor, persons[i], ctx); err != nil {
			return rule.Item("donors", i, err)
		}
		if of := persons[i]; of.Organisation == ctx.Organisation && of.DutyOn(ctx.At) == party.DutyStaff {
			return rule.Item("donors", i, rule.Refuse(rule.Forbidden, "%s is staff of %s, which runs the campaign; donors consent to what it changes", donor, ctx.Organisation))
		}
	}
	return nil
}

func (p Plan) lines(basis Basis) error {
	if len(p.Lines) == 0 || len(p.Lines) > LinesMax {
		return rule.Field("lines", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(p.Lines), LinesMax))
	}
	seen := map[tape.ID]bool{}
	total := money.New(0, p.Goal.Currency)
	for i, line := range p.Lines {
		err := rule.First(rule.Field("id", line.ID.Check()), rule.Field("title", line.Title.check(TitleMax)),
			rule.Field("kind", rule.OneOf(line.Kind, Programme, Management, Fundraising)), rule.Field("amount", line.Amount.Positive(p.Goal.Currency)))
		if err == nil {
			err = line.allowed(basis)
		}
		if err == nil && seen[line.ID] {
			err = rule.Field("id", rule.Refuse(rule.Invalid, "%s stands twice", line.ID))
		}
		if err == nil {
			total, err = total.Add(line.Amount)
		}
		if err != nil {
			return rule.Item("lines", i, err)
		}
		seen[line.ID] = true
	}
	if total != p.Goal {
		return rule.Field("lines", rule.Refuse(rule.Conflict, "come to %s, the goal is %s", total, p.Goal))
	}
	return nil
}

// allowed refuses costs of the charity's own beside the campaign whose money a
// grant or an earmark spends: they would escape its cap.
func (l BudgetLine) allowed(basis Basis) error {
	if (basis == Grant || basis == Earmark) && l.Kind != Programme {
		return rule.Field("kind", rule.Refuse(rule.Forbidden, "is %s; %ss are for the programme, such costs are ordered from their campaign's own lines", l.Kind, basis))
	}
	return nil
}

// Line returns a budget line, and whether the plan has it.
func (p Plan) Line(id tape.ID) (BudgetLine, bool) {
	for _, line := range p.Lines {
		if line.ID == id {
			return line, true
		}
	}
	return BudgetLine{}, false
}

// ChangesUse reports whether another plan would use the money otherwise: for
// another purpose, other people, another area, in another time, lines that were
// not there, less for a programme line or more for any other.
func (p Plan) ChangesUse(other Plan) bool {
	if p.Purpose != other.Purpose || p.Beneficiaries != other.Beneficiaries || p.Area != other.Area || p.Leftover != other.Leftover ||
		p.ManagementPartsPerMillion != other.ManagementPartsPerMillion || p.Sector != other.Sector || p.From != other.From || p.To != other.To || p.Emergency != other.Emergency || !slices.Equal(p.Donors, other.Donors) {
		return true
	}
	for _, line := range other.Lines {
		before, known := p.Line(line.ID)
		if !known || before.Kind != line.Kind || before.Title != line.Title || line.Kind != Programme && line.Amount.Units > before.Amount.Units {
			return true
		}
	}
	for _, line := range p.Lines {
		if after, known := other.Line(line.ID); line.Kind == Programme && (!known || after.Amount.Units < line.Amount.Units) {
			return true
		}
	}
	return false
}

// equal reports whether two plans are the same in everything.
func (p Plan) equal(other Plan) bool {
	lines, donors := other.Lines, other.Donors
	other.Lines, other.Donors = nil, nil
	same := slices.Equal(p.Lines, lines) && slices.Equal(p.Donors, donors)
	p.Lines, p.Donors = nil, nil
	one, err := json.Marshal(p)
	two, fault := json.Marshal(other)
	return same && err == nil && fault == nil && bytes.Equal(one, two)
}

// checkArea refuses what is no ISO 3166 code of a country or a part of one.
func checkArea(area string) error {
	country, part, divided := strings.Cut(area, "-")
	if len(country) != 2 || !made(country, 'A', 'Z', 0, 0) || divided && (len(part) < 1 || len(part) > 3 || !made(part, 'A', 'Z', '0', '9')) {
		return rule.Refuse(rule.Invalid, "is not an ISO 3166 code; write CN or CN-53")
	}
	return nil
}

func checkSector(sector string) error {
	if len(sector) != 5 || !made(sector, '0', '9', 0, 0) {
		return rule.Refuse(rule.Invalid, "is not an OECD DAC purpose code of five digits")
	}
	return nil
}

// made reports whether a text is made of two ranges of bytes only.
func made(text string, from, to, orFrom, orTo byte) bool {
	for _, c := range []byte(text) {
		if (c < from || c > to) && (c < orFrom || c > orTo || orTo == 0) {
			return false
		}
	}
	return true
}
