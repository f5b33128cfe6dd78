// Package release looks at what `make release` has packed, and runs it on the systems that it is for.
package release

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// newestGlibc is the newest version of glibc that anything in a release may need.
var newestGlibc = []int{2, 17}

// unpacked returns the folder of the release for this machine's processor, unpacked below build, where a root can have it.
func unpacked(t *testing.T) string {
	t.Helper()
	harness.OurReleasedLibrary(t)
	build := filepath.Join(harness.Root(t), "build", "release")
	archives, err := filepath.Glob(filepath.Join(build, "sslcache-*-linux-*.tar.gz"))
	require.NoError(t, err)
	require.Len(t, archives, 1, "make release has packed one")
	folder, err := os.MkdirTemp(build, "test.")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	require.NoError(t, os.Chmod(folder, 0o755))
	output, err := exec.Command("tar", "-C", folder, "-xzf", archives[0]).CombinedOutput()
	require.NoError(t, err, string(output))
	return filepath.Join(folder, strings.TrimSuffix(filepath.Base(archives[0]), ".tar.gz"))
}

// tooNew returns what a file of the release needs and an older system has not.
func tooNew(t *testing.T, path string) []string {
	t.Helper()
	file, err := elf.Open(path)
	require.NoError(t, err)
	defer file.Close()
	needs, err := file.DynamicVersionNeeds()
	if errors.Is(err, elf.ErrNoSymbols) {
		return nil // it is static
	}
	require.NoError(t, err)
	var found []string
	for _, library := range needs {
		for _, need := range library.Needs {
			if !isOld(need.Dep) {
				found = append(found, library.Name+" "+need.Dep)
			}
		}
	}
	return found
}

func isOld(version string) bool {
	text, glibc := strings.CutPrefix(version, "GLIBC_")
	if !glibc {
		return false
	}
	var numbers []int
	for part := range strings.SplitSeq(text, ".") {
		number, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		numbers = append(numbers, number)
	}
	return slices.Compare(numbers, newestGlibc) <= 0
}

// What is packed is complete, and needs no newer glibc than it promises, nor another library.
func TestNothingNewerIsNeeded(t *testing.T) {
	t.Parallel()
	folder := unpacked(t)
	var binaries []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(content), "\x7fELF") {
			binaries = append(binaries, strings.TrimPrefix(path, folder))
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/sslcache", "/lib/libsslcache-go.so.1", "/lib/libsslcache.so.1"}, binaries)
	for _, name := range binaries {
		assert.Empty(t, tooNew(t, folder+name), name)
		file, err := elf.Open(folder + name)
		require.NoError(t, err)
		libraries, err := file.ImportedLibraries()
		require.NoError(t, err)
		for _, library := range libraries {
			assert.Regexp(t, `^(libc|libpthread|libdl|ld-linux-[a-z0-9-]+)\.so\.[0-9]$`, library, name)
		}
		require.NoError(t, file.Close())
	}
	for _, name := range []string{
		"LICENSE", "licenses/go", "lib/libsslcache.so", "include/sslcache.h", "lib/pkgconfig/sslcache.pc",
		"share/man/man7/libsslcache.7", "share/man/man1/sslcache.1", "share/bash-completion/completions/sslcache",
	} {
		assert.FileExists(t, filepath.Join(folder, name))
	}
	pkgConfig, err := exec.Command("pkg-config", "--variable=libdir", filepath.Join(folder, "lib/pkgconfig/sslcache.pc")).Output()
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(strings.TrimSpace(string(pkgConfig)), "libsslcache.so"), "it lies where it was unpacked")
}

// The check sees what is too new: the library of `make` is linked with this machine's own glibc.
func TestCheckIsStrict(t *testing.T) {
	t.Parallel()
	assert.NotEmpty(t, tooNew(t, harness.OurLibrary(t)))
	assert.False(t, isOld("GLIBC_ABI_DT_RELR"))
	assert.False(t, isOld("GLIBC_2.18"))
	assert.True(t, isOld("GLIBC_2.2.5"))
}

// A system is a suite of Debian, and the versions by which it is known.
type system struct {
	suite, openssl string
	packages       []string
}

var systems = []system{
	{"bullseye", "OpenSSL 1.1.1", []string{"openssl"}},
	{"bookworm", "OpenSSL 3.0.", []string{"openssl"}},
	{"trixie", "OpenSSL 3.5.", []string{"openssl"}},
	{"sid", "OpenSSL 3.6.", []string{"openssl"}},
	{"experimental", "OpenSSL 4.0.", []string{"openssl/experimental"}},
}

// The oldest system is always tried, all of them where SSLCACHE_SYSTEMS=all asks for it.
func TestReleaseRuns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a root of another Debian is made and entered as root")
	}
	folder, root := unpacked(t), harness.Root(t)
	for number, system := range systems {
		if number > 0 && os.Getenv("SSLCACHE_SYSTEMS") != "all" {
			continue
		}
		t.Run(system.suite, func(t *testing.T) {
			t.Parallel()
			place := filepath.Join(root, "build", "_roots", "release-"+system.suite)
			made := harness.Command{
				Path: filepath.Join(root, "tools", "root.sh"), Args: append([]string{place, system.suite}, system.packages...),
				Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, Timeout: 10 * time.Minute,
			}.Run(t)
			require.Zero(t, made.Exit, made.Stderr)
			in := func(line string) string {
				result := harness.Command{
					Path:    filepath.Join(root, "tools", "inside.sh"),
					Args:    []string{place, "bash", "-c", "cd " + root + " && " + line},
					Env:     []string{"BIND=" + root, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
					Timeout: 3 * time.Minute,
				}.Run(t)
				require.Zerof(t, result.Exit, "%s\n%s%s", line, result.Stdout, result.Stderr)
				return result.Stdout + result.Stderr
			}
			require.Contains(t, in("openssl version"), system.openssl)
			for _, way := range []string{"direct", "cgo"} {
				shown := in(fmt.Sprintf("SSLCACHE_VERBOSE=1 SSLCACHE_CORE=%s examples/run.sh %s/lib", way, folder))
				assert.Regexp(t, `TLS 1.2 +20 +19 +1 +19 +0 +1\n`, shown, way)
				assert.Regexp(t, `TLS 1.3 +20 +19 +21 +19 +0 +21\n`, shown, way)
				assert.NotContains(t, shown, "sslcache: ", way)
			}
			assert.Contains(t, in(folder+"/bin/sslcache run -- openssl version 2>&1"), "saw no TLS")
			t.Logf("%s | %s", strings.TrimSpace(in("openssl version")), strings.TrimSpace(in("ldd --version | head -n 1")))
		})
	}
}
