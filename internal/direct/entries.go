package direct

import (
	"unsafe"

	"libsslcache/internal/arena"
	"libsslcache/internal/cache"
	"libsslcache/internal/host"
)

// All are the functions that C calls. They are named here so that they are in image.
var All = []any{
	CacheNew, CacheFree, Add, Evict, EvictRandom, Lookup, Release, Contains, Remove, Expire, Drain, Reschedule,
	Number, Stats, Entries, Lock, Unlock, LockMemory, UnlockMemory,
	ArenaRun,
}

// The structs below and cache.Entry, cache.Stats and host.Host are those of capi/core.h, which says what each
// function does.

// Rules is struct core_rules.
type Rules struct {
	CountsNewcomer, ByInsertion, ReaddMoves uint8
}

// Answer is struct core_answer.
type Answer struct {
	Replaced cache.Session
	Session  cache.Session
	More     bool
}

// Found is struct core_found.
type Found struct {
	Session cache.Session
	Held    host.Address
}

// CacheNew is direct_cache_new.
//
//go:nosplit
func CacheNew(h *host.Host, rules *Rules) *cache.Cache {
	return cache.New(h, cache.Rules{
		CountsNewcomer: rules.CountsNewcomer != 0,
		ByInsertion:    rules.ByInsertion != 0,
		ReaddMoves:     rules.ReaddMoves != 0,
	})
}

// CacheFree is direct_cache_free.
//
//go:nosplit
func CacheFree(c *cache.Cache) {
	c.Free()
}

// Add is direct_add.
//
//go:nosplit
func Add(c *cache.Cache, entry *cache.Entry, limit int64, answer *Answer) int64 {
	added := c.Add(&entry.Key, entry.Session, entry.Expiry, limit)
	answer.Replaced, answer.Session, answer.More = added.Replaced, added.Evicted, added.More
	return boolToInt(added.New)
}

// Evict is direct_evict.
//
//go:nosplit
func Evict(c *cache.Cache, limit int64, newcomer cache.Session, answer *Answer) int64 {
	answer.Replaced = 0
	answer.Session, answer.More = c.Evict(limit, newcomer)
	return boolToInt(answer.Session != 0)
}

// EvictRandom is direct_evict_random.
//
//go:nosplit
func EvictRandom(c *cache.Cache, random uint64, newcomer cache.Session) cache.Session {
	return c.EvictRandom(random, newcomer)
}

// Lookup is direct_lookup.
//
//go:nosplit
func Lookup(c *cache.Cache, entry *cache.Entry, found *Found) int64 {
	session, held := c.Lookup(&entry.Key)
	found.Session, found.Held = session, host.AddressOf(unsafe.Pointer(held))
	return boolToInt(session != 0)
}

// Release is direct_release.
//
//go:nosplit
func Release(held *cache.Held) {
	held.Release()
}

// Contains is direct_contains.
//
//go:nosplit
func Contains(c *cache.Cache, entry *cache.Entry) int64 {
	return boolToInt(c.Contains(&entry.Key))
}

// Remove is direct_remove.
//
//go:nosplit
func Remove(c *cache.Cache, entry *cache.Entry) cache.Session {
	return c.Remove(&entry.Key)
}

// Expire is direct_expire.
//
//go:nosplit
func Expire(c *cache.Cache, now int64, cursor *uint64, sessions *cache.Session, room uint64) (n uint64) {
	for ; n < room; n++ {
		session := c.Expire(now, cursor)
		if session == 0 {
			break
		}
		*at(sessions, n) = session
	}
	return n
}

// Drain is direct_drain.
//
//go:nosplit
func Drain(c *cache.Cache, cursor *uint64, sessions *cache.Session, room uint64) (n uint64) {
	for ; n < room; n++ {
		session := c.Drain(cursor)
		if session == 0 {
			break
		}
		*at(sessions, n) = session
	}
	return n
}

// Reschedule is direct_reschedule.
//
//go:nosplit
func Reschedule(c *cache.Cache, entry *cache.Entry) int64 {
	return boolToInt(c.Reschedule(&entry.Key, entry.Session, entry.Expiry))
}

// Number is direct_number.
//
//go:nosplit
func Number(c *cache.Cache) int64 {
	return c.Number()
}

// Stats is direct_stats.
//
//go:nosplit
func Stats(c *cache.Cache, stats *cache.Stats) {
	c.Stats(stats)
}

// Entries is direct_entries.
//
//go:nosplit
func Entries(c *cache.Cache, cursor *uint64, entries *cache.Entry, room uint64) uint64 {
	n, next := c.Entries(*cursor, entries, room)
	*cursor = next
	return n
}

// Lock is direct_lock.
//
//go:nosplit
func Lock(c *cache.Cache) {
	c.Lock()
}

// Unlock is direct_unlock.
//
//go:nosplit
func Unlock(c *cache.Cache) {
	c.Unlock()
}

// LockMemory is direct_lock_memory.
//
//go:nosplit
func LockMemory(h *host.Host) {
	cache.LockMemory(h)
}

// UnlockMemory is direct_unlock_memory.
//
//go:nosplit
func UnlockMemory(h *host.Host) {
	cache.UnlockMemory(h)
}

//go:nosplit
func at(sessions *cache.Session, i uint64) *cache.Session {
	return (*cache.Session)(unsafe.Add(unsafe.Pointer(sessions), uintptr(i)*unsafe.Sizeof(cache.Session(0))))
}

//go:nosplit
func boolToInt(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// ArenaRun is direct_arena_run. arena.Call is struct arena_call (cshim/share/arena.h).
//
//go:nosplit
func ArenaRun(call *arena.Call) arena.Status {
	return arena.Run(call)
}
