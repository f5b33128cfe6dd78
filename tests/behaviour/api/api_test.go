// Package api runs C programs that print what they see of the session cache: the same under libssl
// alone and under our library.
package api

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// storesNothing are the programs that put no session into a cache.
var storesNothing = map[string]bool{"null_arguments": true}

func forEachProgram(t *testing.T, check func(t *testing.T, program harness.Program)) {
	t.Helper()
	sources, err := filepath.Glob("programs/*.c")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		t.Run(nameOf(source), func(t *testing.T) {
			check(t, harness.Program{Source: source})
		})
	}
}

func TestOutputIsThatOfLibssl(t *testing.T) {
	forEachProgram(t, func(t *testing.T, program harness.Program) {
		if libssls.IsSenseless(libssls.System(), nameOf(program.Source)) {
			return
		}
		counters := harness.RunBoth(t, program)
		name := nameOf(program.Source)
		assert.Equal(t, storesNothing[name], counters.Stored == 0, "sessions that our cache stored: %d", counters.Stored)
	})
}

func TestOutputIsThatOfEveryOtherLibssl(t *testing.T) {
	for _, version := range append([]string{libssls.Debian11}, libssls.Versions...) {
		t.Run(version, func(t *testing.T) {
			library := libssls.Get(t, version).Harness()
			if library.Path == "" {
				return // the machine's own, as above
			}
			forEachProgram(t, func(t *testing.T, program harness.Program) {
				if libssls.IsSenseless(version, nameOf(program.Source)) {
					return
				}
				program.Library = library
				harness.RunBoth(t, program)
			})
		})
	}
}

func TestNoLeakAndNoInvalidAccess(t *testing.T) {
	forEachProgram(t, func(t *testing.T, program harness.Program) {
		if libssls.IsSenseless(libssls.System(), nameOf(program.Source)) {
			return
		}
		program.Sanitized = true
		harness.RunBoth(t, program)
	})
}

// The synonyms of the manual page exist in our library only.
func TestSynonymsDoWhatTheirModelsDo(t *testing.T) {
	models := harness.Program{Source: "linked/synonyms.c"}
	synonyms := harness.Program{Source: "linked/synonyms.c", Flags: []string{"-DSYNONYMS"}}
	expected := models.Run(t, harness.Libssl)
	require.Zero(t, expected.Exit)
	assert.Equal(t, expected, models.Run(t, harness.OursLinked))
	assert.Equal(t, expected, synonyms.Run(t, harness.OursLinked))
}

func TestStatisticsCountWhatHappened(t *testing.T) {
	result := harness.Program{Source: "linked/statistics.c"}.Run(t, harness.OursLinked)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
	assert.Equal(t, statistics, result.Stdout)
}

// A limit of 3 leaves room for 2: of s0 to s4, each replaced by its twin, s0 and s1 are evicted and
// s3 is removed by hand. The first visit misses, since the client offers an id to every server.
const statistics = `strlen(sslcache_version()) > 0: 1
sslcache_get_stats(NULL, NULL): 0
process, before anything: 1: number 0 peak 0 stored 0 found 0 missed 0 replaced 0 evicted 0 expired 0 removed 0
new: 1: number 0 peak 0 stored 0 found 0 missed 0 replaced 0 evicted 0 expired 0 removed 0
filled: 1: number 2 peak 2 stored 10 found 0 missed 0 replaced 5 evicted 2 expired 0 removed 1
other: 1: number 0 peak 0 stored 0 found 0 missed 0 replaced 0 evicted 0 expired 0 removed 0
flushed: 1: number 1 peak 2 stored 10 found 0 missed 0 replaced 5 evicted 2 expired 1 removed 1
first: done 1 resumed 0 0 hello 1
second: done 1 resumed 1 1 hello 1
server: 1: number 1 peak 1 stored 1 found 1 missed 1 replaced 0 evicted 0 expired 0 removed 0
process: 1: number 2 peak 3 stored 11 found 1 missed 1 replaced 5 evicted 2 expired 1 removed 1
process, all freed: 1: number 0 peak 3 stored 11 found 1 missed 1 replaced 5 evicted 2 expired 3 removed 1
`

func nameOf(source string) string {
	return strings.TrimSuffix(filepath.Base(source), ".c")
}
