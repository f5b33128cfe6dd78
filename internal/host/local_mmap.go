//go:build !race

package host

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const largePage = 2 << 20

func mapping() (onMap func(size uint64) Address, onUnmap func(memory Address, size uint64)) {
	return mapPages, unmapPages
}

// mapPages begins what is large where a large page begins, and asks the kernel for those.
func mapPages(size uint64) Address {
	if size < largePage {
		return mapAnonymous(size)
	}
	memory := mapAnonymous(size + largePage)
	if memory == 0 {
		return mapAnonymous(size)
	}
	skipped := uint64(-memory & (largePage - 1))
	if skipped > 0 {
		unmapPages(memory, skipped)
	}
	if skipped < largePage {
		unmapPages(memory+Address(skipped+size), largePage-skipped)
	}
	memory += Address(skipped)
	_ = unix.Madvise(unsafe.Slice((*byte)(memory.Pointer()), size), unix.MADV_HUGEPAGE)
	return memory
}

func mapAnonymous(size uint64) Address {
	memory, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0
	}
	return AddressOf(memory)
}

func unmapPages(memory Address, size uint64) {
	_ = unix.MunmapPtr(memory.Pointer(), uintptr(size))
}
