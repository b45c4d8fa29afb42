package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Goals of docs/performance.md, for two processors with nobody else on them.
const (
	goalRatio         = 150
	goalGiftExtra     = 100 // milliseconds above the block time
	goalImportSeconds = 30
	goalTrace         = 5 // milliseconds
	goalBootSeconds   = 6
	goalMegabytes     = 900
	goalDisbursement  = 10  // seconds for 10,000 households
	goalPage          = 100 // milliseconds
	goalSale          = 20  // seconds for 10,000 households with a loan each
)

// Rows are the result as a table for people: what, the figure, what stands
// beside it, the goal, and whether it was met.
func (r Result) Rows() [][]string {
	rows := [][]string{{"MEASURED", "HERE", "BESIDE IT", "GOAL", ""}}
	add := func(what, here, beside, goal string, met bool) {
		mark := "✗"
		if met {
			mark = "✓"
		}
		if goal == "" {
			mark = ""
		}
		rows = append(rows, []string{what, here, beside, goal, mark})
	}
	if c := r.CreateAsset; c != nil {
		add("CreateAsset, one a transaction", fmt.Sprintf("%.0f /s", c.PerSecond), fmt.Sprintf("%d in flight, p50 %.0f ms", c.InFlight, c.Latency.P50), "", true)
	}
	if s := r.SharedTotal; s != nil {
		add("a shared total", fmt.Sprintf("%.1f /s", s.PerSecond), fmt.Sprintf("%s; %s", share(s), spellFailures(s.Failed)), "", true)
	}
	r.addPages(add)
	if g := r.Gift; g != nil {
		goal := r.BlockMilliseconds + goalGiftExtra
		add("one gift by HTTP at rest, median", fmt.Sprintf("%.0f ms", g.P50), fmt.Sprintf("p99 %.0f ms, blocks %.0f ms", g.P99, r.BlockMilliseconds), fmt.Sprintf("%.0f ms", goal), g.P50 < goal)
	}
	if s := r.Statement; s != nil {
		add(fmt.Sprintf("statement of %d lines, visible", s.Lines), fmt.Sprintf("%.1f s", s.Seconds), fmt.Sprintf("%.0f lines/s; %s", float64(s.Lines)/s.Seconds, spellShares(s.CPU, "s")), fmt.Sprintf("%d s", goalImportSeconds), s.Seconds < goalImportSeconds)
	}
	if t := r.Trace; t != nil {
		add(fmt.Sprintf("trace over %d hops, p99", t.Hops), fmt.Sprintf("%.2f ms", t.P99), fmt.Sprintf("p50 %.2f ms, among %d gifts", t.P50, t.Gifts), fmt.Sprintf("%d ms", goalTrace), t.P99 < goalTrace)
	}
	r.addHouseholds(add)
	r.addSale(add)
	r.addCampaign(add)
	if r.BootSeconds > 0 {
		add("up --empty", fmt.Sprintf("%.1f s", r.BootSeconds), "programs built, committed by every organisation", fmt.Sprintf("%d s", goalBootSeconds), r.BootSeconds < goalBootSeconds)
	}
	if m := r.Memory; m != nil {
		add("memory at rest", fmt.Sprintf("%.0f MB", m.Megabytes), fmt.Sprintf("%d processes: %s", m.Processes, spellShares(m.ByRole, "MB")), fmt.Sprintf("%d MB", goalMegabytes), m.Megabytes < goalMegabytes)
	}
	return rows
}

func (r Result) addPages(add func(what, here, beside, goal string, met bool)) {
	p := r.Pages
	if p == nil {
		return
	}
	add("gifts into one account, by pages", fmt.Sprintf("%.0f /s", p.GiftsPerSecond), fmt.Sprintf("pages of %d, %d in flight, p50 %.0f ms", p.PageGifts, p.InFlight, p.Latency.P50), "", true)
	if p.Ratio > 0 {
		add("  against CreateAsset", fmt.Sprintf("%.0f times", p.Ratio), "same run, policy and peers", fmt.Sprintf("%d times", goalRatio), p.Ratio >= goalRatio)
	}
	add("  conflicts at a client", fmt.Sprint(p.Conflicts), spellFailures(p.Failed), "0", p.Conflicts == 0)
	gifts := float64(p.Ended * p.PageGifts)
	beside := spellShares(p.CPU, "s")
	if c := r.CreateAsset; c != nil && c.Ended > 0 {
		beside = fmt.Sprintf("CreateAsset %.1f ms; %s", 1e3*sum(c.CPU)/float64(c.Ended), beside)
	}
	add("  processor time a gift", fmt.Sprintf("%.0f µs", 1e6*sum(p.CPU)/max(gifts, 1)), beside, "", true)
}

func (r Result) addHouseholds(add func(what, here, beside, goal string, met bool)) {
	h := r.Households
	if h == nil {
		return
	}
	add(fmt.Sprintf("%d households paid as one job, order to job done", h.Count), fmt.Sprintf("%.1f s", h.Seconds), fmt.Sprintf("%d chunks side by side, p50 %.0f ms; %s", h.Chunks, h.Chunk.P50, spellShares(h.CPU, "s")),
		fmt.Sprintf("%d s", goalDisbursement), h.Seconds < goalDisbursement)
	t := h.Steps
	add("  its steps", fmt.Sprintf("%.1f s", t.ProposedSeconds+t.ListedSeconds+t.ApprovedSeconds+h.Seconds),
		fmt.Sprintf("proposed %.1f, listed %.1f, approved %.1f, ordered %.1f, at the bank %.1f, done %.1f s", t.ProposedSeconds, t.ListedSeconds, t.ApprovedSeconds, t.OrderedSeconds, t.PaidSeconds, t.ClosedSeconds), "", true)
	add("  one transaction a household", fmt.Sprintf("%.0f s", h.SingleSeconds), fmt.Sprintf("reckoned from %d in %.1f s", h.Single.Done, float64(h.Single.Done)/h.Single.PerSecond), "", true)
	if c := r.CreateAsset; c != nil && c.PerSecond > 0 {
		add("  as many CreateAssets", fmt.Sprintf("%.0f s", float64(h.Count)/c.PerSecond), fmt.Sprintf("reckoned from %.0f /s", c.PerSecond), "", true)
	}
	add("  conflicts, and all retries", fmt.Sprint(h.Conflicts), spellFailures(h.Retries), "0", h.Conflicts == 0)
	add("  before", fmt.Sprintf("%.1f s", h.PreparedSeconds), "campaign opened and endowed, households enrolled", "", true)
	if e := h.Execution; e != nil {
		add(fmt.Sprintf("%d payouts executed by the bank's statement", e.Payouts), fmt.Sprintf("%.1f s", e.Seconds), fmt.Sprintf("lines filed in %.1f, executed in %.1f s; %s", e.Seconds-e.ExecuteSeconds, e.ExecuteSeconds, spellShares(e.CPU, "s")), "", true)
		add("  one transaction a payout", fmt.Sprintf("%.0f s", e.SingleSeconds), fmt.Sprintf("reckoned from %d in %.1f s", e.Single.Done, float64(e.Single.Done)/e.Single.PerSecond), "", true)
	}
}

func (r Result) addSale(add func(what, here, beside, goal string, met bool)) {
	s := r.Sale
	if s == nil {
		return
	}
	a := s.Applications
	add(fmt.Sprintf("%d applications at once, failed at a client", a.Count), fmt.Sprint(a.Failed), fmt.Sprintf("%.1f s, p50 %.0f, p99 %.0f ms in %d groups; tried again: %s", a.Seconds, a.Latency.P50, a.Latency.P99, a.Groups, spellFailures(a.Retries)), "0", a.Failed == 0)
	if s.Chunks == 0 {
		return // it did not come to the sale
	}
	add(fmt.Sprintf("a sale repays %d loans, opened to closed", s.Households), fmt.Sprintf("%.1f s", s.Seconds), fmt.Sprintf("opened %.1f, %d chunks %.1f, closed %.1f s; %s", s.Opened, s.Chunks, s.Settled, s.Closed, spellShares(s.CPU, "s")), "", true)
	how := "reckoned from the chunks"
	if s.Households >= saleHouseholds {
		how = "measured"
	}
	if s.WholeSeconds > 0 {
		add(fmt.Sprintf("  for %d households", saleHouseholds), fmt.Sprintf("%.1f s", s.WholeSeconds), fmt.Sprintf("%s; %.1f ms of processor time a household", how, 1e3*sum(s.CPU)/float64(s.Households)), fmt.Sprintf("%d s", goalSale), s.WholeSeconds < goalSale)
	}
	add("  to the unit", fmt.Sprintf("%d loans", s.Shared.Loans), fmt.Sprintf("repaid %s, and %d households paid out %s: checked share by share", s.Shared.Repaid, s.Shared.Households, s.Shared.PaidOut), "", true)
	if c := r.CreateAsset; c != nil && c.PerSecond > 0 {
		add("  as many CreateAssets", fmt.Sprintf("%.0f s", saleHouseholds/c.PerSecond), fmt.Sprintf("reckoned from %.0f /s", c.PerSecond), "", true)
	}
	add("  conflicts, and all retries", fmt.Sprint(s.Conflicts), spellFailures(s.Retries), "0", s.Conflicts == 0)
	add("  before", fmt.Sprintf("%.0f s", s.PreparedSeconds), fmt.Sprintf("%d commands: households, groups, loans, crop, buyer's money; %d sent again, %.0f ms of processor time each", s.Commands, s.Again, 1e3*sum(s.PreparedCPU)/float64(max(1, s.Commands))), "", true)
}

func (r Result) addCampaign(add func(what, here, beside, goal string, met bool)) {
	c := r.Campaign
	if c == nil {
		return
	}
	goal := fmt.Sprintf("%d ms", goalPage)
	for _, row := range []struct {
		what               string
		page, anew, beside Latency
		of                 string
	}{
		{fmt.Sprintf("campaign page, %d gifts behind it, p99", c.Gifts), c.Alone, c.Written, c.Live, "one by one"},
		{"  eight at once, p99", c.Together, c.WrittenTogether, c.LiveTogether, "eight at once"},
		{"  right after a block, p99", c.Fresh, c.Written, c.Live, "one by one"},
	} {
		add(row.what, fmt.Sprintf("%.1f ms", row.page.P99), fmt.Sprintf("p50 %.1f ms of %d; %s, written anew p50 %.1f, p99 %.1f ms, /livez %.1f, %.1f ms",
			row.page.P50, row.page.Count, row.of, row.anew.P50, row.anew.P99, row.beside.P50, row.beside.P99), goal, row.page.P99 < goalPage)
	}
	if t := c.Trace; t.Count > 0 {
		add("  trace of its gifts, p99", fmt.Sprintf("%.2f ms", t.P99), fmt.Sprintf("p50 %.2f ms, %d households, %d hops", t.P50, c.Households, t.Hops), fmt.Sprintf("%d ms", goalTrace), t.P99 < goalTrace)
	}
}

// Remark says how much the figures are worth.
func (r Result) Remark() string {
	text := fmt.Sprintf("%d processors, load average %.1f before and %.1f after", r.Processors, r.Load[0], r.Load[1])
	if r.Load[0] > float64(r.Processors)/2 {
		return text + ": others are at work on this machine, so that only the ratios mean something"
	}
	return text
}

func share(r *Rate) string {
	failed := 0
	for _, count := range r.Failed {
		failed += count
	}
	if r.Done+failed == 0 {
		return "nothing came back"
	}
	return fmt.Sprintf("%d %% refused", 100*failed/(r.Done+failed))
}

func spellFailures(failed map[string]int) string {
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(failed)) {
		parts = append(parts, fmt.Sprintf("%d %s", failed[cause], strings.ToLower(strings.ReplaceAll(cause, "_", " "))))
	}
	if len(parts) == 0 {
		return "nothing failed"
	}
	return strings.Join(parts, ", ")
}

func spellShares(of map[string]float64, unit string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %.0f", name, of[name]))
	}
	return strings.Join(parts, ", ") + " " + unit
}

func sum(of map[string]float64) float64 {
	total := 0.0
	for _, value := range of {
		total += value
	}
	return total
}
