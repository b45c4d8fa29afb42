package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/fabric"
)

// load runs calls and notes what they cost in processor time.
func (l *lab) load(ctx context.Context, inFlight int, length time.Duration, call func(ctx context.Context, n int) error) Rate {
	before := l.cpu(ctx)
	rate := run(ctx, inFlight, length, call)
	rate.CPU = l.used(ctx, before)
	return rate
}

// run keeps so many calls in flight for so long. What commits after the end
// does not count, and what is in flight then is waited for.
func run(ctx context.Context, inFlight int, length time.Duration, call func(ctx context.Context, n int) error) Rate {
	var mutex sync.Mutex
	var latencies []time.Duration
	rate := Rate{InFlight: inFlight, Failed: map[string]int{}}
	next, end := 0, time.Now().Add(length)
	take := func() int {
		mutex.Lock()
		defer mutex.Unlock()
		next++
		return next - 1
	}
	var wait sync.WaitGroup
	for range inFlight {
		wait.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				n, begun := take(), time.Now()
				err := call(ctx, n)
				took, late := time.Since(begun), time.Now().After(end)
				mutex.Lock()
				switch {
				case err != nil:
					rate.Failed[causeOf(err)]++
				case !late:
					rate.Done++
					latencies = append(latencies, took)
				}
				if err == nil {
					rate.Ended++
				}
				mutex.Unlock()
			}
		})
	}
	wait.Wait()
	rate.PerSecond = float64(rate.Done) / length.Seconds()
	rate.Latency = latencyOf(latencies)
	return rate
}

// causeOf names why a transaction did not commit.
func causeOf(err error) string {
	var failed *fabric.CommitFailure
	var transient *fabric.Transient
	var unknown *fabric.Unknown
	var refusal *rule.Refusal
	switch {
	case errors.As(err, &failed):
		return failed.Code
	case errors.As(err, &transient):
		return string(transient.Cause)
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &refusal):
		return string(refusal.Code)
	}
	return "other"
}

func latencyOf(all []time.Duration) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	at := func(share float64) float64 { return milliseconds(all[min(len(all)-1, int(share*float64(len(all))))]) }
	return Latency{Count: len(all), P50: at(0.50), P99: at(0.99)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
