package importing

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/statement"
)

// ProcessorOrder says which payment processor's file is to be imported.
type ProcessorOrder struct {
	File    string
	Mapping statement.Mapping
	// Account receives the gifts.
	Account tape.AccountID
	// Processor is who kept the fee, outside the ledger.
	Processor tape.AccountID
	// Reference is what the processor writes into the memo of its bank line, by
	// which a statement that comes later leaves the line to this file. It may be empty.
	Reference string
	// Line chooses the bank line where several carry the sum: STATEMENT:NUMBER.
	Line string
	// Charity alone carries it: what the bank has filed everybody reads.
	Charity Receiver
}

// ProcessorResult is what the import of a processor's file came to.
type ProcessorResult struct {
	File        string         `json:"file"`
	ID          tape.ID        `json:"id"`
	Account     tape.AccountID `json:"account"`
	BankAccount tape.AccountID `json:"bankAccount"`
	Page        tape.ID        `json:"page"`
	// Repeated says that all of it was on the ledger before.
	Repeated bool         `json:"repeated"`
	Gifts    int          `json:"gifts"`
	Total    money.Amount `json:"total"`
	Fee      money.Amount `json:"fee"`
	Net      money.Amount `json:"net"`
	// Ignored counts rows that the file itself says were not paid.
	Ignored int `json:"ignored"`
	// Announced counts the gifts whose memo named an announcement.
	Announced int `json:"announced"`
	// Settled is set once the bank line has come; Statement and Line name it.
	Settled   bool    `json:"settled"`
	Statement tape.ID `json:"statement,omitempty"`
	Line      int32   `json:"line,omitempty"`
	// Waits says why it is not settled: no bank line carries the sum, or several
	// do, which Candidates name.
	Waits      string   `json:"waits,omitempty"`
	Candidates []string `json:"candidates,omitempty"`
	// Position is the last block that the import wrote; 0 where it wrote none.
	Position uint64 `json:"position"`
}

// The reasons why a processor's file is not settled.
const (
	NoLine       = "no line"
	SeveralLines = "several lines"
	Withdrawn    = "withdrawn"
)

// processorPlan is what the import of a processor's file decided before it
// sent anything. It stands in the charity's folder.
type processorPlan struct {
	V           int            `json:"v"`
	Name        string         `json:"name"`
	Digest      string         `json:"digest"`
	ID          tape.ID        `json:"id"`
	Account     tape.AccountID `json:"account"`
	BankAccount tape.AccountID `json:"bankAccount"`
	Processor   tape.AccountID `json:"processor"`
	Reference   string         `json:"reference,omitempty"`
	Count       int            `json:"count"`
	Ignored     int            `json:"ignored"`
	Total       money.Amount   `json:"total"`
	Fee         money.Amount   `json:"fee"`
	Net         money.Amount   `json:"net"`
	// From is the day of the first gift: no line of before carries it.
	From tape.Date `json:"from"`
	// Gifts are the page, as it goes to the ledger.
	Gifts []tape.Gift `json:"gifts"`
	// Marks are keyed hashes of the processor's references: no payment comes twice, whatever file it stands in.
	Marks   []string        `json:"marks"`
	Takings []giving.Taking `json:"takings,omitempty"`
	// Line is the bank line that was chosen.
	Line *chosenLine `json:"line,omitempty"`
	// Done is set when the page is settled.
	Done bool `json:"done,omitempty"`
}

// chosenLine is a line of the bank by its place.
type chosenLine struct {
	Statement tape.ID `json:"statement"`
	N         int32   `json:"n"`
	Index     int     `json:"index"`
	Number    int32   `json:"number"`
}

func (p processorPlan) page() tape.ID { return p.ID + ".page" }

func processorPath(folder string, id tape.ID) string {
	return filepath.Join(folder, "processor-"+string(id)+".json")
}

// keep writes the plan; a run that is killed goes on with it.
func (p processorPlan) keep(folder string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return writeWhole(processorPath(folder, p.ID), append(data, '\n'))
}

// processorPlans reads all of a charity's folder.
func processorPlans(folder string) ([]processorPlan, error) {
	return kept[processorPlan](processorPath(folder, "*"), "1", func(p processorPlan) (int, bool) { return p.V, p.V == 1 })
}

// processing is one run about a processor's file.
type processing struct {
	ProcessorOrder
	plan     processorPlan
	position uint64
	sent     bool
}

// ImportProcessor imports a payment processor's file, or finishes what an earlier run began.
func ImportProcessor(ctx context.Context, o ProcessorOrder) (ProcessorResult, error) {
	s, err := statement.ReadSettlement(o.File, o.Mapping)
	if err != nil {
		return ProcessorResult{}, err
	}
	p := &processing{ProcessorOrder: o}
	if _, err := p.prepare(ctx, s); err != nil {
		return ProcessorResult{}, err
	}
	return p.finish(ctx)
}

// prepare finds the plan of this file, or makes one.
func (p *processing) prepare(ctx context.Context, s statement.Settlement) (again bool, err error) {
	plans, err := processorPlans(p.Charity.Folder)
	if err != nil {
		return false, err
	}
	known := slices.IndexFunc(plans, func(q processorPlan) bool { return q.Digest == s.Digest && q.Account == p.Account })
	if known >= 0 {
		return true, p.adopt(plans[known])
	}
	account, err := p.Charity.Gateway.Account(ctx, p.Account)
	if err != nil {
		return false, rule.Field("account", err)
	}
	if err := p.fits(account, s); err != nil {
		return false, err
	}
	if err := p.draft(ctx, account, s, plans); err != nil {
		return false, err
	}
	return false, p.plan.keep(p.Charity.Folder)
}

// adopt goes on with a plan that stands. What the processor writes into its
// bank line may be said later.
func (p *processing) adopt(known processorPlan) error {
	if p.plan = known; p.Processor != known.Processor {
		return rule.Field("processor", rule.Refuse(rule.Exists, "%s was imported before, for %s; an import goes on as it began", known.Name, known.Processor))
	}
	if p.Reference == "" || p.Reference == known.Reference {
		return nil
	}
	p.plan.Reference = p.Reference
	return p.plan.keep(p.Charity.Folder)
}

// fits refuses what the ledger would refuse, before anything is written.
func (p *processing) fits(account tape.Account, s statement.Settlement) error {
	switch {
	case account.Currency != s.Currency:
		return rule.Field("account", rule.Refuse(rule.Conflict, "%s is in %s, the file in %s", account.ID, account.Currency, s.Currency))
	case account.Unidentified != "":
		return rule.Field("account", rule.Refuse(rule.WrongState, "%s holds money that nobody has claimed; name the account that it is for", account.ID))
	case p.Processor.Check() != nil || !p.Processor.Outside():
		return rule.Field("processor", rule.Refuse(rule.Invalid, "is not outside the ledger, as outside:processor:NAME"))
	}
	return nil
}

// draft decides which gifts the file holds, and what they are called.
func (p *processing) draft(ctx context.Context, account tape.Account, s statement.Settlement, plans []processorPlan) error {
	amount := func(units int64) money.Amount { return money.New(units, s.Currency) }
	p.plan = processorPlan{V: 1, Name: filepath.Base(p.File), Digest: s.Digest, Account: account.ID, BankAccount: account.Custodian, Processor: p.Processor,
		Reference: p.Reference, Count: len(s.Gifts), Ignored: s.Ignored, Total: amount(s.Total), Fee: amount(s.Fee), Net: amount(s.Net), From: tape.Date(s.FirstDate)}
	digest := sha256.Sum256([]byte(p.Charity.Organisation + "\n" + string(account.ID) + "\n" + s.Digest))
	p.plan.ID = tape.ID("P" + alphabet.EncodeToString(digest[:])[:12])
	// The secret that hides payments is the processor's: a payment is known again on whatever account it comes.
	secrets, err := openSecrets(p.Charity.Folder, p.Charity.Folder, p.Processor, p.plan.ID)
	if err != nil {
		return err
	}
	if err := p.mark(ctx, secrets, s, plans); err != nil {
		return err
	}
	claims, err := p.claims(ctx, s)
	if err != nil {
		return err
	}
	for i, gift := range s.Gifts {
		g := tape.Gift{ID: tape.ID(fmt.Sprintf("%s-%d", p.plan.ID, gift.Row)), Amount: amount(gift.Amount), Reference: p.plan.Marks[i]}
		if claim, known := claims[i]; known {
			g.ID, g.Donor = claim.Gift, claim.Donor
			p.plan.Takings = append(p.plan.Takings, giving.Taking{Announcement: claim.Announcement, Line: p.plan.Marks[i]})
		} else {
			g.Donor = secrets.donorOf(g.ID, gift.Payer)
		}
		p.plan.Gifts = append(p.plan.Gifts, g)
	}
	return nil
}

// mark hashes the processor's references, and refuses a payment that another
// file brought; one whose page was withdrawn never came.
func (p *processing) mark(ctx context.Context, secrets secrets, s statement.Settlement, plans []processorPlan) error {
	rows := map[string]int{}
	for _, gift := range s.Gifts {
		mark := secrets.markOf(p.Processor, gift.Reference)
		rows[mark] = gift.Row
		p.plan.Marks = append(p.plan.Marks, mark)
	}
	for _, other := range plans {
		for _, mark := range other.Marks {
			row, doubled := rows[mark]
			if !doubled {
				continue
			}
			if gone, err := p.withdrawn(ctx, other); err != nil || gone {
				if err != nil {
					return err
				}
				break
			}
			return rule.Refuse(rule.Exists, "row %d: this payment was imported before from %s, as page %s of %s; a page that was entered wrongly is withdrawn first", row, other.Name, other.page(), other.Account)
		}
	}
	return nil
}

func (p *processing) withdrawn(ctx context.Context, other processorPlan) (bool, error) {
	page, err := p.standing(ctx, other)
	return page != nil && page.Withdrawn, err
}

// standing is the page of a plan as the charity's gateway shows it; nil before it is there.
func (p *processing) standing(ctx context.Context, plan processorPlan) (*Page, error) {
	pages, err := p.Charity.Gateway.Pages(ctx, plan.Account, p.position)
	for _, page := range pages {
		if page.ID == plan.page() {
			return &page, err
		}
	}
	return nil, err
}

// markOf hides a processor's reference; the charity alone can make it again.
func (s secrets) markOf(processor tape.AccountID, reference string) string {
	s.reference.Reset()
	s.reference.Write([]byte("lianbao payment 1\n" + string(processor) + "\n" + reference))
	return base64.RawURLEncoding.EncodeToString(s.reference.Sum(nil)[:16])
}

// claims asks whose gifts the memos name, by their place in the file.
func (p *processing) claims(ctx context.Context, s statement.Settlement) (map[int]giving.Claim, error) {
	var asked []giving.Memo
	var places []int
	for i, gift := range s.Gifts {
		// Where a memo names two, how the amount is shared, nobody has said.
		if names := donation.FindReferences(gift.Memo); len(names) == 1 {
			asked, places = append(asked, giving.Memo{Reference: names[0], Line: p.plan.Marks[i]}), append(places, i)
		}
	}
	found := map[int]giving.Claim{}
	for from := 0; from < len(asked); from += giving.MemosMax {
		part := asked[from:min(from+giving.MemosMax, len(asked))]
		claims, err := p.Charity.Gateway.Claims(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("asking %s whose the memos are: %w", p.Charity.Organisation, err)
		}
		if len(claims) != len(part) {
			return nil, fmt.Errorf("the gateway of %s answered %d memos of %d", p.Charity.Organisation, len(claims), len(part))
		}
		for i, claim := range claims {
			if !claim.Known {
				continue
			}
			gift := s.Gifts[places[from+i]]
			if claim.Account != p.plan.Account {
				// One line of the bank carries one page, and a page is one account's.
				return nil, rule.Refuse(rule.Conflict, "row %d: its memo names a gift that was announced for %s, the file is imported for %s; let the processor settle each campaign by a file of its own", gift.Row, claim.Account, p.plan.Account)
			}
			found[places[from+i]] = claim
		}
	}
	return found, nil
}

// finish carries what is not on the ledger yet, as far as the bank has come.
func (p *processing) finish(ctx context.Context) (ProcessorResult, error) {
	page, err := p.standing(ctx, p.plan)
	if err != nil {
		return ProcessorResult{}, err
	}
	if page != nil && (page.Settled || page.Withdrawn) {
		if err := p.done(); err != nil {
			return ProcessorResult{}, err
		}
		r := p.result()
		r.Repeated, r.Settled = !p.sent, page.Settled
		if page.Withdrawn {
			r.Waits = Withdrawn
		}
		return r, nil
	}
	if page == nil {
		if err := p.receive(ctx); err != nil {
			return ProcessorResult{}, err
		}
	}
	r, err := p.settle(ctx)
	r.Repeated, r.Position = !p.sent, p.position
	return r, err
}

func (p *processing) done() error {
	if p.plan.Done {
		return nil
	}
	p.plan.Done = true
	return p.plan.keep(p.Charity.Folder)
}

func (p *processing) result() ProcessorResult {
	r := ProcessorResult{File: p.plan.Name, ID: p.plan.ID, Account: p.plan.Account, BankAccount: p.plan.BankAccount, Page: p.plan.page(),
		Gifts: p.plan.Count, Total: p.plan.Total, Fee: p.plan.Fee, Net: p.plan.Net, Ignored: p.plan.Ignored, Announced: len(p.plan.Takings), Position: p.position}
	if p.plan.Line != nil {
		r.Statement, r.Line = p.plan.Line.Statement, p.plan.Line.Number
	}
	return r
}

// receive brings the page of gifts; their givers can see them from then on.
func (p *processing) receive(ctx context.Context) error {
	for part := range slices.Chunk(p.plan.Takings, giving.MemosMax) {
		if err := p.Charity.Gateway.Take(ctx, part); err != nil {
			return fmt.Errorf("telling %s whose the memos are: %w", p.Charity.Organisation, err)
		}
	}
	command := tape.Receive{Account: p.plan.Account, ID: p.plan.page(), Count: int32(p.plan.Count), Total: p.plan.Total, Gifts: p.plan.Gifts}
	argument, err := command.Encode()
	if err != nil {
		return err
	}
	return p.send(ctx, "Tape:Receive", argument)
}

func (p *processing) send(ctx context.Context, function string, argument []byte) error {
	block, err := p.Charity.Gateway.Send(ctx, function, argument)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", function, p.Charity.Organisation, err)
	}
	p.position, p.sent = max(p.position, block), true
	return nil
}

// settle files the processor's file with its bank line, and settles the page by it.
func (p *processing) settle(ctx context.Context) (ProcessorResult, error) {
	filed, err := p.Charity.Gateway.Processor(ctx, p.plan.Account, p.plan.page(), p.position)
	if err != nil {
		return p.result(), err
	}
	if !filed {
		waits, candidates, err := p.choose(ctx)
		if err != nil || waits != "" {
			r := p.result()
			r.Waits, r.Candidates = waits, candidates
			return r, err
		}
		if err := p.file(ctx); err != nil {
			return p.result(), err
		}
	}
	command := tape.Settle{Account: p.plan.Account, ID: p.plan.ID + ".settle", Items: []tape.SettleItem{{Processor: p.plan.ID, Source: string(p.plan.page())}}}
	if err := p.patiently(ctx, "Tape:Settle", command); err != nil {
		return p.result(), err
	}
	page, err := p.standing(ctx, p.plan)
	if err != nil {
		return p.result(), err
	}
	if page == nil || !page.Settled || page.Total != p.plan.Total || int(page.Count) != p.plan.Count {
		return p.result(), rule.Refuse(rule.Conflict, "the file holds %d gifts of %s, the ledger shows page %s otherwise", p.plan.Count, p.plan.Total, p.plan.page())
	}
	r := p.result()
	r.Settled = true
	return r, p.done()
}

// choose finds the line that carries the net, and keeps the choice before the
// command leaves. A line that was chosen and that somebody else has used since is given up.
func (p *processing) choose(ctx context.Context) (waits string, candidates []string, err error) {
	lines, err := p.open(ctx)
	if err != nil {
		return "", nil, err
	}
	if p.plan.Line != nil && slices.Contains(lines, *p.plan.Line) {
		return "", nil, nil
	}
	candidates = named(lines)
	if p.Line != "" {
		at := slices.Index(candidates, p.Line)
		if at < 0 {
			return "", nil, rule.Field("line", rule.Refuse(rule.NotFound, "names no free line of %s that carries %s; there are: %s", p.plan.BankAccount, p.plan.Net, strings.Join(candidates, ", ")))
		}
		lines = lines[at : at+1]
	}
	switch len(lines) {
	case 0:
		return NoLine, nil, nil
	case 1:
		p.plan.Line = &lines[0]
		return "", nil, p.plan.keep(p.Charity.Folder)
	}
	return SeveralLines, candidates, nil
}

// named are lines as people choose one: STATEMENT:NUMBER.
func named(lines []chosenLine) (names []string) {
	for _, line := range lines {
		names = append(names, fmt.Sprintf("%s:%d", line.Statement, line.Number))
	}
	return names
}

// open are the lines of the bank that carry the net, from the first gift's day
// on, and that no import keeps for gifts of its own.
func (p *processing) open(ctx context.Context) ([]chosenLine, error) {
	lines, err := p.Charity.Gateway.OpenLines(ctx, p.plan.BankAccount, p.plan.Net, p.position)
	if err != nil {
		return nil, err
	}
	var free []chosenLine
	for _, line := range lines {
		kept, err := keptForGifts(p.Charity.Folder, line.Statement, line.N)
		if err != nil {
			return nil, err
		}
		if line.Date >= p.plan.From && !kept {
			free = append(free, chosenLine{Statement: line.Statement, N: line.N, Index: line.Index, Number: line.Number})
		}
	}
	return free, nil
}

// keptForGifts reports whether the import of a statement makes gifts of a page of lines.
func keptForGifts(folder string, id tape.ID, n int32) (bool, error) {
	data, err := os.ReadFile(planPath(folder, id))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	var of plan
	if err == nil {
		err = json.Unmarshal(data, &of)
	}
	if err != nil {
		return false, err
	}
	return of.Shape.groupOf(n) != credits, nil
}

// file files the processor's file for the chosen line.
func (p *processing) file(ctx context.Context) error {
	at := *p.plan.Line
	body, err := p.Charity.Gateway.Lines(ctx, p.plan.BankAccount, at.Statement, at.N)
	if err != nil {
		return err
	}
	proof, err := tape.NewLineProof(at.Statement, at.N, body, at.Index)
	if err != nil {
		return err
	}
	_, matches, _, err := tape.GiftsBody(p.plan.Gifts)
	if err != nil {
		return err
	}
	command := tape.FileProcessor{Account: p.plan.Account, Count: int32(p.plan.Count), ID: p.plan.ID, Line: proof, Matches: matches, Page: p.plan.page(), Total: p.plan.Total}
	if p.plan.Fee.Units > 0 {
		command.Fee, command.FeeTo = &p.plan.Fee, p.plan.Processor
	}
	return p.patiently(ctx, "Tape:FileProcessor", command)
}

// patiently sends what needs the bank's page, which the charity's peer may hear of a moment later.
func (p *processing) patiently(ctx context.Context, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	for begun := time.Now(); ; {
		err := p.send(ctx, function, argument)
		if !rule.Is(err, rule.NotFound) || time.Since(begun) > settlePatience {
			return err
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// await finds the lines of a statement that carry files which wait for them:
// the net to the unit, and the processor's reference in the memo.
func (j *job) await() error {
	waiting, err := j.waiting()
	waiting = slices.DeleteFunc(waiting, func(p processorPlan) bool { return p.Reference == "" })
	if err != nil || len(waiting) == 0 {
		return err
	}
	reader, err := statement.Open(j.File, j.Mapping)
	if err != nil {
		return err
	}
	defer reader.Close()
	for line, err := range reader.All() {
		if err != nil {
			return err
		}
		at := slices.IndexFunc(waiting, func(p processorPlan) bool {
			return line.Credit == p.Net.Units && (strings.Contains(line.Description, p.Reference) || strings.Contains(line.Reference, p.Reference))
		})
		if at < 0 || !reader.Classify(line).Gift() {
			continue
		}
		j.plan.Processors = append(j.plan.Processors, carrying{Number: line.Number, File: waiting[at].ID, Units: line.Credit})
		waiting = slices.Delete(waiting, at, at+1)
	}
	return nil
}

// waiting are the processors' files of this bank account that have no line yet.
func (j *job) waiting() ([]processorPlan, error) {
	plans, err := processorPlans(j.Charity.Folder)
	return slices.DeleteFunc(plans, func(p processorPlan) bool {
		return p.Done || p.BankAccount != j.plan.BankAccount || p.Net.Currency != j.survey.Currency
	}), err
}

// finishProcessors settles the processors' files whose line this statement has brought.
func (j *job) finishProcessors(ctx context.Context) ([]ProcessorResult, error) {
	waiting, err := j.waiting()
	results := []ProcessorResult{}
	for _, plan := range waiting {
		p := &processing{ProcessorOrder: ProcessorOrder{Account: plan.Account, Charity: j.Charity.Receiver()}, plan: plan, position: j.position}
		for _, line := range j.plan.Processors {
			if line.File == plan.ID {
				p.Line = fmt.Sprintf("%s:%d", j.plan.Statement, line.Number)
			}
		}
		r, err := p.finish(ctx)
		if err != nil {
			return results, err
		}
		j.position, j.moved = p.position, j.moved || p.sent
		results = append(results, r)
	}
	return results, err
}

// gifts and giftTotal are what the file's gifts come to, without the lines that carry processors' files.
func (j *job) gifts() int { return j.survey.Gifts - len(j.plan.Processors) }

func (j *job) giftTotal() int64 {
	total := j.survey.GiftTotal
	for _, line := range j.plan.Processors {
		total -= line.Units
	}
	return total
}
