package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/client"
	shown "github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func TestCause(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&fabric.CommitFailure{Code: "MVCC_READ_CONFLICT"}, "MVCC_READ_CONFLICT"},
		{fmt.Errorf("page 3: %w", &fabric.Transient{Cause: fabric.Mismatch}), "mismatch"},
		{&fabric.Unknown{}, "unknown"},
		{rule.Refuse(rule.Exists, "there is one"), "exists"},
		{errors.New("something"), "other"},
	} {
		if got := causeOf(test.err); got != test.want {
			t.Errorf("%v is %q, want %q", test.err, got, test.want)
		}
	}
}

func TestLatency(t *testing.T) {
	var all []time.Duration
	for n := 100; n > 0; n-- {
		all = append(all, time.Duration(n)*time.Millisecond)
	}
	for _, test := range []struct {
		of   []time.Duration
		want Latency
	}{
		{nil, Latency{}},
		{all[:1], Latency{1, 100, 100}},
		{all, Latency{100, 51, 100}},
	} {
		if got := latencyOf(append([]time.Duration(nil), test.of...)); got != test.want {
			t.Errorf("%d latencies come to %+v, want %+v", len(test.of), got, test.want)
		}
	}
}

func TestRetryOf(t *testing.T) {
	for _, test := range []struct {
		line, cause string
		count       int
		is          bool
	}{
		{`lianbao_retries_total{cause="MVCC_READ_CONFLICT"} 3`, "MVCC_READ_CONFLICT", 3, true},
		{`lianbao_retries_total{cause="lagging"} 1.2e+02`, "lagging", 120, true},
		{`lianbao_retries_total{cause="lagging"} many`, "lagging", 0, false},
		{`# HELP lianbao_retries_total Attempts that were not the last, by cause.`, "", 0, false},
		{`lianbao_submits_total{function="Fund:Pay"} 50`, "", 0, false},
	} {
		if cause, count, is := retryOf(test.line); is != test.is || is && (cause != test.cause || count != test.count) {
			t.Errorf("%s is %s %d %t", test.line, cause, count, is)
		}
	}
}

// TestPagesAsked has a server that answers everything but one page.
func TestPagesAsked(t *testing.T) {
	var asked, together, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		most.Store(max(most.Load(), together.Add(1)))
		defer together.Add(-1)
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	c := campaign{gateway: &client.Client{URL: server.URL, HTTP: server.Client()}}
	if got, err := c.asks(t.Context(), 3, 30, []string{"/a", "/b"}); err != nil || got.Count != 30 || asked.Load() != 30 || most.Load() > 3 {
		t.Errorf("%+v of %d, %d at once: %v", got, asked.Load(), most.Load(), err)
	}
	if _, err := c.asks(t.Context(), 1, 2, []string{"/a", "/none"}); err == nil || !strings.Contains(err.Error(), "/none answers 404") {
		t.Errorf("a page that is not there: %v", err)
	}
}

// TestLoadEnds has calls that hang longer than the load lasts: they end it, and
// do not count.
func TestLoadEnds(t *testing.T) {
	var running, most atomic.Int64
	rate := run(t.Context(), 3, 100*time.Millisecond, func(_ context.Context, n int) error {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		if n < 3 {
			return rule.Refuse(rule.Exists, "no")
		}
		time.Sleep(300 * time.Millisecond)
		return nil
	})
	if rate.Done != 0 || rate.Ended != 3 || rate.Failed["exists"] != 3 || running.Load() != 0 || most.Load() > 3 {
		t.Errorf("the load came to %+v with %d at once", rate, most.Load())
	}
}

func TestPage(t *testing.T) {
	argument, err := pageOf("charity:b0:relief", "b0-7", 2000, 7)
	if err != nil {
		t.Fatal(err)
	}
	page, err := tape.DecodeReceive(argument)
	if err != nil || len(page.Gifts) != 2000 || len(argument) > 350_000 {
		t.Errorf("the page has %d gifts in %d bytes: %v", len(page.Gifts), len(argument), err)
	}
}

func TestDepth(t *testing.T) {
	tree := readmodel.Node{State: readmodel.Laid, Children: []readmodel.Node{{State: readmodel.Free},
		{State: readmodel.Laid, Children: []readmodel.Node{{State: readmodel.Ordered}}}}}
	if got := depth(tree); got != 3 {
		t.Errorf("the depth is %d, want 3", got)
	}
}

// TestRows shows a result as people see it.
func TestRows(t *testing.T) {
	create := Rate{PerSecond: 100, InFlight: 64, Ended: 1000, Latency: Latency{1000, 640, 900}, CPU: map[string]float64{"peer": 20}}
	result := Result{BlockMilliseconds: 200, BootSeconds: 7, CreateAsset: &create,
		SharedTotal: &Rate{PerSecond: 4, Done: 4, Failed: map[string]int{"MVCC_READ_CONFLICT": 12}},
		Pages:       &Pages{Rate: Rate{InFlight: 10, Ended: 10, CPU: map[string]float64{"peer": 1, "orderer": 1}}, PageGifts: 2000, GiftsPerSecond: 20_000, Ratio: 200},
		Households: &Households{Count: 10_000, Chunks: 50, Seconds: 8, Chunk: Latency{50, 6000, 7000}, Conflicts: 1, Retries: map[string]int{"MVCC_READ_CONFLICT": 1, "lagging": 2},
			CPU: map[string]float64{"peer": 7}, Single: Rate{PerSecond: 25, Done: 50}, SingleSeconds: 400, PreparedSeconds: 9, Steps: Steps{1, 2, 0.5, 0.3, 7, 0.7},
			Execution: &Execution{Payouts: 10_000, Seconds: 20, ExecuteSeconds: 18.5, CPU: map[string]float64{"peer": 9}, Single: Rate{PerSecond: 20, Done: 50}, SingleSeconds: 500}},
		Sale: &Sale{Households: 400, Chunks: 2, Opened: 0.5, Settled: 0.8, Closed: 0.7, Seconds: 2, WholeSeconds: 21.2, CPU: map[string]float64{"peer": 2}, Conflicts: 0, PreparedSeconds: 90, PreparedCPU: map[string]float64{"peer": 88, "orderer": 44}, Commands: 4400, Again: 7,
			Shared:       Shared{Loans: 400, Households: 400, Repaid: cny(806_444_00), PaidOut: cny(393_556_00)},
			Applications: Applications{Count: 400, Groups: 80, Seconds: 8, Latency: Latency{400, 4000, 7000}, Retries: map[string]int{"lagging": 3}}},
		Campaign: &Campaign{Gifts: 200_000, Households: 200, Alone: Latency{200, 7, 9}, Together: Latency{200, 30, 101}, Fresh: Latency{20, 12, 20},
			Live: Latency{200, 0.4, 1}, LiveTogether: Latency{200, 0.9, 2}, Written: Latency{200, 13, 29}, WrittenTogether: Latency{200, 45, 207}, Trace: Trace{Latency{500, 0.8, 4}, 200_000, 1}},
		Gift: &Latency{30, 250, 310}, Memory: &Memory{Processes: 19, Megabytes: 901, ByRole: map[string]float64{"peer": 901}}}
	var lines []string
	for _, row := range result.Rows() {
		lines = append(lines, strings.TrimRight(strings.Join(row, " | "), " |"))
	}
	const want = `MEASURED | HERE | BESIDE IT | GOAL
CreateAsset, one a transaction | 100 /s | 64 in flight, p50 640 ms
a shared total | 4.0 /s | 75 % refused; 12 mvcc read conflict
gifts into one account, by pages | 20000 /s | pages of 2000, 10 in flight, p50 0 ms
  against CreateAsset | 200 times | same run, policy and peers | 150 times | ✓
  conflicts at a client | 0 | nothing failed | 0 | ✓
  processor time a gift | 100 µs | CreateAsset 20.0 ms; orderer 1, peer 1 s
one gift by HTTP at rest, median | 250 ms | p99 310 ms, blocks 200 ms | 300 ms | ✓
10000 households paid as one job, order to job done | 8.0 s | 50 chunks side by side, p50 6000 ms; peer 7 s | 10 s | ✓
  its steps | 11.5 s | proposed 1.0, listed 2.0, approved 0.5, ordered 0.3, at the bank 7.0, done 0.7 s
  one transaction a household | 400 s | reckoned from 50 in 2.0 s
  as many CreateAssets | 100 s | reckoned from 100 /s
  conflicts, and all retries | 1 | 1 mvcc read conflict, 2 lagging | 0 | ✗
  before | 9.0 s | campaign opened and endowed, households enrolled
10000 payouts executed by the bank's statement | 20.0 s | lines filed in 1.5, executed in 18.5 s; peer 9 s
  one transaction a payout | 500 s | reckoned from 50 in 2.5 s
400 applications at once, failed at a client | 0 | 8.0 s, p50 4000, p99 7000 ms in 80 groups; tried again: 3 lagging | 0 | ✓
a sale repays 400 loans, opened to closed | 2.0 s | opened 0.5, 2 chunks 0.8, closed 0.7 s; peer 2 s
  for 10000 households | 21.2 s | reckoned from the chunks; 5.0 ms of processor time a household | 20 s | ✗
  to the unit | 400 loans | repaid 806444.00 CNY, and 400 households paid out 393556.00 CNY: checked share by share
  as many CreateAssets | 100 s | reckoned from 100 /s
  conflicts, and all retries | 0 | nothing failed | 0 | ✓
  before | 90 s | 4400 commands: households, groups, loans, crop, buyer's money; 7 sent again, 30 ms of processor time each
campaign page, 200000 gifts behind it, p99 | 9.0 ms | p50 7.0 ms of 200; one by one, written anew p50 13.0, p99 29.0 ms, /livez 0.4, 1.0 ms | 100 ms | ✓
  eight at once, p99 | 101.0 ms | p50 30.0 ms of 200; eight at once, written anew p50 45.0, p99 207.0 ms, /livez 0.9, 2.0 ms | 100 ms | ✗
  right after a block, p99 | 20.0 ms | p50 12.0 ms of 20; one by one, written anew p50 13.0, p99 29.0 ms, /livez 0.4, 1.0 ms | 100 ms | ✓
  trace of its gifts, p99 | 4.00 ms | p50 0.80 ms, 200 households, 1 hops | 5 ms | ✓
up --empty | 7.0 s | programs built, committed by every organisation | 6 s | ✗
memory at rest | 901 MB | 19 processes: peer 901 MB | 900 MB | ✗`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("the rows are\n%s\nwant\n%s", got, want)
	}
}

// TestShares: two instalments of a loan of a week ago fall due within thirty days,
// and a share that pays anything else is not passed over.
func TestShares(t *testing.T) {
	c := cooperative{today: "2026-12-01"}
	due, err := c.due()
	if err != nil || due != 2_016_11 { // 1,000.00 twice, 14 days of 4,000.00 and of 3,000.00 at 6 %
		t.Fatalf("%d units fall due: %v", due, err)
	}
	line := func(kind waterfall.Rank, units int64) shown.Paying {
		return shown.Paying{Kind: string(kind), Loan: "l1", Amount: cny(units)}
	}
	for _, test := range []struct {
		share shown.Share
		want  string
	}{
		{shown.Share{Amount: cny(3_000_00), Lines: []shown.Paying{line(waterfall.Window, 2_016_11)}, Rest: cny(983_89)}, ""},
		{shown.Share{Amount: cny(3_000_00), Lines: []shown.Paying{line(waterfall.Window, 2_016_10)}, Rest: cny(983_90)}, "201610 units are repaid"},
		{shown.Share{Amount: cny(3_000_00), Lines: []shown.Paying{line(waterfall.Window, 2_016_11)}, Rest: cny(983_88)}, "983.88 CNY paid out"},
		{shown.Share{Amount: cny(2_999_99), Lines: []shown.Paying{line(waterfall.Window, 2_016_11)}, Rest: cny(983_88)}, "is 2999.99 CNY"},
		{shown.Share{Amount: cny(3_000_00), Lines: []shown.Paying{line(waterfall.Overdue, 2_016_11)}, Rest: cny(983_89)}, "pays overdue of loan l1"},
		{shown.Share{Amount: cny(3_000_00), Rest: cny(3_000_00)}, "0 units are repaid"},
	} {
		if err := c.shares(test.share, due); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.share, err, test.want)
		}
	}
}
