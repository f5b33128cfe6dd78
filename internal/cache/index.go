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
	if (x.used+1)*4 > len(x.slots)*3 {
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

// remove takes out a slot that is there, and closes the gap: no tombstones, so probes stay short
// however many sessions come and go.
func (x *index) remove(gone slot) {
	mask := uint32(len(x.slots) - 1)
	gap := gone.tag() & mask
	for x.slots[gap] != gone {
		gap = (gap + 1) & mask
	}
	for next := (gap + 1) & mask; x.slots[next] != 0; next = (next + 1) & mask {
		home := x.slots[next].tag() & mask
		// A slot may move back into the gap only if its home is not after the gap.
		if (next-home)&mask >= (next-gap)&mask {
			x.slots[gap] = x.slots[next]
			gap = next
		}
	}
	x.slots[gap] = 0
	x.used--
}
