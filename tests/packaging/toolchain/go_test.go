// Package toolchain builds the library with other versions of Go than this machine's.
package toolchain

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// versions are the oldest Go that go.mod allows, the newest of its minor version, and the newest of all.
var versions = []string{"go1.26.0", "go1.26.11", "go1.27.4"}

// A way in which a Go comes to a build: what stands before and behind `make`.
type way struct {
	name      string
	variables func(goroot string) []string
	arguments func(goroot string) []string
}

func none(string) []string { return nil }

var ways = []way{
	{"fetched by GOTOOLCHAIN", nil, none}, // its version is a variable of its own
	{"installed", func(goroot string) []string {
		return []string{"PATH=" + filepath.Join(goroot, "bin") + ":" + os.Getenv("PATH"), "GOTOOLCHAIN=local"}
	}, none},
	{"named by GO", func(string) []string { return []string{"GOTOOLCHAIN=local"} }, func(goroot string) []string {
		return []string{"GO=" + filepath.Join(goroot, "bin", "go")}
	}},
}

// rootOf returns the folder of a version of Go, which is fetched if need be.
func rootOf(t *testing.T, version string) string {
	t.Helper()
	command := exec.Command("go", "env", "GOROOT")
	command.Dir = harness.Root(t)
	command.Env = append(os.Environ(), "GOTOOLCHAIN="+version)
	output, err := command.Output()
	if err != nil {
		t.Skipf("%s is not to be had here: %v", version, err)
	}
	return strings.TrimSpace(string(output))
}

// The oldest Go builds a library that works (make runs it); where SSLCACHE_SYSTEMS=all asks for it, the others do too,
// each in every way in which it may come to a build.
func TestEveryGoBuilds(t *testing.T) {
	for number, version := range versions {
		for position, way := range ways {
			if number+position > 0 && os.Getenv("SSLCACHE_SYSTEMS") != "all" {
				continue
			}
			t.Run(version+" "+way.name, func(t *testing.T) {
				goroot := rootOf(t, version)
				variables := []string{"GOTOOLCHAIN=" + version}
				if way.variables != nil {
					variables = way.variables(goroot)
				}
				folder, err := os.MkdirTemp(filepath.Join(harness.Root(t), "build"), "toolchain.")
				require.NoError(t, err)
				t.Cleanup(func() { _ = os.RemoveAll(folder) })
				command := exec.Command("make", append([]string{
					"-C", harness.Root(t), "all", "BUILD=" + folder, "GO_ARCHIVE=" + folder + "/go.a",
				}, way.arguments(goroot)...)...)
				command.Env = append(append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL="), variables...)
				output, err := command.CombinedOutput()
				require.NoError(t, err, string(output))
				assert.Contains(t, string(output), " code of "+version+" runs without Go's runtime: ")
				info, err := buildinfo.ReadFile(filepath.Join(folder, "sslcache"))
				require.NoError(t, err)
				assert.Equal(t, version, info.GoVersion)
			})
		}
	}
}

// A linker that makes what does not work ends the build with a line that says so, and leaves no library.
func TestBrokenToolsAreRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"libsslcache.so", "libsslcache-go.so.1"} {
		content, err := os.ReadFile(filepath.Join(harness.Root(t), "build", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o755))
	}
	check := func() harness.Result {
		return harness.Command{
			Path: filepath.Join(harness.Root(t), "tools", "check.sh"), Args: []string{folder, "cc -fuse-ld=broken"},
			Env: []string{"PATH=" + os.Getenv("PATH")},
		}.Run(t)
	}
	require.NoError(t, os.Symlink("libsslcache.so", filepath.Join(folder, "libsslcache.so.1")))
	require.Equal(t, harness.Result{}, check(), "the library that was built works")

	breakLibrary(t, filepath.Join(folder, "libsslcache.so"))
	result := check()
	assert.Equal(t, 1, result.Exit)
	assert.Equal(t, "the library that 'cc -fuse-ld=broken' links does not work (SSLCACHE_CORE=direct examples/manual.c): "+
		"build with another linker\n", result.Stderr)
	assert.NoFileExists(t, filepath.Join(folder, "libsslcache.so"))
	assert.NoFileExists(t, filepath.Join(folder, "libsslcache-go.so.1"))
}

// breakLibrary makes a library that can be linked with and whose first session crashes, as gold once made one.
func breakLibrary(t *testing.T, path string) {
	t.Helper()
	source := `
		#include <stdlib.h>
		int SSL_add_session(void *ctx, void *session) { (void)ctx, (void)session; abort(); }
		int SSL_remove_session(void *ctx, void *session) { (void)ctx, (void)session; return 0; }
		int sslcache_get_stats(void *stats, size_t size) { (void)stats, (void)size; return 0; }
		const char *sslcache_version(void) { return ""; }`
	command := exec.Command("cc", "-shared", "-fPIC", "-Wl,-soname,libsslcache.so.1", "-x", "c", "-", "-o", path)
	command.Stdin = strings.NewReader(source)
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
}
