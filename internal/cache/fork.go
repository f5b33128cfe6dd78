package cache

import "libsslcache/internal/host"

// Lock stops every operation on the cache until Unlock, for a fork: in the child too, which has only one thread, the
// cache is at rest.
//
//go:nosplit
func (c *Cache) Lock() {
	c.lock.Wait(c.host())
	for i := range c.count {
		if s := c.shard(i); s != nil {
			s.lock.Wait(c.host())
		}
	}
}

// Unlock lets the cache go on.
//
//go:nosplit
func (c *Cache) Unlock() {
	for i := range c.count {
		if s := c.shard(i); s != nil {
			s.lock.Release()
		}
	}
	c.lock.Release()
}

// LockMemory stops whatever asks for memory of the host's caches until UnlockMemory, for a fork. Their locks are taken
// before; what has no cache yet makes none meanwhile.
//
//go:nosplit
func LockMemory(h *host.Host) {
	if m := memoryOf(h); m != nil {
		m.lock.Wait(h)
	}
}

// UnlockMemory lets them go on.
//
//go:nosplit
func UnlockMemory(h *host.Host) {
	if m := memoryOf(h); m != nil {
		m.lock.Release()
	}
}
