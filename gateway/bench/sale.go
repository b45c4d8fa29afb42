package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	shown "github.com/lianbao/lianbao/gateway/cooperative"
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
	// Shared is what the cooperative's gateway shows of it afterwards, household by household.
	Shared Shared `json:"shared"`
	// Applications are those of the first households, all sent at once.
	Applications Applications `json:"applications"`
	// PreparedSeconds is how long all that came before took, Commands how many there were,
	// Again how often one of them was sent once more because a peer was behind.
	PreparedSeconds float64            `json:"preparedSeconds"`
	PreparedCPU     map[string]float64 `json:"preparedCpuSeconds"`
	Commands        int                `json:"commands"`
	Again           int                `json:"again"`
}

// Shared is a sale as it was shared out: Repaid and PaidOut together are the proceeds, to the unit.
type Shared struct {
	// Loans are how many were repaid something, Households how many were paid the rest.
	Loans      int          `json:"loans"`
	Households int          `json:"households"`
	Repaid     money.Amount `json:"repaid"`
	PaidOut    money.Amount `json:"paidOut"`
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
	begun := time.Now()
	c, err := l.cooperates()
	if err != nil {
		return err
	}
	defer c.close()
	s, used := Sale{Households: c.count}, c.cpu(ctx)
	sale, shares, err := c.prepares(ctx, &s)
	if err != nil {
		return err
	}
	s.PreparedSeconds, s.PreparedCPU, s.Commands, s.Again = time.Since(begun).Seconds(), c.used(ctx, used), int(c.commands.Load()), int(c.again.Load())
	l.report("a sale of %d households settled in chunks side by side", c.count)
	return c.settles(ctx, sale, shares, &s)
}

// prepares brings all that is needed for a sale that repays a loan of everybody.
func (c *cooperative) prepares(ctx context.Context, s *Sale) (harvest.Sale, harvest.Shares, error) {
	refuse := func(err error) (harvest.Sale, harvest.Shares, error) { return harvest.Sale{}, nil, err }
	asking, all := min(c.count, askingMost)/groupSize, c.count/groupSize
	c.report("a cooperative, with %d households in groups of %d to begin with", asking*groupSize, groupSize)
	if err := c.begins(ctx); err != nil {
		return refuse(err)
	}
	if err := c.groups(ctx, 0, asking, c.forms); err != nil {
		return refuse(err)
	}
	c.report("%d applications for loans at once", asking*groupSize)
	var err error
	if s.Applications, err = c.applies(ctx, asking*groupSize); err != nil {
		return refuse(err)
	}
	c.result.Sale = s // what was measured before a failure is worth seeing
	c.report("households and groups up to %d, their loans, their crop; the crop sold", c.count)
	err = c.groups(ctx, 0, all, func(ctx context.Context, g int) error {
		if g >= asking {
			if err := c.forms(ctx, g); err != nil {
				return err
			}
			if err := together(ctx, groupSize, c.of(g), c.asks); err != nil {
				return err
			}
		}
		return c.borrows(ctx, g)
	})
	if err != nil {
		return refuse(err)
	}
	return c.sells(ctx)
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
	block, err := record(ctx, c.gateway, "Settlement:CloseSettlement", settlement.CloseSettlement{Account: c.scheme, ID: id + ".closed", Sale: sale.ID})
	if err != nil {
		return err
	}
	s.Closed, s.Seconds = step(), time.Since(begun).Seconds()
	s.Chunks, s.Chunk, s.CPU = len(chunks), latencyOf(each), c.used(ctx, used)
	if s.Retries, err = since(); err != nil {
		return err
	}
	s.Conflicts = conflictsOf(s.Retries)
	if s.Shared, err = c.shared(ctx, block, sale, len(chunks)); err != nil || s.Households < harvest.PageHouseholdsMax {
		return err
	}
	s.WholeSeconds = s.Opened + s.Closed + s.Settled*max(1, float64(saleHouseholds)/float64(s.Households))
	return nil
}

// shared reads what became of a sale and checks it: each share, what of each loan
// fell due, and the whole, to the unit.
func (c *cooperative) shared(ctx context.Context, block uint64, sale harvest.Sale, chunks int) (Shared, error) {
	found := Shared{Repaid: cny(0), PaidOut: cny(0)}
	due, err := c.due()
	if err != nil {
		return found, err
	}
	path := "/api/v1/cooperative/schemes/" + url.PathEscape(string(c.scheme)) + "/settlements/" + url.PathEscape(string(sale.ID))
	var whole shown.Settlement
	if err := errors.Join(sees(ctx, c.gateway, block), c.gateway.Own(ctx, http.MethodGet, path, nil, &whole)); err != nil {
		return found, err
	}
	loans := map[tape.ID]int64{}
	for n := range chunks {
		var shares []shown.Share
		if err := c.gateway.Own(ctx, http.MethodGet, path+"/chunks/"+strconv.Itoa(n), nil, &shares); err != nil {
			return found, err
		}
		for _, share := range shares {
			if err := c.shares(share, due); err != nil {
				return found, err
			}
			found.Households++
			found.PaidOut.Units += share.Rest.Units
			for _, line := range share.Lines {
				loans[line.Loan] += line.Amount.Units
				found.Repaid.Units += line.Amount.Units
			}
		}
	}
	found.Loans = len(loans)
	if !whole.Exact || whole.Total != sale.Proceeds || int(whole.Settled) != c.count || found.Households != c.count || found.Loans != c.count || found.Repaid.Units+found.PaidOut.Units != sale.Proceeds.Units {
		return found, fmt.Errorf("a sale of %s to %d households came to %+v, and the gateway shows %s to %d (exact: %t)", sale.Proceeds, c.count, found, whole.Total, whole.Settled, whole.Exact)
	}
	return found, nil
}

// shares refuses a share that is not what the household delivered, or that pays
// something else than what is due of its loan.
func (c *cooperative) shares(share shown.Share, due int64) error {
	paid := int64(0)
	for _, line := range share.Lines {
		if line.Kind != string(waterfall.Window) {
			return fmt.Errorf("%s pays %s of loan %s; nothing is but falls due", share.Household, line.Kind, line.Loan)
		}
		paid += line.Amount.Units
	}
	if paid != due || share.Amount.Units != soldUnits || share.Rest.Units != soldUnits-due {
		return fmt.Errorf("the share of %s is %s, of which %d units are repaid and %s paid out; %d are due", share.Household, share.Amount, paid, share.Rest, due)
	}
	return nil
}

// applies asks for one loan a household, of so many of them all at once.
func (c *cooperative) applies(ctx context.Context, count int) (Applications, error) {
	a := Applications{Count: count, Groups: count / groupSize}
	envelopes := make([][]byte, count)
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
