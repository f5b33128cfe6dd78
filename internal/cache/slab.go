package cache

import (
	"syscall"
	"unsafe"
)

// A slab is memory from the kernel that arrays are cut from, one behind the other.
type slab struct {
	mapping []byte // what is to be unmapped
	bytes   []byte
	cutOff  int // bytes that were cut
	used    int // of these, bytes that are not back
}

// newSlab gives one of so many bytes, all zero, out of what mapped gives, which may be nil; then it is nil.
func newSlab(size int, mapped func(size int) []byte) *slab {
	if size < slabSize {
		return alignedSlab(mapped(size), size)
	}
	// A large page begins somewhere in it. Where there is no room for so much, a slab without goes as well.
	s := alignedSlab(mapped(size+slabSize), size)
	if s == nil {
		return alignedSlab(mapped(size), size)
	}
	_ = syscall.Madvise(s.bytes, syscall.MADV_HUGEPAGE)
	return s
}

// alignedSlab makes one of a mapping, which may be larger: then the slab begins where a large page does.
func alignedSlab(mapping []byte, size int) *slab {
	if mapping == nil {
		return nil
	}
	skipped := 0
	if len(mapping) > size {
		skipped = int(-uintptr(unsafe.Pointer(&mapping[0])) & (slabSize - 1))
	}
	return &slab{mapping: mapping, bytes: mapping[skipped : skipped+size]}
}

func (s *slab) left() int {
	return len(s.bytes) - s.cutOff
}

// cut gives the next bytes. There must be so many left.
func (s *slab) cut(size int) *byte {
	first := &s.bytes[s.cutOff]
	s.cutOff += size
	s.used += size
	return first
}

func (s *slab) has(byteOfIt *byte) bool {
	at := uintptr(unsafe.Pointer(byteOfIt)) - uintptr(unsafe.Pointer(&s.bytes[0]))
	return at < uintptr(len(s.bytes))
}

// renew makes the slab as if nothing had been cut from it.
func (s *slab) renew() {
	clear(s.bytes[:s.cutOff])
	s.cutOff = 0
}

func (s *slab) unmap() {
	unmapped(s.mapping)
	*s = slab{}
}
