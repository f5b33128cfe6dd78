package cache

import (
	"sync/atomic"
	"unsafe"

	"libsslcache/internal/host"
)

// An entry is a cached session; or, where that is 0, a free entry, or what an amended one has beside.
type entry struct {
	id       id
	session  Session
	expiry   int64  // what its place in the order comes from; of an amended one, the number of its extension
	sequence uint64 // the rest of that place; of an extension, the expiry that the place comes from
	version  int32
	length   uint8
	kind     kind
	next     uint32 // behind it in its run, or in the list of free ones; of an extension, whose it is
	previous uint32 // before it in its run, see isFirst, or in the list of free ones
}

const entrySize = uint64(unsafe.Sizeof(entry{}))

// A kind says what is unusual about an entry.
type kind uint8

const (
	// A flush judges it by another expiry than its place comes from: that of its extension. It is a session that was
	// added again with another time, where that does not move it (3.5).
	amended kind = 1
	// It belongs to an amended one.
	extension kind = 2
)

// Entries are numbered from 1.
const none = 0

// A shard holds the sessions whose keys' hashes begin alike. All of it is under lock, but counters are read without.
type shard struct {
	// What adds and removals write stands on one line: threads that take turns hand over that one.
	lock                            host.Lock
	held                            uint32 // how many sessions
	entryCount                      uint32 // entries ever used, that of number 0 included
	runCount                        uint32 // as numbered in the heap
	end                             uint32 // the last entry of the run begun last
	free                            uint32 // the entry let go of last
	shown                           uint64 // the sequence of the place that is published
	stored, removed, evicted, found atomic.Uint64

	// What they read.
	index   index
	entries vector
	top     host.Address

	byInsertion bool
	extensions  uint32
	runs        vector // the heap of the order

	missed, replaced, expired atomic.Uint64
}

// A top is the earliest place of a shard, for others to read without its lock. They can see half
// of a change, and must compare under the lock.
type top struct {
	expiry   atomic.Int64
	sequence atomic.Uint64
}

const placeSize = uint64(unsafe.Sizeof(place{}))

//go:nosplit
func (t *top) load() place {
	return place{expiry: t.expiry.Load(), sequence: t.sequence.Load()}
}

//go:nosplit
func shardAt(a host.Address) *shard { return (*shard)(a.Pointer()) }

//go:nosplit
func (s *shard) entry(number uint32) *entry {
	return (*entry)(s.entries.at(number, entrySize))
}

//go:nosplit
func (s *shard) run(i uint32) *place {
	return (*place)(s.runs.at(i, placeSize))
}

// clear makes the shard as if it had never held a session, and gives its memory back.
//
//go:noinline
//go:nosplit
func (s *shard) clear(h *host.Host) {
	s.index.clear(h)
	s.entries.clear(h, entrySize)
	s.entryCount = 1 // number 0 is none
	s.runs.clear(h, placeSize)
	s.runCount = root
	s.end, s.free = none, none
}

// count adds to a counter under the lock.
//
//go:nosplit
func count(counter *atomic.Uint64) {
	host.Show(counter, counter.Load()+1)
}

// publish shows the earliest place. Called under the lock, before it is released, whenever the order changed.
//
//go:nosplit
func (s *shard) publish() {
	first := noPlace()
	if !s.empty() {
		first = *s.run(root)
	}
	if first.sequence == s.shown {
		return
	}
	s.shown = first.sequence
	t := (*top)(s.top.Pointer())
	// A store costs more than this look, and mostly it is the same second.
	if t.expiry.Load() != first.expiry {
		host.ShowSigned(&t.expiry, first.expiry)
	}
	host.Show(&t.sequence, first.sequence)
}

//go:nosplit
func (s *shard) empty() bool {
	return s.held == 0
}

// makeRoom reports whether one more session fits in now.
//
//go:nosplit
func (s *shard) makeRoom(h *host.Host) bool {
	if (s.free != none || s.entries.hasRoom(s.entryCount)) && s.runs.hasRoom(s.runCount) && s.index.hasRoom(s.held) {
		return true
	}
	return s.grow(h)
}

//go:noinline
//go:nosplit
func (s *shard) grow(h *host.Host) bool {
	if s.free == none && !s.entries.hasRoom(s.entryCount) && !s.entries.grow(h, entrySize) {
		return false
	}
	if !s.runs.hasRoom(s.runCount) && !s.runs.grow(h, placeSize) {
		return false
	}
	return s.index.hasRoom(s.held) || s.index.grow(h)
}

// matches reports whether an entry has a key.
//
//go:nosplit
func (e *entry) matches(head uint64, w *id) bool {
	return (e.head()^head)|(e.id[0]^w[0])|(e.id[1]^w[1])|(e.id[2]^w[2])|(e.id[3]^w[3]) == 0
}

//go:nosplit
func (e *entry) head() uint64 {
	return uint64(uint32(e.version)) | uint64(e.length)<<32
}

// find returns the number of the entry under the key, or none, and the position of its slot in the index.
//
//go:nosplit
func (s *shard) find(key *Key, tag uint32) (number, position uint32) {
	head, words := key.head(), key.words()
	for position = tag & s.index.mask; ; position = (position + 1) & s.index.mask {
		probed := *s.index.at(position)
		if probed == 0 {
			return none, position
		}
		if probed.tag() == tag && s.entry(probed.entry()).matches(head, words) {
			return probed.entry(), position
		}
	}
}

// lookup returns the session under the key, or 0, and counts it.
//
//go:nosplit
func (s *shard) lookup(key *Key, tag uint32) Session {
	number, _ := s.find(key, tag)
	if number == none {
		count(&s.missed)
		return 0
	}
	count(&s.found)
	return s.entry(number).session
}

// insert adds a session whose key is not there yet. There must be room.
//
//go:nosplit
func (s *shard) insert(key *Key, tag uint32, session Session, expiry int64, sequence uint64) {
	number := s.allocate()
	e := s.entry(number)
	e.id = *key.words()
	e.session, e.expiry = session, expiry
	e.version, e.length, e.kind = key.Version, uint8(key.Length), 0
	s.index.insert(newSlot(tag, number))
	s.held++
	count(&s.stored)
	s.enter(number, sequence)
	s.publish()
}

// allocate returns the number of an entry that is free. There must be room for it.
//
//go:nosplit
func (s *shard) allocate() uint32 {
	if s.free == none {
		s.entryCount++
		return s.entryCount - 1
	}
	number := s.free
	s.unlist(number)
	return number
}

// unlist takes an entry out of the list of free ones.
//
//go:nosplit
func (s *shard) unlist(number uint32) {
	e := s.entry(number)
	if e.next != none {
		s.entry(e.next).previous = e.previous
	}
	if e.previous != none {
		s.entry(e.previous).next = e.next
	} else {
		s.free = e.next
	}
}

// discard puts an entry into the list of free ones.
//
//go:nosplit
func (s *shard) discard(number uint32) {
	e := s.entry(number)
	e.session, e.kind = 0, 0
	e.next, e.previous = s.free, none
	if s.free != none {
		s.entry(s.free).previous = number
	}
	s.free = number
}

// take takes an entry out, whose slot is at the position.
//
//go:nosplit
func (s *shard) take(number, position uint32) Session {
	s.index.remove(position)
	s.held--
	s.leave(number)
	e := s.entry(number)
	session := e.session
	s.settle(e)
	s.discard(number)
	s.publish()
	return session
}

// reschedule gives a cached session another expiry and the place that comes from it. There must be room.
//
//go:nosplit
func (s *shard) reschedule(number uint32, expiry int64, sequence uint64) {
	s.leave(number)
	e := s.entry(number)
	s.settle(e)
	e.expiry = expiry
	s.enter(number, sequence)
	s.publish()
}

// order returns the expiry that the place of an entry comes from.
//
//go:nosplit
func (s *shard) order(e *entry) int64 {
	switch {
	case s.byInsertion:
		return 0
	case e.kind == amended:
		return int64(s.entry(uint32(e.expiry)).sequence)
	default:
		return e.expiry
	}
}

// expiry returns what a flush judges an entry by.
//
//go:nosplit
func (s *shard) expiry(e *entry) int64 {
	if e.kind == amended {
		return s.entry(uint32(e.expiry)).expiry
	}
	return e.expiry
}

// setExpiry gives a cached session another expiry and leaves it in its place. There must be room.
//
//go:nosplit
func (s *shard) setExpiry(number uint32, expiry int64) {
	e := s.entry(number)
	switch {
	case s.byInsertion:
		e.expiry = expiry
	case e.kind == amended:
		s.entry(uint32(e.expiry)).expiry = expiry
	case e.expiry != expiry:
		extending := s.allocate()
		x := s.entry(extending)
		x.kind, x.next = extension, number
		x.expiry, x.sequence = expiry, uint64(e.expiry)
		e.kind, e.expiry = amended, int64(extending)
		s.extensions++
	}
}

// settle takes its extension from an entry that is not in the order.
//
//go:nosplit
func (s *shard) settle(e *entry) {
	if e.kind == amended {
		s.dropExtension(e)
	}
}

//go:noinline
//go:nosplit
func (s *shard) dropExtension(e *entry) {
	s.discard(uint32(e.expiry))
	e.kind = 0
	s.extensions--
}

// list writes the entries before a number down to the first into entries, and returns how many they were and before which
// number the rest is, none if that were all. Called under the lock. It goes down, since entries move down (tidy).
//
//go:nosplit
func (s *shard) list(before uint32, entries *Entry, room uint64) (n uint64, rest uint32) {
	for number := min(before, s.entryCount); number > 1; number-- {
		e := s.entry(number - 1)
		if e.session == 0 {
			continue
		}
		if n == room {
			return n, number
		}
		listed := (*Entry)(unsafe.Add(unsafe.Pointer(entries), uintptr(n)*unsafe.Sizeof(Entry{})))
		listed.Session, listed.Expiry, listed.Sequence = e.session, s.expiry(e), e.sequence
		listed.Key.Version, listed.Key.Length = e.version, uint32(e.length)
		*listed.Key.words() = e.id
		n++
	}
	return n, none
}
