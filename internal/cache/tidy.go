package cache

// A shard that was large and holds little gives memory back: an entry for each entry that goes, so that no
// removal takes long.

// Below this there is little to give back.
const fewEntries = 16 * chunkSize

// tidy gives back what a shard has no use for, after a session left it. Called under the lock.
//
//go:nosplit
func (c *Cache) tidy(s *shard) {
	if s.empty() {
		if s.entries.count > 1 {
			s.clear(c.host())
		}
		return
	}
	if s.entryCount > fewEntries && (s.held+s.extensions)*4 < s.entryCount {
		c.tidyEntries(s)
	}
	if s.runs.isSparse(s.runCount) {
		s.runs.shrink(c.host(), placeSize)
	}
	if s.index.isSparse(s.held) {
		s.index.resize(c.host(), s.index.size()/2) // or not, where there is no memory to do so
	}
}

// tidyEntries takes the last entries away. Of four three are free, as long as only removals have made the shard
// sparse; that so many go keeps it from getting sparser.
//
//go:noinline
//go:nosplit
func (c *Cache) tidyEntries(s *shard) {
	for range 4 {
		last := s.entryCount - 1
		if e := s.entry(last); e.session == 0 && e.kind != extension {
			s.unlist(last)
		} else {
			c.move(s, last, s.allocate())
		}
		s.entryCount--
	}
	if s.entries.isSparse(s.entryCount) {
		s.entries.shrink(c.host(), entrySize)
	}
}

// move gives an entry another number, that of an entry that is allocated.
//
//go:nosplit
func (c *Cache) move(s *shard, from, to uint32) {
	e := s.entry(to)
	*e = *s.entry(from)
	if e.kind == extension {
		s.entry(e.next).expiry = int64(to)
		return
	}
	if e.kind == amended {
		s.entry(uint32(e.expiry)).next = to
	}
	if e.next != none {
		s.entry(e.next).previous = to
	}
	if e.previous&isFirst != 0 {
		s.run(e.previous &^ isFirst).entry = to
	} else {
		s.entry(e.previous).next = to
	}
	if s.end == from {
		s.end = to
	}
	tag := uint32(hash(e.head(), &e.id, &c.seed))
	*s.index.at(s.index.position(newSlot(tag, from))) = newSlot(tag, to)
}
