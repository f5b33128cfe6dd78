package sslcache

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// collect takes down all that a terminal shows, until it is closed.
func collect(terminal io.Reader) (*harness.Text, <-chan struct{}) {
	screen, done := &harness.Text{}, make(chan struct{})
	go func() {
		defer close(done)
		// A terminal whose program has ended answers an error.
		_, _ = io.Copy(screen, terminal)
	}()
	return screen, done
}

// A screen library may ask the terminal for its colours, which costs seconds, shows escapes where nobody answers,
// and eats what was typed ahead. Only `top` has a screen.
func TestNoCommandAsksTheTerminalAnything(t *testing.T) {
	t.Parallel()
	run := filepath.Join(t.TempDir(), "run")
	for name, words := range map[string][]string{
		"version": {"--version"}, "help": {"run", "--help"}, "keygen": {"keygen"}, "a mistake": {"run", "--sice=3"},
		"top once": {"top", "--once", "--run-folder", run}, "run": {"run", "--", "/bin/true"},
		"check": {"check", "--no-leaks", "--", "/bin/true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := append([]string{"-c", `"$0" "$@"; IFS= read -r typed; echo "read: $typed"`, harness.OurCommand(t)}, words...)
			command := exec.Command("/bin/sh", words...)
			command.Env = append(os.Environ(), "TERM=xterm-256color")
			terminal, err := pty.Start(command)
			require.NoError(t, err)
			defer terminal.Close()
			began := time.Now()
			_, err = terminal.WriteString("typed ahead\n")
			require.NoError(t, err)
			screen, copied := collect(terminal)
			require.NoError(t, command.Wait())
			require.Less(t, time.Since(began), 4*time.Second)
			<-copied
			require.Contains(t, screen.String(), "read: typed ahead")
			require.NotContains(t, screen.String(), "\x1b")
		})
	}
}

// What is not for a terminal gets the table, not a screen.
func TestTopIntoAPipeIsATable(t *testing.T) {
	t.Parallel()
	result := sslcache(t, "top", "--run-folder", filepath.Join(t.TempDir(), "run")).Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	require.NotContains(t, result.Stdout, "\x1b")
	require.Contains(t, result.Stdout, "PID")
}

// A trace is a file that somebody may have written.
func TestATextReportObeysNoTrace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace")
	require.NoError(t, os.WriteFile(path, []byte(`{"time":1,"process":1,"operation":"start","format":"sslcache-trace","version":1,`+
		`"program":"\u001b]0;title\u0007\u009b2J"}`+"\n"), 0o600))
	for _, flag := range []string{"--text", "--json"} {
		result := sslcache(t, "report", flag, path).Run(t)
		require.Zero(t, result.Exit, result.Stderr)
		require.NotContains(t, result.Stdout, "\x1b")
		require.NotContains(t, result.Stdout, "\u009b")
	}
}
