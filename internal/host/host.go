// Package host is what Go code asks of the process that it lives in, where Go's runtime never starts: memory, and
// a short sleep. In libsslcache.so the host is C; in tests, and where there is a runtime, it is Go (Local).
//
// The functions of Host are the only calls that such code makes to anything but its like. When the code is taken
// out of Go's binary, tools/freestanding puts a few instructions in their place that call C's function
// on the same stack; so each is a function of its own that the compiler must not inline.
package host

import "unsafe"

// Address is the address of something in the host's memory. It is no pointer: no store of it needs a write
// barrier, and the garbage collector does not look at it.
type Address uintptr

// Pointer returns the address as a pointer, to be converted to the type of what is there.
//
//go:nosplit
func (a Address) Pointer() unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&a))
}

// AddressOf returns the address of something in the host's memory; never of what is in Go's, which may move.
//
//go:nosplit
func AddressOf(p unsafe.Pointer) Address {
	return Address(uintptr(p))
}

// Host is struct core_host (capi/core.h). A func is one word, as a pointer to a function is in C, and
// only the methods below call it.
type Host struct {
	OnMap      func(size uint64) Address
	OnUnmap    func(memory Address, size uint64)
	OnPause    func(round uint32)
	OnPanicked func()
	Seed       [7]uint64 // of the hashes of all caches: random and secret
	Processors uint32    // how many threads can run at once
	Memory     Address   // of internal/cache: what all its caches share; 0 at first
}

// Map returns the address of so many bytes of zero, where a page begins; 0 if there is no memory.
//
//go:noinline
//go:nosplit
func (h *Host) Map(size uint64) Address {
	return h.OnMap(size)
}

// Unmap gives back what Map gave, all of it.
//
//go:noinline
//go:nosplit
func (h *Host) Unmap(memory Address, size uint64) {
	h.OnUnmap(memory, size)
}

// Pause lets other threads go on, the longer the higher the round is.
//
//go:noinline
//go:nosplit
func (h *Host) Pause(round uint32) {
	h.OnPause(round)
}

// Fail ends the process: a check of Checked has failed. In C it is an instruction that traps.
//
//go:noinline
//go:nosplit
func Fail() {
	panic("libsslcache: an index is out of its bounds")
}
