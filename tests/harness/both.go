package harness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Counters is what our library reports of its caches when a process ends.
type Counters struct {
	Number, Peak, Stored, Found, Missed, Replaced, Evicted, Expired, Removed uint64
}

// RunBoth runs the program under libssl alone, under our library preloaded, and linked with it.
// All must end well with the same output to the byte and nothing on standard error. It gives the
// counters of the preloaded run, which show whether our cache did anything.
func RunBoth(t testing.TB, program Program) Counters {
	t.Helper()
	expected := program.Run(t, Libssl)
	requireClean(t, Libssl, expected)
	require.NotEmpty(t, expected.Stdout, "the program observes nothing")
	var counters Counters
	for _, mode := range []Mode{Ours, OursLinked} {
		actual, reported := program.RunReported(t, mode)
		requireClean(t, mode, actual)
		if actual.Stdout != expected.Stdout {
			assert.Failf(t, "the output is not that of libssl alone", "%s:\n%s", mode,
				difference(t, expected.Stdout, actual.Stdout))
		}
		if mode == Ours {
			counters = reported
		}
	}
	return counters
}

// RunBothUnreported is RunBoth for a program that can't write a report at its end: it gives up what that would need,
// a descriptor, its user, its root. All must end in the same way.
func RunBothUnreported(t testing.TB, program Program) {
	t.Helper()
	alone := program.Run(t, Libssl)
	require.Zerof(t, alone.Exit, "libssl alone; it printed:\n%s%s", alone.Stdout, alone.Stderr)
	require.NotEmpty(t, alone.Stdout, "the program observes nothing")
	for _, mode := range []Mode{Ours, OursLinked} {
		assert.Equal(t, alone, program.Run(t, mode), string(mode))
	}
}

// difference shows the lines that differ, with a few around them.
func difference(t testing.TB, expected, actual string) string {
	t.Helper()
	folder := t.TempDir()
	left, right := filepath.Join(folder, "expected"), filepath.Join(folder, "actual")
	require.NoError(t, os.WriteFile(left, []byte(expected), 0o600))
	require.NoError(t, os.WriteFile(right, []byte(actual), 0o600))
	result := Command{Path: "diff", Args: []string{"-U2", "--label", "expected", left, "--label", "actual", right}}.Run(t)
	require.Equal(t, 1, result.Exit, result.Stderr)
	return result.Stdout
}

func requireClean(t testing.TB, mode Mode, result Result) {
	t.Helper()
	require.Emptyf(t, result.Stderr, "standard error, %s", mode)
	require.Zerof(t, result.Exit, "exit status, %s; it printed:\n%s", mode, result.Stdout)
}

// RunReported runs the program with our library and reads what that reports at the end.
func (p Program) RunReported(t testing.TB, mode Mode) (Result, Counters) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report")
	p.Env = append([]string{"SSLCACHE_REPORT=" + report}, p.Env...)
	result := p.Run(t, mode)
	return result, ReadReport(t, report)
}

// ReadReport adds up the lines that the processes of a run reported. No file is no line.
func ReadReport(t testing.TB, path string) Counters {
	t.Helper()
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return Counters{}
	}
	require.NoError(t, err)
	var sum Counters
	for line := range strings.Lines(string(content)) {
		var one Counters
		require.NoErrorf(t, json.Unmarshal([]byte(line), &one), "report line %q", line)
		sum.add(one)
	}
	return sum
}

func (c *Counters) add(other Counters) {
	c.Number += other.Number
	c.Peak += other.Peak
	c.Stored += other.Stored
	c.Found += other.Found
	c.Missed += other.Missed
	c.Replaced += other.Replaced
	c.Evicted += other.Evicted
	c.Expired += other.Expired
	c.Removed += other.Removed
}
