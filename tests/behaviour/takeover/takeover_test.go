// Package takeover proves that our cache serves, not libssl's, and that it does no more than that.
package takeover

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func program(name string, flags ...string) harness.Program {
	return harness.Program{Source: filepath.Join("programs", name+".c"), Flags: flags}
}

// run requires that the program ends well and complains of nothing.
func run(t *testing.T, program harness.Program, mode harness.Mode) string {
	t.Helper()
	result := program.Run(t, mode)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit, result.Stdout)
	return result.Stdout
}

// visits are the lines of who_serves under libssl alone.
const visits = `-- TLS 1.2
at first: held 0, by libssl 0
first visit: done 1 resumed 0 0 hello 1
after it: held 1, by libssl 1
second visit: done 1 resumed 1 1 hello 1
after it: held 1, by libssl 1
all removed: held 0, by libssl 0
third visit: done 1 resumed 0 0 hello 1
after it: held 1, by libssl 1
flushed: held 0, by libssl 0
-- TLS 1.3
at first: held 0, by libssl 0
first visit: done 1 resumed 0 0 hello 1
after it: held 2, by libssl 2
second visit: done 1 resumed 1 1 hello 1
after it: held 3, by libssl 3
all removed: held 0, by libssl 0
third visit: done 1 resumed 0 0 hello 1
after it: held 2, by libssl 2
flushed: held 0, by libssl 0
`

func heldByLibssl(output string, none bool) string {
	if !none {
		return output
	}
	for number := 1; number <= 3; number++ {
		output = strings.ReplaceAll(output, fmt.Sprintf("by libssl %d", number), "by libssl 0")
	}
	return output
}

// Alone, libssl serves the visits from its own cache: the question that we put to it is the right one.
func TestLibsslServesWhereWeAreNot(t *testing.T) {
	assert.Equal(t, heldByLibssl(visits, false), run(t, program("who_serves"), harness.Libssl))
}

func TestOurCacheServes(t *testing.T) {
	for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
		assert.Equal(t, heldByLibssl(visits, true), run(t, program("who_serves"), mode), mode)
	}
	_, counters := program("who_serves").RunReported(t, harness.Ours)
	assert.EqualValues(t, 2, counters.Found)
	assert.EqualValues(t, 2+5, counters.Stored)
	assert.EqualValues(t, 1+3, counters.Removed)
	assert.EqualValues(t, 1+2, counters.Expired)
	assert.Zero(t, counters.Number)
}

// An interpreter loads libssl with a module, out of the sight of what was preloaded.
func TestOurCacheServesAModuleWithItsOwnLibssl(t *testing.T) {
	plugin := program("plugin", "-shared", "-fPIC").Compile(t, harness.Libssl)
	loader := program("loader", "-Wl,--as-needed")
	loader.Args = []string{plugin}
	const output = `first visit: done 1 resumed 0 0 hello 1
second visit: done 1 resumed 1 1 hello 1
held 1, by libssl %d
third visit: done 1 resumed 0 0 hello 1
`
	assert.Equal(t, fmt.Sprintf(output, 1), run(t, loader, harness.Libssl))
	assert.Equal(t, fmt.Sprintf(output, 0), run(t, loader, harness.Ours))
}

func TestAProgramWithoutTLSHasOneThread(t *testing.T) {
	program := program("no_tls", "-Wl,--as-needed")
	assert.Equal(t, "threads 1, libsslcache 0, libssl 0\n", run(t, program, harness.Libssl))
	assert.Equal(t, "threads 1, libsslcache 1, libssl 0\n", run(t, program, harness.Ours))
}

// A process has the threads that it made itself, whatever it stores.
func TestNoThreadIsMade(t *testing.T) {
	for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
		output := run(t, program("threads"), mode)
		assert.Equal(t, 7, strings.Count(output, "1 thread: "), output)
		assert.NotContains(t, output, "threads")
	}
}

func TestWithoutLibsslItAnswers0AndSaysSoOnce(t *testing.T) {
	result := program("no_libssl", "-Wl,--as-needed").Run(t, harness.OursLinked)
	assert.Zero(t, result.Exit)
	assert.Equal(t, 1, strings.Count(result.Stderr, "\n"), result.Stderr)
	assert.Contains(t, result.Stderr, "no libssl is loaded")
	lines := strings.Split(strings.TrimSuffix(result.Stdout, "\n"), "\n")
	require.Len(t, lines, 17)
	for _, line := range lines[:16] {
		assert.Regexp(t, ": 0$", line)
	}
	assert.Equal(t, "errno: 7", lines[16])
}
