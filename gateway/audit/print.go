package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/gateway/audit/books"
)

// Text writes the report for people.
func (r Report) Text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "  replayed %s blocks, %s entries with rules %s%s\n", grouped(int64(r.Blocks)), grouped(int64(r.Entries)), r.rules(), r.invalid())
	fmt.Fprintf(&out, "  conservation %s     tapes tiled %d / %d", r.conservation(), r.Tiling.Tiled, r.Tiling.Tapes)
	if r.Signatures > 0 {
		fmt.Fprintf(&out, "     signatures %s", grouped(int64(r.Signatures)))
	}
	fmt.Fprintf(&out, "\n%s  %s\n  %s\n", r.fund(), r.peers(), r.models())
	if p := r.Private; p != (PrivateState{}) {
		fmt.Fprintf(&out, "  private values: %s verified, %s not visible, %s purged\n", grouped(int64(p.Verified)), grouped(int64(p.NotVisible)), grouped(int64(p.Purged)))
	}
	if r.Differences == 0 {
		out.WriteString("  nothing differs\n")
		return out.String()
	}
	if r.Differences == 1 {
		out.WriteString("  1 thing differs\n")
	} else {
		fmt.Fprintf(&out, "  %s things differ\n", grouped(int64(r.Differences)))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "  ✗ %s\n", f)
	}
	if more := r.Differences - len(r.Findings); more > 0 {
		fmt.Fprintf(&out, "    and %s more\n", grouped(int64(more)))
	}
	return out.String()
}

// fund is a line of its own, of a ledger that has campaigns.
func (r Report) fund() string {
	if r.Fund == (books.Trail{}) {
		return ""
	}
	text := fmt.Sprintf("  campaigns agreeing %s / %s     disbursements %s     confirmations %s", grouped(int64(r.Fund.Agreeing)), grouped(int64(r.Fund.Campaigns)),
		grouped(int64(r.Fund.Disbursements)), grouped(int64(r.Fund.Confirmations)))
	if r.Fund.Disputes > 0 {
		text += fmt.Sprintf("     disputes %s", grouped(int64(r.Fund.Disputes)))
	}
	return text + "\n"
}

func (r Report) rules() string {
	if len(r.Rules) == 0 {
		return "of no version"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Rules), " ", ", "), "[]")
}

// invalid explains what the peers refused.
func (r Report) invalid() string {
	text := ""
	for _, code := range slices.Sorted(maps.Keys(r.Invalid)) {
		text += fmt.Sprintf(", %s %s", grouped(int64(r.Invalid[code])), strings.ToLower(strings.ReplaceAll(code, "_", " ")))
	}
	if text == "" {
		return ""
	}
	return "; not counted:" + text[1:]
}

func (r Report) conservation() string {
	var parts []string
	for _, b := range r.Balances {
		parts = append(parts, fmt.Sprintf("%s %s", b.Currency, grouped(b.Difference())))
	}
	if len(parts) == 0 {
		return "no money yet"
	}
	return strings.Join(parts, " · ")
}

func (r Report) peers() string {
	if len(r.Peers) == 0 {
		return "no peer compared"
	}
	var heights []uint64
	equal := 0
	for _, p := range r.Peers {
		if p.Fault == "" {
			heights = append(heights, p.Height)
		}
		if p.Equal {
			equal++
		}
	}
	if len(heights) == 0 {
		return fmt.Sprintf("none of %d peers could be compared", len(r.Peers))
	}
	low, high := slices.Min(heights), slices.Max(heights)
	height := fmt.Sprint(high)
	if low != high {
		height = fmt.Sprintf("%d to %d", low, high)
	}
	if equal == len(r.Peers) {
		return fmt.Sprintf("%d peers equal at height %s, %s records", equal, height, grouped(int64(r.Peers[0].Records)))
	}
	return fmt.Sprintf("%d of %d peers equal at height %s", equal, len(r.Peers), height)
}

func (r Report) models() string {
	if len(r.Models) == 0 {
		return "no read model compared"
	}
	equal := 0
	for _, m := range r.Models {
		if m.Equal {
			equal++
		}
	}
	if equal == len(r.Models) {
		return fmt.Sprintf("%d read models equal to one that was rebuilt", equal)
	}
	return fmt.Sprintf("%d of %d read models equal to one that was rebuilt", equal, len(r.Models))
}

// grouped writes 214377 as 214,377.
func grouped(n int64) string {
	if n < 0 {
		return "−" + grouped(-n)
	}
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
