package pages

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"

	"rsc.io/qr"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// functions are what templates may call, bound to a language.
func (s *Set) functions(l *words.Language) template.FuncMap {
	all := template.FuncMap{
		"t": l.Say, "th": l.Mark, "n": l.Number, "word": l.Word,
		"money": words.Money, "date": l.Date, "day": func(typed string) string { return l.Date(tape.Date(typed)) }, "moment": l.Moment, "month": l.Month, "share": words.Share, "shareOf": wholeShare,
		"count": words.Count[int], "count32": words.Count[int32], "count64": words.Count[uint64],
		"root":  func() string { return "/" + l.Tag },
		"lang":  func() string { return l.Tag },
		"asset": s.assetPath,
		"text": func(t views.Text) string {
			if l.Tag == "zh-CN" {
				return t.Chinese
			}
			return t.English
		},
		"link":               link,
		"eventKinds":         func() string { return strings.Join(words.Keys["kind."], " ") },
		"pretty":             pretty,
		"qr":                 qrOf,
		"short":              short,
		"pick":               pick,
		"sankey":             func(flow views.Flow) (flowPicture, error) { return flowPictureOf(l, flow) },
		"bars":               func(months []views.Month) barPicture { return barPictureOf(l, months) },
		"stack":              stackOf,
		"evidencePath":       evidencePath,
		"cut":                cutReference,
		"nodes":              func(nodes []readmodel.Node, of tape.AccountID) []nodeOf { return nodesOf(nodes, of) },
		"absolute":           func(days int) int { return max(days, -days) },
		"option":             optionOf,
		"choiceWord":         func(family, value string) (string, error) { return l.Word(family, value) },
		"help":               func(field string) (string, error) { return helpOf(l, field) },
		"describe":           describe,
		"next":               func(n int) int { return n + 1 },
		"stage":              func(column int) (string, error) { return l.Word("stage.", column) },
		"say":                func(m any) (string, error) { return saying(l.Tag, m) },
		"rejectReasons":      func() []string { return words.Keys["reject-reason."][1:] },
		"documentKinds":      func() []string { return words.Keys["document-kind."] },
		"unsigned":           func(n int64) uint64 { return uint64(n) },
		"amount":             func(a *money.Amount) money.Amount { return *a },
		"disbursementStates": func() []string { return words.Keys["disbursement-state."] },
		"len32":              func(n int32) int { return int(n) },
		"len64":              func(n int64) int { return int(n) },
		"giftStates":         func() []string { return words.Keys["gift-state."] },
		"isInflow":           func(source string) bool { return strings.Contains(source, "/") },
		"show":               func(on bool) string { return chosen(on, "invalid") },
		"waiting":            func(on bool) string { return chosen(on, "waiting") },
		"lag":                func(s views.Status) int { return int(min(s.Lag(), 1<<31-1)) },
		"query":              func(text any) string { return url.QueryEscape(fmt.Sprint(text)) },
		"units":              func(units int64, currency money.Currency) money.Amount { return money.New(units, currency) },
	}
	maps.Copy(all, s.tableFunctions(l))
	return all
}

// helpOf is what stands below a field's label; empty where its label says it all.
func helpOf(l *words.Language, field string) (string, error) {
	if !slices.Contains(words.Keys["ask-help."], field) {
		return "", nil
	}
	return l.Word("ask-help.", field)
}

// optionOf is how what can be chosen is shown: households by the first letters of their pseudonyms.
func optionOf(of string) string {
	if strings.HasPrefix(of, tape.Household+":") {
		return homeOf(tape.AccountID(of))
	}
	return of
}

// described are the ids of what a field is described by, for readers of screens.
type described struct {
	IDs     string
	Invalid bool
}

// describe is nil where there is nothing beside the field.
func describe(field, help string, faults int) *described {
	var ids []string
	if help != "" {
		ids = append(ids, field+"-help")
	}
	if faults > 0 {
		ids = append(ids, field+"-fault")
	}
	if len(ids) == 0 {
		return nil
	}
	return &described{strings.Join(ids, " "), faults > 0}
}

// saying says a message of logging in and signing, which have catalogues of their own.
func saying(language string, what any) (string, error) {
	switch m := what.(type) {
	case message.Message:
		return m.Text(language), nil
	case *message.Message:
		return m.Text(language), nil
	}
	return "", fmt.Errorf("%T is no message", what)
}

// chosen is the value of a filter that is on.
func chosen(on bool, value string) string {
	if on {
		return value
	}
	return ""
}

// link is a link as a piece of a sentence.
func link(href string, text any) template.HTML {
	// The address begins with a slash of ours, so it can only be escaped, never be a script.
	if !strings.HasPrefix(href, "/") || strings.HasPrefix(href, "//") {
		return template.HTML(template.HTMLEscapeString(fmt.Sprint(text)))
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(href) + `">` + template.HTMLEscapeString(fmt.Sprint(text)) + `</a>`)
}

// pick makes a set of values for a template that needs several: pick "a" 1 "b" 2.
func pick(values ...any) (map[string]any, error) {
	if len(values)%2 != 0 {
		return nil, fmt.Errorf("pick has a name without a value")
	}
	picked := map[string]any{}
	for i := 0; i < len(values); i += 2 {
		picked[fmt.Sprint(values[i])] = values[i+1]
	}
	return picked, nil
}

func wholeShare(percent int) string { return words.Share(percent * 100) }

// short is the beginning of a long hash, for lists.
func short(hash string) string {
	if _, err := hex.DecodeString(hash); err != nil || len(hash) <= 16 {
		return hash
	}
	return hash[:16] + "…"
}

func pretty(raw json.RawMessage) (string, error) {
	indented, err := json.MarshalIndent(raw, "", "  ")
	return string(indented), err
}

// evidencePath is where evidence is shown: lines/account/statement/n leads to
// the statement; empty where there is no page for it.
func evidencePath(e tape.Evidence) string {
	parts := strings.Split(e.Reference, "/")
	switch {
	case parts[0] == "lines" && len(parts) == 4:
		return "/statements/" + parts[1] + "/" + parts[2]
	case e.Kind == "entry" && len(parts) >= 2:
		return "/entries/" + parts[0] + "/" + parts[1]
	}
	return ""
}

// cutReference is organisation/id of a reference that may have an index behind it.
func cutReference(reference string) string {
	parts := strings.SplitN(reference, "/", 3)
	if len(parts) < 2 {
		return reference
	}
	return parts[0] + "/" + parts[1]
}

// nodeOf is a piece of money with the account whose tape it was taken from.
type nodeOf struct {
	readmodel.Node
	Of tape.AccountID
}

// Inner are the pieces below, Open says whether they are shown at once.
func (n nodeOf) Inner() []nodeOf { return nodesOf(n.Children, n.Account) }

func nodesOf(nodes []readmodel.Node, of tape.AccountID) []nodeOf {
	all := make([]nodeOf, 0, len(nodes))
	for _, node := range nodes {
		all = append(all, nodeOf{Node: node, Of: of})
	}
	return all
}

// qrCode is a code as the path of an SVG: one square a dark module.
type qrCode struct {
	Size int
	Path string
}

// quiet is the white border that readers of codes need, in modules.
const quiet = 4

func qrOf(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return qrCode{}, err
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return qrCode{Size: code.Size + 2*quiet, Path: path.String()}, nil
}
