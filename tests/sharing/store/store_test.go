// Package store asks whether sessions outlive their process with a real server as the store: behind real
// TLS servers, and with everything going wrong that can.
//
// Every server runs on 127.0.0.1 or a Unix socket, in a folder of its own, and is ended by its process id.
package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

const patience = 30 * time.Second // for each thing that is waited for

// kinds are the servers of this suite: Valkey is not in every one.
func kinds(t *testing.T) []string {
	t.Helper()
	found := []string{"redis-server"}
	_, err := exec.LookPath(found[0])
	require.NoError(t, err, "run make packages")
	if _, err := exec.LookPath("valkey-server"); err == nil {
		found = append(found, "valkey-server")
	}
	return found
}

// keeper is a server that keeps sessions.
type keeper struct {
	t       *testing.T
	kind    string
	folder  string
	port    int
	options []string
	process *harness.Server
	client  *redis.Client
}

// startKeeper starts a Redis on a free port and on a Unix socket, which keeps nothing on disk.
func startKeeper(t *testing.T, options ...string) *keeper {
	t.Helper()
	return startKind(t, kinds(t)[0], options...)
}

func startKind(t *testing.T, kind string, options ...string) *keeper {
	t.Helper()
	k := &keeper{t: t, kind: kind, folder: harness.OpenFolder(t), port: harness.FreePort(t), options: options}
	k.start()
	k.client = redis.NewClient(&redis.Options{Addr: k.host(), MaxRetries: 3})
	t.Cleanup(func() { k.client.Close() })
	return k
}

func (k *keeper) start() {
	k.t.Helper()
	arguments := append([]string{
		"--bind", "127.0.0.1", "--port", fmt.Sprint(k.port), "--unixsocket", k.socket(), "--unixsocketperm", "777",
		"--dir", k.folder, "--save", "", "--appendonly", "no",
	}, k.options...)
	k.process = harness.Command{Path: k.kind, Args: arguments}.Start(k.t, k.port)
}

func (k *keeper) host() string   { return fmt.Sprintf("127.0.0.1:%d", k.port) }
func (k *keeper) socket() string { return filepath.Join(k.folder, "socket") }
func (k *keeper) address() string {
	return "valkey://" + k.host()
}

func (k *keeper) signal(signal syscall.Signal) {
	k.t.Helper()
	require.NoError(k.t, syscall.Kill(k.process.Pid, signal))
}

// records are all that the server has, sealed, by name.
func (k *keeper) records() map[string]string {
	k.t.Helper()
	ctx := context.Background()
	names, err := k.client.Keys(ctx, "*").Result()
	require.NoError(k.t, err)
	records := map[string]string{}
	for _, name := range names {
		records[name], err = k.client.Get(ctx, name).Result()
		require.NoError(k.t, err)
	}
	return records
}

func (k *keeper) set(name, record string) {
	k.t.Helper()
	require.NoError(k.t, k.client.Set(context.Background(), name, record, time.Hour).Err())
}

// waitForRecords waits until the server has so many: writes are asynchronous.
func (k *keeper) waitForRecords(number int) {
	k.t.Helper()
	require.Eventually(k.t, func() bool {
		size, err := k.client.DBSize(context.Background()).Result()
		return err == nil && size >= int64(number)
	}, patience, 2*time.Millisecond, "%d records", number)
}

// sharing is what the processes of a test share: a store, keys, and a report.
type sharing struct {
	t       *testing.T
	address string
	keys    string
	report  string
	more    []string

	sanitized bool // our library is the one under AddressSanitizer and UBSan
}

func share(t *testing.T, address string) *sharing {
	t.Helper()
	folder := harness.OpenFolder(t)
	s := &sharing{t: t, address: address, keys: filepath.Join(folder, "keys"), report: filepath.Join(folder, "report")}
	s.writeKeys(keyfile.Generate())
	require.NoError(t, os.WriteFile(s.report, nil, 0o600))
	require.NoError(t, os.Chmod(s.report, 0o666))
	return s
}

func (s *sharing) writeKeys(lines ...string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.keys, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// environment asks for the store; without one, libssl is alone.
func (s *sharing) environment() []string {
	if s == nil {
		return nil
	}
	environment := append([]string{
		"SSLCACHE_STORE=" + s.address, "SSLCACHE_STORE_KEY=" + s.keys, "SSLCACHE_REPORT=" + s.report,
		// The machine may be busy: what is asked here is not how fast it is.
		"SSLCACHE_STORE_TIMEOUT=500ms",
	}, s.more...)
	if s.sanitized {
		environment = append(environment, harness.SanitizerOptions...)
		environment = append(environment, "ASAN_OPTIONS=detect_leaks=0") // a server of others may leak
	}
	return environment
}

func (s *sharing) preload() []string {
	if s == nil {
		return nil
	}
	if s.sanitized {
		return []string{harness.SanitizerRuntime(s.t, "asan"), harness.OurSanitizedLibrary(s.t)}
	}
	return []string{harness.OurLibrary(s.t)}
}

// counters are those of all processes that have ended, of one store.
type counters struct {
	Written, Deleted, Found, Missed, Refused, Failed, Skipped, Dropped, Openings, Emptied, Evicted, Gone int
	TimedOut                                                                                             int `json:"timed_out"`
	Slowest                                                                                              float64
	Failure, Breaker                                                                                     string
	Processes                                                                                            int
}

func (s *sharing) counters() counters {
	s.t.Helper()
	content, err := os.ReadFile(s.report)
	require.NoError(s.t, err)
	var sum counters
	for line := range strings.Lines(string(content)) {
		var one struct{ Store counters }
		require.NoError(s.t, json.Unmarshal([]byte(line), &one), line)
		sum.Written += one.Store.Written
		sum.Deleted += one.Store.Deleted
		sum.Found += one.Store.Found
		sum.Missed += one.Store.Missed
		sum.Refused += one.Store.Refused
		sum.Failed += one.Store.Failed
		sum.Skipped += one.Store.Skipped
		sum.Dropped += one.Store.Dropped
		sum.Openings += one.Store.Openings
		sum.Emptied += one.Store.Emptied
		sum.Evicted += one.Store.Evicted
		sum.Gone += one.Store.Gone
		sum.TimedOut += one.Store.TimedOut
		sum.Slowest = max(sum.Slowest, one.Store.Slowest)
		sum.Processes++
		if one.Store.Failure != "" {
			sum.Failure = one.Store.Failure
		}
	}
	return sum
}

// clients are many, with a session each.
type clients struct {
	t       *testing.T
	program string
	version string
	number  int
	folder  string
}

func newClients(t *testing.T, version string, number int) *clients {
	t.Helper()
	program := harness.Program{Source: filepath.Join("programs", "clients.c")}
	return &clients{t: t, program: program.Compile(t, harness.Libssl), version: version, number: number, folder: t.TempDir()}
}

// visits is how the connections of all clients went.
type visits struct{ fresh, resumed, refused, failed, workers int }

func (c *clients) visit(port int) visits {
	c.t.Helper()
	result := harness.Command{
		Path: c.program, Timeout: 4 * patience,
		Args: []string{fmt.Sprint(port), c.version, fmt.Sprint(c.number), c.folder},
	}.Run(c.t)
	var v visits
	_, err := fmt.Sscan(result.Stdout, &v.fresh, &v.resumed, &v.refused, &v.failed, &v.workers)
	require.NoErrorf(c.t, err, "%s%s", result.Stdout, result.Stderr)
	require.Zerof(c.t, v.failed, "handshakes that failed: %s", result.Stderr)
	require.Equal(c.t, c.number, v.fresh+v.resumed+v.refused)
	return v
}

// requireNearlyAll: at least 99 of 100 resumed.
func (c *clients) requireNearlyAll(v visits, when string) {
	c.t.Helper()
	require.GreaterOrEqualf(c.t, v.resumed*100, c.number*99, "%s: %+v", when, v)
}

// requireNone: every session was refused, and a full handshake made in its place.
func (c *clients) requireNone(v visits, when string) {
	c.t.Helper()
	require.Equalf(c.t, c.number, v.refused, "%s: %+v", when, v)
}

// sServer starts an openssl s_server that resumes by session id and by stateful ticket.
func sServer(t *testing.T, s *sharing, certificate, key string, arguments ...string) (*harness.Server, int) {
	t.Helper()
	port := harness.FreePort(t)
	return harness.Command{
		Path: "/usr/bin/openssl",
		Args: append([]string{
			"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", certificate, "-key", key,
			"-no_ticket", "-www", "-quiet",
		}, arguments...),
		Env: s.environment(), Preload: s.preload(),
	}.Start(t, port), port
}
