package cache

// Stats are the counters of a cache. Each only grows, except Number. It is struct core_stats (capi/core.h).
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

// Stats reads the counters, without a lock. While other threads work, each is right for some moment of the call.
//
//go:nosplit
func (c *Cache) Stats(stats *Stats) {
	number := c.Number()
	*stats = Stats{}
	stats.Number, stats.Peak, stats.Missed = uint64(number), uint64(max(number, c.peak.Load())), c.missed.Load()
	for i := range c.count {
		if s := c.shard(i); s != nil {
			stats.add(s)
		}
	}
}

//go:nosplit
func (stats *Stats) add(s *shard) {
	stats.Stored += s.stored.Load()
	stats.Found += s.found.Load()
	stats.Missed += s.missed.Load()
	stats.Replaced += s.replaced.Load()
	stats.Evicted += s.evicted.Load()
	stats.Expired += s.expired.Load()
	stats.Removed += s.removed.Load()
}
