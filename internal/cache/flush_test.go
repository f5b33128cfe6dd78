package cache

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is added to a cache while it is flushed is left, though it has expired too and is the first to expire, and
// those behind it are found all the same, in their order.
func TestFlushLeavesWhatWasAddedAfterItsStart(t *testing.T) {
	for _, version := range []string{"3.0", "3.5"} {
		for width := range 4 {
			c := freshWidth(libssl[version], width)
			for i := range 300 {
				c.Add(number(i), Session(i+1), int64(100+i*7919%300), 0)
			}
			cursor := uint64(0)
			last := int64(0)
			for flushed := range 200 { // expiries of 100 to 299
				s := c.Expire(300, &cursor)
				require.NotZero(t, s, flushed)
				require.LessOrEqual(t, s, Session(300), "%s, %d shards: what came later is left", version, c.count)
				expiry := int64(100 + int(s-1)*7919%300)
				require.Greater(t, expiry, last)
				last = expiry
				c.Add(number(1000+flushed), Session(1001+flushed), int64(flushed%50), 0)
			}
			require.Zero(t, c.Expire(300, &cursor))
			require.EqualValues(t, 300, c.Number())
			requireSound(t, c)
			cursor = 0
			for range 200 {
				require.Greater(t, c.Drain(&cursor), Session(1000))
				c.Add(number(2000), 2001, 1, 0)
				c.Remove(number(2000))
			}
			require.LessOrEqual(t, c.Drain(&cursor), Session(300))
		}
	}
}

// A flush ends whatever other threads add meanwhile (SSL_CTX_flush_sessions beside threads that add what has expired).
func TestFlushEndsWhileOthersAdd(t *testing.T) {
	for version, rules := range libssl {
		c := freshWidth(rules, 2)
		const old = 2000
		for i := range old {
			c.Add(number(i), Session(i+1), int64(i%50), 0)
		}
		var isOver atomic.Bool
		together(4, func(thread int) {
			if thread > 0 {
				for i := 0; !isOver.Load(); i++ {
					key := number(old + thread<<32 + i%10_000)
					c.Add(key, Session(old+thread<<32+i+1), int64(i%40), 0)
				}
				return
			}
			defer isOver.Store(true)
			cursor := uint64(0)
			for c.Expire(100, &cursor) != 0 {
			}
		})
		for i := range old {
			require.False(t, c.Contains(number(i)), version)
		}
		requireSound(t, c)
	}
}

// A flush beside a thread that adds and removes: what has expired and nobody else takes is gone after each.
func TestFlushBesideAThreadTakesAllThatHasExpired(t *testing.T) {
	const early, late, now = 10, 1000, 500
	c := freshWidth(libssl["3.0"], 1)
	keys := keysOfShards(c, 2)
	c.Add(keys[1][0], 1, late, 0) // stays in its shard, and an early one comes and goes before it
	var isOver atomic.Bool
	together(2, func(thread int) {
		if thread == 1 {
			comeAndGo(c, keys[1][1], early, &isOver)
			return
		}
		defer isOver.Store(true)
		for i := range rounds(t) {
			c.Add(keys[0][0], Session(10+i), early+1, 0)
			for cursor := uint64(0); c.Expire(now, &cursor) != 0; {
			}
			if !assert.Zero(t, c.Remove(keys[0][0]), "flush %d left a session that had expired", i) {
				return
			}
		}
	})
	requireSound(t, c)
}

func comeAndGo(c *Cache, key *Key, expiry int64, isOver *atomic.Bool) {
	for !isOver.Load() {
		c.Add(key, 2, expiry, 0)
		c.Remove(key)
	}
}

// The earliest place of a shard is read in two halves. A shard whose earliest session went comes back to a place
// it had before, and who has seen half of what was between must not take the one for the other: a flush would end at a
// session that has not expired, while others have. Seldom does a thread stop between the halves: here it does each time.
func TestHalfOfAPlaceIsNoPlace(t *testing.T) {
	const early, late = 10, 1000
	c := freshWidth(libssl["3.0"], 0)
	c.Add(number(1), 1, late, 0)
	var isOver atomic.Bool
	seen := map[int64]int{}
	together(2, func(thread int) {
		if thread == 1 {
			comeAndGo(c, number(2), early, &isOver)
			return
		}
		defer isOver.Store(true)
		const enough = 100 // times as many where the two threads have not met yet
		for i, count := 0, rounds(t); i < count || seen[late] == 0 && i < enough*count; i++ {
			p := place{expiry: c.top(0).expiry.Load()}
			runtime.Gosched()
			p.sequence = c.top(0).sequence.Load()
			s := c.lockTop(0, &p)
			if s == nil {
				continue
			}
			locked := *s.run(root)
			s.lock.Release()
			seen[p.expiry]++
			if !assert.Equal(t, locked.expiry, p.expiry) || !assert.Equal(t, locked.sequence, p.sequence) {
				return
			}
		}
	})
	assert.NotZero(t, seen[late], "the two met")
}

// keysOfShards finds so many keys for each shard.
func keysOfShards(c *Cache, count int) [][]*Key {
	keys := make([][]*Key, c.count)
	for i, found := 0, 0; found < count*int(c.count); i++ {
		key := number(i)
		shard := key.hash(&c.seed) >> c.shift
		if len(keys[shard]) < count {
			keys[shard] = append(keys[shard], key)
			found++
		}
	}
	return keys
}

// Between the look at a place and the lock, its session may go, another may come, or the shard may become smaller.
func TestPlaceOfASessionThatIsGone(t *testing.T) {
	c := freshWidth(Rules{}, 0)
	addAll(c, 100, 200)
	s := c.shard(0)
	earliest, all := *s.run(root), s.entryCount
	assert.True(t, s.has(&earliest))
	c.Remove(keyed(1))
	assert.False(t, s.has(&earliest), "it has gone")
	c.Add(keyed(3), 3, 300, 0)
	assert.False(t, s.has(&earliest), "another is there")
	for number := all; number < all+100; number++ {
		earliest.entry = number
		assert.False(t, s.has(&earliest), number)
	}
}
