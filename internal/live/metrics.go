package live

import (
	"io"
	"strconv"

	model "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// metric is one figure of a context, as Prometheus has it.
type metric struct {
	name, help string
	kind       model.MetricType
	value      func(*Context) float64
}

const (
	counter = model.MetricType_COUNTER
	gauge   = model.MetricType_GAUGE
)

var contextMetrics = []metric{
	{"sslcache_sessions", "Sessions that the cache holds.", gauge, func(c *Context) float64 { return float64(c.Number) }},
	{"sslcache_sessions_peak", "The most sessions that the cache held.", gauge, func(c *Context) float64 { return float64(c.Peak) }},
	{"sslcache_sessions_limit", "The most sessions that the cache may hold, 0 for no limit.", gauge, func(c *Context) float64 { return float64(c.Limit) }},
	{"sslcache_timeout_seconds", "The time after which new sessions expire.", gauge, func(c *Context) float64 { return float64(c.Timeout) }},
	{"sslcache_stored_total", "Sessions stored.", counter, func(c *Context) float64 { return float64(c.Stored) }},
	{"sslcache_found_total", "Look-ups that found a session.", counter, func(c *Context) float64 { return float64(c.Found) }},
	{"sslcache_missed_total", "Look-ups that found none.", counter, func(c *Context) float64 { return float64(c.Missed) }},
	{"sslcache_replaced_total", "Sessions that gave way to another with their id.", counter, func(c *Context) float64 { return float64(c.Replaced) }},
	{"sslcache_evicted_total", "Sessions that gave way to the limit.", counter, func(c *Context) float64 { return float64(c.Evicted) }},
	{"sslcache_expired_total", "Sessions that expired.", counter, func(c *Context) float64 { return float64(c.Expired) }},
	{"sslcache_removed_total", "Sessions that were removed.", counter, func(c *Context) float64 { return float64(c.Removed) }},
	{"sslcache_accepted_total", "Handshakes that were completed as a server.", counter, func(c *Context) float64 { return float64(c.AcceptGood) }},
	{"sslcache_connected_total", "Handshakes that were completed as a client.", counter, func(c *Context) float64 { return float64(c.ConnectGood) }},
	{"sslcache_resumed_total", "Handshakes that resumed a session.", counter, func(c *Context) float64 { return float64(c.Hits) }},
}

// WriteMetrics writes the counters of processes in Prometheus' text format.
func WriteMetrics(target io.Writer, processes []*Process) error {
	for _, one := range contextMetrics {
		family := newFamily(one.name, one.help, one.kind)
		for _, process := range processes {
			for i := range process.Contexts {
				context := &process.Contexts[i]
				family.add(one.value(context), process, label("context", strconv.Itoa(context.ID)))
			}
		}
		if err := family.write(target); err != nil {
			return err
		}
	}
	uptime := newFamily("sslcache_uptime_seconds", "How long the process has been running.", gauge)
	dropped := newFamily("sslcache_trace_dropped_total", "Events of the trace that were lost.", counter)
	for _, process := range processes {
		uptime.add(process.Uptime, process)
		dropped.add(float64(process.Dropped), process)
	}
	if err := uptime.write(target); err != nil {
		return err
	}
	return dropped.write(target)
}

// family is a metric with its values.
type family struct{ *model.MetricFamily }

func newFamily(name, help string, kind model.MetricType) family {
	return family{&model.MetricFamily{Name: &name, Help: &help, Type: &kind}}
}

func label(name, value string) *model.LabelPair {
	return &model.LabelPair{Name: &name, Value: &value}
}

func (f family) add(value float64, process *Process, more ...*model.LabelPair) {
	labels := append([]*model.LabelPair{
		label("process", strconv.Itoa(process.ID)), label("program", process.Program),
	}, more...)
	made := &model.Metric{Label: labels}
	if f.GetType() == counter {
		made.Counter = &model.Counter{Value: &value}
	} else {
		made.Gauge = &model.Gauge{Value: &value}
	}
	f.Metric = append(f.Metric, made)
}

// write leaves out a metric that nobody has: the format has no place for it.
func (f family) write(target io.Writer) error {
	if len(f.Metric) == 0 {
		return nil
	}
	_, err := expfmt.MetricFamilyToText(target, f.MetricFamily)
	return err
}
