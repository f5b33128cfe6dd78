package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

func TestMatrixIsUpToDate(t *testing.T) {
	err := run(t.Context(), harness.Root(t), true)
	if errors.Is(err, errUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func TestTableIsRead(t *testing.T) {
	functions, err := readTable(t.Context(), harness.Root(t))
	require.NoError(t, err)
	assert.Contains(t, functions, function{"SSL_CTX_flush_sessions_ex", true, "3.4"})
	assert.Contains(t, functions, function{"SSL_SESSION_get_id", false, "1.1.1"})
}

// The checks see a wrong type, a wrong first version in either direction, and a macro with another number.
func TestChecksAreStrict(t *testing.T) {
	libssl := libssls.Get(t, "3.0")
	exports := map[string]bool{"SSL_CTX_new": true, "SSL_CTX_new_ex": true}
	version := version{libssl, exports}
	require.NoError(t, checkPresence([]function{{"SSL_CTX_new", true, "1.1.1"}, {"SSL_CTX_flush_sessions_ex", true, "3.4"}}, version))
	require.Error(t, checkPresence([]function{{"SSL_CTX_new", true, "3.4"}}, version))
	require.Error(t, checkPresence([]function{{"SSL_CTX_gone", true, "1.1.1"}}, version))

	good := []function{{"SSL_CTX_new", true, "1.1.1"}}
	require.NoError(t, checkTypes(t.Context(), harness.Root(t), good, version))
	require.Error(t, checkTypes(t.Context(), harness.Root(t), []function{{"SSL_CTX_new", true, "3.4"}}, version), "declared too early")
	require.Error(t, checkTypes(t.Context(), rootWithWrongType(t), good, version))

	_, err := macroDefined(t.Context(), macro{"SSL_CTX_sess_number", "SSL_CTRL_SESS_NUMBER", 21}, version)
	require.Error(t, err)
}

// rootWithWrongType has a table in which SSL_CTX_new takes something else.
func rootWithWrongType(t *testing.T) string {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "cshim", "libssl"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "cshim", "libssl", "libssl.h"),
		[]byte("#include <openssl/ssl.h>\nstruct libssl { SSL_CTX *(*SSL_CTX_new)(SSL_METHOD *); };\n"), 0o644))
	return root
}

func TestNamesAreCompared(t *testing.T) {
	require.NoError(t, compareNames("both", []string{"a", "b"}, []string{"b", "a"}))
	require.EqualError(t, compareNames("both", []string{"a", "c"}, []string{"a", "b"}),
		"both: c is too much\nboth: b is missing")
}
