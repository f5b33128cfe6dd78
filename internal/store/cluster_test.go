package store

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// clusterOfOne is a cluster whose only node answers a ping as it is told to. It returns its port.
func clusterOfOne(t *testing.T, pong *atomic.Value) int {
	t.Helper()
	listener := harness.Serve(t, "tcp", "127.0.0.1:0", func(connection net.Conn) {
		answerBy(connection, func(asked string) string {
			switch {
			case strings.Contains(asked, "slots"):
				port := connection.LocalAddr().(*net.TCPAddr).Port
				return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n", port)
			case strings.Contains(asked, "ping"):
				return pong.Load().(string)
			}
			return "-ERR unknown command\r\n"
		})
	})
	return listener.Addr().(*net.TCPAddr).Port
}

// A node is well if it answers itself, not if the cluster knows of it.
func TestPingAsksTheNode(t *testing.T) {
	var pong atomic.Value
	pong.Store("+PONG\r\n")
	c, err := newClient(Settings{Address: fmt.Sprintf("valkey://127.0.0.1:%d?cluster=true", clusterOfOne(t, &pong))})
	require.NoError(t, err)
	defer c.close()
	require.NoError(t, c.ping(context.Background(), namePrefix))
	pong.Store("-ERR out of order\r\n")
	require.ErrorContains(t, c.ping(context.Background(), namePrefix), "out of order")
}
