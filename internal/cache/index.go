package cache

// An index finds an entry by its hash: open addressing, linear probing. A slot holds 32 bits of the
// hash, the tag, beside the entry's number, so that a probe looks at an entry only when it is almost
// surely the right one, and growing or closing a gap looks at none.
type index struct {
	slots []slot // a power of two
}

// A slot is tag<<32 | entry; 0 is an empty one, since entries are numbered from 1.
type slot uint64

const firstSlots = 8

// The slots of an index that has none yet: no room, so nothing is ever written there.
var noSlots = make([]slot, 1)

//go:nosplit
func newSlot(tag, entry uint32) slot {
	return slot(tag)<<32 | slot(entry)
}

//go:nosplit
func (s slot) tag() uint32 { return uint32(s >> 32) }

//go:nosplit
func (s slot) entry() uint32 { return uint32(s) }

// hasRoom says whether one more may be inserted beside so many: probes stay short while half of the
// slots are empty.
//
//go:nosplit
func (x *index) hasRoom(used uint32) bool {
	return (int(used)+1)*2 <= len(x.slots)
}

// reserve makes room for one more beside so many, and answers whether there is.
func (x *index) reserve(used uint32) bool {
	if x.hasRoom(used) {
		return true
	}
	larger := index{slots: takeArray[slot](max(2*len(x.slots), firstSlots))}
	if larger.slots == nil {
		return false
	}
	for _, moved := range x.slots {
		if moved != 0 {
			larger.insert(moved)
		}
	}
	x.clear()
	*x = larger
	return true
}

// clear gives all memory back.
func (x *index) clear() {
	if len(x.slots) >= firstSlots {
		giveArray(x.slots)
	}
	x.slots = noSlots
}

//go:nosplit
func (x *index) mask() uint32 {
	return uint32(len(x.slots) - 1)
}

//go:nosplit
func (x *index) at(position uint32) *slot {
	return element(x.slots, int(position))
}

// insert adds a slot that is not there yet. There must be room for it.
//
//go:nosplit
func (x *index) insert(added slot) {
	mask := x.mask()
	position := added.tag() & mask
	for *x.at(position) != 0 {
		position = (position + 1) & mask
	}
	*x.at(position) = added
}

// position returns where a slot is that is there.
//
//go:nosplit
func (x *index) position(there slot) uint32 {
	mask := x.mask()
	position := there.tag() & mask
	for *x.at(position) != there {
		position = (position + 1) & mask
	}
	return position
}

// remove empties a slot by its position and closes the gap: no tombstones, so probes stay short
// however many sessions come and go.
//
//go:nosplit
func (x *index) remove(gap uint32) {
	mask := x.mask()
	for next := (gap + 1) & mask; ; next = (next + 1) & mask {
		moved := *x.at(next)
		if moved == 0 {
			break
		}
		// A slot may move back into the gap only if its home is not after the gap.
		if home := moved.tag() & mask; (next-home)&mask >= (next-gap)&mask {
			*x.at(gap) = moved
			gap = next
		}
	}
	*x.at(gap) = 0
}
