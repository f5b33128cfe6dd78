package cache

import (
	"math"
	"unsafe"
)

// Entries lists sessions into entries, which has room for so many, one at least, from the cursor on, which is
// 0 at first, and returns how many it wrote and the cursor of the rest, 0 if there is none. The order of the
// list means nothing. What is in the cache from the first call to the last is listed; twice, perhaps, if
// so much is removed meanwhile that the cache gives memory back.
//
//go:nosplit
func (c *Cache) Entries(cursor uint64, entries *Entry, room uint64) (n, next uint64) {
	i, before := split(cursor)
	for ; i < c.count; i, before = i+1, wholeShard {
		s := c.shard(i)
		if s == nil {
			continue
		}
		if before == wholeShard {
			before = math.MaxUint32
		}
		s.lock.Wait(c.host())
		listed, rest := s.list(before, (*Entry)(unsafe.Add(unsafe.Pointer(entries), uintptr(n)*unsafe.Sizeof(Entry{}))), room-n)
		s.lock.Release()
		n += listed
		if rest != none {
			return n, join(i, rest)
		}
	}
	return n, 0
}

// A cursor is the number of a shard and of an entry in it, before which the rest is; 0 for all of the shard.
const wholeShard = 0

//go:nosplit
func join(i, before uint32) uint64 {
	return uint64(i)<<32 | uint64(before)
}

//go:nosplit
func split(cursor uint64) (i, before uint32) {
	return uint32(cursor >> 32), uint32(cursor)
}
