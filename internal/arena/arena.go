// Package arena is the table of the memory store: records found by name, in memory that processes share.
//
// The memory is a region, which C has mapped: a header and buckets of a fixed size. A name leads to one
// bucket, and a bucket has all that its records need: a lock that names its owner, a hash index, entries,
// and chunks that records lie in. So a process that is killed in the middle of an operation leaves one
// bucket behind in disorder. Whoever finds the lock of a dead owner takes it, empties the bucket, and goes on.
//
// Nothing in a region is believed. It may be a file that others write to: so there are indices and no
// pointers, each is looked at before it is used, each walk has an end, and what a record says is compared
// with a check sum. A bucket that does not fit together is emptied.
//
// The code runs in processes without Go's runtime, as internal/direct says. It waits for nobody either: where a
// lock is not to be had soon, Run returns Busy, and the caller sleeps and looks whether the owner is alive
// (cshim/share/memory.c).
package arena

import "unsafe"

// Name is what a record is known by. Its bits are as good as random: it is a MAC.
type Name [3]uint64

// Call is struct arena_call (cshim/share/arena.h): an operation, what it needs and what it gives.
type Call struct {
	Region    unsafe.Pointer
	Size      uint64 // of the region, bytes
	Me        uint64 // who asks; not 0
	Name      Name
	Record    unsafe.Pointer // Put: the record; Find, Take: room for it
	Length    uint64         // of the record; Find, Take: of the room, then of what was written there
	Now       int64          // seconds
	Expiry    int64          // Put, Remove: the last second in which the record counts
	Owner     uint64         // Busy gives it, TakeOver and Suspect take it: who holds the bucket
	Turn      uint64         // the same: how often the bucket was held by then
	DieAt     uint64         // 0, or at which of its steps an operation shall end as if its process had
	step      uint64
	Operation Operation
	Evicted   uint32 // records that gave way though they had not expired
	Emptied   uint32 // 1: the bucket was in disorder, and was emptied
	Suspected uint32 // 1, with Busy: somebody has waited for this owner in vain already
}

// Operation says what is asked for.
type Operation uint32

const (
	Format   Operation = 1 + iota // writes the header of a region whose bytes are all zero
	Check                         // Done: the region has such a header. Missed: it has not
	Put                           // stores a record, in the place of one of the same name
	Find                          // Done: copies the record. Gone: it was removed
	Take                          // the same, and takes the record out in one step
	Remove                        // takes the record out, and remembers that until Expiry
	Look                          // Done, Gone or Missed as Find, and copies nothing
	TakeOver                      // empties the bucket, whose Owner is dead
	Suspect                       // empties the bucket if Owner has held it for longer than a minute
	Spoil                         // has the bucket emptied by whoever holds it next, without waiting
)

// Status is an answer.
type Status int64

const (
	Missed    Status = iota // there is no such record
	Done                    // what was asked for
	Gone                    // the record was removed, by whichever process
	Busy                    // another holds the bucket: Owner and Turn say who
	Refused                 // no such region, or too long a record
	Abandoned               // DieAt was reached: the process is to end now
)

const (
	magic      = 0x616e657261637373 // "sscarena"
	layout     = 1                  // changes with anything below
	HeaderSize = 4096
	BucketSize = 256 << 10

	chunkWords = 16
	chunkSize  = 8 * chunkWords
	chunks     = 1688 // of a bucket: as many as fit
	entries    = chunks / 2
	heads      = 1024

	// MaxRecord is the longest record, in bytes: a sealed session of 32 KB.
	MaxRecord = 258 * chunkSize

	attempts = 128 // to take a lock: about as long as a few operations take
	lease    = 60  // seconds: nobody who lives holds a bucket for so long
)

// header is the beginning of a region.
type header struct {
	magic, layout, size, bucket uint64
}

// bucket returns the bucket of the call's name, nil where the region is too small to have one.
//
//go:nosplit
func (c *Call) bucket() *bucket {
	if c.Region == nil || c.Me == 0 || c.Size < HeaderSize {
		return nil
	}
	count := (c.Size - HeaderSize) / BucketSize
	if count == 0 {
		return nil
	}
	return (*bucket)(unsafe.Add(c.Region, HeaderSize+c.Name[1]%count*BucketSize))
}

// Run does what a call asks for.
//
//go:nosplit
func Run(c *Call) Status {
	c.Evicted, c.Emptied, c.Suspected, c.step = 0, 0, 0, 0
	b := c.bucket()
	if b == nil {
		return Refused
	}
	switch c.Operation {
	case Format:
		return c.format()
	case Check:
		return c.check()
	case TakeOver:
		return b.takeOver(c)
	case Suspect:
		return b.suspect(c)
	case Spoil:
		b.spoilt.Store(1)
		return Done
	}
	if c.Operation == Put && (c.Length == 0 || c.Length > MaxRecord) {
		return Refused
	}
	if !b.lock(c) {
		return Busy
	}
	status := Refused
	if b.spoilt.Load() != 0 && b.spoilt.CompareAndSwap(1, 0) {
		b.empty(c)
	}
	if c.dies() {
		return Abandoned
	}
	switch c.Operation {
	case Put:
		status = b.put(c)
	case Find, Take, Look:
		status = b.find(c)
	case Remove:
		status = b.remove(c)
	}
	if status != Abandoned {
		b.release(c)
	}
	return status
}

// dies reports whether the process shall end here, in the middle of an operation.
//
//go:nosplit
func (c *Call) dies() bool {
	c.step++
	return c.step == c.DieAt
}

//go:nosplit
func (c *Call) format() Status {
	h := (*header)(c.Region)
	h.layout, h.size, h.bucket = layout, c.Size, BucketSize
	h.magic = magic
	return Done
}

//go:nosplit
func (c *Call) check() Status {
	h := (*header)(c.Region)
	if h.magic != magic || h.layout != layout || h.size != c.Size || h.bucket != BucketSize {
		return Missed
	}
	return Done
}
