package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Below the ports that the kernel gives to connections (net.ipv4.ip_local_port_range): one of those may be taken by somebody's
// connection between the test's look and the server's start.
const firstPort, lastPort = 10000, 32767

var (
	givenPorts      = map[int]bool{}
	givenPortsMutex sync.Mutex
)

// FreePort returns a port of 127.0.0.1 that nobody listens on, and that no other test of this process was given.
func FreePort(t testing.TB) int {
	t.Helper()
	givenPortsMutex.Lock()
	defer givenPortsMutex.Unlock()
	for range lastPort - firstPort {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if !givenPorts[port] && isFree(port) {
			givenPorts[port] = true
			return port
		}
	}
	require.Fail(t, "no port is free")
	return 0
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	return err == nil && listener.Close() == nil
}

// Server is a command that runs beside the test.
type Server struct {
	Pid int

	t       testing.TB
	path    string
	mark    string
	command *exec.Cmd
	ended   chan struct{}
	stdout  Text // written by a copier of os/exec
	stderr  Text
}

// Start starts the command and waits until something listens on the port; 0 waits for nothing.
// The server is ended with the test, if Stop did not do it.
func (c Command) Start(t testing.TB, port int) *Server {
	t.Helper()
	bound := c.Timeout
	if bound == 0 {
		bound = defaultTimeout
	}
	command, mark := c.prepare(context.Background())
	server := &Server{t: t, path: c.Path, mark: mark, command: command, ended: make(chan struct{})}
	command.Stdout, command.Stderr = &server.stdout, &server.stderr
	require.NoError(t, command.Start())
	server.Pid = command.Process.Pid
	go func() {
		_ = command.Wait()
		close(server.ended)
	}()
	t.Cleanup(func() { server.Stop(syscall.SIGKILL) })
	if port != 0 {
		server.waitFor(port, bound)
	}
	return server
}

func (s *Server) waitFor(port int, bound time.Duration) {
	s.t.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(bound); time.Now().Before(deadline); {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			connection.Close()
			return
		}
		select {
		case <-s.ended:
			require.Failf(s.t, "the server ended", "%s: %s%s", s.path, s.Stdout(), s.Stderr())
		case <-time.After(10 * time.Millisecond):
		}
	}
	require.Failf(s.t, "the server does not listen", "%s: %s%s", s.path, s.Stdout(), s.Stderr())
}

// Stop sends the signal to the server, waits for its end, and gives what it left. After 10
// seconds the server is killed, and the test failed.
func (s *Server) Stop(signal syscall.Signal) Result {
	s.t.Helper()
	select {
	case <-s.ended:
	default:
		_ = syscall.Kill(s.Pid, signal)
	}
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		assert.Failf(s.t, "the server did not stop", "%s, at signal %d", s.path, signal)
		_ = syscall.Kill(-s.Pid, syscall.SIGKILL)
		<-s.ended
	}
	noneLeft(s.t, s.path, s.mark)
	return Result{Stdout: s.Stdout(), Stderr: s.Stderr(), Exit: s.command.ProcessState.ExitCode()}
}

// Stdout is what the server has written so far.
func (s *Server) Stdout() string { return s.stdout.String() }

// Stderr is what the server has complained of so far.
func (s *Server) Stderr() string { return s.stderr.String() }
