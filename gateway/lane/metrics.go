package lane

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what the lanes do.
type Metrics struct {
	submits, retries, ended *prometheus.CounterVec
	seconds, fill           *prometheus.HistogramVec
	open, waiting           prometheus.Gauge
}

// NewMetrics makes the metrics and registers them where there is a registry.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		submits: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lianbao_submits_total", Help: "Proposals sent, by function."}, []string{"function"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lianbao_retries_total", Help: "Attempts that were not the last, by cause."}, []string{"cause"}),
		ended:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lianbao_commands_total", Help: "Commands that ended, by function and state."}, []string{"function", "state"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "lianbao_submit_seconds", Help: "From proposal to commit, by function.",
			Buckets: []float64{.05, .1, .15, .2, .25, .3, .4, .5, .75, 1, 2, 5, 10, 20}}, []string{"function"}),
		fill: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "lianbao_batch_members", Help: "Gifts of a gathered page, items of a gathered settlement.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000}}, []string{"kind"}),
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "lianbao_commands_open", Help: "Commands that have not ended."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "lianbao_members_waiting", Help: "Gifts and items that wait to be gathered."}),
	}
	if registry != nil {
		registry.MustRegister(m.submits, m.retries, m.ended, m.seconds, m.fill, m.open, m.waiting)
	}
	return m
}
