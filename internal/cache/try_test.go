package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A caller asks as C does, which tries first and then goes the way that may wait; or, at every other
// operation, the second way only.
type caller struct {
	*Cache
	waits bool
}

func (c *caller) tries() bool {
	c.waits = !c.waits
	return c.waits
}

func (c *caller) Add(key *Key, session Session, expiry, limit int64) Added {
	if !c.tries() {
		return c.Cache.Add(key, session, expiry, limit)
	}
	added, done := c.TryAdd(key, session, expiry, limit)
	if !done {
		return c.Cache.Add(key, session, expiry, limit)
	}
	if added.More {
		added.Evicted, added.More = c.Evict(limit, session)
	}
	return added
}

func (c *caller) Evict(limit int64, newcomer Session) (victim Session, more bool) {
	if c.tries() {
		if victim, more, done := c.TryEvict(limit, newcomer); done {
			return victim, more
		}
	}
	return c.Cache.Evict(limit, newcomer)
}

func (c *caller) Lookup(key *Key, retain func(Session)) Session {
	if !c.tries() {
		return c.Cache.Lookup(key, retain)
	}
	session, held, done := c.TryLookup(key)
	if !done {
		return c.Cache.Lookup(key, retain)
	}
	if session != 0 {
		retain(session)
		held.Release()
	}
	return session
}

func (c *caller) Contains(key *Key) bool {
	if c.tries() {
		if contained, done := c.TryContains(key); done {
			return contained
		}
	}
	return c.Cache.Contains(key)
}

func (c *caller) Remove(key *Key) Session {
	if c.tries() {
		if session, done := c.TryRemove(key); done {
			return session
		}
	}
	return c.Cache.Remove(key)
}

func (c *caller) Expire(now int64, cursor *uint64) Session {
	if c.tries() {
		if expired, done := c.TryExpired(now); done && !expired {
			return 0
		}
	}
	return c.Cache.Expire(now, cursor)
}

// A cache of one shard, which is locked as if another thread were inside.
func busy(t *testing.T) *Cache {
	c := newCache(libssl["3.0"], 0)
	addAll(c, 100, 200)
	s := c.shards[0].Load()
	s.lock.wait()
	t.Cleanup(s.lock.release)
	return c
}

func TestTryDoesNothingWhereItWouldWait(t *testing.T) {
	c := busy(t)
	_, done := c.TryAdd(keyed(3), 3, 300, 0)
	assert.False(t, done)
	_, _, done = c.TryLookup(keyed(1))
	assert.False(t, done)
	_, done = c.TryContains(keyed(1))
	assert.False(t, done)
	_, done = c.TryRemove(keyed(1))
	assert.False(t, done)
	_, _, done = c.TryEvict(1, 2)
	assert.False(t, done)
	_, done = c.TryExpired(1000)
	assert.False(t, done)
	assert.EqualValues(t, 2, c.Number())
}

func TestTryExpiredLooksAtTheEarliest(t *testing.T) {
	c := New(libssl["3.0"])
	expired, done := c.TryExpired(1000)
	assert.Equal(t, []bool{false, true}, []bool{expired, done}, "there is none")
	addAll(c, 300, 100, 200)
	expired, done = c.TryExpired(100)
	assert.Equal(t, []bool{false, true}, []bool{expired, done})
	expired, done = c.TryExpired(101)
	assert.Equal(t, []bool{true, true}, []bool{expired, done})
	assert.EqualValues(t, 3, c.Number(), "nothing goes")

	byInsertion := New(libssl["1.1.1"])
	addAll(byInsertion, 100)
	_, done = byInsertion.TryExpired(1000)
	assert.False(t, done, "the order says nothing of expiry")
}

func TestTryDoesNothingWhereItWouldAskForMemory(t *testing.T) {
	c := newCache(libssl["3.0"], 0)
	_, done := c.TryAdd(keyed(1), 1, 100, 0)
	require.False(t, done, "the shard was never made")
	_, _, done = c.TryLookup(keyed(1))
	require.False(t, done)
	assert.Zero(t, c.Number())

	stored := 0
	for i := range 10_000 {
		key := number(i)
		_, done := c.TryAdd(key, Session(i+1), 100, 0)
		if !done {
			require.True(t, c.Add(key, Session(i+1), 100, 0).New)
			continue
		}
		stored++
	}
	assert.Greater(t, stored, 9_900, "there is nearly always room")
	assert.EqualValues(t, 10_000, c.Number())
	requireSound(t, c)
}

func TestTryLeavesTheLastOfManyToTheOneThatGivesMemoryBack(t *testing.T) {
	c := newCache(libssl["3.0"], 0)
	fill(c, 0, 1000, timeouts["equal"])
	for i := range 999 {
		_, done := c.TryRemove(number(i))
		require.True(t, done)
	}
	_, done := c.TryRemove(number(999))
	require.False(t, done)
	require.NotZero(t, c.Remove(number(999)))
	assert.Empty(t, c.shards[0].Load().entries.chunks)
}

func TestTryWithAKeyThatIsNone(t *testing.T) {
	c := New(libssl["3.0"])
	tooLong := &Key{Length: MaxID + 1}
	added, done := c.TryAdd(tooLong, 11, 100, 0)
	assert.True(t, done)
	assert.Equal(t, Added{}, added)
	session, held, done := c.TryLookup(tooLong)
	assert.True(t, done)
	assert.Zero(t, session)
	assert.Nil(t, held)
	contained, done := c.TryContains(tooLong)
	assert.True(t, done)
	assert.False(t, contained)
	session, done = c.TryRemove(tooLong)
	assert.True(t, done)
	assert.Zero(t, session)
	assert.Equal(t, Stats{Missed: 1}, c.Stats())
}

// What TryLookup answers can't go until it is released.
func TestTryLookupHolds(t *testing.T) {
	c := newCache(libssl["3.0"], 0)
	addAll(c, 100)
	session, held, done := c.TryLookup(keyed(1))
	require.True(t, done)
	require.Equal(t, Session(1), session)
	_, done = c.TryRemove(keyed(1))
	require.False(t, done)
	held.Release()
	session, done = c.TryRemove(keyed(1))
	require.True(t, done)
	require.Equal(t, Session(1), session)
}
