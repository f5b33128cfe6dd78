package sslcache

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// server is a program that is configured to serve on a port.
type server struct {
	words []string
	stop  syscall.Signal // ends it as its administrator would
}

// site is the folder, the port and the certificate of a server.
type site struct {
	folder, certificate, key string
	port                     int
}

func newSite(t testing.TB) *site {
	t.Helper()
	// Servers that give up root pass through here.
	folder, err := os.MkdirTemp("", "site")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	require.NoError(t, os.Chmod(folder, 0o777))
	certificate, key := harness.Certificate(t)
	return &site{folder: folder, certificate: certificate, key: key, port: harness.FreePort(t)}
}

func (s *site) fill(text string) string {
	return strings.NewReplacer("{folder}", s.folder, "{port}", fmt.Sprint(s.port),
		"{certificate}", s.certificate, "{key}", s.key).Replace(text)
}

func (s *site) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(s.folder, name)
	require.NoError(t, os.WriteFile(path, []byte(s.fill(text)), 0o644))
	return path
}

func nginx(t testing.TB, s *site, workers int, cache string) server {
	path := s.write(t, "nginx.conf", harness.NginxConfiguration(workers, cache, "off"))
	return server{words: []string{"/usr/sbin/nginx", "-e", s.folder + "/error.log", "-c", path}, stop: syscall.SIGQUIT}
}

func apache(t testing.TB, s *site) server {
	path := s.write(t, "apache.conf", harness.ApacheConfiguration("event", "shmcb:{folder}/sessions(512000)", "off",
		harness.ApacheEvent, "DocumentRoot {folder}"))
	return server{words: []string{"/usr/sbin/apache2", "-f", path, "-DFOREGROUND"}, stop: syscall.SIGTERM}
}

// A server as Python's manual writes one, which also answers the end of a connection.
const pythonServer = `
import signal, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("{certificate}", "{key}")
context.options |= ssl.OP_NO_TICKET
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with socket.create_server(("127.0.0.1", {port})) as listener:
    while True:
        connection = listener.accept()[0]
        try:
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.recv(1000)
                stream.sendall(b"HTTP/1.0 200 OK\r\n\r\nPython\n")
                stream.unwrap()
        except OSError:
            pass
`

func python(t testing.TB, s *site) server {
	return server{words: []string{"/usr/bin/python3", s.write(t, "server.py", pythonServer)}, stop: syscall.SIGTERM}
}

func openssl(s *site, connections int) server {
	return server{words: []string{
		"/usr/bin/openssl", "s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", s.port), "-cert", s.certificate,
		"-key", s.key, "-www", "-no_ticket", "-naccept", fmt.Sprint(connections),
	}}
}

// serve runs a server under sslcache while something happens, and gives its report.
func serve(t testing.TB, s *site, served server, visits func(), flags ...string) report {
	t.Helper()
	path := filepath.Join(s.folder, "report.json")
	arguments := append([]string{"run", "--json", "-o", path}, flags...)
	command := sslcache(t, append(append(arguments, "--"), served.words...)...)
	running := command.Start(t, 0)
	waitUntil(t, "it listens", func() bool { return listens(s.port) || syscall.Kill(running.Pid, 0) != nil })
	visits()
	result := running.Stop(served.stop)
	require.Zero(t, result.Exit, result.Stderr)
	return readReport(t, path)
}

// listens looks into the kernel's table rather than connecting, which a server would take for a client.
func listens(port int) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	return err == nil && strings.Contains(string(table), fmt.Sprintf("0100007F:%04X 00000000:0000 0A", port))
}

const visits = 20

func TestCleanServersHaveNoFinding(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*site) server{
		"nginx, one worker":   func(s *site) server { return nginx(t, s, 1, "builtin") },
		"nginx, shared cache": func(s *site) server { return nginx(t, s, 2, "shared:sessions:1m") },
		"Apache":              func(s *site) server { return apache(t, s) },
		"Python":              func(s *site) server { return python(t, s) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			var resumed int
			made := serve(t, s, configure(s), func() { resumed = newVisitor(t, s.port).visit(visits) })
			require.Equal(t, visits-1, resumed)
			require.Empty(t, made.Findings)
			require.EqualValues(t, visits, made.Connections)
			require.EqualValues(t, visits-1, made.Resumed)
			require.Zero(t, made.Lost)
		})
	}
}

func TestAServerThatEndsByItselfIsReportedToItsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := serve(t, s, openssl(s, visits), func() { newVisitor(t, s.port).visit(visits) })
	require.Empty(t, made.Findings)
	require.EqualValues(t, visits, made.Connections)
	require.EqualValues(t, visits-1, made.Resumed)
	require.EqualValues(t, visits-1, made.Found)
	require.Equal(t, 1, made.Processes)
}

func TestTheWorkersOfNginxCannotSeeEachOthersSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := serve(t, s, nginx(t, s, 2, "builtin"), func() { newVisitor(t, s.port).visit(60) })
	require.Equal(t, []string{"siblings-cannot-see"}, names(made))
	require.GreaterOrEqual(t, made.Forks, 2)
}

func TestCurlIsClean(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	server := harness.Command{Path: openssl(s, 0).words[0], Args: openssl(s, 100).words[1:]}.Start(t, s.port)
	made := run(t, []string{"/bin/sh", "-c", s.fill(
		`curl --silent --show-error --max-time 60 --cacert {certificate} "https://127.0.0.1:{port}/[1-10]" >/dev/null`)})
	server.Stop(syscall.SIGTERM)
	require.Empty(t, made.Findings)
	require.EqualValues(t, 10, made.Connections)
	require.EqualValues(t, 9, made.Resumed)
}

func TestTheTraceOfARunBecomesTheSameReport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	trace := filepath.Join(s.folder, "trace.jsonl")
	made := serve(t, s, nginx(t, s, 1, "builtin"), func() { newVisitor(t, s.port).visit(5) }, "--trace", trace)
	result := sslcache(t, "report", "--json", trace, "-o", filepath.Join(s.folder, "again.json")).Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	require.Equal(t, made, readReport(t, filepath.Join(s.folder, "again.json")))
	content, err := os.ReadFile(trace)
	require.NoError(t, err)
	require.Positive(t, len(content))
}

func TestFaultsAreRepeatedWithTheirSeed(t *testing.T) {
	t.Parallel()
	missed := func(seed string) uint64 {
		s := newSite(t)
		made := serve(t, s, openssl(s, visits), func() { newVisitor(t, s.port).visit(visits) }, "--fault=lookup=miss:0.5", "--seed", seed)
		require.EqualValues(t, visits, made.Connections)
		return made.Resumed
	}
	first := missed("7")
	require.Less(t, first, uint64(visits-1))
	require.Equal(t, first, missed("7"))
}

// The program goes on in the background: its report must not wait for it, and it must not notice the end
// of the report.
func TestADaemonIsReportedUntilItsParentEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	configuration := s.write(t, "nginx.conf", strings.Replace(harness.NginxConfiguration(1, "builtin", "off"), "daemon off;", "", 1))
	pid := filepath.Join(s.folder, "nginx.pid")
	started := time.Now()
	command := sslcache(t, "run", "-o", s.folder+"/report.txt", "--", "/usr/sbin/nginx", "-e", s.folder+"/error.log", "-c", configuration)
	running := command.Start(t, 0)
	waitUntil(t, "sslcache has ended", func() bool { return running.Stderr() != "" })
	waitUntil(t, "it listens", func() bool { return listens(s.port) })
	t.Logf("the report came after %s", time.Since(started))
	require.Contains(t, running.Stderr(), "the program left processes behind: the report is about what they did until now")
	require.Equal(t, visits-1, newVisitor(t, s.port).visit(visits), "it goes on, and resumes")
	content, err := os.ReadFile(pid)
	require.NoError(t, err)
	var master int
	_, err = fmt.Sscan(string(content), &master)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(master, syscall.SIGQUIT))
	waitUntil(t, "nginx has ended", func() bool { return syscall.Kill(master, 0) != nil })
}

func TestWhatAProgramLeavesBehindIsWaitedForIfAsked(t *testing.T) {
	t.Parallel()
	clean := program(t, "clean")
	path := filepath.Join(t.TempDir(), "report.json")
	result := shell(t, "setsid sh -c 'sleep 1; "+clean+"' >/dev/null & exit 5", "--wait", "--json", "-o", path).Run(t)
	require.Equal(t, 5, result.Exit)
	require.Empty(t, result.Stderr)
	require.EqualValues(t, 20, readReport(t, path).Connections)
}
