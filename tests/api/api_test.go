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
		counters := harness.RunBoth(t, program)
		name := nameOf(program.Source)
		assert.Equal(t, storesNothing[name], counters.Stored == 0, "sessions that our cache stored: %d", counters.Stored)
	})
}

func TestNoLeakAndNoInvalidAccess(t *testing.T) {
	forEachProgram(t, func(t *testing.T, program harness.Program) {
		program.Sanitized = true
		harness.RunBoth(t, program)
	})
}

func nameOf(source string) string {
	return strings.TrimSuffix(filepath.Base(source), ".c")
}
