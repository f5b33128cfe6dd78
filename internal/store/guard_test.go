package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
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

// flat is a list of so many numbers.
func flat(count int) string { return fmt.Sprintf("*%d\r\n", count) + strings.Repeat(":1\r\n", count) }

func TestGuardPassesTheProtocol(t *testing.T) {
	text := func(size int) string { return fmt.Sprintf("$%d\r\n%s\r\n", size, strings.Repeat("x", size)) }
	for _, answer := range []string{
		"+OK\r\n", "-ERR no\r\n", ":1\r\n", "$-1\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n", "*2\r\n$3\r\nabc\r\n:7\r\n",
		"$12\r\n$9999999999\n\r\n+OK\r\n", // what a string holds is nobody's business
		"*-1\r\n", "*0\r\n",
		"%1\r\n+a\r\n_\r\n", ">2\r\n+a\r\n#t\r\n", "=5\r\ntxt:a\r\n", "~1\r\n,1.5\r\n", "!3\r\nERR\r\n", "(12345678901234567890\r\n", "%-1\r\n",
		"%2\r\n+a\r\n%1\r\n:1\r\n:2\r\n+b\r\n*0\r\n" + flat(elementsMax),
		text(stringMax) + ":1\r\n",
		"+" + strings.Repeat("x", lineMax-3) + "\r\n",
		strings.Repeat("*1\r\n", depthMax) + ":1\r\n",
		strings.Repeat("*1\r\n", depthMax-1) + "*2\r\n$0\r\n\r\n*0\r\n" + strings.Repeat("*1\r\n", depthMax) + "*-1\r\n",
		flat(elementsMax),
		strings.Repeat(flat(elementsMax/2), 3), // each answer has its own bound
		strings.Repeat("*2\r\n"+text(stringMax)+text(10), 12),
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
		"HTTP/1.1 400 Bad Request\r\n", "$999999999999\r\n", "$-2\r\n", "$\r\n", "$a\r\n", "$3\nabc\n",
		"*99999999999999999999999999\r\n", "\r\n", "\x00\x01\n", "*-2\r\n", "*2\n",
		fmt.Sprintf("$%d\r\n", stringMax+1), fmt.Sprintf("*%d\r\n", elementsMax+1),
		"+" + strings.Repeat("x", lineMax) + "\r\n",
		"|1\r\n+a\r\n_\r\n", "$?\r\n", ";4\r\n", "*?\r\n", ".\r\n", fmt.Sprintf("%%%d\r\n", elementsMax/2+1),
	} {
		for _, step := range []int{1, 3, 1 << 20} {
			content, err := readThrough("+OK\r\n"+answer, step)
			require.Truef(t, errors.Is(err, errNonsense), "%.40q by %d: %v", answer, step, err)
			require.Truef(t, strings.HasPrefix("+OK\r\n"+answer, content), "%q", content)
		}
	}
}

// TestGuardBoundsAnAnswer: its depth, and the total of what it says that it has.
func TestGuardBoundsAnAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"deep":              strings.Repeat("*1\r\n", depthMax+1),
		"maps in maps":      "%1\r\n+x\r\n" + strings.Repeat("%1\r\n+x\r\n", depthMax),
		"sets and pushes":   strings.Repeat("~1\r\n>1\r\n", depthMax),
		"deep, not at once": "*3\r\n:1\r\n:1\r\n" + strings.Repeat("*1\r\n", depthMax),
		"wide":              "*2\r\n*60000\r\n" + strings.Repeat(":1\r\n", 60000) + "*5535\r\n",
		"promised":          strings.Repeat("*30000\r\n", 3),
		"long":              "*9\r\n" + strings.Repeat(fmt.Sprintf("$%d\r\n%s\r\n", stringMax, strings.Repeat("x", stringMax)), 8),
		"long lines":        "*300\r\n" + strings.Repeat("+"+strings.Repeat("x", lineMax-3)+"\r\n", 257),
	} {
		_, err := readThrough(answer, 1<<20)
		require.ErrorIs(t, err, errNonsense, name)
		_, err = readThrough("+OK\r\n*1\r\n:1\r\n"+answer, 1<<20)
		require.ErrorIs(t, err, errNonsense, name)
	}
}

func TestGuardStaysClosed(t *testing.T) {
	connection := &guard{Conn: &canned{content: bytes.NewReader([]byte("HTTP\r\n+OK\r\n+OK\r\n")), step: 6}}
	for range 3 {
		count, err := connection.Read(make([]byte, 100))
		require.ErrorIs(t, err, errNonsense)
		require.Zero(t, count)
	}
}

// FuzzGuard: whatever a server answers, the client library behind the guard needs little memory and little stack.
func FuzzGuard(f *testing.F) {
	debug.SetMaxStack(1 << 20)
	for _, seed := range []string{
		"+OK\r\n", "$3\r\nabc\r\n", "*2\r\n$3\r\nabc\r\n:7\r\n", "%1\r\n+x\r\n", "%1\r\n+x\r\n%1\r\n+x\r\n", "*65536\r\n*65536\r\n",
		strings.Repeat("*1\r\n", 10000), strings.Repeat("*65536\r\n", 100), "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
		"|1\r\n+a\r\n+b\r\n+OK\r\n", "*14\r\n$6\r\nserver\r\n", "-LOADING later\r\n", "$131072\r\n", ">1\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Read(make([]byte, 4096))
			_, _ = theirs.Write(answer)
			theirs.Close()
		}()
		client := redis.NewClient(&redis.Options{
			Dialer:   func(context.Context, string, string) (net.Conn, error) { return &guard{Conn: ours}, nil },
			Protocol: 2, MaxRetries: -1, PoolSize: 1, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
		})
		client.Process(context.Background(), redis.NewCmd(context.Background(), "get", "a"))
		client.Close()
		ours.Close()
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20)+10*uint64(len(answer)))
	})
}
