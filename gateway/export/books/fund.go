package books

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/table"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// fundTables are the tables of a campaign: its plan, whom it decided to pay and
// what they said. An account that is no campaign's has them without rows.
var fundTables = []tableOf{
	{"budget", columns("line", "kind", "titleEn", "titleZh", "amount$", "ordered$"), budgetRows},
	{"disbursements", columns("disbursement", "line", "amount$", "payments", "chunks", "listed", "ran", "state", "maker", "custody", "evidence", "plan", "at", "expires", "entry", "block"), disbursementRows},
	{"approvals", columns("disbursement", "person", "organisation", "custody"), approvalRows},
	{"payees", columns("payee", "kind", "own-key", "agent", "flagged", "entry", "block"), payeeRows},
	{"confirmations", columns("hold", "payee", "line", "outcome", "reason", "amount$", "confirmed$", "custody", "disputed-before", "at", "entry"), confirmationRows},
	{"publications", columns("n", "duty", "from", "to", "date", "up-to-block", "raised$", "settled$", "ordered$", "paid$", "confirmed$", "management$", "document", "previous", "entry"), publicationRows},
	{"pledges", columns("pledge", "amount$", "due", "state", "gift", "entry", "block"), pledgeRows},
	{"goods", columns("goods", "item", "unit", "quantity", "given", "entry", "block"), goodsRows},
	{"citations", columns("hash", "kind", "for", "entry", "block"), citationRows},
	{"partners", columns("partner", "organisation", "withdrawn", "entry", "block"), partnerRows},
	{"agents", columns("agent", "payees", "payees-most", "ended", "entry", "block"), agentRows},
}

// recordRows makes rows of the records under a prefix of the account's own.
func recordRows[T any](ctx context.Context, r *reading, prefix string, row func(T) []table.Cell) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Record], error) {
		return r.Model.Records(ctx, prefix+string(r.account.ID)+"/", w)
	}, func(record readmodel.Record) ([]table.Cell, bool, error) {
		var one T
		err := json.Unmarshal(record.Value, &one)
		return append(row(one), table.Number(record.Block)), record.Block < r.next, err
	})
}

func budgetRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(readmodel.Window) (readmodel.List[fund.BudgetLine], error) {
		campaign, err := r.Model.Campaign(ctx, r.account.ID)
		if rule.Is(err, rule.NotFound) {
			err = nil
		}
		return readmodel.List[fund.BudgetLine]{Items: campaign.Plan.Lines}, err
	}, func(line fund.BudgetLine) ([]table.Cell, bool, error) {
		ordered, err := r.onLine(ctx, line.ID)
		return []table.Cell{table.Text(line.ID), table.Text(line.Kind), table.Text(line.Title.En), table.Text(line.Title.Zh), table.Money(line.Amount), table.Money(ordered)}, true, err
	})
}

// onLine is what the ledger's own budget counts as ordered on a line.
func (r *reading) onLine(ctx context.Context, line tape.ID) (money.Amount, error) {
	record, err := r.Model.Record(ctx, fund.BudgetKey(r.account.ID))
	if err != nil {
		return money.Amount{}, err
	}
	var budget fund.Budget
	if err := json.Unmarshal(record.Value, &budget); err != nil {
		return money.Amount{}, err
	}
	ordered := money.New(0, r.account.Currency)
	for _, one := range budget.Lines {
		if one.Line == line {
			ordered.Units = one.Units
		}
	}
	return ordered, nil
}

func (r *reading) disbursements(ctx context.Context) func(readmodel.Window) (readmodel.List[readmodel.Disbursement], error) {
	return func(w readmodel.Window) (readmodel.List[readmodel.Disbursement], error) {
		return r.Model.Disbursements(ctx, readmodel.DisbursementFilter{Account: r.account.ID}, w)
	}
}

func disbursementRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(r.disbursements(ctx), func(d readmodel.Disbursement) ([]table.Cell, bool, error) {
		return []table.Cell{table.Text(d.Disbursement.ID), table.Text(d.Line), table.Money(d.Amount), table.Number(d.Count), table.Number(d.Chunks), table.Number(d.Listed), table.Number(d.Ran),
			table.Text(d.State), table.Text(d.Maker.Person), table.Text(d.Maker.Custody), table.Number(len(d.Evidence)), table.Number(d.Plan), table.Text(d.At.String()), table.Text(d.Expires.String()),
			table.Text(d.Entry), table.Number(d.Block)}, d.Block < r.next, nil
	})
}

func approvalRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return func(yield func([]table.Cell, error) bool) {
		for d, err := range walk(r.disbursements(ctx)) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, a := range d.Approvals {
				if !yield([]table.Cell{table.Text(d.Disbursement.ID), table.Text(a.Person), table.Text(a.Organisation), table.Text(a.Custody)}, nil) {
					return
				}
			}
		}
	}
}

func payeeRows(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Payee], error) {
		return r.Model.Payees(ctx, readmodel.PayeeFilter{Account: r.account.ID}, w)
	}, func(p readmodel.Payee) ([]table.Cell, bool, error) {
		return []table.Cell{payeeCell(p.Payee.Payee, o), table.Text(p.Kind), table.Truth(p.Person != ""), table.Text(p.Agent), table.Text(p.Flagged), table.Text(p.Entry), table.Number(p.Block)}, p.Block < r.next, nil
	})
}

// payeeCell is a payee's pseudonym where the charity asks for it; others learn
// only what its name says of its kind.
func payeeCell(payee tape.AccountID, o TableOptions) table.Cell {
	if !o.Pseudonyms && byName(payee) == Household {
		return table.Text("household")
	}
	return table.Text(payee)
}

func confirmationRows(ctx context.Context, r *reading, o TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(w readmodel.Window) (readmodel.List[readmodel.Payout], error) {
		return r.Model.Payouts(ctx, readmodel.PayoutFilter{Account: r.account.ID}, w)
	}, func(p readmodel.Payout) ([]table.Cell, bool, error) {
		c := p.Confirmation
		if c == nil {
			return nil, false, nil
		}
		return []table.Cell{table.Text(c.Hold), payeeCell(c.Payee, o), table.Text(p.Line), table.Text(c.Outcome), table.Text(c.Reason), table.Money(c.Amount), table.Money(c.Confirmed(p.Hold.Hold)),
			table.Text(c.By.Custody), table.Text(c.Disputed), table.Text(c.At.String()), table.Text(c.Entry)}, true, nil
	})
}

func publicationRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return rowsOf(func(readmodel.Window) (readmodel.List[fund.Publication], error) {
		published, err := r.Model.Publications(ctx, r.account.ID)
		return readmodel.List[fund.Publication]{Items: published}, err
	}, func(p fund.Publication) ([]table.Cell, bool, error) {
		f := p.Figures
		return []table.Cell{table.Number(p.N), table.Text(p.Duty), table.Text(p.From), table.Text(p.To), table.Text(p.Date), table.Number(p.Block), table.Money(f.Raised), table.Money(f.Settled),
			table.Money(f.Ordered), table.Money(f.Paid), table.Money(f.Confirmed), table.Money(f.Management), table.Text(p.Document.String()), table.Text(p.Previous), table.Text(p.Entry)}, true, nil
	})
}

func pledgeRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return recordRows(ctx, r, "pledge/", func(p fund.Pledge) []table.Cell {
		return []table.Cell{table.Text(p.ID), table.Money(p.Amount), table.Text(p.Due), table.Text(p.State), table.Text(p.Gift), table.Text(p.Entry)}
	})
}

func goodsRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return recordRows(ctx, r, "goods/", func(g fund.Goods) []table.Cell {
		return []table.Cell{table.Text(g.ID), table.Text(g.Item), table.Text(g.Unit), table.Number(g.Quantity), table.Number(g.Given), table.Text(g.Entry)}
	})
}

func citationRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return recordRows(ctx, r, "cited/", func(c fund.Cited) []table.Cell {
		return []table.Cell{table.Text(c.Hash.String()), table.Text(c.Kind), table.Text(c.For), table.Text(c.Entry)}
	})
}

func partnerRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return recordRows(ctx, r, "invited/", func(i fund.Invitation) []table.Cell {
		return []table.Cell{table.Text(i.Partner), table.Text(i.Organisation), table.Truth(i.Withdrawn), table.Text(i.Entry)}
	})
}

func agentRows(ctx context.Context, r *reading, _ TableOptions) iter.Seq2[[]table.Cell, error] {
	return recordRows(ctx, r, "agent/", func(a fund.Agent) []table.Cell {
		return []table.Cell{table.Text(a.Person), table.Number(a.Payees), table.Number(a.PayeesMax), table.Truth(a.Ended), table.Text(a.Entry)}
	})
}
