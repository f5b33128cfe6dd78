package cache

import (
	"slices"
	"unsafe"
)

// A memory gives shards their arrays, out of slabs of its own and not of Go's heap. There is no pointer in them,
// so the garbage collector has no use of them, and would run each time a cache that fills has doubled. The
// slabs are large pages where the kernel has them: to fault in a small one, when it is first written to, can
// take as long as all else that is done with the sessions in it, above all in a virtual machine.
//
// An array that a shard gives back, because it has a larger one or none now, waits for a shard that wants one of
// its size. A slab of which all was given back is unmapped, but for the largest.
type memory struct {
	lock  lock            // taken while the lock of a shard is held
	slabs []*slab         // of which something is in use
	begun *slab           // the last of them that arrays were cut from, or nil
	spare *slab           // of which nothing is in use, or nil
	free  map[int][]*byte // arrays that wait, by size

	mapped func(size int) []byte // memory from the kernel, nil where it has none
}

const (
	firstSlab = 64 << 10     // most processes have few sessions, and need no large page
	slabSize  = 2 << 20      // a large page
	largest   = slabSize / 4 // a larger array has a slab to itself
)

// arrays are those of all caches of the process.
var arrays = memory{free: map[int][]*byte{}, mapped: mapped}

// takeArray gives an array of zeroes, or nil where there is no more memory. The elements have no pointers.
func takeArray[T any](length int) []T {
	first := arrays.take(wholeLines(length * int(unsafe.Sizeof(*new(T)))))
	if first == nil {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(first)), length)
}

// giveArray gives back what takeArray gave.
func giveArray[T any](array []T) {
	first := (*byte)(unsafe.Pointer(unsafe.SliceData(array)))
	arrays.give(first, wholeLines(len(array)*int(unsafe.Sizeof(*new(T)))))
}

// wholeLines rounds up, so that no two arrays share a line of the processor's cache.
func wholeLines(size int) int {
	return (size + cacheLine - 1) &^ (cacheLine - 1)
}

// take gives so many bytes of zero, or nil where there is no more memory.
func (m *memory) take(size int) *byte {
	m.lock.wait()
	defer m.lock.release()
	if waiting := m.free[size]; len(waiting) > 0 {
		first := waiting[len(waiting)-1]
		waiting[len(waiting)-1] = nil // what is unmapped later must not be referred to
		m.free[size] = waiting[:len(waiting)-1]
		clear(unsafe.Slice(first, size))
		m.holding(first).used += size
		return first
	}
	s := m.slabWith(size)
	if s == nil {
		return nil
	}
	return s.cut(size)
}

// slabWith gives a slab that has so much left, or nil.
func (m *memory) slabWith(size int) *slab {
	if size > largest {
		return m.add(newSlab(size, m.mapped))
	}
	if m.begun != nil && m.begun.left() >= size {
		return m.begun
	}
	s := m.add(m.untouched(size))
	if s != nil {
		m.begun = s
	}
	return s
}

func (m *memory) give(first *byte, size int) {
	m.lock.wait()
	defer m.lock.release()
	m.free[size] = append(m.free[size], first)
	s := m.holding(first)
	s.used -= size
	if s.used == 0 {
		m.retire(s)
	}
}

func (m *memory) add(s *slab) *slab {
	if s != nil {
		m.slabs = append(m.slabs, s)
	}
	return s
}

func (m *memory) holding(first *byte) *slab {
	return m.slabs[slices.IndexFunc(m.slabs, func(s *slab) bool { return s.has(first) })]
}

// untouched gives a slab to cut arrays from, which has so much at least, or nil.
func (m *memory) untouched(size int) *slab {
	if s := m.spare; s != nil && len(s.bytes) >= size {
		m.spare = nil
		return s
	}
	if len(m.slabs) == 0 && size <= firstSlab {
		return newSlab(firstSlab, m.mapped)
	}
	return newSlab(slabSize, m.mapped)
}

// retire takes a slab out of which nothing is in use.
func (m *memory) retire(s *slab) {
	m.slabs = slices.DeleteFunc(m.slabs, func(other *slab) bool { return other == s })
	for size, waiting := range m.free {
		m.free[size] = slices.DeleteFunc(waiting, s.has)
	}
	if m.begun == s {
		m.begun = nil
	}
	if len(s.bytes) <= slabSize && (m.spare == nil || len(m.spare.bytes) < len(s.bytes)) {
		s.renew()
		s, m.spare = m.spare, s
	}
	if s != nil {
		s.unmap()
	}
}
