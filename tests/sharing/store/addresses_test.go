package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store"
	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// requireServes: what is put under that address is found there.
func requireServes(t *testing.T, address string) {
	t.Helper()
	s := openStore(t, address)
	session := make([]byte, 500)
	for i := range 100 {
		s.Put(number(i), session, time.Hour, false)
	}
	require.Eventuallyf(t, func() bool { return s.Stats().Written == 100 }, patience, time.Millisecond, "%s: %+v", address, statsOf{s})
	for i := range 100 {
		require.Equal(t, len(session), s.Get(number(i), i%2 == 0, make([]byte, 1000)))
		s.Delete(number(i))
	}
	require.Eventually(t, func() bool { return s.Stats().Deleted == 100 }, patience, time.Millisecond)
	require.Zero(t, s.Get(number(1), false, make([]byte, 1000)))
}

func TestAddressesOfOneServer(t *testing.T) {
	for _, kind := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			certificate, key := harness.Certificate(t)
			secure := harness.FreePort(t)
			kept := startKind(t, kind,
				"--tls-port", fmt.Sprint(secure), "--tls-cert-file", certificate, "--tls-key-file", key,
				"--tls-ca-cert-file", certificate, "--tls-auth-clients", "no")
			requireServes(t, kept.address())
			requireServes(t, "redis://"+kept.host()+"/3")
			requireServes(t, "unix://"+kept.socket()+"?db=2")
			requireServes(t, fmt.Sprintf("rediss://localhost:%d?ca=%s", secure, certificate))

			stranger := openStore(t, fmt.Sprintf("rediss://localhost:%d", secure))
			require.Zero(t, stranger.Get(number(1), false, make([]byte, 1000)))
			require.Contains(t, stranger.Stats().Failure, "certificate", "a server that nobody vouches for")

			require.NoError(t, kept.client.Do(context.Background(), "ACL", "SETUSER", "cache", "on", ">sesame", "~sslcache:*", "+@all").Err())
			require.NoError(t, kept.client.Do(context.Background(), "CONFIG", "SET", "requirepass", "sesame").Err())
			requireServes(t, "valkey://cache:sesame@"+kept.host())
			requireServes(t, "valkey://:sesame@"+kept.host())
			nobody := openStore(t, "valkey://:wrong@"+kept.host())
			require.Zero(t, nobody.Get(number(1), false, make([]byte, 1000)))
			require.Contains(t, nobody.Stats().Failure, "WRONGPASS")
			require.NotContains(t, nobody.Stats().Failure, "wrong@")
		})
	}
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	folder, port := harness.OpenFolder(t), harness.FreePort(t)
	configuration := filepath.Join(folder, "sentinel.conf")
	require.NoError(t, os.WriteFile(configuration, fmt.Appendf(nil,
		"bind 127.0.0.1\nport %d\ndir %s\nsentinel monitor sessions 127.0.0.1 %d 1\n", port, folder, kept.port), 0o644))
	harness.Command{Path: kept.kind, Args: []string{configuration, "--sentinel"}}.Start(t, port)
	requireServes(t, fmt.Sprintf("valkey://127.0.0.1:%d?master_name=sessions", port))
}

// startCluster starts three that share the slots; each goes on alone where another is gone.
func startCluster(t *testing.T) ([]*keeper, string) {
	t.Helper()
	ctx := context.Background()
	var nodes []*keeper
	var more []string
	for i := range 3 {
		bus := harness.FreePort(t)
		node := startKeeper(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus),
			"--cluster-require-full-coverage", "no", "--cluster-node-timeout", "2000")
		first, last := i*16384/3, (i+1)*16384/3-1
		require.NoError(t, node.client.ClusterAddSlotsRange(ctx, first, last).Err())
		if i > 0 {
			meet := redis.NewStatusCmd(ctx, "cluster", "meet", "127.0.0.1", nodes[0].port, nodes[0].options[3])
			require.NoError(t, node.client.Process(ctx, meet))
			more = append(more, "&addr="+node.host())
		}
		nodes = append(nodes, node)
	}
	for _, node := range nodes {
		require.Eventually(t, func() bool {
			info := node.client.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384")
		}, patience, 5*time.Millisecond)
	}
	return nodes, nodes[0].address() + "?cluster=true" + strings.Join(more, "")
}

func TestClusterOfThreeOneIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	nodes, address := startCluster(t)
	requireServes(t, address)
	shared, server, everybody := loadedSite(t, address)
	for _, node := range nodes {
		require.NotEmpty(t, node.records(), "each has its share")
	}
	nodes[2].process.Stop(syscall.SIGKILL)
	everybody.waitForRounds(t, 5)
	resumed, rounds := everybody.resumed.Load(), everybody.rounds.Load()
	everybody.waitForRounds(t, 10)
	resumed, rounds = everybody.resumed.Load()-resumed, everybody.rounds.Load()-rounds
	everybody.end()
	server.Stop(syscall.SIGQUIT)
	t.Logf("with two of three nodes %d of %d resumed; %+v", resumed, rounds*someClients, shared.counters())
	require.Greater(t, resumed, int64(0))
}

// TestPasswordInAFile: with letters that an address can't have, and in no environment.
func TestPasswordInAFile(t *testing.T) {
	t.Parallel()
	const password = "a/b?c#d@e:f %20 g"
	kept := startKeeper(t)
	ctx := context.Background()
	require.NoError(t, kept.client.Do(ctx, "CONFIG", "SET", "requirepass", password).Err())
	require.NoError(t, kept.client.Do(ctx, "AUTH", password).Err())
	for _, end := range []string{"", "\n", "\r\n"} {
		shared := share(t, kept.address())
		file := filepath.Join(t.TempDir(), "password")
		require.NoError(t, os.WriteFile(file, []byte(password+end), 0o600))
		shared.more = []string{"SSLCACHE_STORE_PASSWORD_FILE=" + file}
		p := startPair(t, shared, shared)
		everybody := newClients(t, "1.2", someClients)
		everybody.visit(p.port)
		time.Sleep(time.Second) // for the writes
		everybody.requireNearlyAll(everybody.visit(p.otherPort), "at the other one")
		p.requireSilence()
	}
}

func TestStoreStaysOffAndSaysWhy(t *testing.T) {
	t.Parallel()
	certificate, key := harness.Certificate(t)
	sound := share(t, "valkey://127.0.0.1:1")
	folder := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	withPassword := func(host, file string) []string {
		return []string{"SSLCACHE_STORE=valkey://" + host, "SSLCACHE_STORE_KEY=" + sound.keys, "SSLCACHE_STORE_PASSWORD_FILE=" + file}
	}
	for name, want := range map[string]struct {
		environment []string
		complaint   string
	}{
		"no key":        {[]string{"SSLCACHE_STORE=valkey://localhost"}, "the store stays off: SSLCACHE_STORE needs a key, and SSLCACHE_STORE_KEY names no file of one"},
		"no file":       {[]string{"SSLCACHE_STORE=valkey://localhost", "SSLCACHE_STORE_KEY=/no/such"}, "the store stays off: the keys in /no/such can't be used: ENOENT"},
		"a folder":      {[]string{"SSLCACHE_STORE=valkey://localhost", "SSLCACHE_STORE_KEY=" + folder}, "can't be used: it is not a regular file"},
		"open to all":   {[]string{"SSLCACHE_STORE=valkey://localhost", "SSLCACHE_STORE_KEY=" + write("open", keyfile.Generate(), 0o644)}, "can't be used: others than its owner may use it (chmod 600)"},
		"no key in it":  {[]string{"SSLCACHE_STORE=valkey://localhost", "SSLCACHE_STORE_KEY=" + write("none", "# none\n", 0o400)}, "can't be used: no key in it; the store stays off"},
		"a bad address": {[]string{"SSLCACHE_STORE=http://:hunter2@localhost", "SSLCACHE_STORE_KEY=" + sound.keys}, "the store stays off: its address must begin with valkey://"},
		"two passwords": {
			withPassword(":hunter2@localhost", write("two", "hunter2\n", 0o600)),
			"the store stays off: its address has a password, and SSLCACHE_STORE_PASSWORD_FILE has another",
		},
		"no password file":   {withPassword("localhost", "/no/such"), "the store stays off: the password in /no/such can't be used: ENOENT"},
		"a password for all": {withPassword("localhost", write("password-for-all", "hunter2\n", 0o644)), "can't be used: others than its owner may use it (chmod 600)"},
		"an empty password":  {withPassword("localhost", write("empty", "\n", 0o600)), "can't be used: it is empty"},
		"two lines":          {withPassword("localhost", write("lines", "hunter2\nhunter2\n", 0o600)), "can't be used: it has more than one line"},
		"a password that ends early": {
			[]string{"SSLCACHE_STORE=valkey://app:/hunter2@localhost", "SSLCACHE_STORE_KEY=" + sound.keys},
			"the store stays off: the database in its address is not a number; a / ? # or @ in its password is written %2F %3F %23 or %40",
		},
		"clear in spite of a ca": {
			[]string{"SSLCACHE_STORE=valkey://localhost?ca=" + certificate, "SSLCACHE_STORE_KEY=" + sound.keys},
			"the store stays off: ca in its address needs valkeys:// or rediss://: the connection would be in the clear",
		},
		"a bad timeout": {[]string{"SSLCACHE_STORE=valkey://localhost", "SSLCACHE_STORE_TIMEOUT=soon"}, "SSLCACHE_STORE_TIMEOUT is a time up to 10s, such as 20ms, not 'soon'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := harness.FreePort(t)
			server := harness.Command{
				Path: "/usr/bin/openssl",
				Args: []string{
					"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", certificate, "-key", key,
					"-no_ticket", "-www", "-quiet",
				},
				Env: want.environment, Preload: []string{harness.OurLibrary(t)},
			}.Start(t, port)
			everybody := newClients(t, "1.3", 2)
			everybody.visit(port)
			require.Equal(t, 2, everybody.visit(port).resumed, "the process's own cache serves as ever")
			complaints := server.Stop(syscall.SIGTERM).Stderr
			require.Contains(t, complaints, want.complaint)
			require.NotContains(t, complaints, "hunter2")
			require.Equal(t, 1, strings.Count(complaints, "sslcache:"), "one line: %s", complaints)
		})
	}
}

// statsOf shows the counters as they are when they are shown.
type statsOf struct{ *store.Store }

func (s statsOf) Format(to fmt.State, _ rune) { fmt.Fprintf(to, "%+v", s.Stats()) }
