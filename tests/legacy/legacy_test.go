// Package legacy asks whether our library is at home in a process that knows nothing of it: one that
// forks, is interrupted, is limited, loads libraries as it likes, and leaves in any way.
//
// Each question is a C program in programs/, which must print the same under libssl alone and under
// our library.
package legacy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// bound is the time that a program has: some twenty times what it takes on an idle machine.
const bound = 40 * time.Second

func program(name string, arguments ...string) harness.Program {
	return harness.Program{
		Source:  filepath.Join("programs", name+".c"),
		Args:    arguments,
		Timeout: bound,
	}
}

// openFolder is a folder that every user can enter.
func openFolder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for _, path := range []string{filepath.Dir(folder), folder} {
		require.NoError(t, os.Chmod(path, 0o755))
	}
	return folder
}

func copyFile(t testing.TB, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o755))
	return to
}

func requireRoot(t testing.TB) {
	t.Helper()
	require.Zero(t, os.Geteuid(), "this test changes root and user: run it as root")
}

// runAlike is harness.RunBoth for a program that gives up what a report would need: a descriptor, its
// user, its root. The program itself asks who keeps its sessions.
func runAlike(t testing.TB, program harness.Program) {
	t.Helper()
	alone := program.Run(t, harness.Libssl)
	require.Zerof(t, alone.Exit, "libssl alone; it printed:\n%s%s", alone.Stdout, alone.Stderr)
	require.NotEmpty(t, alone.Stdout, "the program observes nothing")
	for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
		ours := program.Run(t, mode)
		assert.Emptyf(t, ours.Stderr, "standard error, %s", mode)
		assert.Equalf(t, alone.Stdout, ours.Stdout, "%s prints something else than libssl alone", mode)
		assert.Zerof(t, ours.Exit, "exit status, %s", mode)
	}
}
