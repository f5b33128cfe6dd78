// Package harness compiles C programs and runs them with and without our library.
package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Root is the folder of the project.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, found := runtime.Caller(0)
	require.True(t, found, "the harness does not know its own place")
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// OurLibrary is the path of libsslcache.so, which make has built.
func OurLibrary(t testing.TB) string {
	t.Helper()
	return built(t, "build/libsslcache.so", "make")
}

// OurCommand is the path of sslcache, which make has built.
func OurCommand(t testing.TB) string {
	t.Helper()
	return built(t, "build/sslcache", "make")
}

// OurSanitizedLibrary is libsslcache.so with its C parts under AddressSanitizer and UBSan.
func OurSanitizedLibrary(t testing.TB) string {
	t.Helper()
	return built(t, "build/asan/libsslcache.so", "make asan")
}

// OurReleasedLibrary is libsslcache.so as it is released, for systems with an older libc than this one's.
func OurReleasedLibrary(t testing.TB) string {
	t.Helper()
	return built(t, "build/release/libsslcache.so", "make release")
}

// Make makes targets of the project, where a test needs more than make test has made before.
func Make(t testing.TB, arguments ...string) {
	t.Helper()
	command := exec.Command("make", append([]string{"--no-print-directory", "-C", Root(t)}, arguments...)...)
	command.Env = append(os.Environ(), "MAKEFLAGS=") // a make that runs the tests has its own
	output, err := command.CombinedOutput()
	require.NoErrorf(t, err, "make %s\n%s", strings.Join(arguments, " "), output)
}

func built(t testing.TB, name, command string) string {
	t.Helper()
	path := filepath.Join(Root(t), name)
	_, err := os.Stat(path)
	require.NoErrorf(t, err, "%s is missing: run %q first", name, command)
	return path
}
