package store

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store"
	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

const defaultTimeout = 20 * time.Millisecond

// farAway is an address at which the server of that host is so far away: half of it each way, and once more of all of
// it for each connection.
func farAway(t *testing.T, host string, distance time.Duration) string {
	t.Helper()
	listener := harness.Serve(t, "tcp", "127.0.0.1:0", func(near net.Conn) {
		far, err := net.Dial("tcp", host)
		if err != nil {
			near.Close()
			return
		}
		met := time.Now().Add(distance)
		go carry(near, far, distance/2, met)
		carry(far, near, distance/2, met)
	})
	return listener.Addr().String()
}

type piece struct {
	content []byte
	due     time.Time
}

func carry(from, to net.Conn, way time.Duration, notBefore time.Time) {
	pieces := make(chan piece, 1024)
	go func() {
		defer to.Close()
		for one := range pieces {
			time.Sleep(time.Until(one.due))
			if _, err := to.Write(one.content); err != nil {
				from.Close()
			}
		}
	}()
	defer close(pieces)
	for {
		room := make([]byte, 64<<10)
		count, err := from.Read(room)
		due := time.Now().Add(way)
		if due.Before(notBefore.Add(way)) {
			due = notBefore.Add(way)
		}
		if count > 0 {
			pieces <- piece{room[:count], due}
		}
		if err != nil {
			return
		}
	}
}

// openFar opens the store of a server at a distance, with the timeout that holds where nothing is said.
func openFar(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(store.Settings{Address: address, Application: "test", Timeout: defaultTimeout})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.SetKeys([]byte(keyfile.Generate())))
	return s
}

// TestServerSomeMillisecondsAway: what is nearer than the timeout serves, though a connection to it takes longer to be
// set up: over TLS, and with a password.
func TestServerSomeMillisecondsAway(t *testing.T) {
	certificate, key := harness.Certificate(t)
	secure := harness.FreePort(t)
	kept := startKeeper(t, "--requirepass", "sesame", "--tls-port", fmt.Sprint(secure), "--tls-cert-file", certificate,
		"--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no")
	for _, distance := range []time.Duration{8 * time.Millisecond, 12 * time.Millisecond, 18 * time.Millisecond} {
		for name, address := range map[string]string{
			"in the clear": "valkey://:sesame@" + farAway(t, kept.host(), distance) + "/3",
			"over TLS": "valkeys://:sesame@" + strings.Replace(farAway(t, fmt.Sprintf("127.0.0.1:%d", secure), distance),
				"127.0.0.1", "localhost", 1) + "?ca=" + certificate,
		} {
			t.Run(fmt.Sprint(distance, " ", name), func(t *testing.T) {
				s := openFar(t, address)
				s.Put(number(1), make([]byte, 500), time.Hour, false)
				require.Eventually(t, func() bool { return s.Stats().Written == 1 }, patience, time.Millisecond)
				// A machine with something else to do makes some wait longer than the distance.
				const wanted = 50
				tries := 0
				for begun := time.Now(); s.Stats().Found < wanted && time.Since(begun) < patience; tries++ {
					time.Sleep(time.Millisecond)
					begun := time.Now()
					if s.Get(number(1), false, make([]byte, 1000)) > 0 {
						require.Greater(t, time.Since(begun), distance, "else it was not so far away")
					}
				}
				t.Logf("%d of %d found", s.Stats().Found, tries)
				require.Equal(t, uint64(wanted), s.Stats().Found, "%+v", s.Stats())
			})
		}
	}
}

// TestServerThatIsTooFarAway: look-ups miss and soon wait no longer, the report says why, sessions are written and
// removed all the same.
func TestServerThatIsTooFarAway(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	s := openFar(t, "valkey://"+farAway(t, kept.host(), 25*time.Millisecond))
	s.Put(number(1), make([]byte, 500), time.Hour, false)
	require.Eventually(t, func() bool { return s.Stats().Written == 1 }, patience, time.Millisecond)
	require.Eventually(t, func() bool {
		require.Zero(t, s.Get(number(1), false, make([]byte, 1000)))
		return s.Stats().Open
	}, patience, time.Millisecond)
	time.Sleep(2 * time.Second)
	require.True(t, s.Stats().Open, "as long as it is so far away")
	// A machine with something else to do takes longer yet.
	require.Regexp(t, `^the server answers after (2[5-9]|[3-9][0-9]|[1-9][0-9]{2,})[.0-9]*ms, SSLCACHE_STORE_TIMEOUT is 20ms: a longer one would wait for it$`,
		s.Stats().Failure)
	s.Put(number(2), make([]byte, 500), time.Hour, false)
	kept.waitForRecords(2)
	s.Delete(number(1))
	s.Delete(number(2))
	require.Eventually(t, func() bool { return s.Stats().Deleted == 2 }, patience, time.Millisecond)
	require.Empty(t, kept.records())
}

// TestNothingThatAnswers: a server that is stopped, and one that nobody can connect to.
func TestNothingThatAnswers(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	s := openFar(t, kept.address())
	require.Eventually(t, func() bool {
		s.Get(number(1), false, make([]byte, 1000))
		return s.Stats().Missed > 0
	}, patience, time.Millisecond)
	kept.signal(syscall.SIGSTOP)
	defer kept.signal(syscall.SIGCONT)
	s.Get(number(1), false, make([]byte, 1000))
	require.Equal(t, "no answer of the server within 20ms (SSLCACHE_STORE_TIMEOUT)", s.Stats().Failure)
	deaf := openFar(t, kept.address())
	deaf.Get(number(1), false, make([]byte, 1000))
	require.Equal(t, "no connection to the server within 20ms (SSLCACHE_STORE_TIMEOUT)", deaf.Stats().Failure)
	require.Less(t, deaf.Stats().Slowest, 500*time.Millisecond)
}

// TestHandshakesWithAFarServer: the same behind a TLS server, with nothing asked for but the store.
func TestHandshakesWithAFarServer(t *testing.T) {
	for distance, works := range map[time.Duration]bool{12 * time.Millisecond: true, 40 * time.Millisecond: false} {
		t.Run(distance.String(), func(t *testing.T) {
			t.Parallel()
			kept := startKeeper(t)
			shared := share(t, "valkey://"+farAway(t, kept.host(), distance))
			folder := t.TempDir()
			require.NoError(t, os.Chmod(folder, 0o700))
			shared.more = []string{"SSLCACHE_STORE_TIMEOUT=", "SSLCACHE_LIVE=1", "SSLCACHE_RUN_FOLDER=" + folder}
			p := startPair(t, shared, shared)
			everybody := newClients(t, "1.2", someClients)
			everybody.visit(p.port)
			kept.waitForRecords(someClients)
			strangers := newClients(t, "1.2", 1)
			strangers.visit(p.otherPort)
			strangers.visit(p.otherPort)
			time.Sleep(2 * time.Second) // for the connection to be there
			again := everybody.visit(p.otherPort)
			seen := countersOf(t, folder, p.other)
			t.Logf("%v away: %d of %d resumed; %+v", distance, again.resumed, someClients, seen)
			if works {
				require.NotZero(t, again.resumed)
				return
			}
			require.Zero(t, again.resumed)
			// Until the connection is there, which the machine may delay, it says that there is none.
			var rest string
			require.Eventually(t, func() (isThere bool) {
				everybody.visit(p.otherPort)
				_, rest, isThere = strings.Cut(countersOf(t, folder, p.other).Failure, "the server answers after ")
				return isThere
			}, patience, 100*time.Millisecond)
			took, err := strconv.ParseFloat(rest[:strings.Index(rest, "ms")], 64)
			require.NoError(t, err)
			require.Greater(t, took, 40.0)
			require.Contains(t, rest, "SSLCACHE_STORE_TIMEOUT is 20ms: a longer one would wait for it")
		})
	}
}
