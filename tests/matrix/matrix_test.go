// Package matrix uses those session functions that no other test needs.
package matrix

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

func TestOutputIsThatOfLibssl(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			counters := harness.RunBoth(t, harness.Program{
				Source:  filepath.Join(harness.Root(t), "tests", "matrix", "programs", "new_functions.c"),
				Library: libssls.Get(t, version).Harness(),
			})
			assert.Positive(t, counters.Found, "sessions that our cache gave")
		})
	}
}
