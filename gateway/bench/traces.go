package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The way of the money that is traced: relief pays a partner, the partner a
// field office, and that orders payouts to the outside.
var hops = []string{"relief", "partner", "field"}

// Spends of one hop, and payments of each: each spend stays below the amount
// that needs persons of two organisations.
const (
	spends   = 4
	payments = 50
	// spendMax is 900,000.00 CNY; a local network's policy asks for more above a million.
	spendMax = 900_000_00
)

// traces lets money that was received go on over three hops and asks what
// became of gifts among it.
func (l *lab) traces(ctx context.Context) error {
	if l.options.Traces == 0 || len(l.filled) == 0 {
		return nil
	}
	if l.options.Sign == nil {
		return errNoSigner
	}
	l.report("money over three hops")
	if err := l.travel(ctx); err != nil {
		return err
	}
	path, err := l.modelPath()
	if err != nil {
		return err
	}
	model, err := readmodel.Open(ctx, path)
	if err != nil {
		return err
	}
	defer model.Close()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.caughtUp(waiting, model); err != nil {
		return err
	}
	return l.ask(ctx, model)
}

// caughtUp waits until the gateway has read all that was written.
func (l *lab) caughtUp(ctx context.Context, model *readmodel.Model) error {
	for {
		position, err := model.Position(ctx)
		if err != nil || position.Next > l.last {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause):
		}
	}
}

// ask traces gifts chosen at random among those that were spent.
func (l *lab) ask(ctx context.Context, model *readmodel.Model) error {
	l.report("%d traces", l.options.Traces)
	random := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	deepest := 0
	for n := range l.options.Traces {
		// Settled in the order of the pages, spent from the first on: the first half has gone all the way.
		page := l.filled[random.IntN(max(1, len(l.filled)/2))]
		begun := time.Now()
		trace, err := model.TraceGift(ctx, readmodel.GiftAt{Account: l.account("relief"), Page: page, Index: random.IntN(l.options.PageGifts)})
		if err != nil {
			return err
		}
		if n > 0 {
			took = append(took, time.Since(begun))
		}
		deepest = max(deepest, depth(trace.Root))
	}
	l.result.Trace = &Trace{Latency: latencyOf(took), Gifts: len(l.filled) * l.options.PageGifts, Hops: deepest - 1}
	return nil
}

// depth is the most accounts on one way of a tree.
func depth(n readmodel.Node) int {
	deepest := 0
	for _, child := range n.Children {
		deepest = max(deepest, depth(child))
	}
	if n.State == readmodel.Laid || n.State == readmodel.Ordered {
		return deepest + 1
	}
	return deepest
}

func (l *lab) travel(ctx context.Context) error {
	total, err := l.settlePages(ctx)
	if err != nil {
		return err
	}
	// Two thirds go on, in equal payments.
	each := min(total*2/3/(spends*payments), spendMax/payments)
	for i, to := range hops[1:] {
		if err := l.open(ctx, to); err != nil {
			return err
		}
		for n := range spends {
			if err := l.pay(ctx, hops[i], to, n, each); err != nil {
				return err
			}
		}
	}
	return l.order(ctx, "field", each)
}

// settlePages settles what was received, and returns its total.
func (l *lab) settlePages(ctx context.Context) (int64, error) {
	for first := 0; first < len(l.filled); first += tape.SettleMax {
		settle := tape.Settle{Account: l.account("relief"), ID: tape.ID(fmt.Sprintf("%s-settle-%d", l.run, first))}
		for _, page := range l.filled[first:min(first+tape.SettleMax, len(l.filled))] {
			settle.Items = append(settle.Items, tape.SettleItem{Source: string(page), SelfDeclared: true})
		}
		if err := l.command(ctx, "Tape:Settle", settle); err != nil {
			return 0, err
		}
	}
	// 5 CNY a gift on average.
	return int64(len(l.filled)) * int64(l.options.PageGifts) * 500, nil
}

// pay makes one spend. The gateway of the payee, the same organisation's here,
// settles what arrives by itself.
func (l *lab) pay(ctx context.Context, from, to string, n int, each int64) error {
	spend := tape.Spend{Account: l.account(from), ID: tape.ID(fmt.Sprintf("%s-%s-%d", l.run, from, n))}
	for i := range payments {
		spend.Payments = append(spend.Payments, tape.Payment{Amount: money.New(each, "CNY"), Line: tape.ID(fmt.Sprintf("l%d", i)), To: l.account(to)})
	}
	envelope, err := l.options.Sign(MakerAndChecker, "spend", spend.Account, money.New(each*payments, "CNY"), spend)
	if err != nil {
		return err
	}
	return l.do(ctx, "Tape:Spend", envelope)
}

// order sets payouts apart for households outside the ledger.
func (l *lab) order(ctx context.Context, from string, each int64) error {
	for n := range spends {
		orders := tape.OrderHolds{Account: l.account(from), ID: tape.ID(fmt.Sprintf("%s-hold-%d", l.run, n)),
			Expires: tape.Instant(time.Now().Add(48 * time.Hour).UnixMilli())}
		for i := range payments {
			orders.Holds = append(orders.Holds, tape.HoldOrder{Amount: money.New(each, "CNY"), Hold: tape.ID(fmt.Sprintf("%s-h%d-%d", l.run, n, i)),
				To: tape.AccountID(fmt.Sprintf("outside:household-%d", i))})
		}
		envelope, err := l.options.Sign(MakerAndChecker, "hold", orders.Account, money.New(each*payments, "CNY"), orders)
		if err != nil {
			return err
		}
		if err := l.do(ctx, "Tape:Hold", envelope); err != nil {
			return err
		}
	}
	return nil
}
