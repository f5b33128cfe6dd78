package legacy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

func sharedObject(t testing.TB, name string) string {
	t.Helper()
	return harness.Program{
		Source: filepath.Join("programs", name+".c"), Flags: []string{"-shared", "-fPIC"},
	}.Compile(t, harness.Libssl)
}

// withoutLibssl is a program that is not linked with libssl.
func withoutLibssl(name string, arguments ...string) harness.Program {
	one := program(name, arguments...)
	one.Flags = []string{"-Wl,--as-needed"}
	return one
}

// preloadAlike runs a command alone and with these libraries preloaded: the same must come of it.
func preloadAlike(t *testing.T, command harness.Command, preload ...string) {
	t.Helper()
	alone := command.Run(t)
	require.Zerof(t, alone.Exit, "alone; it printed:\n%s%s", alone.Stdout, alone.Stderr)
	require.Empty(t, alone.Stderr)
	require.NotEmpty(t, alone.Stdout, "the program observes nothing")
	command.Preload = append(command.Preload, preload...)
	assert.Equal(t, alone, command.Run(t))
}

// As in Python, Perl, Ruby and PHP: libssl comes with a module, after us, out of sight of RTLD_NEXT.
func TestLibsslLoadedByAModule(t *testing.T) {
	command := withoutLibssl("load_module", sharedObject(t, "tls_plugin")).Command(t, harness.Libssl)
	report := filepath.Join(t.TempDir(), "report")
	command.Env = append(command.Env, "SSLCACHE_REPORT="+report)
	preloadAlike(t, command, harness.OurLibrary(t))
	assert.NotZero(t, harness.ReadReport(t, report).Found, "our cache took no part")
}

// A module that is unloaded and loaded again, as Apache does with mod_ssl.
func TestModuleLoadedTwice(t *testing.T) {
	plugin := sharedObject(t, "tls_plugin")
	command := withoutLibssl("load_module", plugin, plugin).Command(t, harness.Libssl)
	preloadAlike(t, command, harness.OurLibrary(t))
}

func TestLibsslLoadedByName(t *testing.T) {
	command := withoutLibssl("load_by_name", "libssl.so.3").Command(t, harness.Libssl)
	preloadAlike(t, command, harness.OurLibrary(t))
}

// Our library is loaded by dlopen, in the middle of a program.
func TestLoadedLate(t *testing.T) {
	stranger := sharedObject(t, "stranger")
	alone := program("load_ours_late", stranger).Run(t, harness.Libssl)
	require.Zero(t, alone.Exit)
	require.Contains(t, alone.Stdout, "removed by name: 1\n")
	assert.Equal(t, alone, program("load_ours_late", harness.OurLibrary(t)).Run(t, harness.Libssl))
}

// Two versions of libssl in one process: we can serve one at most, and which one is chance. So both are
// left alone, and one line says so.
func TestTwoVersionsOfLibssl(t *testing.T) {
	other := libssls.Get(t, "1.1.1")
	old := filepath.Join(other.Library, "libssl.so.1.1")
	for name, arguments := range map[string][]string{
		"the old one first": {old, "libssl.so.3"},
		"the new one first": {"libssl.so.3", old},
	} {
		t.Run(name, func(t *testing.T) {
			command := withoutLibssl("load_by_name", arguments...).Command(t, harness.Libssl)
			command.Env = append(command.Env, "LD_LIBRARY_PATH="+other.Library)
			alone := command.Run(t)
			require.Zero(t, alone.Exit, alone.Stdout)
			command.Preload = []string{harness.OurLibrary(t)}
			ours := command.Run(t)
			assert.Equal(t, alone.Stdout, ours.Stdout)
			assert.Equal(t, alone.Exit, ours.Exit)
		})
	}
	t.Run("one of them in our reach", func(t *testing.T) {
		command := program("load_two", old).Command(t, harness.Libssl)
		command.Env = append(command.Env, "LD_LIBRARY_PATH="+other.Library)
		alone := command.Run(t)
		require.Zero(t, alone.Exit, alone.Stdout)
		require.Empty(t, alone.Stderr)
		command.Preload = []string{harness.OurLibrary(t)}
		ours := command.Run(t)
		assert.Equal(t, alone.Stdout, ours.Stdout)
		assert.Equal(t, alone.Exit, ours.Exit)
		lines := strings.Split(strings.TrimSpace(ours.Stderr), "\n")
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "sslcache: ")
		assert.Contains(t, lines[0], "libssl.so.1.1")
		assert.Contains(t, lines[0], "libssl.so.3")
	})
}

func TestTLSBeforeMain(t *testing.T) {
	harness.RunBoth(t, program("load_before_main"))
}

func TestOtherPreloadedLibraries(t *testing.T) {
	const folder = "/usr/lib/x86_64-linux-gnu"
	for name, other := range map[string]struct {
		library string
		env     []string
	}{
		"jemalloc":   {library: filepath.Join(folder, "libjemalloc.so.2")},
		"faketime":   {library: filepath.Join(folder, "faketime", "libfaketime.so.1"), env: []string{"FAKETIME=+400d"}},
		"faketimeMT": {library: filepath.Join(folder, "faketime", "libfaketimeMT.so.1"), env: []string{"FAKETIME=-3d"}},
		"asan": {
			library: harness.SanitizerRuntime(t, "asan"),
			env:     []string{"ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0"},
		},
	} {
		require.FileExists(t, other.library)
		ours := harness.OurLibrary(t)
		for order, preload := range map[string][]string{
			"before ours": {other.library, ours}, "after ours": {ours, other.library},
		} {
			t.Run(name+" "+order, func(t *testing.T) {
				command := program("plain_house").Command(t, harness.Libssl)
				command.Env = append(command.Env, other.env...)
				command.Preload = []string{other.library}
				alone := command.Run(t)
				require.Zero(t, alone.Exit, alone.Stderr)
				command.Preload = preload
				assert.Equal(t, alone, command.Run(t))
			})
		}
	}
}

func TestStaticProgramIsLeftAlone(t *testing.T) {
	one := program("plain_house", "out of reach")
	one.Flags = []string{"-static"}
	libraries, err := exec.Command("pkg-config", "--static", "--libs", "libssl").Output()
	require.NoError(t, err, "what libssl itself is linked with")
	one.Libraries = strings.Fields(string(libraries))
	command := one.Command(t, harness.Libssl)
	command.Env = append(command.Env, "SSLCACHE_VERBOSE=1")
	preloadAlike(t, command, harness.OurLibrary(t))
}

// The loader preloads nothing into a program that runs with its file's user, and says nothing of it.
func TestSetuidProgramIsLeftAlone(t *testing.T) {
	harness.RequireRoot(t)
	folder := harness.OpenFolder(t)
	executable := copyFile(t, program("plain_house", "out of reach").Compile(t, harness.Libssl), filepath.Join(folder, "house"))
	require.NoError(t, os.Chmod(executable, 0o4755|os.ModeSetuid))
	report := filepath.Join(folder, "report")
	command := harness.Command{
		Path: "setpriv", Args: []string{"--reuid=65534", "--regid=65534", "--clear-groups", executable, "out of reach"},
		Env: []string{"SSLCACHE_VERBOSE=1", "SSLCACHE_REPORT=" + report}, Timeout: bound,
	}
	preloadAlike(t, command, harness.OurLibrary(t))
	assert.NoFileExists(t, report)
}
