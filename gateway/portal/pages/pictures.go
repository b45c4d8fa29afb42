package pages

import (
	"fmt"

	"github.com/lianbao/lianbao/gateway/portal/sankey"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

// flowPicture is a laid-out picture of flows with its labels.
type flowPicture struct {
	Width, Height float64
	Boxes         []flowBox
	Bands         []flowBand
}

type flowBox struct {
	sankey.Box
	views.FlowNode
	Label, Title string
	LabelX       float64
}

type flowBand struct {
	Outline, Tone, Label string
}

// Size of the picture of flows, in pixels of a wide screen.
var flowSize = sankey.Size{Width: 1080, Height: 300, Bar: 12, Gap: 10, Slot: 44, Margin: 210}

// labelRunes is how many letters of a label find room beside a bar; the table has them all.
const labelRunes = 26

func flowPictureOf(l *words.Language, flow views.Flow) (flowPicture, error) {
	drawing, err := drawingOf(flow)
	if err != nil {
		return flowPicture{}, err
	}
	picture := flowPicture{Width: drawing.Width, Height: drawing.Height + 8}
	tones := map[string]string{}
	names := map[string]string{}
	for i, box := range drawing.Boxes {
		title, err := flowTitle(l, flow.Nodes[i])
		if err != nil {
			return flowPicture{}, err
		}
		tones[box.ID], names[box.ID] = flow.Nodes[i].Tone, title
		picture.Boxes = append(picture.Boxes, flowBox{Box: box, FlowNode: flow.Nodes[i], Label: shortened(title), Title: title, LabelX: box.X + box.Width + 8})
	}
	for i, band := range drawing.Bands {
		label := names[band.From] + " → " + names[band.To] + ": " + words.Money(flow.Links[i].Amount)
		picture.Bands = append(picture.Bands, flowBand{Outline: band.Path(), Tone: tones[band.To], Label: label})
	}
	return picture, nil
}

// Name gives a node of the picture its name, for the table as well.
func flowTitle(l *words.Language, node views.FlowNode) (string, error) {
	switch {
	case node.Title != nil && l.Tag == "zh-CN":
		return node.Title.Chinese, nil
	case node.Title != nil:
		return node.Title.English, nil
	case node.Account != "":
		return string(node.Account), nil
	}
	return l.Number("flow."+node.Key, node.Count)
}

func shortened(text string) string {
	runes := []rune(text)
	room := labelRunes
	for i, r := range runes {
		if r > 0x2e80 { // a Chinese character is as wide as two letters
			room--
		}
		if i >= room {
			return string(runes[:i]) + "…"
		}
	}
	return text
}

// barPicture is the timeline: for each month what came, and what was paid.
type barPicture struct {
	Width, Height int
	Months        []barMonth
}

type barMonth struct {
	X, InY, InHeight, OutX, OutY, OutHeight, TextX int
	Label, In, Out                                 string
}

// Sizes of the timeline.
const (
	barHeight   = 160
	barWidth    = 22
	barStep     = 96 // a month's name finds room
	barMonthMin = 3
)

func barPictureOf(l *words.Language, months []views.Month) barPicture {
	var most int64
	for _, m := range months {
		most = max(most, m.In.Units, m.Out.Units)
	}
	picture := barPicture{Width: barStep * max(len(months), barMonthMin), Height: barHeight + 28}
	for i, m := range months {
		in, out := heightOf(m.In.Units, most), heightOf(m.Out.Units, most)
		x := i*barStep + (barStep-2*barWidth-2)/2
		picture.Months = append(picture.Months, barMonth{X: x, InY: barHeight - in, InHeight: in, OutX: x + barWidth + 2, OutY: barHeight - out, OutHeight: out,
			TextX: i*barStep + barStep/2, Label: l.Month(m.Month), In: words.Money(m.In), Out: words.Money(m.Out)})
	}
	return picture
}

// heightOf is the height of a bar; what is not nothing is seen.
func heightOf(units, most int64) int {
	if units <= 0 || most == 0 {
		return 0
	}
	return max(2, int(float64(units)/float64(most)*barHeight))
}

// stackPart is one part of the bar above a gift.
type stackPart struct {
	views.Piece
	X, Width, Text string
}

// stackOf lays pieces side by side, in percent of the whole.
func stackOf(pieces []views.Piece) []stackPart {
	var total int64
	for _, p := range pieces {
		total += p.Amount.Units
	}
	var parts []stackPart
	var before int64
	for _, p := range pieces {
		x, width := float64(before)/float64(total)*100, float64(p.Amount.Units)/float64(total)*100
		part := stackPart{Piece: p, X: fmt.Sprintf("%.3f%%", x), Width: fmt.Sprintf("%.3f%%", width)}
		parts = append(parts, part)
		before += p.Amount.Units
	}
	return parts
}

// Drawable says why a picture cannot be drawn, such as that it does not balance.
func Drawable(flow views.Flow) error {
	_, err := drawingOf(flow)
	return err
}

func drawingOf(flow views.Flow) (sankey.Drawing, error) {
	var nodes []sankey.Node
	for _, node := range flow.Nodes {
		nodes = append(nodes, sankey.Node{ID: node.ID, Column: node.Column, Units: node.Amount.Units})
	}
	var links []sankey.Link
	for _, link := range flow.Links {
		links = append(links, sankey.Link{From: link.From, To: link.To, Units: link.Amount.Units})
	}
	return sankey.Lay(nodes, links, flowSize)
}
