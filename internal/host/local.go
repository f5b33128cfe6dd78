package host

import (
	"math/rand/v2"
	"runtime"
	"syscall"
)

// Local returns a host that is this Go process.
func Local() *Host {
	h := &Host{OnPause: pause, OnPanicked: func() {}, Processors: uint32(runtime.NumCPU())}
	h.OnMap, h.OnUnmap = mapping()
	// Of the runtime's ChaCha8: crypto/rand brings the package os, which may open descriptors when it starts.
	for i := range h.Seed {
		h.Seed[i] = rand.Uint64()
	}
	return h
}

// pause sleeps by a system call, since a timer of Go's keeps two descriptors open from the first one on.
func pause(round uint32) {
	const yields, microsecond, longest = 4, 1000, 10
	if round < yields {
		runtime.Gosched()
		return
	}
	_ = syscall.Nanosleep(&syscall.Timespec{Nsec: microsecond << min(round-yields, longest)}, nil)
}
