package summary

import (
	"maps"
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"libsslcache/internal/command/trace"
)

// Latency is how long an operation took, in nanoseconds.
type Latency struct {
	Operation string  `json:"operation"`
	Count     int64   `json:"count"`
	Mean      float64 `json:"mean"`
	Median    int64   `json:"median"`
	P90       int64   `json:"p90"`
	P99       int64   `json:"p99"`
	Greatest  int64   `json:"greatest"`
	Bars      []Bar   `json:"bars"`
}

// Bar is a part of a distribution: so many values from here to the next bar.
type Bar struct {
	From  float64 `json:"from"`
	Count int64   `json:"count"`
}

// longestLatency, in nanoseconds, is more than anybody waits for: a minute and a half.
const longestLatency = 90e9

// maxLatencies bounds the operations that are told apart: a trace of ours has a handful, one of somebody else's
// may have any.
const maxLatencies = 32

type latencies map[string]*hdrhistogram.Histogram

func (l latencies) observe(event *trace.Event) {
	if event.Nanoseconds <= 0 {
		return
	}
	operation := string(event.Operation)
	if event.Operation == trace.Callback {
		operation += " " + string(event.Outcome)
	}
	if l[operation] == nil && len(l) == maxLatencies {
		return
	}
	if l[operation] == nil {
		l[operation] = hdrhistogram.New(1, longestLatency, 3)
	}
	_ = l[operation].RecordValue(min(event.Nanoseconds, longestLatency))
}

func (l latencies) summary() []Latency {
	all := []Latency{}
	for _, operation := range slices.Sorted(maps.Keys(l)) {
		histogram := l[operation]
		all = append(all, Latency{
			Operation: operation, Count: histogram.TotalCount(), Mean: histogram.Mean(),
			Median: histogram.ValueAtQuantile(50), P90: histogram.ValueAtQuantile(90), P99: histogram.ValueAtQuantile(99),
			Greatest: histogram.Max(), Bars: bars(histogram, 1),
		})
	}
	return all
}

// barsPerDoubling is how many bars there are from a value to its double.
const barsPerDoubling = 2

// bars returns a distribution in steps that are equal on a logarithmic scale, without the empty ends.
// Values are divided by the unit.
func bars(histogram *hdrhistogram.Histogram, unit float64) []Bar {
	counts := map[int]int64{}
	for _, bucket := range histogram.Distribution() {
		if bucket.Count > 0 {
			counts[int(math.Floor(barsPerDoubling*math.Log2(float64(max(1, bucket.From)))))] += bucket.Count
		}
	}
	all := []Bar{}
	if len(counts) == 0 {
		return all
	}
	steps := slices.Collect(maps.Keys(counts))
	for step := slices.Min(steps); step <= slices.Max(steps); step++ {
		all = append(all, Bar{From: math.Exp2(float64(step)/barsPerDoubling) / unit, Count: counts[step]})
	}
	return all
}
