package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/network/topology"
)

// The figures of processes are read from /proc; where there is none, they are
// left out.

func processors() int { return runtime.NumCPU() }

// loadAverage of the last minute: with more than one a processor, somebody else
// is at work, and no figure of the run should be quoted.
func loadAverage() float64 {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}

// pids are the processes of the network, by role.
func (l *lab) pids(ctx context.Context) map[string][]int {
	found := map[string][]int{}
	for _, s := range l.network.Status(ctx) {
		if s.Running {
			found[string(s.Role)] = append(found[string(s.Role)], s.PID)
		}
	}
	return found
}

// rest is how long the network is left alone before its memory is looked at.
const rest = 3 * time.Second

func (l *lab) memory(ctx context.Context) error {
	l.report("memory at rest")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rest):
	}
	m := Memory{ByRole: map[string]float64{}}
	for role, pids := range l.pids(ctx) {
		for _, pid := range pids {
			kilobytes, err := proportional(pid)
			if err != nil {
				return nil // no /proc here, or a process that just ended
			}
			m.Processes++
			m.ByRole[role] += float64(kilobytes) / 1024
			m.Megabytes += float64(kilobytes) / 1024
		}
	}
	l.result.Memory = &m
	return nil
}

// proportional is the proportional set size of a process, in kilobytes: a page
// that several processes share counts for each of them in part.
func proportional(pid int) (int, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "Pss:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("process %d has no Pss", pid)
}

// ticks a second of the times in /proc, on every Linux that Go runs on.
const ticks = 100

// cpu is the processor time that each role has used, in seconds, and that of
// this program as "client".
func (l *lab) cpu(ctx context.Context) map[string]float64 {
	used := map[string]float64{"client": processorTime(os.Getpid())}
	for role, pids := range l.pids(ctx) {
		for _, pid := range pids {
			used[role] += processorTime(pid)
		}
	}
	for _, pid := range l.baselinePIDs {
		used[string(topology.ChaincodeServer)] += processorTime(pid)
	}
	return used
}

// used is what has been added since.
func (l *lab) used(ctx context.Context, before map[string]float64) map[string]float64 {
	used := map[string]float64{}
	for role, seconds := range l.cpu(ctx) {
		used[role] = seconds - before[role]
	}
	return used
}

func processorTime(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold anything; user and system time are the
	// 12th and 13th field after it.
	_, rest, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticks
}
