package tape

import (
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Limits of a job: 1,000 chunks of 200 lines are 200,000 payments.
const (
	ChunksMax     = 1000
	ChunkLinesMax = 200
)

// OpenJob moves the whole amount of one large act off the head and fixes what
// each chunk will pay by a Merkle sum root.
type OpenJob struct {
	Account AccountID    `json:"account"`
	Amount  money.Amount `json:"amount"`
	Chunks  int32        `json:"chunks"`
	Expires Instant      `json:"expires"`
	// ID is the entry's and the job's.
	ID   ID          `json:"id"`
	Root merkle.Hash `json:"root"`
}

// Check refuses a malformed command.
func (c OpenJob) Check(currency money.Currency) error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := c.Amount.Positive(currency); err != nil {
		return rule.Field("amount", err)
	}
	if longest := IDMax - len(ChunkHold("", ChunksMax-1, PartLinesMax-1)); len(c.ID) > longest {
		return rule.Field("id", rule.Refuse(rule.Invalid, "is %d characters long; a job's holds are named after it, so %d at most", len(c.ID), longest))
	}
	if c.Chunks < 1 || c.Chunks > ChunksMax {
		return rule.Field("chunks", rule.Refuse(rule.Invalid, "is %d; 1 to %d are possible", c.Chunks, ChunksMax))
	}
	return nil
}

// OpenJob judges the command.
func (h Head) OpenJob(account Account, c OpenJob, ctx Context) (Head, Job, Entry, error) {
	refuse := func(err error) (Head, Job, Entry, error) { return h, Job{}, Entry{}, err }
	if err := c.Check(account.Currency); err != nil {
		return refuse(err)
	}
	if err := account.spender(ctx); err != nil {
		return refuse(err)
	}
	if err := expiry(c.Expires, ctx.At); err != nil {
		return refuse(err)
	}
	h, taken, err := h.take(c.Amount.Units, account.Currency)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "open-job", string(account.ID))
	job := Job{V: 1, Account: account.ID, ID: c.ID, Amount: c.Amount, Spans: taken, Chunks: c.Chunks, Root: c.Root,
		Expires: c.Expires, State: JobOpen, Entry: entry.Reference()}
	return h, job, entry, h.Check()
}

// RunChunk pays chunk N of a job. It reads no head: chunks run side by side,
// and each runs once.
type RunChunk struct {
	Account AccountID     `json:"account"`
	ID      ID            `json:"id"`
	Job     ID            `json:"job"`
	Lines   []Payment     `json:"lines"`
	N       int32         `json:"n"`
	Path    []merkle.Node `json:"path"`
}

// ChunkLeaf is the leaf of a chunk in its job's tree.
func ChunkLeaf(n int32, lines []Payment) (merkle.Leaf, error) {
	data, err := canonical.Encode(struct {
		Lines []Payment `json:"lines"`
		N     int32     `json:"n"`
	}{lines, n})
	if err != nil {
		return merkle.Leaf{}, err
	}
	units := make([]int64, len(lines))
	for i, line := range lines {
		units[i] = line.Amount.Units
	}
	total, err := money.Sum(units...)
	return merkle.Leaf{Data: data, Amount: total}, err
}

// NewJob makes the commands of a job out of its chunks: one to open it, one for each chunk.
func NewJob(account AccountID, id ID, expires Instant, chunks [][]Payment) (OpenJob, []RunChunk, error) {
	leaves := make([]merkle.Leaf, len(chunks))
	for n, lines := range chunks {
		var err error
		if leaves[n], err = ChunkLeaf(int32(n), lines); err != nil {
			return OpenJob{}, nil, err
		}
	}
	if len(chunks) == 0 || len(chunks[0]) == 0 {
		return OpenJob{}, nil, rule.Refuse(rule.Invalid, "a job needs at least one payment")
	}
	root, total := merkle.Root(leaves)
	open := OpenJob{Account: account, Amount: money.New(total, chunks[0][0].Amount.Currency), Chunks: int32(len(chunks)),
		Expires: expires, ID: id, Root: root}
	runs := make([]RunChunk, len(chunks))
	for n, lines := range chunks {
		path, err := merkle.Prove(leaves, n)
		if err != nil {
			return OpenJob{}, nil, err
		}
		runs[n] = RunChunk{Account: account, ID: id + ID("-"+strconv.Itoa(n)), Job: id, Lines: lines, N: int32(n), Path: append([]merkle.Node{}, path...)}
	}
	return open, runs, nil
}

// Ran is what a chunk comes to: an inflow for each payee on the ledger, a hold
// for each outside.
type Ran struct {
	Chunk   Chunk
	Inflows []Inflow
	Holds   []Hold
}

// Part is one chunk on its way. Of a disbursement the job's root fixes the
// payments themselves. Of a settlement it fixes each household's share, and what
// of that goes to whom depends on what the household owes when the chunk runs: its
// rules work out the lines, which come to the leaf's amount.
type Part struct {
	// ID is the entry's.
	ID    ID
	Job   ID
	N     int32
	Leaf  merkle.Leaf
	Path  []merkle.Node
	Lines []Payment
	// LinesMax is the most lines that the rules allow, PartLinesMax at most.
	LinesMax int
}

// PartLinesMax keeps the number of a hold in its name to three digits (ChunkHold).
const PartLinesMax = 1000

// Run judges the command; payees stand in the order of its lines, nil where none is open.
func (j Job) Run(account Account, c RunChunk, ran *Chunk, payees []*Account, ctx Context) (Ran, Entry, error) {
	leaf, _ := ChunkLeaf(c.N, c.Lines) // lines that have none are refused one by one
	return j.RunPart(account, Part{ID: c.ID, Job: c.Job, N: c.N, Leaf: leaf, Path: c.Path, Lines: c.Lines, LinesMax: ChunkLinesMax}, ran, payees, ctx)
}

// RunPart does the same for a chunk whose rules worked out its lines.
func (j Job) RunPart(account Account, part Part, ran *Chunk, payees []*Account, ctx Context) (Ran, Entry, error) {
	refuse := func(err error) (Ran, Entry, error) { return Ran{}, Entry{}, err }
	if err := j.runnable(account, part, ran, ctx); err != nil {
		return refuse(err)
	}
	total := money.New(0, account.Currency)
	if len(part.Lines) > 0 || part.Leaf.Amount != 0 { // a chunk of nothing is proven, and pays nobody
		var err error
		if total, err = totalOf("lines", part.LinesMax, part.Lines, account.ID, account.Currency); err != nil {
			return refuse(err)
		}
	}
	if total.Units != part.Leaf.Amount {
		return refuse(rule.Field("lines", rule.Refuse(rule.Conflict, "come to %s; chunk %d of job %s is %s", total, part.N, j.ID, money.New(part.Leaf.Amount, account.Currency))))
	}
	if err := j.payableTo(part.Lines, payees, account.Currency, ctx); err != nil {
		return refuse(err)
	}
	offset, err := merkle.Verify(j.Root, j.Amount.Units, int(j.Chunks), int(part.N), part.Leaf, part.Path)
	if err != nil {
		return refuse(rule.Field("path", rule.Refuse(rule.Conflict, "chunk %d is not under the root of job %s", part.N, j.ID)))
	}
	units := Span{offset, offset + total.Units}
	spans, err := j.Spans.Slice(units.Start, units.End)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(part.ID, "run-chunk", string(account.ID))
	result, entry, err := j.payLines(part, spans, entry)
	result.Chunk = Chunk{V: 1, Account: account.ID, Job: j.ID, N: part.N, Entry: entry.Reference()}
	if units.Length() > 0 {
		result.Chunk.Part = units
	}
	return result, entry, err
}

// payableTo refuses lines to an account that is not there, and payouts whose
// holds would be born expired.
func (j Job) payableTo(lines []Payment, payees []*Account, currency money.Currency, ctx Context) error {
	for i, line := range lines {
		if line.To.Outside() {
			if ctx.At >= j.Expires {
				return rule.Item("lines", i, rule.Refuse(rule.Expired, "payouts of job %s could be ordered until %s; abandon the job", j.ID, j.Expires))
			}
			continue
		}
		if err := receives(line.To, payees[i], currency); err != nil {
			return rule.Item("lines", i, err)
		}
	}
	return nil
}

func (j Job) runnable(account Account, c Part, ran *Chunk, ctx Context) error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := account.spender(ctx); err != nil {
		return err
	}
	if ran != nil {
		return rule.Field("n", rule.Refuse(rule.WrongState, "chunk %d of job %s has run, in entry %s", c.N, j.ID, ran.Entry))
	}
	if j.State != JobOpen {
		return rule.Field("job", rule.Refuse(rule.WrongState, "job %s is %s", j.ID, j.State))
	}
	return nil
}

// payLines shares the chunk's spans out in the order of its lines.
func (j Job) payLines(c Part, spans Spans, entry Entry) (Ran, Entry, error) {
	var result Ran
	for i, line := range c.Lines {
		part, rest, err := spans.Cut(line.Amount.Units)
		if err != nil {
			return result, entry, err
		}
		spans = rest
		if line.To.Outside() {
			result.Holds = append(result.Holds, Hold{V: 1, Account: j.Account, ID: ChunkHold(j.ID, c.N, i), To: line.To,
				OnBehalfOf: line.OnBehalfOf, Amount: line.Amount, Spans: part, Expires: j.Expires, State: HoldOpen, Entry: entry.Reference()})
			continue
		}
		inflow := entry.inflow(j.Account, line, part)
		result.Inflows = append(result.Inflows, inflow)
		entry.Postings = append(entry.Postings, Posting{From: j.Account, To: line.To, Amount: line.Amount, Taken: part,
			Inflow: inflow.Source, Line: line.Line, OnBehalfOf: line.OnBehalfOf, Origin: line.Origin})
	}
	return result, entry, nil
}

// ChunkHold names the hold that line i of chunk n orders. Names of that form are
// the chunks' own: a chunk runs once, so nothing can stand there before, and a
// chunk of 200 payouts need not look.
func ChunkHold(job ID, n int32, i int) ID {
	return job + ID("."+strconv.Itoa(int(n))+"."+strconv.Itoa(i))
}

// JobOf is the job whose chunk ordered a hold of this name, none where no chunk did.
func JobOf(hold ID) ID {
	parts := strings.Split(string(hold), ".")
	if n := len(parts); n > 2 && digits(parts[n-2]) && digits(parts[n-1]) {
		return ID(strings.Join(parts[:n-2], "."))
	}
	return ""
}

// holdName checks the name of a hold that no chunk orders.
func holdName(id ID) error {
	if err := id.Check(); err != nil {
		return err
	}
	if JobOf(id) != "" {
		return rule.Refuse(rule.Invalid, "ends like the name of a job's payout, .number.number; choose another id")
	}
	return nil
}

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// CloseJob ends a job: when its chunks tile it, or, to abandon it, at any time.
type CloseJob struct {
	Abandon bool      `json:"abandon,omitempty"`
	Account AccountID `json:"account"`
	ID      ID        `json:"id"`
	Job     ID        `json:"job"`
}

// Close judges the command; chunks are those that have run. The head is only
// needed to abandon.
func (j Job) Close(account Account, head Head, c CloseJob, chunks []Chunk, ctx Context) (Job, Head, Entry, error) {
	refuse := func(err error) (Job, Head, Entry, error) { return j, head, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.spender(ctx); err != nil {
		return refuse(err)
	}
	if j.State != JobOpen {
		return refuse(rule.Field("job", rule.Refuse(rule.WrongState, "job %s is %s", j.ID, j.State)))
	}
	left, err := j.unpaid(chunks)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "close-job", string(account.ID))
	if !c.Abandon {
		if len(left) > 0 || len(chunks) != int(j.Chunks) {
			return refuse(rule.Field("job", rule.Refuse(rule.WrongState, "%d of %d chunks have run, %s is left; run them or abandon the job", len(chunks), j.Chunks, money.New(left.Total(), account.Currency))))
		}
		j.State = JobClosed
		return j, head, entry, nil
	}
	for _, part := range left {
		spans, err := j.Spans.Slice(part.Start, part.End)
		if err != nil {
			return refuse(err)
		}
		if head, err = head.reopen(spans); err != nil {
			return refuse(err)
		}
		j.Left = append(j.Left, spans...)
	}
	j.State = JobAbandoned
	return j, head, entry, head.Check()
}

// unpaid are the parts of the job's units that no chunk has paid.
func (j Job) unpaid(chunks []Chunk) (Spans, error) {
	left := Spans{{0, j.Amount.Units}}
	for _, chunk := range chunks {
		if chunk.Part.Length() == 0 {
			continue
		}
		var err error
		if left, err = left.Remove(chunk.Part); err != nil {
			return nil, rule.Refuse(rule.Conflict, "chunk %d of job %s overlaps another", chunk.N, j.ID)
		}
	}
	return left, nil
}

// Memo records accruals between accounts of one organisation: they balance and
// have no place on a tape.
type Memo struct {
	Account  AccountID     `json:"account"`
	ID       ID            `json:"id"`
	Postings []MemoPosting `json:"postings"`
}

// MemoPosting moves an accrual; From and To are memo accounts such as
// receivable:... or premium:..., by the grammar of accounts.
type MemoPosting struct {
	Amount money.Amount `json:"amount"`
	From   AccountID    `json:"from"`
	To     AccountID    `json:"to"`
}

// Total is the sum of the batch; it refuses a malformed one.
func (c Memo) Total(currency money.Currency) (money.Amount, error) {
	if err := c.ID.Check(); err != nil {
		return money.Amount{}, rule.Field("id", err)
	}
	payments := make([]Payment, len(c.Postings))
	for i, p := range c.Postings {
		if err := p.From.Check(); err != nil {
			return money.Amount{}, rule.Item("postings", i, rule.Field("from", err))
		}
		if p.From == p.To {
			return money.Amount{}, rule.Item("postings", i, rule.Refuse(rule.Invalid, "posts from %s to itself", p.From))
		}
		payments[i] = Payment{Amount: p.Amount, Line: ID("line-" + strconv.Itoa(i)), To: p.To}
	}
	return totalOf("postings", PaymentsMax, payments, "", currency)
}

// Named lists what each posting is about: from, to, and of both the account
// behind the memo account's kind, such as charity:a:books of receivable:charity:a:books.
func (c Memo) Named() []AccountID {
	var named []AccountID
	for _, p := range c.Postings {
		_, from, _ := strings.Cut(string(p.From), ":")
		_, to, _ := strings.Cut(string(p.To), ":")
		named = append(named, p.From, p.To, AccountID(from), AccountID(to))
	}
	return named
}

// Memo judges the command; it concerns an account, whose sponsor records it.
// named are the accounts of Named, nil where none is open: what an accrual says
// about an account, the account's own sponsor says.
func (a Account) Memo(c Memo, named []*Account, ctx Context) (Entry, error) {
	if _, err := c.Total(a.Currency); err != nil {
		return Entry{}, err
	}
	if err := a.sponsor(ctx); err != nil {
		return Entry{}, err
	}
	for i, account := range named {
		if account != nil && account.Organisation != ctx.Organisation {
			return Entry{}, rule.Item("postings", i*len(c.Postings)/len(named), rule.Refuse(rule.Forbidden, "%s is an account of %s, whose accruals %s does not record",
				account.ID, account.Organisation, ctx.Organisation))
		}
	}
	entry := ctx.Entry(c.ID, "memo", string(a.ID))
	for _, p := range c.Postings {
		entry.Postings = append(entry.Postings, Posting{From: p.From, To: p.To, Amount: p.Amount, Memo: true})
	}
	return entry, nil
}
