// Package arm64 runs the library of `make arm64` under an emulator of the processor (qemu-user).
//
// What forks after the cache has started is not here: the emulator itself fails in a forked child of a
// process with threads.
package arm64

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// limit bounds one program: the emulator is some ten times slower than a processor.
const limit = 3 * time.Minute

// made once: two makes would write the same files.
var made sync.Once

type machine struct {
	library string
	libssl  libssls.Libssl
}

func newMachine(t *testing.T) machine {
	t.Helper()
	made.Do(func() { harness.Make(t, "arm64") })
	libssl, err := libssls.Fetch(context.Background(), libssls.ARM64())
	require.NoError(t, err)
	return machine{filepath.Join(harness.Root(t), "build", "arm64", "libsslcache.so"), libssl}
}

// compile returns the path of the program, in which flags stand before libssl.
func (m machine) compile(t *testing.T, source string, flags ...string) string {
	t.Helper()
	root := harness.Root(t)
	program := filepath.Join(t.TempDir(), "program")
	arguments := []string{
		"-std=c11", "-D_GNU_SOURCE", "-I" + filepath.Join(root, "tests", "include"),
		"-I" + filepath.Join(root, "include"), "-I" + m.libssl.Headers, "-o", program, source,
	}
	arguments = append(append(arguments, flags...), "-L"+m.libssl.Library, "-Wl,-rpath-link,"+m.libssl.Library,
		"-lssl", "-lcrypto", "-lpthread")
	output, err := exec.Command("aarch64-linux-gnu-gcc", arguments...).CombinedOutput()
	require.NoError(t, err, string(output))
	return program
}

// command runs the program under the emulator, with the variables in its environment only.
func (m machine) command(variables []string, program string, arguments ...string) harness.Command {
	emulated := []string{"-L", m.libssl.Root}
	for _, variable := range variables {
		emulated = append(emulated, "-E", variable)
	}
	return harness.Command{
		Path: "/usr/bin/qemu-aarch64", Args: append(append(emulated, program), arguments...), Timeout: limit,
	}
}

func TestManual(t *testing.T) {
	t.Parallel()
	machine := newMachine(t)
	folder := filepath.Dir(machine.library)
	program := machine.compile(t, filepath.Join(harness.Root(t), "examples", "manual.c"), "-L"+folder, "-lsslcache")
	result := machine.command([]string{"LD_LIBRARY_PATH=" + folder}, program).Run(t)
	require.Empty(t, result.Stderr)
	require.Contains(t, result.Stdout, "counted: 2 stored, 1 replaced, 1 removed, 0 held")
}

// Each program of the API tests sees what libssl alone shows it on this machine.
func TestAPI(t *testing.T) {
	machine := newMachine(t)
	sources, err := filepath.Glob(filepath.Join(harness.Root(t), "tests", "behaviour", "api", "programs", "*.c"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		if libssls.IsSenseless(libssls.System(), name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := machine.compile(t, source)
			alone := harness.Program{Source: source}.Run(t, harness.Libssl)
			ours := machine.command([]string{"LD_PRELOAD=" + machine.library, "SSLCACHE_VERBOSE=1"}, program).Run(t)
			assert.Zero(t, alone.Exit)
			assert.Equal(t, alone, ours)
		})
	}
}

// The arm64 build of Debian's openssl serves a client of this machine, which resumes.
func TestServerResumes(t *testing.T) {
	t.Parallel()
	machine := newMachine(t)
	folder := t.TempDir()
	openssl := func(arguments ...string) string {
		result := harness.Command{Path: "/usr/bin/openssl", Args: arguments, Stdin: "GET / HTTP/1.0\r\n\r\n"}.Run(t)
		require.Zero(t, result.Exit, result.Stderr)
		return result.Stdout
	}
	key, certificate := filepath.Join(folder, "key.pem"), filepath.Join(folder, "certificate.pem")
	openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=localhost", "-keyout", key, "-out", certificate)

	report, session := filepath.Join(folder, "report"), filepath.Join(folder, "session")
	port := strconv.Itoa(harness.FreePort(t))
	server := machine.command([]string{"LD_PRELOAD=" + machine.library, "SSLCACHE_REPORT=" + report},
		filepath.Join(machine.libssl.Root, "usr", "bin", "openssl"), "s_server", "-accept", "127.0.0.1:"+port,
		"-www", "-no_ticket", "-naccept", "3", "-cert", certificate, "-key", key).Start(t, 0)
	require.Eventually(t, func() bool { return strings.Contains(server.Stdout(), "ACCEPT") }, limit, 20*time.Millisecond)

	visit := []string{"s_client", "-connect", "127.0.0.1:" + port, "-tls1_3", "-ign_eof", "-sess_out", session}
	require.Contains(t, openssl(visit...), "New, TLSv1.3")
	for range 2 {
		require.Contains(t, openssl(append(visit, "-sess_in", session)...), "Reused, TLSv1.3")
	}
	require.Eventually(t, func() bool { _, err := os.Stat(report); return err == nil }, limit, 20*time.Millisecond)
	server.Stop(syscall.SIGTERM)
	content, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Contains(t, string(content), `"found":2,"missed":0`)
}
