package ftp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// serverPackages are the servers as Debian has them. They can't be installed beside one another.
var serverPackages = []string{"vsftpd", "proftpd-core", "proftpd-mod-crypto", "pure-ftpd"}

// unpacked returns the folder in which the servers' packages are unpacked, fetching them if need be.
func unpacked(t *testing.T) string {
	t.Helper()
	base := filepath.Join(harness.Root(t), "build", "ftp")
	folder := filepath.Join(base, "root")
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	require.NoError(t, os.MkdirAll(base, 0o755))
	work, err := os.MkdirTemp(base, "fetch")
	require.NoError(t, err)
	defer os.RemoveAll(work)
	command := exec.Command("apt-get", append([]string{"download", "-q"}, serverPackages...)...)
	command.Dir = work
	output, err := command.CombinedOutput()
	if err != nil {
		t.Skipf("the servers are not to be had here: %v\n%s", err, output)
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	require.NoError(t, err)
	require.Len(t, packages, len(serverPackages))
	root := filepath.Join(work, "root")
	for _, one := range packages {
		output, err := exec.Command("dpkg-deb", "-x", one, root).CombinedOutput()
		require.NoErrorf(t, err, "%s", output)
	}
	version(t, packages, root)
	require.NoError(t, os.Rename(root, folder))
	return folder
}

// version notes the versions beside what is unpacked.
func version(t *testing.T, packages []string, root string) {
	t.Helper()
	var text strings.Builder
	for _, one := range packages {
		output, err := exec.Command("dpkg-deb", "-W", "--showformat", "${Package} ${Version}\n", one).Output()
		require.NoError(t, err)
		text.Write(output)
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "versions"), []byte(text.String()), 0o644))
}

// versionOf returns the version of an unpacked server, or of an installed client.
func versionOf(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(unpacked(t), "versions"))
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if found, version, _ := strings.Cut(strings.TrimSpace(line), " "); found == name {
			return version
		}
	}
	output, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	require.NoErrorf(t, err, "the version of %s", name)
	return string(output)
}

// shown is a name with its version.
func shown(t *testing.T, name string) string { return fmt.Sprintf("%s %s", name, versionOf(t, name)) }
