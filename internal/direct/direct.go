//go:build amd64 || arm64

package direct

import (
	"unsafe"

	"libsslcache/internal/cache"
)

// Fill writes the table, and answers that there is one.
func Fill(table *Table) bool {
	fill(table)
	return true
}

func fill(table *Table)

//go:nosplit
func add(c *cache.Cache, entry *Entry, limit int64, answer *Answer) int64 {
	added, done := c.TryAdd(&entry.Key, entry.Session, entry.Expiry, limit)
	if !done {
		return NotDone
	}
	answer.Replaced, answer.Session, answer.More = added.Replaced, 0, added.More
	return truth(added.New)
}

//go:nosplit
func evict(c *cache.Cache, limit int64, newcomer cache.Session, answer *Answer) int64 {
	victim, more, done := c.TryEvict(limit, newcomer)
	if !done {
		return NotDone
	}
	answer.Session, answer.More = victim, more
	return truth(victim != 0)
}

//go:nosplit
func lookup(c *cache.Cache, entry *Entry, found *Found) int64 {
	session, held, done := c.TryLookup(&entry.Key)
	if !done {
		return NotDone
	}
	found.Session = session
	*(*uintptr)(unsafe.Pointer(&found.Held)) = uintptr(unsafe.Pointer(held)) // C's memory: no write barrier
	return truth(session != 0)
}

//go:nosplit
func release(held *cache.Held) {
	held.Release()
}

//go:nosplit
func contains(c *cache.Cache, entry *Entry) int64 {
	contained, done := c.TryContains(&entry.Key)
	if !done {
		return NotDone
	}
	return truth(contained)
}

//go:nosplit
func remove(c *cache.Cache, entry *Entry, removed *cache.Session) int64 {
	session, done := c.TryRemove(&entry.Key)
	if !done {
		return NotDone
	}
	*removed = session
	return truth(session != 0)
}

//go:nosplit
func expired(c *cache.Cache, now int64) int64 {
	expired, done := c.TryExpired(now)
	if !done {
		return NotDone
	}
	return truth(expired)
}

//go:nosplit
func truth(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
