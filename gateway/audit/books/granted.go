package books

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// onLines are sums of money on budget lines, each line once.
type onLines []onLine

type onLine struct {
	line  tape.ID
	units int64
}

func (l onLines) total() (units int64) {
	for _, one := range l {
		units += one.units
	}
	return units
}

// grants counts what a chunk pays to other campaigns on a line.
func (b *Books) grants(c *campaign, line tape.ID, payments []tape.Payment) {
	for _, p := range payments {
		if p.To.Outside() {
			continue
		}
		granted := c.granted[p.To]
		at := slices.IndexFunc(granted, func(one onLine) bool { return one.line == line })
		if at < 0 {
			at, granted = len(granted), append(granted, onLine{line: line})
		}
		granted[at].units += p.Amount.Units
		c.granted[p.To] = granted
	}
	for _, p := range payments {
		if !p.To.Outside() {
			b.noteGranted(c, p.To)
		}
	}
}

// comesHome gives back to the heir's budget lines what they paid to the campaign
// whose remainder it gets: there it counts as not spent, here as never received.
func (b *Books) comesHome(c, heir *campaign, units int64) {
	paid := heir.granted[c.account.id]
	b.home = shared(units, paid)
	for i, one := range b.home {
		paid[i].units -= one.units
		heir.ordered[one.line] -= one.units
	}
	if len(b.home) > 0 {
		b.leaves(c.account.id, b.home.total())
		b.takesHome(c.account.id, onLines{{units: b.home.total()}})
		b.noteGranted(heir, c.account.id)
	}
}

// shared divides units, as far as lines have paid them, by what each has paid:
// whole parts first, and what is left unit by unit to the largest fractions, of
// equal ones to the line that paid first. A line that a forged chain has paid
// less than nothing on gets nothing.
func shared(units int64, paid onLines) onLines {
	paid = slices.Clone(paid)
	for i := range paid {
		paid[i].units = max(0, paid[i].units)
	}
	if units = min(units, paid.total()); units <= 0 {
		return nil
	}
	all := big.NewInt(paid.total())
	type fraction struct {
		at   int
		part *big.Int
	}
	shares, fractions, left := make(onLines, len(paid)), []fraction{}, units
	for i, one := range paid {
		whole, part := new(big.Int).DivMod(new(big.Int).Mul(big.NewInt(units), big.NewInt(one.units)), all, new(big.Int))
		shares[i] = onLine{one.line, whole.Int64()}
		fractions = append(fractions, fraction{i, part})
		left -= whole.Int64()
	}
	slices.SortStableFunc(fractions, func(a, b fraction) int { return b.part.Cmp(a.part) })
	for _, f := range fractions[:left] {
		shares[f.at].units++
	}
	return shares
}

func (b *Books) noteGranted(c *campaign, to tape.AccountID) {
	noted(b, fund.GrantedKey(c.account.id, to), "what it was paid on each budget line and has not given back", c.granted[to].String(), func(r fund.Granted) string {
		var lines onLines
		for _, one := range r.Lines {
			lines = append(lines, onLine{one.Line, one.Units})
		}
		return lines.String()
	})
}

// String lists the lines in the order in which they paid first.
func (l onLines) String() string {
	var all []string
	for _, one := range l {
		all = append(all, fmt.Sprintf("%s %d", one.line, one.units))
	}
	return cmp.Or(strings.Join(all, ", "), "nothing on any")
}
