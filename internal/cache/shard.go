package cache

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// An entry is a cached session. It has no pointer, so the garbage collector never looks at entries.
type entry struct {
	key      Key // canonical
	session  Session
	expiry   int64  // what a flush judges by
	order    int64  // the expiry that its place in the order came from, which may be an older one
	sequence uint64 // the rest of that place
	next     uint32 // behind it in its run; of a free entry, the next free one
	previous uint32 // before it in its run, see isFirst
}

// Entries are numbered from 1.
const none = 0

// A shard holds the sessions whose keys' hashes begin alike. All of it but found and missed, which
// look-ups count side by side, is under lock.
type shard struct {
	shardState
	_ [(cacheLine - unsafe.Sizeof(shardState{})%cacheLine) % cacheLine]byte
}

type shardState struct {
	lock    sync.RWMutex
	index   index
	entries arena[entry]
	runs    arena[place] // the heap of the order
	end     uint32       // the last entry of the run begun last
	free    uint32       // the entry let go of last
	counts  counts
	found   atomic.Uint64
	missed  atomic.Uint64
	top     *top // what this shard publishes
	shown   uint64
}

// Two shards never share a line, so that their locks don't disturb one another.
const cacheLine = 64

// A top is the earliest place of a shard, for others to read without its lock. They can see half
// of a change, and must compare the sequence again under the lock.
type top struct {
	expiry   atomic.Int64
	sequence atomic.Uint64
}

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

// clear makes the shard anew, and gives the memory of a large one back to the garbage collector.
func (s *shard) clear() {
	s.index = newIndex()
	s.entries = arena[entry]{}
	s.entries.grow() // number 0 is none
	s.runs = arena[place]{}
	for range root {
		s.runs.grow()
	}
	s.end, s.free = none, none
}

// publish shows the earliest place. Called under the lock, before it is released, whenever the order changed.
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
	s.top.sequence.Store(first.sequence)
}

func (s *shard) empty() bool {
	return s.runs.length == root
}

// find returns the number of the entry under the key, or none, and the position of its slot in the index.
func (s *shard) find(key *Key, tag uint32) (number, position uint32) {
	slots := s.index.slots
	mask := uint32(len(slots) - 1)
	for position = tag & mask; ; position = (position + 1) & mask {
		probed := slots[position]
		if probed == 0 {
			return none, position
		}
		if probed.tag() == tag && key.names(&s.entries.at(probed.entry()).key) {
			return probed.entry(), position
		}
	}
}

// insert adds a session whose key is not there yet.
func (s *shard) insert(key *Key, tag uint32, session Session, expiry int64, at place) {
	at.entry = s.allocate()
	e := s.entries.at(at.entry)
	e.key.assign(key)
	e.session, e.expiry = session, expiry
	s.index.insert(newSlot(tag, at.entry))
	s.enter(at)
	s.publish()
}

func (s *shard) allocate() uint32 {
	if s.free == none {
		s.entries.grow()
		return s.entries.length - 1
	}
	number := s.free
	s.free = s.entries.at(number).next
	return number
}

// take takes an entry out, whose slot is at the position.
func (s *shard) take(number, position uint32) Session {
	s.index.remove(position)
	s.leave(number)
	e := s.entries.at(number)
	session := e.session
	e.session, e.next = 0, s.free
	s.free = number
	if s.empty() && len(s.entries.chunks) > 1 {
		s.clear()
	}
	s.publish()
	return session
}

// replan gives a cached session another place in the order.
func (s *shard) replan(at place) {
	s.leave(at.entry)
	s.enter(at)
	s.publish()
}

// list writes the entries from a number on into entries, and answers how many they were and the number
// of the next, none if that were all. Called under the lock.
func (s *shard) list(number uint32, entries []Entry) (n int, rest uint32) {
	for number = max(number, 1); number < s.entries.length; number++ {
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
