// Package matrix uses those session functions that no other test needs.
package matrix

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

func TestOutputIsThatOfLibssl(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			counters := harness.RunBoth(t, harness.Program{
				Source:  filepath.Join(harness.Root(t), "tests", "behaviour", "matrix", "programs", "new_functions.c"),
				Library: libssls.Get(t, version).Harness(),
			})
			assert.Positive(t, counters.Found, "sessions that our cache gave")
		})
	}
}

// docs/divergences.md says that these differ, and how; nothing else of this program does.
func TestDivergences(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			program := harness.Program{
				Source:  filepath.Join(harness.Root(t), "tests", "behaviour", "matrix", "programs", "divergences.c"),
				Library: libssls.Get(t, version).Harness(),
			}
			alone, ours := program.Run(t, harness.Libssl), program.Run(t, harness.Ours)
			require.Zero(t, alone.Exit, alone.Stderr)
			require.Zero(t, ours.Exit, ours.Stderr)

			expected := strings.NewReplacer(
				"index of an SSL_CTX: 1", "index of an SSL_CTX: 2",
				"index of an SSL: 1", "index of an SSL: 2",
			).Replace(alone.Stdout)
			if version != "1.1.1" {
				expected = strings.NewReplacer(
					"marked session resumed: 1", "marked session resumed: 0",
					"left in the first of two caches: 2", "left in the first of two caches: 0",
				).Replace(expected)
			}
			if version != "1.1.1" && version != "3.0" {
				expected = strings.NewReplacer("gone: o y", "gone: y o", "gone: y o", "gone: o y").Replace(expected)
				assert.NotContains(t, ours.Stdout, alone.Stdout[strings.Index(alone.Stdout, "gone:"):])
			}
			assert.Equal(t, expected, ours.Stdout)
		})
	}
}
