// Package stress uses few contexts from many threads at once, and counts the sessions.
package stress

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

const (
	// durationVariable says how long the threads run: 60s, for example.
	durationVariable = "SSLCACHE_STRESS"
	threads          = 16
	// endBound is far beyond what the threads need to end: who passes it hangs.
	endBound = time.Minute
)

// duration is what durationVariable says, or the share of a test that is short by default.
func duration(t *testing.T, short time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(durationVariable)
	if text == "" {
		return short
	}
	long, err := time.ParseDuration(text)
	require.NoError(t, err, durationVariable)
	return long
}

func program(t *testing.T, length time.Duration, arguments ...string) harness.Program {
	t.Helper()
	return harness.Program{
		Source:  filepath.Join(harness.Root(t), "tests", "process", "stress", "programs", "stress.c"),
		Args:    append([]string{strconv.Itoa(int(length.Seconds())), strconv.Itoa(threads)}, arguments...),
		Timeout: length + endBound,
	}
}

type counts struct {
	created, freed, alive, removed, resumed, children int
}

// requireBalance checks that a run ended well and that every session was freed.
func requireBalance(t *testing.T, result harness.Result) counts {
	t.Helper()
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
	var counts counts
	_, err := fmt.Sscanf(result.Stdout, "created %d freed %d alive %d removed %d resumed %d children %d\n",
		&counts.created, &counts.freed, &counts.alive, &counts.removed, &counts.resumed, &counts.children)
	require.NoError(t, err, result.Stdout)
	t.Log(result.Stdout)
	assert.Equal(t, counts.created, counts.freed, "sessions that were made and freed")
	assert.Zero(t, counts.alive, "sessions that were never freed")
	assert.Positive(t, counts.removed, "calls of remove_cb")
	assert.Positive(t, counts.resumed, "resumptions")
	return counts
}

// requireBooks checks that the counters of our caches account for every session that went in.
func requireBooks(t *testing.T, counters harness.Counters) {
	t.Helper()
	assert.Positive(t, counters.Found)
	assert.Positive(t, counters.Evicted)
	assert.Positive(t, counters.Expired)
	assert.Positive(t, counters.Replaced)
	assert.Zero(t, counters.Number)
	assert.Equal(t, counters.Stored, counters.Replaced+counters.Evicted+counters.Expired+counters.Removed)
}

// libssl alone must pass too, or the program asks for more than libssl promises. It does so only as long as
// nobody sets the timeout of a session in the cache: another thread may take the session out meanwhile.
func TestLibsslAlone(t *testing.T) {
	requireBalance(t, program(t, time.Second, "unmoved").Run(t, harness.Libssl))
}

// Under every libssl, all at once ends with every session freed exactly once.
func TestThreads(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			libssl := libssls.Get(t, version)
			program := program(t, duration(t, time.Second))
			program.Library = libssl.Harness()
			result, counters := program.RunReported(t, harness.Ours)
			requireBalance(t, result)
			requireBooks(t, counters)
		})
	}
}

// Children that are forked in the middle of it find caches that are whole, and use them.
func TestForks(t *testing.T) {
	result, counters := program(t, duration(t, 2*time.Second), "forks").RunReported(t, harness.Ours)
	assert.Positive(t, requireBalance(t, result).children)
	requireBooks(t, counters)
}

// The same with a look at our memory.
func TestMemory(t *testing.T) {
	program := program(t, duration(t, time.Second))
	program.Sanitized = true
	result, counters := program.RunReported(t, harness.Ours)
	requireBalance(t, result)
	requireBooks(t, counters)
}

// The same with the C part under ThreadSanitizer. The Go part has its own tests with -race.
func TestRaces(t *testing.T) {
	requireBalance(t, program(t, duration(t, time.Second)).ThreadSanitized(t).Run(t))
}
