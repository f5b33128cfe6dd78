package cache

import "testing"

// Threads that add over the limit and remove at once empty shards all the time, while others look for the
// earliest place in them. This hung where half of an emptied shard's place was taken for a place.
func TestEvictionMeetsEmptiedShards(t *testing.T) {
	const threads = 4
	c := fresh(Rules{CountsNewcomer: true})
	count := rounds(t)
	together(threads, func(thread int) {
		key := Key{Version: 0x303, Length: 1}
		for i := range count {
			key.ID[0] = byte(i + thread)
			c.Add(&key, Session(i*threads+thread+1), int64(i), 2)
			c.Remove(&key)
		}
	})
}
