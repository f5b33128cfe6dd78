package store

import (
	"sync"
	"time"
)

// The bounds of what waits for a server that is slow, in one process. Removals have as much room again, so that
// writes do not crowd them out: a removal that is lost is a session that can be resumed.
const (
	queueRoom      = 8192     // writes
	queueBytes     = 16 << 20 // of their records
	removalsRoom   = 8192
	batchMax       = 256 // that go at once
	retryRemovals  = 500 * time.Millisecond
	lifeUnknown    = 366 * 24 * time.Hour // of a session that is removed: how long is a removal tried again
	operationBytes = 128                  // of an operation beside its record, about
)

// operation is a record to be written, or a name to be deleted.
type operation struct {
	name   string
	record []byte // nil: delete
	life   time.Duration

	// deleteUntil is when the session expires whose removal this is, or that this write takes the place of: the
	// removal is tried again until then. Zero: there is none.
	deleteUntil time.Time
	retryAt     time.Time
}

func (o *operation) isDeletion() bool { return o.record == nil }

func (o *operation) size() int { return len(o.record) + operationBytes }

// asDeletion returns the removal that is to be done where a write that took its place has failed.
func (o *operation) asDeletion() operation {
	return operation{name: o.name, deleteUntil: o.deleteUntil}
}

// queue holds operations in their order until the server takes them, and removals that are to be tried again. There
// is one taker.
type queue struct {
	filled chan struct{} // has one element while something may wait

	mutex    sync.Mutex
	waiting  []operation
	bytes    int // of the writes among them
	removals int // among them
	again    map[string]operation
}

func newQueue() *queue {
	return &queue{filled: make(chan struct{}, 1), again: map[string]operation{}}
}

// push reports whether there was room.
func (q *queue) push(o operation) bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if !q.hasRoom(&o) {
		return false
	}
	if o.isDeletion() {
		q.removals++
	} else {
		q.bytes += o.size()
	}
	q.waiting = append(q.waiting, o)
	select {
	case q.filled <- struct{}{}:
	default:
	}
	return true
}

func (q *queue) hasRoom(o *operation) bool {
	if o.isDeletion() {
		return q.removals+len(q.again) < removalsRoom
	}
	return len(q.waiting)-q.removals < queueRoom && q.bytes+o.size() <= queueBytes
}

// tryAgain keeps a removal for later.
func (q *queue) tryAgain(o operation, now time.Time) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	o.retryAt = now.Add(retryRemovals)
	q.again[o.name] = o
}

// overwritten: the server has a newer session under that name, which no removal from before may meet.
func (q *queue) overwritten(name string) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	delete(q.again, name)
}

// take returns the removals whose time has come, and what waits, up to limit of each. Of those with one name only
// the last counts, so that they may be carried out in any order within the batch.
func (q *queue) take(limit int, now time.Time) []operation {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	batch := q.takeAgain(limit, now)
	count := min(limit, len(q.waiting))
	for i := range q.waiting[:count] {
		if q.waiting[i].isDeletion() {
			q.removals--
		} else {
			q.bytes -= q.waiting[i].size()
		}
	}
	batch = onlyLast(append(batch, q.waiting[:count]...))
	clear(q.waiting[:count])
	q.waiting = q.waiting[count:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	return batch
}

// takeAgain forgets the removals of sessions that have expired.
func (q *queue) takeAgain(limit int, now time.Time) (batch []operation) {
	for name, o := range q.again {
		switch {
		case !now.Before(o.deleteUntil):
			delete(q.again, name)
		case !now.Before(o.retryAt) && len(batch) < limit:
			batch = append(batch, o)
			delete(q.again, name)
		}
	}
	return batch
}

// nextRetry returns how long it is until a removal is to be tried again, at most a long time.
func (q *queue) nextRetry(now time.Time) time.Duration {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	next := time.Hour
	for _, o := range q.again {
		next = min(next, o.retryAt.Sub(now))
	}
	return next
}

func (q *queue) length() int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.waiting) + len(q.again)
}

func onlyLast(operations []operation) []operation {
	place := make(map[string]int, len(operations))
	var batch []operation
	for _, o := range operations {
		at, isKnown := place[o.name]
		if !isKnown {
			place[o.name] = len(batch)
			batch = append(batch, o)
			continue
		}
		if o.deleteUntil.Before(batch[at].deleteUntil) {
			o.deleteUntil = batch[at].deleteUntil
		}
		batch[at] = o
	}
	return batch
}
