package trace

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// tally counts the adds that were told of and the events that were said to be lost.
func tally(events []event) (adds, lost int) {
	for _, one := range events {
		switch one.Operation {
		case "add":
			adds++
		case "dropped":
			lost += one.Events
		}
	}
	return adds, lost
}

func TestThreadsTellOfEverything(t *testing.T) {
	const threads, each = 4, 4000
	content, _ := play(t, program("flood", strconv.Itoa(threads), strconv.Itoa(each)))
	events := parse(t, content)
	adds, lost := tally(events)
	require.Equal(t, lost, events[len(events)-1].Dropped)
	require.LessOrEqual(t, adds, threads*each)
	require.GreaterOrEqual(t, adds+lost, threads*each)
	numbers := map[int]bool{}
	for _, one := range events {
		if one.Operation == "add" {
			numbers[one.Thread] = true
		}
	}
	require.Len(t, numbers, threads)
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

// A reader that sleeps: the program goes on, and what was lost is counted, to the event.
func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	const threads, each = 2, 40000
	path := fifo(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()

	flood := program("flood", strconv.Itoa(threads), strconv.Itoa(each), "wait").Command(t, harness.Ours)
	command := exec.Command(flood.Path, flood.Args...)
	command.Env = []string{"LD_PRELOAD=" + strings.Join(flood.Preload, ":"), "SSLCACHE_TRACE=" + path}
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "flooded\n", line)

	read := make(chan []byte)
	go func() {
		content, _ := io.ReadAll(reader) // until the program, which has opened it by now, has ended
		read <- content
	}()
	_, err = io.WriteString(input, "go on\n")
	require.NoError(t, err)
	require.NoError(t, command.Wait())

	var content []byte
	select {
	case content = <-read:
	case <-time.After(30 * time.Second):
		t.Fatal("the trace has no end")
	}
	events := parse(t, content)
	adds, lost := tally(events)
	require.Positive(t, lost)
	require.Less(t, adds, threads*each)
	require.Equal(t, lost, events[len(events)-1].Dropped)
	// Beside the adds each thread makes and frees a session, once more at the end, and the context comes and goes.
	others := 0
	for _, one := range events {
		switch one.Operation {
		case "take", "give", "freed", "context", "expire", "flush", "add":
			others++
		}
	}
	const emitted = threads*(each+2) + 3 + 1 + 2 // takes, gives, adds; the last session; its end
	require.InDelta(t, emitted, others+lost, 8+threads*2)
}

// A FIFO that nobody reads, or no more, does not stop the program.
func TestNobodyReads(t *testing.T) {
	path := fifo(t)
	flood := program("flood", "2", "50000")
	flood.Env = []string{"SSLCACHE_TRACE=" + path}
	require.Equal(t, harness.Result{Stdout: "flooded\n"}, flood.Run(t, harness.Ours))
}

func TestTheReaderGoes(t *testing.T) {
	path := fifo(t)
	gone := make(chan error)
	go func() {
		reader, err := os.Open(path)
		if err == nil {
			_, err = reader.Read(make([]byte, 100))
			reader.Close()
		}
		gone <- err
	}()
	flood := program("flood", "2", "200000")
	flood.Env = []string{"SSLCACHE_TRACE=" + path}
	require.Equal(t, harness.Result{Stdout: "flooded\n"}, flood.Run(t, harness.Ours))
	require.NoError(t, <-gone)
}

func TestTheProgramClosesAllDescriptors(t *testing.T) {
	content, output := play(t, program("descriptors"))
	require.Equal(t, "bytes in the program's own files: 0\n", output)
	requireStory(t, []string{
		"start exec", "add stored program", "remove removed program", "add stored program", "flush freed", "end",
	}, parse(t, content))
}

func TestWhereNoThreadCanBeMade(t *testing.T) {
	content, output := play(t, program("no_threads"))
	require.Contains(t, output, "SSL_CTX_add_session(ctx, session): 1")
	events := parse(t, content)
	requireStory(t, []string{"start exec", "take SSL_SESSION_up_ref", "end"}, events)
	require.Zero(t, events[len(events)-1].Dropped)
	require.Equal(t, 20000, strings.Count(string(content), "SSL_SESSION_up_ref"))
}

func TestProcessesShareAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	t.Run("together", func(t *testing.T) {
		for i := range 3 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				flood := program("flood", "2", "5000")
				flood.Env = []string{"SSLCACHE_TRACE=" + file}
				require.Equal(t, harness.Result{Stdout: "flooded\n"}, flood.Run(t, harness.Ours))
			})
		}
	})
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	processes := map[int]bool{}
	for _, one := range parse(t, content) {
		processes[one.Process] = true
	}
	require.Len(t, processes, 3)
}

func TestATraceThatCanNotBeWritten(t *testing.T) {
	flood := program("flood", "1", "10")
	for path, reason := range map[string]string{"/nowhere/trace": "ENOENT", "/dev/full": "ENOSPC"} {
		flood.Env = []string{"SSLCACHE_TRACE=" + path}
		result := flood.Run(t, harness.Ours)
		require.Equal(t, "flooded\n", result.Stdout)
		require.Zero(t, result.Exit)
		require.Equal(t, "sslcache: the trace can't be written to "+path+" ("+reason+"): events are lost\n", result.Stderr)
	}
}

func TestNothingIsMadeWhereNothingIsAsked(t *testing.T) {
	scene := program("operations", "limit")
	result := scene.Run(t, harness.Ours)
	require.Equal(t, harness.Result{}, result)
}
