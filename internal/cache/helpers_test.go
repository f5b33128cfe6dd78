package cache

import "libsslcache/internal/host"

// The host of all tests but those of memory: this process.
var local = host.Local()

// fresh makes a cache, which a test need not free.
func fresh(rules Rules) *Cache {
	return New(local, rules)
}

// freshWidth makes one of 1 << width shards.
func freshWidth(rules Rules, width int) *Cache {
	return newCache(local, rules, width)
}

// lookup looks a session up and calls retain, which may be nil, while it is held.
func lookup(c *Cache, key *Key, retain func(Session)) Session {
	session, held := c.Lookup(key)
	if session != 0 {
		if retain != nil {
			retain(session)
		}
		held.Release()
	}
	return session
}

func statsOf(c *Cache) (stats Stats) {
	c.Stats(&stats)
	return stats
}

// list lists into a slice.
func list(c *Cache, cursor uint64, entries []Entry) (n int, next uint64) {
	count, next := c.Entries(cursor, &entries[0], uint64(len(entries)))
	return int(count), next
}

// drain empties a cache and returns its sessions in their order.
func drain(c *Cache) (order []Session) {
	cursor := uint64(0)
	for s := c.Drain(&cursor); s != 0; s = c.Drain(&cursor) {
		order = append(order, s)
	}
	return order
}
