package harness

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// OpenFolder is a folder of the test that every user can enter.
func OpenFolder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for _, path := range []string{filepath.Dir(folder), folder} {
		require.NoError(t, os.Chmod(path, 0o755))
	}
	return folder
}

// RequireRoot fails a test of programs that change their user or their root, where they may not.
func RequireRoot(t testing.TB) {
	t.Helper()
	require.Zero(t, os.Geteuid(), "this test changes root and user: run it as root")
}

// Serve listens for the test and lets each connection be served on a goroutine of its own; serve closes it.
// "127.0.0.1:0" is a port that is free.
func Serve(t testing.TB, network, address string, serve func(net.Conn)) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(connection)
		}
	}()
	return listener
}

// Text may be written by one goroutine while others read it.
type Text struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (t *Text) Write(piece []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.buffer.Write(piece)
}

// String returns what has been written so far.
func (t *Text) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.buffer.String()
}
