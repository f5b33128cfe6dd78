package sslcache

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

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
		alone := harness.Command{Path: "/bin/sh", Args: []string{"-c", script}}.Run(t)
		require.Equal(t, alone.Exit, shell(t, script).Run(t).Exit, script)
		require.Equal(t, status, shell(t, script, "--wait").Run(t).Exit, script)
	}
}

func TestAProgramThatCannotStartIsOneLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	script := filepath.Join(folder, "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o700))
	for _, one := range []struct {
		arguments []string
		status    int
		says      string
	}{
		{[]string{"run", "no-such-program"}, 127, "sslcache: no-such-program is not found in PATH\n"},
		{[]string{"run", folder + "/absent"}, 127, "sslcache: " + folder + "/absent does not exist\n"},
		{[]string{"run", plain}, 126, "sslcache: " + plain + " can't be executed: permission denied\n"},
		{[]string{"run"}, 125, "sslcache: there is no program to run: sslcache run [flags] -- PROGRAM [ARGUMENT...]\n"},
		{[]string{"run", "--sice=3", "true"}, 125, "sslcache: unknown flag: --sice\n"},
		{[]string{"run", "--size=many", "true"}, 125, "sslcache: --size is a number of sessions, 0 for no limit, not 'many'\n"},
		{[]string{"run", "--lib=/absent", "true"}, 125, "sslcache: the library /absent can't be used: no such file or directory\n"},
		{[]string{"run", "--trace=/absent/file", "true"}, 125, "sslcache: the trace can't be written to /absent/file: no such file or directory\n"},
		{[]string{"run", "-o", "/absent/file", "true"}, 125, "sslcache: the report can't be written to /absent/file: no such file or directory\n"},
		{[]string{"check", "true"}, 125, "sslcache: there is no bound to check: --min-resumed, --no-leaks, ... (see sslcache check --help)\n"},
		{[]string{"check", "--min-resumed=90", "true"}, 125, "sslcache: --min-resumed must be a part such as 90% or 0.9, not '90'\n"},
		{[]string{"check", "--min-resumed=", "true"}, 125, "sslcache: --min-resumed must be a part such as 90% or 0.9, not ''\n"},
		{[]string{"check", "--max-missed=few", "true"}, 125, "sslcache: --max-missed takes a whole number, not 'few'\n"},
		{[]string{"check", "--no-leaks=perhaps", "true"}, 125, "sslcache: --no-leaks takes true or false, not 'perhaps'\n"},
		{[]string{"check", "--no-leaks", "--junit=/absent/file", "true"}, 125, "sslcache: the JUnit file can't be written to /absent/file: no such file or directory\n"},
		{[]string{"check", "--no-leaks", "no-such-program"}, 127, "sslcache: no-such-program is not found in PATH\n"},
		{[]string{"run", script}, 126, "sslcache: " + script + " can't be executed: no such file or directory\n"},
		{[]string{"run", "--wait", script}, 126, "sslcache: " + script + " can't be executed: no such file or directory\n"},
		{[]string{"top", "--interval=soon"}, 2, "sslcache: --interval takes a time such as 500ms or 2s, not 'soon'\n"},
		{[]string{"collect"}, 2, "sslcache: collect is started by `sslcache run`, not by hand\n"},
		{[]string{"top", "x"}, 2, "sslcache: top takes the id of a process, not 'x'\n"},
		{[]string{"report"}, 2, "sslcache: report takes one TRACE, not 0\n"},
		{[]string{"report", "/absent"}, 1, "sslcache: the trace can't be read from /absent: no such file or directory\n"},
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
		require.Equal(t, 125, result.Exit)
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
	command := shell(t, `ls -d "$TMPDIR"/sslcache-*/run-$$ >/dev/null`)
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
