package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Sale is a cooperative's sale that repays loans first: every household is in a
// group and owes a loan, of which two instalments fall due in the sale's window.
type Sale struct {
	Households int `json:"households"`
	Chunks     int `json:"chunks"`
	// Seconds go from the command that opens the settlement to the end of its job,
	// Opened, Settled and Closed are its parts: the chunks go side by side.
	Seconds float64 `json:"seconds"`
	Opened  float64 `json:"openedSeconds"`
	Settled float64 `json:"settledSeconds"`
	Closed  float64 `json:"closedSeconds"`
	Chunk   Latency `json:"chunk"`
	// WholeSeconds is what saleHouseholds need, reckoned from the rate of the chunks;
	// what was measured where there were so many, 0 where no chunk was full.
	WholeSeconds float64            `json:"wholeSeconds"`
	Conflicts    int                `json:"conflicts"`
	Retries      map[string]int     `json:"retries"`
	CPU          map[string]float64 `json:"cpuSeconds"`
	// Applications are one for each household, all sent at once.
	Applications Applications `json:"applications"`
	// PreparedSeconds is how long all that came before took, Commands how many there were.
	PreparedSeconds float64 `json:"preparedSeconds"`
	Commands        int     `json:"commands"`
}

// Applications are loans that are asked for at once, through one gateway.
type Applications struct {
	Count   int     `json:"count"`
	Groups  int     `json:"groups"`
	Seconds float64 `json:"seconds"`
	Latency Latency `json:"latency"`
	// Failed are those that a client was told of, a conflict or anything else: there should be none.
	Failed int `json:"failed"`
	// Retries are attempts that the gateway made again, by cause; no client saw them.
	Retries map[string]int `json:"retries"`
}

// saleHouseholds are those of the goal: a sale for so many is closed in goalSale seconds.
const saleHouseholds = 10_000

func (l *lab) sale(ctx context.Context) error {
	if l.options.Sellers == 0 {
		return nil
	}
	if l.options.SignAs == nil {
		return errNoSigner
	}
	l.report("a cooperative with %d households in groups of %d", l.options.Sellers, groupSize)
	begun := time.Now()
	c, err := l.cooperates()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.forms(ctx); err != nil {
		return err
	}
	s := Sale{Households: c.count}
	l.report("%d applications for loans at once", c.count)
	if err := c.offers(ctx); err != nil {
		return err
	}
	if s.Applications, err = c.applies(ctx); err != nil {
		return err
	}
	l.result.Sale = &s // what was measured before a failure is worth seeing
	l.report("the loans decided on, paid out and booked; the crop delivered and sold")
	if err := c.lends(ctx); err != nil {
		return err
	}
	sale, shares, err := c.sells(ctx)
	if err != nil {
		return err
	}
	s.PreparedSeconds, s.Commands = time.Since(begun).Seconds(), int(c.commands.Load())
	l.report("a sale of %d households settled in chunks side by side", c.count)
	return c.settles(ctx, sale, shares, &s)
}

// settles shares the sale out through the cooperative's gateway.
func (c *cooperative) settles(ctx context.Context, sale harvest.Sale, shares harvest.Shares, s *Sale) error {
	id := tape.ID(c.run + ".pay")
	open, chunks, err := settlement.NewSettlement(sale, shares, id, tape.Instant(time.Now().Add(30*24*time.Hour).UnixMilli()))
	if err != nil {
		return err
	}
	envelope, err := c.options.SignAs(append(staff("coop"), staff("bank")...), "open-settlement", c.scheme, sale.Proceeds.String(), open)
	if err != nil {
		return err
	}
	since, err := counting(ctx, c.gateway)
	if err != nil {
		return err
	}
	used, begun, step := c.cpu(ctx), time.Now(), stopwatch()
	if _, err := send(ctx, c.gateway, "Settlement:OpenSettlement", envelope); err != nil {
		return err
	}
	s.Opened = step()
	each := make([]time.Duration, len(chunks))
	work, working := errgroup.WithContext(ctx)
	for n, chunk := range chunks {
		work.Go(func() error {
			begun := time.Now()
			_, err := record(working, c.gateway, "Settlement:SettleHouseholds", chunk)
			each[n] = time.Since(begun)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	s.Settled = step()
	if _, err := record(ctx, c.gateway, "Settlement:CloseSettlement", settlement.CloseSettlement{Account: c.scheme, ID: id + ".closed", Sale: sale.ID}); err != nil {
		return err
	}
	s.Closed, s.Seconds = step(), time.Since(begun).Seconds()
	s.Chunks, s.Chunk, s.CPU = len(chunks), latencyOf(each), c.used(ctx, used)
	if s.Retries, err = since(); err != nil {
		return err
	}
	s.Conflicts = conflictsOf(s.Retries)
	if s.Households < harvest.PageHouseholdsMax {
		return nil
	}
	s.WholeSeconds = s.Opened + s.Closed + s.Settled*max(1, float64(saleHouseholds)/float64(s.Households))
	return nil
}

// applies asks for one loan a household, all at once.
func (c *cooperative) applies(ctx context.Context) (Applications, error) {
	a := Applications{Count: c.count, Groups: c.count / groupSize}
	envelopes := make([][]byte, c.count)
	for i := range envelopes {
		var err error
		apply := c.application(i)
		if envelopes[i], err = c.options.SignAs(c.guarantors(i), "apply-for-loan", c.scheme, apply.Amount.String(), apply); err != nil {
			return a, err
		}
	}
	if err := c.ready(ctx); err != nil {
		return a, err
	}
	since, err := counting(ctx, c.gateway)
	if err != nil {
		return a, err
	}
	begun := time.Now()
	each, failed := make([]time.Duration, len(envelopes)), make([]error, len(envelopes))
	var work errgroup.Group
	for i, envelope := range envelopes {
		work.Go(func() error {
			begun := time.Now()
			_, failed[i] = send(ctx, c.gateway, "Loan:ApplyForLoan", envelope)
			each[i] = time.Since(begun)
			return nil
		})
	}
	_ = work.Wait()
	a.Seconds, a.Latency = time.Since(begun).Seconds(), latencyOf(each)
	if a.Retries, err = since(); err != nil {
		return a, err
	}
	for _, err := range failed {
		if err != nil {
			a.Failed++
		}
	}
	if a.Failed > 0 {
		return a, fmt.Errorf("%d of %d applications failed, one of them: %w", a.Failed, a.Count, firstOf(failed))
	}
	return a, nil
}

func firstOf(all []error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
