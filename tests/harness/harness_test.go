package harness

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// witness takes down the complaints of the harness instead of failing the test.
type witness struct {
	testing.TB
	complaints []string
}

func (w *witness) Errorf(format string, arguments ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, arguments...))
}

// complaintsOf runs a check that may give up, in a goroutine of its own as FailNow asks for.
func complaintsOf(t *testing.T, check func(testing.TB)) []string {
	t.Helper()
	observer := &giveUp{witness{TB: t}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		check(observer)
	}()
	<-done
	return observer.complaints
}

type giveUp struct{ witness }

func (g *giveUp) FailNow() { panic("given up") }

func source(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.c")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func shell(script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"-c", script}}
}

func TestCommandGivesWhatTheProgramLeft(t *testing.T) {
	command := shell("cat; echo $GREETING >&2; exit 3")
	command.Stdin, command.Env = "input", []string{"GREETING=hello"}
	assert.Equal(t, Result{Stdout: "input", Stderr: "hello\n", Exit: 3}, command.Run(t))
}

func TestCommandEndedByASignalHasNoStatus(t *testing.T) {
	assert.Equal(t, -1, shell("kill -SEGV $$").Run(t).Exit)
}

func TestCommandIsBoundInTime(t *testing.T) {
	command := shell("sleep 50 & sleep 50")
	command.Timeout = 200 * time.Millisecond
	started := time.Now()
	complaints := complaintsOf(t, func(witness testing.TB) { command.Run(witness) })
	require.Len(t, complaints, 1)
	assert.Contains(t, complaints[0], "did not end within 200ms")
	assert.Less(t, time.Since(started), 40*time.Second)
}

func TestAProcessLeftBehindIsFoundAndEnded(t *testing.T) {
	// The reader waits until the stray process is one of its own, in a session of its own.
	command := shell("(setsid sh -c 'echo started; exec >/dev/null 2>&1; sleep 50' &) | read line")
	complaints := complaintsOf(t, func(witness testing.TB) { command.Run(witness) })
	require.Len(t, complaints, 1)
	assert.Contains(t, complaints[0], "behind")
}

func TestAProgramIsCompiledOncePerText(t *testing.T) {
	program := Program{Source: source(t, "int main(void) { return 0; }\n")}
	first := program.Compile(t, Libssl)
	defer os.Remove(first)
	assert.Equal(t, first, program.Compile(t, Libssl))
	require.NoError(t, os.WriteFile(program.Source, []byte("int main(void) { return 1; }\n"), 0o600))
	second := program.Compile(t, Libssl)
	defer os.Remove(second)
	assert.NotEqual(t, first, second)
	assert.Equal(t, 1, program.Run(t, Libssl).Exit)
}

func TestAWarningFailsTheTest(t *testing.T) {
	program := Program{Source: source(t, "int main(void) { int unused; return 0; }\n")}
	complaints := complaintsOf(t, func(witness testing.TB) { program.Compile(witness, Libssl) })
	require.NotEmpty(t, complaints)
	assert.Contains(t, complaints[0], "unused")
}

func TestSanitizersSeeTheFaultOf(t *testing.T) {
	for name, complaint := range map[string]string{
		"leak":           "LeakSanitizer",
		"invalid_access": "AddressSanitizer: heap-buffer-overflow",
		"overflow":       "signed integer overflow",
	} {
		t.Run(name, func(t *testing.T) {
			result := Program{Source: filepath.Join("testdata", name+".c"), Sanitized: true}.Run(t, Libssl)
			assert.NotZero(t, result.Exit)
			assert.Contains(t, result.Stderr, complaint)
		})
	}
}

func TestRunBothComplainsOf(t *testing.T) {
	for name, complaint := range map[string]string{
		"another_output":  "+preload",
		"another_status":  "exit status, preloaded",
		"a_complaint":     "standard error, preloaded",
		"nothing_printed": "the program observes nothing",
	} {
		t.Run(name, func(t *testing.T) {
			program := Program{Source: filepath.Join("testdata", "differs.c"), Args: []string{name}}
			complaints := complaintsOf(t, func(witness testing.TB) { RunBoth(witness, program) })
			require.NotEmpty(t, complaints)
			assert.Contains(t, strings.Join(complaints, "\n"), complaint)
		})
	}
}

func TestServerIsStartedAndStopped(t *testing.T) {
	certificate, key := Certificate(t)
	port := FreePort(t)
	server := Command{Path: "openssl", Args: []string{
		"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", certificate, "-key", key, "-www",
	}}.Start(t, port)
	connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	assert.Equal(t, "localhost", connection.ConnectionState().PeerCertificates[0].Subject.CommonName)
	require.NoError(t, connection.Close())
	result := server.Stop(syscall.SIGTERM)
	assert.Equal(t, -1, result.Exit)
	assert.Contains(t, result.Stdout, "ACCEPT")
	assert.ErrorIs(t, syscall.Kill(server.Pid, 0), syscall.ESRCH)
}

func TestAServerThatEndsAtOnceIsReported(t *testing.T) {
	port := FreePort(t)
	complaints := complaintsOf(t, func(witness testing.TB) { shell("echo no key; exit 1").Start(witness, port) })
	require.Len(t, complaints, 1)
	assert.Contains(t, complaints[0], "no key")
}

func TestReportsOfAllProcessesAreAddedUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	assert.Zero(t, ReadReport(t, path))
	lines := `{"number":1,"peak":2,"stored":3,"found":4,"missed":5,"replaced":6,"evicted":7,"expired":8,"removed":9}` + "\n"
	require.NoError(t, os.WriteFile(path, []byte(lines+lines), 0o600))
	assert.Equal(t, Counters{
		Number: 2, Peak: 4, Stored: 6, Found: 8, Missed: 10, Replaced: 12, Evicted: 14, Expired: 16, Removed: 18,
	}, ReadReport(t, path))
}
