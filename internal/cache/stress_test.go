package cache

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rounds is how much a test of threads does: SSLCACHE_TEST_ROUNDS, a million for a long run.
func rounds(t *testing.T) int {
	text := os.Getenv("SSLCACHE_TEST_ROUNDS")
	if text == "" {
		return 20_000
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err)
	return count
}

// together runs the threads and waits for them.
func together(threads int, run func(thread int)) {
	var running sync.WaitGroup
	for thread := range threads {
		running.Go(func() { run(thread) })
	}
	running.Wait()
}

// A ledger holds each session's references, as libssl would. A session is never used twice.
type ledger struct {
	references []atomic.Int32
	last       atomic.Int64
}

func (l *ledger) take() Session {
	s := Session(l.last.Add(1))
	l.references[s].Store(1) // the cache's own
	return s
}

func (l *ledger) release(t *testing.T, s Session) {
	if s != 0 && l.references[s].Add(-1) < 0 {
		assert.Fail(t, "a session was let go of twice")
	}
}

// Threads do everything at once over few keys. Each session comes back exactly once, or is still
// there at the end, and whoever finds one has it alive.
func TestEachSessionIsLetGoOfOnce(t *testing.T) {
	for version, rules := range libssl {
		t.Run(version, func(t *testing.T) {
			const threads, keys, limit = 6, 64, 40
			count := rounds(t)
			c := freshWidth(rules, 2)
			l := &ledger{references: make([]atomic.Int32, threads*count+1)}
			together(threads, func(thread int) {
				for i := range count {
					step(t, c, l, number((i*7+thread*13)%keys), i*threads+thread, limit)
				}
			})
			requireSound(t, c)
			assert.LessOrEqual(t, c.Number(), c.capacity(limit))
			stats := statsOf(c)
			let := stats.Replaced + stats.Evicted + stats.Expired + stats.Removed
			assert.Equal(t, stats.Stored, let+stats.Number)
			assert.NotZero(t, min(stats.Replaced, stats.Evicted, stats.Expired, stats.Removed, stats.Found), "all of it happened")
			for _, s := range drain(c) {
				l.release(t, s)
			}
			for s := range l.references {
				require.Zero(t, l.references[s].Load(), "session %d", s)
			}
		})
	}
}

// step is one operation on a key, another for each i.
func step(t *testing.T, c *Cache, l *ledger, key *Key, i int, limit int64) {
	switch i % 11 {
	default:
		s := l.take()
		added := c.Add(key, s, int64(i%50), limit)
		if !added.New {
			assert.Fail(t, "a session that never was there is not new")
		}
		l.release(t, added.Replaced)
		l.release(t, added.Evicted)
		for more := added.More; more; {
			var victim Session
			victim, more = c.Evict(limit, s)
			l.release(t, victim)
		}
	case 5:
		l.release(t, c.Remove(key))
	case 6, 7:
		found := lookup(c, key, func(s Session) {
			if l.references[s].Add(1) < 2 {
				assert.Fail(t, "the session was gone already")
			}
		})
		l.release(t, found)
	case 8:
		cursor := uint64(0)
		for s := c.Expire(int64(i%20), &cursor); s != 0; s = c.Expire(int64(i%20), &cursor) {
			l.release(t, s)
		}
	case 9:
		found := lookup(c, key, nil)
		c.Reschedule(key, found, int64(i%60))
		c.Contains(key)
	case 10:
		entries := make([]Entry, 5)
		n, _ := list(c, statsOf(c).Number%3, entries)
		for _, e := range entries[:n] {
			c.Contains(&e.Key)
		}
	}
}

// Of many that remove one session exactly one gets it: anti-replay rests on that.
func TestOneOfManyRemoves(t *testing.T) {
	c := fresh(libssl["3.0"])
	for i := range rounds(t) / 20 {
		c.Add(number(i), Session(i+1), 100, 0)
		var winners atomic.Int32
		together(4, func(int) {
			if c.Remove(number(i)) != 0 {
				winners.Add(1)
			}
		})
		require.EqualValues(t, 1, winners.Load())
	}
}

// Threads that add into a full cache leave it exactly as full, and it never is seen over its limit
// by more than the newcomers.
func TestThreadsKeepTheLimitExactly(t *testing.T) {
	for version, rules := range libssl {
		const threads, limit = 4, 50
		c := freshWidth(rules, 2)
		count := rounds(t)
		together(threads, func(thread int) {
			for i := range count {
				s := Session(thread*count + i + 1)
				added := c.Add(number(int(s)), s, int64(i), limit)
				for more := added.More; more; {
					_, more = c.Evict(limit, s)
				}
				if number := c.Number(); number > c.capacity(limit)+threads {
					assert.Fail(t, "too many", number)
				}
			}
		})
		assert.Equal(t, c.capacity(limit), c.Number(), version)
		requireSound(t, c)
	}
}

// Threads that bring a cache down to a lower limit together stop exactly there.
func TestThreadsLowerTheLimitExactly(t *testing.T) {
	const threads, limit = 4, 50
	c := freshWidth(libssl["3.0"], 3)
	fill(c, 0, rounds(t), timeouts["equal"])
	var evicted atomic.Int64
	together(threads, func(int) {
		for victim, _ := c.Evict(limit, 0); victim != 0; victim, _ = c.Evict(limit, 0) {
			evicted.Add(1)
		}
	})
	assert.Equal(t, c.capacity(limit), c.Number())
	assert.EqualValues(t, int64(rounds(t))-c.Number(), evicted.Load())
	requireSound(t, c)
}

// Threads that flush together let go of everything that is expired.
func TestThreadsFlushAll(t *testing.T) {
	for version, rules := range libssl {
		const size = 3000
		c := freshWidth(rules, 3)
		for i := range size {
			c.Add(number(i), Session(i+1), int64(i%100), 0)
		}
		var expired atomic.Int64
		together(4, func(int) {
			cursor := uint64(0)
			for c.Expire(50, &cursor) != 0 {
				expired.Add(1)
			}
		})
		assert.EqualValues(t, size/2, expired.Load(), version)
		assert.EqualValues(t, size/2, c.Number(), version)
		requireSound(t, c)
	}
}

// A locked cache lets nothing in until it is unlocked, by another thread even, and what waited goes on.
func TestLock(t *testing.T) {
	c := freshWidth(libssl["3.0"], 2)
	for i := range 100 {
		c.Add(number(i), Session(i+1), 100, 0)
	}
	c.Lock()
	for i := range c.count {
		require.False(t, c.shard(i).lock.Try(), "shard %d", i)
	}
	pending := make(chan Session)
	go func() { pending <- lookup(c, number(1), nil) }()
	require.EqualValues(t, 100, c.Number(), "what a signal handler may ask takes no lock")
	require.EqualValues(t, 100, statsOf(c).Stored)
	together(1, func(int) { c.Unlock() })
	assert.Equal(t, Session(2), <-pending)
	assert.Len(t, drain(c), 100)

	empty := fresh(libssl["3.0"])
	empty.Lock()
	requireSound(t, empty)
	empty.Unlock()
}

// A locked cache is at rest: sound, and its number right; nobody makes a shard.
func TestLockAmongThreads(t *testing.T) {
	const threads, keys, limit = 4, 64, 40
	c := freshWidth(libssl["3.0"], 3)
	count := rounds(t) / 4
	l := &ledger{references: make([]atomic.Int32, threads*count+1)}
	var locking sync.Mutex // C locks in the one thread that forks
	together(threads, func(thread int) {
		for i := range count {
			step(t, c, l, number((i*7+thread*13)%keys), i*threads+thread, limit)
			if i%50 == thread {
				locking.Lock()
				c.Lock()
				LockMemory(local)
				requireSound(t, c)
				UnlockMemory(local)
				c.Unlock()
				locking.Unlock()
			}
		}
	})
	requireSound(t, c)
}
