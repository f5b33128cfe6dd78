package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

// fake is a server in memory, of one node or several, that can be made to fail, to hang, to be slow and to panic.
type fake struct {
	nodeOf  func(name string) string // nil: there is one
	mutex   sync.Mutex
	records map[string][]byte
	written []operation // in the order in which they came
	batches int
	failure error            // of what is asked of all nodes
	refuses map[string]error // of one
	hangs   bool
	slow    time.Duration
	panics  bool
	pings   int
	resets  atomic.Int64
}

func newFake() *fake { return &fake{records: map[string][]byte{}, refuses: map[string]error{}} }

func (f *fake) node(name string) string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.nodeLocked(name)
}

// nodeLocked is node where the mutex is held.
func (f *fake) nodeLocked(name string) string {
	if f.nodeOf == nil || name == "" {
		return ""
	}
	return f.nodeOf(name)
}

func (f *fake) enter(ctx context.Context) error {
	f.mutex.Lock()
	hangs, panics, failure, slow := f.hangs, f.panics, f.failure, f.slow
	f.mutex.Unlock()
	if panics {
		panic("the library did")
	}
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(slow)
	return failure
}

func (f *fake) refusal(name string) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.refuses[f.nodeLocked(name)]
}

func (f *fake) connect(ctx context.Context) error { return f.enter(ctx) }
func (f *fake) isConnecting() bool                { return false }

func (f *fake) get(ctx context.Context, names []string, take bool) ([][]byte, []error) {
	records, errs := make([][]byte, len(names)), make([]error, len(names))
	err := f.enter(ctx)
	for i, name := range names {
		if errs[i] = err; err == nil {
			errs[i] = f.refusal(name)
		}
		if errs[i] != nil {
			continue
		}
		f.mutex.Lock()
		records[i] = f.records[name]
		if take {
			delete(f.records, name)
		}
		f.mutex.Unlock()
	}
	return records, errs
}

func (f *fake) write(ctx context.Context, operations []operation) []error {
	results := make([]error, len(operations))
	err := f.enter(ctx)
	for i, o := range operations {
		if results[i] = err; err == nil {
			results[i] = f.refusal(o.name)
		}
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.batches++
	for i, o := range operations {
		if results[i] != nil {
			continue
		}
		f.written = append(f.written, o)
		f.records[o.name] = o.record
		if o.isDeletion() {
			delete(f.records, o.name)
		}
	}
	return results
}

func (f *fake) ping(ctx context.Context, name string) error {
	f.set(func(f *fake) { f.pings++ })
	if err := f.enter(ctx); err != nil {
		return err
	}
	return f.refusal(name)
}

func (f *fake) reset() { f.resets.Add(1) }
func (f *fake) close() {}

func (f *fake) set(change func(*fake)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	change(f)
}

const lookupTimeout = 20 * time.Millisecond

func (f *fake) stored() map[string][]byte {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return maps.Clone(f.records)
}

func (f *fake) writes() []operation {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.written)
}

func (f *fake) count(of *int) int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return *of
}

// inBubble runs a test on a clock that stands still unless all wait.
func inBubble(t *testing.T, test func(t *testing.T, s *Store, f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := open(Settings{Application: "test", Timeout: lookupTimeout}, f)
		defer s.Close()
		require.NoError(t, s.SetKeys([]byte(keyfile.Generate())))
		synctest.Wait()
		test(t, s, f)
	})
}

// wait lets d pass, and what begins or ends at the very end of it end too.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func named(id string) Identity {
	return Identity{Context: []byte("site"), Version: 0x304, ID: []byte(id)}
}

func put(s *Store, id string) { s.Put(named(id), []byte("session "+id), time.Hour, false) }

func get(s *Store, id string, take bool) string {
	room := make([]byte, 256)
	return string(room[:s.Get(named(id), take, room)])
}

func TestSessionIsFoundAndDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		synctest.Wait()
		require.Equal(t, "session a", get(s, "a", false))
		require.Equal(t, "session a", get(s, "a", false), "it stays")
		require.Empty(t, get(s, "b", false))
		require.Equal(t, time.Hour, f.writes()[0].life)

		s.Delete(named("a"))
		synctest.Wait()
		require.Empty(t, get(s, "a", false))
		stats := s.Stats()
		require.Equal(t, []uint64{1, 1, 2, 2}, []uint64{stats.Written, stats.Deleted, stats.Found, stats.Missed})
		require.Empty(t, stats.Failure)
	})
}

func TestSingleUseSessionIsTakenWhateverIsAsked(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		for i, take := range []bool{true, false} {
			id := fmt.Sprint(i)
			s.Put(named(id), []byte("early data"), time.Hour, true)
			synctest.Wait()
			require.Equal(t, "early data", get(s, id, take))
			require.Empty(t, get(s, id, take), "once")
			require.Empty(t, f.stored())
		}
		put(s, "a")
		synctest.Wait()
		require.Equal(t, "session a", get(s, "a", true), "so is any that the caller takes")
		require.Empty(t, get(s, "a", true))
	})
}

func TestOneOfManyTakesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, _ *fake) {
		s.Put(named("a"), []byte("early data"), time.Hour, true)
		synctest.Wait()
		var takers sync.WaitGroup
		won := make([]bool, 16)
		for i := range won {
			takers.Go(func() { won[i] = get(s, "a", i%2 == 0) != "" })
		}
		takers.Wait()
		require.Len(t, slices.DeleteFunc(won, func(isWinner bool) bool { return !isWinner }), 1)
	})
}

func TestNothingHappensWithoutAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := open(Settings{Application: "test", Timeout: lookupTimeout}, f)
		defer s.Close()
		put(s, "a")
		s.Delete(named("a"))
		require.Empty(t, get(s, "a", false))
		require.Error(t, s.SetKeys([]byte("no key")))
		put(s, "a")
		synctest.Wait()
		require.Empty(t, f.writes())
		require.Equal(t, Stats{}, s.Stats())
	})
}

func TestKeysRotate(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		before, after := keyfile.Generate(), keyfile.Generate()
		require.NoError(t, s.SetKeys([]byte(before)))
		put(s, "a")
		synctest.Wait()
		require.NoError(t, s.SetKeys([]byte(after+"\n"+before)))
		put(s, "b")
		synctest.Wait()
		require.Equal(t, "session a", get(s, "a", false), "the old key opens")
		require.Equal(t, "session b", get(s, "b", false), "the first one seals")
		s.Delete(named("a"))
		synctest.Wait()
		require.Len(t, f.stored(), 1, "a removal knows the names of all keys")

		put(s, "c")
		synctest.Wait()
		require.Error(t, s.SetKeys([]byte("nonsense")))
		require.Equal(t, "session c", get(s, "c", false), "a file that is none changes nothing")
		require.NoError(t, s.SetKeys([]byte(before)))
		require.Empty(t, get(s, "c", false), "a key that is gone opens nothing")
		require.Equal(t, uint64(1), s.Stats().Missed)
	})
}

func TestTamperedRecordIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		put(s, "b")
		synctest.Wait()
		a, b := s.ring.Load().first().name(s.place(named("a"))), s.ring.Load().first().name(s.place(named("b")))
		f.set(func(f *fake) { f.records[a], f.records[b] = f.records[b], f.records[a] })
		require.Empty(t, get(s, "a", false), "a record under another's name")
		f.set(func(f *fake) { f.records[a] = []byte{} })
		require.Empty(t, get(s, "a", false))
		stats := s.Stats()
		require.Equal(t, []uint64{2, 2, 0}, []uint64{stats.Refused, stats.Missed, stats.Found})
	})
}

func TestSlowServerOpensTheBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		synctest.Wait()
		f.set(func(f *fake) { f.hangs = true })
		start := time.Now()
		for range failuresToOpen {
			require.Empty(t, get(s, "a", false))
		}
		require.Equal(t, failuresToOpen*lookupTimeout, time.Since(start), "each waits for the timeout and no longer")

		start = time.Now()
		for range 1000 {
			require.Empty(t, get(s, "a", false))
		}
		put(s, "b")
		require.Zero(t, time.Since(start), "then nobody waits")
		stats := s.Stats()
		require.True(t, stats.Open)
		require.Equal(t, []uint64{failuresToOpen, 1000, 1, 1},
			[]uint64{stats.TimedOut, stats.Skipped, stats.Openings, stats.Dropped})
		require.Equal(t, lookupTimeout, stats.Slowest)
		require.Equal(t, "no answer of the server within 20ms (SSLCACHE_STORE_TIMEOUT)", stats.Failure)

		wait(10 * time.Second)
		require.True(t, s.Stats().Open, "as long as the probes fail")
		f.set(func(f *fake) { f.hangs = false })
		wait(connectTimeout + 2*probeInterval)
		require.False(t, s.Stats().Open)
		require.Equal(t, "session a", get(s, "a", false))
	})
}

func TestFailuresInARowOpenTheBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		synctest.Wait()
		for range 3 * failuresToOpen {
			f.set(func(f *fake) { f.failure = errors.New("refused") })
			require.Empty(t, get(s, "a", false))
			f.set(func(f *fake) { f.failure = nil })
			require.Equal(t, "session a", get(s, "a", false))
		}
		stats := s.Stats()
		require.False(t, stats.Open, "a success in between starts anew")
		require.Equal(t, uint64(3*failuresToOpen), stats.Failed)
	})
}

func TestPanicOfTheLibraryStaysInside(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.panics = true })
		require.Empty(t, get(s, "a", false))
		require.True(t, s.Stats().Open, "at once")
		require.Equal(t, int64(1), f.resets.Load())
		wait(3 * probeInterval)
		f.set(func(f *fake) { f.panics = false })
		wait(3 * probeInterval)
		put(s, "a")
		synctest.Wait()
		require.Equal(t, "session a", get(s, "a", false))
		f.set(func(f *fake) { f.panics = true })
		for range failuresToOpen {
			put(s, "a")
			synctest.Wait()
		}
		require.True(t, s.Stats().Open, "writes that panic count too")
	})
}

// A removal must not be overtaken by an older write: the last word on a name is what the server has.
func TestRemovalIsNotOvertaken(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		s.Delete(named("a"))
		put(s, "b")
		s.Delete(named("b"))
		put(s, "b")
		synctest.Wait()
		require.Empty(t, get(s, "a", false))
		require.Equal(t, "session b", get(s, "b", false))
	})
}

func TestRemovalSurvivesAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		synctest.Wait()
		f.set(func(f *fake) { f.failure = errors.New("refused") })
		s.Delete(named("a"))
		wait(failuresToOpen * retryRemovals)
		require.True(t, s.Stats().Open, "it is tried until the breaker opens")
		require.Len(t, f.stored(), 1)
		f.set(func(f *fake) { f.failure = nil })
		wait(2*probeInterval + retryRemovals)
		require.Empty(t, f.stored())
		require.Equal(t, uint64(1), s.Stats().Deleted)
	})
}

func TestHundredThousandWritesToAServerThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.hangs = true })
		start := time.Now()
		for i := range 100_000 {
			put(s, fmt.Sprint(i))
		}
		require.Zero(t, time.Since(start), "no write waits")
		stats := s.Stats()
		require.LessOrEqual(t, stats.Queued, uint64(queueRoom))
		require.GreaterOrEqual(t, stats.Dropped+stats.Queued, uint64(100_000-batchMax))

		f.set(func(f *fake) { f.hangs = false })
		wait(time.Minute)
		stats = s.Stats()
		require.Zero(t, stats.Queued)
		require.Equal(t, uint64(100_000), stats.Written+stats.Dropped, "each is counted")
		require.GreaterOrEqual(t, stats.Written, uint64(queueRoom-batchMax))
	})
}

func TestWritesGoInBatches(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.hangs = true })
		put(s, "first")
		synctest.Wait()
		for i := range 1000 {
			put(s, fmt.Sprint(i))
		}
		f.set(func(f *fake) { f.hangs, f.batches = false, 0 })
		wait(2 * writeTimeout)
		require.Equal(t, uint64(1000), s.Stats().Written)
		require.Less(t, f.count(&f.batches), 10)
	})
}
