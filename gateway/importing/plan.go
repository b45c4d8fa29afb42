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
	Shape       shape          `json:"shape"`
	// Unclaimed receives the lines that name no known announcement; empty where
	// they are the account's gifts.
	Unclaimed tape.AccountID `json:"unclaimed,omitempty"`
	// Others are the accounts, beside Account, to which references give lines.
	Others []tape.AccountID `json:"others,omitempty"`
	// Claims is the SHA-256 of the file that says which lines have announcements; empty where none has.
	Claims string `json:"claims,omitempty"`
	// Processors are the lines that carry payment processors' files.
	Processors []carrying `json:"processors,omitempty"`
}

// carrying is a line that carries a processor's file, and its money in minor units.
type carrying struct {
	Number int     `json:"number"`
	File   tape.ID `json:"file"`
	Units  int64   `json:"units,string"`
}

// planVersion is 2 for a plan that an earlier program would misread.
func (p plan) version() int {
	if p.Claims != "" || p.Unclaimed != "" || len(p.Processors) > 0 {
		return 2
	}
	return 1
}

func planPath(folder string, statement tape.ID) string {
	return filepath.Join(folder, "statement-"+string(statement)+".json")
}

// prepare finds the plan of this statement or makes one, and compares the file
// with what was planned.
func (j *job) prepare(ctx context.Context) error {
	plans, err := j.plans()
	if err != nil {
		return err
	}
	known := slices.IndexFunc(plans, func(p plan) bool { return p.Digest == j.survey.Digest })
	if known >= 0 {
		return j.adopt(plans[known])
	}
	if err := j.draft(ctx); err != nil {
		return err
	}
	if err := j.unlock(); err != nil {
		return err
	}
	if err := errors.Join(j.await(), j.shapeUp(ctx)); err != nil {
		return err
	}
	// A copy with one edited line must not pass as another statement.
	known = slices.IndexFunc(plans, func(p plan) bool {
		return p.Name == filepath.Base(j.File) || shares(p.Shape.Contents, j.plan.Shape.Contents)
	})
	if known >= 0 {
		return j.compare(ctx, plans[known])
	}
	if err := j.fits(); err != nil {
		return err
	}
	return j.keep()
}

// adopt goes on with a plan that stands.
func (j *job) adopt(known plan) error {
	j.plan = known
	if j.Unclaimed != "" && j.Unclaimed != known.Unclaimed {
		return rule.Field("unclaimed", rule.Refuse(rule.Exists, "statement %s was imported before, with %q for what nobody claims; an import goes on as it began", known.Statement, string(known.Unclaimed)))
	}
	return errors.Join(j.unlock(), j.readClaims())
}

// shapeUp measures the file, and once more where memos name announcements:
// their lines are on other pages then.
func (j *job) shapeUp(ctx context.Context) error {
	found, memos, err := j.measure(ctx)
	if err != nil {
		return err
	}
	if len(memos) > 0 {
		if err := j.find(ctx, memos); err != nil {
			return err
		}
	}
	if len(j.claims) > 0 {
		if found, _, err = j.measure(ctx); err != nil {
			return err
		}
	}
	j.plan.Shape = found
	return nil
}

// fits refuses what no statement of the ledger can hold.
func (j *job) fits() error {
	switch pages := len(j.plan.Shape.Pages); {
	case pages == 0:
		return rule.Refuse(rule.Invalid, "%s holds no line that moves money", filepath.Base(j.File))
	case pages > tape.StatementPagesMax:
		return rule.Refuse(rule.Invalid, "%s needs %d pages; one statement has at most %d, so cut the file into two periods", filepath.Base(j.File), pages, tape.StatementPagesMax)
	}
	return nil
}

func (j *job) unlock() (err error) {
	j.secrets, err = openSecrets(j.Bank.Folder, j.Charity.Folder, j.plan.BankAccount, j.plan.Statement)
	return err
}

// compare holds the file against the plan of a statement that it seems to be.
func (j *job) compare(ctx context.Context, known plan) (err error) {
	if err := j.adopt(known); err != nil {
		return err
	}
	now, _, err := j.measure(ctx)
	if err != nil {
		return err
	}
	for n := range max(len(now.Pages), len(known.Shape.Pages)) {
		if n < len(now.Pages) && n < len(known.Shape.Pages) && now.Pages[n] == known.Shape.Pages[n] {
			continue
		}
		return j.edited(ctx, now, int32(n))
	}
	return nil // only what stays in the file differs, such as a description
}

// plans reads those of earlier imports that this one could be a repetition of.
func (j *job) plans() ([]plan, error) {
	all, err := kept[plan](planPath(j.Charity.Folder, "*"), "1 and 2", func(p plan) (int, bool) { return p.V, p.V == 1 || p.V == 2 })
	return slices.DeleteFunc(all, func(p plan) bool {
		return j.Account != "" && p.Account != j.Account || tape.CustodianOf(p.BankAccount) != j.Bank.Organisation
	}), err
}

// kept reads all plans of a kind that stand in a folder. version says which one
// a plan has and whether this program knows it; known names those that it does.
func kept[P any](pattern, known string, version func(P) (v int, isKnown bool)) ([]P, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var all []P
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var p P
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		if v, isKnown := version(p); !isKnown {
			return nil, rule.Refuse(rule.Unsupported, "%s has version %d, this program knows %s", path, v, known)
		}
		all = append(all, p)
	}
	return all, nil
}

func shares(one, other []string) bool {
	return slices.ContainsFunc(one, func(digest string) bool { return slices.Contains(other, digest) })
}

// draft decides everything that the file does not say.
func (j *job) draft(ctx context.Context) error {
	j.plan = plan{Name: filepath.Base(j.File), Digest: j.survey.Digest, Account: j.Account, Unclaimed: j.Unclaimed}
	j.claims = nil
	code, err := j.freeCode()
	if err != nil {
		return err
	}
	j.plan.Statement = tape.ID(code)
	if j.Unclaimed != "" {
		if err := j.checkUnclaimed(ctx); err != nil {
			return err
		}
	}
	if j.plan.Account == "" {
		name := strings.ToLower(code)
		j.plan.Opens = true
		j.plan.Account = tape.AccountID("charity:" + j.Charity.Organisation + ":" + name)
		j.plan.BankAccount = tape.AccountID("outside:" + j.Bank.Organisation + ":" + name)
		return j.begin(ctx)
	}
	account, err := j.Charity.Gateway.Account(ctx, j.plan.Account)
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

// checkUnclaimed refuses an account that cannot take what nobody claims. Where
// no account is named for the gifts, it is the one that it holds such money for.
func (j *job) checkUnclaimed(ctx context.Context) error {
	account, err := j.Charity.Gateway.Account(ctx, j.Unclaimed)
	if err != nil {
		return rule.Field("unclaimed", err)
	}
	if account.Unidentified == "" {
		return rule.Field("unclaimed", rule.Refuse(rule.WrongState, "%s does not hold unidentified money; open one with unidentified set", account.ID))
	}
	if j.plan.Account == "" {
		j.plan.Account = account.Unidentified
	}
	main, err := j.Charity.Gateway.Account(ctx, j.plan.Account)
	if err != nil {
		return rule.Field("account", err)
	}
	if main.Custodian != account.Custodian || main.Currency != account.Currency {
		return rule.Field("unclaimed", rule.Refuse(rule.Conflict, "%s is at %s in %s, %s at %s in %s; one statement shows one bank account",
			account.ID, account.Custodian, account.Currency, main.ID, main.Custodian, main.Currency))
	}
	return nil
}

// begin finds the balance to begin with: the file's, or what the statement
// before closed with, or nothing.
func (j *job) begin(ctx context.Context) error {
	j.plan.Opening = money.New(0, j.survey.Currency)
	filed, err := j.Bank.Gateway.Statements(ctx, j.plan.BankAccount, 0)
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
	if len(j.claims) > 0 {
		if err := j.keepClaims(); err != nil {
			return err
		}
	}
	j.plan.V = j.plan.version()
	data, err := json.Marshal(j.plan)
	if err != nil {
		return err
	}
	return writeWhole(planPath(j.Charity.Folder, j.plan.Statement), append(data, '\n'))
}

func (j *job) closing() money.Amount {
	return money.New(j.plan.Opening.Units+j.survey.Credits-j.survey.Debits, j.survey.Currency)
}

// edited names the line of page n that is not as it was filed.
func (j *job) edited(ctx context.Context, shape shape, n int32) error {
	var now []tape.Line
	planned := j.plan.Shape
	j.plan.Shape = shape // so that the pages have the numbers of this file
	err := j.turn(ctx, j.fill, func(p page) error {
		if p.n == n {
			now = p.lines
		}
		return nil
	})
	j.plan.Shape = planned
	if err != nil {
		return err
	}
	filed, err := j.Bank.Gateway.Lines(ctx, j.plan.BankAccount, j.plan.Statement, n)
	if err != nil && !rule.Is(err, rule.NotFound) {
		return err
	}
	what := difference(filed, now)
	return rule.Refuse(rule.Exists, "%s is another edition of statement %s of %s, imported before from %s: page %d differs, %s; a filed line is never edited, the bank's next statement corrects it",
		filepath.Base(j.File), j.plan.Statement, j.plan.BankAccount, j.plan.Name, n, what)
}

// difference says in words how the lines of a page are not the filed ones.
func difference(filed, now []tape.Line) string {
	for at := range filed {
		if what := differs(filed, now, at); what != "" {
			return what
		}
	}
	switch {
	case len(filed) > 0 && len(now) > len(filed):
		return fmt.Sprintf("line %d was not there", now[len(filed)].Number)
	case len(now) > 0:
		return fmt.Sprintf("a line from %d to %d", now[0].Number, now[len(now)-1].Number)
	}
	return "it is not there any more"
}

// differs says how line at of a page is not the filed one; empty when it is.
func differs(filed, now []tape.Line, at int) string {
	was := filed[at]
	switch {
	case at >= len(now):
		return fmt.Sprintf("line %d of %s is missing", was.Number, was.Amount)
	case now[at] == was:
		return ""
	case now[at].Number != was.Number:
		return fmt.Sprintf("line %d stands where line %d was", now[at].Number, was.Number)
	case now[at].Amount != was.Amount:
		return fmt.Sprintf("line %d says %s, %s was filed", was.Number, now[at].Amount, was.Amount)
	case now[at].Date != was.Date:
		return fmt.Sprintf("line %d says %s, %s was filed", was.Number, now[at].Date, was.Date)
	}
	return fmt.Sprintf("line %d has another time, reference or payer", was.Number)
}
