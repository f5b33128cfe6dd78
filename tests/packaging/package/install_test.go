// Package packaging installs the library as a distribution does, uses it there, and takes it away again.
package packaging

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// files are all that lies below a folder and is no folder, as paths from there.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, strings.TrimPrefix(path, folder))
		}
		return err
	}))
	return found
}

func TestInstallAndUninstall(t *testing.T) {
	harness.OurLibrary(t)
	folder := t.TempDir()
	harness.Make(t, "install", "DESTDIR="+folder, "PREFIX=/opt/sslcache", "LIBDIR=/opt/sslcache/lib64")
	installed := files(t, folder)
	for _, file := range []string{
		"/opt/sslcache/lib64/libsslcache.so", "/opt/sslcache/lib64/libsslcache.so.1",
		"/opt/sslcache/lib64/libsslcache-go.so.1",
		"/opt/sslcache/lib64/pkgconfig/sslcache.pc", "/opt/sslcache/include/sslcache.h",
		"/opt/sslcache/bin/sslcache", "/opt/sslcache/share/man/man1/sslcache-run.1",
		"/opt/sslcache/share/bash-completion/completions/sslcache",
		"/opt/sslcache/share/man/man3/SSL_add_session.3sslcache", "/opt/sslcache/share/man/man7/libsslcache.7",
	} {
		require.Contains(t, installed, file)
	}

	library := filepath.Join(folder, "opt/sslcache/lib64")
	pkgConfig := harness.Command{
		Path: "/usr/bin/pkg-config", Args: []string{"--cflags", "--libs", "sslcache"},
		Env: []string{"PKG_CONFIG_PATH=" + filepath.Join(library, "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR=" + folder},
	}.Run(t)
	require.Zero(t, pkgConfig.Exit, pkgConfig.Stderr)
	require.Regexp(t, `-lsslcache .*-lssl`, pkgConfig.Stdout, "our functions must come before libssl's")

	program := filepath.Join(t.TempDir(), "manual")
	arguments := append([]string{"-o", program, filepath.Join(harness.Root(t), "examples/manual.c")},
		strings.Fields(pkgConfig.Stdout)...)
	output, err := exec.Command("cc", arguments...).CombinedOutput()
	require.NoError(t, err, string(output))
	result := harness.Command{Path: program, Env: []string{"LD_LIBRARY_PATH=" + library}}.Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	require.Contains(t, result.Stdout, "counted: 2 stored, 1 replaced, 1 removed, 0 held")

	harness.Make(t, "uninstall", "DESTDIR="+folder, "PREFIX=/opt/sslcache", "LIBDIR=/opt/sslcache/lib64")
	require.Empty(t, files(t, folder))
}
