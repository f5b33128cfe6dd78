package legacy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func TestForkInheritsSessions(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			counters := harness.RunBoth(t, program("fork_inherit", version))
			assert.NotZero(t, counters.Found)
		})
	}
}

func TestForkGenerations(t *testing.T) {
	harness.RunBoth(t, program("fork_generations", "10"))
}

// Beyond the generations that a core can be copied for, libssl keeps the sessions.
func TestForkMoreGenerationsThanCores(t *testing.T) {
	harness.RunBoth(t, program("fork_generations", "70"))
}

// libssl alone hangs at times in a child that was forked while another thread held its lock, so there
// is nothing to compare with: what must come is written here.
func TestForkWhileThreadsAreInside(t *testing.T) {
	const expected = "first visit: done 1 resumed 0 0 hello 1\n"
	for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
		t.Run(string(mode), func(t *testing.T) {
			result := program("fork_threads", "40").Run(t, mode)
			assert.Equal(t, harness.Result{Stdout: strings.Repeat(expected, 4) +
				"all children well: yes\n" +
				"failed calls in the parent: 0\n" +
				"parent again with 0: done 1 resumed 1 1 hello 1\n" +
				"SSL_CTX_sess_number(house.server): 4\n"}, result)
		})
	}
}

func TestForkManyInSequence(t *testing.T) {
	harness.RunBoth(t, program("fork_sequence", "100"))
}

func TestForkDaemonSpawnSystem(t *testing.T) {
	harness.RunBoth(t, program("fork_kinds"))
}

func TestForkInCallback(t *testing.T) {
	for _, where := range []string{"new", "get", "remove"} {
		t.Run(where, func(t *testing.T) {
			harness.RunBoth(t, program("fork_callbacks", where))
		})
	}
}

// libssl alone calls remove_cb with its lock held when it flushes or evicts: the child hangs at its first
// handshake. Ours holds no lock there, so the child must go on.
func TestForkInCallbackUnderTheLockOfLibssl(t *testing.T) {
	for _, where := range []string{"flush", "evict"} {
		t.Run(where, func(t *testing.T) {
			result := program("fork_callbacks", where).Run(t, harness.Ours)
			assert.Empty(t, result.Stderr)
			assert.Zero(t, result.Exit)
			assert.Contains(t, result.Stdout, "child again: done 1 resumed ")
			assert.Contains(t, result.Stdout, "churn(house.server, 900, 3): 1\n")
			assert.Contains(t, result.Stdout, "child of remove_cb: exit 0\n")
			assert.Contains(t, result.Stdout, "parent at its end:")
		})
	}
}

func TestForkChildEndsAtOnceOrWorksHard(t *testing.T) {
	harness.RunBoth(t, program("fork_ends"))
}

func TestForkInSignalHandler(t *testing.T) {
	harness.RunBoth(t, program("fork_handler", sharedObject(t, "atfork_plugin")))
}

// fallback runs a program in which a child can have no core. The library is a copy of ours that the
// program may spoil; what the program needs is made anew for each run.
func fallback(t *testing.T, way string, verbose bool, prepare func(library string) []string) (alone, ours harness.Result) {
	t.Helper()
	run := func(mode harness.Mode) harness.Result {
		library := copyFile(t, harness.OurLibrary(t), filepath.Join(openFolder(t), "libsslcache.so"))
		command := program("fork_fallback", append([]string{way}, prepare(library)...)...).Command(t, harness.Libssl)
		if mode == harness.Ours {
			command.Preload = []string{library}
		}
		if verbose {
			command.Env = append(command.Env, "SSLCACHE_VERBOSE=1")
		}
		return command.Run(t)
	}
	return run(harness.Libssl), run(harness.Ours)
}

// Where the child can have no core its sessions are libssl's, and nothing is said of it.
func TestForkWithoutCore(t *testing.T) {
	requireRoot(t)
	ways := map[string]struct {
		way     string
		prepare func(library string) []string
	}{
		"chroot without proc":   {"chroot", func(string) []string { return []string{t.TempDir()} }},
		"seccomp without memfd": {"seccomp", func(string) []string { return nil }},
		"library removed":       {"remove", func(library string) []string { return []string{library} }},
		"library replaced by no library": {"replace", func(library string) []string {
			other := library + ".new"
			require.NoError(t, os.WriteFile(other, []byte("not a library"), 0o755))
			return []string{library, other}
		}},
		"library replaced by another library": {"replace", func(library string) []string {
			other := harness.Program{
				Source: filepath.Join("programs", "stranger.c"), Flags: []string{"-shared", "-fPIC"},
			}.Compile(t, harness.Libssl)
			return []string{library, copyFile(t, other, library+".new")}
		}},
	}
	for name, one := range ways {
		t.Run(name, func(t *testing.T) {
			alone, ours := fallback(t, one.way, false, one.prepare)
			assert.Zero(t, alone.Exit)
			assert.NotContains(t, alone.Stdout, "not barred")
			assert.Contains(t, alone.Stdout, "and again: done 1 resumed 1 1")
			assert.Equal(t, alone, ours)
		})
	}
}

// With SSLCACHE_VERBOSE each process that goes without a core says so in one line.
func TestForkWithoutCoreIsSaidWhenAsked(t *testing.T) {
	requireRoot(t)
	alone, ours := fallback(t, "chroot", true, func(string) []string { return []string{t.TempDir()} })
	assert.Equal(t, alone.Stdout, ours.Stdout)
	assert.Empty(t, alone.Stderr)
	lines := strings.Split(strings.TrimSpace(ours.Stderr), "\n")
	assert.Len(t, lines, 2, "two children, a line each:\n%s", ours.Stderr)
	for _, line := range lines {
		assert.Contains(t, line, "sslcache: the cache can't start: ")
	}
}
