package cache

// Expire takes out and returns the session that is the first to expire if now > expiry, else 0.
// Called until it returns 0 it flushes what is expired at that time. The cursor, which starts as 0,
// belongs to one such flush: it is the sequence number at its start, and what was added or moved later is left. By
// insertion the order says nothing of expiry: Expire then goes through the cache once, in no particular
// order, and the cursor remembers how far it got; what is added meanwhile may be met or not.
//
//go:nosplit
func (c *Cache) Expire(now int64, cursor *uint64) Session {
	if c.rules.ByInsertion {
		return c.expireFrom(now, cursor)
	}
	s, number := c.lockEarliestUntil(c.start(cursor))
	if s == nil {
		return 0
	}
	if now <= s.expiry(s.entry(number)) {
		s.lock.Release()
		return 0
	}
	return c.expire(s, number)
}

// Drain takes out and returns the earliest session, whatever its expiry, 0 if there is none. The cursor is as for
// Expire.
//
//go:nosplit
func (c *Cache) Drain(cursor *uint64) Session {
	s, number := c.lockEarliestUntil(c.start(cursor))
	if s == nil {
		return 0
	}
	return c.expire(s, number)
}

// start returns the sequence number at the start of a flush.
//
//go:nosplit
func (c *Cache) start(cursor *uint64) uint64 {
	if *cursor == 0 {
		*cursor = c.sequence.Load()
	}
	return *cursor
}

// expire lets go of a session for a flush and releases its shard's lock.
//
//go:nosplit
func (c *Cache) expire(s *shard, number uint32) Session {
	count(&s.expired)
	session := s.take(number, c.position(s, number))
	c.leave()
	c.tidy(s)
	s.lock.Release()
	return session
}

// lockEarliestUntil finds the earliest session that has its place since a sequence number or before, and locks its
// shard; nil if there is none.
//
//go:nosplit
func (c *Cache) lockEarliestUntil(sequence uint64) (*shard, uint32) {
	for {
		i, earliest := c.earliest(noShard)
		if i == noShard {
			return nil, none
		}
		if earliest.sequence > sequence {
			return c.lockBehindNewcomers(sequence)
		}
		if s := c.lockTop(i, &earliest); s != nil {
			return s, s.run(root).entry
		}
	}
}

// lockBehindNewcomers does that where what was placed later is the first to expire.
//
//go:noinline
//go:nosplit
func (c *Cache) lockBehindNewcomers(sequence uint64) (*shard, uint32) {
	for {
		i, earliest := c.firstUntil(sequence)
		if i == noShard {
			return nil, none
		}
		s := c.shard(i)
		s.lock.Wait(c.host())
		if s.has(&earliest) {
			return s, earliest.entry
		}
		s.lock.Release()
	}
}

// firstUntil finds the earliest of those places and its shard, looking into one shard after the other; noShard if there
// is none.
//
//go:nosplit
func (c *Cache) firstUntil(sequence uint64) (chosen uint32, earliest place) {
	chosen, earliest = noShard, noPlace()
	for i := range c.count {
		s := c.shard(i)
		if s == nil {
			continue
		}
		s.lock.Wait(c.host())
		if !s.empty() {
			if p := s.firstUntil(sequence); p.before(&earliest) {
				chosen, earliest = i, p
			}
		}
		s.lock.Release()
	}
	return chosen, earliest
}

// has reports whether a place that was seen before the lock was taken is still the same session's.
//
//go:nosplit
func (s *shard) has(p *place) bool {
	if p.entry >= s.entryCount {
		return false
	}
	e := s.entry(p.entry)
	return e.session != 0 && e.sequence == p.sequence
}

// expireFrom is Expire by insertion. It goes down in each shard, since entries move down (tidy).
//
//go:nosplit
func (c *Cache) expireFrom(now int64, cursor *uint64) Session {
	i, before := split(*cursor)
	for ; i < c.count; i, before = i+1, wholeShard {
		s := c.shard(i)
		if s == nil {
			continue
		}
		s.lock.Wait(c.host())
		if before == wholeShard || before > s.entryCount {
			before = s.entryCount
		}
		for ; before > 1; before-- {
			if e := s.entry(before - 1); e.session != 0 && now > e.expiry {
				*cursor = join(i, max(before-1, 1))
				return c.expire(s, before-1)
			}
		}
		s.lock.Release()
	}
	*cursor = join(i, wholeShard)
	return 0
}
