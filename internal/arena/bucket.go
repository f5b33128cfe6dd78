package arena

import (
	"sync/atomic"
	"unsafe"
)

// A bucket whose bytes are all zero is an empty one. Numbers of entries and chunks begin at 1; 0 is none.
type bucket struct {
	owner        atomic.Uint64 // 0: nobody
	turn         atomic.Uint64 // how often it was taken and let go of
	suspectTurn  atomic.Uint64 // 1 + the turn that somebody waited for in vain
	suspectSince atomic.Int64  // since when, seconds
	spoilt       atomic.Uint32 // 1: to be emptied

	freeEntry  uint16 // the first of those that were used before
	freeChunk  uint16
	cutEntries uint16 // so many were used at all
	cutChunks  uint16
	freeChunks uint16 // how many there are in the list
	_          [3]uint16

	heads   [heads]uint16
	entries [entries]entry
	next    [chunks]uint16 // the chunk after each, of a record or in the free list
	chunks  [chunks][chunkWords]uint64
}

// The array index is negative, and the build fails, where a bucket is larger than its room.
var _ [BucketSize - unsafe.Sizeof(bucket{})]struct{}

// entry is a record that is kept, one that was removed, or none.
type entry struct {
	name   Name
	expiry int64
	check  uint64
	length uint16
	first  uint16 // chunk
	next   uint16 // entry of the same head, or in the free list
	kind   uint16
}

const (
	unused = iota
	kept
	removed
)

// ---- the lock ----

//go:nosplit
func (b *bucket) lock(c *Call) bool {
	for range attempts {
		c.Owner = b.owner.Load()
		if c.Owner == 0 && b.owner.CompareAndSwap(0, c.Me) {
			b.turn.Add(1)
			return true
		}
	}
	c.Turn = b.turn.Load()
	if b.suspectTurn.Load() == c.Turn+1 {
		c.Suspected = 1
	}
	return false
}

// release lets go, unless another has taken the bucket meanwhile.
//
//go:nosplit
func (b *bucket) release(c *Call) {
	b.turn.Add(1)
	b.owner.CompareAndSwap(c.Me, 0)
}

//go:nosplit
func (b *bucket) takeOver(c *Call) Status {
	if c.Owner == 0 || !b.owner.CompareAndSwap(c.Owner, c.Me) {
		return Missed
	}
	b.turn.Add(1)
	b.empty(c)
	b.release(c)
	return Done
}

// suspect remembers that a bucket is held for long. An owner that nobody can tell to be dead, or that left the
// operation without ending, must not hold it for ever.
//
//go:nosplit
func (b *bucket) suspect(c *Call) Status {
	if b.owner.Load() != c.Owner || b.turn.Load() != c.Turn {
		return Missed
	}
	if b.suspectTurn.Load() != c.Turn+1 {
		b.suspectSince.Store(c.Now)
		b.suspectTurn.Store(c.Turn + 1)
		return Missed
	}
	since := b.suspectSince.Load()
	if c.Now >= since && c.Now-since <= lease {
		return Missed
	}
	return b.takeOver(c)
}

// empty makes the bucket one without records. The lock is held.
//
//go:nosplit
func (b *bucket) empty(c *Call) {
	c.Emptied = 1
	b.freeEntry, b.freeChunk, b.cutEntries, b.cutChunks, b.freeChunks = 0, 0, 0, 0, 0
	for at := unsafe.Offsetof(b.heads) &^ 7; at+8 <= unsafe.Sizeof(*b); at += 8 {
		*(*uint64)(unsafe.Add(unsafe.Pointer(b), at)) = 0
	}
}

// ---- the index ----

//go:nosplit
func (n *Name) head() uint64 { return n[0] % heads }

// at returns the entry of a number, nil where there is none of that number.
//
//go:nosplit
func (b *bucket) at(number uint16) *entry {
	index := uint64(number) - 1
	if index >= entries {
		return nil
	}
	return &b.entries[index]
}

// search returns the numbers of the entry of a name and of the one before it, 0 where there is none. False: the
// index is in disorder.
//
//go:nosplit
func (b *bucket) search(name *Name) (number, before uint16, ok bool) {
	number = b.heads[name.head()]
	for range entries + 1 {
		if number == 0 {
			return 0, 0, true
		}
		e := b.at(number)
		if e == nil {
			return 0, 0, false
		}
		if e.name[0] == name[0] && e.name[1] == name[1] && e.name[2] == name[2] {
			return number, before, true
		}
		before, number = number, e.next
	}
	return 0, 0, false
}

// drop takes an entry out, which stands behind another or at its head, and wipes it.
//
//go:nosplit
func (b *bucket) drop(c *Call, number, before uint16) bool {
	e := b.at(number)
	if e == nil || e.kind == unused {
		return false
	}
	if before == 0 {
		b.heads[e.name.head()] = e.next
	} else if previous := b.at(before); previous != nil {
		previous.next = e.next
	} else {
		return false
	}
	if e.kind == kept && !b.freeRecord(c, e) {
		return false
	}
	e.kind, e.length, e.first, e.check = unused, 0, 0, 0
	e.next, b.freeEntry = b.freeEntry, number
	return true
}

// dropNumber is drop for an entry that was not found by its name.
//
//go:nosplit
func (b *bucket) dropNumber(c *Call, number uint16) bool {
	e := b.at(number)
	if e == nil {
		return false
	}
	found, before, ok := b.search(&e.name)
	return ok && found == number && b.drop(c, number, before)
}

// newEntry returns an entry that nobody uses. There must be one.
//
//go:nosplit
func (b *bucket) newEntry() (number uint16, e *entry) {
	number = b.freeEntry
	if e = b.at(number); e != nil {
		if e.kind != unused {
			return 0, nil
		}
		b.freeEntry = e.next
		return number, e
	}
	if number != 0 || b.cutEntries >= entries {
		return 0, nil
	}
	b.cutEntries++
	return b.cutEntries, b.at(b.cutEntries)
}

// ---- the chunks ----

//go:nosplit
func chunksOf(length uint64) uint64 { return (length + chunkSize - 1) / chunkSize }

// chunk returns the words of the chunk of a number, nil where there is none of that number.
//
//go:nosplit
func (b *bucket) chunk(number uint16) *[chunkWords]uint64 {
	index := uint64(number) - 1
	if index >= chunks {
		return nil
	}
	return &b.chunks[index]
}

// after returns the number behind that of a chunk, 0 where there is none.
//
//go:nosplit
func (b *bucket) after(number uint16) uint16 {
	index := uint64(number) - 1
	if index >= chunks {
		return 0
	}
	return b.next[index]
}

//go:nosplit
func (b *bucket) setAfter(number, next uint16) {
	if index := uint64(number) - 1; index < chunks {
		b.next[index] = next
	}
}

//go:nosplit
func (b *bucket) newChunk() (number uint16) {
	if number = b.freeChunk; number != 0 {
		b.freeChunk = b.after(number)
		b.freeChunks--
		return number
	}
	if b.cutChunks >= chunks {
		return 0
	}
	b.cutChunks++
	return b.cutChunks
}

//go:nosplit
func (b *bucket) freeRecord(c *Call, e *entry) bool {
	number := e.first
	for range chunksOf(uint64(e.length)) {
		words := b.chunk(number)
		if words == nil {
			return false
		}
		for i := range words {
			*(*uint64)(unsafe.Add(unsafe.Pointer(words), 8*i)) = 0
		}
		next := b.after(number)
		b.setAfter(number, b.freeChunk)
		b.freeChunk = number
		b.freeChunks++
		number = next
	}
	return true
}

// ---- room ----

//go:nosplit
func (b *bucket) hasRoom(needed uint64) bool {
	if b.cutChunks > chunks || b.cutEntries > entries {
		return false
	}
	return (b.freeEntry != 0 || b.cutEntries < entries) &&
		uint64(b.freeChunks)+uint64(chunks-b.cutChunks) >= needed
}

// makeRoom lets records go until there is an entry, and so many chunks: those that have expired, then one by one
// those that will first. False: the bucket is in disorder.
//
//go:nosplit
func (b *bucket) makeRoom(c *Call, needed uint64) bool {
	for range entries + 1 {
		if b.hasRoom(needed) {
			return true
		}
		earliest, ok := b.sweep(c)
		if !ok {
			return false
		}
		if b.hasRoom(needed) {
			return true
		}
		if earliest == 0 || !b.dropNumber(c, earliest) {
			return false
		}
		c.Evicted++
	}
	return false
}

// sweep drops what has expired, and gives the number of the entry that will first, 0 where none is left.
//
//go:nosplit
func (b *bucket) sweep(c *Call) (earliest uint16, ok bool) {
	var first int64
	for number := uint16(1); number <= b.cutEntries && number <= entries; number++ {
		e := b.at(number)
		if e == nil || e.kind == unused {
			continue
		}
		if e.expiry < c.Now {
			if !b.dropNumber(c, number) {
				return 0, false
			}
		} else if earliest == 0 || e.expiry < first {
			earliest, first = number, e.expiry
		}
	}
	return earliest, true
}
