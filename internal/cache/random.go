package cache

// EvictRandom takes out and returns a session chosen by a random number, 0 if there is no other than the
// newcomer. The same number chooses the same session wherever the same sessions were added in the same
// order. A session without id can't be removed. It counts as evicted, and looks at every session.
//
//go:nosplit
func (c *Cache) EvictRandom(random uint64, newcomer Session) Session {
	for {
		numbers := c.sequence.Load() + 1
		if numbers == 0 {
			return 0
		}
		s, p := c.firstSince(random%numbers, newcomer)
		if s == nil {
			s, p = c.firstSince(0, newcomer)
		}
		if s == nil {
			return 0
		}
		if session := c.evictFrom(s, &p); session != 0 {
			return session
		}
	}
}

// firstSince finds the session that was added or moved first since a sequence number, and its shard; nil
// if there is none.
//
//go:nosplit
func (c *Cache) firstSince(sequence uint64, newcomer Session) (chosen *shard, first place) {
	first = noPlace()
	for i := range c.count {
		s := c.shard(i)
		if s == nil {
			continue
		}
		s.lock.Wait(c.host())
		for number := uint32(1); number < s.entryCount; number++ {
			e := s.entry(number)
			if e.session == 0 || e.session == newcomer || e.length == 0 {
				continue
			}
			if e.sequence >= sequence && e.sequence < first.sequence {
				chosen, first = s, place{sequence: e.sequence, entry: number}
			}
		}
		s.lock.Release()
	}
	return chosen, first
}

// evictFrom takes out the session at a place that was found without the lock, 0 if it has left that place.
//
//go:nosplit
func (c *Cache) evictFrom(s *shard, p *place) (session Session) {
	s.lock.Wait(c.host())
	if s.has(p) {
		count(&s.evicted)
		session = s.take(p.entry, c.position(s, p.entry))
		c.leave()
		c.tidy(s)
	}
	s.lock.Release()
	return session
}
