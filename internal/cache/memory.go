package cache

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"libsslcache/internal/host"
)

// A memory gives caches their arrays, out of slabs that all caches of a host share: a process may have thousands of
// caches of one session each, and no more mappings than the kernel allows. It lies in the first slab, which
// is never given back.
//
// What is free in a slab is blocks, in lists by size. An array is cut from the front of the smallest block that
// is known to be large enough. Blocks do not grow together again, but a slab of which nothing is in use becomes
// one block, and goes back to the host when another such slab is there already.
type memory struct {
	lock  host.Lock // taken while the lock of a shard is held
	empty uint32    // slabs of which nothing is in use

	slabs               host.Address // of an array of their addresses, in ascending order
	slabCount, slabRoom uint32       // how many there are, and may be
	inUse               uint64       // bytes of arrays, those beyond slabs included

	filled [2]uint64 // a bit for each list that is not empty
	free   [classes]host.Address
}

// A block begins with this.
type block struct {
	size           uint64
	next, previous host.Address // in its list
	clean          uint64       // 1: what is behind this is zero
}

const (
	line = 64 // of the processor's cache; no two arrays share one

	page      = 4 << 10
	firstSlab = 64 << 10     // most processes have few sessions, and need no large page
	slabSize  = 2 << 20      // a large page
	largest   = slabSize / 4 // a larger array is a mapping of its own

	firstSlabs = 256 // so many slabs are known where the memory itself lies

	// Lists hold blocks of so many lines: 1 to 15, then eight lists for each power of two, as far as a slab goes.
	fine    = 16
	classes = fine + 8*12
)

// wholeLines rounds up.
//
//go:nosplit
func wholeLines(size uint64) uint64 {
	return (size + line - 1) &^ (line - 1)
}

// classOf returns the list for a block of so many bytes, which are whole lines.
//
//go:nosplit
func classOf(size uint64) uint32 {
	lines := size / line
	if lines < fine {
		return uint32(lines)
	}
	exponent := uint32(bits.Len64(lines)) - 1
	return fine + (exponent-4)*8 + uint32(lines>>((exponent-3)&63))&7
}

// wholeClass rounds a size up to the smallest that its list may hold.
//
//go:nosplit
func wholeClass(size uint64) uint64 {
	size = wholeLines(size)
	if size < fine*line {
		return size
	}
	step := uint64(1) << ((bits.Len64(size) - 4) & 63)
	return (size + step - 1) &^ (step - 1)
}

//go:nosplit
func blockAt(a host.Address) *block { return (*block)(a.Pointer()) }

// memoryOf returns what the caches of the host share, once there is a cache.
//
//go:nosplit
func memoryOf(h *host.Host) *memory {
	return (*memory)(host.Address(atomic.LoadUintptr((*uintptr)(unsafe.Pointer(&h.Memory)))).Pointer())
}

// beginMemory makes what the caches of the host share, if it is not there yet, and reports whether it is.
//
//go:noinline
//go:nosplit
func beginMemory(h *host.Host) bool {
	known := (*uintptr)(unsafe.Pointer(&h.Memory))
	if atomic.LoadUintptr(known) != 0 {
		return true
	}
	at := h.Map(firstSlab)
	if at == 0 {
		return false
	}
	const own = (uint64(unsafe.Sizeof(memory{})) + line - 1) &^ (line - 1)
	const head = uint64(unsafe.Sizeof(slab{})) + own + 8*firstSlabs
	s := slabAt(at)
	s.size, s.used = firstSlab, own+8*firstSlabs
	m := (*memory)((at + host.Address(unsafe.Sizeof(slab{}))).Pointer())
	m.slabs, m.slabRoom = at+host.Address(unsafe.Sizeof(slab{})+uintptr(own)), firstSlabs
	m.slabCount = 1
	*m.slab(0) = at
	m.put(at+host.Address(head), firstSlab-head, 1)
	if !atomic.CompareAndSwapUintptr(known, 0, uintptr(unsafe.Pointer(m))) {
		h.Unmap(at, firstSlab) // another thread was quicker
	}
	return true
}

// allocate returns so many bytes of zero, or 0 where there is no more memory.
//
//go:nosplit
func (m *memory) allocate(h *host.Host, size uint64) host.Address {
	if size > largest {
		return m.allocateMapping(h, size)
	}
	size = wholeClass(size)
	m.lock.Wait(h)
	at := m.find(size)
	if at == 0 && m.addSlab(h, size) {
		at = m.find(size)
	}
	if at != 0 {
		m.cut(at, size)
	}
	m.lock.Release()
	return at
}

// release takes back what allocate gave.
//
//go:nosplit
func (m *memory) release(h *host.Host, at host.Address, size uint64) {
	if size > largest {
		m.releaseMapping(h, at, size)
		return
	}
	size = wholeClass(size)
	m.lock.Wait(h)
	s := m.slabOf(at)
	m.inUse -= size
	slabAt(s).used -= size
	m.put(at, size, 0)
	unused := uint64(0)
	if slabAt(s).used == 0 {
		unused = m.retire(s)
	}
	m.lock.Release()
	if unused > 0 {
		h.Unmap(s, unused)
	}
}

//go:nosplit
func (m *memory) allocateMapping(h *host.Host, size uint64) host.Address {
	size = (size + page - 1) &^ (page - 1)
	at := h.Map(size)
	if at != 0 {
		m.lock.Wait(h)
		m.inUse += size
		m.lock.Release()
	}
	return at
}

//go:nosplit
func (m *memory) releaseMapping(h *host.Host, at host.Address, size uint64) {
	size = (size + page - 1) &^ (page - 1)
	m.lock.Wait(h)
	m.inUse -= size
	m.lock.Release()
	h.Unmap(at, size)
}

// find returns the smallest block that is known to have a size, 0 if there is none.
//
//go:nosplit
func (m *memory) find(size uint64) host.Address {
	class := classOf(size)
	low, high := m.filled[0], m.filled[1]
	if class < 64 {
		low &= ^uint64(0) << (class & 63)
	} else {
		low, high = 0, high&(^uint64(0)<<(class&63))
	}
	switch {
	case low != 0:
		return *m.list(uint32(bits.TrailingZeros64(low)))
	case high != 0:
		return *m.list(64 + uint32(bits.TrailingZeros64(high)))
	}
	return 0
}

//go:nosplit
func (m *memory) list(class uint32) *host.Address {
	if host.Checked && class >= classes {
		host.Fail()
	}
	return (*host.Address)(unsafe.Add(unsafe.Pointer(&m.free), 8*uintptr(class)))
}

// noteFilled notes whether a list is empty.
//
//go:nosplit
func (m *memory) noteFilled(class uint32, isFilled bool) {
	word := &m.filled[0]
	if class >= 64 {
		word = &m.filled[1]
	}
	bit := uint64(1) << (class & 63)
	if isFilled {
		*word |= bit
	} else {
		*word &^= bit
	}
}

// put makes a block.
//
//go:nosplit
func (m *memory) put(at host.Address, size, clean uint64) {
	class := classOf(size)
	list := m.list(class)
	b := blockAt(at)
	b.size, b.next, b.previous, b.clean = size, *list, 0, clean
	if *list != 0 {
		blockAt(*list).previous = at
	}
	*list = at
	m.noteFilled(class, true)
}

// unlist takes a block out of its list.
//
//go:nosplit
func (m *memory) unlist(at host.Address) {
	b := blockAt(at)
	if b.next != 0 {
		blockAt(b.next).previous = b.previous
	}
	if b.previous != 0 {
		blockAt(b.previous).next = b.next
		return
	}
	class := classOf(b.size)
	*m.list(class) = b.next
	m.noteFilled(class, b.next != 0)
}

// cut makes an array of the first bytes of a block, and another block of the rest.
//
//go:nosplit
func (m *memory) cut(at host.Address, size uint64) {
	m.unlist(at)
	b := blockAt(at)
	whole, clean := b.size, b.clean
	if whole > size {
		m.put(at+host.Address(size), whole-size, clean)
	}
	m.inUse += size
	s := slabAt(m.slabOf(at))
	if s.used == 0 {
		m.empty--
	}
	s.used += size
	if clean == 1 {
		*b = block{}
		return
	}
	clearLines(at, size)
}

// clearLines makes whole lines zero.
//
//go:nosplit
func clearLines(at host.Address, size uint64) {
	for end := at + host.Address(size); at < end; at += line {
		*(*[line / 8]uint64)(at.Pointer()) = [line / 8]uint64{}
	}
}

// copyWords copies so many bytes, rounded up to words.
//
//go:nosplit
func copyWords(to, from host.Address, size uint64) {
	for end := from + host.Address(size); from < end; from += 8 {
		*(*uint64)(to.Pointer()) = *(*uint64)(from.Pointer())
		to += 8
	}
}
