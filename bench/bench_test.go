package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{9, 1, 2}))
	assert.Equal(t, 1.5, median([]float64{2, 1}))
	assert.True(t, math.IsNaN(median(nil)))
}

func TestParseReadsMeasurementsAndTheSubject(t *testing.T) {
	measured, subject, err := parse([]byte("libssl 3.0.0\nsslcache none\nadd 104.5\nremove 70\n"))
	require.NoError(t, err)
	assert.Equal(t, "none", subject)
	assert.Equal(t, measurements{"add": 104.5, "remove": 70}, measured)

	_, _, err = parse([]byte("add fast\n"))
	assert.ErrorContains(t, err, "add fast")
}

// resultsOf gives every case and metric that a goal may ask for the same two values.
func resultsOf(theirs, our float64) results {
	r := results{}
	all := measurements{}
	for _, metric := range []string{"add", "warm", "fill", "remove", "resumed", "memory", "plain", "preloaded", "threads", "child", "fork", "session", "data", "pair", "flush", "evict", "set_timeout", "all"} {
		all[metric] = 0
	}
	for _, c := range allCases(false) {
		for metric := range all {
			r.add(c.name, libssl, measurements{metric: theirs})
			r.add(c.name, ours, measurements{metric: our})
		}
	}
	return r
}

func verdicts(r results) map[string]string {
	byName := map[string]string{}
	for _, g := range r.goals() {
		byName[g.what] = g.verdict()
	}
	return byName
}

func TestGoalsThatCompareTimes(t *testing.T) {
	for _, c := range []struct {
		what       string
		theirs     float64
		reached    float64
		notReached float64
	}{
		{"add, equal timeouts, to a cache that holds 10 k", 100, 90, 91},
		{"remove, 10 k sessions", 100, 150, 151},
		{"add, two threads, one context", 100, 33, 34},
		{"add, each session with its own timeout, 16 k sessions", 150000, 1000, 1001},
		{"the first session of a process", 1000, 101000, 101001},
		{"memory of a process with one session (VmData)", 1e6, 1.5e6, 1.6e6},
		{"SSL_SESSION_set_timeout with 2,000 contexts", 1, 1000, 1001},
		{"memory for an entry, beside the `SSL_SESSION`, 1 M sessions", 1, 96, 97},
		{"resumed handshakes a second, TLS 1.2", 99, 100, 101},
		{"threads of a program without TLS", 1, 1, 2},
	} {
		assert.Equal(t, "reached", verdicts(resultsOf(c.theirs, c.reached))[c.what], c.what)
		assert.Equal(t, "not reached", verdicts(resultsOf(c.theirs, c.notReached))[c.what], c.what)
	}
}

func TestGoalOfGrowthComparesTheLargestWithTheSmallest(t *testing.T) {
	const what = "from empty to 1 M against from empty to 1 k, for each add"
	r := results{}
	r.add(operationsName("equal", thousand), ours, measurements{"fill": 100})
	assert.Equal(t, "not measured", verdicts(r)[what])
	r.add(operationsName("equal", million), ours, measurements{"fill": 300})
	assert.Equal(t, "reached", verdicts(r)[what])
	r.add(operationsName("equal", million), ours, measurements{"fill": 400})
	assert.Equal(t, "not reached", verdicts(r)[what])
}

func TestReportHoldsTheTablesAndThePictures(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, newReport(resultsOf(100, 50), time.Now(), 3).write(folder))
	page, err := os.ReadFile(filepath.Join(folder, "performance.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "| 1 M, equal timeouts")
	assert.Contains(t, string(page), "0.50 ×")
	for _, picture := range []string{"performance-sessions.svg", "performance-threads.svg"} {
		assert.Contains(t, string(page), picture)
		drawn, err := os.ReadFile(filepath.Join(folder, picture))
		require.NoError(t, err)
		assert.Contains(t, string(drawn), "ours")
	}
}
