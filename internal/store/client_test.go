package store

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

// answering is a server that answers whatever it is asked with the same bytes.
func answering(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answerAlways(connection, answer)
		}
	}()
	return "valkey://" + listener.Addr().String()
}

func answerAlways(connection net.Conn, answer string) {
	defer connection.Close()
	room := make([]byte, 4096)
	for {
		if _, err := connection.Read(room); err != nil {
			return
		}
		if _, err := connection.Write([]byte(answer)); err != nil {
			return
		}
	}
}

func TestServerThatTalksNonsense(t *testing.T) {
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
	} {
		for _, more := range []string{"", "?cluster=true", "?master_name=m"} {
			t.Run(fmt.Sprint(i, more), func(t *testing.T) {
				t.Parallel()
				var open atomic.Int64
				s, err := Open(Settings{
					Address: answering(t, answer) + more, Application: "test", Timeout: 50 * time.Millisecond,
					Connected:    func(int) { open.Add(1) },
					Disconnected: func(int) { open.Add(-1) },
				})
				require.NoError(t, err)
				require.NoError(t, s.SetKeys([]byte(keyfile.Generate())))
				for range 8 {
					put(s, "a")
					require.Empty(t, get(s, "a", false))
					s.Delete(named("a"))
				}
				stats := s.Stats()
				require.Equal(t, uint64(8), stats.Failed+stats.TimedOut+stats.Skipped+stats.Missed)
				s.Close()
				require.Eventually(t, func() bool { return open.Load() == 0 }, 10*time.Second, time.Millisecond,
					"every connection is closed")
			})
		}
	}
}
