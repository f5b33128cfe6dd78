package sslcache

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// counting prints a line for each signal it gets, and ends with SIGTERM.
const counting = `
import os, signal, sys, time
def note(number, frame):
    os.write(1, (signal.Signals(number).name + "\n").encode()) # print may be interrupted by the next
    if number == signal.SIGTERM: sys.exit(9)
for one in signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT, signal.SIGWINCH, signal.SIGTERM:
    if signal.getsignal(one) != signal.SIG_IGN: signal.signal(one, note)
print("ready", flush=True)
while True: time.sleep(0.02)
`

var signalNames = map[syscall.Signal]string{
	syscall.SIGINT: "SIGINT", syscall.SIGHUP: "SIGHUP", syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2",
	syscall.SIGQUIT: "SIGQUIT", syscall.SIGWINCH: "SIGWINCH",
}

// The ways in which sslcache is in front of a program: as run it becomes the program, in the others it stays.
func inFront(t *testing.T) map[string][]string {
	junit := filepath.Join(t.TempDir(), "junit.xml")
	return map[string][]string{
		"run":        {"run", "-o", os.DevNull, "--"},
		"run --wait": {"run", "-o", os.DevNull, "--wait", "--"},
		"check":      {"check", "--max-evicted=0", "--junit", junit, "--"},
	}
}

func TestSignalsReachTheProgramOnce(t *testing.T) {
	t.Parallel()
	for name, words := range inFront(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sslcache(t, append(words, "/usr/bin/python3", "-c", counting)...).Start(t, 0)
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(server.Stdout(), server.Stderr())
				}
			})
			expected := "ready\n"
			waitUntil(t, "ready", func() bool { return server.Stdout() == expected })
			for one, name := range signalNames {
				require.NoError(t, syscall.Kill(server.Pid, one))
				expected += name + "\n"
				waitUntil(t, name, func() bool { return server.Stdout() == expected })
			}
			result := server.Stop(syscall.SIGTERM)
			require.Equal(t, expected+"SIGTERM\n", result.Stdout)
			if name != "check" {
				require.Equal(t, 9, result.Exit)
			}
		})
	}
}

// The keys of a terminal reach all processes in its foreground, and what kill(1) sends to sslcache is the program's:
// also SIGHUP and SIGQUIT, with which a server reloads or ends in good order.
func TestOnATerminalSignalsReachTheProgramOnce(t *testing.T) {
	t.Parallel()
	for name, words := range inFront(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.Command(harness.OurCommand(t), append(words, "/usr/bin/python3", "-c", counting)...)
			terminal, err := pty.Start(command)
			require.NoError(t, err)
			defer terminal.Close()
			screen, copied := collect(terminal)
			waitUntil(t, "ready", func() bool { return strings.Contains(screen.String(), "ready") })
			for i := 1; i <= 3; i++ {
				_, err = terminal.WriteString("\x03")
				require.NoError(t, err)
				waitUntil(t, "SIGINT", func() bool { return strings.Count(screen.String(), "SIGINT") >= i })
			}
			for _, one := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
				require.NoError(t, command.Process.Signal(one))
				waitUntil(t, signalNames[one], func() bool { return strings.Contains(screen.String(), signalNames[one]) })
			}
			require.NoError(t, command.Process.Signal(syscall.SIGTERM))
			err = command.Wait()
			<-copied
			if name != "check" {
				require.EqualError(t, err, "exit status 9")
			}
			for _, one := range []string{"SIGHUP", "SIGQUIT", "SIGUSR1", "SIGTERM"} {
				require.Equal(t, 1, strings.Count(screen.String(), one), screen.String())
			}
			require.Equal(t, 3, strings.Count(screen.String(), "SIGINT"), screen.String())
		})
	}
}

// state is that of a process in the kernel: T where it is stopped, and "" where it has ended.
func state(process int) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	return rest[:1]
}

// childrenOf are those of all threads of a process.
func childrenOf(process int) []string {
	var all []string
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", process))
	for _, one := range threads {
		children, _ := os.ReadFile(one)
		all = append(all, strings.Fields(string(children))...)
	}
	return all
}

// childOf waits until a process has one child.
func childOf(t *testing.T, process int) int {
	t.Helper()
	var child int
	waitUntil(t, "the program", func() bool {
		children := childrenOf(process)
		if len(children) != 1 {
			return false
		}
		count, _ := fmt.Sscan(children[0], &child)
		return count == 1
	})
	return child
}

// Whoever waits for sslcache sees the program stop, and both go on together.
func TestWhatStopsTheProgramStopsSslcache(t *testing.T) {
	t.Parallel()
	for _, one := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGSTOP} {
		t.Run(one.String(), func(t *testing.T) {
			t.Parallel()
			server := sslcache(t, "run", "--wait", "-o", os.DevNull, "--", "/usr/bin/python3", "-c", counting).Start(t, 0)
			waitUntil(t, "ready", func() bool { return server.Stdout() != "" })
			program := childOf(t, server.Pid)
			to := server.Pid
			if one == syscall.SIGSTOP { // which nobody can hand on
				to = program
			}
			require.NoError(t, syscall.Kill(to, one))
			waitUntil(t, "both stop", func() bool { return state(program) == "T" && state(server.Pid) == "T" })
			require.NoError(t, syscall.Kill(server.Pid, syscall.SIGCONT))
			waitUntil(t, "both go on", func() bool { return state(program) != "T" && state(server.Pid) != "T" })
			require.Equal(t, 9, server.Stop(syscall.SIGTERM).Exit)
		})
	}
}

// What a program sees of how it was started.
func TestTheProgramCannotTellThatItWasStartedByUs(t *testing.T) {
	t.Parallel()
	lineage := program(t, "lineage")
	for name, before := range map[string]string{
		"as usual":          "",
		"with much ignored": "trap '' HUP INT QUIT PIPE TERM CHLD TSTP TTIN TTOU USR1;",
		"without input":     "exec <&-;",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The shell says its own number, and becomes the command.
			look := func(command string) []string {
				script := before + " echo process $$ parent $PPID; exec " + command
				result := harness.Command{Path: "/bin/sh", Args: []string{"-c", script, harness.OurCommand(t), lineage}}.Run(t)
				lines := linesOf(result.Stdout)
				require.Contains(t, lines[1], lines[0], "the program has the number and the parent of the command")
				return lines[2:]
			}
			alone := look(`"$1"`)
			require.Contains(t, alone, "children: none")
			require.Equal(t, alone, look(`"$0" run -o /dev/null -- "$1"`))
		})
	}
}

func TestWhatIsLeftBehindIsReapedAsItEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	running := shell(t, "for i in 1 2 3; do (true >/dev/null 2>&1 & ); done; exec sleep 50", "--wait", "-o", s.folder+"/report").Start(t, 0)
	time.Sleep(500 * time.Millisecond)
	childOf(t, running.Pid)
	running.Stop(syscall.SIGTERM)
}

func TestASignalLeavesNoFolderBehind(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	left := filepath.Join(folder, "left")
	command := shell(t, "sleep 50 >/dev/null 2>&1 & echo $! > "+left, "--wait")
	command.Env = []string{"TMPDIR=" + folder}
	running := command.Start(t, 0)
	var process int
	waitUntil(t, "it is left behind", func() bool {
		content, _ := os.ReadFile(left)
		count, _ := fmt.Sscan(string(content), &process)
		return count == 1
	})
	waitUntil(t, "the program has ended", func() bool { return childOf(t, running.Pid) == process })
	require.NoError(t, syscall.Kill(running.Pid, syscall.SIGTERM))
	waitUntil(t, "sslcache has ended", func() bool { return running.Stderr() != "" })
	require.NoError(t, syscall.Kill(process, syscall.SIGKILL))
	require.Zero(t, running.Stop(syscall.SIGTERM).Exit)
	entries, err := filepath.Glob(filepath.Join(folder, "sslcache-*"))
	require.NoError(t, err)
	require.Empty(t, entries)
}
