package takeover

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// A module may bring a libssl of its own beside the program's. Calls of both come to us, "plain"; of its
// insides only, "direct"; or not at all, "deep". Either goes on with its own.
func TestASecondLibsslIsLeftAlone(t *testing.T) {
	old, system := libssls.Get(t, "1.1.1"), libssls.Get(t, "3.0")
	for _, mode := range []string{"plain", "direct", "deep"} {
		t.Run(mode, func(t *testing.T) {
			t.Run("1.1.1 beside 3.0", func(t *testing.T) { shareAProcess(t, mode, system, old, ".1.1") })
			t.Run("3.0 beside 1.1.1", func(t *testing.T) { shareAProcess(t, mode, old, system, ".3") })
		})
	}
}

func shareAProcess(t *testing.T, mode string, program, module libssls.Libssl, soname string) {
	t.Helper()
	tenant := harness.Program{
		Source: filepath.Join("programs", "tenant.c"), Flags: []string{"-shared", "-fPIC"},
		Library: module.Harness(),
	}.Compile(t, harness.Libssl)
	landlord := harness.Program{
		Source:  filepath.Join("programs", "landlord.c"),
		Library: program.Harness(),
		Args: []string{
			mode, tenant,
			filepath.Join(module.Library, "libcrypto.so"+soname), filepath.Join(module.Library, "libssl.so"+soname),
		},
	}
	alone := landlord.Run(t, harness.Libssl)
	require.Zero(t, alone.Exit, "%s%s", alone.Stdout, alone.Stderr)
	require.Empty(t, alone.Stderr)
	require.Contains(t, alone.Stdout, "-- module again, ")

	for _, way := range []harness.Mode{harness.Ours, harness.OursLinked} {
		ours, counters := landlord.RunReported(t, way)
		assert.Zero(t, ours.Exit, way)
		assert.Equal(t, alone.Stdout, ours.Stdout, way)
		assert.Regexp(t, `^sslcache: libssl\.so\.\S+ and libssl\.so\.\S+ are both loaded: .*\n$`, ours.Stderr, way)
		assert.NotZero(t, counters.Stored, "the context from before stays ours")
	}
}
