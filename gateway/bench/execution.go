package bench

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// custodian is the organisation whose statements show what was paid.
const custodian = "bank"

// Execution is the bank's part of a disbursement: a statement with one debit
// line for each payout, imported, until the bank's gateway shows them paid.
type Execution struct {
	Payouts int     `json:"payouts"`
	Seconds float64 `json:"seconds"`
	// ExecuteSeconds are those in which payouts were looked up and executed; the
	// others went into reading the file and filing its lines.
	ExecuteSeconds float64            `json:"executeSeconds"`
	CPU            map[string]float64 `json:"cpuSeconds"`
	// Single is the same with a transaction for each payout, and without filing
	// the lines; SingleSeconds is what that would need for all.
	Single        Rate    `json:"single"`
	SingleSeconds float64 `json:"singleSeconds"`
}

// row is a line of an invented statement.
type row struct {
	debit, credit money.Amount
	memo          string
}

// file writes an invented statement of today.
func (c campaign) file(name string, rows []row) (path string, clean func(), err error) {
	var text strings.Builder
	text.WriteString("line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n")
	today := time.Now().UTC().Format(time.DateOnly)
	figure := func(a money.Amount) string { return strings.TrimSuffix(a.String(), " "+string(a.Currency)) }
	for i, r := range rows {
		fmt.Fprintf(&text, "%d,%s,,Rfake-%s-%d,%s,%s,%s,fake%012x,%s\n", i+1, today, name, i+1, figure(r.debit), figure(r.credit), c.currency, i+1, r.memo)
	}
	folder, err := os.MkdirTemp("", "lianbao-bench-")
	clean = func() { _ = os.RemoveAll(folder) }
	if err != nil {
		return "", clean, err
	}
	path = filepath.Join(folder, c.name+"."+name+".csv")
	return path, clean, os.WriteFile(path, []byte(text.String()), 0o600)
}

// takes imports an invented statement of the campaign's bank account.
func (c campaign) takes(ctx context.Context, name string, rows []row, report func(importing.Progress)) (importing.Result, error) {
	path, clean, err := c.file(name, rows)
	defer clean()
	if err != nil {
		return importing.Result{}, err
	}
	return c.options.Import(ctx, path, c.account, report)
}

// endows gives a campaign money by one gift that a statement shows.
func (c campaign) endows(ctx context.Context, units int64) error {
	r, err := c.takes(ctx, "endowment", []row{{debit: c.units(0), credit: c.units(units)}}, nil)
	if err == nil && r.SettledTotal != c.units(units) {
		err = fmt.Errorf("the endowment was not settled: %+v", r)
	}
	return err
}

// executes lets the bank pay all that the disbursement has ordered.
func (d disbursement) executes(ctx context.Context) (*Execution, error) {
	e := Execution{Payouts: len(d.payouts())}
	d.report("%d payouts executed by the lines of the bank's statement", e.Payouts)
	var rows []row
	for _, p := range d.payouts() {
		rows = append(rows, row{debit: p.amount, credit: d.units(0), memo: donation.ReferenceOfPayout(d.account, p.hold).Grouped()})
	}
	var from time.Time
	begun, before := time.Now(), d.cpu(ctx)
	r, err := d.takes(ctx, "debits", rows, func(p importing.Progress) {
		if p.Stage == importing.Executing && from.IsZero() {
			from = time.Now()
		}
	})
	e.Seconds, e.ExecuteSeconds, e.CPU = time.Since(begun).Seconds(), time.Since(from).Seconds(), d.used(ctx, before)
	if err == nil && r.Executed.Count != e.Payouts {
		err = fmt.Errorf("the statement executed %d payouts of %d; %v did nothing", r.Executed.Count, e.Payouts, r.Payouts)
	}
	return &e, err
}

// executesSingly pays by a transaction for each line, all side by side.
func (d disbursement) executesSingly(ctx context.Context, e *Execution) error {
	payouts := d.payouts()
	d.report("%d payouts executed by a transaction each, for comparison", len(payouts))
	var rows []row
	for _, p := range payouts {
		rows = append(rows, row{debit: p.amount, credit: d.units(0), memo: "an invented payment"})
	}
	r, err := d.takes(ctx, "singles", rows, nil)
	if err != nil {
		return err
	}
	gateway, err := d.gatewayOf(custodian)
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, gateway, r)
	if err != nil {
		return err
	}
	each := make([]time.Duration, len(payouts))
	begun, before := time.Now(), d.cpu(ctx)
	work, working := errgroup.WithContext(ctx)
	for i, p := range payouts {
		work.Go(func() error {
			begun := time.Now()
			proof, err := tape.NewLineProof(r.Statement, 0, lines, i)
			if err == nil {
				_, err = record(working, gateway, "Tape:Capture", tape.Capture{Account: d.account, Amount: p.amount, Hold: p.hold, ID: p.hold + ".paid", Line: &proof})
			}
			each[i] = time.Since(begun)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	took := time.Since(begun).Seconds()
	e.Single = Rate{PerSecond: float64(len(each)) / took, Done: len(each), Ended: len(each), InFlight: len(each), Latency: latencyOf(each), CPU: d.used(ctx, before)}
	e.SingleSeconds = float64(e.Payouts) / e.Single.PerSecond
	return nil
}

// linesOf reads the one page of lines of a statement.
func linesOf(ctx context.Context, gateway *client.Client, r importing.Result) ([]tape.Line, error) {
	var list readmodel.List[readmodel.Line]
	path := "/api/v1/statements/" + url.PathEscape(string(r.BankAccount)) + "/" + url.PathEscape(string(r.Statement)) + "/lines?n=0&limit=1000"
	err := gateway.Get(ctx, path, fmt.Sprint(r.Position), &list)
	var lines []tape.Line
	for _, l := range list.Items {
		lines = append(lines, tape.Line{Number: l.Number, Date: l.Date, Amount: l.Amount, Reference: l.Reference})
	}
	if err == nil && len(lines) != r.Lines {
		err = fmt.Errorf("statement %s has %d lines, %d are shown", r.Statement, r.Lines, len(lines))
	}
	return lines, err
}

// payout is one that a disbursement ordered.
type payout struct {
	hold   tape.ID
	amount money.Amount
}

func (d disbursement) payouts() []payout {
	var all []payout
	for _, run := range d.chunks {
		for i, line := range run.Lines {
			all = append(all, payout{tape.ChunkHold(d.id, run.N, i), line.Amount})
		}
	}
	return all
}
