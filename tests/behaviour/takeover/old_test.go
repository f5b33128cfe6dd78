package takeover

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// olderThanOurs makes a folder with a libssl 1.1.1 that lacks, as 1.1.0 does, a function that came with early data.
func olderThanOurs(t *testing.T) harness.Library {
	t.Helper()
	library := libssls.Get(t, "1.1.1").Harness()
	if library.Path == "" {
		t.Skip("the machine's own libssl is 1.1.1")
	}
	const function = "SSL_SESSION_get_max_early_data"
	folder := t.TempDir()
	for _, name := range []string{"libssl.so.1.1", "libcrypto.so.1.1"} {
		content, err := os.ReadFile(filepath.Join(library.Path, name))
		require.NoError(t, err)
		if name == "libssl.so.1.1" {
			require.True(t, bytes.Contains(content, []byte("\x00"+function+"\x00")))
			content = bytes.ReplaceAll(content, []byte("\x00"+function+"\x00"), []byte("\x00"+strings.ToLower(function)+"\x00"))
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o644))
		require.NoError(t, os.Symlink(name, filepath.Join(folder, strings.TrimSuffix(name, ".1.1"))))
	}
	return harness.Library{Name: "older", Path: folder, Headers: library.Headers}
}

// A program whose libssl is too old for us starts, keeps its own cache, and says so once (the harness asks for it).
func TestALibsslThatIsTooOldIsLeftAlone(t *testing.T) {
	program := harness.Program{Source: filepath.Join("..", "api", "programs", "add.c"), Library: olderThanOurs(t)}
	alone := program.Run(t, harness.Libssl)
	require.Zero(t, alone.Exit, alone.Stderr)
	for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
		told := program.Run(t, mode)
		assert.Equal(t, alone.Stdout, told.Stdout, mode)
		assert.Equal(t, alone.Exit, told.Exit, mode)
		assert.Equal(t, "sslcache: this libssl has no SSL_SESSION_get_max_early_data: its sessions are left to it\n", told.Stderr, mode)
	}
}
