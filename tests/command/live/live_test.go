// Package live asks running programs for their counters.
package live

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// document is what the socket answers.
type document struct {
	Format, Program, Libsslcache, Libssl string
	Version, Process, Uptime, Forks      int
	Dropped                              int
	Contexts                             []struct {
		Context, Number, Peak, Limit, Stored, Timeout, Mode int
		Tickets, SessionContext                             *bool
	}
}

// running is a program that does what it is told, see programs/serve.c.
type running struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	errors  strings.Builder
	folder  string
}

func start(t *testing.T, environment ...string) *running {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "run")
	program := harness.Program{Source: filepath.Join("programs", "serve.c")}.Command(t, harness.Ours)
	r := &running{t: t, folder: folder, command: exec.Command(program.Path)}
	r.command.Env = append([]string{
		"LD_PRELOAD=" + strings.Join(program.Preload, ":"), "SSLCACHE_LIVE=1", "SSLCACHE_RUN_FOLDER=" + folder,
	}, environment...)
	r.command.Stderr = &r.errors
	var err error
	r.input, err = r.command.StdinPipe()
	require.NoError(t, err)
	output, err := r.command.StdoutPipe()
	require.NoError(t, err)
	r.output = bufio.NewReader(output)
	require.NoError(t, r.command.Start())
	t.Cleanup(func() {
		r.input.Close()
		_ = r.command.Wait()
	})
	return r
}

// do tells the program what to do, and gives the number of the process that has done it.
func (r *running) do(what string) (process int) {
	r.t.Helper()
	_, err := fmt.Fprintln(r.input, what)
	require.NoError(r.t, err)
	for {
		line, err := r.output.ReadString('\n')
		require.NoError(r.t, err)
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != what {
			continue
		}
		process, err = strconv.Atoi(number)
		require.NoError(r.t, err)
		return process
	}
}

// end lets the program end by itself and gives what it said on standard error.
func (r *running) end() string {
	r.t.Helper()
	require.NoError(r.t, r.input.Close())
	require.NoError(r.t, r.command.Wait())
	return r.errors.String()
}

func (r *running) socket(process int) string {
	return filepath.Join(r.folder, strconv.Itoa(process)+".sock")
}

func (r *running) ask(process int) (answer document) {
	r.t.Helper()
	require.NoError(r.t, r.tryToAsk(process, &answer))
	require.Equal(r.t, "sslcache-live", answer.Format)
	require.Equal(r.t, 1, answer.Version)
	require.Equal(r.t, process, answer.Process)
	require.Contains(r.t, answer.Program, "serve")
	require.Contains(r.t, answer.Libssl, "OpenSSL "+libssls.System())
	require.NotEmpty(r.t, answer.Libsslcache)
	return answer
}

func (r *running) tryToAsk(process int, answer *document) error {
	connection, err := net.DialTimeout("unix", r.socket(process), 10*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	content, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, answer)
}

func TestTheCountersAreServed(t *testing.T) {
	t.Parallel()
	program := start(t)
	process := program.do("make")
	for range 3 {
		program.do("add")
	}
	answer := program.ask(process)
	require.Len(t, answer.Contexts, 1)
	require.Equal(t, 1, answer.Contexts[0].Context)
	require.Equal(t, 3, answer.Contexts[0].Number)
	require.Equal(t, 3, answer.Contexts[0].Stored)
	require.Equal(t, 20480, answer.Contexts[0].Limit)
	require.NotZero(t, answer.Contexts[0].Mode)

	program.do("make")
	require.Len(t, program.ask(process).Contexts, 2)
	program.do("free")
	require.Len(t, program.ask(process).Contexts, 1)
	require.Empty(t, program.end())
	require.NoFileExists(t, program.socket(process), "removed at the end")
}

func TestOnlyTheUserReachesIt(t *testing.T) {
	t.Parallel()
	program := start(t)
	program.do("make")
	folder, err := os.Stat(program.folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
}

func TestAFolderOfOthersIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(folder string) error{
		"open to others": func(folder string) error { return os.Mkdir(folder, 0o755) },
		"not a folder":   func(folder string) error { return os.WriteFile(folder, nil, 0o600) },
		"a link":         func(folder string) error { return os.Symlink(t.TempDir(), folder) },
		"of another user": func(folder string) error {
			return errors.Join(os.Mkdir(folder, 0o700), os.Chown(folder, 54321, 54321))
		},
	} {
		folder := filepath.Join(t.TempDir(), "spoilt")
		require.NoError(t, spoil(folder))
		requireNotServed(t, folder, "is not a folder of this user alone (mode 0700)", name)
	}
	requireNotServed(t, "/nowhere/at/all", "can't be made", "nowhere")
}

func requireNotServed(t *testing.T, folder, reason, name string) {
	t.Helper()
	program := start(t, "SSLCACHE_RUN_FOLDER="+folder)
	process := program.do("make")
	program.do("add")
	require.NoFileExists(t, filepath.Join(folder, strconv.Itoa(process)+".sock"), name)
	require.Equal(t, "sslcache: the counters are not served: "+folder+" "+reason+"\n", program.end(), name)
}

func TestTheDefaultFolder(t *testing.T) {
	t.Parallel()
	run := t.TempDir()
	program := start(t, "SSLCACHE_RUN_FOLDER=", "XDG_RUNTIME_DIR="+run)
	program.folder = filepath.Join(run, "sslcache")
	program.ask(program.do("make"))
}

func TestEachChildHasItsOwn(t *testing.T) {
	t.Parallel()
	program := start(t)
	parent := program.do("make")
	program.do("add")
	child := program.do("fork")
	require.NotEqual(t, parent, child)
	program.do("add")
	require.Equal(t, 2, program.ask(child).Contexts[0].Number)
	require.Zero(t, program.ask(child).Forks)
	require.Equal(t, 1, program.ask(parent).Contexts[0].Number)
	require.Equal(t, 1, program.ask(parent).Forks)
	grandchild := program.do("fork")
	program.do("make")
	require.Len(t, program.ask(grandchild).Contexts, 2)
	require.Empty(t, program.end())
	for _, process := range []int{parent, child, grandchild} {
		require.NoFileExists(t, program.socket(process))
	}
}

// What a process leaves behind that ends at once is refused: no child of it holds its socket.
func TestAParentThatLeaves(t *testing.T) {
	t.Parallel()
	program := start(t)
	parent := program.do("make")
	child := program.do("leave")
	_, err := program.command.Process.Wait()
	require.NoError(t, err)
	program.do("add")
	require.Equal(t, 1, program.ask(child).Contexts[0].Number)
	var answer document
	require.ErrorIs(t, program.tryToAsk(parent, &answer), syscall.ECONNREFUSED)
}

func TestTheProgramClosesTheSocket(t *testing.T) {
	t.Parallel()
	program := start(t)
	process := program.do("make")
	program.do("add")
	program.do("close")
	require.Eventually(t, func() bool {
		var answer document
		return program.tryToAsk(process, &answer) == nil && len(answer.Contexts) == 1 && answer.Contexts[0].Number == 1
	}, 20*time.Second, 50*time.Millisecond)
	require.Empty(t, program.end())
}

// Whoever connects and does not read, or goes at once, keeps nobody from an answer, and stops no program.
func TestReadersThatDoNotRead(t *testing.T) {
	t.Parallel()
	program := start(t)
	process := program.do("make")
	for i := range 10 {
		connection, err := net.Dial("unix", program.socket(process))
		require.NoError(t, err)
		if i%2 == 0 {
			connection.Close()
		} else {
			defer connection.Close()
		}
	}
	program.do("add")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var answer document
			if err := program.tryToAsk(process, &answer); err != nil || len(answer.Contexts) != 1 {
				t.Errorf("no answer: %v, %v", err, answer)
			}
		})
	}
	group.Wait()
	require.Empty(t, program.end())
}

func TestASocketOfADeadProcessIsReplaced(t *testing.T) {
	t.Parallel()
	program := start(t)
	process := program.command.Process.Pid
	require.NoError(t, os.Mkdir(program.folder, 0o700))
	require.NoError(t, os.WriteFile(program.socket(process), nil, 0o600))
	program.do("make")
	program.ask(process)
}

func TestNothingIsServedWhereNothingIsAsked(t *testing.T) {
	t.Parallel()
	program := start(t, "SSLCACHE_LIVE=0")
	program.do("make")
	program.do("add")
	require.NoDirExists(t, program.folder)
	require.Empty(t, program.end())
}
