package sankey

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

var size = Size{Width: 900, Height: 300, Bar: 14, Gap: 10, Slot: 36, Margin: 200}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes []Node
		links []Link
		says  string
	}{
		{"nothing", nil, nil, "no money"},
		{"twice", []Node{{"a", 0, 1}, {"a", 1, 1}}, nil, "stands twice"},
		{"empty node", []Node{{"a", 0, 0}}, nil, "0 units"},
		{"alone", []Node{{"a", 0, 5}}, nil, "0 come and 0 go"},
		{"backwards", []Node{{"a", 1, 5}, {"b", 0, 5}}, []Link{{"a", "b", 5}}, "cannot be drawn"},
		{"unknown", []Node{{"a", 0, 5}}, []Link{{"a", "b", 5}}, "cannot be drawn"},
		{"too little goes", []Node{{"a", 0, 5}, {"b", 1, 4}}, []Link{{"a", "b", 4}}, "4 go"},
		{"too much comes", []Node{{"a", 0, 5}, {"b", 1, 4}}, []Link{{"a", "b", 5}}, "5 come"},
	} {
		if _, err := Lay(c.nodes, c.links, size); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestBalance: at each node the bands are together as high as the node, they
// touch without a gap, and no two nodes of a column overlap, for many random pictures.
func TestBalance(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		nodes, links := picture(random)
		drawing, err := Lay(nodes, links, size)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, a := range drawing.Boxes {
			if a.Y < 0 || a.Y+a.Slot > drawing.Height+1e-6 || a.X+a.Width > drawing.Width {
				t.Fatalf("seed %d: %s is outside", seed, a.ID)
			}
			for _, b := range drawing.Boxes[i+1:] {
				if a.Column == b.Column && a.Y < b.Y+b.Slot && b.Y < a.Y+a.Slot {
					t.Fatalf("seed %d: %s and %s overlap", seed, a.ID, b.ID)
				}
			}
			touching(t, seed, a, drawing.Bands)
		}
	}
}

func touching(t *testing.T, seed uint64, box Box, bands []Band) {
	t.Helper()
	var out, in float64
	lastOut, lastIn := box.Y, box.Y
	for _, b := range bands {
		if b.From == box.ID {
			out += b.Thickness
			lastOut = max(lastOut, b.Y1+b.Thickness)
		}
		if b.To == box.ID {
			in += b.Thickness
			lastIn = max(lastIn, b.Y2+b.Thickness)
		}
	}
	for _, side := range []struct{ sum, last float64 }{{out, lastOut}, {in, lastIn}} {
		if side.sum != 0 && (math.Abs(side.sum-box.Height) > 1e-6 || math.Abs(side.last-box.Y-box.Height) > 1e-6) {
			t.Fatalf("seed %d: bands of %.3f end at %.3f of a node of %.3f at %.3f", seed, side.sum, side.last, box.Height, box.Y)
		}
	}
}

// picture makes sources, one middle and some ends, with amounts from one fen to billions.
func picture(random *rand.Rand) ([]Node, []Link) {
	var nodes []Node
	var links []Link
	var total int64
	for i := range 1 + random.IntN(5) {
		units := 1 + random.Int64N(1<<uint(1+random.IntN(40)))
		nodes, links = append(nodes, Node{fmt.Sprint("in", i), 0, units}), append(links, Link{fmt.Sprint("in", i), "middle", units})
		total += units
	}
	nodes = append(nodes, Node{"middle", 1, total})
	for i := 0; total > 0; i++ {
		units := total
		if i < 6 {
			units = 1 + random.Int64N(total)
		}
		column := 2 + random.IntN(2)
		nodes, links = append(nodes, Node{fmt.Sprint("out", i), column, units}), append(links, Link{"middle", fmt.Sprint("out", i), units})
		total -= units
	}
	return nodes, links
}
