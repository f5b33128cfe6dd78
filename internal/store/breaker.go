package store

import (
	"sync/atomic"
	"time"
)

const (
	failuresToOpen = 5 // in a row
	probeInterval  = 500 * time.Millisecond
)

// breaker stops all requests after some failures in a row, until a probe of the store's own succeeds.
// The libraries for this let a request through as the probe; here that would be a handshake that waits.
type breaker struct {
	failures atomic.Int32
	open     atomic.Bool
	openings atomic.Uint64
	opened   chan struct{} // has one element after it opened
}

func newBreaker() *breaker {
	return &breaker{opened: make(chan struct{}, 1)}
}

func (b *breaker) isOpen() bool { return b.open.Load() }

func (b *breaker) succeed() { b.failures.Store(0) }

func (b *breaker) fail() {
	if b.failures.Add(1) >= failuresToOpen {
		b.trip()
	}
}

// trip opens it at once.
func (b *breaker) trip() {
	if b.open.Swap(true) {
		return
	}
	b.openings.Add(1)
	select {
	case b.opened <- struct{}{}:
	default:
	}
}

func (b *breaker) close() {
	b.failures.Store(0)
	b.open.Store(false)
}
