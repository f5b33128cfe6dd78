package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// bareRoot is a copy of a Debian root that has what a user of our packages has: openssl and a compiler.
func bareRoot(t *testing.T) string {
	t.Helper()
	suite := codename(t)
	kept := filepath.Join(harness.Root(t), "build", "_roots", "user-"+suite)
	script := filepath.Join(harness.Root(t), "tools", "root.sh")
	output, err := exec.Command(script, kept, suite, "openssl", "gcc", "libc6-dev", "libssl-dev", "pkg-config").CombinedOutput()
	require.NoError(t, err, string(output))
	root := filepath.Join(t.TempDir(), "root")
	output, err = exec.Command("cp", "-a", "--reflink=auto", kept, root).CombinedOutput()
	require.NoError(t, err, string(output))
	return root
}

// codename is that of the Debian that runs the tests.
func codename(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(output))
}

// in runs a line of shell in the root and gives what it printed.
func in(t *testing.T, root, line string) string {
	t.Helper()
	result := harness.Command{
		Path: "/usr/bin/unshare",
		Args: []string{
			"--pid", "--fork", "--kill-child", "--mount-proc=" + filepath.Join(root, "proc"),
			"/usr/sbin/chroot", root, "/bin/bash", "-c", line,
		},
		Env:     []string{"DEBIAN_FRONTEND=noninteractive"},
		Timeout: 3 * time.Minute,
	}.Run(t)
	require.Zerof(t, result.Exit, "%s\n%s%s", line, result.Stdout, result.Stderr)
	return result.Stdout
}

// traces are the files of the root, but for those in which the system notes what it did.
func traces(t *testing.T, root string) []string {
	t.Helper()
	return slices.DeleteFunc(files(t, root), func(file string) bool {
		return strings.HasPrefix(file, "/var/log/") || strings.HasPrefix(file, "/var/cache/") ||
			strings.HasPrefix(file, "/tmp/") || file == "/var/lib/dpkg/status-old"
	})
}

// The packages of what is committed: they go in, serve a preloaded server and a program that is built
// with them, and leave nothing when they are purged.
func TestDebianPackages(t *testing.T) {
	t.Parallel()
	harness.Make(t, "deb")
	debs, err := filepath.Glob(filepath.Join(harness.Root(t), "build", "deb", "*.deb"))
	require.NoError(t, err)
	debs = slices.DeleteFunc(debs, func(deb string) bool { return strings.Contains(deb, "-dbgsym_") })
	require.NotEmpty(t, debs)
	root := bareRoot(t)
	before := traces(t, root)

	for _, name := range append(debs, filepath.Join(harness.Root(t), "examples")) {
		output, err := exec.Command("cp", "-r", name, filepath.Join(root, "tmp")).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	in(t, root, "dpkg -i /tmp/*.deb")
	require.NotEqual(t, before, traces(t, root))

	folder := filepath.Dir(strings.Fields(in(t, root, "dpkg -L libsslcache1 | grep 'libsslcache.so.1$'"))[0])
	shown := in(t, root, "/tmp/examples/run.sh "+folder+" 5")
	require.Regexp(t, `TLS 1\.2 +5 +4 +1 +4 +0 +1\n`, shown)
	require.Regexp(t, `TLS 1\.3 +5 +4 +6 +4 +0 +6\n`, shown)

	in(t, root, "cc -o /tmp/manual /tmp/examples/manual.c $(pkg-config --cflags --libs sslcache)")
	require.Contains(t, in(t, root, "ldd /tmp/manual"), "libsslcache.so.1 => ")
	require.Contains(t, in(t, root, "/tmp/manual"), "counted: 2 stored, 1 replaced, 1 removed, 0 held")
	version := strings.TrimSpace(in(t, root, "pkg-config --modversion sslcache"))
	require.Equal(t, projectVersion(t), version)

	require.Equal(t, "sslcache "+version+"\n", in(t, root, "sslcache --version"))
	require.Contains(t, in(t, root, "sslcache run -- /tmp/manual"), "counted: 2 stored")
	require.Contains(t, in(t, root, "bash -n /usr/share/bash-completion/completions/sslcache && echo well"), "well")

	names := in(t, root, "for deb in /tmp/*.deb; do dpkg-deb -f $deb Package; done")
	in(t, root, "dpkg --purge "+strings.ReplaceAll(names, "\n", " "))
	require.Equal(t, before, traces(t, root))
}

func projectVersion(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(harness.Root(t), "VERSION"))
	require.NoError(t, err)
	return strings.TrimSpace(string(content))
}
