package cache

import (
	"math"
	"math/bits"
)

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

// Evict takes the earliest session out if the cache is over its limit, and returns it and whether
// the cache still is: with that it continues an Add. The newcomer is never the victim. A session
// without id can't be removed: where it is the earliest, eviction ends.
//
//go:nosplit
func (c *Cache) Evict(limit int64, newcomer Session) (victim Session, more bool) {
	capacity := c.capacity(limit)
	if c.number.Load() <= capacity {
		return 0, false
	}
	s, number := c.lockEarliest(newcomer)
	if s == nil {
		return 0, false
	}
	if s.entry(number).length > 0 && c.claim(capacity) {
		count(&s.evicted)
		victim = s.take(number, c.position(s, number))
		c.tidy(s)
		more = c.number.Load() > capacity
	}
	s.lock.Release()
	return victim, more
}

// position returns where the slot of an entry is that was not found by its key.
//
//go:noinline
//go:nosplit
func (c *Cache) position(s *shard, number uint32) uint32 {
	e := s.entry(number)
	return s.index.position(newSlot(uint32(hash(e.head(), &e.id, &c.seed)), number))
}

// claim takes one off the number if it is above the capacity. Of threads that add into a full cache
// at the same time each claims once, so the cache gets back to its capacity exactly and not below. Called under the lock
// of the victim's shard, so that the number is right whenever all locks are held.
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

// lockEarliest finds the earliest session, apart from the newcomer, and locks its shard; nil if there is none.
//
//go:nosplit
func (c *Cache) lockEarliest(newcomer Session) (*shard, uint32) {
	for {
		i, earliest := c.earliest(noShard)
		if i == noShard {
			return nil, none
		}
		s := c.lockTop(i, &earliest)
		if s == nil {
			continue
		}
		number := s.run(root).entry
		if s.entry(number).session != newcomer {
			return s, number
		}
		if s, number, isDone := c.lockNext(s, i); isDone {
			return s, number
		}
	}
}

// lockNext goes on where the newcomer is the first of all to expire, which is rare: the next is in its
// shard, which is locked and number i, or on top of another.
//
//go:noinline
//go:nosplit
func (c *Cache) lockNext(s *shard, i uint32) (next *shard, number uint32, isDone bool) {
	second := s.second()
	i, earliest := c.earliest(i)
	if second.before(&earliest) {
		return s, second.entry, true
	}
	s.lock.Release()
	if i == noShard {
		return nil, none, true
	}
	if s = c.lockTop(i, &earliest); s == nil {
		return nil, none, false
	}
	return s, s.run(root).entry, true
}

// No shard has this number.
const noShard = math.MaxUint32

// earliest finds the shard, apart from one, that has the earliest place, without a lock; noShard
// and noPlace if there is none.
//
// It compares the two words of a place as one number of 128 bits and chooses with a mask: which of the shards is next
// is chance, so each branch would be one that the processor guesses wrong.
//
//go:nosplit
func (c *Cache) earliest(apart uint32) (uint32, place) {
	const sign = 1 << 63 // turned round, signed numbers are in the order of unsigned ones
	chosen, high, low := uint64(noShard), uint64(math.MaxInt64)^sign, uint64(math.MaxUint64)
	for i := range c.count {
		if i == apart {
			continue
		}
		t := c.top(i)
		expiry, sequence := uint64(t.expiry.Load())^sign, t.sequence.Load()
		_, borrow := bits.Sub64(sequence, low, 0)
		_, borrow = bits.Sub64(expiry, high, borrow)
		isEarlier := -borrow
		chosen ^= (chosen ^ uint64(i)) & isEarlier
		high ^= (high ^ expiry) & isEarlier
		low ^= (low ^ sequence) & isEarlier
	}
	return uint32(chosen), place{expiry: int64(high ^ sign), sequence: low}
}

// lockTop locks the shard i if its earliest place still is p; else it returns nil. What was read without the lock may
// be half of one place and half of another that was there later, so both halves are compared.
//
//go:nosplit
func (c *Cache) lockTop(i uint32, p *place) *shard {
	s := c.shard(i)
	s.lock.Wait(c.host())
	if !s.empty() {
		if first := s.run(root); first.sequence == p.sequence && first.expiry == p.expiry {
			return s
		}
	}
	s.lock.Release()
	return nil
}
