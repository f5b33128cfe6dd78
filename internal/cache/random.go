package cache

// EvictRandom takes out and answers a session chosen by a random number, 0 if there is no other than the
// newcomer. The same number chooses the same session wherever the same sessions were added in the same
// order. A session without id can't be removed. It counts as evicted, and looks at every session.
func (c *Cache) EvictRandom(random uint64, newcomer Session) Session {
	for {
		s, p := c.firstSince(random%(c.sequence.Load()+1), newcomer)
		if s == nil {
			s, p = c.firstSince(0, newcomer)
		}
		if s == nil {
			return 0
		}
		if session := c.evictFrom(s, p); session != 0 {
			return session
		}
	}
}

// firstSince finds the session that was added or moved first since a sequence number, and its shard; nil
// if there is none.
func (c *Cache) firstSince(sequence uint64, newcomer Session) (chosen *shard, first place) {
	first = nowhere
	for i := range c.shards {
		s := c.shards[i].Load()
		if s == nil {
			continue
		}
		s.lock.wait()
		for number := uint32(1); number < s.entryCount; number++ {
			e := s.entries.at(number)
			if e.session == 0 || e.session == newcomer || e.key.Length == 0 {
				continue
			}
			if e.sequence >= sequence && e.sequence < first.sequence {
				chosen, first = s, s.placeOf(number)
			}
		}
		s.lock.release()
	}
	return chosen, first
}

// evictFrom takes out the session at a place that was found without the lock, 0 if it has left that place.
func (c *Cache) evictFrom(s *shard, p place) Session {
	s.lock.wait()
	defer s.lock.release()
	if p.entry >= s.entryCount {
		return 0
	}
	if e := s.entries.at(p.entry); e.session == 0 || e.sequence != p.sequence {
		return 0
	}
	s.evicted++
	c.leave()
	return c.take(s, p.entry)
}
