package cache

import (
	"unsafe"

	"libsslcache/internal/host"
)

// A slab is memory from the host: this, and blocks and arrays behind it.
type slab struct {
	size uint64
	used uint64 // bytes of arrays
	_    [line - 16]byte
}

//go:nosplit
func slabAt(a host.Address) *slab { return (*slab)(a.Pointer()) }

//go:nosplit
func (m *memory) slab(i uint32) *host.Address {
	if host.Checked && i >= m.slabRoom {
		host.Fail()
	}
	return (*host.Address)((m.slabs + 8*host.Address(i)).Pointer())
}

// slabOf returns the slab that an address lies in.
//
//go:nosplit
func (m *memory) slabOf(at host.Address) host.Address {
	return *m.slab(m.slabsUpTo(at) - 1)
}

// slabsUpTo returns how many slabs begin at an address or before it.
//
//go:nosplit
func (m *memory) slabsUpTo(at host.Address) uint32 {
	low, high := uint32(0), m.slabCount
	for low < high {
		middle := (low + high) >> 1
		if *m.slab(middle) <= at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// addSlab adds a slab with a block of so many bytes at least, and reports whether it could.
//
//go:noinline
//go:nosplit
func (m *memory) addSlab(h *host.Host, size uint64) bool {
	if m.slabCount == m.slabRoom && !m.growSlabs(h) {
		return false
	}
	whole := uint64(slabSize)
	at := h.Map(whole)
	if at == 0 { // there may be a little left
		whole = max(firstSlab, (size+uint64(unsafe.Sizeof(slab{}))+page-1)&^(page-1))
		if at = h.Map(whole); at == 0 {
			return false
		}
	}
	i := m.slabCount
	for ; i > 0 && *m.slab(i - 1) > at; i-- {
		*m.slab(i) = *m.slab(i - 1)
	}
	*m.slab(i) = at
	m.slabCount++
	slabAt(at).size = whole
	m.put(at+host.Address(unsafe.Sizeof(slab{})), whole-uint64(unsafe.Sizeof(slab{})), 1)
	m.empty++
	return true
}

// growSlabs makes room for more slabs, in a mapping of its own.
//
//go:noinline
//go:nosplit
func (m *memory) growSlabs(h *host.Host) bool {
	larger := h.Map(16 * uint64(m.slabRoom))
	if larger == 0 {
		return false
	}
	copyWords(larger, m.slabs, 8*uint64(m.slabRoom))
	if m.slabRoom > firstSlabs {
		h.Unmap(m.slabs, 8*uint64(m.slabRoom))
	}
	m.slabs, m.slabRoom = larger, 2*m.slabRoom
	return true
}

// retire takes care of a slab of which nothing is in use: all in it is blocks. It returns how large the slab is if it
// is no slab any more and to be unmapped, else 0.
//
//go:noinline
//go:nosplit
func (m *memory) retire(at host.Address) (unused uint64) {
	whole := slabAt(at).size
	first := at + host.Address(unsafe.Sizeof(slab{}))
	for b := first; b < at+host.Address(whole); {
		m.unlist(b)
		b += host.Address(blockAt(b).size)
	}
	if m.empty == 0 {
		m.empty++
		m.put(first, whole-uint64(unsafe.Sizeof(slab{})), 0)
		return 0
	}
	for i := m.slabsUpTo(at); i < m.slabCount; i++ {
		*m.slab(i - 1) = *m.slab(i)
	}
	m.slabCount--
	return whole
}
