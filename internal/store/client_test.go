package store

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// answering is a server that answers whatever it is asked with the same bytes, and counts its connections.
func answering(t *testing.T, answer string, open *atomic.Int64) string {
	t.Helper()
	listener := harness.Serve(t, "tcp", "127.0.0.1:0", func(connection net.Conn) {
		open.Add(1)
		defer open.Add(-1)
		answerBy(connection, func(string) string { return answer })
	})
	return "valkey://" + listener.Addr().String()
}

// All servers at once: the client library waits two seconds for some sentinels.
func TestServerThatTalksNonsense(t *testing.T) {
	var users sync.WaitGroup
	for i, answer := range []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"$99999999999999\r\n",
		"*60000\r\n*60000\r\n*60000\r\n",
		"\x16\x03\x01\x02\x00\x01",
		"-ERR unknown command\r\n",
		"-MOVED 1 127.0.0.1:1\r\n",
		":1\r\n:2\r\n:3\r\n:4\r\n",
		"$3\r\nabc\r\n",
		"+OK\r\n",
		"",
		strings.Repeat("*1\r\n", 1<<20),
		strings.Repeat("%1\r\n+x\r\n", 1<<19) + strings.Repeat("*65536\r\n", 1<<16),
	} {
		for _, more := range []string{"", "?cluster=true", "?master_name=m"} {
			var open atomic.Int64
			address := answering(t, answer, &open) + more
			users.Go(func() {
				name := fmt.Sprint(i, more)
				useNonsense(t, name, address)
				assert.Eventually(t, func() bool { return open.Load() == 0 }, 10*time.Second, time.Millisecond,
					"%s: every connection is closed", name)
			})
		}
	}
	users.Wait()
}

// useNonsense opens a store, uses it, and closes it.
func useNonsense(t *testing.T, name, address string) {
	s, err := Open(Settings{Address: address, Application: "test", Timeout: 50 * time.Millisecond})
	if !assert.NoError(t, err, name) {
		return
	}
	defer s.Close()
	assert.NoError(t, s.SetKeys([]byte(keyfile.Generate())), name)
	for range 8 {
		put(s, "a")
		assert.Empty(t, get(s, "a", false), name)
		s.Delete(named("a"))
	}
	stats := s.Stats()
	assert.Equal(t, uint64(8), stats.Failed+stats.TimedOut+stats.Skipped+stats.Missed, name)
}

// TestSentinelThatTalksNonsense: it answers well until it is to tell the news.
func TestSentinelThatTalksNonsense(t *testing.T) {
	for name, news := range map[string]string{
		"deep": strings.Repeat("*1\r\n", 1<<20), "wide": strings.Repeat("*65536\r\n", 1<<16),
		"maps": strings.Repeat("%1\r\n+x\r\n", 1<<19),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var isAsked atomic.Bool
			listener := harness.Serve(t, "tcp", "127.0.0.1:0", func(connection net.Conn) {
				_, port, err := net.SplitHostPort(connection.LocalAddr().String())
				assert.NoError(t, err)
				answerBy(connection, func(asked string) string {
					switch {
					case strings.Contains(asked, "hello"):
						return "-ERR unknown command\r\n"
					case strings.Contains(asked, "get-master-addr-by-name"):
						return fmt.Sprintf("*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n", len(port), port)
					case strings.Contains(asked, "subscribe"):
						isAsked.Store(true)
						return news
					}
					return "+PONG\r\n"
				})
			})
			c, err := newClient(Settings{Address: "valkey://" + listener.Addr().String() + "?master_name=m"})
			require.NoError(t, err)
			defer c.close()
			require.NoError(t, c.ping(context.Background(), ""))
			require.Eventually(t, isAsked.Load, 10*time.Second, time.Millisecond)
			time.Sleep(100 * time.Millisecond) // for it to be read
			require.NoError(t, c.ping(context.Background(), ""))
		})
	}
}

func answerBy(connection net.Conn, answer func(asked string) string) {
	defer connection.Close()
	room := make([]byte, 4096)
	for {
		count, err := connection.Read(room)
		if err != nil {
			return
		}
		if _, err := connection.Write([]byte(answer(string(room[:count])))); err != nil {
			return
		}
	}
}
