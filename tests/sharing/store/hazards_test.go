package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// What a process does to a library with threads, while it uses a store: programs under libssl alone print the same but
// for what the store adds.

// requireEnds runs a program with a store of its own, and says what it must print; complaint is its standard error.
func requireEnds(t *testing.T, name string, arguments []string, printed, complaint string, more ...string) *sharing {
	t.Helper()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	shared.more = more
	for i, argument := range arguments {
		arguments[i] = strings.ReplaceAll(argument, "PID", fmt.Sprint(kept.process.Pid))
	}
	var flags []string
	if name == "collector" {
		flags = []string{"-Wl,--no-as-needed", "-lgc"}
	}
	result := harness.Program{
		Source: filepath.Join("programs", name+".c"), Flags: flags, Args: arguments, Env: shared.environment(), Timeout: time.Minute,
	}.Run(t, harness.Ours)
	require.Equal(t, complaint, result.Stderr)
	require.Zero(t, result.Exit, result.Stdout)
	require.Equal(t, "first: done 1 resumed 0 0 hello 1\n"+printed, result.Stdout)
	return shared
}

func TestThreadIsCancelledWhileItWaits(t *testing.T) {
	t.Parallel()
	shared := requireEnds(t, "wait_cancel", []string{"PID"}, strings.Repeat("the thread was cancelled\n", 4)+
		"without an answer: 0\nwith an answer: resumed\n", "")
	require.Greater(t, shared.counters().TimedOut, 0, "else nobody waited")
}

func TestHandlersJumpOutOfTheWait(t *testing.T) {
	t.Parallel()
	requireEnds(t, "wait_jump", []string{"PID"}, "left by jumps\nwith an answer: resumed\nlater: resumed\n", "")
}

func TestHandlersWithLargeFramesRunInTheWait(t *testing.T) {
	t.Parallel()
	requireEnds(t, "wait_handler", []string{"PID"},
		"with an answer: resumed\nwithout an answer: 0, handlers ran in the wait: 1\n", "")
}

func TestProgramHasTakenAllThreadKeys(t *testing.T) {
	t.Parallel()
	requireEnds(t, "scarce_keys", nil, "elsewhere: resumed\nits own is still its own: 1\n", "")
}

func TestNoThreadCanBeMade(t *testing.T) {
	t.Parallel()
	requireEnds(t, "scarce_threads", []string{"first"}, "failed: 0\n",
		"sslcache: the store stays off: no thread can be made\n")
	requireEnds(t, "scarce_threads", []string{"later"}, "failed: 0\n", "")
}

func TestNoMemoryCanBeHad(t *testing.T) {
	t.Parallel()
	requireEnds(t, "scarce_memory", []string{"first"}, "failed: 0\n",
		"sslcache: the store stays off: too little memory (ulimit -d)\n")
	requireEnds(t, "scarce_memory", []string{"later"}, "failed: 0\nwith memory again: resumed\n", "")
}

func TestForkWhileRequestsAreUnderWay(t *testing.T) {
	t.Parallel()
	requireEnds(t, "fork_busy", []string{"PID"}, "most of the children resumed: 1\n", "")
}

func TestProgramClosesAllDescriptors(t *testing.T) {
	t.Parallel()
	requireEnds(t, "descriptors_closed", nil, "before: resumed\nafter: resumed\n", "")
}

func TestBlockedSignalsComeToTheProgram(t *testing.T) {
	t.Parallel()
	var printed strings.Builder
	for _, number := range []int{17, 27, 10, 23, 13, 15, 11} {
		fmt.Fprintf(&printed, "signal %d: 100 of 100\n", number)
	}
	requireEnds(t, "signals_blocked", nil,
		"elsewhere: resumed\n"+printed.String()+"handlers that are not as they were: 0\n", "")
}

func TestConservativeCollectorLooksThroughAllData(t *testing.T) {
	t.Parallel()
	requireEnds(t, "collector", nil, "list whole: 1000 elements\nelsewhere: resumed\n", "")
}

// TestDaemonForksBeforeItsFirstContext: and the child finds the library while it may.
func TestDaemonForksBeforeItsFirstContext(t *testing.T) {
	harness.RequireRoot(t)
	t.Parallel()
	requireEnds(t, "daemon", nil, "in the child: resumed\n", "")
}
