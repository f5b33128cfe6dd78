package live

import (
	"io"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// metric is one figure of a context, as Prometheus has it.
type metric struct {
	name  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*Context) float64
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

func describe(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"process", "program"}, more...), nil)
}

var contextMetrics = []metric{
	{describe("sslcache_sessions", "Sessions that the cache holds.", "context"), gauge, func(c *Context) float64 { return float64(c.Number) }},
	{describe("sslcache_sessions_peak", "The most sessions that the cache held.", "context"), gauge, func(c *Context) float64 { return float64(c.Peak) }},
	{describe("sslcache_sessions_limit", "The most sessions that the cache may hold, 0 for no limit.", "context"), gauge, func(c *Context) float64 { return float64(c.Limit) }},
	{describe("sslcache_timeout_seconds", "The time after which new sessions expire.", "context"), gauge, func(c *Context) float64 { return float64(c.Timeout) }},
	{describe("sslcache_stored_total", "Sessions stored.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Stored) }},
	{describe("sslcache_found_total", "Look-ups that found a session.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Found) }},
	{describe("sslcache_found_by_program_total", "Look-ups that a callback of the program answered.", "context"), counter, func(c *Context) float64 { return float64(c.Own().CallbackHits) }},
	{describe("sslcache_missed_total", "Look-ups that found none.", "context"), counter, func(c *Context) float64 { return float64(c.Own().MissedByAll()) }},
	{describe("sslcache_replaced_total", "Sessions that gave way to another with their id.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Replaced) }},
	{describe("sslcache_evicted_total", "Sessions that gave way to the limit.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Evicted) }},
	{describe("sslcache_expired_total", "Sessions that expired, or went in a flush of everything.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Expired) }},
	{describe("sslcache_removed_total", "Sessions that were removed.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Removed) }},
	{describe("sslcache_accepted_total", "Handshakes that were completed as a server.", "context"), counter, func(c *Context) float64 { return float64(c.Own().AcceptGood) }},
	{describe("sslcache_connected_total", "Handshakes that were completed as a client.", "context"), counter, func(c *Context) float64 { return float64(c.Own().ConnectGood) }},
	{describe("sslcache_tickets_issued_total", "Tickets issued that shared keys seal.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsIssued) }},
	{describe("sslcache_tickets_opened_total", "Tickets opened.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsOpened) }},
	{describe("sslcache_tickets_renewed_total", "Tickets opened that an older key had sealed.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsRenewed) }},
	{describe("sslcache_tickets_unknown_total", "Tickets that came and are sealed with a key that is not here.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsUnknown) }},
	{describe("sslcache_tickets_old_total", "Tickets that came from an epoch that is over.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsOld) }},
	{describe("sslcache_tickets_elsewhere_total", "Tickets that came and are good for another certificate, server name or rule for client certificates.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsElsewhere) }},
	{describe("sslcache_tickets_damaged_total", "Tickets that came damaged.", "context"), counter, func(c *Context) float64 { return float64(c.Own().TicketsDamaged) }},
	{describe("sslcache_resumed_total", "Handshakes that resumed a session.", "context"), counter, func(c *Context) float64 { return float64(c.Own().Hits) }},
}

var (
	uptime  = describe("sslcache_uptime_seconds", "How long the process has been running.")
	dropped = describe("sslcache_trace_dropped_total", "Events of the trace that were lost.")
)

// collector shows processes to Prometheus' registry.
type collector []*Process

// Describe names all metrics.
func (c collector) Describe(names chan<- *prometheus.Desc) {
	for _, metric := range contextMetrics {
		names <- metric.name
	}
	names <- uptime
	names <- dropped
}

// Collect sends all values.
func (c collector) Collect(values chan<- prometheus.Metric) {
	for _, process := range c {
		labels := []string{strconv.Itoa(process.ID), process.Program}
		values <- prometheus.MustNewConstMetric(uptime, gauge, process.Uptime, labels...)
		values <- prometheus.MustNewConstMetric(dropped, counter, float64(process.Dropped), labels...)
		for i := range process.Contexts {
			sslContext := &process.Contexts[i]
			labels := append(labels[:2:2], strconv.Itoa(sslContext.ID))
			for _, metric := range contextMetrics {
				values <- prometheus.MustNewConstMetric(metric.name, metric.kind, metric.value(sslContext), labels...)
			}
		}
	}
}

// WriteMetrics writes the counters of processes in Prometheus' text format.
func WriteMetrics(target io.Writer, processes []*Process) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(collector(processes)); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(target, family); err != nil {
			return err
		}
	}
	return nil
}
