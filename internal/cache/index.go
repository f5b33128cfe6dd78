package cache

import (
	"unsafe"

	"libsslcache/internal/host"
)

// An index finds an entry by its hash: open addressing, linear probing. A slot holds 32 bits of the
// hash, the tag, beside the entry's number, so that a probe looks at an entry only when it is almost
// surely the right one, and growing or closing a gap looks at none.
type index struct {
	slots host.Address // of an array of slots
	mask  uint32       // how many they are, a power of two, less 1
	empty slot         // the one slot of an index that has no array: no room, so nothing is ever written there
}

// A slot is tag<<32 | entry; 0 is an empty one, since entries are numbered from 1.
type slot uint64

const (
	slotSize   = uint64(unsafe.Sizeof(slot(0)))
	firstSlots = 8
)

//go:nosplit
func newSlot(tag, entry uint32) slot {
	return slot(tag)<<32 | slot(entry)
}

//go:nosplit
func (s slot) tag() uint32 { return uint32(s >> 32) }

//go:nosplit
func (s slot) entry() uint32 { return uint32(s) }

//go:nosplit
func (x *index) size() uint64 {
	return uint64(x.mask) + 1
}

//go:nosplit
func (x *index) hasArray() bool {
	return x.mask != 0
}

// hasRoom reports whether one more may be inserted beside so many: probes stay short while three of eight
// slots are empty.
//
//go:nosplit
func (x *index) hasRoom(used uint32) bool {
	return (uint64(used)+1)*8 <= x.size()*5
}

// isSparse reports whether half the size would be more than enough for so many.
//
//go:nosplit
func (x *index) isSparse(used uint32) bool {
	return x.size() > chunkSize && uint64(used)*8 < x.size()
}

// grow makes room for more, and reports whether it could.
//
//go:nosplit
func (x *index) grow(h *host.Host) bool {
	if !x.hasArray() {
		return x.resize(h, firstSlots)
	}
	return x.resize(h, 2*x.size())
}

// resize moves all slots into an array of so many, and reports whether there was memory for it.
//
//go:noinline
//go:nosplit
func (x *index) resize(h *host.Host, size uint64) bool {
	array := memoryOf(h).allocate(h, size*slotSize)
	if array == 0 {
		return false
	}
	resized := index{slots: array, mask: uint32(size - 1)}
	for i := range uint32(x.size()) {
		if moved := *x.at(i); moved != 0 {
			resized.insert(moved)
		}
	}
	x.giveBack(h)
	x.slots, x.mask = resized.slots, resized.mask
	return true
}

// clear gives all memory back.
//
//go:nosplit
func (x *index) clear(h *host.Host) {
	x.giveBack(h)
	x.slots, x.mask = host.AddressOf(unsafe.Pointer(&x.empty)), 0
}

//go:nosplit
func (x *index) giveBack(h *host.Host) {
	if x.hasArray() {
		memoryOf(h).release(h, x.slots, x.size()*slotSize)
	}
}

//go:nosplit
func (x *index) at(position uint32) *slot {
	if host.Checked && position > x.mask {
		host.Fail()
	}
	return (*slot)((x.slots + host.Address(position)*host.Address(slotSize)).Pointer())
}

// insert adds a slot that is not there yet. There must be room for it.
//
//go:nosplit
func (x *index) insert(added slot) {
	position := added.tag() & x.mask
	for *x.at(position) != 0 {
		position = (position + 1) & x.mask
	}
	*x.at(position) = added
}

// position returns where a slot is that is there.
//
//go:nosplit
func (x *index) position(there slot) uint32 {
	position := there.tag() & x.mask
	for *x.at(position) != there {
		position = (position + 1) & x.mask
	}
	return position
}

// remove empties a slot by its position and closes the gap: no tombstones, so probes stay short
// however many sessions come and go.
//
//go:nosplit
func (x *index) remove(gap uint32) {
	for next := (gap + 1) & x.mask; ; next = (next + 1) & x.mask {
		moved := *x.at(next)
		if moved == 0 {
			break
		}
		// A slot may move back into the gap only if its home is not after the gap.
		if home := moved.tag() & x.mask; (next-home)&x.mask >= (next-gap)&x.mask {
			*x.at(gap) = moved
			gap = next
		}
	}
	*x.at(gap) = 0
}
