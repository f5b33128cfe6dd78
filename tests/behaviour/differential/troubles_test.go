package differential

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// The known troubles of libssl's own cache, each with what becomes of it under ours.

// openssl#8687: sessions with timeouts of their own. libssl 3.0 and later keeps them in order of expiry,
// for which it walks a list at each add; ours does not. Whatever the way, the order is the same.
func TestMixedTimeouts(t *testing.T) {
	const sessions = 2000
	var script strings.Builder
	script.WriteString("context c0 tls12\ncallbacks c0 new=off get=off remove=on\nsize c0 1500\n")
	shuffled := rand.New(rand.NewPCG(8687, 0)).Perm(sessions)
	for _, timeout := range shuffled {
		fmt.Fprintf(&script, "session s0 c0 771 %04x 1000 %d\nadd s0\n", timeout, timeout)
	}
	for past := 1000; past <= 1000+sessions; past += 250 {
		fmt.Fprintf(&script, "flush c0 %d\nnumber c0\n", past)
	}
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		ours := bothRun(t, libssl, script.String())
		assert.Contains(t, ours, "left 0 sessions")
		assert.Equal(t, sessions, strings.Count(ours, "remove_cb "), "each session is called back for once")
	})
}

// openssl#18690, #18905: a session that comes in from the program's own cache and expires before all others was
// itself evicted while the handshake went on with it, which then failed.
func TestEvictionOfTheSessionInUse(t *testing.T) {
	const script = `context c0 tls12
context c2 tls12
options c0 no_ticket
size c0 2
callbacks c0 new=keep get=fresh remove=on
lifetime c0 300
connect p0 c2 c0
take s0 p0.client
lifetime c0 7200
connect p1 c2 c0
connect p2 c2 c0
connect p3 c2 c0 resume=s0
`
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		ours := bothRun(t, libssl, script)
		_, last, _ := strings.Cut(ours, "> connect p3")
		assert.Contains(t, last, "client 1 server 1")
		assert.Contains(t, last, "reused 1 1")
	})
}

// CVE-2024-2511: with stateful TLS 1.3, one session shown again and again while connections with it fail made
// the cache grow without bound.
func TestGrowthIsBounded(t *testing.T) {
	const size = 5
	script := fmt.Sprintf("context c0 tls13\ncontext c2 tls13\noptions c0 no_ticket\nsize c0 %d\n", size) +
		"connect p0 c2 c0\ntake s0 p0.client\n" +
		strings.Repeat("connect p0 c2 c0 resume=s0\ngarbage p0 server\nconnect p1 c2 c0 resume=s0\ntake s0 p1.client\nstats c0\n", 60)
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		ours := bothRun(t, libssl, script)
		seen := 0
		for line := range strings.Lines(ours) {
			var number int
			if _, err := fmt.Sscanf(line, "  number %d accept", &number); err == nil {
				assert.LessOrEqual(t, number, size)
				seen++
			}
		}
		assert.Equal(t, 60, seen)
	})
}

// bothRun returns what our side printed, which must be what libssl alone printed.
func bothRun(t *testing.T, libssl libssls.Libssl, script string) string {
	t.Helper()
	alone, preloaded := newProcess(t, libssl, ""), newProcess(t, libssl, harness.OurLibrary(t))
	compare(t, script, alone, preloaded)
	return preloaded.run(script)
}

// openssl#31540: a remove_cb that calls the API back. Before 3.6.5 libssl holds its lock there: glibc notices
// and the call fails without a word (with 1.1.1 it goes on unlocked). Under ours it works like any other call.
func TestCallbackAddsDuringEviction(t *testing.T) {
	const script = `context c0 tls12
callbacks c0 new=off get=off remove=on
dare c0
size c0 3
session s0 c0 771 aa 1000 300
session s1 c0 771 bb 1000 400
session s2 c0 771 cc 1000 500
session s3 c0 771 dd 1000 600
add s0
add s1
react c0 remove remove s1
add s2
add s3
walk c0
`
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		printed := newProcess(t, libssl, harness.OurLibrary(t)).run(script)
		_, evicting, found := strings.Cut(printed, "> remove s1")
		require.True(t, found, "%s", printed)
		assert.Contains(t, evicting, "removed 1")
		assert.Contains(t, printed, "left 0 sessions, 0 contexts")
	})
}

// The same in a flush; a session that the callback puts back stays in the cache.
func TestCallbackAddsDuringFlush(t *testing.T) {
	const script = `context c0 tls12
callbacks c0 new=off get=off remove=on
dare c0
session s0 c0 771 aa 1000 300
session s1 c0 771 bb 1000 400
add s0
add s1
react c0 remove add @
flush c0 1301
number c0
flush c0 0
number c0
callbacks c0 new=off get=off remove=off
`
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		printed := newProcess(t, libssl, harness.OurLibrary(t)).run(script)
		assert.Equal(t, 2, strings.Count(printed, "> number c0\n  number 2\n"), "%s", printed)
		assert.Equal(t, 3, strings.Count(printed, "> add @\n      added 1\n"), "%s", printed)
		assert.Contains(t, printed, "left 0 sessions, 0 contexts")
	})
}

// openssl#31540, ruby/openssl#155: remove_cb waits for a lock of the program, whose holder waits for libssl's. Under
// ours it cannot come to that; under libssl alone the test says whether it does, and judges nothing.
func TestLockOfTheProgram(t *testing.T) {
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		program := harness.Program{
			Source:  filepath.Join(harness.Root(t), "tests", "behaviour", "differential", "troubles", "lock_order.c"),
			Library: libssl.Harness(),
		}.Compile(t, harness.Libssl)

		printed, err := runBounded(libssl, harness.OurLibrary(t), program, scriptBound)
		require.NoError(t, err)
		assert.Contains(t, printed, "added 1\nremoved\n")
		assert.Contains(t, printed, "left ")

		_, err = runBounded(libssl, "", program, 2*time.Second)
		t.Logf("libssl %s alone: deadlock: %t", libssl.Package, errors.Is(err, context.DeadlineExceeded))
	})
}

func runBounded(libssl libssls.Libssl, preload, program string, bound time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	printed, err := libssl.Command(ctx, preload, program).Output()
	if ctx.Err() != nil {
		return string(printed), ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(printed), fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(printed), err
}
