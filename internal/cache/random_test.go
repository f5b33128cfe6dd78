package cache

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// evictAll evicts by a row of numbers until the newcomer alone is left, and returns in which order.
func evictAll(c *Cache, newcomer Session) (gone []Session) {
	for random := uint64(0x9e3779b97f4a7c15); c.Number() > 1; random *= 0x9e3779b97f4a7c15 {
		gone = append(gone, c.EvictRandom(random, newcomer))
	}
	return gone
}

func TestEvictRandomTakesEachSessionOnceAndNotTheNewcomer(t *testing.T) {
	var orders [2][]Session
	for run := range orders {
		c := fresh(Rules{})
		for id := range byte(100) {
			c.Add(keyed(id), Session(id)+1, int64(id), 0)
		}
		orders[run] = evictAll(c, 50)
		gone := map[Session]bool{}
		for _, session := range orders[run] {
			gone[session] = true
		}
		assert.Len(t, gone, 99)
		assert.NotContains(t, gone, Session(0))
		assert.NotContains(t, gone, Session(50))
		assert.Zero(t, c.EvictRandom(7, 50))
		assert.EqualValues(t, 99, statsOf(c).Evicted)
		assert.Equal(t, []Session{50}, drain(c))
	}
	assert.Equal(t, orders[0], orders[1], "the same numbers choose the same sessions")
	assert.NotEqual(t, Session(1), orders[0][0], "and not just the first")
}

func TestEvictRandomLeavesASessionWithoutID(t *testing.T) {
	c := fresh(Rules{})
	assert.Zero(t, c.EvictRandom(1, 0))
	c.Add(&Key{Version: 0x303}, 7, 1, 0)
	assert.Zero(t, c.EvictRandom(1, 0))
	assert.EqualValues(t, 1, c.Number())
}

func TestEvictRandomFromManyThreadsTakesEachSessionOnce(t *testing.T) {
	c := fresh(Rules{})
	for id := range byte(200) {
		c.Add(keyed(id), Session(id)+1, 1, 0)
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	gone := map[Session]int{}
	for thread := range uint64(4) {
		group.Go(func() {
			for random := range uint64(50) {
				session := c.EvictRandom(random*31+thread, 0)
				lock.Lock()
				gone[session]++
				lock.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, gone, 200)
	require.Zero(t, c.Number())
}
