package books

import (
	"context"
	"io"
	"iter"
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/table"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TableOptions are what a reader of a table needs.
type TableOptions struct {
	table.Options
	// Pseudonyms writes the account ids of households, by which the payments of
	// one can be told from another's. For the charity's own use.
	Pseudonyms bool
}

// tableOf is one kind of table.
type tableOf struct {
	name    string
	columns []table.Column
	rows    func(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error]
}

// tables are the tables of an account, in the order in which they are listed.
// Donors' commitments, references and everything else by which gifts could be
// joined to persons stay out.
var tables = slices.Concat(tapeTables, fundTables)

var tapeTables = []tableOf{
	{"gifts", columns("page", "index", "gift", "amount$", "state", "span", "evidence", "lines", "line", "entry", "at"), giftRows},
	{"pages", columns("page", "count", "total$", "state", "settlement", "span", "evidence", "reference", "parent", "entry", "block"), pageRows},
	{"settlements", columns("n", "source", "span", "evidence", "reference", "entry", "block"), settlementRows},
	{"transfers-in", columns("source", "from", "amount$", "line", "origin", "settlement", "span", "at", "block"), inflowRows},
	{"orders", columns("hold", "to", "amount$", "captured$", "returned$", "left$", "state", "expires", "job", "entry", "block"), holdRows},
	{"jobs", columns("job", "amount$", "moved$", "chunks", "ran", "state", "entry", "block"), jobRows},
	{"postings", columns("entry", "kind", "date", "from", "to", "amount$", "line", "inflow", "origin", "memo", "block"), postingRows},
	{"entries", columns("organisation", "entry", "kind", "at", "date", "rules", "evidence", "intents", "transaction", "block"), entryRows},
	{"statements", columns("statement", "from", "to", "opening$", "closing$", "lines", "pages", "filed", "entry", "block"), statementRows},
	{"lines", columns("statement", "page", "index", "side", "number", "date", "amount$", "used"), lineRows},
}

// columns makes columns of names; $ marks one of money.
func columns(names ...string) []table.Column {
	var all []table.Column
	for _, name := range names {
		column := table.Column{Name: name}
		if name[len(name)-1] == '$' {
			column = table.Column{Name: name[:len(name)-1], Money: true}
		}
		all = append(all, column)
	}
	return all
}

// Standards names the files of published standards.
func Standards() []string { return []string{"iati.xml", "360giving.json"} }

// Tables names the tables there are.
func Tables() []string {
	var names []string
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

// WriteTable writes one table of an account as CSV, row by row, and returns
// what its columns of money sum to. The days of a cut do not limit a table; it
// holds everything up to the block at which it is begun.
func (b *Books) WriteTable(ctx context.Context, w io.Writer, account tape.AccountID, name string, cut Cut, o TableOptions) (table.Totals, error) {
	for _, t := range tables {
		if t.name != name {
			continue
		}
		r, err := b.read(ctx, account, cut)
		if err != nil {
			return nil, err
		}
		return table.Write(w, table.Table{Columns: t.columns, Rows: t.rows(ctx, r, o)}, o.Options)
	}
	return nil, rule.Field("table", rule.Refuse(rule.NotFound, "%.40q is none of %v", name, Tables()))
}

// rowsOf makes rows of a list; what came after the reading began is left out.
func rowsOf[T any](list func(readmodel.Window) (readmodel.List[T], error), row func(T) (cells []table.Cell, in bool, err error)) iter.Seq2[[]table.Cell, error] {
	return func(yield func([]table.Cell, error) bool) {
		for one, err := range walk(list) {
			var cells []table.Cell
			in := true
			if err == nil {
				cells, in, err = row(one)
			}
			if (in || err != nil) && !yield(cells, err) {
				return
			}
		}
	}
}

func spanCell(span *tape.Span) table.Cell {
	if span == nil {
		return table.Cell{}
	}
	return table.Text(span.String())
}

func evidenceCells(evidence *tape.Evidence) (kind, reference table.Cell) {
	if evidence == nil {
		return table.Cell{}, table.Cell{}
	}
	return table.Text(evidence.Kind), table.Text(evidence.Reference)
}

// partyCell names an account, but for households only that it is one.
func (r *reading) partyCell(ctx context.Context, account tape.AccountID, o TableOptions) (table.Cell, error) {
	if o.Pseudonyms || account == r.account.ID || account == r.account.Custodian {
		return table.Text(account), nil
	}
	party, err := r.of(ctx, account)
	if err != nil {
		return table.Cell{}, err
	}
	if party.Kind == Household {
		return table.Text("household"), nil
	}
	return table.Text(account), nil
}

func giftRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Gift], error) {
		return r.Model.Gifts(ctx, readmodel.GiftFilter{Account: r.account.ID}, w)
	}, func(g readmodel.Gift) ([]table.Cell, bool, error) {
		kind, reference := evidenceCells(g.Evidence)
		line := table.Cell{}
		if g.Line >= 0 {
			line = table.Number(g.Line)
		}
		return []table.Cell{table.Text(g.Page), table.Number(g.Index), table.Text(g.ID), table.Money(g.Amount), table.Text(g.State), spanCell(g.Span), kind, reference, line, table.Text(g.Entry), table.Text(g.At.String())}, true, nil
	})
}

func pageRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.GiftPage], error) {
		return r.Model.Pages(ctx, readmodel.PageFilter{Account: r.account.ID}, w)
	}, func(p readmodel.GiftPage) ([]table.Cell, bool, error) {
		kind, reference := evidenceCells(p.Rests)
		return []table.Cell{table.Text(p.ID), table.Number(p.Count), table.Money(p.Total), table.Text(p.State), table.Number(p.Settlement), spanCell(p.Span), kind, reference, table.Text(p.Parent), table.Text(p.Entry), table.Number(p.Block)}, p.Block < r.next, nil
	})
}

func settlementRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Settlement], error) {
		return r.Model.Settlements(ctx, r.account.ID, w)
	}, func(s readmodel.Settlement) ([]table.Cell, bool, error) {
		kind, reference := evidenceCells(&s.Evidence)
		return []table.Cell{table.Number(s.N), table.Text(s.Source), spanCell(&s.Span), kind, reference, table.Text(s.Entry), table.Number(s.Block)}, s.Block < r.next, nil
	})
}

func inflowRows(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Inflow], error) {
		return r.Model.Inflows(ctx, readmodel.InflowFilter{Account: r.account.ID}, w)
	}, func(f readmodel.Inflow) ([]table.Cell, bool, error) {
		from, err := r.partyCell(ctx, f.From, o)
		return []table.Cell{table.Text(f.Source), from, table.Money(f.Amount), table.Text(f.Line), table.Text(f.Origin), table.Number(f.Settlement), spanCell(f.Span), table.Text(f.At.String()), table.Number(f.Block)}, f.Block < r.next, err
	})
}

func holdRows(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Hold], error) {
		return r.Model.Holds(ctx, readmodel.HoldFilter{Account: r.account.ID}, w)
	}, func(h readmodel.Hold) ([]table.Cell, bool, error) {
		to, err := r.partyCell(ctx, h.To, o)
		return []table.Cell{table.Text(h.ID), to, table.Money(h.Amount), r.units(h.Captured), r.units(h.Returned), r.units(h.Spans), table.Text(h.State), table.Text(h.Expires.String()), table.Text(h.Job), table.Text(h.Entry), table.Number(h.Block)}, h.Block < r.next, err
	})
}

func (r *reading) units(spans tape.Spans) table.Cell {
	amount := r.account.Free
	amount.Units = spans.Total()
	return table.Money(amount)
}

func jobRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Job], error) {
		return r.Model.Jobs(ctx, r.account.ID, w)
	}, func(j readmodel.Job) ([]table.Cell, bool, error) {
		return []table.Cell{table.Text(j.ID), table.Money(j.Amount), table.Money(j.Moved), table.Number(j.Chunks), table.Number(j.Ran), table.Text(j.State), table.Text(j.Entry), table.Number(j.Block)}, j.Block < r.next, nil
	})
}

func postingRows(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Posting], error) {
		return r.Model.Postings(ctx, r.account.ID, w)
	}, func(p readmodel.Posting) ([]table.Cell, bool, error) {
		from, err := r.partyCell(ctx, p.From, o)
		if err != nil {
			return nil, true, err
		}
		to, err := r.partyCell(ctx, p.To, o)
		return []table.Cell{table.Text(p.Entry), table.Text(p.Kind), table.Text(p.Date), from, to, table.Money(p.Amount), table.Text(p.Line), table.Text(p.Inflow), table.Text(p.Origin), table.Truth(p.Memo), table.Number(p.Block)}, p.Block < r.next, err
	})
}

func entryRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Entry], error) {
		return r.Model.Entries(ctx, readmodel.EntryFilter{Subject: string(r.account.ID)}, w)
	}, func(e readmodel.Entry) ([]table.Cell, bool, error) {
		return []table.Cell{table.Text(e.Organisation), table.Text(e.ID), table.Text(e.Kind), table.Text(e.At.String()), table.Text(e.BusinessDate), table.Number(e.Rules), table.Number(len(e.Evidence)), table.Number(len(e.Intents)), table.Text(e.Transaction), table.Number(e.Block)}, e.Block < r.next, nil
	})
}

func statementRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(r.statements(ctx), func(s readmodel.Statement) ([]table.Cell, bool, error) {
		return []table.Cell{table.Text(s.ID), table.Text(s.From), table.Text(s.To), table.Money(s.Opening), table.Money(s.Closing), table.Number(s.Count), table.Number(s.Pages), table.Number(s.Filed), table.Text(s.Entry), table.Number(s.Block)}, s.Block < r.next, nil
	})
}

// statements lists those of the bank account where the account's money is,
// which may hold the money of the charity's other accounts as well.
func (r *reading) statements(ctx context.Context) func(readmodel.Window) (readmodel.List[readmodel.Statement], error) {
	return func(w readmodel.Window) (readmodel.List[readmodel.Statement], error) {
		return r.Model.Statements(ctx, r.account.Custodian, w)
	}
}

func lineRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return func(yield func([]table.Cell, error) bool) {
		for s, err := range walk(r.statements(ctx)) {
			if err != nil {
				yield(nil, err)
				return
			}
			if s.Block >= r.next {
				return
			}
			for cells, err := range rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Line], error) {
				return r.Model.Lines(ctx, readmodel.LineFilter{Account: r.account.Custodian, Statement: s.ID}, w)
			}, lineRow) {
				if !yield(cells, err) {
					return
				}
			}
		}
	}
}

func lineRow(l readmodel.Line) ([]table.Cell, bool, error) {
	return []table.Cell{table.Text(l.Statement), table.Number(l.N), table.Number(l.Index), table.Text(l.Side), table.Number(l.Number), table.Text(l.Date), table.Money(l.Amount), table.Truth(l.Used)}, true, nil
}
