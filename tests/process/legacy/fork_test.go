package legacy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

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
