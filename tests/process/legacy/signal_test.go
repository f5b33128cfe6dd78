package legacy

import (
	"testing"

	"libsslcache/tests/harness"
)

// Handlers that interrupt whatever is being done to the cache, by timers of each kind.
func TestSignalStorm(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			harness.RunBoth(t, program("signal_storm", "sigaction", "real", when))
		})
	}
	for _, timer := range []string{"virtual", "prof"} {
		t.Run(timer, func(t *testing.T) {
			harness.RunBoth(t, program("signal_storm", "sigaction", timer, "before"))
		})
	}
}
