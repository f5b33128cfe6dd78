// Package cache keeps TLS sessions in memory: a table by protocol version and session id, an order
// by expiry, a limit, counters. It knows neither OpenSSL nor C: a session is an opaque number that
// is never looked behind. Time is an argument of whatever needs it, and no goroutine runs here.
//
// Whoever adds a session gives one reference to it to the cache. Whatever the cache lets go of comes
// back in an answer, exactly once, and the reference with it. No lock is held then, so the caller may
// do with it what it likes, calling the cache again included.
//
// A cache may be used by many threads at once. It is divided into shards, each with a lock of its
// own, so threads wait for one another only over sessions that fall into one shard. The order holds
// over all shards: while one thread works, the session that is evicted or flushed is exactly the one
// that libssl's list would give. Between threads that work at the same time it is the earliest at
// some moment of the call.
//
// A cache is its memory, which is the host's and not Go's, and the code runs without Go's runtime as well as
// with it: see internal/direct for what that asks of it. Locks are taken in this order: the cache's own, those of its
// shards by their numbers, that of the memory.
package cache

import (
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"libsslcache/internal/host"
)

// Session is an opaque session; 0 is none, and can't be added.
type Session uintptr

// Rules are what differs between the versions of libssl. The zero Rules keep as many sessions as the
// limit says, in the order of expiry.
type Rules struct {
	CountsNewcomer bool // a limit of n >= 2 holds n-1 sessions (3.0 and later), else n (1.1.1)
	ByInsertion    bool // the victim is the one added longest ago (1.1.1), else the earliest expiry
	ReaddMoves     bool // adding what is cached already moves it behind its equals (3.0)
}

// Added is the result of Add.
type Added struct {
	New      bool    // the session became cached; false: that very session already was
	Replaced Session // another session that was under the key
	Evicted  Session // a session that gave way to the limit
	More     bool    // the cache is still over its limit: call Evict
}

// Entry is a cached session as Entries lists it. It is struct core_entry (capi/core.h).
type Entry struct {
	Session  Session
	Expiry   int64
	Sequence uint64 // adding entries again by growing Sequence restores the order among equals
	Key      Key
}

// A Cache holds sessions. Make it with New, and end it with Free.
type Cache struct {
	hostAt host.Address
	shards host.Address // of an array of the shards' addresses: made at first need, an empty cache is small
	tops   host.Address // of an array of tops, side by side, so that finding the earliest is quick
	seed   seed
	rules  Rules
	shift  uint8  // what is left of a hash, shifted by it, is the number of a shard
	count  uint32 // of shards
	lock   host.Lock

	_        [line]byte // what follows is written all the time, what stands above hardly ever
	number   atomic.Int64
	sequence atomic.Uint64
	peak     atomic.Int64
	missed   atomic.Uint64 // lookups in shards that were never made
	_        [line]byte
}

// New makes an empty cache in the host's memory, nil if there is none. The host must be there for as long.
//
//go:nosplit
func New(h *host.Host, rules Rules) *Cache {
	// Threads that can run at once rarely meet in four times as many shards; more shards than that
	// would only make the search for the earliest longer.
	const fewest, most = 3, 6
	return newCache(h, rules, max(fewest, min(bits.Len32(4*h.Processors-1), most)))
}

// newCache makes a cache of 1 << width shards.
//
//go:nosplit
func newCache(h *host.Host, rules Rules, width int) *Cache {
	if !beginMemory(h) {
		return nil
	}
	shards := uint32(1) << (width & 31)
	at := memoryOf(h).allocate(h, cacheSize(shards))
	if at == 0 {
		return nil
	}
	c := (*Cache)(at.Pointer())
	c.hostAt = host.AddressOf(unsafe.Pointer(h))
	c.shards = at + host.Address(unsafe.Sizeof(Cache{}))
	c.tops = c.shards + host.Address(shards)*host.Address(unsafe.Sizeof(host.Address(0)))
	c.seed, c.rules, c.shift, c.count = h.Seed, rules, uint8(64-width), shards
	for i := range shards {
		t := c.top(i)
		t.expiry.Store(math.MaxInt64)
		t.sequence.Store(math.MaxUint64)
	}
	return c
}

//go:nosplit
func cacheSize(shards uint32) uint64 {
	return uint64(unsafe.Sizeof(Cache{})) + uint64(shards)*uint64(unsafe.Sizeof(host.Address(0))+unsafe.Sizeof(top{}))
}

//go:nosplit
func (c *Cache) host() *host.Host {
	return (*host.Host)(c.hostAt.Pointer())
}

//go:nosplit
func (c *Cache) top(i uint32) *top {
	if host.Checked && i >= c.count {
		host.Fail()
	}
	return (*top)((c.tops + host.Address(i)*host.Address(unsafe.Sizeof(top{}))).Pointer())
}

// shard returns the shard i, nil where it was never made.
//
//go:nosplit
func (c *Cache) shard(i uint32) *shard {
	return shardAt(host.Address(atomic.LoadUintptr(c.shardWord(i))))
}

//go:nosplit
func (c *Cache) shardWord(i uint32) *uintptr {
	if host.Checked && i >= c.count {
		host.Fail()
	}
	return (*uintptr)((c.shards + host.Address(i)*host.Address(unsafe.Sizeof(host.Address(0)))).Pointer())
}

// shardOf returns the shard of a hash, nil where it was never made.
//
//go:nosplit
func (c *Cache) shardOf(hash uint64) *shard {
	return c.shard(uint32(hash >> c.shift))
}

// Free gives the memory of the cache back, which nobody may use any more.
//
//go:nosplit
func (c *Cache) Free() {
	h := c.host()
	for i := range c.count {
		if s := c.shard(i); s != nil {
			s.clear(h)
			memoryOf(h).release(h, host.AddressOf(unsafe.Pointer(s)), uint64(unsafe.Sizeof(shard{})))
		}
	}
	memoryOf(h).release(h, host.AddressOf(unsafe.Pointer(c)), cacheSize(c.count))
}

// Add puts a session under the key. It holds the cache's limit by evicting the earliest other
// session, never the newcomer; 0 is no limit. If that is not enough, because the limit was lowered, the
// result says More. A session 0 or a key that is none adds nothing, nor does any where memory has come to an end.
//
//go:nosplit
func (c *Cache) Add(key *Key, session Session, expiry int64, limit int64) (added Added) {
	if session == 0 || !key.valid() {
		return Added{}
	}
	hash := key.hash(&c.seed)
	s := c.shardOf(hash)
	if s == nil {
		if s = c.makeShard(uint32(hash >> c.shift)); s == nil {
			return Added{}
		}
	}
	s.lock.Wait(c.host())
	if !s.makeRoom(c.host()) {
		s.lock.Release()
		return Added{}
	}
	added.New, added.Replaced = c.addTo(s, key, uint32(hash), session, expiry)
	s.lock.Release()
	if added.New && c.number.Load() > c.capacity(limit) {
		added.Evicted, added.More = c.Evict(limit, session)
	}
	return added
}

// addTo does the part of an add that is under the shard's lock.
//
//go:nosplit
func (c *Cache) addTo(s *shard, key *Key, tag uint32, session Session, expiry int64) (isNew bool, replaced Session) {
	number, _ := s.find(key, tag)
	if number == none {
		// One after the other: other threads want the line of the two as well.
		sequence := c.sequence.Add(1)
		c.number.Add(1)
		s.insert(key, tag, session, expiry, sequence)
		return true, 0
	}
	return c.addAgain(s, number, session, expiry)
}

// addAgain adds a session where one is under its key, perhaps itself.
//
//go:noinline
//go:nosplit
func (c *Cache) addAgain(s *shard, number uint32, session Session, expiry int64) (isNew bool, replaced Session) {
	e := s.entry(number)
	replaced = e.session
	if replaced == session {
		if c.rules.ReaddMoves {
			s.reschedule(number, expiry, c.sequence.Add(1))
		} else {
			s.setExpiry(number, expiry)
		}
		return false, 0
	}
	e.session = session
	s.reschedule(number, expiry, c.sequence.Add(1))
	count(&s.replaced)
	count(&s.stored)
	c.raisePeak(c.number.Load()) // a claim takes it that the newcomer raised the number
	return true, replaced
}

// Held is a session that can't leave the cache until it is released.
type Held = shard

// Lookup returns the session under the key, expired or not, 0 if there is none. The session can't
// leave the cache until it is released: a lock is held, so the caller takes its reference and calls
// Release, and nothing else. Nothing is held where none was found.
//
//go:nosplit
func (c *Cache) Lookup(key *Key) (session Session, held *Held) {
	if !key.valid() {
		c.missed.Add(1)
		return 0, nil
	}
	hash := key.hash(&c.seed)
	s := c.shardOf(hash)
	if s == nil {
		c.missed.Add(1)
		return 0, nil
	}
	s.lock.Wait(c.host())
	session = s.lookup(key, uint32(hash))
	if session == 0 {
		s.lock.Release()
		return 0, nil
	}
	return session, s
}

// Release lets go of the session that Lookup held.
//
//go:nosplit
func (h *Held) Release() {
	h.lock.Release()
}

// lockShardOf locks the shard of a key and returns it and the tag of the key in it; nil for a key that is none, and where
// the shard was never made.
//
//go:nosplit
func (c *Cache) lockShardOf(key *Key) (*shard, uint32) {
	if !key.valid() {
		return nil, 0
	}
	hash := key.hash(&c.seed)
	s := c.shardOf(hash)
	if s != nil {
		s.lock.Wait(c.host())
	}
	return s, uint32(hash)
}

// Contains reports whether a session is under the key, and counts nothing.
//
//go:nosplit
func (c *Cache) Contains(key *Key) bool {
	s, tag := c.lockShardOf(key)
	if s == nil {
		return false
	}
	number, _ := s.find(key, tag)
	s.lock.Release()
	return number != none
}

// Remove takes out and returns whichever session is under the key, 0 if none. Of several threads
// one gets it.
//
//go:nosplit
func (c *Cache) Remove(key *Key) Session {
	s, tag := c.lockShardOf(key)
	if s == nil {
		return 0
	}
	number, position := s.find(key, tag)
	if number == none {
		s.lock.Release()
		return 0
	}
	count(&s.removed)
	session := s.take(number, position)
	c.leave()
	c.tidy(s)
	s.lock.Release()
	return session
}

// leave counts a session out.
//
//go:nosplit
func (c *Cache) leave() {
	c.raisePeak(c.number.Add(-1) + 1)
}

// Reschedule notes a new expiry of a session, if that very session is under the key, and moves it to
// its new place, behind its equals. By insertion nothing moves. Where there is no memory for it, all stays as it is.
//
//go:nosplit
func (c *Cache) Reschedule(key *Key, session Session, expiry int64) bool {
	s, tag := c.lockShardOf(key)
	if s == nil {
		return false
	}
	number, _ := s.find(key, tag)
	if number == none || s.entry(number).session != session {
		s.lock.Release()
		return false
	}
	if s.byInsertion {
		s.entry(number).expiry = expiry
	} else if s.makeRoom(c.host()) {
		s.reschedule(number, expiry, c.sequence.Add(1))
	}
	s.lock.Release()
	return true
}

// Number returns how many sessions are held, expired ones included. It takes no lock.
//
//go:nosplit
func (c *Cache) Number() int64 {
	return c.number.Load()
}

// makeShard returns the shard i, which is made when its first session comes; nil where there is no memory for it.
//
//go:noinline
//go:nosplit
func (c *Cache) makeShard(i uint32) *shard {
	h := c.host()
	c.lock.Wait(h)
	s := c.shard(i)
	if s == nil {
		at := memoryOf(h).allocate(h, uint64(unsafe.Sizeof(shard{})))
		if at != 0 {
			s = shardAt(at)
			s.top = host.AddressOf(unsafe.Pointer(c.top(i)))
			s.shown = math.MaxUint64
			s.byInsertion = c.rules.ByInsertion
			s.clear(h)
			atomic.StoreUintptr(c.shardWord(i), uintptr(at))
		}
	}
	c.lock.Release()
	return s
}
