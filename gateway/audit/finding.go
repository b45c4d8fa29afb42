package audit

import (
	"fmt"
	"strings"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/gateway/audit/books"
)

// Check names a part of the audit.
type Check string

// The checks.
const (
	// CheckChain: blocks in a row, each naming the one before.
	CheckChain Check = "chain"
	// CheckSignatures: whoever carried and endorsed a transaction has signed it.
	CheckSignatures Check = "signatures"
	// CheckFlags: which transactions count.
	CheckFlags Check = "flags"
	// CheckReplay: what the contracts make of a transaction.
	CheckReplay Check = "replay"
	// CheckBooks: money, pages and lines in the auditor's own books.
	CheckBooks Check = "books"
	// CheckState: what a peer holds.
	CheckState Check = "state"
	// CheckModel: what a gateway shows.
	CheckModel Check = "read model"
)

// Finding is one thing that differs.
type Finding struct {
	Check        Check  `json:"check"`
	Organisation string `json:"organisation,omitempty"`
	// Block and Transaction say where on the chain, Key which record or account.
	Block       *uint64 `json:"block,omitempty"`
	Transaction string  `json:"transaction,omitempty"`
	Key         string  `json:"key,omitempty"`
	What        string  `json:"what"`
	Expected    string  `json:"expected,omitempty"`
	Found       string  `json:"found,omitempty"`
}

// String says it in one line.
func (f Finding) String() string {
	var place []string
	if f.Organisation != "" {
		place = append(place, f.Organisation)
	}
	if f.Block != nil {
		place = append(place, fmt.Sprintf("block %d", *f.Block))
	}
	if f.Transaction != "" {
		place = append(place, "transaction "+f.Transaction[:min(len(f.Transaction), 12)])
	}
	if f.Key != "" {
		place = append(place, f.Key)
	}
	text := string(f.Check) + ": " + strings.Join(append(place, f.What), ", ")
	if f.Expected == "" && f.Found == "" {
		return text
	}
	return text + "; expected " + shown(f.Expected) + ", found " + shown(f.Found)
}

func shown(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// findingsMax is how many findings are kept. One fault in an early block
// differs in everything that follows; the first ones say where to look.
const findingsMax = 50

// Report is what came out.
type Report struct {
	Blocks       uint64 `json:"blocks"`
	Transactions int    `json:"transactions"`
	// Invalid transactions by the reason that the peers give.
	Invalid map[string]int `json:"invalid"`
	// Signatures is how many were checked; none where the blocks name no members.
	Signatures int             `json:"signatures"`
	Entries    int             `json:"entries"`
	Rules      []int32         `json:"rules"`
	Balances   []books.Balance `json:"balances"`
	Tiling     books.Tiling    `json:"tiling"`
	Fund       books.Trail     `json:"fund"`
	Private    PrivateState    `json:"private"`
	Peers      []PeerState     `json:"peers"`
	Models     []ModelState    `json:"readModels"`
	// Findings are the first ones of Differences.
	Findings    []Finding `json:"findings"`
	Differences int       `json:"differences"`
	// Incomplete is set when something could not be compared at all.
	Incomplete bool `json:"incomplete,omitempty"`
}

func (r *Report) add(f Finding) {
	r.Differences++
	if len(r.Findings) < findingsMax {
		f.Expected, f.Found = window(f.Expected, f.Found)
		r.Findings = append(r.Findings, f)
	}
}

func (a *Auditor) add(f Finding) { a.report.add(f) }

// addAt adds a finding about one transaction.
func (a *Auditor) addAt(t replay.Transaction, f Finding) {
	f.Block, f.Transaction = &t.Block, t.ID
	a.add(f)
}

// windowBytes is how much of a long text is shown, around its first difference.
const windowBytes = 160

func window(expected, found string) (string, string) {
	at := 0
	for at < len(expected) && at < len(found) && expected[at] == found[at] {
		at++
	}
	return cut(expected, at), cut(found, at)
}

func cut(text string, at int) string {
	if len(text) <= windowBytes {
		return text
	}
	from := max(0, min(at-windowBytes/3, len(text)-windowBytes))
	to := from + windowBytes
	part := text[from:min(to, len(text))]
	if from > 0 {
		part = "…" + part
	}
	if to < len(text) {
		part += "…"
	}
	return part
}
