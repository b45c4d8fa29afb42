// Package sankey lays out a picture of flows: columns of nodes whose heights
// are their amounts, and bands between them. It refuses what does not balance,
// so that a picture can never show more or less money than its table.
package sankey

import "fmt"

// Node is a stock of money in a column, counted from 0 at the left.
type Node struct {
	ID     string
	Column int
	Units  int64
}

// Link is money that went from a node to one in a later column.
type Link struct {
	From, To string
	Units    int64
}

// Size is how the picture is drawn, in its own units.
type Size struct {
	Width int
	// Height is that of the fullest column's money; labels may need more.
	Height int
	// Bar is the width of a node, Gap the space between two, and Slot the
	// least height that a node with its label needs.
	Bar, Gap, Slot int
	// Margin is the space right of the last column, for its labels.
	Margin int
}

// Box is a node on the picture; Slot is the height that it has for itself.
type Box struct {
	Node
	X, Y, Width, Height, Slot float64
}

// Band is a link on the picture, from (X1, Y1) to (X2, Y2), the upper edges.
type Band struct {
	Link
	X1, Y1, X2, Y2, Thickness float64
}

// Path is the band as the outline of an SVG path.
func (b Band) Path() string {
	middle := (b.X1 + b.X2) / 2
	return fmt.Sprintf("M%.2f %.2fC%.2f %.2f %.2f %.2f %.2f %.2fV%.2fC%.2f %.2f %.2f %.2f %.2f %.2fZ",
		b.X1, b.Y1, middle, b.Y1, middle, b.Y2, b.X2, b.Y2,
		b.Y2+b.Thickness, middle, b.Y2+b.Thickness, middle, b.Y1+b.Thickness, b.X1, b.Y1+b.Thickness)
}

// Drawing is a laid-out picture.
type Drawing struct {
	Width, Height float64
	Boxes         []Box
	Bands         []Band
}

// Lay lays the picture out. Nodes keep their order within a column, and links
// leave and enter a node in the order of the nodes at their other end.
func Lay(nodes []Node, links []Link, size Size) (Drawing, error) {
	index, err := indexed(nodes)
	if err != nil {
		return Drawing{}, err
	}
	if err := balanced(nodes, links, index); err != nil {
		return Drawing{}, err
	}
	columns, fullest := columnsOf(nodes)
	if fullest == 0 {
		return Drawing{}, fmt.Errorf("there is no money to draw")
	}
	scale := float64(size.Height) / float64(fullest)
	drawing := Drawing{Width: float64(size.Width), Boxes: make([]Box, len(nodes))}
	step := 0.0
	if len(columns) > 1 {
		step = float64(size.Width-size.Margin-size.Bar) / float64(len(columns)-1)
	}
	for c, column := range columns {
		y := 0.0
		for _, i := range column {
			height := float64(nodes[i].Units) * scale
			box := Box{Node: nodes[i], X: float64(c) * step, Y: y, Width: float64(size.Bar), Height: height, Slot: max(height, float64(size.Slot))}
			drawing.Boxes[i] = box
			y += box.Slot + float64(size.Gap)
		}
		drawing.Height = max(drawing.Height, y-float64(size.Gap))
	}
	drawing.Bands = bands(drawing.Boxes, links, index, scale)
	return drawing, nil
}

func indexed(nodes []Node) (map[string]int, error) {
	index := map[string]int{}
	for i, node := range nodes {
		if _, twice := index[node.ID]; twice {
			return nil, fmt.Errorf("node %s stands twice", node.ID)
		}
		if node.Units <= 0 || node.Column < 0 {
			return nil, fmt.Errorf("node %s has %d units in column %d", node.ID, node.Units, node.Column)
		}
		index[node.ID] = i
	}
	return index, nil
}

// balanced refuses a node whose money is not what comes in, or what goes out.
func balanced(nodes []Node, links []Link, index map[string]int) error {
	in, out := make([]int64, len(nodes)), make([]int64, len(nodes))
	for _, link := range links {
		from, known1 := index[link.From]
		to, known2 := index[link.To]
		if !known1 || !known2 || link.Units <= 0 || nodes[from].Column >= nodes[to].Column {
			return fmt.Errorf("%d units cannot be drawn from %s to %s", link.Units, link.From, link.To)
		}
		out[from] += link.Units
		in[to] += link.Units
	}
	for i, node := range nodes {
		if in[i] != 0 && in[i] != node.Units || out[i] != 0 && out[i] != node.Units || in[i] == 0 && out[i] == 0 {
			return fmt.Errorf("node %s has %d units; %d come and %d go", node.ID, node.Units, in[i], out[i])
		}
	}
	return nil
}

func columnsOf(nodes []Node) (columns [][]int, fullest int64) {
	for i, node := range nodes {
		for len(columns) <= node.Column {
			columns = append(columns, nil)
		}
		columns[node.Column] = append(columns[node.Column], i)
	}
	for _, column := range columns {
		var sum int64
		for _, i := range column {
			sum += nodes[i].Units
		}
		fullest = max(fullest, sum)
	}
	return columns, fullest
}

// bands stacks the links at both ends in the order of the other end's place.
func bands(boxes []Box, links []Link, index map[string]int, scale float64) []Band {
	laid := make([]Band, len(links))
	for i, link := range links {
		from, to := boxes[index[link.From]], boxes[index[link.To]]
		laid[i] = Band{Link: link, X1: from.X + from.Width, Y1: from.Y, X2: to.X, Y2: to.Y, Thickness: float64(link.Units) * scale}
		for j, other := range links {
			if j == i {
				continue
			}
			if other.From == link.From && before(boxes[index[other.To]], to, j, i) {
				laid[i].Y1 += float64(other.Units) * scale
			}
			if other.To == link.To && before(boxes[index[other.From]], from, j, i) {
				laid[i].Y2 += float64(other.Units) * scale
			}
		}
	}
	return laid
}

func before(a, b Box, i, j int) bool {
	if a.Y != b.Y {
		return a.Y < b.Y
	}
	if a.X != b.X {
		return a.X < b.X
	}
	return i < j
}
