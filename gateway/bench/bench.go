// Package bench measures a Lianbao network beside baselines of the same run: a
// plain CreateAsset and a shared total, as a chaincode of their own on the same
// peers under the same policy. A figure alone says more about the machine than
// about Lianbao; a ratio of one run says something.
//
// Every load ends by itself, and everything goes over loopback.
package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/lifecycle"
)

// Options say what is measured and for how long.
type Options struct {
	// Baseline, Shared and Pages are how long each load lasts; zero leaves it out.
	Baseline, Shared, Pages time.Duration
	// InFlight is how many CreateAssets, PagesInFlight how many pages go side by side.
	InFlight, PagesInFlight int
	// PageGifts is how many gifts a page holds.
	PageGifts int
	// Gifts by HTTP, one after the other, and Traces; zero leaves them out.
	Gifts, Traces int
	// Chunks is how many chunks of ChunkHouseholds are paid as one disbursement; zero leaves it out.
	Chunks, ChunkHouseholds int
	// Sellers is how many households a sale repays the loans of; zero leaves it out.
	Sellers int
	// Visits is how often the page of the campaign is asked for in each way; zero leaves it out.
	Visits int
	// Sign makes the envelope of a command that persons decide; Checker approves disbursements.
	Sign    func(by Signer, action string, account tape.AccountID, amount money.Amount, command any) ([]byte, error)
	Checker tape.ID
	// SignAs makes the envelope of a command that persons sign, Registers what a
	// registrar files of an invented member of the cooperative, whose key is drawn.
	SignAs    func(persons []tape.ID, action string, subject tape.AccountID, amount string, command any) ([]byte, error)
	Registers func(person tape.ID) (party.RegisterCommand, error)
	// Zone is that of the ledger's days.
	Zone tape.Zone
	// Import carries the statement in a file into an account, a new one where none is named.
	Import func(ctx context.Context, file string, account tape.AccountID, report func(importing.Progress)) (importing.Result, error)
	// Statement is the file whose import is measured; empty leaves it out. Currency is its.
	Statement string
	Currency  money.Currency
	// SpendMost is how many minor units of that currency persons of one organisation may spend at once.
	SpendMost int64
	// Report is told what is being measured; may be nil.
	Report func(text string)
}

// Result is what was measured. What was left out is nil.
type Result struct {
	// Boot is how long `up --empty` took, 0 when the network was running.
	BootSeconds float64  `json:"bootSeconds,omitempty"`
	Memory      *Memory  `json:"memory,omitempty"`
	CreateAsset *Rate    `json:"createAsset,omitempty"`
	SharedTotal *Rate    `json:"sharedTotal,omitempty"`
	Pages       *Pages   `json:"pages,omitempty"`
	Gift        *Latency `json:"gift,omitempty"`
	// BlockMilliseconds is the longest that a transaction waits for its block.
	BlockMilliseconds float64     `json:"blockMilliseconds"`
	Statement         *Statement  `json:"statement,omitempty"`
	Trace             *Trace      `json:"trace,omitempty"`
	Households        *Households `json:"households,omitempty"`
	Sale              *Sale       `json:"sale,omitempty"`
	Campaign          *Campaign   `json:"campaign,omitempty"`
	// Load is the load average of the machine over the last minute, before and after.
	Load [2]float64 `json:"load"`
	// Processors of the machine.
	Processors int `json:"processors"`
}

// Rate is a load that ran for a while.
type Rate struct {
	PerSecond float64 `json:"perSecond"`
	Done      int     `json:"done"`
	InFlight  int     `json:"inFlight"`
	Latency   Latency `json:"latency"`
	// Failed counts what did not commit, by what was said.
	Failed map[string]int `json:"failed,omitempty"`
	// CPU is the processor time of each kind of process, in seconds, until the
	// last call had returned. It says more than the rate where others are at work.
	CPU map[string]float64 `json:"cpuSeconds"`
	// Ended is how many calls succeeded in that time, also after the end.
	Ended int `json:"ended"`
}

// Pages is gifts into one account, a page a transaction.
type Pages struct {
	Rate
	PageGifts      int     `json:"pageGifts"`
	GiftsPerSecond float64 `json:"giftsPerSecond"`
	// Ratio to CreateAsset of the same run, 0 where that was left out.
	Ratio     float64 `json:"ratio"`
	Conflicts int     `json:"conflicts"`
}

// Latency in milliseconds.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
}

// Statement is an import.
type Statement struct {
	Lines   int     `json:"lines"`
	Seconds float64 `json:"seconds"`
	// CPU is the processor time of each kind of process, in seconds.
	CPU map[string]float64 `json:"cpuSeconds"`
}

// Trace is the question what became of one gift, asked of a read model.
type Trace struct {
	Latency
	Gifts int `json:"gifts"`
	Hops  int `json:"hops"`
}

// Memory is what all processes of the network take, shared pages counted once.
type Memory struct {
	Processes int     `json:"processes"`
	Megabytes float64 `json:"megabytes"`
	// ByRole in megabytes.
	ByRole map[string]float64 `json:"byRole"`
}

// Site is where the files of a network lie.
func siteOf(n *network.Network) lifecycle.Site {
	return lifecycle.Site{Folder: n.Folder(), Topology: n.Topology()}
}

// Run measures a running network.
func Run(ctx context.Context, n *network.Network, o Options) (Result, error) {
	l, err := newLab(n, o)
	if err != nil {
		return Result{}, err
	}
	defer l.close()
	l.result.BlockMilliseconds = milliseconds(n.Topology().Blocks.Interval)
	l.result.Load[0], l.result.Processors = loadAverage(), processors()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"memory at rest", l.memory}, {"baselines", l.baselines}, {"gifts by pages", l.pages},
		{"one gift at rest", l.gifts}, {"traces", l.traces}, {"households", l.households}, {"a sale", l.sale}, {"statement", l.statement},
		{"a campaign's page", l.visits}, {"a campaign's traces", l.campaignTraces},
	} {
		if err := part.do(ctx); err != nil {
			return l.result, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	l.result.Load[1] = loadAverage()
	return l.result, nil
}

func (l *lab) report(format string, arguments ...any) {
	if l.options.Report != nil {
		l.options.Report(fmt.Sprintf(format, arguments...))
	}
}

func (l *lab) statement(ctx context.Context) error {
	if l.options.Statement == "" {
		return nil
	}
	if l.regulated() {
		var err error
		if l.collected, err = l.opens(ctx, "collection", l.options.Currency, goalMost); err != nil {
			return err
		}
	}
	l.report("a bank statement, imported, settled and visible")
	begun, before := time.Now(), l.cpu(ctx)
	r, err := l.options.Import(ctx, l.options.Statement, l.collected.account, nil)
	if err == nil && r.Unmatched+r.NotGifts+r.Settled != r.Lines {
		err = fmt.Errorf("of %d lines %d are settled, %d unmatched and %d not gifts", r.Lines, r.Settled, r.Unmatched, r.NotGifts)
	}
	if err != nil {
		return err
	}
	l.result.Statement = &Statement{Lines: r.Lines, Seconds: time.Since(begun).Seconds(), CPU: l.used(ctx, before)}
	return nil
}

var errNoSigner = errors.New("these measurements need somebody who signs")
