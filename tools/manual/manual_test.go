package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachCommandHasAManualPage(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "man")
	require.NoError(t, write("1.2.3", folder))
	for _, name := range []string{"sslcache", "sslcache-run", "sslcache-check", "sslcache-report", "sslcache-top"} {
		content, err := os.ReadFile(filepath.Join(folder, name+".1"))
		require.NoError(t, err)
		require.Contains(t, string(content), "libsslcache 1.2.3")
	}
	run, err := os.ReadFile(filepath.Join(folder, "sslcache-run.1"))
	require.NoError(t, err)
	require.Contains(t, string(run), "SSLCACHE_SIZE")
}
