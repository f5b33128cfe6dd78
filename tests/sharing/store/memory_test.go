package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// TestMemoryClientsResumeAnywhere: with SSLCACHE_STORE=memory, at any worker, and after a reload.
func TestMemoryClientsResumeAnywhere(t *testing.T) {
	harness.RequireRoot(t)
	for _, one := range sites {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(fmt.Sprintf("%s, TLS %s", one.name, version), func(t *testing.T) {
				t.Parallel()
				certificate, key := harness.Certificate(t)
				alone := visitAgain(t, one, nil, version, certificate, key)
				shared := share(t, "memory")
				ours := visitAgain(t, one, shared, version, certificate, key)
				t.Logf("libssl alone: %d of %d resumed with any worker; with memory: %d, and %d after a reload; %d workers; %+v",
					alone.again.resumed, manyClients, ours.again.resumed, ours.reloaded.resumed, ours.again.workers, shared.counters())
				require.GreaterOrEqual(t, ours.again.resumed, manyClients*98/100)
				require.GreaterOrEqual(t, ours.reloaded.resumed, manyClients*98/100)
				require.Less(t, alone.again.resumed, ours.again.resumed)
				require.Zero(t, shared.counters().Refused)
			})
		}
	}
}

type homecoming struct{ again, reloaded visits }

// visitAgain has many clients come, come back, and come back once more after a reload.
func visitAgain(t *testing.T, one site, shared *sharing, version, certificate, key string) (how homecoming) {
	t.Helper()
	server, port := startSite(t, one, shared, certificate, key)
	everybody := newClients(t, version, manyClients)
	require.Equal(t, manyClients, everybody.visit(port).fresh)
	how.again = everybody.visit(port)
	reload := syscall.SIGHUP
	if strings.HasPrefix(one.name, "Apache") {
		reload = syscall.SIGUSR1 // SIGHUP ends connections
	}
	require.NoError(t, syscall.Kill(server.Pid, reload))
	time.Sleep(2 * time.Second) // what waits in the queue of a worker that goes is lost, under libssl alone as well
	how.reloaded = everybody.visit(port)
	server.Stop(siteStop(one))
	return how
}

// memoryFile shares through a file in memory of a random name.
func memoryFile(t *testing.T) *sharing {
	t.Helper()
	name := "test-" + strings.ReplaceAll(keyfile.Generate()[:12], "/", "-")
	path := filepath.Join("/dev/shm", fmt.Sprintf("sslcache-%d", os.Geteuid()), name)
	t.Cleanup(func() { os.Remove(path) })
	return share(t, "memory:"+name)
}

// TestMemoryFileOutlivesServers: with any worker, at another server, and after a restart.
func TestMemoryFileOutlivesServers(t *testing.T) {
	harness.RequireRoot(t)
	for _, one := range append(sites, site{name: "s_server"}) {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(fmt.Sprintf("%s, TLS %s", one.name, version), func(t *testing.T) {
				t.Parallel()
				certificate, key := harness.Certificate(t)
				shared := memoryFile(t)
				server, port := startSite(t, one, shared, certificate, key)
				everybody := newClients(t, version, manyClients)
				require.Equal(t, manyClients, everybody.visit(port).fresh)
				again := everybody.visit(port)
				other, otherPort := startSite(t, one, shared, certificate, key)
				elsewhere := everybody.visit(otherPort)
				other.Stop(siteStop(one))
				server.Stop(siteStop(one))
				server, port = startSite(t, one, shared, certificate, key)
				restarted := everybody.visit(port)
				server.Stop(siteStop(one))
				t.Logf("%d of %d resumed with any worker, %d at another server, %d after a restart; %+v",
					again.resumed, manyClients, elsewhere.resumed, restarted.resumed, shared.counters())
				for _, v := range []visits{again, elsewhere, restarted} {
					require.GreaterOrEqual(t, v.resumed, manyClients*98/100)
				}
			})
		}
	}
}

// TestMemoryOfAFamily: what one process removes is removed for all, also where it is in their own caches.
func TestMemoryOfAFamily(t *testing.T) {
	for _, sanitized := range []bool{false, true} {
		for name, shared := range map[string]*sharing{"memory": share(t, "memory"), "file": memoryFile(t)} {
			t.Run(fmt.Sprintf("%s, sanitized %t", name, sanitized), func(t *testing.T) {
				result := harness.Program{
					Source: filepath.Join("programs", "memory.c"), Env: shared.environment(), Sanitized: sanitized,
				}.Run(t, harness.Ours)
				require.Empty(t, result.Stderr)
				require.Equal(t, `TLS 1.2
first: done 1 resumed 0 0 hello 1
elsewhere in a child: done 1 resumed 1 1 hello 1
own cache: done 1 resumed 1 1 hello 1
resumed in a child and broken off: done 1 resumed 1 1 hello 1
own cache after a child's removal: done 1 resumed 0 0 hello 1
elsewhere in a child: done 1 resumed 0 0 hello 1
second: done 1 resumed 0 0 hello 1
resumed: done 1 resumed 1 1 hello 1
elsewhere in a child: done 1 resumed 0 0 hello 1
`, result.Stdout)
			})
		}
	}
}

// killsVariable is how many workers are killed; the goal is 10,000.
const killsVariable = "SSLCACHE_KILLS"

// TestMemoryWhileWorkersAreKilled: inside the store, too. Nobody hangs, crashes, or is given another's session.
func TestMemoryWhileWorkersAreKilled(t *testing.T) {
	kills := os.Getenv(killsVariable)
	if kills == "" {
		kills = "60"
	}
	shared := share(t, "memory?size=1m")
	shared.more = []string{"SSLCACHE_FAULT=store=kill:0.03"}
	result := harness.Program{
		Source: filepath.Join("programs", "killed.c"), Args: []string{kills},
		Env: shared.environment(), Timeout: time.Hour,
	}.Run(t, harness.Ours)
	require.Empty(t, result.Stderr)
	var ended, inside, full, resumed, failed, torn, hanging int
	_, err := fmt.Sscan(result.Stdout, &ended, &inside, &full, &resumed, &failed, &torn, &hanging)
	require.NoError(t, err, result.Stdout)
	t.Logf("%d workers were killed, %d of them inside the store; %d handshakes were full, %d resumed, %d failed", ended, inside, full, resumed, failed)
	require.Positive(t, inside)
	require.Zero(t, failed)
	require.Zero(t, torn)
	require.Zero(t, hanging)
	require.Positive(t, resumed)
}

// TestMemoryEarlyDataIsAcceptedOnce: sent to two workers at once, one accepts it at most.
func TestMemoryEarlyDataIsAcceptedOnce(t *testing.T) {
	certificate, key := harness.Certificate(t)
	result := harness.Program{
		Source: filepath.Join("programs", "early_data.c"), Args: []string{"100", certificate, key},
		Env: share(t, "memory").environment(), Timeout: time.Hour,
	}.Run(t, harness.Ours)
	var done, once, twice, resumed, failed int
	_, err := fmt.Sscan(result.Stdout, &done, &once, &twice, &resumed, &failed)
	require.NoErrorf(t, err, "%s%s", result.Stdout, result.Stderr)
	t.Logf("of %d tries the early data was accepted once in %d, twice in %d; %d resumed", done, once, twice, resumed)
	require.Zero(t, failed)
	require.Zero(t, twice)
	require.Equal(t, done, once)
}
