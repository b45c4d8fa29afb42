// Package importing carries a bank statement to the ledger through two
// gateways: the custodian's files every line as evidence, the charity's
// receives the gifts and settles them against those lines, page by page.
//
// Everything that it sends follows from the file and from a plan that is on
// the disk before the first command leaves: ids, secrets, the balance to begin
// with. So an import that was killed at any point is simply run again: it sends
// the same commands, and gateways and ledger answer what they have done before.
package importing

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
)

// Gateway is one organisation's gateway, as far as an import needs it. An
// error that is a *rule.Refusal is final; any other ends the import, which can
// be run again.
type Gateway interface {
	Receiving
	// Statements returns the statements of a bank account as of a block or
	// later, the last one first.
	Statements(ctx context.Context, account tape.AccountID, block uint64) ([]Filed, error)
	// Payouts looks up what references in memos name, readmodel.ReferencesMost at
	// once at most, as of a block or later.
	Payouts(ctx context.Context, references []donation.PayoutReference, block uint64) ([]readmodel.Referenced, error)
	// UsedLines returns the indexes of the lines of page n of a statement that
	// were used, as of a block or later.
	UsedLines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32, block uint64) (map[int]bool, error)
}

// Receiving is a charity's gateway, as far as a processor's file needs it.
type Receiving interface {
	// Send hands a command over and returns, when the ledger holds it, the block.
	Send(ctx context.Context, function string, argument []byte) (block uint64, err error)
	// Account returns an account; a refusal not-found when there is none.
	Account(ctx context.Context, id tape.AccountID) (tape.Account, error)
	// Lines returns the lines of page n of a statement; none while they are not filed.
	Lines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error)
	// Pages returns the pages of gifts of an account as of a block or later.
	Pages(ctx context.Context, account tape.AccountID, block uint64) ([]Page, error)
	// Processor reports whether the processor's file of a page is on the ledger,
	// and OpenLines which credit lines of an amount nothing rests on, as of a block or later.
	Processor(ctx context.Context, account tape.AccountID, page tape.ID, block uint64) (bool, error)
	OpenLines(ctx context.Context, account tape.AccountID, amount money.Amount, block uint64) ([]readmodel.Line, error)
	// Claims asks the charity's gateway which announced gifts the memos of lines
	// name, giving.MemosMax at once at most. The answers stand in the order asked.
	Claims(ctx context.Context, memos []giving.Memo) ([]giving.Claim, error)
	// Take tells it which of them the import makes gifts of, as many at once.
	Take(ctx context.Context, takings []giving.Taking) error
}

// Filed is a statement on the ledger.
type Filed struct {
	ID      tape.ID
	Closing money.Amount
	// Pages of lines that it has, and how many of them are filed.
	Pages, Filed int
}

// Page is a page of gifts as a gateway shows it.
type Page struct {
	tape.Page
	// Settled is set once its gifts have their spans, Withdrawn when they never came.
	Settled, Withdrawn bool
}

// Side is one of the two organisations.
type Side struct {
	Organisation string
	Gateway      Gateway
	// Folder is where this side keeps its secrets and plans; nobody else reads it.
	Folder string
}

// Receiver is this side as the one that receives gifts.
func (s Side) Receiver() Receiver { return Receiver{s.Organisation, s.Gateway, s.Folder} }

// Receiver is the charity where only a processor's file is imported.
type Receiver struct {
	Organisation string
	Gateway      Receiving
	// Folder is that of the side.
	Folder string
}

// Order says what is to be imported.
type Order struct {
	File    string
	Mapping statement.Mapping
	// Account receives the gifts; empty to open one.
	Account tape.AccountID
	// Unclaimed is the account of unidentified money that receives the lines
	// without a known reference; empty to make them gifts to Account.
	Unclaimed tape.AccountID
	// Currency that the file must have; empty to take the file's.
	Currency money.Currency
	Charity  Side
	Bank     Side
	// PagesInFlight is how many pages go side by side; 0 means 10: more only waits in the orderers.
	PagesInFlight int
	// Report is told how far the import is; may be nil. Calls do not overlap.
	Report func(Progress)

	// pageLines and settlePages are other than the package's in tests only: a
	// run that goes on must cut the file as the run before did.
	pageLines, settlePages int
}

// Progress is how far an import is.
type Progress struct {
	// Stage is reading, filing, carrying, executing or checking.
	Stage string
	// Received, Filed and Settled count gifts, Gifts is how many there are.
	Received, Filed, Settled, Gifts int
	// Executed counts payouts of this run.
	Executed         int
	Lines            int
	Statement        tape.ID
	Account          tape.AccountID
	Opening, Closing money.Amount
}

// The stages of an import.
const (
	Reading   = "reading"
	Filing    = "filing"
	Carrying  = "carrying"
	Executing = "executing"
	Checking  = "checking"
)

// Result is what an import came to.
type Result struct {
	File        string         `json:"file"`
	Statement   tape.ID        `json:"statement"`
	Account     tape.AccountID `json:"account"`
	BankAccount tape.AccountID `json:"bankAccount"`
	// Opened says that the account was opened by this import.
	Opened bool `json:"opened"`
	// Repeated says that all of it was on the ledger before.
	Repeated bool         `json:"repeated"`
	Opening  money.Amount `json:"opening"`
	Closing  money.Amount `json:"closing"`
	Lines    int          `json:"lines"`
	Gifts    int          `json:"gifts"`
	Total    money.Amount `json:"total"`
	// Settled and SettledTotal are what the charity's gateway shows at the end.
	Settled      int          `json:"settled"`
	SettledTotal money.Amount `json:"settledTotal"`
	Unmatched    int          `json:"unmatched"`
	// Announced counts the gifts whose memo named an announcement.
	Announced int `json:"announced"`
	// Unclaimed counts those of the settled gifts that wait on UnclaimedAccount for somebody to claim them.
	Unclaimed        int            `json:"unclaimed"`
	UnclaimedTotal   money.Amount   `json:"unclaimedTotal"`
	UnclaimedAccount tape.AccountID `json:"unclaimedAccount,omitempty"`
	// Others are the accounts to which references gave gifts beside Account.
	Others []tape.AccountID `json:"others,omitempty"`
	// Executed are the lines that executed payouts, Returned those that brought
	// one back, now or before; Payouts are those that name payouts and did neither.
	Executed Sum            `json:"executed"`
	Returned Sum            `json:"returned"`
	Payouts  []PayoutRemark `json:"payouts"`
	// Processors are the processors' files that waited for a line of this bank account.
	Processors []ProcessorResult `json:"processors"`
	NotGifts   int               `json:"notGifts"`
	// Remarks name the first hundred lines that are not gifts.
	Remarks []Remark `json:"remarks"`
	// FirstGift is the id of one gift, to look at.
	FirstGift tape.ID `json:"firstGift,omitempty"`
	// Position is the last block that the import wrote; 0 where it wrote none.
	Position uint64  `json:"position"`
	Seconds  float64 `json:"seconds"`
}

// Sum is a number of lines and their money.
type Sum struct {
	Count int          `json:"count"`
	Total money.Amount `json:"total"`
}

// Remark is a line that is not a gift.
type Remark struct {
	Line   int            `json:"line"`
	Kind   statement.Kind `json:"kind"`
	Reason string         `json:"reason"`
	Debit  money.Amount   `json:"debit"`
	Credit money.Amount   `json:"credit"`
}

// job is one run of an import.
type job struct {
	Order
	begun   time.Time
	survey  statement.Summary
	plan    plan
	secrets secrets
	// claims are the lines that have an announcement, by their number.
	claims map[int]claim
	// movements are the lines whose memos name payouts.
	movements []movement
	// moved is set when this run executes payouts, or takes some back.
	moved    bool
	progress tally
	position uint64
}

// Import imports a statement, or finishes what an earlier run began.
func Import(ctx context.Context, o Order) (Result, error) {
	j := &job{Order: o, begun: time.Now()}
	j.progress.report = o.Report
	if j.PagesInFlight == 0 {
		j.PagesInFlight = 10
	}
	if j.pageLines == 0 {
		j.pageLines, j.settlePages = pageLines, settlePages
	}
	if o.Currency != "" && j.Mapping.Currency.Code == "" {
		j.Mapping.Currency.Code = string(o.Currency)
	}
	if err := j.read(); err != nil {
		return Result{}, err
	}
	if err := j.prepare(ctx); err != nil {
		return Result{}, err
	}
	j.progress.set(func(p *Progress) {
		p.Statement, p.Account, p.Opening, p.Closing = j.plan.Statement, j.plan.Account, j.plan.Opening, j.closing()
		p.Gifts = j.gifts()
	})
	whole, err := j.wholly(ctx)
	if err != nil {
		return Result{}, err
	}
	if whole {
		return j.again(ctx)
	}
	return j.goOn(ctx)
}

// goOn carries what is not on the ledger yet.
func (j *job) goOn(ctx context.Context) (Result, error) {
	if err := j.claim(ctx); err != nil {
		return Result{}, err
	}
	if err := j.file(ctx); err != nil {
		return Result{}, err
	}
	if err := j.carry(ctx); err != nil {
		return Result{}, err
	}
	r, err := j.check(ctx)
	if err != nil {
		return r, err
	}
	r.Processors, err = j.finishProcessors(ctx)
	return r, err
}

// again goes through a statement whose lines are all on the ledger: payouts
// that were ordered, or found, since are executed by them now.
func (j *job) again(ctx context.Context) (Result, error) {
	if err := j.turn(ctx, j.fill, func(page) error { return nil }); err != nil {
		return Result{}, err
	}
	s, err := j.execute(ctx)
	if err != nil {
		return Result{}, err
	}
	files, err := j.finishProcessors(ctx)
	r := j.result(!j.moved)
	r.tell(s, j.sum)
	r.Settled, r.SettledTotal, r.Processors = r.Gifts, r.Total, files
	return r, err
}

func (j *job) sum(units int64) Sum { return Sum{Total: money.New(units, j.survey.Currency)} }

// read goes through the file and refuses it before anything is sent.
func (j *job) read() error {
	j.progress.stage(Reading)
	var err error
	if j.survey, err = statement.Survey(j.File, j.Mapping); err != nil {
		return j.flawed(err)
	}
	if j.Currency != "" && j.survey.Currency != j.Currency {
		return rule.Field("currency", rule.Refuse(rule.Conflict, "%s was asked for, the statement is in %s", j.Currency, j.survey.Currency))
	}
	j.progress.set(func(p *Progress) { p.Lines, p.Gifts = j.survey.Lines, j.survey.Gifts })
	return nil
}

// flawed adds to the first refusal of a file how many there are.
func (j *job) flawed(first error) error {
	if j.survey.BadRows < 2 {
		return first
	}
	text := fmt.Sprintf("%v; %d more rows are at fault", first, j.survey.BadRows-1)
	if refusal, is := rule.Parse(text); is {
		return refusal
	}
	return first
}

// result tells what is known from the file; check adds what the ledger shows.
func (j *job) result(repeated bool) Result {
	amount := func(units int64) money.Amount { return money.New(units, j.survey.Currency) }
	r := Result{File: filepath.Base(j.File), Statement: j.plan.Statement, Account: j.plan.Account, BankAccount: j.plan.BankAccount,
		Opened: j.plan.Opens, Repeated: repeated, Opening: j.plan.Opening, Closing: j.closing(),
		Lines: j.survey.Lines, Gifts: j.gifts(), Total: amount(j.giftTotal()),
		NotGifts: j.survey.Lines - j.gifts(), Remarks: []Remark{}, Processors: []ProcessorResult{},
		Position: j.position, Seconds: float64(time.Since(j.begun).Milliseconds()) / 1000}
	for _, remark := range j.survey.NotGifts {
		r.Remarks = append(r.Remarks, Remark{Line: remark.Number, Kind: remark.Kind, Reason: remark.Reason,
			Debit: amount(remark.Debit), Credit: amount(remark.Credit)})
	}
	if j.plan.Shape.FirstGift > 0 {
		r.FirstGift = j.nameOf(j.plan.Shape.FirstGift)
	}
	r.Announced, r.Others, r.UnclaimedAccount, r.UnclaimedTotal = len(j.claims), j.plan.Others, j.plan.Unclaimed, amount(0)
	for n := range j.pagesOf(unclaimed) {
		head := j.plan.Shape.Pages[j.first(unclaimed)+n]
		r.Unclaimed += int(head.Count)
		r.UnclaimedTotal.Units += head.Total.Units
	}
	r.tell(sorted{}, j.sum)
	return r
}

func (j *job) giftID(line int) tape.ID { return tape.ID(fmt.Sprintf("%s-%d", j.plan.Statement, line)) }

// nameOf is the id of the gift that a line is.
func (j *job) nameOf(line int) tape.ID {
	if claim, known := j.claims[line]; known {
		return claim.Gift
	}
	if j.plan.Unclaimed != "" {
		return tape.ID(fmt.Sprintf("line-%d", line)) // as the ledger names it
	}
	return j.giftID(line)
}
