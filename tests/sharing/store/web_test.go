package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// site is a TLS server of many processes: how to configure and how to end it.
type site struct {
	name          string
	command       string
	arguments     []string // {configuration} is the file
	configuration string
	stop          syscall.Signal
	environment   []string
}

var sites = []site{
	{
		name: "nginx, 4 workers", command: "/usr/sbin/nginx", stop: syscall.SIGQUIT,
		arguments:     []string{"-e", "{folder}/error.log", "-c", "{configuration}"},
		configuration: harness.NginxConfiguration(4, "builtin", "off"),
	},
	{
		name: "Apache prefork, 8 children", command: "/usr/sbin/apache2", stop: syscall.SIGTERM,
		arguments: []string{"-f", "{configuration}", "-DFOREGROUND"},
		// Apache turns OpenSSL's own cache off. The port of ServerName is in the session id context:
		// servers that share sessions have the same.
		environment: []string{"SSLCACHE_MODE=on"},
		configuration: harness.ApacheConfiguration("prefork", "none", "off", `ServerName localhost:443
ErrorDocument 403 "none\n"
DocumentRoot {folder}
ServerLimit 8
StartServers 8
MaxRequestWorkers 8
MinSpareServers 8
MaxSpareServers 8`),
	},
}

// start starts the site with the certificate and waits until it serves.
func (s site) start(t *testing.T, shared *sharing, certificate, key string) (*harness.Server, int) {
	t.Helper()
	folder, port := harness.OpenFolder(t), harness.FreePort(t)
	configuration := filepath.Join(folder, "configuration")
	fill := strings.NewReplacer("{folder}", folder, "{port}", fmt.Sprint(port), "{configuration}", configuration,
		"{certificate}", certificate, "{key}", key)
	require.NoError(t, os.WriteFile(configuration, []byte(fill.Replace(s.configuration)), 0o644))
	arguments := make([]string, len(s.arguments))
	for i, argument := range s.arguments {
		arguments[i] = fill.Replace(argument)
	}
	environment := shared.environment()
	if shared != nil {
		environment = append(environment, s.environment...)
	}
	return harness.Command{
		Path: s.command, Args: arguments, Env: environment, Preload: shared.preload(),
	}.Start(t, port), port
}

const manyClients = 200

// TestClientsResumeAnywhere: with any worker, after a restart, and at another server.
func TestClientsResumeAnywhere(t *testing.T) {
	harness.RequireRoot(t)
	all := append(sites, site{name: "s_server"})
	for _, kind := range kinds(t) {
		for _, one := range all {
			for _, version := range []string{"1.2", "1.3"} {
				t.Run(fmt.Sprintf("%s, TLS %s, %s", one.name, version, kind), func(t *testing.T) {
					t.Parallel()
					certificate, key := harness.Certificate(t)
					resumeAlone(t, one, version, certificate, key)
					resumeShared(t, one, version, certificate, key, startKind(t, kind))
				})
			}
		}
	}
}

func startSite(t *testing.T, one site, shared *sharing, certificate, key string) (*harness.Server, int) {
	t.Helper()
	if one.command == "" {
		one.stop = syscall.SIGTERM
		return sServer(t, shared, certificate, key)
	}
	return one.start(t, shared, certificate, key)
}

// resumeAlone prints what libssl does: a share of the clients comes to the worker that knows them.
func resumeAlone(t *testing.T, one site, version, certificate, key string) {
	t.Helper()
	server, port := startSite(t, one, nil, certificate, key)
	everybody := newClients(t, version, manyClients)
	everybody.visit(port)
	again := everybody.visit(port)
	server.Stop(syscall.SIGTERM)
	server, port = startSite(t, one, nil, certificate, key)
	restarted := everybody.visit(port)
	server.Stop(syscall.SIGTERM)
	t.Logf("libssl alone: %d of %d resumed with any worker, %d after a restart; %d workers",
		again.resumed, manyClients, restarted.resumed, again.workers)
	require.Zero(t, restarted.resumed, "libssl alone knows nobody after a restart")
}

func resumeShared(t *testing.T, one site, version, certificate, key string, kept *keeper) {
	t.Helper()
	shared := share(t, kept.address())
	server, port := startSite(t, one, shared, certificate, key)
	everybody := newClients(t, version, manyClients)
	first := everybody.visit(port)
	require.Equal(t, manyClients, first.fresh)
	kept.waitForRecords(manyClients)
	again := everybody.visit(port)
	everybody.requireNearlyAll(again, "with any worker")

	other, otherPort := startSite(t, one, shared, certificate, key)
	elsewhere := everybody.visit(otherPort)
	everybody.requireNearlyAll(elsewhere, "at another server")
	other.Stop(siteStop(one))

	server.Stop(siteStop(one))
	server, port = startSite(t, one, shared, certificate, key)
	restarted := everybody.visit(port)
	everybody.requireNearlyAll(restarted, "after a restart")
	server.Stop(siteStop(one))
	t.Logf("with the store: %d of %d resumed with any worker, %d at another server, %d after a restart; %d workers; %+v",
		again.resumed, manyClients, elsewhere.resumed, restarted.resumed, again.workers, shared.counters())
}

func siteStop(one site) syscall.Signal {
	if one.stop == 0 {
		return syscall.SIGTERM
	}
	return one.stop
}
