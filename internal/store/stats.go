package store

import (
	"sync/atomic"
	"time"
)

// Stats is what a store has counted since it was opened. Each figure only grows, but Queued and Open.
type Stats struct {
	Written  uint64 // sessions that the server has taken
	Deleted  uint64 // removals that the server has carried out
	Found    uint64 // lookups that gave a session
	Missed   uint64 // lookups that the server answered without one
	Refused  uint64 // records that could not be opened: tampered with, moved, or of another key
	TimedOut uint64 // lookups that waited for the timeout
	Failed   uint64 // lookups that ended in another error
	Skipped  uint64 // lookups that were not made since the breaker was open
	Dropped  uint64 // writes and removals that were lost: the queue full, the breaker open, the server unwilling
	Queued   uint64 // operations that wait now, and removals that are to be tried again
	Openings uint64 // how often a breaker has opened; each node of a cluster has one
	Open     bool   // one of them is open now

	Waited  time.Duration // of all lookups that were made, together
	Slowest time.Duration // of one lookup
	Failure string        // the last error, "" if there was none
}

type counters struct {
	written, deleted, found, missed, refused, timedOut, failed, skipped, dropped atomic.Uint64
	waitedTotal, slowest                                                         atomic.Int64
	failure                                                                      atomic.Pointer[string]
}

func (c *counters) note(ended outcome) {
	switch ended {
	case missed:
		c.missed.Add(1)
	case found:
		c.found.Add(1)
	case skipped:
		c.skipped.Add(1)
	case timedOut:
		c.timedOut.Add(1)
	case failed:
		c.failed.Add(1)
	}
}

func (c *counters) waited(duration time.Duration) {
	c.waitedTotal.Add(int64(duration))
	for slowest := c.slowest.Load(); int64(duration) > slowest; slowest = c.slowest.Load() {
		if c.slowest.CompareAndSwap(slowest, int64(duration)) {
			return
		}
	}
}

func (c *counters) noteFailure(err error) {
	text := err.Error()
	c.failure.Store(&text)
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	c := &s.counters
	stats := Stats{
		Written: c.written.Load(), Deleted: c.deleted.Load(),
		Found: c.found.Load(), Missed: c.missed.Load(), Refused: c.refused.Load(),
		TimedOut: c.timedOut.Load(), Failed: c.failed.Load(), Skipped: c.skipped.Load(),
		Dropped: c.dropped.Load(), Queued: uint64(s.queue.length()),
		Openings: s.health.openings.Load(), Open: len(s.health.unhealthy()) > 0,
		Waited: time.Duration(c.waitedTotal.Load()), Slowest: time.Duration(c.slowest.Load()),
	}
	if text := c.failure.Load(); text != nil {
		stats.Failure = *text
	}
	return stats
}
