package cache

// Stats are the counters of a cache. Each only grows, except Number.
type Stats struct {
	Number   uint64 // sessions held now
	Peak     uint64 // the most held between two operations
	Stored   uint64 // adds of what was not there; replacements count too
	Found    uint64 // lookups that found a session
	Missed   uint64 // lookups that found none
	Replaced uint64 // sessions that gave way to another under the same key
	Evicted  uint64 // sessions that gave way to the limit
	Expired  uint64 // sessions flushed
	Removed  uint64 // sessions removed by name
}

// Stats reads the counters. While other threads work, each is right for some moment of the call.
func (c *Cache) Stats() Stats {
	number := c.Number()
	stats := Stats{Number: uint64(number), Peak: uint64(max(number, c.peak.Load())), Missed: c.missed.Load()}
	for i := range c.shards {
		if s := c.shards[i].Load(); s != nil {
			s.addStats(&stats)
		}
	}
	return stats
}

func (s *shard) addStats(stats *Stats) {
	s.lock.wait()
	stats.Stored += uint64(s.held) + s.replaced + s.evicted + s.expired + s.removed
	stats.Found += s.found
	stats.Missed += s.missed
	stats.Replaced += s.replaced
	stats.Evicted += s.evicted
	stats.Expired += s.expired
	stats.Removed += s.removed
	s.lock.release()
}
