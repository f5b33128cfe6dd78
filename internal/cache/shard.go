package cache

import (
	"math"
	"sync"
	"sync/atomic"
	"unsafe"
)

// An entry is a cached session. It has no pointer, so the garbage collector never looks at entries,
// and its size is that of a cache line, so a look-up touches one.
type entry struct {
	key      Key // canonical
	session  Session
	expiry   int64  // what a flush judges by; the place in the order may be an older one
	position uint32 // in the heap; of a free entry, the next free one
	tag      uint32 // of its slot in the index
}

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
	order   arena[place]
	free    uint32 // the entry let go of last, + 1; 0 is none
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
	s.index = newIndex()
	s.clearOrder()
	s.top = published
	s.shown = math.MaxUint64
	return s
}

func (s *shard) clearOrder() {
	s.order = arena[place]{}
	for range root {
		s.order.grow()
	}
}

// publish shows the earliest place. Called under the lock, before it is released, whenever the order changed.
func (s *shard) publish() {
	first := &nowhere
	if !s.empty() {
		first = s.order.at(root)
	}
	if first.sequence == s.shown {
		return
	}
	s.shown = first.sequence
	s.top.expiry.Store(first.expiry)
	s.top.sequence.Store(first.sequence)
}

func (s *shard) empty() bool {
	return s.order.length == root
}

// find returns the entry under the key and its number, or nil.
func (s *shard) find(key *Key, tag uint32) (*entry, uint32) {
	mask := uint32(len(s.index.slots) - 1)
	for position := tag & mask; ; position = (position + 1) & mask {
		probed := s.index.slots[position]
		if probed == 0 {
			return nil, 0
		}
		if probed.tag() != tag {
			continue
		}
		if e := s.entries.at(probed.entry()); key.names(&e.key) {
			return e, probed.entry()
		}
	}
}

// insert adds a session whose key is not there yet.
func (s *shard) insert(added entry, at place) {
	number := s.allocate()
	*s.entries.at(number) = added
	s.index.insert(newSlot(added.tag, number))
	at.entry = number
	s.push(at)
	s.publish()
}

func (s *shard) allocate() uint32 {
	if s.free == 0 {
		s.entries.grow()
		return s.entries.length - 1
	}
	number := s.free - 1
	s.free = s.entries.at(number).position
	return number
}

// take takes the entry of this number out, whoever it is.
func (s *shard) take(number uint32) Session {
	e := s.entries.at(number)
	session := e.session
	s.index.remove(newSlot(e.tag, number))
	s.cut(e.position)
	*e = entry{position: s.free}
	s.free = number + 1
	if s.empty() && len(s.entries.chunks) > 1 {
		s.release()
	}
	s.publish()
	return session
}

// release gives the memory of a shard that was large and is empty back to the garbage collector.
func (s *shard) release() {
	s.index = newIndex()
	s.entries = arena[entry]{}
	s.free = 0
	s.clearOrder()
}

// replan gives a cached session another place in the order.
func (s *shard) replan(e *entry, number uint32, at place) {
	at.entry = number
	s.move(e.position, at)
	s.publish()
}
