package cache

import (
	"runtime"
	"sync/atomic"
	"syscall"
)

// A lock is held for some tens of nanoseconds. Who has to wait for longer, because the holder was
// interrupted, a shard grows or the process forks, sleeps and looks again: so the holder wakes nobody,
// and needs no scheduler to let go.
type lock struct {
	held atomic.Uint32 // 1: it is
}

// attempts are about as long as a few operations take.
const attempts = 128

// try takes the lock if it is to be had soon.
//
//go:nosplit
func (l *lock) try() bool {
	for range attempts {
		if l.held.Load() == 0 && l.held.CompareAndSwap(0, 1) {
			return true
		}
	}
	return false
}

// wait takes the lock.
func (l *lock) wait() {
	for round := 0; !l.try(); round++ {
		pause(round)
	}
}

// pause lets others go on, longer each round. It sleeps by a system call, since a timer of Go's keeps
// two descriptors open from the first one on.
func pause(round int) {
	const yields, microsecond, longest = 4, 1000, 10
	if round < yields {
		runtime.Gosched()
		return
	}
	_ = syscall.Nanosleep(&syscall.Timespec{Nsec: microsecond << min(round-yields, longest)}, nil)
}
