//go:build race || !amd64

package cache

import "sync/atomic"

// release lets go of the lock, after all that was done under it.
//
//go:nosplit
func (l *lock) release() {
	l.held.Store(0)
}

// show sets what others read without a lock, before the lock is released.
//
//go:nosplit
func show(to *atomic.Uint64, value uint64) {
	to.Store(value)
}
