package cache

import "math"

// A place is where a session stands in the order of a cache: by expiry, and among equals by the
// sequence number that it got when it was added or moved.
type place struct {
	expiry   int64
	sequence uint64
	entry    uint32
}

// after every place that a session can have
var nowhere = place{expiry: math.MaxInt64, sequence: math.MaxUint64}

func (p *place) before(other *place) bool {
	if p.expiry != other.expiry {
		return p.expiry < other.expiry
	}
	return p.sequence < other.sequence
}

// The order of a shard is a heap of places with four children a node, because the usual session is
// the last to expire and then costs one comparison. The root is number 3: thus the four children
// of a node, 4i-8 to 4i-5, are neighbours in one chunk.
const (
	root    = 3
	nothing = 0 // no number of the heap
)

func parent(i uint32) uint32     { return i>>2 + 2 }
func firstChild(i uint32) uint32 { return (i - 2) << 2 }

// put writes a place down as number i and tells its entry so.
func (s *shard) put(i uint32, p place) {
	*s.order.at(i) = p
	s.entries.at(p.entry).position = i
}

// push adds a place to the order.
func (s *shard) push(p place) {
	s.order.grow()
	s.rise(s.order.length-1, p)
}

// rise finds the position of p at i or above it.
func (s *shard) rise(i uint32, p place) {
	for i > root {
		above := s.order.at(parent(i))
		if !p.before(above) {
			break
		}
		s.put(i, *above)
		i = parent(i)
	}
	s.put(i, p)
}

// sink finds the position of p at i or below it.
func (s *shard) sink(i uint32, p place) {
	for {
		child := s.earliestChild(i)
		if child == nothing || !s.order.at(child).before(&p) {
			break
		}
		s.put(i, *s.order.at(child))
		i = child
	}
	s.put(i, p)
}

func (s *shard) earliestChild(i uint32) uint32 {
	child := firstChild(i)
	if child >= s.order.length {
		return nothing
	}
	earliest := child
	for child++; child < min(firstChild(i)+4, s.order.length); child++ {
		if s.order.at(child).before(s.order.at(earliest)) {
			earliest = child
		}
	}
	return earliest
}

// move gives the session at i another place.
func (s *shard) move(i uint32, p place) {
	if i > root && p.before(s.order.at(parent(i))) {
		s.rise(i, p)
		return
	}
	s.sink(i, p)
}

// cut takes the place at i out of the order.
func (s *shard) cut(i uint32) {
	s.order.length--
	last := *s.order.at(s.order.length)
	if i < s.order.length {
		s.move(i, last)
	}
}
