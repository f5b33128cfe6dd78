package cache

// An index finds an entry by its hash: open addressing, linear probing. A slot holds 32 bits of the
// hash, the tag, beside the entry's number, so that a probe looks at an entry only when it is almost
// surely the right one, and growing or closing a gap looks at none.
type index struct {
	slots []slot // a power of two
	used  int
}

// A slot is tag<<32 | entry; 0 is an empty one, since entries are numbered from 1.
type slot uint64

const firstSlots = 8

func newSlot(tag, entry uint32) slot {
	return slot(tag)<<32 | slot(entry)
}

func (s slot) tag() uint32   { return uint32(s >> 32) }
func (s slot) entry() uint32 { return uint32(s) }

func newIndex() index {
	return index{slots: make([]slot, firstSlots)}
}

// insert adds a slot that is not there yet.
func (x *index) insert(added slot) {
	if (x.used+1)*2 > len(x.slots) {
		x.double()
	}
	x.used++
	x.place(added)
}

func (x *index) place(added slot) {
	mask := uint32(len(x.slots) - 1)
	position := added.tag() & mask
	for x.slots[position] != 0 {
		position = (position + 1) & mask
	}
	x.slots[position] = added
}

func (x *index) double() {
	smaller := x.slots
	x.slots = make([]slot, 2*len(smaller))
	for _, moved := range smaller {
		if moved != 0 {
			x.place(moved)
		}
	}
}

// position returns where a slot is that is there.
func (x *index) position(there slot) uint32 {
	mask := uint32(len(x.slots) - 1)
	position := there.tag() & mask
	for x.slots[position] != there {
		position = (position + 1) & mask
	}
	return position
}

// remove empties a slot by its position and closes the gap: no tombstones, so probes stay short
// however many sessions come and go.
func (x *index) remove(gap uint32) {
	slots := x.slots
	mask := uint32(len(slots) - 1)
	for next := (gap + 1) & mask; ; next = (next + 1) & mask {
		moved := slots[next]
		if moved == 0 {
			break
		}
		// A slot may move back into the gap only if its home is not after the gap.
		if home := moved.tag() & mask; (next-home)&mask >= (next-gap)&mask {
			slots[gap] = moved
			gap = next
		}
	}
	slots[gap] = 0
	x.used--
}
