package store

import (
	"bytes"
	"context"
	"maps"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store"
	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

const someClients = 20

// two servers that share: what one stores the other finds, if all is well.
type pair struct {
	t                *testing.T
	shared           *sharing
	certificate, key string
	one, other       *harness.Server
	port, otherPort  int
}

// startPair: the other one may be told another thing than the first.
func startPair(t *testing.T, shared, others *sharing) *pair {
	t.Helper()
	p := &pair{t: t, shared: shared}
	p.certificate, p.key = harness.Certificate(t)
	p.one, p.port = sServer(t, shared, p.certificate, p.key)
	p.other, p.otherPort = sServer(t, others, p.certificate, p.key)
	return p
}

func (p *pair) requireSilence() {
	p.t.Helper()
	require.NotContains(p.t, p.one.Stderr()+p.other.Stderr(), "sslcache")
}

func TestStoreThatIsNotThere(t *testing.T) {
	t.Parallel()
	requireNothingShared(t, "valkey://127.0.0.1:1")
}

func TestStoreThatTalksNonsense(t *testing.T) {
	t.Parallel()
	listener := harness.Serve(t, "tcp", "127.0.0.1:0", func(connection net.Conn) {
		_, _ = connection.Write([]byte("$99999999999\r\n*3\r\nHTTP/1.1 400 Bad Request\r\n"))
		connection.Close()
	})
	requireNothingShared(t, "valkey://"+listener.Addr().String())
}

// requireNothingShared requires that each server resumes what is its own, and nothing else.
func requireNothingShared(t *testing.T, address string) {
	t.Helper()
	shared := share(t, address)
	p := startPair(t, shared, shared)
	everybody := newClients(t, "1.3", someClients)
	everybody.visit(p.port)
	everybody.requireNearlyAll(everybody.visit(p.port), "at the server that has the session itself")
	everybody.requireNone(everybody.visit(p.otherPort), "at the other one")
	p.requireSilence()
}

func TestAnotherKeyAndAnotherApplication(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared, stranger := share(t, kept.address()), share(t, kept.address())
	tenant := *shared
	tenant.more = []string{"SSLCACHE_APP=another"}
	for _, others := range []*sharing{stranger, &tenant} {
		p := startPair(t, shared, others)
		everybody := newClients(t, "1.3", someClients)
		everybody.visit(p.port)
		kept.waitForRecords(someClients)
		everybody.requireNone(everybody.visit(p.otherPort), "at the other one")
		everybody.requireNearlyAll(everybody.visit(p.otherPort), "which has its own now")
		p.requireSilence()
	}
}

func TestKeysRotateUnderRunningServers(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	before, after := keyfile.Generate(), keyfile.Generate()
	shared.writeKeys(before)
	p := startPair(t, shared, shared)
	everybody := newClients(t, "1.2", someClients)
	everybody.visit(p.port)
	kept.waitForRecords(someClients)

	shared.writeKeys(after, before)
	time.Sleep(1500 * time.Millisecond) // a server looks at the file once a second
	everybody.requireNearlyAll(everybody.visit(p.otherPort), "sealed with the old key")
	newcomers := newClients(t, "1.2", someClients)
	newcomers.visit(p.port)
	kept.waitForRecords(2 * someClients)

	shared.writeKeys(after)
	time.Sleep(1500 * time.Millisecond)
	newcomers.requireNearlyAll(newcomers.visit(p.otherPort), "sealed with the new key")

	shared.writeKeys("nonsense")
	time.Sleep(1500 * time.Millisecond)
	latecomers := newClients(t, "1.2", someClients)
	latecomers.visit(p.port)
	kept.waitForRecords(3 * someClients)
	latecomers.requireNearlyAll(latecomers.visit(p.otherPort), "the keys from before stay")
	require.Contains(t, p.one.Stderr(), "can't be used: line 1: not a key, which is 32 bytes in base64 or hexadecimal; those from before stay\n")
}

func TestRecordsThatWereTamperedWith(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	p := startPair(t, shared, shared)
	everybody := newClients(t, "1.2", 8)
	everybody.visit(p.port)
	kept.waitForRecords(8)

	records := kept.records()
	names := slices.Sorted(maps.Keys(records))
	for i, name := range names {
		kept.set(name, records[names[(i+1)%len(names)]])
	}
	everybody.requireNone(everybody.visit(p.otherPort), "records under another's name")

	// Whoever was refused has a session of the other server now.
	kept.waitForRecords(2 * len(names))
	records = kept.records()
	for i, name := range slices.Sorted(maps.Keys(records)) {
		changed := []byte(records[name])
		changed[i*len(changed)/len(records)] ^= 1
		kept.set(name, string(changed))
	}
	everybody.requireNone(everybody.visit(p.port), "one bit changed, at another place in each")
	p.requireSilence()
}

// TestEachBitOfARecord: with the store alone, through a real server.
func TestEachBitOfARecord(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	s := openStore(t, kept.address())
	identity := store.Identity{Context: []byte("site"), Version: 0x304, ID: []byte("id")}
	session := []byte("a session with its master secret")
	s.Put(identity, session, time.Hour, false)
	kept.waitForRecords(1)
	for name, record := range kept.records() {
		require.NotContains(t, name+record, "secret")
		for i := range len(record) {
			flipped := []byte(record)
			flipped[i] ^= 1 << (i % 8)
			kept.set(name, string(flipped))
			require.Zerof(t, s.Get(identity, false, make([]byte, 256)), "byte %d", i)
		}
		require.Equalf(t, uint64(len(record)), s.Stats().Missed, "%+v", s.Stats())
		kept.set(name, record)
	}
	room := make([]byte, 256)
	require.True(t, bytes.Equal(session, room[:s.Get(identity, false, room)]))
}

func openStore(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(store.Settings{Address: address, Application: "test", Timeout: 2 * time.Second})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.SetKeys([]byte(keyfile.Generate())))
	return s
}

func TestTimeToLiveRunsOut(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	shared.more = []string{"SSLCACHE_TIMEOUT=100s"}
	p := startPair(t, shared, shared)
	everybody := newClients(t, "1.2", someClients)
	everybody.visit(p.port)
	kept.waitForRecords(someClients)
	ctx := context.Background()
	for name := range kept.records() {
		life, err := kept.client.PTTL(ctx, name).Result()
		require.NoError(t, err)
		require.Greater(t, life, time.Duration(0))
		require.LessOrEqual(t, life, 100*time.Second)
		require.NoError(t, kept.client.PExpire(ctx, name, time.Millisecond).Err())
	}
	require.Eventually(t, func() bool { return kept.client.DBSize(ctx).Val() == 0 }, patience, time.Millisecond)
	everybody.requireNone(everybody.visit(p.otherPort), "when the store has let them go")
	p.requireSilence()
}

func number(i int) store.Identity {
	return store.Identity{Context: []byte("site"), Version: 0x304, ID: []byte{byte(i), byte(i >> 8), byte(i >> 16)}}
}

// putMany puts so many sessions, no faster than they are taken.
func putMany(t *testing.T, s *store.Store, many int) {
	t.Helper()
	session := make([]byte, 1000)
	for i := range many {
		s.Put(number(i), session, time.Hour, false)
		if i%1000 == 999 {
			waitUntilWritten(t, s)
		}
	}
	waitUntilWritten(t, s)
}

func waitUntilWritten(t *testing.T, s *store.Store) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Stats().Queued == 0 }, patience, time.Millisecond)
}

func TestMemoryLimitWithEviction(t *testing.T) {
	t.Parallel()
	const many = 10_000
	kept := startKeeper(t, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru")
	s := openStore(t, kept.address())
	putMany(t, s, many)
	found := 0
	for i := range many {
		if s.Get(number(i), false, make([]byte, 2000)) > 0 {
			found++
		}
	}
	stats := s.Stats()
	require.Equal(t, uint64(found), stats.Found)
	require.Equal(t, uint64(many-found), stats.Missed, "what was evicted is a miss and no more")
	require.Greater(t, found, 0)
	require.Less(t, found, many, "the limit was reached")
	require.Zero(t, stats.Failed+stats.TimedOut+stats.Openings)
}

func TestMemoryLimitWithoutEviction(t *testing.T) {
	t.Parallel()
	const many = 10_000
	kept := startKeeper(t, "--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
	s := openStore(t, kept.address())
	putMany(t, s, many)
	require.Eventually(t, func() bool { return s.Stats().Written+s.Stats().Dropped == many }, patience, time.Millisecond)
	stats := s.Stats()
	require.Greater(t, stats.Dropped, uint64(0), "the server refuses")
	require.Contains(t, stats.Failure, "OOM")
	require.NotZero(t, s.Get(number(0), false, make([]byte, 2000)), "what it has it gives")
	require.Zero(t, s.Stats().Openings, "a full server is none that is down")
}

func TestHundredThousandWritesWhileTheStoreIsStopped(t *testing.T) {
	t.Parallel()
	const many = 100_000
	kept := startKeeper(t)
	s := openStore(t, kept.address())
	putMany(t, s, 1000)
	kept.signal(syscall.SIGSTOP)
	session := make([]byte, 1000)
	for i := range many {
		s.Put(number(i), session, time.Hour, false)
	}
	queued := s.Stats().Queued
	kept.signal(syscall.SIGCONT)
	require.Less(t, queued, uint64(many/2), "the queue is bounded")
	require.Eventually(t, func() bool {
		stats := s.Stats()
		return stats.Queued == 0 && stats.Written+stats.Dropped == many+1000
	}, patience, time.Millisecond, "each write is counted")
	require.Greater(t, s.Stats().Written, uint64(1000))
	require.Greater(t, s.Stats().Dropped, uint64(0))
}

// load is clients that never stop, until they are told to.
type load struct {
	ended   chan struct{}
	stop    atomic.Bool
	rounds  atomic.Int64
	resumed atomic.Int64
}

func startLoad(t *testing.T, version string, port int) *load {
	t.Helper()
	l := &load{ended: make(chan struct{})}
	everybody := newClients(t, version, someClients)
	go func() {
		defer close(l.ended)
		for !l.stop.Load() {
			seen := everybody.visit(port)
			l.resumed.Add(int64(seen.resumed))
			l.rounds.Add(1)
		}
	}()
	return l
}

// waitForRounds: everybody comes so many times more.
func (l *load) waitForRounds(t *testing.T, more int64) {
	t.Helper()
	wanted := l.rounds.Load() + more
	require.Eventually(t, func() bool { return l.rounds.Load() >= wanted }, 3*patience, 5*time.Millisecond)
}

func (l *load) end() {
	l.stop.Store(true)
	<-l.ended
}

// loadedSite is an nginx of four workers under load, whose timeout is the default.
func loadedSite(t *testing.T, address string) (*sharing, *harness.Server, *load) {
	t.Helper()
	harness.RequireRoot(t)
	shared := share(t, address)
	shared.more = []string{"SSLCACHE_STORE_TIMEOUT=20ms"}
	certificate, key := harness.Certificate(t)
	server, port := sites[0].start(t, shared, certificate, key)
	everybody := startLoad(t, "1.3", port)
	everybody.waitForRounds(t, 3)
	return shared, server, everybody
}

// TestStoreThatStopsMidLoad: the clients of a load fail the test if one handshake fails.
func TestStoreThatStopsMidLoad(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared, server, everybody := loadedSite(t, kept.address())
	kept.signal(syscall.SIGSTOP)
	everybody.waitForRounds(t, 5)
	kept.signal(syscall.SIGCONT)
	everybody.waitForRounds(t, 3)
	everybody.end()
	server.Stop(syscall.SIGQUIT)
	seen := shared.counters()
	t.Logf("stopped and on again: %+v", seen)
	require.NotZero(t, seen.Openings, "the breaker opened")
	require.NotZero(t, seen.Skipped, "and nobody waited")
	require.NotZero(t, seen.Dropped)
}

func TestStoreThatIsKilledAndComesBack(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared, server, everybody := loadedSite(t, kept.address())
	kept.process.Stop(syscall.SIGKILL)
	require.NoError(t, os.RemoveAll(kept.socket()))
	everybody.waitForRounds(t, 5)
	kept.start()
	kept.waitForRecords(1)
	resumed := everybody.resumed.Load()
	everybody.waitForRounds(t, 5)
	require.Greater(t, everybody.resumed.Load(), resumed)
	everybody.end()
	server.Stop(syscall.SIGQUIT)
	seen := shared.counters()
	t.Logf("killed and back: %+v", seen)
	require.NotZero(t, seen.Openings)
	require.NotZero(t, seen.Found)
}
