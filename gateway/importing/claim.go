package importing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/statement"
)

// memo is a line whose memo names references.
type memo struct {
	line int
	// reference is the keyed hash that tells the line apart.
	reference string
	names     []donation.Reference
}

// claim is what the charity's gateway knows of a line.
type claim struct {
	Line    int            `json:"line"`
	Account tape.AccountID `json:"account"`
	Gift    tape.ID        `json:"gift"`
	Donor   string         `json:"donor"`
	// Taking tells the charity's gateway that the line is taken.
	Taking giving.Taking `json:"taking"`
}

// referenceBytes is how long a text must be to hold a reference: shorter ones,
// which most are, need not be looked at.
const referenceBytes = 20

// referencesIn are the references in a line's memo, or in the bank's own
// reference where the bank passes the memo on there.
func referencesIn(l statement.Line) []donation.Reference {
	var found []donation.Reference
	for _, text := range [...]string{l.Description, l.Reference} {
		if len(text) < referenceBytes || utf8.RuneCountInString(text) < referenceBytes {
			continue
		}
		for _, reference := range donation.FindReferences(text) {
			if !slices.Contains(found, reference) {
				found = append(found, reference)
			}
		}
	}
	return found
}

// claim tells the charity's gateway, before the first command leaves, which
// lines are gifts of announcements: their givers can see them from then on.
func (j *job) claim(ctx context.Context) error {
	var takings []giving.Taking
	for _, line := range sortedLines(j.claims) {
		takings = append(takings, j.claims[line].Taking)
	}
	for part := range slices.Chunk(takings, giving.MemosMax) {
		if err := j.Charity.Gateway.Take(ctx, part); err != nil {
			return fmt.Errorf("telling %s whose the memos are: %w", j.Charity.Organisation, err)
		}
	}
	return nil
}

// find asks the charity's gateway whose the memos are, some thousands at a
// time. A line that names two announcements is nobody's: how its amount is
// shared between them, nobody has said.
func (j *job) find(ctx context.Context, memos []memo) error {
	var asked []giving.Memo
	var lines []int
	for _, m := range memos {
		for _, name := range m.names {
			asked, lines = append(asked, giving.Memo{Reference: name, Line: m.reference}), append(lines, m.line)
		}
	}
	var all []giving.Claim
	for from := 0; from < len(asked); from += giving.MemosMax {
		part := asked[from:min(from+giving.MemosMax, len(asked))]
		claims, err := j.Charity.Gateway.Claims(ctx, part)
		if err != nil {
			return fmt.Errorf("asking %s whose the memos are: %w", j.Charity.Organisation, err)
		}
		if len(claims) != len(part) {
			return fmt.Errorf("the gateway of %s answered %d memos of %d", j.Charity.Organisation, len(claims), len(part))
		}
		all = append(all, claims...)
	}
	known := map[int]int{}
	for i, c := range all {
		if c.Known {
			known[lines[i]]++
		}
	}
	found := map[int]claim{}
	for i, c := range all {
		if c.Known && known[lines[i]] == 1 {
			found[lines[i]] = claim{Line: lines[i], Account: c.Account, Gift: c.Gift, Donor: c.Donor,
				Taking: giving.Taking{Announcement: c.Announcement, Line: asked[i].Line}}
		}
	}
	return j.take(ctx, found)
}

// take keeps the claims whose accounts can be settled by this statement.
func (j *job) take(ctx context.Context, found map[int]claim) error {
	fits := map[tape.AccountID]bool{j.plan.Account: j.plan.Account != j.plan.Unclaimed}
	j.claims = map[int]claim{}
	for _, line := range sortedLines(found) {
		c := found[line]
		fit, known := fits[c.Account]
		if !known {
			var err error
			if fit, err = j.reaches(ctx, c.Account); err != nil {
				return err
			}
			if fits[c.Account] = fit; fit {
				j.plan.Others = append(j.plan.Others, c.Account)
			}
		}
		if fit {
			j.claims[line] = c
		}
	}
	return nil
}

// reaches reports whether the money of an account lies at this bank account:
// only then the statement's lines are evidence for it.
func (j *job) reaches(ctx context.Context, id tape.AccountID) (bool, error) {
	account, err := j.Charity.Gateway.Account(ctx, id)
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	return account.Custodian == j.plan.BankAccount && account.Currency == j.survey.Currency && account.Unidentified == "", err
}

func sortedLines(claims map[int]claim) []int {
	lines := make([]int, 0, len(claims))
	for line := range claims {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func claimsPath(folder string, statement tape.ID) string {
	return filepath.Join(folder, "claims-"+string(statement)+".jsonl")
}

// keepClaims writes the claims before the plan that rests on them.
func (j *job) keepClaims() error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, line := range sortedLines(j.claims) {
		if err := encoder.Encode(j.claims[line]); err != nil {
			return err
		}
	}
	digest := sha256.Sum256(text.Bytes())
	j.plan.Claims = hex.EncodeToString(digest[:])
	return writeWhole(claimsPath(j.Charity.Folder, j.plan.Statement), text.Bytes())
}

// readClaims reads those of the plan.
func (j *job) readClaims() error {
	j.claims = nil
	if j.plan.Claims == "" {
		return nil
	}
	path := claimsPath(j.Charity.Folder, j.plan.Statement)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if digest := sha256.Sum256(text); hex.EncodeToString(digest[:]) != j.plan.Claims {
		return fmt.Errorf("%s is not what the plan of statement %s rests on; it was changed", path, j.plan.Statement)
	}
	j.claims = map[int]claim{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	for decoder.More() {
		var c claim
		if err := decoder.Decode(&c); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		j.claims[c.Line] = c
	}
	return nil
}
