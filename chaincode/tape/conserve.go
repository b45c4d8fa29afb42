package tape

import (
	"maps"
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Keeper is a record that keeps money at an account: a head, a hold, a job, a chunk.
type Keeper interface {
	// Keeps returns the account and the minor units it has there. A chunk has
	// a negative number: what its job has kept and it has paid.
	Keeps() (AccountID, int64)
}

// Keeps of a head is what can be spent.
func (h Head) Keeps() (AccountID, int64) { return h.Account, h.Free().Total() }

// Keeps of a hold is what it has not yet paid; released money is kept until the head reclaims it.
func (h Hold) Keeps() (AccountID, int64) { return h.Account, h.Spans.Total() }

// Keeps of a job is its amount less what it gave back when it was abandoned.
func (j Job) Keeps() (AccountID, int64) { return j.Account, j.Spans.Total() - j.Left.Total() }

// Keeps of a chunk is what it took out of its job.
func (c Chunk) Keeps() (AccountID, int64) { return c.Account, -c.Part.Length() }

// Conserved is the auditor beside the rules, run after every command: what the
// records of each account keep has changed by exactly what the entry's
// postings and settlements say. before and after hold the records that the
// command read and wrote; a new record has no before.
func Conserved(before, after []Keeper, settlements []Settlement, entry Entry) error {
	change := map[AccountID]int64{}
	for _, record := range after {
		account, units := record.Keeps()
		change[account] += units
	}
	for _, record := range before {
		account, units := record.Keeps()
		change[account] -= units
	}
	for _, settlement := range settlements {
		if settlement.Evidence.Kind == "entry" {
			change[settlement.Account] -= settlement.Span.Length()
		}
	}
	for _, p := range entry.Postings {
		change[p.From] += p.Taken.Total()
		change[p.To] -= p.Laid.Total()
	}
	for _, account := range slices.Sorted(maps.Keys(change)) {
		if units := change[account]; units != 0 {
			return rule.Refuse(rule.Conflict, "entry %s would leave %s with %d minor units too many", entry.ID, account, units)
		}
	}
	return nil
}
