package cooperative

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// QuarterFigures are what a regulator asks for at a quarter's end.
type QuarterFigures struct {
	// Quarter is its last day, From its first.
	Quarter tape.Date `json:"quarter"`
	From    tape.Date `json:"from"`
	Classes string    `json:"classes"`
	// Lenders are each lender's book in each currency, by their names.
	Lenders []LenderFigures `json:"lenders"`
	// Groups count those of all schemes by state, as they stood at the quarter's end.
	Groups []Counted `json:"groups"`
	// Calls count and sum the calls of guarantors made in the quarter, as they stood at its end.
	Calls []CallFigures `json:"calls"`
	// Pools are what pools paid in the quarter.
	Pools []PoolFigures `json:"pools"`
}

// LenderFigures are one lender's book at a quarter's end.
type LenderFigures struct {
	Lender string `json:"lender"`
	Sums
	// WrittenOffYear was written off in the twelve months before; with it added
	// back to both sides, NonPerformingBasisPoints is the ratio that pools count.
	WrittenOffYear           money.Amount `json:"writtenOffYear"`
	NonPerformingBasisPoints int32        `json:"nonPerformingBasisPoints"`
	// Later are payments that count as of the quarter and came to light after its
	// end: with them the figures above are not those that were known then.
	Later Later `json:"later"`
	// Restated counts loans whose terms were changed after the quarter's end: of the
	// days before, the books know them as they stood when that was done.
	Restated int `json:"restated"`
	// Frozen are the figures as pools froze them, each once.
	Frozen []pool.Snapshot `json:"frozen"`
}

// Later counts and sums payments on loans, whole ones, that were booked behind the
// day as of which they count.
type Later struct {
	Count  int          `json:"count"`
	Amount money.Amount `json:"amount"`
}

// CallFigures are the calls of one state and currency.
type CallFigures struct {
	State    string         `json:"state"`
	Currency money.Currency `json:"currency"`
	Count    int            `json:"count"`
	Called   money.Amount   `json:"called"`
	Open     money.Amount   `json:"open"`
}

// PoolFigures are what one pool paid lenders in a quarter.
type PoolFigures struct {
	Pool  tape.AccountID `json:"pool"`
	Count int            `json:"count"`
	Paid  money.Amount   `json:"paid"`
}

// QuarterOf are the figures of the quarter that ends on a day.
func QuarterOf(ctx context.Context, m *readmodel.Model, quarter tape.Date) (QuarterFigures, error) {
	q := QuarterFigures{Quarter: quarter, Lenders: []LenderFigures{}, Groups: []Counted{}, Calls: []CallFigures{}, Pools: []PoolFigures{}}
	if err := rule.Field("quarter", quarter.Check()); err != nil {
		return q, err
	}
	if pool.QuarterBefore(quarter.AddDays(1)) != quarter {
		return q, rule.Field("quarter", rule.Refuse(rule.Invalid, "%s is no last day of a quarter", quarter))
	}
	q.From = pool.QuarterBefore(quarter).AddDays(1)
	for _, fill := range []func(context.Context, *readmodel.Model) error{q.lenders, q.groups, q.calls, q.pools} {
		if err := fill(ctx, m); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *QuarterFigures) lenders(ctx context.Context, m *readmodel.Model) error {
	classes, err := loan.ClassesOn(q.Quarter)
	if err != nil {
		return err
	}
	q.Classes = classes.ID
	loans, err := disbursed(ctx, m, Asked{})
	if err != nil {
		return err
	}
	var lenders []string
	for _, l := range loans {
		for _, lender := range l.Lenders {
			if !slices.Contains(lenders, lender.Organisation) {
				lenders = append(lenders, lender.Organisation)
			}
		}
	}
	slices.Sort(lenders)
	for _, lender := range lenders {
		own := slices.DeleteFunc(slices.Clone(loans), func(l loan.Loan) bool { return !l.LentBy(lender) })
		for _, currency := range currencies(own) {
			one, err := figuresOf(ctx, m, own, classes, currency, Asked{Lender: lender, Day: q.Quarter})
			if err != nil {
				return err
			}
			q.Lenders = append(q.Lenders, one)
		}
	}
	return nil
}

// figuresOf are a lender's in one currency.
func figuresOf(ctx context.Context, m *readmodel.Model, own []loan.Loan, classes loan.Classes, currency money.Currency, asked Asked) (LenderFigures, error) {
	sums, err := sum(own, classes, currency, asked)
	if err != nil {
		return LenderFigures{}, err
	}
	figures, err := loan.Figures(asked.Lender, currency, own, asked.Day)
	if err != nil {
		return LenderFigures{}, err
	}
	one := LenderFigures{Lender: asked.Lender, Sums: sums, WrittenOffYear: amount(figures.WrittenOff, currency), NonPerformingBasisPoints: figures.Ratio()}
	err = one.known(ctx, m, own, asked.Day)
	return one, err
}

// known adds what is known of the figures as they were known at the quarter's end.
func (l *LenderFigures) known(ctx context.Context, m *readmodel.Model, loans []loan.Loan, quarter tape.Date) error {
	l.Later.Amount = amount(0, l.Currency)
	for _, of := range loans {
		if of.Principal.Currency == l.Currency && before(of, quarter) {
			l.Restated++
		}
		for _, payment := range of.Book.Payments {
			if of.Principal.Currency != l.Currency || payment.Date > quarter {
				continue
			}
			organisation, id, _ := strings.Cut(payment.Entry, "/")
			entry, err := m.PlaceOf(ctx, organisation, tape.ID(id))
			if rule.Is(err, rule.NotFound) || err == nil && entry.Day <= quarter { // of a loan that ran before the ledger stood there is no entry
				continue
			}
			if err != nil {
				return err
			}
			l.Later.Count++
			l.Later.Amount.Units += payment.Amount.Units
		}
	}
	return l.frozen(ctx, m, quarter)
}

// frozen are the lender's snapshots of the quarter at pools of the currency.
func (l *LenderFigures) frozen(ctx context.Context, m *readmodel.Model, quarter tape.Date) error {
	pools, err := Pools(ctx, m)
	if err != nil {
		return err
	}
	l.Frozen = []pool.Snapshot{}
	for _, p := range pools {
		snapshot, err := optional[pool.Snapshot](ctx, m, pool.SnapshotKey(p.Account, l.Lender, quarter))
		if err != nil {
			return err
		}
		if snapshot != nil && p.Currency == l.Currency {
			l.Frozen = append(l.Frozen, *snapshot)
		}
	}
	return nil
}

func (q *QuarterFigures) groups(ctx context.Context, m *readmodel.Model) error {
	groups, err := readmodel.RecordsAsOf[group.Group](ctx, m, "group/", q.Quarter)
	for _, g := range groups {
		i := slices.IndexFunc(q.Groups, func(c Counted) bool { return c.Of == string(g.State) })
		if i < 0 {
			i, q.Groups = len(q.Groups), append(q.Groups, Counted{Of: string(g.State)})
		}
		q.Groups[i].Count++
	}
	slices.SortFunc(q.Groups, func(a, b Counted) int {
		return slices.Index(groupStates, group.State(a.Of)) - slices.Index(groupStates, group.State(b.Of))
	})
	return err
}

func (q *QuarterFigures) calls(ctx context.Context, m *readmodel.Model) error {
	calls, err := readmodel.RecordsAsOf[recourse.Call](ctx, m, "call/", q.Quarter)
	for _, call := range calls {
		if call.Date < q.From || call.Date > q.Quarter {
			continue
		}
		currency := call.Amount.Currency
		i := slices.IndexFunc(q.Calls, func(c CallFigures) bool { return c.State == string(call.State) && c.Currency == currency })
		if i < 0 {
			i, q.Calls = len(q.Calls), append(q.Calls, CallFigures{State: string(call.State), Currency: currency, Called: amount(0, currency), Open: amount(0, currency)})
		}
		q.Calls[i].Count++
		q.Calls[i].Called.Units += call.Amount.Units
		q.Calls[i].Open.Units += call.Open()
	}
	return err
}

// pools sums the entries that paid claims.
func (q *QuarterFigures) pools(ctx context.Context, m *readmodel.Model) error {
	pools, err := Pools(ctx, m)
	if err != nil {
		return err
	}
	for _, p := range pools {
		one := PoolFigures{Pool: p.Account, Paid: amount(0, p.Currency)}
		entries, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Entry], error) {
			return m.Entries(ctx, readmodel.EntryFilter{Kind: "pay-pool-claim", Subject: string(p.Account)}, w)
		})
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.BusinessDate < q.From || entry.BusinessDate > q.Quarter {
				continue
			}
			one.Count++
			for _, posting := range entry.Postings {
				if posting.From == p.Account && !posting.Memo {
					one.Paid.Units += posting.Amount.Units
				}
			}
		}
		q.Pools = append(q.Pools, one)
	}
	return nil
}

// Write spells the figures as a table for spreadsheets: quarter, of whom, which
// figure, currency, value. Amounts have a point and no separators, ratios are in parts per million.
func (q QuarterFigures) Write(w io.Writer) error {
	table := csv.NewWriter(w)
	rows := [][]string{{"quarter", "of", "figure", "currency", "value"}}
	add := func(of, figure string, currency money.Currency, value string) {
		rows = append(rows, []string{string(q.Quarter), of, figure, string(currency), value})
	}
	for _, l := range q.Lenders {
		for _, one := range l.rows() {
			add(l.Lender, one[0], l.Currency, one[1])
		}
	}
	for _, g := range q.Groups {
		add("groups", g.Of, "", strconv.Itoa(g.Count))
	}
	for _, c := range q.Calls {
		add("calls", c.State+" count", c.Currency, strconv.Itoa(c.Count))
		add("calls", c.State+" called", c.Currency, number(c.Called))
		add("calls", c.State+" still asked", c.Currency, number(c.Open))
	}
	for _, p := range q.Pools {
		add(string(p.Pool), "claims paid", p.Paid.Currency, strconv.Itoa(p.Count))
		add(string(p.Pool), "paid", p.Paid.Currency, number(p.Paid))
	}
	return table.WriteAll(rows)
}

// rows are a lender's figures as names and values.
func (l LenderFigures) rows() [][2]string {
	rows := [][2]string{{"gross", number(l.Gross)}}
	for _, c := range l.ByClass {
		rows = append(rows, [2]string{c.Class, number(c.Amount)})
	}
	for _, r := range l.AtRisk {
		name := "PAR" + strconv.Itoa(int(r.Days))
		rows = append(rows, [2]string{name, number(r.Amount)}, [2]string{name + " parts per million", strconv.Itoa(int(r.PartsPerMillion))})
	}
	return append(rows, [2]string{"restructured", number(l.Restructured)}, [2]string{"written off and still owed", number(l.WrittenOff)},
		[2]string{"written off in twelve months", number(l.WrittenOffYear)}, [2]string{"non-performing", number(l.NonPerforming)},
		[2]string{"non-performing with write-offs added back, basis points", strconv.Itoa(int(l.NonPerformingBasisPoints))},
		[2]string{"payments of the quarter that came to light after it", number(l.Later.Amount)},
		[2]string{"loans whose terms were changed after it, as they stood then", strconv.Itoa(l.Restated)})
}

// number is an amount without its currency, which has a column of its own.
func number(a money.Amount) string {
	text := a.String()
	return text[:len(text)-len(" "+string(a.Currency))]
}
