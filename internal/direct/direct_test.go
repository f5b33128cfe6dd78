package direct

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/cache"
	"libsslcache/internal/host"
)

func entryOf(id byte, session cache.Session, expiry int64) *cache.Entry {
	return &cache.Entry{
		Session: session, Expiry: expiry,
		Key: cache.Key{Version: 0x303, Length: 1, ID: [cache.MaxID]byte{id}},
	}
}

// The functions as Go calls them, a line of capi/core.h after the other; C calls them in testdata/alone.c.
func TestContract(t *testing.T) {
	h := host.Local()
	c := CacheNew(h, &Rules{CountsNewcomer: 1})
	defer CacheFree(c)

	answer := Answer{Replaced: 7, Session: 7, More: true}
	require.EqualValues(t, 1, Add(c, entryOf(1, 1, 100), 0, &answer))
	require.Equal(t, Answer{}, answer)
	answer = Answer{Replaced: 7, Session: 7, More: true}
	require.EqualValues(t, 0, Add(c, entryOf(1, 1, 100), 0, &answer), "it is there already")
	require.Equal(t, Answer{}, answer)
	require.EqualValues(t, 1, Add(c, entryOf(1, 2, 100), 0, &answer))
	require.Equal(t, Answer{Replaced: 1}, answer)

	var found Found
	require.EqualValues(t, 1, Lookup(c, entryOf(1, 0, 0), &found))
	require.Equal(t, cache.Session(2), found.Session)
	Release((*cache.Held)(found.Held.Pointer()))
	require.EqualValues(t, 0, Lookup(c, entryOf(9, 0, 0), &found))
	require.Equal(t, Found{}, found)
	require.EqualValues(t, 1, Contains(c, entryOf(1, 0, 0)))
	require.EqualValues(t, 0, Contains(c, entryOf(9, 0, 0)))

	require.EqualValues(t, 1, Add(c, entryOf(2, 3, 300), 0, &answer))
	require.EqualValues(t, 1, Add(c, entryOf(3, 4, 50), 0, &answer))
	require.EqualValues(t, 1, Add(c, entryOf(4, 5, 400), 2, &answer))
	require.Equal(t, Answer{Session: 4, More: true}, answer)
	require.EqualValues(t, 1, Evict(c, 2, 5, &answer))
	require.Equal(t, Answer{Session: 2, More: true}, answer)
	require.EqualValues(t, 1, Evict(c, 2, 5, &answer))
	require.Equal(t, Answer{Session: 3}, answer)
	require.EqualValues(t, 0, Evict(c, 2, 5, &answer))
	require.Equal(t, Answer{}, answer)
	require.EqualValues(t, 1, Number(c))
	require.Zero(t, EvictRandom(c, 77, 5))
	require.EqualValues(t, 5, EvictRandom(c, 77, 0))

	for id := range byte(9) {
		require.EqualValues(t, 1, Add(c, entryOf(id, cache.Session(id)+10, int64(id)), 0, &answer))
	}
	require.EqualValues(t, 1, Reschedule(c, entryOf(0, 10, 1000)))
	require.EqualValues(t, 0, Reschedule(c, entryOf(0, 11, 1000)))
	var sessions [4]cache.Session
	cursor := uint64(0)
	require.EqualValues(t, 4, Expire(c, 6, &cursor, &sessions[0], 4))
	require.Equal(t, [4]cache.Session{11, 12, 13, 14}, sessions)
	require.EqualValues(t, 1, Expire(c, 6, &cursor, &sessions[0], 4))
	require.EqualValues(t, 15, sessions[0])

	entries := make([]cache.Entry, 3)
	cursor = 0
	require.EqualValues(t, 3, Entries(c, &cursor, &entries[0], 3))
	require.NotZero(t, cursor)
	require.EqualValues(t, 1, Entries(c, &cursor, &entries[0], 3))
	require.Zero(t, cursor)
	require.EqualValues(t, 16, Remove(c, entryOf(6, 0, 0)))
	require.Zero(t, Remove(c, entryOf(6, 0, 0)))
	require.EqualValues(t, 3, Drain(c, &cursor, &sessions[0], 4))
	require.EqualValues(t, []cache.Session{17, 18, 10}, sessions[:3])

	var stats cache.Stats
	Stats(c, &stats)
	require.Equal(t, cache.Stats{
		Peak: 9, Stored: 14, Found: 1, Missed: 1, Replaced: 1, Evicted: 4, Expired: 8, Removed: 1,
	}, stats)
	Lock(c)
	LockMemory(h)
	UnlockMemory(h)
	Unlock(c)
}

// Structs are C's; offsets that matter are checked where both are known (capi).
func TestStructsAreAsLargeAsInC(t *testing.T) {
	require.EqualValues(t, 64, unsafe.Sizeof(cache.Entry{}))
	require.EqualValues(t, 24, unsafe.Sizeof(Answer{}))
	require.EqualValues(t, 16, unsafe.Sizeof(Found{}))
	require.EqualValues(t, 3, unsafe.Sizeof(Rules{}))
	require.EqualValues(t, 72, unsafe.Sizeof(cache.Stats{}))
	require.EqualValues(t, 4*8+7*8+8+8, unsafe.Sizeof(host.Host{}))
}
