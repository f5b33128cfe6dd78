package store

import (
	"sync"
	"time"
)

// operation is a record to be written, or a name to be deleted.
type operation struct {
	name   string
	record []byte // nil: delete
	life   time.Duration
}

func (o *operation) isDeletion() bool { return o.record == nil }

// queue holds operations in their order until the server takes them. There is one taker.
type queue struct {
	filled chan struct{} // has one element while something may wait

	mutex   sync.Mutex
	waiting []operation
	room    int
}

func newQueue(room int) *queue {
	return &queue{filled: make(chan struct{}, 1), room: room}
}

// push answers whether there was room.
func (q *queue) push(o operation) bool {
	q.mutex.Lock()
	fits := len(q.waiting) < q.room
	if fits {
		q.waiting = append(q.waiting, o)
	}
	q.mutex.Unlock()
	if fits {
		q.wake()
	}
	return fits
}

// pushBack returns what was taken to its place before all others.
func (q *queue) pushBack(taken []operation) {
	if len(taken) == 0 {
		return
	}
	q.mutex.Lock()
	q.waiting = append(taken, q.waiting...)
	q.mutex.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

// take gives up to limit operations. Of those with one name only the last counts, so that they may be
// carried out in any order within the batch.
func (q *queue) take(limit int) []operation {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	count := min(limit, len(q.waiting))
	batch := onlyLast(q.waiting[:count])
	clear(q.waiting[:count])
	q.waiting = q.waiting[count:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	return batch
}

func (q *queue) length() int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.waiting)
}

func onlyLast(operations []operation) []operation {
	place := make(map[string]int, len(operations))
	var batch []operation
	for _, o := range operations {
		if at, known := place[o.name]; known {
			batch[at] = o
			continue
		}
		place[o.name] = len(batch)
		batch = append(batch, o)
	}
	return batch
}
