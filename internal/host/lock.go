package host

import "sync/atomic"

// Lock is a word that is 1 while a thread holds it. It is held for some tens of nanoseconds. Who has to wait for
// longer, because the holder was interrupted, memory is asked for or the process forks, sleeps and looks
// again: so the holder wakes nobody, and a thread of real-time policy lets an ordinary one go on.
type Lock struct {
	held atomic.Uint32
}

// attempts are about as long as a few operations take.
const attempts = 128

// Try takes the lock if it is to be had soon.
//
//go:nosplit
func (l *Lock) Try() bool {
	for range attempts {
		if l.held.Load() == 0 && l.held.CompareAndSwap(0, 1) {
			return true
		}
	}
	return false
}

// Wait takes the lock.
//
//go:nosplit
func (l *Lock) Wait(h *Host) {
	if l.held.CompareAndSwap(0, 1) {
		return
	}
	l.wait(h)
}

//go:noinline
//go:nosplit
func (l *Lock) wait(h *Host) {
	for round := uint32(0); !l.Try(); round++ {
		h.Pause(round)
	}
}

// Release lets go of the lock, after all that was done under it.
//
//go:nosplit
func (l *Lock) Release() {
	release(&l.held)
}
