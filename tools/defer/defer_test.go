package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the command does is seen where the library runs, in all other tests; here, what it refuses.

func copyOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err, "run make first")
	copied := filepath.Join(t.TempDir(), "library.so")
	require.NoError(t, os.WriteFile(copied, content, 0o600))
	return copied
}

func TestALibraryIsChangedOnce(t *testing.T) {
	library := copyOf(t, "../../build/libsslcache.so")
	before, err := os.ReadFile(library)
	require.NoError(t, err)
	require.ErrorContains(t, run([]string{library}), "deferred already")
	after, err := os.ReadFile(library)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	require.ErrorContains(t, run([]string{copyOf(t, "main.go")}), "bad magic number")
	require.ErrorContains(t, run([]string{copyOf(t, "/bin/true")}), "no symbol")
	require.ErrorContains(t, run(nil), "usage")
	require.ErrorContains(t, run([]string{"/nowhere"}), "no such file")
}
