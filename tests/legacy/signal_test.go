package legacy

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func TestSignalStorm(t *testing.T) {
	ways := []string{
		"sigaction", "siginfo", "signal", "bsd_signal", "ssignal", "sysv_signal", "__sysv_signal", "sigset",
		"siginterrupt",
	}
	for _, way := range ways {
		for _, when := range []string{"before", "after"} {
			t.Run(way+" "+when, func(t *testing.T) {
				harness.RunBoth(t, program("signal_storm", way, "real", when))
			})
		}
	}
	for _, timer := range []string{"virtual", "prof"} {
		t.Run(timer, func(t *testing.T) {
			harness.RunBoth(t, program("signal_storm", "sigaction", timer, "before"))
		})
	}
}

func TestSignalReadback(t *testing.T) {
	harness.RunBoth(t, program("signal_readback"))
}

func TestSignalFaults(t *testing.T) {
	harness.RunBoth(t, program("signal_faults"))
}

func TestSignalDelivery(t *testing.T) {
	harness.RunBoth(t, program("signal_delivery"))
}

// The sizes are in KB. Go gives its threads 32.
func TestSignalHandlersThatNeedStack(t *testing.T) {
	for _, size := range []string{"8", "200", "700"} {
		t.Run(size, func(t *testing.T) {
			harness.RunBoth(t, program("signal_stack", size))
		})
	}
}

// An early library sets its handlers and its timer when it is loaded: before ours or after.
func TestSignalHandlersFromBeforeWeWereLoaded(t *testing.T) {
	early := harness.Program{
		Source: filepath.Join("programs", "early_signals.c"), Flags: []string{"-shared", "-fPIC"},
	}.Compile(t, harness.Libssl)
	ours := harness.OurLibrary(t)
	run := func(preload ...string) harness.Result {
		command := program("signal_early").Command(t, harness.Libssl)
		command.Preload = preload
		return command.Run(t)
	}
	alone := run(early)
	require.Zero(t, alone.Exit)
	require.Contains(t, alone.Stdout, "handlers of the early library: 3")
	for _, order := range [][]string{{ours, early}, {early, ours}} {
		assert.Equal(t, alone, run(order...), strings.Join(order, ":"))
	}
}
