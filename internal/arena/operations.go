package arena

import "unsafe"

// The operations on a bucket. Its lock is held.

// emptyDamaged empties a bucket that does not fit together.
//
//go:nosplit
func (b *bucket) emptyDamaged(c *Call) Status {
	b.empty(c)
	return Missed
}

// reserve makes the bucket ready for a new entry of the call's name, and takes an old one out.
//
//go:nosplit
func (b *bucket) reserve(c *Call, needed uint64) (number uint16, e *entry) {
	number, before, ok := b.search(&c.Name)
	if !ok || (number != 0 && !b.drop(c, number, before)) || !b.makeRoom(c, needed) {
		return 0, nil
	}
	return b.newEntry()
}

//go:nosplit
func (b *bucket) link(c *Call, number uint16, e *entry, kind uint16) {
	e.name, e.expiry, e.kind = c.Name, c.Expiry, kind
	head := c.Name.head()
	e.next = b.heads[head]
	b.heads[head] = number
}

//go:nosplit
func (b *bucket) put(c *Call) Status {
	number, e := b.reserve(c, chunksOf(c.Length))
	if e == nil {
		return b.emptyDamaged(c)
	}
	if c.dies() {
		return Abandoned
	}
	e.length, e.first = uint16(c.Length), 0
	b.link(c, number, e, kept)
	if c.dies() {
		return Abandoned
	}
	sum := beginSum(e)
	var last uint16
	for at := uint64(0); at < c.Length; at += chunkSize {
		chunk := b.newChunk()
		words := b.chunk(chunk)
		if words == nil {
			return b.emptyDamaged(c)
		}
		sum = copyIn(words, unsafe.Add(c.Record, at), c.Length-at, sum)
		if last == 0 {
			e.first = chunk
		} else {
			b.setAfter(last, chunk)
		}
		last = chunk
		if c.dies() {
			return Abandoned
		}
	}
	e.check = sum
	if c.dies() {
		return Abandoned
	}
	return Done
}

//go:nosplit
func (b *bucket) find(c *Call) Status {
	number, before, ok := b.search(&c.Name)
	if !ok {
		return b.emptyDamaged(c)
	}
	e := b.at(number)
	if e == nil {
		return Missed
	}
	if e.expiry < c.Now {
		if !b.drop(c, number, before) {
			return b.emptyDamaged(c)
		}
		return Missed
	}
	if e.kind == removed {
		return Gone
	}
	if c.Operation == Look && e.kind == kept {
		return Done
	}
	length, ok := b.read(c, e)
	if !ok {
		return b.emptyDamaged(c)
	}
	if c.dies() {
		return Abandoned
	}
	if c.Operation == Take && !b.drop(c, number, before) {
		return b.emptyDamaged(c)
	}
	if c.dies() {
		return Abandoned
	}
	c.Length = length
	return Done
}

// read copies a record into the room of the call. False: it is not what was put there.
//
//go:nosplit
func (b *bucket) read(c *Call, e *entry) (length uint64, ok bool) {
	length = uint64(e.length)
	if e.kind != kept || length == 0 || length > c.Length || length > MaxRecord {
		return 0, false
	}
	sum, number := beginSum(e), e.first
	for at := uint64(0); at < length; at += chunkSize {
		words := b.chunk(number)
		if words == nil {
			return 0, false
		}
		sum = copyOut(words, unsafe.Add(c.Record, at), length-at, sum)
		number = b.after(number)
	}
	return length, sum == e.check
}

// remove leaves an entry that says so, until the record would have expired.
//
//go:nosplit
func (b *bucket) remove(c *Call) Status {
	found, before, ok := b.search(&c.Name)
	if !ok {
		return b.emptyDamaged(c)
	}
	status := Missed
	if e := b.at(found); e != nil {
		if e.kind == kept && e.expiry >= c.Now {
			status = Done
		}
		if !b.drop(c, found, before) {
			return b.emptyDamaged(c)
		}
	}
	if c.dies() {
		return Abandoned
	}
	if c.Expiry < c.Now {
		return status
	}
	if !b.makeRoom(c, 0) {
		return b.emptyDamaged(c)
	}
	number, e := b.newEntry()
	if e == nil {
		return b.emptyDamaged(c)
	}
	b.link(c, number, e, removed)
	if c.dies() {
		return Abandoned
	}
	return status
}
