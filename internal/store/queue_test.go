package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func record(name string, size int) operation {
	return operation{name: name, record: make([]byte, size), life: time.Hour}
}

func removal(name string, until time.Time) operation {
	return operation{name: name, deleteUntil: until}
}

func TestQueueIsBoundedByNumber(t *testing.T) {
	q, now := newQueue(), time.Now()
	for i := range queueRoom {
		require.True(t, q.push(record(fmt.Sprint(i), 1)))
	}
	require.False(t, q.push(record("one more", 1)))
	for i := range removalsRoom {
		require.True(t, q.push(removal(fmt.Sprint(i), now)), "writes do not crowd a removal out")
	}
	require.False(t, q.push(removal("one more", now)))
	require.Equal(t, queueRoom+removalsRoom, q.length())

	require.Len(t, q.take(10, now), 10)
	for range 10 {
		require.True(t, q.push(record("again", 1)))
	}
	require.False(t, q.push(record("one more", 1)))
	require.False(t, q.push(removal("one more", now)))
}

func TestQueueIsBoundedByBytes(t *testing.T) {
	q, now := newQueue(), time.Now()
	const size = 32 << 10
	pushed := 0
	for q.push(record(fmt.Sprint(pushed), size)) {
		pushed++
	}
	require.Equal(t, queueBytes/(size+operationBytes), pushed)
	require.True(t, q.push(removal("a removal", now)))
	require.Len(t, q.take(1, now), 1)
	require.True(t, q.push(record("in its place", size)))
	require.False(t, q.push(record("one more", size)))
	for q.length() > 0 {
		q.take(batchMax, now)
	}
	require.Zero(t, q.bytes)
	require.Zero(t, q.removals)
	require.Nil(t, q.waiting, "what it had room in is given back")
	require.True(t, q.push(record("at the end", queueBytes-operationBytes)))
	require.False(t, q.push(record("one more", 0)))
}

func TestRemovalsThatAreTriedAgainAreBounded(t *testing.T) {
	q, now := newQueue(), time.Now()
	for i := range removalsRoom {
		q.tryAgain(removal(fmt.Sprint(i), now.Add(time.Hour)), now)
	}
	require.False(t, q.push(removal("one more", now)))
	require.True(t, q.push(record("a write", 1)))
	require.Len(t, q.take(batchMax, now), 1, "their time has not come")
	require.Equal(t, retryRemovals, q.nextRetry(now))
	later := now.Add(retryRemovals)
	require.Len(t, q.take(batchMax, later.Add(-1)), 0)
	require.Len(t, q.take(batchMax, later), batchMax)
	require.Equal(t, removalsRoom-batchMax, q.length())
	require.Empty(t, q.take(batchMax, now.Add(time.Hour)), "the sessions have expired")
	require.Zero(t, q.length())
	require.Equal(t, time.Hour, q.nextRetry(now))
}

// TestLastWordCounts: of what one batch has for a name only the last is carried out, and it remembers a removal
// whose place it takes.
func TestLastWordCounts(t *testing.T) {
	now := time.Now()
	soon, late := now.Add(time.Minute), now.Add(time.Hour)
	q := newQueue()
	for _, o := range []operation{
		record("a", 1), removal("a", soon), record("b", 1), record("a", 2), removal("b", late), removal("c", late),
		removal("c", soon),
	} {
		require.True(t, q.push(o))
	}
	batch := q.take(batchMax, now)
	require.Equal(t, []operation{
		{name: "a", record: make([]byte, 2), life: time.Hour, deleteUntil: soon},
		{name: "b", deleteUntil: late},
		{name: "c", deleteUntil: late},
	}, batch)
	require.Equal(t, operation{name: "a", deleteUntil: soon}, batch[0].asDeletion())
}

func TestRemovalFromBeforeComesFirst(t *testing.T) {
	q, now := newQueue(), time.Now()
	q.tryAgain(removal("a", now.Add(time.Hour)), now)
	require.True(t, q.push(record("a", 1)))
	batch := q.take(batchMax, now.Add(retryRemovals))
	require.Len(t, batch, 1)
	require.False(t, batch[0].isDeletion())
	q.tryAgain(removal("a", now.Add(time.Hour)), now)
	q.overwritten("a")
	require.Zero(t, q.length())
}
