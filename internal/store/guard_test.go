package store

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// canned is a connection that has so many bytes at a time.
type canned struct {
	net.Conn
	content *bytes.Reader
	step    int
}

func (c *canned) Read(room []byte) (int, error) {
	return c.content.Read(room[:min(c.step, len(room))])
}

func readThrough(answer string, step int) (string, error) {
	connection := &guard{Conn: &canned{content: bytes.NewReader([]byte(answer)), step: step}}
	content, err := io.ReadAll(connection)
	return string(content), err
}

func TestGuardPassesTheProtocol(t *testing.T) {
	for _, answer := range []string{
		"+OK\r\n", "-ERR no\r\n", ":1\r\n", "$-1\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n", "*2\r\n$3\r\nabc\r\n:7\r\n",
		"$12\r\n$9999999999\n\r\n+OK\r\n", // what a string holds is nobody's business
		"%1\r\n+a\r\n_\r\n", ">2\r\n+a\r\n#t\r\n", "=5\r\ntxt:a\r\n", "*-1\r\n",
		"$65536\r\n" + strings.Repeat("x", 65536) + "\r\n:1\r\n",
	} {
		for _, step := range []int{1, 2, 7, 1 << 20} {
			content, err := readThrough(answer, step)
			require.NoErrorf(t, err, "%.40q by %d", answer, step)
			require.Equal(t, answer, content)
		}
	}
}

func TestGuardEndsNonsense(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "$999999999999\r\n", "$-2\r\n", "$\r\n", "$a\r\n", "$3\nabc\n", "*65537\r\n",
		"*99999999999999999999999999\r\n", "\r\n", "\x00\x01\n", "!262145\r\n", "+" + strings.Repeat("x", countMax) + "\r\n",
	} {
		for _, step := range []int{1, 3, 1 << 20} {
			content, err := readThrough("+OK\r\n"+answer, step)
			require.Truef(t, errors.Is(err, errNonsense), "%.40q by %d: %v", answer, step, err)
			require.Truef(t, strings.HasPrefix("+OK\r\n"+answer, content), "%q", content)
		}
	}
}
