package pages

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

// tableFunctions write the tables of a cooperative's pages. A column's name
// stands in its head, and before each cell where a phone shows a row as a card.
func (s *Set) tableFunctions(l *words.Language) template.FuncMap {
	return template.FuncMap{
		"head": func(columns ...string) (template.HTML, error) { return headOf(l, columns) },
		"cell": func(column string, text any, path ...string) (template.HTML, error) {
			return cellOf(l, "", column, text, path)
		},
		"num": func(column string, text any, path ...string) (template.HTML, error) {
			return cellOf(l, ` class="num"`, column, text, path)
		},
		"mark": func(column, tone string, text any, path ...string) (template.HTML, error) {
			return cellOf(l, "", column, template.HTML(`<span class="state `+template.HTMLEscapeString(tone)+`">`+anchor(l, text, path)+`</span>`), nil)
		},
		"steps":    func(bars []views.Bar) (stepPicture, error) { return stepsOf(l, bars) },
		"weight":   weight,
		"parts":    func(perMillion int) string { return words.Share(perMillion / (partsPerMillion / basisPoints)) },
		"rate":     rate,
		"measured": func(line views.ScoreLine) (string, error) { return measured(l, line) },
		"tone":     tone,
		"home":     homeOf,
		"gained":   func(line views.ScoreLine) (string, error) { return gained(l, line) },
	}
}

const (
	partsPerMillion = 1_000_000
	basisPoints     = 10_000
)

// headOf is the head of a table; a column that begins with # holds numbers.
func headOf(l *words.Language, columns []string) (template.HTML, error) {
	var out strings.Builder
	out.WriteString("<thead><tr>")
	for _, column := range columns {
		name, numbers := strings.CutPrefix(column, "#")
		text, err := l.Word("column.", name)
		if err != nil {
			return "", err
		}
		class := ""
		if numbers {
			class = ` class="num"`
		}
		out.WriteString(`<th scope="col"` + class + `>` + template.HTMLEscapeString(text) + `</th>`)
	}
	out.WriteString("</tr></thead>")
	return template.HTML(out.String()), nil // names are of our catalogue and escaped
}

func cellOf(l *words.Language, class, column string, text any, path []string) (template.HTML, error) {
	name, err := l.Word("column.", column)
	if err != nil {
		return "", err
	}
	inner := anchor(l, text, path)
	if len(path) == 0 || path[0] == "" {
		inner = "<span>" + inner + "</span>"
	}
	return template.HTML(`<td data-label="` + template.HTMLEscapeString(name) + `"` + class + `>` + inner + `</td>`), nil
}

// anchor is a text, as a link where it has a path behind the language.
func anchor(l *words.Language, text any, path []string) string {
	inner := template.HTMLEscapeString(fmt.Sprint(text))
	if inner == "" {
		return "–" // such as a day that has not come
	}
	if piece, safe := text.(template.HTML); safe {
		inner = string(piece)
	}
	if len(path) == 0 || path[0] == "" {
		return inner
	}
	return `<a href="/` + l.Tag + template.HTMLEscapeString(path[0]) + `">` + inner + `</a>`
}

// rate writes parts per million as a percentage, with every part.
func rate(perMillion int32) string {
	text := strconv.Itoa(int(perMillion / (partsPerMillion / 100)))
	if rest := perMillion % (partsPerMillion / 100); rest != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%04d", rest), "0")
	}
	return text + "\u00a0%"
}

// weight writes grams as kilograms, with every gram.
func weight(grams int64) string {
	text := words.Count(grams / 1000)
	if rest := grams % 1000; rest != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%03d", rest), "0")
	}
	return text + "\u00a0kg"
}

// homeOf is the beginning of a household's pseudonym, for lists; its page has all of it.
func homeOf(household tape.AccountID) string {
	parts := strings.Split(household.String(), ":")
	if len(parts) < 2 || parts[0] != tape.Household || len(parts[1]) <= homeLetters {
		return household.String()
	}
	return parts[1][:homeLetters] + "…"
}

// homeLetters of a pseudonym tell the households of one cooperative apart.
const homeLetters = 8

// gained are the points of an indicator; one that is left out has none, one that fills gaps has no most.
func gained(l *words.Language, line views.ScoreLine) (string, error) {
	switch {
	case line.Of > 0:
		return l.Say("score.of", "Points", words.Count(line.Points), "Of", words.Count(line.Of))
	case line.Points > 0:
		return "+" + words.Count(line.Points), nil
	}
	return "–", nil
}

// measured is the value of an indicator in its unit.
func measured(l *words.Language, line views.ScoreLine) (string, error) {
	switch {
	case !line.Known:
		return "–", nil
	case line.Unit == "parts-per-million":
		return words.Share(int(line.Value / (partsPerMillion / basisPoints))), nil
	case line.Unit == "count":
		return words.Count(line.Value), nil
	}
	return l.Number("unit."+line.Unit, int(line.Value))
}

// tone is how the state of a loan, a group or a claim is marked.
func tone(state string) string {
	switch state {
	case "overdue", "defaulted", "written-off", "frozen", "refused", "rejected", "substandard", "doubtful", "loss", "late", "unable", "cancelled", "nothing":
		return "failed"
	case "applied", "referred", "approved", "contracted", "draft", "signing", "review", "winding-down", "special-mention", "open", "ordered", "submitted", "verified", "returned", "part", "due", "coming", "met", "missing", "expired", "asked":
		return "waits"
	}
	return ""
}

// stepPicture is bars below one another, each beginning where the one before
// ends. Places are in percent, so that words keep their size on a phone.
type stepPicture struct {
	Height int
	Rows   []stepRow
}

type stepRow struct {
	Label, Amount, Tone, Rows string
	X, Width                  string
	TextY, BarY               int
}

// Sizes of a picture of steps, in pixels.
const (
	stepHeight = 52
	stepText   = 18
	stepBar    = 26
)

// leastPercent is how wide the bar of what is not nothing is at least.
const leastPercent = 0.4

func stepsOf(l *words.Language, bars []views.Bar) (stepPicture, error) {
	picture := stepPicture{Height: len(bars) * stepHeight}
	var most int64
	for _, bar := range bars {
		most = max(most, bar.From+bar.Amount.Units)
	}
	for i, bar := range bars {
		label, err := l.Word("part.", bar.Key)
		if err != nil {
			return picture, err
		}
		row := stepRow{Label: label, Amount: words.Money(bar.Amount), Tone: bar.Tone, Rows: bar.Rows, X: "0%", Width: "0%", TextY: i*stepHeight + stepText, BarY: i*stepHeight + stepBar}
		if most > 0 && bar.Amount.Units > 0 {
			width := max(leastPercent, float64(bar.Amount.Units)/float64(most)*100)
			row.X, row.Width = percent(min(100-width, float64(bar.From)/float64(most)*100)), percent(width)
		}
		picture.Rows = append(picture.Rows, row)
	}
	return picture, nil
}

func percent(share float64) string { return strconv.FormatFloat(share, 'f', 3, 64) + "%" }
