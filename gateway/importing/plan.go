package importing

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// plan is what an import decided before it sent anything. It stays in the
// charity's folder: a later import of the same statement finds it.
type plan struct {
	V int `json:"v"`
	// Name is the file's, Digest that of its content.
	Name        string         `json:"name"`
	Digest      string         `json:"digest"`
	Statement   tape.ID        `json:"statement"`
	Account     tape.AccountID `json:"account"`
	Opens       bool           `json:"opens"`
	BankAccount tape.AccountID `json:"bankAccount"`
	Previous    tape.ID        `json:"previous,omitempty"`
	Opening     money.Amount   `json:"opening"`
	// Pages are the heads of the pages in their order, Contents the digests of
	// their lines without a secret.
	Pages    []tape.LinesPage `json:"pages"`
	Contents []string         `json:"contents"`
}

func planPath(folder string, statement tape.ID) string {
	return filepath.Join(folder, "statement-"+string(statement)+".json")
}

// prepare finds the plan of this statement or makes one, and compares the file
// with what was planned.
func (j *job) prepare(ctx context.Context) error {
	known, err := j.findPlan()
	if err != nil {
		return err
	}
	if known != nil {
		j.plan = *known
	} else if err := j.draft(ctx); err != nil {
		return err
	}
	if j.secrets, err = openSecrets(j.Bank.Folder, j.Charity.Folder, j.plan.BankAccount); err != nil {
		return err
	}
	if err := j.turn(ctx, func(p page) error {
		head, _, err := tape.LinesBody(p.side(), p.lines)
		if err == nil {
			j.heads = place(j.heads, int(p.n), head)
		}
		return err
	}); err != nil {
		return err
	}
	j.progress.set(func(p *Progress) {
		p.Statement, p.Account, p.Opening, p.Closing = j.plan.Statement, j.plan.Account, j.plan.Opening, j.closing()
	})
	if known == nil {
		j.plan.Pages = j.heads
		return j.keep()
	}
	return j.same(ctx)
}

// place puts the head of page n where it belongs: pages fill in another order
// than they are numbered.
func place(heads []tape.LinesPage, n int, head tape.LinesPage) []tape.LinesPage {
	for len(heads) <= n {
		heads = append(heads, tape.LinesPage{})
	}
	heads[n] = head
	return heads
}

// findPlan looks for an earlier import of this statement: by its content, by
// the file's name, or by a page that both have, because a copy with one edited
// line must not pass as another statement.
func (j *job) findPlan() (*plan, error) {
	files, err := filepath.Glob(planPath(j.Charity.Folder, "*"))
	if err != nil {
		return nil, err
	}
	var found *plan
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var p plan
		if err := json.Unmarshal(data, &p); err != nil || p.V != 1 {
			return nil, fmt.Errorf("%s is no plan of an import that this program knows: %w", path, errors.Join(err, fmt.Errorf("version %d", p.V)))
		}
		if j.Account != "" && p.Account != j.Account || tape.CustodianOf(p.BankAccount) != j.Bank.Organisation {
			continue
		}
		if p.Digest == j.survey.Digest {
			return &p, nil
		}
		if p.Name == filepath.Base(j.File) || shares(p.Contents, j.shape.allContents()) {
			found = &p
		}
	}
	return found, nil
}

func shares(one, other []string) bool {
	return slices.ContainsFunc(one, func(digest string) bool { return slices.Contains(other, digest) })
}

// draft decides everything that the file does not say.
func (j *job) draft(ctx context.Context) error {
	j.plan = plan{V: 1, Name: filepath.Base(j.File), Digest: j.survey.Digest, Account: j.Account, Contents: j.shape.allContents()}
	code, err := j.freeCode()
	if err != nil {
		return err
	}
	j.plan.Statement = tape.ID(code)
	if j.Account == "" {
		name := strings.ToLower(code)
		j.plan.Opens = true
		j.plan.Account = tape.AccountID("charity:" + j.Charity.Organisation + ":" + name)
		j.plan.BankAccount = tape.AccountID("outside:" + j.Bank.Organisation + ":" + name)
		return j.begin(ctx)
	}
	account, err := j.Charity.Gateway.Account(ctx, j.Account)
	if err != nil {
		return err
	}
	if account.Currency != j.survey.Currency {
		return rule.Field("account", rule.Refuse(rule.Conflict, "%s is in %s, the statement in %s", account.ID, account.Currency, j.survey.Currency))
	}
	if tape.CustodianOf(account.Custodian) != j.Bank.Organisation {
		return rule.Field("custodian", rule.Refuse(rule.Conflict, "%s keeps the money of %s, not %s", tape.CustodianOf(account.Custodian), account.ID, j.Bank.Organisation))
	}
	j.plan.BankAccount = account.Custodian
	return j.begin(ctx)
}

// begin finds the balance to begin with: the file's, or what the statement
// before closed with, or nothing.
func (j *job) begin(ctx context.Context) error {
	j.plan.Opening = money.New(0, j.survey.Currency)
	filed, err := j.Bank.Gateway.Statements(ctx, j.plan.BankAccount)
	if err != nil {
		return err
	}
	if len(filed) > 0 {
		j.plan.Previous, j.plan.Opening = filed[0].ID, filed[0].Closing
	}
	if j.survey.Opening != nil {
		j.plan.Opening = money.New(*j.survey.Opening, j.survey.Currency)
	}
	return nil
}

// alphabet has no letter that is taken for a digit.
var alphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// freeCode makes a short name out of the content, longer where it is taken.
func (j *job) freeCode() (string, error) {
	digest := sha256.Sum256([]byte(j.Charity.Organisation + "\n" + j.Bank.Organisation + "\n" + string(j.Account) + "\n" + j.survey.Digest))
	text := alphabet.EncodeToString(digest[:])
	for length := 6; length <= 26; length += 4 {
		_, err := os.Stat(planPath(j.Charity.Folder, tape.ID(text[:length])))
		if errors.Is(err, os.ErrNotExist) {
			return text[:length], nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("every short name of this statement is taken")
}

func (j *job) keep() error {
	data, err := json.Marshal(j.plan)
	if err != nil {
		return err
	}
	return writeWhole(planPath(j.Charity.Folder, j.plan.Statement), append(data, '\n'))
}

func (j *job) closing() money.Amount {
	return money.New(j.plan.Opening.Units+j.survey.Credits-j.survey.Debits, j.survey.Currency)
}

// same refuses a file whose lines are not those that were planned, and names
// the first that differs.
func (j *job) same(ctx context.Context) error {
	for n := range max(len(j.heads), len(j.plan.Pages)) {
		if n < len(j.heads) && n < len(j.plan.Pages) && j.heads[n] == j.plan.Pages[n] {
			continue
		}
		return j.edited(ctx, int32(n))
	}
	return nil
}

// edited names the line of page n that is not as it was filed.
func (j *job) edited(ctx context.Context, n int32) error {
	var now []tape.Line
	if err := j.turn(ctx, func(p page) error {
		if p.n == n {
			now = p.lines
		}
		return nil
	}); err != nil {
		return err
	}
	at, what := 0, ""
	err := j.Bank.Gateway.EachLine(ctx, j.plan.BankAccount, j.plan.Statement, func(page int32, filed tape.Line) bool {
		if page < n {
			return true
		}
		if page > n {
			return false
		}
		what = differs(filed, now, at)
		at++
		return what == ""
	})
	if err != nil && !rule.Is(err, rule.NotFound) {
		return err
	}
	if what == "" && len(now) > 0 {
		what = fmt.Sprintf("a line from %d to %d", now[0].Number, now[len(now)-1].Number)
		if at > 0 && at < len(now) {
			what = fmt.Sprintf("line %d was not there", now[at].Number)
		}
	}
	return rule.Refuse(rule.Exists, "%s is another edition of statement %s of %s, imported before from %s: page %d differs, %s; a filed line is never edited, the bank's next statement corrects it",
		filepath.Base(j.File), j.plan.Statement, j.plan.BankAccount, j.plan.Name, n, what)
}

// differs says how line at of a page is not the filed one; empty when it is.
func differs(filed tape.Line, now []tape.Line, at int) string {
	switch {
	case at >= len(now):
		return fmt.Sprintf("line %d of %s is missing", filed.Number, filed.Amount)
	case now[at] == filed:
		return ""
	case now[at].Number != filed.Number:
		return fmt.Sprintf("line %d stands where line %d was", now[at].Number, filed.Number)
	case now[at].Amount != filed.Amount:
		return fmt.Sprintf("line %d says %s, %s was filed", filed.Number, now[at].Amount, filed.Amount)
	case now[at].Date != filed.Date:
		return fmt.Sprintf("line %d says %s, %s was filed", filed.Number, now[at].Date, filed.Date)
	}
	return fmt.Sprintf("line %d has another time, reference or payer", filed.Number)
}
