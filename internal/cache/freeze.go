package cache

// Frozen is a cache at rest: every operation waits until Thaw. It is what a fork wants to see.
type Frozen struct {
	shards []*shard // locked; nil where no session ever was
}

// Freeze waits for the operations that are under way and stops all others. It is to be followed by Thaw,
// from any thread. A session that goes into a shard made meanwhile is not seen.
func (c *Cache) Freeze() *Frozen {
	frozen := &Frozen{shards: make([]*shard, len(c.shards))}
	for i := range c.shards {
		if s := c.shards[i].Load(); s != nil {
			s.lock.wait()
			frozen.shards[i] = s
		}
	}
	return frozen
}

// Entries lists as Cache.Entries does.
func (f *Frozen) Entries(cursor uint64, entries []Entry) (n int, next uint64) {
	i, number := split(cursor)
	for ; i < len(f.shards); i, number = i+1, 0 {
		if f.shards[i] == nil {
			continue
		}
		listed, rest := f.shards[i].list(number, entries[n:])
		n += listed
		if rest != none {
			return n, join(i, rest)
		}
	}
	return n, 0
}

// Thaw lets the cache go on.
func (f *Frozen) Thaw() {
	for _, s := range f.shards {
		if s != nil {
			s.lock.release()
		}
	}
}
