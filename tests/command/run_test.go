package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func TestTheProgramIsAsItWouldBeAlone(t *testing.T) {
	t.Parallel()
	command := shell(t, `cat; echo "$GREETING" >&2; exit 7`)
	command.Stdin, command.Env = "input", []string{"GREETING=hello"}
	result := command.Run(t)
	require.Equal(t, "input", result.Stdout)
	require.Equal(t, "hello", linesOf(result.Stderr)[0])
	require.Equal(t, 7, result.Exit)
}

func TestTheEndOfTheProgramIsGivenOn(t *testing.T) {
	t.Parallel()
	for script, status := range map[string]int{"exit 0": 0, "exit 200": 200, "kill -KILL $$": 137, "kill -TERM $$": 143} {
		require.Equal(t, status, shell(t, script).Run(t).Exit, script)
	}
}

func TestAProgramThatCannotStartIsOneLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	for _, one := range []struct {
		arguments []string
		status    int
		says      string
	}{
		{[]string{"run", "no-such-program"}, 127, "sslcache: no-such-program is not found in PATH\n"},
		{[]string{"run", folder + "/absent"}, 127, "sslcache: " + folder + "/absent does not exist\n"},
		{[]string{"run", plain}, 126, "sslcache: " + plain + " can't be executed: permission denied\n"},
		{[]string{"run"}, 2, "sslcache: there is no program to run: sslcache run [flags] -- PROGRAM [ARGUMENT...]\n"},
		{[]string{"run", "--sice=3", "true"}, 2, "sslcache: unknown flag: --sice\n"},
		{[]string{"run", "--size=many", "true"}, 2, "sslcache: --size is a number of sessions, 0 for no limit, not 'many'\n"},
		{[]string{"run", "--lib=/absent", "true"}, 125, "sslcache: the library /absent can't be used: no such file or directory\n"},
		{[]string{"run", "--trace=/absent/file", "true"}, 2, "sslcache: the trace can't be written: open /absent/file: no such file or directory\n"},
		{[]string{"run", "-o", "/absent/file", "true"}, 2, "sslcache: the report can't be written: open /absent/file: no such file or directory\n"},
		{[]string{"check", "true"}, 2, "sslcache: there is no bound to check: --min-resumed, --no-leaks, ... (see sslcache check --help)\n"},
		{[]string{"check", "--min-resumed=90", "true"}, 2, "sslcache: --min-resumed must be a part such as 90% or 0.9, not '90'\n"},
		{[]string{"top", "x"}, 2, "sslcache: top takes the id of a process, not 'x'\n"},
		{[]string{"report"}, 2, "sslcache: report takes one TRACE, not 0\n"},
		{[]string{"report", "/absent"}, 1, "sslcache: the trace can't be read: open /absent: no such file or directory\n"},
	} {
		result := sslcache(t, one.arguments...).Run(t)
		require.Equal(t, one.says, result.Stderr)
		require.Equal(t, one.status, result.Exit, one.arguments)
		require.Empty(t, result.Stdout)
	}
}

func TestASettingOfTheEnvironmentIsJudgedToo(t *testing.T) {
	t.Parallel()
	for setting, says := range map[string]string{
		"SSLCACHE_SIZ=3":      "SSLCACHE_SIZ is not a setting; did you mean SSLCACHE_SIZE?",
		"SSLCACHE_MODE=maybe": "SSLCACHE_MODE is",
	} {
		command := shell(t, "echo started")
		command.Env = []string{setting}
		result := command.Run(t)
		require.Equal(t, 2, result.Exit)
		require.Contains(t, result.Stderr, says)
		require.Empty(t, result.Stdout, "the program must not start")
	}
}

func TestFlagsBecomeVariablesOfTheProgram(t *testing.T) {
	t.Parallel()
	command := shell(t, "env", "--size=10", "--timeout", "5m", "--mode=on", "--tickets=off", "--live",
		"--fault=add=fail:0.5", "--fault=lookup=miss:1/3", "--seed=7", "--run-folder=/tmp/x")
	command.Env = []string{"SSLCACHE_SIZE=99", "SSLCACHE_VERBOSE=1"}
	result := command.Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	variables := linesOf(result.Stdout)
	for _, expected := range []string{
		"SSLCACHE_SIZE=10", "SSLCACHE_TIMEOUT=5m", "SSLCACHE_MODE=on", "SSLCACHE_TICKETS=off", "SSLCACHE_LIVE=1",
		"SSLCACHE_FAULT=add=fail:0.5,lookup=miss:1/3", "SSLCACHE_SEED=7", "SSLCACHE_RUN_FOLDER=/tmp/x", "SSLCACHE_VERBOSE=1",
	} {
		require.Contains(t, variables, expected)
	}
	require.NotContains(t, variables, "SSLCACHE_SIZE=99")
}

func TestAnotherPreloadedLibraryStaysTheFirst(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "other.so")
	output, err := exec.Command("cc", "-shared", "-o", other, "-x", "c", "/dev/null").CombinedOutput()
	require.NoError(t, err, string(output))
	command := shell(t, `echo "$LD_PRELOAD"; grep -o '/[^ ]*\.so$' /proc/self/maps | sort -u`)
	command.Preload = []string{other}
	result := command.Run(t)
	require.Equal(t, other+":"+harness.OurLibrary(t)+".1", linesOf(result.Stdout)[0])
	require.Contains(t, result.Stdout, "\n"+other)
	require.Contains(t, result.Stdout, "\n"+harness.OurLibrary(t))
}

// counting prints a line for each signal it gets, and ends with SIGTERM.
const counting = `
import signal, sys
def note(number, frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM: sys.exit(9)
for one in signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT, signal.SIGWINCH, signal.SIGTERM:
    if signal.getsignal(one) != signal.SIG_IGN: signal.signal(one, note)
print("ready", flush=True)
while True: signal.pause()
`

func TestSignalsReachTheProgramOnce(t *testing.T) {
	t.Parallel()
	server := sslcache(t, "run", "--", "/usr/bin/python3", "-c", counting).Start(t, 0)
	expected := "ready\n"
	waitUntil(t, "ready", func() bool { return server.Stdout() == expected })
	for _, one := range []syscall.Signal{
		syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGQUIT, syscall.SIGWINCH,
	} {
		require.NoError(t, syscall.Kill(server.Pid, one))
		expected += signalName(one) + "\n"
		waitUntil(t, signalName(one), func() bool { return server.Stdout() == expected })
	}
	result := server.Stop(syscall.SIGTERM)
	require.Equal(t, expected+"SIGTERM\n", result.Stdout)
	require.Equal(t, 9, result.Exit)
}

func signalName(one syscall.Signal) string {
	return map[syscall.Signal]string{
		syscall.SIGINT: "SIGINT", syscall.SIGHUP: "SIGHUP", syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2",
		syscall.SIGQUIT: "SIGQUIT", syscall.SIGWINCH: "SIGWINCH",
	}[one]
}

func TestWhatWasIgnoredIsIgnoredByTheProgramToo(t *testing.T) {
	t.Parallel()
	look := func(command string) string {
		return harness.Command{Path: "/bin/sh", Args: []string{
			"-c", `trap "" HUP; exec ` + command + ` grep SigIgn /proc/self/status`, harness.OurCommand(t),
		}}.Run(t).Stdout
	}
	alone := look("")
	require.Regexp(t, "^SigIgn:\t[0-9a-f]{15}[13579bdf]\n$", alone)
	require.Equal(t, alone, look(`"$0" run --`))
}

// The keys of a terminal reach all processes in its foreground: the program must not get them twice.
func TestAKeyOfTheTerminalReachesTheProgramOnce(t *testing.T) {
	t.Parallel()
	command := exec.Command(harness.OurCommand(t), "run", "-o", "/dev/null", "--", "/usr/bin/python3", "-c", counting)
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
	require.NoError(t, command.Process.Signal(syscall.SIGUSR1))
	waitUntil(t, "SIGUSR1", func() bool { return strings.Contains(screen.String(), "SIGUSR1") })
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	err = command.Wait()
	<-copied
	require.EqualError(t, err, "exit status 9")
	require.Equal(t, 3, strings.Count(screen.String(), "SIGINT"), screen.String())
}

func TestAProgramWithoutTheLibraryIsSaid(t *testing.T) {
	t.Parallel()
	static := filepath.Join(t.TempDir(), "static")
	source := filepath.Join(t.TempDir(), "static.c")
	require.NoError(t, os.WriteFile(source, []byte("int main(void) { return 3; }\n"), 0o600))
	output, err := exec.Command("cc", "-static", "-o", static, source).CombinedOutput()
	require.NoError(t, err, string(output))
	result := sslcache(t, "run", "--", static).Run(t)
	require.Equal(t, 3, result.Exit)
	require.Contains(t, result.Stderr, "libsslcache.so saw no TLS in the program")
	require.Len(t, linesOf(result.Stderr), 1)
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	command := shell(t, `ls -d "$TMPDIR"/sslcache-*/trace`)
	command.Env = []string{"TMPDIR=" + folder}
	result := command.Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTheVersionAndTheCompletionAreThere(t *testing.T) {
	t.Parallel()
	version, err := os.ReadFile(filepath.Join(harness.Root(t), "VERSION"))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("sslcache %s", version), sslcache(t, "--version").Run(t).Stdout)
	for _, one := range []string{"bash", "zsh", "fish"} {
		require.Contains(t, sslcache(t, "completion", one).Run(t).Stdout, "sslcache")
	}
}
