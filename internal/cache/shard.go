package cache

import (
	"sync/atomic"
	"unsafe"
)

// An entry is a cached session. It must have no pointer: the garbage collector does not look at entries.
type entry struct {
	key      Key
	session  Session
	expiry   int64  // what a flush judges by
	order    int64  // the expiry that its place in the order came from, which may be an older one
	sequence uint64 // the rest of that place
	next     uint32 // behind it in its run; of a free entry, the next free one
	previous uint32 // before it in its run, see isFirst
}

// Entries are numbered from 1.
const none = 0

// A shard holds the sessions whose keys' hashes begin alike. All of it is under lock.
type shard struct {
	shardState
	_ [(cacheLine - unsafe.Sizeof(shardState{})%cacheLine) % cacheLine]byte
}

type shardState struct {
	// What operations write stands on one line: threads that take turns hand over that one.
	lock                            lock
	held                            uint32 // how many sessions
	entryCount                      uint32 // entries ever used, that of number 0 included
	runCount                        uint32 // as numbered in the heap
	end                             uint32 // the last entry of the run begun last
	free                            uint32 // the entry let go of last
	shown                           uint64 // the sequence of the place that is published
	found, missed, removed, evicted uint64

	// What they read.
	index   index
	entries arena[entry]
	runs    arena[place] // the heap of the order
	top     *top         // what this shard publishes

	replaced, expired uint64
}

// Two shards never share a line, so that their locks don't disturb one another.
const cacheLine = 64

// A top is the earliest place of a shard, for others to read without its lock. They can see half
// of a change, and must compare the sequence again under the lock.
type top struct {
	expiry   atomic.Int64
	sequence atomic.Uint64
}

//go:nosplit
func (t *top) load() place {
	return place{expiry: t.expiry.Load(), sequence: t.sequence.Load()}
}

func newShard(published *top) *shard {
	s := new(shard)
	s.top = published
	s.shown = nowhere.sequence
	s.clear()
	return s
}

// clear makes the shard as if it had never held a session, and gives its memory back.
func (s *shard) clear() {
	s.index.clear()
	s.entries.clear()
	s.entryCount = 1 // number 0 is none
	s.runs.clear()
	s.runCount = root
	s.end, s.free = none, none
}

// publish shows the earliest place. Called under the lock, before it is released, whenever the order changed.
//
//go:nosplit
func (s *shard) publish() {
	first := &nowhere
	if !s.empty() {
		first = s.runs.at(root)
	}
	if first.sequence == s.shown {
		return
	}
	s.shown = first.sequence
	// A store costs more than this look, and mostly it is the same second.
	if s.top.expiry.Load() != first.expiry {
		s.top.expiry.Store(first.expiry)
	}
	show(&s.top.sequence, first.sequence)
}

//go:nosplit
func (s *shard) empty() bool {
	return s.held == 0
}

// hasRoom says whether one more session fits in without memory being asked for.
//
//go:nosplit
func (s *shard) hasRoom() bool {
	return (s.free != none || s.entries.hasRoom(s.entryCount)) && s.runs.hasRoom(s.runCount) && s.index.hasRoom(s.held)
}

// makeRoom answers whether one more session fits in now.
func (s *shard) makeRoom() bool {
	hasEntry := s.free != none || s.entries.reserve(s.entryCount)
	return hasEntry && s.runs.reserve(s.runCount) && s.index.reserve(s.held)
}

// isLastOfMany says whether the session that is left is the last of a shard that was large.
//
//go:nosplit
func (s *shard) isLastOfMany() bool {
	return s.held == 1 && len(s.entries.chunks) > 1
}

// tidy gives the memory of a shard back that was large and is empty.
func (s *shard) tidy() {
	if s.empty() && len(s.entries.chunks) > 1 {
		s.clear()
	}
}

// find returns the number of the entry under the key, or none, and the position of its slot in the index.
//
//go:nosplit
func (s *shard) find(key *Key, tag uint32) (number, position uint32) {
	mask := s.index.mask()
	for position = tag & mask; ; position = (position + 1) & mask {
		probed := *s.index.at(position)
		if probed == 0 {
			return none, position
		}
		if probed.tag() == tag && key.equals(&s.entries.at(probed.entry()).key) {
			return probed.entry(), position
		}
	}
}

// lookup answers the session under the key, or 0, and counts it.
//
//go:nosplit
func (s *shard) lookup(key *Key, tag uint32) Session {
	number, _ := s.find(key, tag)
	if number == none {
		s.missed++
		return 0
	}
	s.found++
	return s.entries.at(number).session
}

// insert adds a session whose key is not there yet, as the entry that the place names.
//
//go:nosplit
func (s *shard) insert(key *Key, tag uint32, session Session, expiry int64, at place) {
	e := s.entries.at(at.entry)
	e.key = *key
	e.session, e.expiry = session, expiry
	s.index.insert(newSlot(tag, at.entry))
	s.held++
	s.enter(at)
	s.publish()
}

// allocate gives the number of an entry that is free. There must be room for it.
//
//go:nosplit
func (s *shard) allocate() uint32 {
	if s.free == none {
		s.entryCount++
		return s.entryCount - 1
	}
	number := s.free
	s.free = s.entries.at(number).next
	return number
}

// take takes an entry out, whose slot is at the position.
//
//go:nosplit
func (s *shard) take(number, position uint32) Session {
	s.index.remove(position)
	s.held--
	s.leave(number)
	e := s.entries.at(number)
	session := e.session
	e.session, e.next = 0, s.free
	s.free = number
	s.publish()
	return session
}

// replan gives a cached session another place in the order.
//
//go:nosplit
func (s *shard) replan(at place) {
	s.leave(at.entry)
	s.enter(at)
	s.publish()
}

// list writes the entries from a number on into entries, and answers how many they were and the number
// of the next, none if that were all. Called under the lock.
func (s *shard) list(number uint32, entries []Entry) (n int, rest uint32) {
	for number = max(number, 1); number < s.entryCount; number++ {
		e := s.entries.at(number)
		if e.session == 0 {
			continue
		}
		if n == len(entries) {
			return n, number
		}
		entries[n] = Entry{e.key, e.session, e.expiry, e.sequence}
		n++
	}
	return n, none
}
