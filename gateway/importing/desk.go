package importing

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

// Desk takes processors' files that people bring, one request each: the file
// is read and planned while they wait, and carried to the ledger behind them.
type Desk struct {
	charity Receiver
	log     *slog.Logger
	context context.Context
	end     context.CancelFunc
	runs    sync.WaitGroup
	// planning is held while a file is planned: two that share a payment come one after the other.
	planning sync.Mutex

	mutex sync.Mutex
	// carried are the imports that are under way, troubles why the last run of one ended early.
	carried  map[tape.ID]bool
	troubles map[tape.ID]error
}

// NewDesk opens a desk of the charity; Close ends what is under way, and
// whoever opens one again goes on from the plans.
func NewDesk(charity Receiver, log *slog.Logger) *Desk {
	d := &Desk{charity: charity, log: log, carried: map[tape.ID]bool{}, troubles: map[tape.ID]error{}}
	d.context, d.end = context.WithCancel(context.Background())
	return d
}

// Close ends what is under way and waits for it.
func (d *Desk) Close() {
	d.mutex.Lock() // whoever is about to begin a run has begun it before the wait, or sees the end
	d.end()
	d.mutex.Unlock()
	d.Wait()
}

// Wait returns when nothing is carried any more.
func (d *Desk) Wait() { d.runs.Wait() }

const (
	// runMost is how long one run may take.
	runMost = 10 * time.Minute
	// unpackedBytesMax is the most that a file may be when it is unpacked: a page's
	// gifts and as many rows again that were not paid fill a small part of it.
	unpackedBytesMax = 32 << 20
	// nameRunesMost is how much of a file's name is kept.
	nameRunesMost = 80
)

func shortened(name string) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), nameRunesMost)])
}

// Bring reads a file and decides what becomes of it. The order's File is its
// name alone; again says that it was brought before, and then it goes on as it began.
func (d *Desk) Bring(ctx context.Context, o ProcessorOrder, file io.Reader) (id tape.ID, again bool, err error) {
	if o.Mapping.Limits.FileBytesMax == 0 || o.Mapping.Limits.FileBytesMax > unpackedBytesMax {
		o.Mapping.Limits.FileBytesMax = unpackedBytesMax
	}
	s, err := statement.ReadSettlementFrom(file, o.Mapping)
	if err != nil {
		return "", false, err
	}
	o.Charity, o.File = d.charity, shortened(o.File)
	p := &processing{ProcessorOrder: o}
	d.planning.Lock()
	again, err = p.prepare(ctx, s)
	d.planning.Unlock()
	if err == nil {
		d.carry(p)
	}
	return p.plan.ID, again, err
}

// GoOn carries a file that waits, or broke off; line chooses the bank line where several carry the sum.
func (d *Desk) GoOn(account tape.AccountID, id tape.ID, line string) error {
	p, err := d.planned(account, id)
	if err == nil {
		p.Line = line
		d.carry(p)
	}
	return err
}

// planned finds a file that was brought.
func (d *Desk) planned(account tape.AccountID, id tape.ID) (*processing, error) {
	plans, err := processorPlans(d.charity.Folder)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(plans, func(p processorPlan) bool { return p.ID == id && p.Account == account })
	if at < 0 {
		return nil, rule.Refuse(rule.NotFound, "no processor's file %s was brought for %s", id, account)
	}
	plan := plans[at]
	return &processing{ProcessorOrder: ProcessorOrder{Account: account, Processor: plan.Processor, Charity: d.charity}, plan: plan}, nil
}

// carry finishes an import behind whoever asked for it, one run at a time.
func (d *Desk) carry(p *processing) {
	id := p.plan.ID
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.carried[id] || d.context.Err() != nil {
		return
	}
	d.carried[id] = true
	delete(d.troubles, id)
	d.runs.Go(func() {
		ctx, cancel := context.WithTimeout(d.context, runMost)
		defer cancel()
		_, err := p.finish(ctx)
		d.mutex.Lock()
		defer d.mutex.Unlock()
		delete(d.carried, id)
		if err == nil || d.context.Err() != nil {
			return
		}
		d.troubles[id] = err
		if refusal := new(rule.Refusal); !errors.As(err, &refusal) {
			d.log.Error("a processor's file was not carried to its end", "file", id, "error", err)
		}
	})
}

// Standing is how far a file is. Settled and Withdrawn come of the ledger, not of notes.
type Standing struct {
	ProcessorResult
	Processor tape.AccountID
	// Received says that its gifts stand on the ledger, Filed that the file does, with its line.
	Received, Filed, Withdrawn bool
	// Running is set while it is carried; Trouble is why the last run ended early.
	Running bool
	Trouble error
}

// Stands tells how far one file is.
func (d *Desk) Stands(ctx context.Context, account tape.AccountID, id tape.ID) (Standing, error) {
	p, err := d.planned(account, id)
	if err != nil {
		return Standing{}, err
	}
	return d.stands(ctx, p)
}

func (d *Desk) stands(ctx context.Context, p *processing) (Standing, error) {
	d.mutex.Lock()
	s := Standing{ProcessorResult: p.result(), Processor: p.plan.Processor, Running: d.carried[p.plan.ID], Trouble: d.troubles[p.plan.ID]}
	d.mutex.Unlock()
	page, err := p.standing(ctx, p.plan)
	if err != nil || page == nil {
		return s, err
	}
	s.Received, s.Settled, s.Withdrawn = true, page.Settled, page.Withdrawn
	if s.Filed, err = d.charity.Gateway.Processor(ctx, p.plan.Account, p.plan.page(), 0); err != nil || s.Filed || s.Settled || s.Withdrawn {
		return s, err
	}
	lines, err := p.open(ctx)
	s.Candidates = named(lines)
	return s, err
}

// Waiting are the files of an account that are not settled yet.
func (d *Desk) Waiting(ctx context.Context, account tape.AccountID) ([]Standing, error) {
	plans, err := processorPlans(d.charity.Folder)
	var all []Standing
	for _, plan := range plans {
		if plan.Done || plan.Account != account {
			continue
		}
		s, err := d.stands(ctx, &processing{ProcessorOrder: ProcessorOrder{Account: account, Charity: d.charity}, plan: plan})
		if err != nil {
			return all, err
		}
		if !s.Settled && !s.Withdrawn {
			all = append(all, s)
		}
	}
	return all, err
}
