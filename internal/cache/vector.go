package cache

import (
	"unsafe"

	"libsslcache/internal/host"
)

// A vector grows by whole chunks and never copies more than its first chunk, so that growth leaves hardly
// anything behind and no operation waits for a large copy. Only that first chunk is smaller at birth: a
// process may have thousands of nearly empty caches. How many elements a vector has is for its shard to know, and
// how large an element is.
type vector struct {
	chunks   host.Address // of an array of the chunks' addresses, or of only
	only     host.Address // the first chunk, where chunks is the address of this
	count    uint32       // of chunks
	room     uint32       // for so many the array is large enough
	capacity uint32       // elements there is room for
}

const (
	chunkBits  = 8
	chunkSize  = 1 << chunkBits
	firstChunk = 4
)

// at returns the address of an element for which there must be room. It stays there until the next reserve.
//
//go:nosplit
func (v *vector) at(i uint32, size uint64) unsafe.Pointer {
	if host.Checked && i >= v.capacity {
		host.Fail()
	}
	return (*v.chunk(i >> chunkBits) + host.Address(i%chunkSize)*host.Address(size)).Pointer()
}

//go:nosplit
func (v *vector) chunk(i uint32) *host.Address {
	return (*host.Address)((v.chunks + 8*host.Address(i)).Pointer())
}

// hasRoom reports whether there is room for the element i.
//
//go:nosplit
func (v *vector) hasRoom(i uint32) bool {
	return i < v.capacity
}

// grow makes room for more elements, and reports whether it could.
//
//go:noinline
//go:nosplit
func (v *vector) grow(h *host.Host, size uint64) bool {
	if v.capacity < chunkSize {
		return v.enlarge(h, size)
	}
	if v.count == v.room && !v.growChunks(h) {
		return false
	}
	added := memoryOf(h).allocate(h, chunkSize*size)
	if added == 0 {
		return false
	}
	*v.chunk(v.count) = added
	v.count++
	v.capacity += chunkSize
	return true
}

// enlarge makes the first chunk, or doubles it.
//
//go:nosplit
func (v *vector) enlarge(h *host.Host, size uint64) bool {
	capacity := max(firstChunk, 2*v.capacity)
	larger := memoryOf(h).allocate(h, uint64(capacity)*size)
	if larger == 0 {
		return false
	}
	smaller := v.only
	if smaller != 0 {
		copyWords(larger, smaller, uint64(v.capacity)*size)
		memoryOf(h).release(h, smaller, uint64(v.capacity)*size)
	}
	v.chunks = host.AddressOf(unsafe.Pointer(&v.only))
	v.only, v.count, v.room, v.capacity = larger, 1, 1, capacity
	return true
}

// growChunks makes room for the addresses of more chunks.
//
//go:nosplit
func (v *vector) growChunks(h *host.Host) bool {
	room := max(8, 2*v.room)
	larger := memoryOf(h).allocate(h, 8*uint64(room))
	if larger == 0 {
		return false
	}
	if v.room == 1 {
		*(*host.Address)(larger.Pointer()) = v.only
	} else {
		copyWords(larger, v.chunks, 8*uint64(v.room))
		memoryOf(h).release(h, v.chunks, 8*uint64(v.room))
	}
	v.chunks, v.room = larger, room
	return true
}

// isSparse reports whether a chunk can be given back and there is room for so many elements and another chunk.
//
//go:nosplit
func (v *vector) isSparse(used uint32) bool {
	return v.count > 1 && v.capacity-used >= 2*chunkSize
}

// shrink gives the last chunk back, which is not the first.
//
//go:nosplit
func (v *vector) shrink(h *host.Host, size uint64) {
	v.count--
	v.capacity -= chunkSize
	memoryOf(h).release(h, *v.chunk(v.count), chunkSize*size)
}

// clear gives all memory back.
//
//go:noinline
//go:nosplit
func (v *vector) clear(h *host.Host, size uint64) {
	if v.capacity == 0 {
		return
	}
	for v.count > 0 {
		v.count--
		memoryOf(h).release(h, *v.chunk(v.count), uint64(min(v.capacity, chunkSize))*size)
	}
	if v.room > 1 {
		memoryOf(h).release(h, v.chunks, 8*uint64(v.room))
	}
	*v = vector{}
}
