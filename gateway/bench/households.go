package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
)

// Households is one disbursement to many, from its order to the end of its job
// on the ledger, through the charity's gateway.
type Households struct {
	Count   int     `json:"count"`
	Chunks  int     `json:"chunks"`
	Seconds float64 `json:"seconds"`
	Chunk   Latency `json:"chunk"`
	// Conflicts are attempts that met another writer of the same block, Retries
	// all attempts that were not the last, by cause.
	Conflicts int            `json:"conflicts"`
	Retries   map[string]int `json:"retries"`
	// CPU is the processor time of each kind of process, in seconds.
	CPU map[string]float64 `json:"cpuSeconds"`
	// Single is the same command with one household in each chunk: what one
	// transaction a payment costs. SingleSeconds is what it would need for all,
	// reckoned from its rate.
	Single        Rate    `json:"single"`
	SingleSeconds float64 `json:"singleSeconds"`
	// Prepared is how long opening, endowing and enrolling took, Steps all that came after.
	PreparedSeconds float64    `json:"preparedSeconds"`
	Steps           Steps      `json:"steps"`
	Execution       *Execution `json:"execution,omitempty"`
}

// householdUnits is what a household gets: 50.00 CNY. 10,000 times that stays
// below the amount that needs persons of two organisations.
const householdUnits = 50_00

func (l *lab) households(ctx context.Context) error {
	o := l.options
	if o.Chunks == 0 || !l.regulated() {
		return nil
	}
	h := Households{Count: o.Chunks * o.ChunkHouseholds, Chunks: o.Chunks}
	l.report("a campaign with %d households enrolled", h.Count)
	begun := time.Now()
	c, err := l.prepares(ctx, h.Count)
	if err != nil {
		return err
	}
	h.PreparedSeconds = time.Since(begun).Seconds()
	l.report("%d households paid in %d chunks side by side", h.Count, h.Chunks)
	d, err := c.proposes(ctx, tape.ID(c.run+".all"), o.Chunks, o.ChunkHouseholds, householdUnits)
	if err != nil {
		return err
	}
	if err := d.times(ctx, &h); err != nil {
		return err
	}
	h.Steps = d.steps
	l.result.Households = &h
	single, err := c.singly(ctx, &h)
	if err != nil {
		return err
	}
	if h.Execution, err = d.executes(ctx); err != nil {
		return err
	}
	return single.executesSingly(ctx, h.Execution)
}

// prepares opens a campaign that can pay so many households.
func (l *lab) prepares(ctx context.Context, count int) (campaign, error) {
	c, err := l.opens(ctx, "households", "CNY", goalMost)
	if err != nil {
		return c, err
	}
	if err := c.endows(ctx, int64(count+l.options.Chunks)*householdUnits); err != nil {
		return c, err
	}
	return c, c.enrols(ctx, 0, count)
}

// times pays and notes how long that took and what had to be tried again.
func (d *disbursement) times(ctx context.Context, h *Households) error {
	since, err := counting(ctx, d.gateway)
	if err != nil {
		return err
	}
	used := d.cpu(ctx)
	took, each, err := d.pays(ctx)
	if err != nil {
		return err
	}
	h.Seconds, h.Chunk, h.CPU = took.Seconds(), latencyOf(each), d.used(ctx, used)
	if h.Retries, err = since(); err != nil {
		return err
	}
	h.Conflicts = conflictsOf(h.Retries)
	return nil
}

// counting begins to count what a gateway tries again, by cause.
func counting(ctx context.Context, gateway *client.Client) (since func() (map[string]int, error), err error) {
	before, err := retries(ctx, gateway)
	return func() (map[string]int, error) {
		now, err := retries(ctx, gateway)
		for cause, count := range before {
			if now[cause] -= count; now[cause] == 0 {
				delete(now, cause)
			}
		}
		return now, err
	}, err
}

// conflictsOf are the retries after another writer of the same block.
func conflictsOf(retries map[string]int) int {
	return retries["MVCC_READ_CONFLICT"] + retries["PHANTOM_READ_CONFLICT"]
}

// singly pays one household a transaction, as many side by side as there were chunks.
func (c campaign) singly(ctx context.Context, h *Households) (disbursement, error) {
	c.report("%d households paid by a transaction each, for comparison", h.Chunks)
	d, err := c.proposes(ctx, tape.ID(c.run+".single"), h.Chunks, 1, householdUnits)
	if err != nil {
		return d, err
	}
	before := c.cpu(ctx)
	took, each, err := d.pays(ctx)
	if err != nil {
		return d, err
	}
	h.Single = Rate{PerSecond: float64(h.Chunks) / took.Seconds(), Done: h.Chunks, Ended: h.Chunks, InFlight: h.Chunks, Latency: latencyOf(each), CPU: c.used(ctx, before)}
	h.SingleSeconds = float64(h.Count) / h.Single.PerSecond
	return d, nil
}

// retries are what the gateway had to try again since it started, by cause.
func retries(ctx context.Context, gateway *client.Client) (map[string]int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway.URL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := gateway.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metrics of the gateway: %s", answer.Status)
	}
	found := map[string]int{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		cause, count, is := retryOf(lines.Text())
		if is {
			found[cause] = count
		}
	}
	return found, lines.Err()
}

// retryOf reads one line of the metrics.
func retryOf(line string) (cause string, count int, is bool) {
	rest, is := strings.CutPrefix(line, `lianbao_retries_total{cause="`)
	cause, figure, closed := strings.Cut(rest, `"} `)
	if !is || !closed {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(figure, 64)
	return cause, int(value), err == nil
}
