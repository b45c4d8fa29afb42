package tape

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// ExecuteMax is the most payouts one command executes.
const ExecuteMax = 400

// Execute pays out of many holds of an account by debit lines of one page of a
// statement, as banks execute a file of orders. It reads no head, and each line
// and each hold has its own key: batches run side by side.
type Execute struct {
	Account AccountID   `json:"account"`
	ID      ID          `json:"id"`
	Items   []Execution `json:"items"`
	// N is the page, Path shows that all the lines are on it.
	N         int32         `json:"n"`
	Path      []merkle.Node `json:"path"`
	Statement ID            `json:"statement"`
}

// Execution is one debit line and the payouts that it carries: mostly one, or
// all of a file that the bank executed as one debit. The line's amount is what
// is left in the holds, no more and no less.
type Execution struct {
	Holds []ID  `json:"holds"`
	Index int32 `json:"index"`
	Line  row   `json:"line"`
}

// ExecutedLine says which payouts line Index of a page of lines carries.
type ExecutedLine struct {
	Index int
	Holds []ID
}

// NewExecute makes the command out of a page of lines; executed rise by index.
func NewExecute(account AccountID, id, statement ID, n int32, lines []Line, executed []ExecutedLine) (Execute, error) {
	c := Execute{Account: account, ID: id, N: n, Statement: statement}
	_, leaves, err := LinesBody(DebitSide, lines)
	if err != nil {
		return c, err
	}
	indexes := make([]int, len(executed))
	for i, e := range executed {
		if e.Index < 0 || e.Index >= len(lines) {
			return c, rule.Item("items", i, rule.Refuse(rule.NotFound, "line %d is not on the page", e.Index))
		}
		indexes[i] = e.Index
		r, _, _ := readRow(lines[e.Index].Row())
		c.Items = append(c.Items, Execution{Holds: e.Holds, Index: int32(e.Index), Line: r})
	}
	c.Path, err = merkle.ProveMany(leaves, indexes)
	return c, err
}

// Check refuses a malformed command.
func (c Execute) Check() error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	seen := map[ID]bool{}
	for i, item := range c.Items {
		if len(item.Holds) == 0 {
			return rule.Item("items", i, rule.Field("holds", rule.Refuse(rule.Invalid, "names no payout")))
		}
		for _, id := range item.Holds {
			if seen[id] {
				return rule.Item("items", i, rule.Refuse(rule.Invalid, "payout %s stands twice", id))
			}
			seen[id] = true
		}
	}
	if len(seen) == 0 || len(seen) > ExecuteMax {
		return rule.Field("items", rule.Refuse(rule.Invalid, "name %d payouts; 1 to %d are possible", len(seen), ExecuteMax))
	}
	return nil
}

// Holds are the ids that the command names, in order.
func (c Execute) Holds() []ID {
	var ids []ID
	for _, item := range c.Items {
		ids = append(ids, item.Holds...)
	}
	return ids
}

// Execute judges the command; holds stand in the order of its ids, lines is the
// page, nil where it is not filed, and used says of each item whether its line
// executed something before.
func (a Account) Execute(c Execute, holds []Hold, lines *Lines, used []bool, ctx Context) ([]Hold, Entry, error) {
	refuse := func(err error) ([]Hold, Entry, error) { return nil, Entry{}, err }
	if err := c.Check(); err != nil {
		return refuse(err)
	}
	if err := keeper(a.Custodian, ctx); err != nil {
		return refuse(err)
	}
	bodies, err := c.lines(a, lines)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "execute", string(a.ID))
	after := make([]Hold, 0, len(holds))
	for i, item := range c.Items {
		if used[i] {
			return refuse(rule.Item("items", i, rule.Refuse(rule.WrongState, "line %d of statement %s has been used already", bodies[i].Number, c.Statement)))
		}
		paid, postings, err := bodies[i].execute(a, holds[:len(item.Holds)])
		if err != nil {
			return refuse(rule.Item("items", i, err))
		}
		holds, after, entry.Postings = holds[len(item.Holds):], append(after, paid...), append(entry.Postings, postings...)
		for range postings { // evidence i is that of posting i
			entry.Evidence = append(entry.Evidence, Evidence{Kind: "statement", Reference: LinesKey(lines.Account, lines.Statement, lines.N), Line: bodies[i].Number})
		}
	}
	return after, entry, nil
}

// lines are those of the items, which the path shows to be on the page.
func (c Execute) lines(account Account, page *Lines) ([]Line, error) {
	if page == nil || page.Account != account.Custodian {
		return nil, rule.Refuse(rule.NotFound, "page %d of statement %s of %s is not filed", c.N, c.Statement, account.Custodian)
	}
	if page.Side != DebitSide {
		return nil, rule.Refuse(rule.Conflict, "page %d of statement %s holds credit lines, debit lines are needed", c.N, c.Statement)
	}
	bodies, indexes, leaves := make([]Line, len(c.Items)), make([]int, len(c.Items)), make([]merkle.Leaf, len(c.Items))
	for i, item := range c.Items {
		var err error
		if bodies[i], err = lineOf(item.Line); err != nil {
			return nil, rule.Item("items", i, rule.Field("line", err))
		}
		indexes[i], leaves[i] = int(item.Index), merkle.Leaf{Data: []byte(item.Line.String()), Amount: bodies[i].Amount.Units}
	}
	return bodies, rule.Field("path", merkle.VerifyMany(page.Root, page.Total.Units, int(page.Count), indexes, leaves, c.Path))
}

// execute pays all that is left in holds by one line.
func (l Line) execute(account Account, holds []Hold) ([]Hold, []Posting, error) {
	left := make([]int64, len(holds))
	for i, h := range holds {
		if !h.To.Outside() {
			return nil, nil, rule.Refuse(rule.Invalid, "hold %s pays %s on the ledger and needs no bank line", h.ID, h.To)
		}
		if err := h.payable(l.Date); err != nil {
			return nil, nil, err
		}
		left[i] = h.Spans.Total()
	}
	total, err := money.Sum(left...)
	if err != nil {
		return nil, nil, err
	}
	if l.Amount != money.New(total, account.Currency) {
		return nil, nil, rule.Refuse(rule.Conflict, "line %d carries %s, %s is to be paid to %s", l.Number, l.Amount, money.New(total, account.Currency), named(holds))
	}
	after, postings := make([]Hold, len(holds)), make([]Posting, len(holds))
	for i, h := range holds {
		paid, taken, err := h.pay(left[i], l.Date)
		if err != nil {
			return nil, nil, err
		}
		after[i] = paid
		postings[i] = Posting{From: h.Account, To: h.To, Amount: money.New(left[i], account.Currency), Taken: taken, Line: h.ID}
	}
	return after, postings, nil
}

// named says which payouts a line would carry.
func named(holds []Hold) string {
	if len(holds) == 1 {
		return string(holds[0].ID)
	}
	return string(holds[0].ID) + " and others up to " + string(holds[len(holds)-1].ID)
}
