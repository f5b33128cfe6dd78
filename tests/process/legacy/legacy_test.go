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

func copyFile(t testing.TB, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o755))
	return to
}
