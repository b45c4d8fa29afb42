package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
)

// pageOf invents a page of gifts of 1 to 9 CNY: pseudonymous ids, and a donor's
// commitment and a reference on each, as an import writes them.
func pageOf(account tape.AccountID, id tape.ID, count int, seed uint64) ([]byte, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	gifts := make([]tape.Gift, count)
	total := int64(0)
	for i := range gifts {
		units := 100 * (1 + random.Int64N(9))
		total += units
		gifts[i] = tape.Gift{ID: tape.ID(fmt.Sprintf("%s-%04d", id, i)), Amount: money.New(units, "CNY"),
			Donor: letters(random, 42) + "A", Reference: letters(random, 21) + "A"}
	}
	return tape.Receive{Account: account, ID: id, Count: int32(count), Total: money.New(total, "CNY"), Gifts: gifts}.Encode()
}

func letters(random *rand.Rand, count int) string {
	text := make([]byte, count)
	for i := range text {
		text[i] = 'A' + byte(random.IntN(26))
	}
	return string(text)
}

// pages sends pages of gifts into one account. Each endorser checks each gift.
func (l *lab) pages(ctx context.Context) error {
	if l.options.Pages == 0 {
		return nil
	}
	if err := l.open(ctx, "relief"); err != nil {
		return err
	}
	o := l.options
	l.report("pages of %d gifts into one account, %d in flight, %s", o.PageGifts, o.PagesInFlight, o.Pages)
	var mutex sync.Mutex
	rate := l.load(ctx, o.PagesInFlight, o.Pages, func(ctx context.Context, n int) error {
		id := tape.ID(fmt.Sprintf("%s-%d", l.run, n))
		argument, err := pageOf(l.account("relief"), id, o.PageGifts, uint64(n))
		if err != nil {
			return err
		}
		receipt, err := l.ledger.Submit(ctx, "Tape:Receive", argument, func(string) error { return nil })
		if err == nil {
			mutex.Lock()
			defer mutex.Unlock()
			l.filled, l.last = append(l.filled, id), max(l.last, receipt.Block)
		}
		return err
	})
	p := Pages{Rate: rate, PageGifts: o.PageGifts, GiftsPerSecond: rate.PerSecond * float64(o.PageGifts)}
	p.Conflicts = rate.Failed["MVCC_READ_CONFLICT"] + rate.Failed["PHANTOM_READ_CONFLICT"]
	if b := l.result.CreateAsset; b != nil && b.PerSecond > 0 {
		p.Ratio = p.GiftsPerSecond / b.PerSecond
	}
	l.result.Pages = &p
	return ctx.Err()
}

// gifts sends one gift after the other to the gateway, each when the one before
// can be read. The pause keeps them from falling in with the blocks.
func (l *lab) gifts(ctx context.Context) error {
	if l.options.Gifts == 0 || l.connection.URL == "" {
		return nil
	}
	if err := l.open(ctx, "single"); err != nil {
		return err
	}
	token, err := l.token()
	if err != nil {
		return err
	}
	gateway := client.Client{URL: l.connection.URL, Token: token}
	l.report("%d gifts by HTTP, one after the other", l.options.Gifts)
	var took []time.Duration
	for n := range l.options.Gifts {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(200 * time.Millisecond)):
		}
		begun := time.Now()
		accepted, err := gateway.Gifts(ctx, string(l.account("single")), client.Gift{ID: fmt.Sprintf("%s-single-%d", l.run, n), Amount: "100.00 CNY"})
		if err != nil {
			return err
		}
		if len(accepted) != 1 || !accepted[0].Done() {
			return fmt.Errorf("gift %d was not received: %+v", n, accepted)
		}
		if n > 0 { // the first one makes the connection
			took = append(took, time.Since(begun))
		}
	}
	latency := latencyOf(took)
	l.result.Gift = &latency
	return nil
}
