package sslcache

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// The findings are tested with traces of real programs, which are kept in internal/command/report/testdata/recorded.
// `go test ./tests/command/sslcache -run TestRecord -record` makes them anew.
var record = flag.Bool("record", false, "record the traces of real programs that internal/command/report is tested with")

const recorded = "internal/command/report/testdata/recorded"

const mosquittoConfiguration = `
listener {port} 127.0.0.1
allow_anonymous true
user root
certfile {certificate}
keyfile {key}
`

func mosquitto(t testing.TB, s *site) server {
	return server{words: []string{"/usr/sbin/mosquitto", "-c", s.write(t, "mosquitto.conf", mosquittoConfiguration)}, stop: syscall.SIGTERM}
}

const rsyslogConfiguration = `
global(workDirectory="{folder}" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{certificate}"
    DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port="{port}")
action(type="omfile" file="{folder}/messages")
`

func rsyslog(t testing.TB, s *site) server {
	path := s.write(t, "rsyslog.conf", rsyslogConfiguration)
	return server{words: []string{"/usr/sbin/rsyslogd", "-n", "-f", path, "-i", s.folder + "/rsyslog.pid"}, stop: syscall.SIGTERM}
}

// breakOff connects, says something, and closes the connection without a word of TLS.
func breakOff(t testing.TB, port int) {
	t.Helper()
	raw, err := net.Dial("tcp", newVisitor(t, port).address)
	require.NoError(t, err)
	defer raw.Close()
	require.NoError(t, raw.SetDeadline(time.Now().Add(40*time.Second)))
	connection := tls.Client(raw, &tls.Config{
		InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
	})
	require.NoError(t, connection.Handshake())
	_, err = connection.Write([]byte("<14>hello\n"))
	require.NoError(t, err)
}

// reload sends a server a signal, and waits until it has done what that asks for.
func reload(t testing.TB, pidFile string, signal syscall.Signal, isReloaded func() bool) {
	t.Helper()
	require.NoError(t, syscall.Kill(pidIn(t, pidFile), signal))
	waitUntil(t, "it is reloaded", isReloaded)
}

func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("the traces are there; -record makes them anew")
	}
	visitAgain := func(t *testing.T, s *site, between func()) {
		var visitors []*visitor
		for range 5 {
			visitors = append(visitors, newVisitor(t, s.port))
		}
		for _, one := range visitors {
			one.visit(2)
		}
		between()
		for _, one := range visitors {
			one.visit(2)
		}
	}
	for name, one := range map[string]struct {
		configure func(*site) server
		visits    func(*testing.T, *site)
	}{
		"nginx-reloaded": {
			func(s *site) server { return nginx(t, s, 1, "builtin") },
			func(t *testing.T, s *site) {
				visitAgain(t, s, func() {
					first := childrenOf(pidIn(t, s.folder+"/nginx.pid"))
					reload(t, s.folder+"/nginx.pid", syscall.SIGHUP, func() bool {
						now := childrenOf(pidIn(t, s.folder+"/nginx.pid"))
						return len(now) == 1 && now[0] != first[0]
					})
				})
			},
		},
		"nginx-shared": {
			func(s *site) server { return nginx(t, s, 2, "shared:sessions:1m") },
			func(t *testing.T, s *site) { visitAgain(t, s, func() {}) },
		},
		"apache": {
			func(s *site) server { return apache(t, s) },
			func(t *testing.T, s *site) { visitAgain(t, s, func() {}) },
		},
		"mosquitto": {
			func(s *site) server { return mosquitto(t, s) },
			func(t *testing.T, s *site) {
				for range 6 {
					breakOff(t, s.port)
				}
			},
		},
		"rsyslog": {
			func(s *site) server { return rsyslog(t, s) },
			func(t *testing.T, s *site) {
				for range 6 {
					breakOff(t, s.port)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			path := filepath.Join(harness.Root(t), recorded, name+".jsonl")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			_ = os.Remove(path)
			serve(t, s, one.configure(s), func() {
				one.visits(t, s)
				time.Sleep(time.Second) // the last connections end
			}, "--trace", path)
			require.NoError(t, os.Chmod(path, 0o644))
		})
	}
}

func pidIn(t testing.TB, file string) (process int) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	_, err = fmt.Sscan(string(content), &process)
	require.NoError(t, err)
	return process
}
