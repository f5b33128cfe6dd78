// Package hazards runs small programs that live hard, each in a way that once ended differently under the
// library: a program must end under it as it ends under libssl alone.
package hazards

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// bound is the time that a program has: some twenty times what it takes on an idle machine.
const bound = time.Minute

func program(name string, arguments ...string) harness.Program {
	return harness.Program{Source: filepath.Join("programs", name+".c"), Args: arguments, Timeout: bound}
}

// module compiles a shared object.
func module(t testing.TB, name string) string {
	t.Helper()
	return harness.Program{
		Source: filepath.Join("programs", name+".c"), Flags: []string{"-shared", "-fPIC"},
	}.Compile(t, harness.Libssl)
}

func TestConservativeCollector(t *testing.T) {
	collecting := program("conservative_collector")
	collecting.Flags = []string{"-Wl,--no-as-needed", "-lgc"}
	harness.RunBothUnreported(t, collecting)
}

func TestHandlerWithLargeFrame(t *testing.T) {
	harness.RunBothUnreported(t, program("handler_with_large_frame"))
}

func TestHandlerReadsStatistics(t *testing.T) {
	harness.RunBothUnreported(t, program("handler_reads_statistics"))
}

func TestNoMemory(t *testing.T) {
	for _, limit := range []string{"address space", "data"} {
		t.Run(limit, func(t *testing.T) { harness.RunBothUnreported(t, program("no_memory", limit)) })
	}
}

func TestFilteredCalls(t *testing.T) { harness.RunBothUnreported(t, program("filtered_calls")) }

func TestStackThatIsGone(t *testing.T) { harness.RunBothUnreported(t, program("stack_that_is_gone")) }

func TestAllKeysTaken(t *testing.T) { harness.RunBothUnreported(t, program("all_keys_taken")) }

func TestDeepGenerations(t *testing.T) {
	harness.RunBothUnreported(t, program("deep_generations", "70", module(t, "static_tls_module")))
}

func TestCapabilitiesKept(t *testing.T) {
	require.Zero(t, os.Geteuid(), "this test gives up root: run it as root")
	harness.RunBothUnreported(t, program("capabilities_kept"))
}

// The sizes are in MB. With 12 libssl alone has no room for the memory that the program wants.
func TestLimitedData(t *testing.T) {
	for _, size := range []string{"12", "24", "30", "70"} {
		t.Run(size, func(t *testing.T) { harness.RunBothUnreported(t, program("limited_data", size)) })
	}
}

func TestUnaskedExData(t *testing.T) {
	for _, object := range []string{"ssl", "ctx"} {
		for index := range 12 {
			t.Run(fmt.Sprint(object, index), func(t *testing.T) {
				harness.RunBothUnreported(t, program("unasked_ex_data", object, fmt.Sprint(index)))
			})
		}
	}
}

func TestMemorySharedByProcesses(t *testing.T) {
	for _, way := range []string{"plain", "sni", "late"} {
		for _, setting := range []string{"SSLCACHE_TICKETS=program", "SSLCACHE_TICKETS=off"} {
			t.Run(way+" "+setting, func(t *testing.T) {
				sharing := program("shared_memory", way)
				sharing.Env = []string{setting}
				harness.RunBothUnreported(t, sharing)
			})
		}
	}
}

func TestPluginConstructor(t *testing.T) {
	harness.RunBothUnreported(t, program("plugin_constructor", module(t, "slow_plugin")))
}

func TestForkBesideDlopen(t *testing.T) {
	harness.RunBothUnreported(t, program("fork_beside_dlopen", module(t, "plain_module"), "400"))
}

func TestLockInPrepareHandler(t *testing.T) {
	harness.RunBothUnreported(t, program("lock_in_prepare_handler"))
}

func TestExDataAsks(t *testing.T) { harness.RunBothUnreported(t, program("ex_data_asks")) }

func TestWalkers(t *testing.T) { harness.RunBothUnreported(t, program("walkers")) }

func TestStandardErrorReplaced(t *testing.T) {
	replacing := program("standard_error_replaced", filepath.Join(t.TempDir(), "data"))
	replacing.Env = []string{"SSLCACHE_TRACE=/dev/full", "SSLCACHE_VERBOSE=1"}
	harness.RunBothUnreported(t, replacing)
}

func TestFlushBesideAdds(t *testing.T) {
	harness.RunBothUnreported(t, program("flush_beside_adds", "16"))
}

func TestTimeoutFindsItsSession(t *testing.T) {
	harness.RunBothUnreported(t, program("timeout_finds_its_session"))
}

func TestRealTimeFork(t *testing.T) { harness.RunBothUnreported(t, program("real_time_fork")) }

func TestLibraryContext(t *testing.T) {
	for _, properties := range []string{"", "provider=default"} {
		t.Run(properties, func(t *testing.T) { harness.RunBothUnreported(t, program("library_context", properties)) })
	}
}

// With libssl alone the child of a fork beside a flush waits for a lock for ever.
func TestForkBesideFlushes(t *testing.T) {
	result := program("fork_beside_flushes").Run(t, harness.Ours)
	assert.Equal(t, harness.Result{Stdout: "children that ended: 100 of 100\n"}, result)
}

// libssl alone keeps its lock for ever.
func TestJumpOutOfEviction(t *testing.T) {
	result := program("jump_out_of_eviction").Run(t, harness.Ours)
	assert.Equal(t, harness.Result{Stdout: "held: 9, jumps left: 0\n"}, result)
}

func TestQUIC(t *testing.T) {
	for _, name := range []string{"3.5", "3.6", "4.0"} {
		library := libssls.Get(t, name).Harness()
		for _, way := range []string{"stateless", "stateful", "callback"} {
			t.Run(name+" "+way, func(t *testing.T) {
				quic := program("quic", way)
				quic.Library = library
				harness.RunBothUnreported(t, quic)
			})
		}
	}
}

// TestForkBesideRelease: what another thread was letting go is in no cache of the child. With libssl alone the lock of the
// context stays taken there.
func TestForkBesideRelease(t *testing.T) {
	result := program("fork_beside_release").Run(t, harness.Ours)
	require.Equal(t, "forked in the callback: 13\nforked beside it: 0\nin the end: 0\n", result.Stdout)
	require.Zero(t, result.Exit, result.Stderr)
}
