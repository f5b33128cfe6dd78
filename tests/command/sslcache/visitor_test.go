package sslcache

import (
	"crypto/tls"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// visitor is a client of its own make: whatever server it visits, it resumes where it can.
type visitor struct {
	t       testing.TB
	address string
	tls     *tls.Config
}

func newVisitor(t testing.TB, port int) *visitor {
	return &visitor{
		t: t, address: fmt.Sprintf("127.0.0.1:%d", port),
		tls: &tls.Config{
			InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		},
	}
}

// visit asks for a page so many times, and counts how often its session was resumed.
func (v *visitor) visit(times int) (resumed int) {
	v.t.Helper()
	for range times {
		if v.once() {
			resumed++
		}
	}
	return resumed
}

func (v *visitor) once() bool {
	v.t.Helper()
	connection, err := tls.Dial("tcp", v.address, v.tls)
	require.NoError(v.t, err)
	defer connection.Close()
	require.NoError(v.t, connection.SetDeadline(time.Now().Add(40*time.Second)))
	_, err = io.WriteString(connection, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
	require.NoError(v.t, err)
	// The tickets come with the answer.
	_, err = io.Copy(io.Discard, connection)
	require.NoError(v.t, err)
	return connection.ConnectionState().DidResume
}
