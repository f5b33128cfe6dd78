package program

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProgramIsFoundAsAShellFindsIt(t *testing.T) {
	path, err := Find("sh")
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(path))

	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	for name, status := range map[string]int{
		"no-such-program":               StatusNotFound,
		filepath.Join(folder, "absent"): StatusNotFound,
		plain:                           StatusNotExecuted,
		folder:                          StatusNotExecuted,
		filepath.Join(plain, "below"):   StatusNotExecuted,
	} {
		_, err := Find(name)
		var reason *Error
		require.ErrorAs(t, err, &reason, name)
		require.Equal(t, status, reason.Status, name)
		require.Contains(t, reason.Problem, name)
	}
}

func TestTheStatusOfAProgramIsGivenOnAsAShellDoes(t *testing.T) {
	for script, code := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 143} {
		status, err := Run("/bin/sh", []string{"sh", "-c", script}, os.Environ(), false)
		require.NoError(t, err)
		require.Equal(t, code, status.Code(), script)
	}
	require.Equal(t, "was ended by SIGTERM", Status{Signal: syscall.SIGTERM}.String())
	require.Equal(t, "ended with status 7", Status{Exit: 7}.String())
}

func TestAProgramThatNoKernelCanStartIsSaid(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o700))
	_, err := Run(script, []string{"script"}, nil, false)
	var reason *Error
	require.ErrorAs(t, err, &reason)
	require.Equal(t, StatusNotExecuted, reason.Status)
	require.Equal(t, "script can't be executed: no such file or directory", reason.Problem)
}

func TestTheLibraryIsPreloadedAfterOthers(t *testing.T) {
	require.Equal(t, []string{"A=1", "LD_PRELOAD=/ours.so"}, Preload([]string{"A=1"}, "/ours.so"))
	require.Equal(t, []string{"A=1", "LD_PRELOAD=/theirs.so:/ours.so"},
		Preload([]string{"LD_PRELOAD=/theirs.so", "A=1"}, "/ours.so"))
	require.Equal(t, []string{"LD_PRELOAD=/ours.so"}, Preload([]string{"LD_PRELOAD="}, "/ours.so"))
}

func TestTheLibraryIsFoundWhereAnInstallationHasIt(t *testing.T) {
	for _, place := range []string{"bin", "lib", "lib/" + multiarch} {
		root := t.TempDir()
		expected := filepath.Join(root, place, Library)
		require.NoError(t, os.MkdirAll(filepath.Dir(expected), 0o700))
		require.NoError(t, os.MkdirAll(filepath.Join(root, "bin"), 0o700))
		require.NoError(t, os.WriteFile(expected, nil, 0o600))
		found, err := findFrom(filepath.Join(root, "bin"))
		require.NoError(t, err)
		require.Equal(t, expected, found)
	}
	_, err := findFrom(t.TempDir())
	require.ErrorContains(t, err, Library+" is in none of")
}

func TestALibraryThatCannotBePreloadedIsRefused(t *testing.T) {
	folder := t.TempDir()
	blank := filepath.Join(folder, "with blank.so")
	require.NoError(t, os.WriteFile(blank, nil, 0o600))
	for path, problem := range map[string]string{
		blank:                           "LD_PRELOAD allows no blank",
		folder:                          "it is no file",
		filepath.Join(folder, "absent"): "no such file or directory",
	} {
		_, err := FindLibrary(path)
		require.ErrorContains(t, err, problem)
		require.ErrorContains(t, err, path)
	}
}
