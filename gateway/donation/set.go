package donation

import "strings"

// Setting type: lines of two fonts, broken between Chinese signs or at blanks.

// write sets a text from the current height on and moves below it. right sets
// its lines flush right.
func (p *paper) write(size float64, c colour, left, width float64, text string, right bool) {
	p.SetTextColor(c[0], c[1], c[2])
	for _, l := range p.wrap(size, width, text) {
		at := left
		if right {
			at += width - p.measure(size, l)
		}
		for _, piece := range p.pieces(l) {
			p.Text(at, p.GetY()+size*baseline, p.choose(size, piece))
			at += p.measure(size, piece)
		}
		p.SetY(p.GetY() + size*perPoint)
	}
}

// pieces cuts a line where the font changes.
func (p *paper) pieces(text string) []string {
	var cut []string
	var latin bool
	for _, r := range text {
		if is := p.font.latin(r); len(cut) == 0 || is != latin {
			cut, latin = append(cut, ""), is
		}
		cut[len(cut)-1] += string(r)
	}
	return cut
}

// choose sets the font of a piece and returns it in that font's encoding.
func (p *paper) choose(size float64, piece string) string {
	if strings.ContainsFunc(piece, p.font.latin) {
		p.SetFont("Helvetica", "", size)
		return p.toLatin(piece)
	}
	p.SetFont(family, "", size)
	return piece
}

func (p *paper) measure(size float64, text string) float64 {
	sum := 0.0
	for _, piece := range p.pieces(text) {
		sum += p.GetStringWidth(p.choose(size, piece))
	}
	return sum
}

// wrap breaks a text into lines that fit.
func (p *paper) wrap(size, width float64, text string) []string {
	lines := []string{""}
	last := func() *string { return &lines[len(lines)-1] }
	for _, w := range p.words(text) {
		if p.measure(size, *last()+strings.TrimRight(w, " ")) <= width {
			*last() += w
			continue
		}
		if *last() != "" {
			lines = append(lines, "")
		}
		for _, r := range w { // one word that is wider than the line is broken anywhere
			if *last() != "" && p.measure(size, *last()+string(r)) > width {
				lines = append(lines, "")
			}
			*last() += string(r)
		}
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// notFirst are signs that do not begin a line, notLast such that do not end one.
const (
	notFirst = "，。、；：！？）》」』”’…—·,.;:!?)"
	notLast  = "（《「『“‘("
)

// words are the pieces that stay together: Latin words with the blank behind
// them, Chinese signs one by one with the punctuation that belongs to them.
func (p *paper) words(text string) []string {
	var words []string
	var before rune
	for _, r := range text {
		joined := before != 0 && (strings.ContainsRune(notFirst, r) || strings.ContainsRune(notLast, before) ||
			p.font.latin(r) && p.font.latin(before) && before != ' ' || r == ' ')
		if joined {
			words[len(words)-1] += string(r)
		} else {
			words = append(words, string(r))
		}
		before = r
	}
	return words
}
