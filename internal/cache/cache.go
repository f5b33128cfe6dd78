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
// The operations that are asked for all the time come twice. Add may wait, for a lock or for memory;
// TryAdd never does, and says that it did nothing where it would have to. What begins with Try, and all
// that it calls, is marked nosplit, allocates nothing and writes no pointer: so it may run on a thread
// that Go's scheduler knows nothing of (internal/direct).
package cache

import (
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
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

// Added is the answer of Add.
type Added struct {
	New      bool    // the session became cached; false: that very session already was
	Replaced Session // another session that was under the key
	Evicted  Session // a session that gave way to the limit
	More     bool    // the cache is still over its limit: call Evict
}

// Entry is a cached session as Entries lists it.
type Entry struct {
	Key      Key
	Session  Session
	Expiry   int64
	Sequence uint64 // adding entries again by growing Sequence restores the order among equals
}

// A Cache holds sessions. Make it with New, and end it with Free: its memory is not the garbage collector's.
type Cache struct {
	rules  Rules
	seed   seed
	shift  uint                    // what is left of a hash, shifted by it, is the number of a shard
	shards []atomic.Pointer[shard] // made at first need: an empty cache is small
	tops   []top                   // side by side, so that finding the earliest is quick
	closed atomic.Bool             // nothing is done any more by what begins with Try

	_        [cacheLine]byte // what follows is written all the time, what stands above never
	number   atomic.Int64
	sequence atomic.Uint64
	peak     atomic.Int64
	missed   atomic.Uint64 // lookups in shards that were never made
	_        [cacheLine]byte
}

// New makes an empty cache.
func New(rules Rules) *Cache {
	// Threads that can run at once rarely meet in four times as many shards; more shards than that
	// would only make the search for the earliest longer. The number of processors counts, not
	// GOMAXPROCS, which a library that is called from C sets higher.
	const fewest, most = 3, 6
	return newCache(rules, max(fewest, min(bits.Len(uint(4*runtime.NumCPU()-1)), most)))
}

// newCache makes a cache of 1 << width shards.
func newCache(rules Rules, width int) *Cache {
	c := &Cache{
		rules:  rules,
		seed:   newSeed(),
		shift:  uint(64 - width),
		shards: make([]atomic.Pointer[shard], 1<<width),
		tops:   make([]top, 1<<width),
	}
	for i := range c.tops {
		c.tops[i].expiry.Store(nowhere.expiry)
		c.tops[i].sequence.Store(nowhere.sequence)
	}
	return c
}

// Close makes every operation that begins with Try leave things undone, for good.
func (c *Cache) Close() {
	c.closed.Store(true)
}

// Free gives the memory of the cache back, which nobody may use any more.
func (c *Cache) Free() {
	c.Close()
	for i := range c.shards {
		if s := c.shards[i].Swap(nil); s != nil {
			s.clear()
		}
	}
}

// Add puts a session under the key. It holds the cache's limit by evicting the earliest other
// session, never the newcomer; 0 is no limit. If that is not enough, because the limit was lowered, the
// answer says More. A session 0 or a key that is none adds nothing, nor does any where memory has come to an end.
func (c *Cache) Add(key *Key, session Session, expiry int64, limit int64) Added {
	if session == 0 || !key.valid() {
		return Added{}
	}
	hash := key.hash(&c.seed)
	s := c.shards[hash>>c.shift].Load()
	if s == nil {
		s = c.makeShard(hash >> c.shift)
	}
	s.lock.wait()
	if !s.makeRoom() {
		s.lock.release()
		return Added{}
	}
	added := c.addTo(s, key, uint32(hash), session, expiry)
	s.lock.release()
	if added.New && c.number.Load() > c.capacity(limit) {
		added.Evicted, added.More = c.Evict(limit, session)
	}
	return added
}

// TryAdd is Add where nothing has to be waited for and there is room; it evicts none, but says More.
//
//go:nosplit
func (c *Cache) TryAdd(key *Key, session Session, expiry int64, limit int64) (added Added, done bool) {
	if session == 0 || !key.valid() {
		return Added{}, true
	}
	hash := key.hash(&c.seed)
	s := c.tryShard(hash)
	if s == nil {
		return Added{}, false
	}
	if !s.hasRoom() {
		s.lock.release()
		return Added{}, false
	}
	added = c.addTo(s, key, uint32(hash), session, expiry)
	s.lock.release()
	added.More = added.New && c.number.Load() > c.capacity(limit)
	return added, true
}

// addTo does the part of an add that is under the shard's lock.
//
//go:nosplit
func (c *Cache) addTo(s *shard, key *Key, tag uint32, session Session, expiry int64) Added {
	number, _ := s.find(key, tag)
	if number == none {
		// One after the other: other threads want the line of the two as well.
		at := c.newPlace(expiry, s.allocate())
		c.number.Add(1)
		s.insert(key, tag, session, expiry, at)
		return Added{New: true}
	}
	e := s.entries.at(number)
	e.expiry = expiry
	if e.session == session {
		if c.rules.ReaddMoves {
			s.replan(c.newPlace(expiry, number))
		}
		return Added{}
	}
	replaced := e.session
	e.session = session
	s.replan(c.newPlace(expiry, number))
	s.replaced++
	c.raisePeak(c.number.Load()) // a claim takes it that the newcomer raised the number
	return Added{New: true, Replaced: replaced}
}

// newPlace is a place behind all that have this expiry.
//
//go:nosplit
func (c *Cache) newPlace(expiry int64, entry uint32) place {
	if c.rules.ByInsertion {
		expiry = 0
	}
	return place{expiry: expiry, sequence: c.sequence.Add(1), entry: entry}
}

// capacity is how many sessions a limit allows between two operations.
//
//go:nosplit
func (c *Cache) capacity(limit int64) int64 {
	switch {
	case limit <= 0:
		return math.MaxInt64
	case c.rules.CountsNewcomer:
		return max(limit-1, 1)
	default:
		return limit
	}
}

// Evict takes the earliest session out if the cache is over its limit, and answers it and whether
// the cache still is: with that it continues an Add. The newcomer is never the victim. A session
// without id can't be removed: where it is the earliest, eviction ends.
func (c *Cache) Evict(limit int64, newcomer Session) (victim Session, more bool) {
	for round := 0; ; round++ {
		victim, more, done := c.TryEvict(limit, newcomer)
		if done {
			return victim, more
		}
		pause(round)
	}
}

// TryEvict is Evict where nothing has to be waited for.
//
//go:nosplit
func (c *Cache) TryEvict(limit int64, newcomer Session) (victim Session, more, done bool) {
	capacity := c.capacity(limit)
	if !c.claim(capacity) {
		return 0, false, true
	}
	s, number, done := c.tryEarliest(newcomer)
	if s == nil {
		c.number.Add(1)
		return 0, false, done
	}
	if s.entries.at(number).key.Length == 0 {
		s.lock.release()
		c.number.Add(1)
		return 0, false, true
	}
	victim = c.take(s, number)
	s.evicted++
	s.lock.release()
	return victim, c.number.Load() > capacity, true
}

// take takes an entry out that was not found by its key.
//
//go:nosplit
func (c *Cache) take(s *shard, number uint32) Session {
	tag := uint32(s.entries.at(number).key.hash(&c.seed))
	return s.take(number, s.index.position(newSlot(tag, number)))
}

// claim takes one off the number if it is above the capacity. Of threads that add into a full cache
// at the same time each claims once, so the cache gets back to its capacity exactly and not below.
//
//go:nosplit
func (c *Cache) claim(capacity int64) bool {
	for {
		number := c.number.Load()
		if number <= capacity {
			return false
		}
		if c.number.CompareAndSwap(number, number-1) {
			c.raisePeak(number - 1)
			return true
		}
	}
}

// raisePeak notes how many were held. It is called before the number falls, not when it rises, so
// that an add does not pay for it.
//
//go:nosplit
func (c *Cache) raisePeak(number int64) {
	for peak := c.peak.Load(); number > peak; peak = c.peak.Load() {
		if c.peak.CompareAndSwap(peak, number) {
			return
		}
	}
}

// tryEarliest finds the earliest session, apart from the newcomer, and locks its shard. Where there is
// none, or where it can't be had without waiting (done is false then), the shard is nil.
//
//go:nosplit
func (c *Cache) tryEarliest(newcomer Session) (s *shard, number uint32, done bool) {
	i, earliest := c.earliest(noShard)
	if i == noShard {
		return nil, none, true
	}
	s = c.tryTop(i, &earliest)
	if s == nil {
		return nil, none, false
	}
	number = s.runs.at(root).entry
	if s.entries.at(number).session != newcomer {
		return s, number, true
	}
	return c.tryNext(s, i)
}

// tryNext goes on where the newcomer is the first of all to expire, which is rare: the next is in its
// shard, which is locked and number i, or on top of another.
//
//go:nosplit
func (c *Cache) tryNext(s *shard, i int) (next *shard, number uint32, done bool) {
	second := s.second()
	i, earliest := c.earliest(i)
	if second.before(&earliest) {
		return s, second.entry, true
	}
	s.lock.release()
	if i == noShard {
		return nil, none, true
	}
	if s = c.tryTop(i, &earliest); s == nil {
		return nil, none, false
	}
	return s, s.runs.at(root).entry, true
}

// No shard has this number.
const noShard = -1

// earliest finds the shard, apart from one, that has the earliest place, without a lock; noShard
// and nowhere if there is none.
//
//go:nosplit
func (c *Cache) earliest(apart int) (int, place) {
	chosen, earliest := noShard, nowhere
	for i := range c.tops {
		if p := element(c.tops, i).load(); i != apart && p.before(&earliest) {
			chosen, earliest = i, p
		}
	}
	return chosen, earliest
}

// tryTop locks the shard i if its earliest place still is p, and may lose it; else it returns nil.
//
//go:nosplit
func (c *Cache) tryTop(i int, p *place) *shard {
	s := element(c.shards, i).Load()
	if c.closed.Load() || !s.lock.try() {
		return nil
	}
	// What was read of an emptied shard may be half of a place: its sequence is that of nowhere.
	if s.shown == p.sequence && !s.empty() {
		return s
	}
	s.lock.release()
	return nil
}

// Lookup answers the session under the key, expired or not, 0 if there is none. The session can't
// leave the cache while retain, which may be nil, runs: a lock is held, so retain must take its
// reference and return; it must not call the cache and must not panic.
func (c *Cache) Lookup(key *Key, retain func(Session)) Session {
	s, tag := c.shardOf(key)
	if s == nil {
		c.missed.Add(1)
		return 0
	}
	s.lock.wait()
	session := s.lookup(key, tag)
	if session != 0 && retain != nil {
		retain(session)
	}
	s.lock.release()
	return session
}

// Held is a session that can't leave the cache until it is released.
type Held = shard

// TryLookup is Lookup where nothing has to be waited for. The session that it answers is held: the
// caller takes its reference and then calls Release. Nothing is held where it found none.
//
//go:nosplit
func (c *Cache) TryLookup(key *Key) (session Session, held *Held, done bool) {
	if !key.valid() {
		c.missed.Add(1)
		return 0, nil, true
	}
	hash := key.hash(&c.seed)
	s := c.tryShard(hash)
	if s == nil {
		return 0, nil, false
	}
	session = s.lookup(key, uint32(hash))
	if session == 0 {
		s.lock.release()
		return 0, nil, true
	}
	return session, s, true
}

// Release lets go of the session that TryLookup held.
//
//go:nosplit
func (h *Held) Release() {
	h.lock.release()
}

// shardOf finds the shard of a key and the tag of the key in it; nil for a key that is none, and where
// the shard was never made.
func (c *Cache) shardOf(key *Key) (*shard, uint32) {
	if !key.valid() {
		return nil, 0
	}
	hash := key.hash(&c.seed)
	return c.shards[hash>>c.shift].Load(), uint32(hash)
}

// tryShard finds and locks the shard of a hash; nil where it was never made or others have it.
//
//go:nosplit
func (c *Cache) tryShard(hash uint64) *shard {
	s := element(c.shards, int(hash>>c.shift)).Load()
	if s == nil || c.closed.Load() || !s.lock.try() {
		return nil
	}
	return s
}

// Contains says whether a session is under the key, and counts nothing.
func (c *Cache) Contains(key *Key) bool {
	s, tag := c.shardOf(key)
	if s == nil {
		return false
	}
	s.lock.wait()
	number, _ := s.find(key, tag)
	s.lock.release()
	return number != none
}

// TryContains is Contains where nothing has to be waited for.
//
//go:nosplit
func (c *Cache) TryContains(key *Key) (contained, done bool) {
	if !key.valid() {
		return false, true
	}
	hash := key.hash(&c.seed)
	s := c.tryShard(hash)
	if s == nil {
		return false, false
	}
	number, _ := s.find(key, uint32(hash))
	s.lock.release()
	return number != none, true
}

// Remove takes out and answers whichever session is under the key, 0 if none. Of several threads
// one gets it.
func (c *Cache) Remove(key *Key) Session {
	s, tag := c.shardOf(key)
	if s == nil {
		return 0
	}
	s.lock.wait()
	session := c.removeFrom(s, key, tag)
	s.tidy()
	s.lock.release()
	return session
}

// TryRemove is Remove where nothing has to be waited for, and no memory given back.
//
//go:nosplit
func (c *Cache) TryRemove(key *Key) (session Session, done bool) {
	if !key.valid() {
		return 0, true
	}
	hash := key.hash(&c.seed)
	s := c.tryShard(hash)
	if s == nil {
		return 0, false
	}
	if s.isLastOfMany() {
		s.lock.release()
		return 0, false
	}
	session = c.removeFrom(s, key, uint32(hash))
	s.lock.release()
	return session, true
}

// removeFrom does the part of a removal that is under the shard's lock.
//
//go:nosplit
func (c *Cache) removeFrom(s *shard, key *Key, tag uint32) Session {
	number, position := s.find(key, tag)
	if number == none {
		return 0
	}
	session := s.take(number, position)
	s.removed++
	c.leave()
	return session
}

// leave counts a session out.
//
//go:nosplit
func (c *Cache) leave() {
	c.raisePeak(c.number.Add(-1) + 1)
}

// Expire takes out and answers the session that is the first to expire if now > expiry, else 0.
// Called until it answers 0 it flushes what is expired at that time. The cursor, which starts as 0,
// belongs to one such flush. By insertion the order says nothing of expiry: Expire then goes through the
// cache once, in no particular order, and the cursor remembers how far it got.
func (c *Cache) Expire(now int64, cursor *uint64) Session {
	if c.rules.ByInsertion {
		return c.expireFrom(now, cursor)
	}
	s, number := c.lockEarliest()
	if s == nil {
		return 0
	}
	if now <= s.entries.at(number).expiry {
		s.lock.release()
		return 0
	}
	return c.expire(s, number)
}

// TryExpired says whether Expire would let go of a session now, where nothing has to be waited for.
//
//go:nosplit
func (c *Cache) TryExpired(now int64) (expired, done bool) {
	if c.rules.ByInsertion {
		return false, false
	}
	s, number, done := c.tryEarliest(0)
	if s == nil {
		return false, done
	}
	expired = now > s.entries.at(number).expiry
	s.lock.release()
	return expired, true
}

// lockEarliest finds the earliest session and locks its shard, nil if there is none.
func (c *Cache) lockEarliest() (*shard, uint32) {
	for round := 0; ; round++ {
		s, number, done := c.tryEarliest(0)
		if done {
			return s, number
		}
		pause(round)
	}
}

// expire lets go of a session for a flush and releases its shard's lock.
func (c *Cache) expire(s *shard, number uint32) Session {
	session := c.take(s, number)
	s.expired++
	c.leave()
	s.tidy()
	s.lock.release()
	return session
}

func (c *Cache) expireFrom(now int64, cursor *uint64) Session {
	i, number := split(*cursor)
	for ; i < len(c.shards); i, number = i+1, 0 {
		s := c.shards[i].Load()
		if s == nil {
			continue
		}
		s.lock.wait()
		for ; number < s.entryCount; number++ {
			if e := s.entries.at(number); e.session != 0 && now > e.expiry {
				*cursor = join(i, number+1)
				return c.expire(s, number)
			}
		}
		s.lock.release()
	}
	*cursor = join(i, 0)
	return 0
}

// Drain takes out and answers the earliest session, whatever its expiry, 0 if the cache is empty.
func (c *Cache) Drain() Session {
	s, number := c.lockEarliest()
	if s == nil {
		return 0
	}
	return c.expire(s, number)
}

// Reschedule notes a new expiry of a session, if that very session is under the key, and moves it to
// its new place, behind its equals. By insertion nothing moves.
func (c *Cache) Reschedule(key *Key, session Session, expiry int64) bool {
	s, tag := c.shardOf(key)
	if s == nil {
		return false
	}
	s.lock.wait()
	number, _ := s.find(key, tag)
	if number == none || s.entries.at(number).session != session {
		s.lock.release()
		return false
	}
	s.entries.at(number).expiry = expiry
	if !c.rules.ByInsertion && s.runs.reserve(s.runCount) {
		s.replan(c.newPlace(expiry, number))
	}
	s.lock.release()
	return true
}

// Number answers how many sessions are held, expired ones included. An eviction takes its victim off
// the number before it has found it. If another thread removes that one meanwhile, the number is too
// small for a moment, and could be below 0.
func (c *Cache) Number() int64 {
	return max(c.number.Load(), 0)
}

// Entries lists sessions into entries, which has room for one at least, from the cursor on, which is
// 0 at first, and answers how many it wrote and the cursor of the rest, 0 if there is none. The order of the
// list means nothing. What is in the cache from the first call to the last is listed exactly once.
func (c *Cache) Entries(cursor uint64, entries []Entry) (n int, next uint64) {
	i, number := split(cursor)
	for ; i < len(c.shards); i, number = i+1, none {
		s := c.shards[i].Load()
		if s == nil {
			continue
		}
		s.lock.wait()
		listed, rest := s.list(number, entries[n:])
		s.lock.release()
		n += listed
		if rest != none {
			return n, join(i, rest)
		}
	}
	return n, 0
}

// A cursor is the number of a shard and of an entry in it.
func join(i int, number uint32) uint64 {
	return uint64(i)<<32 | uint64(number)
}

func split(cursor uint64) (i int, number uint32) {
	return int(cursor >> 32), uint32(cursor)
}

// makeShard returns the shard i, which is made when its first session comes.
func (c *Cache) makeShard(i uint64) *shard {
	c.shards[i].CompareAndSwap(nil, newShard(&c.tops[i]))
	return c.shards[i].Load()
}
