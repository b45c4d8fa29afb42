package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
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
		Gift:        &Latency{30, 250, 310}, Memory: &Memory{Processes: 19, Megabytes: 901, ByRole: map[string]float64{"peer": 901}}}
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
up --empty | 7.0 s | programs built, committed by every organisation | 6 s | ✗
memory at rest | 901 MB | 19 processes: peer 901 MB | 900 MB | ✗`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("the rows are\n%s\nwant\n%s", got, want)
	}
}
