package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// defaultTimeout bounds every command that has no bound of its own.
const defaultTimeout = 60 * time.Second

// Command is a program to run: its bound, its preloaded libraries and the libssl it gets.
type Command struct {
	Path    string
	Args    []string
	Env     []string // beside the few variables that every program gets
	Preload []string
	Timeout time.Duration // 60 seconds when it is 0
	Library Library
	Stdin   string
}

// Result is what a command left behind.
type Result struct {
	Stdout, Stderr string
	Exit           int // -1: it was ended by a signal
}

// Run waits for the end of the command. It fails the test when that takes too long, or when a
// process stays behind.
func (c Command) Run(t testing.TB) Result {
	t.Helper()
	bound := c.Timeout
	if bound == 0 {
		bound = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	command, mark := c.prepare(ctx)
	var stdout, stderr bytes.Buffer
	command.Stdin = strings.NewReader(c.Stdin)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	noneLeft(t, c.Path, mark)
	require.NoErrorf(t, ctx.Err(), "%s did not end within %s; stdout:\n%sstderr:\n%s",
		c.Path, bound, &stdout, &stderr)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Exit: command.ProcessState.ExitCode()}
}

var commands atomic.Uint64

// prepare also gives the mark by which the command's processes are known, whatever they become.
func (c Command) prepare(ctx context.Context) (*exec.Cmd, string) {
	path, arguments := c.Path, c.Args
	if c.Library.Loader != "" {
		path = c.Library.Loader
		arguments = append([]string{"--library-path", c.Library.Path, c.Path}, arguments...)
	}
	mark := fmt.Sprintf("LIBSSLCACHE_TEST=%d.%d", os.Getpid(), commands.Add(1))
	command := exec.CommandContext(ctx, path, arguments...)
	command.Env = c.environment(mark)
	// A group of its own, so that all its processes can be ended; and if the test dies, it dies.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	return command, mark
}

func (c Command) environment(mark string) []string {
	environment := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C", mark}
	if len(c.Preload) > 0 {
		environment = append(environment, "LD_PRELOAD="+strings.Join(c.Preload, ":"))
	}
	if c.Library.Path != "" && c.Library.Loader == "" {
		environment = append(environment, "LD_LIBRARY_PATH="+c.Library.Path)
	}
	return append(environment, c.Env...)
}

// noneLeft fails the test if a process of the command is still there, and ends it.
func noneLeft(t testing.TB, name, mark string) {
	t.Helper()
	left := marked(mark)
	assert.Emptyf(t, left, "%s left these processes behind", name)
	// One of them may start another before it is ended.
	for attempt := 0; len(left) > 0 && attempt < 100; attempt++ {
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
		left = marked(mark)
	}
}

func marked(mark string) []int {
	var pids []int
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		// A process that has just ended cannot be read, and is none of those we look for.
		content, _ := os.ReadFile(file)
		if !bytes.Contains(append(content, 0), append([]byte(mark), 0)) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/environ", &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
