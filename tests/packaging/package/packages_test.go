package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// lacking runs tools/packages.sh for three packages, one of which has two names, with nothing to be found but these programs, and gives what it
// says before it fails.
func lacking(t *testing.T, programs map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"sed", "tr", "grep", "sort", "cat", "env"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(folder, name)))
	}
	for name, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	list := filepath.Join(folder, "list")
	require.NoError(t, os.WriteFile(list, []byte("# a remark\nlibssl-dev\nhaproxy\nolder|newer\n"), 0o644))
	result := harness.Command{
		Path: "/bin/bash", Args: []string{filepath.Join(harness.Root(t), "tools", "packages.sh"), list},
		Env: []string{"PATH=" + folder},
	}.Run(t)
	require.NotZero(t, result.Exit)
	require.Empty(t, result.Stdout)
	require.Equal(t, 1, strings.Count(result.Stderr, "\n"), result.Stderr)
	return strings.TrimSpace(result.Stderr)
}

// Who can't install what is missing is told in one line what that is, and what installs it.
func TestMissingPackagesAreNamed(t *testing.T) {
	t.Parallel()
	user := map[string]string{"dpkg-query": "exit 1", "id": "echo 1000"}
	assert.Equal(t, "missing here: haproxy libssl-dev older|newer; to install them: "+
		"sudo apt-get install --no-install-recommends haproxy libssl-dev older|newer", lacking(t, user))

	another := map[string]string{"cc": "exit 1", "id": "echo 0"}
	assert.Equal(t, "missing here: haproxy openssl-devel older|newer; where dnf installs packages: "+
		"dnf install haproxy openssl-devel older|newer", lacking(t, another))

	user["dpkg-query"] = `[ "$4" != newer ] || echo install ok installed`
	assert.Contains(t, lacking(t, user), "missing here: haproxy libssl-dev; ", "one of two names is enough")

	user["dpkg-query"] = `[ "$4" = haproxy ] || echo install ok installed`
	assert.Contains(t, lacking(t, user), "missing here: haproxy; ", "only what is missing")
}
