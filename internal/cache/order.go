package cache

import "math"

// A place is where a session stands in the order of a cache: by expiry, and among equals by the
// sequence number that it got when it was added or moved.
type place struct {
	expiry   int64
	sequence uint64
	entry    uint32
}

// noPlace is after every place that a session can have.
//
//go:nosplit
func noPlace() place {
	return place{expiry: math.MaxInt64, sequence: math.MaxUint64}
}

//go:nosplit
func (p *place) before(other *place) bool {
	if p.expiry != other.expiry {
		return p.expiry < other.expiry
	}
	return p.sequence < other.sequence
}

// The order of a shard is a heap of runs. A run is a list of entries of which each stands behind the
// one before it; the usual session is the last to expire of all, and goes to the end of the run that
// was begun last. A session that would stand before that end begins a new run. The heap holds the
// place of each run's first entry. So where all timeouts are the same there is one run and nothing to
// compare, whichever session goes, and no mix of timeouts costs more than the logarithm.
//
// The heap has four children a node. Its root is number 3: thus the children of a node, 4i-8 to
// 4i-5, are neighbours in one chunk.
const (
	root    = 3
	nothing = 0 // no number of the heap

	// What entry.previous of the first of a run has beside its run's number in the heap.
	isFirst = 1 << 31
)

//go:nosplit
func parent(i uint32) uint32 { return i>>2 + 2 }

//go:nosplit
func firstChild(i uint32) uint32 { return (i - 2) << 2 }

// enter puts an entry that is not amended into the order, whose expiry says where.
//
//go:nosplit
func (s *shard) enter(number uint32, sequence uint64) {
	e := s.entry(number)
	e.sequence, e.next = sequence, none
	order := e.expiry
	if s.byInsertion {
		order = 0
	}
	end := s.end
	s.end = number
	if end == none || order < s.order(s.entry(end)) {
		s.push(place{expiry: order, sequence: sequence, entry: number})
		return
	}
	e.previous = end
	s.entry(end).next = number
}

// leave takes an entry out of the order.
//
//go:nosplit
func (s *shard) leave(number uint32) {
	e := s.entry(number)
	if e.next != none {
		s.entry(e.next).previous = e.previous
	}
	if e.previous&isFirst == 0 {
		s.entry(e.previous).next = e.next
		if number == s.end {
			s.end = e.previous
		}
		return
	}
	if number == s.end {
		s.end = none
	}
	i := e.previous &^ isFirst
	if e.next == none {
		s.cut(i)
		return
	}
	next := s.placeOf(e.next)
	if firstChild(i) >= s.runCount {
		s.put(i, next)
		return
	}
	s.siftDown(i, next)
}

//go:nosplit
func (s *shard) placeOf(number uint32) place {
	e := s.entry(number)
	return place{expiry: s.order(e), sequence: e.sequence, entry: number}
}

// second returns the earliest place but one, noPlace if there is none.
//
//go:nosplit
func (s *shard) second() place {
	second := noPlace()
	if next := s.entry(s.run(root).entry).next; next != none {
		second = s.placeOf(next)
	}
	if child := s.earliestChild(root); child != nothing && s.run(child).before(&second) {
		second = *s.run(child)
	}
	return second
}

// put writes a run down as number i of the heap and tells its first entry so.
//
//go:nosplit
func (s *shard) put(i uint32, p place) {
	*s.run(i) = p
	s.entry(p.entry).previous = i | isFirst
}

//go:nosplit
func (s *shard) push(p place) {
	s.runCount++
	s.siftUp(s.runCount-1, p)
}

// siftUp finds the position of p at i or above it.
//
//go:nosplit
func (s *shard) siftUp(i uint32, p place) {
	for i > root {
		above := s.run(parent(i))
		if !p.before(above) {
			break
		}
		s.put(i, *above)
		i = parent(i)
	}
	s.put(i, p)
}

// siftDown finds the position of p at i or below it.
//
//go:nosplit
func (s *shard) siftDown(i uint32, p place) {
	for {
		child := s.earliestChild(i)
		if child == nothing || !s.run(child).before(&p) {
			break
		}
		s.put(i, *s.run(child))
		i = child
	}
	s.put(i, p)
}

//go:nosplit
func (s *shard) earliestChild(i uint32) uint32 {
	child := firstChild(i)
	if child >= s.runCount {
		return nothing
	}
	earliest := child
	for child++; child < min(firstChild(i)+4, s.runCount); child++ {
		if s.run(child).before(s.run(earliest)) {
			earliest = child
		}
	}
	return earliest
}

// cut takes the run at i out of the heap.
//
//go:nosplit
func (s *shard) cut(i uint32) {
	s.runCount--
	last := *s.run(s.runCount)
	if i == s.runCount {
		return
	}
	if i > root && last.before(s.run(parent(i))) {
		s.siftUp(i, last)
		return
	}
	s.siftDown(i, last)
}

// firstUntil finds the earliest place of those that were given one before a sequence number or with it; noPlace if
// there is none. Behind the first of a run each has a greater number, so the heap is searched below those runs
// only that begin later.
//
//go:nosplit
func (s *shard) firstUntil(sequence uint64) place {
	earliest := noPlace()
	for i := uint32(root); i != nothing; {
		run := s.run(i)
		switch {
		case run.sequence <= sequence:
			if run.before(&earliest) {
				earliest = *run
			}
			i = s.following(i)
		case firstChild(i) < s.runCount:
			i = firstChild(i)
		default:
			i = s.following(i)
		}
	}
	return earliest
}

// following returns the next number of the heap that is not below i, nothing if there is none.
//
//go:nosplit
func (s *shard) following(i uint32) uint32 {
	for i != root {
		if i&3 != 3 && i+1 < s.runCount {
			return i + 1
		}
		i = parent(i)
	}
	return nothing
}
