package legacy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// The sizes are in MB. libssl alone needs less than 100; a Go runtime needs several hundred.
func TestLimitedAddressSpace(t *testing.T) {
	for _, size := range []string{"200", "400", "700", "1000", "1040", "1080", "1150", "1300", "2000"} {
		t.Run(size, func(t *testing.T) {
			harness.RunBoth(t, program("limit_address_space", "at once", size))
		})
	}
	t.Run("200 more than in use", func(t *testing.T) {
		harness.RunBoth(t, program("limit_address_space", "later", "200"))
	})
}

// So many threads and processes a user may have. The program has seven threads; a core has some five.
func TestLimitedThreads(t *testing.T) {
	harness.RequireRoot(t)
	for _, number := range []string{"0", "7", "8", "9", "10", "11", "12", "13", "15", "20", "seccomp"} {
		t.Run(number, func(t *testing.T) {
			harness.RunBothUnreported(t, program("limit_threads", "at once", number))
		})
	}
	for _, number := range []string{"0", "seccomp"} {
		t.Run(number+" later", func(t *testing.T) {
			harness.RunBothUnreported(t, program("limit_threads", "later", number))
		})
	}
}

func TestSmallStacksAndManyThreads(t *testing.T) {
	harness.RunBoth(t, program("limit_stacks", "5000"))
}

// A new thread has as much stack as the main thread may have, so the core's threads do too.
// With 16 KB libssl alone often finds no room for its program, as the kernel happens to place the stack.
func TestLimitedStack(t *testing.T) {
	for _, size := range []string{"24", "64", "128", "unlimited"} {
		t.Run(size, func(t *testing.T) {
			run := func(mode harness.Mode) harness.Result {
				command := program("limit_stacks", "100").Command(t, mode)
				command.Args = append([]string{"-c", "ulimit -s $1 && shift && exec \"$@\"", "sh", size, command.Path}, command.Args...)
				command.Path = "/bin/sh"
				return command.Run(t)
			}
			alone := run(harness.Libssl)
			require.Zero(t, alone.Exit)
			assert.Equal(t, alone, run(harness.Ours))
		})
	}
}

func TestProcessThatGivesUpWhatItHas(t *testing.T) {
	harness.RequireRoot(t)
	for _, what := range []string{"closefrom", "close_range", "setuid", "chroot", "nofile", "mlockall"} {
		for _, when := range []string{"before", "after"} {
			t.Run(what+" "+when, func(t *testing.T) {
				harness.RunBothUnreported(t, program("limit_house", what, when, t.TempDir()))
			})
		}
	}
}
