package arena

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// region is a table in memory of Go's, which the race detector watches.
type region struct {
	words []uint64
	size  uint64
}

func newRegion(buckets int) *region {
	size := HeaderSize + buckets*BucketSize
	r := &region{words: make([]uint64, size/8), size: uint64(size)}
	if status := Run(r.call(1, Format, Name{})); status != Done {
		panic(status)
	}
	return r
}

func (r *region) call(me uint64, operation Operation, name Name) *Call {
	return &Call{Region: unsafe.Pointer(&r.words[0]), Size: r.size, Me: me, Operation: operation, Name: name, Now: 1000}
}

func (r *region) put(me uint64, name Name, record []byte, expiry int64) (Status, *Call) {
	c := r.call(me, Put, name)
	c.Expiry = expiry
	if len(record) > 0 {
		c.Record, c.Length = unsafe.Pointer(&record[0]), uint64(len(record))
	}
	return Run(c), c
}

func (r *region) get(me uint64, operation Operation, name Name, now int64) ([]byte, Status, *Call) {
	c := r.call(me, operation, name)
	room := make([]byte, MaxRecord)
	c.Record, c.Length, c.Now = unsafe.Pointer(&room[0]), MaxRecord, now
	status := Run(c)
	if status != Done {
		return nil, status, c
	}
	return room[:c.Length], status, c
}

func (r *region) remove(me uint64, name Name, expiry int64) Status {
	c := r.call(me, Remove, name)
	c.Expiry = expiry
	return Run(c)
}

// nameOf is as random as the names that C derives.
func nameOf(number int) (name Name) {
	sum := sha256.Sum256([]byte(fmt.Sprint(number)))
	for i := range name {
		name[i] = binary.LittleEndian.Uint64(sum[8*i:])
	}
	return name
}

func recordOf(number, length int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "record %d ", number), length/8+1)[:length]
}

func TestRecordsOfEveryLength(t *testing.T) {
	r := newRegion(1)
	for _, length := range []int{1, 7, 8, 9, chunkSize - 1, chunkSize, chunkSize + 1, 1000, 32768, MaxRecord} {
		status, _ := r.put(1, nameOf(length), recordOf(length, length), 2000)
		require.Equal(t, Done, status)
		record, status, c := r.get(1, Find, nameOf(length), 1000)
		require.Equal(t, Done, status, length)
		require.Zero(t, c.Emptied)
		require.Equal(t, recordOf(length, length), record)
	}
	for _, length := range []int{0, MaxRecord + 1} {
		status, _ := r.put(1, nameOf(length), recordOf(length, length), 2000)
		require.Equal(t, Refused, status, length)
	}
}

// A name is known by all its words: one that shares the others with it, and its place, is another.
func TestNamesThatDifferInOneWord(t *testing.T) {
	for word := range (Name{}) {
		r := newRegion(1)
		other := nameOf(1)
		other[word] += heads
		require.Equal(t, Done, first2(r.put(1, nameOf(1), recordOf(1, 100), 2000)))
		require.Equal(t, Missed, first(r.get(1, Look, other, 1000)), word)
		require.Equal(t, Done, first2(r.put(1, other, recordOf(2, 100), 2000)))
		for number, name := range []Name{nameOf(1), other} {
			record, status, _ := r.get(1, Find, name, 1000)
			require.Equal(t, Done, status)
			require.Equal(t, recordOf(number+1, 100), record, word)
		}
	}
}

func TestRoomThatIsTooSmallGetsNothing(t *testing.T) {
	r := newRegion(1)
	r.put(1, nameOf(1), recordOf(1, 100), 2000)
	c := r.call(1, Find, nameOf(1))
	room := make([]byte, 100)
	c.Record, c.Length = unsafe.Pointer(&room[0]), 99
	require.NotEqual(t, Done, Run(c))
	require.Equal(t, make([]byte, 100), room)
}

// Nothing is written behind a record, so a caller may give as much room as it needs.
func TestRoomOfExactlyTheLength(t *testing.T) {
	r := newRegion(1)
	for _, length := range []int{1, 7, 8, 9, chunkSize - 1, chunkSize, chunkSize + 1} {
		r.put(1, nameOf(length), recordOf(length, length), 2000)
		room := bytes.Repeat([]byte{0xAA}, length+16)
		c := r.call(1, Find, nameOf(length))
		c.Record, c.Length = unsafe.Pointer(&room[0]), uint64(length)
		require.Equal(t, Done, Run(c), length)
		require.Equal(t, recordOf(length, length), room[:length])
		require.Equal(t, bytes.Repeat([]byte{0xAA}, 16), room[length:], length)
	}
}

func TestExpiry(t *testing.T) {
	r := newRegion(1)
	r.put(1, nameOf(1), recordOf(1, 100), 2000)
	_, status, _ := r.get(1, Find, nameOf(1), 2000)
	require.Equal(t, Done, status, "in its last second it counts")
	_, status, _ = r.get(1, Find, nameOf(1), 2001)
	require.Equal(t, Missed, status)
	_, status, _ = r.get(1, Find, nameOf(1), 1000)
	require.Equal(t, Missed, status, "what has expired is gone")
}

func TestTakeGivesARecordOnce(t *testing.T) {
	r := newRegion(1)
	r.put(1, nameOf(1), recordOf(1, 100), 2000)
	_, status, _ := r.get(1, Take, nameOf(1), 1000)
	require.Equal(t, Done, status)
	_, status, _ = r.get(2, Take, nameOf(1), 1000)
	require.Equal(t, Missed, status)
}

func TestRemovalIsRemembered(t *testing.T) {
	r := newRegion(1)
	r.put(1, nameOf(1), recordOf(1, 100), 2000)
	require.Equal(t, Done, r.remove(1, nameOf(1), 2000))
	require.Equal(t, Missed, r.remove(1, nameOf(2), 2000), "it was not there, and must not come back either")
	for _, number := range []int{1, 2} {
		for _, operation := range []Operation{Find, Look, Take} {
			_, status, _ := r.get(2, operation, nameOf(number), 2000)
			require.Equal(t, Gone, status)
		}
		_, status, _ := r.get(2, Look, nameOf(number), 2001)
		require.Equal(t, Missed, status, "until it would have expired")
	}
	require.Equal(t, Missed, r.remove(1, nameOf(3), 999), "what has expired needs no memory")
	_, status, _ := r.get(2, Look, nameOf(3), 1000)
	require.Equal(t, Missed, status)
}

func TestExpiredGiveWayFirstThenTheEarliest(t *testing.T) {
	r := newRegion(1)
	const number = entries
	for i := range number {
		status, c := r.put(1, nameOf(i), recordOf(i, 2*chunkSize), int64(2000+i))
		require.Equal(t, Done, status)
		require.Zero(t, c.Evicted)
	}
	// Full. The earliest goes, and is no newer one.
	_, c := r.put(1, nameOf(number), recordOf(number, 2*chunkSize), 9000)
	require.EqualValues(t, 1, c.Evicted)
	_, status, _ := r.get(1, Find, nameOf(0), 1000)
	require.Equal(t, Missed, status)
	for i := 1; i <= number; i++ {
		_, status, _ := r.get(1, Find, nameOf(i), 1000)
		require.Equal(t, Done, status, i)
	}
	// A hundred have expired: they are the ones.
	large := r.call(1, Put, nameOf(number+1))
	record := recordOf(1, 20*chunkSize)
	large.Record, large.Length, large.Expiry, large.Now = unsafe.Pointer(&record[0]), uint64(len(record)), 9000, 2101
	require.Equal(t, Done, Run(large))
	require.Zero(t, large.Evicted)
	_, status, _ = r.get(1, Find, nameOf(101), 2101)
	require.Equal(t, Done, status)
	// A long record pushes out as many as it needs, not more.
	_, c = r.put(1, nameOf(number+2), recordOf(1, MaxRecord), 9000)
	require.Equal(t, Done, first(r.get(1, Find, nameOf(number+2), 1000)))
	require.LessOrEqual(t, c.Evicted, uint32(MaxRecord/chunkSize/2))
}

func first(_ []byte, status Status, _ *Call) Status { return status }

func TestWipesWhatGoes(t *testing.T) {
	r := newRegion(1)
	secret := recordOf(7, 3000)
	r.put(1, nameOf(1), secret, 2000)
	require.Equal(t, Done, r.remove(1, nameOf(1), 2000))
	r.put(1, nameOf(2), secret, 2000)
	r.get(1, Take, nameOf(2), 1000)
	all := unsafe.Slice((*byte)(unsafe.Pointer(&r.words[0])), r.size)
	require.False(t, bytes.Contains(all, secret[:16]))
}

func TestCheckOfAHeader(t *testing.T) {
	r := newRegion(2)
	require.Equal(t, Done, Run(r.call(1, Check, Name{})))
	smaller := r.call(1, Check, Name{})
	smaller.Size -= BucketSize
	require.Equal(t, Missed, Run(smaller))
	r.words[1]++
	require.Equal(t, Missed, Run(r.call(1, Check, Name{})))
	require.Equal(t, Refused, Run(&Call{Region: unsafe.Pointer(&r.words[0]), Size: HeaderSize + BucketSize - 1, Me: 1, Operation: Check}))
}

// ---- owners ----

// What can't be a table, or has no owner, is left alone.
func TestCallThatHasNoBucket(t *testing.T) {
	r := newRegion(1)
	whole := append([]uint64(nil), r.words...)
	for operation := Format; operation <= Suspect; operation++ {
		for _, size := range []uint64{0, 1, HeaderSize - 1, HeaderSize, HeaderSize + BucketSize - 1} {
			c := r.call(1, operation, nameOf(1))
			c.Size = size
			require.Equal(t, Refused, Run(c), "operation %d, size %d", operation, size)
		}
		require.Equal(t, Refused, Run(r.call(0, operation, nameOf(1))), operation)
		c := r.call(1, operation, nameOf(1))
		c.Region = nil
		require.Equal(t, Refused, Run(c), operation)
	}
	require.Equal(t, whole, r.words)
}

// hold has an owner die at a step of an operation.
func (r *region) die(me uint64, operation Operation, name Name, step uint64) (Status, *Call) {
	c := r.call(me, operation, name)
	room := make([]byte, MaxRecord)
	c.Record, c.Length, c.Expiry, c.DieAt = unsafe.Pointer(&room[0]), 1000, 2000, step
	if operation != Put {
		c.Length = MaxRecord
	}
	return Run(c), c
}

func (r *region) takeOver(me uint64, busy *Call) (Status, *Call) {
	c := r.call(me, TakeOver, busy.Name)
	c.Owner, c.Turn = busy.Owner, busy.Turn
	return Run(c), c
}

func TestBucketOfADeadOwnerIsEmptied(t *testing.T) {
	for _, operation := range []Operation{Put, Find, Take, Remove} {
		for step := uint64(1); ; step++ {
			r := newRegion(2)
			for i := range 100 {
				r.put(1, nameOf(i), recordOf(i, 300), 2000)
			}
			status, dead := r.die(66, operation, nameOf(0), step)
			if status != Abandoned {
				require.Greater(t, step, uint64(1))
				break
			}
			_, status, busy := r.get(2, Find, nameOf(0), 1000)
			require.Equal(t, Busy, status)
			require.EqualValues(t, 66, busy.Owner)
			status, c := r.takeOver(2, busy)
			require.Equal(t, Done, status)
			require.EqualValues(t, 1, c.Emptied)
			status, _ = r.takeOver(3, busy)
			require.Equal(t, Missed, status, "once")
			for i := range 100 {
				name := nameOf(i)
				record, status, _ := r.get(2, Find, name, 1000)
				if name[1]%2 == dead.Name[1]%2 {
					require.Equal(t, Missed, status)
				} else {
					require.Equal(t, recordOf(i, 300), record, "of another bucket")
				}
			}
			status, _ = r.put(2, nameOf(0), recordOf(0, 300), 2000)
			require.Equal(t, Done, status)
		}
	}
}

func TestOwnerThatComesBackAfterItsBucketWasTaken(t *testing.T) {
	r := newRegion(1)
	b := r.call(1, Find, nameOf(0)).bucket()
	stopped := r.call(66, Find, nameOf(0))
	require.True(t, b.lock(stopped))
	_, _, busy := r.get(2, Find, nameOf(0), 1000)
	r.takeOver(2, busy)
	next := r.call(3, Find, nameOf(0))
	require.True(t, b.lock(next))
	b.release(stopped)
	require.EqualValues(t, 3, b.owner.Load(), "it lets go of nothing that is another's")
}

func TestHoldOfMoreThanAMinuteEnds(t *testing.T) {
	r := newRegion(1)
	r.die(66, Find, nameOf(0), 1)
	suspect := func(now int64) Status {
		_, status, c := r.get(2, Find, nameOf(0), 1000)
		if status != Busy {
			return status
		}
		c.Operation, c.Now = Suspect, now
		return Run(c)
	}
	_, _, busy := r.get(2, Find, nameOf(0), 1000)
	require.Zero(t, busy.Suspected)
	require.Equal(t, Missed, suspect(1000))
	_, _, busy = r.get(2, Find, nameOf(0), 1000)
	require.EqualValues(t, 1, busy.Suspected)
	require.Equal(t, Missed, suspect(1000+lease))
	require.Equal(t, Done, suspect(1001+lease))
	require.Equal(t, Missed, suspect(1001+lease), "it is free")
	require.Equal(t, Missed, first(r.get(2, Find, nameOf(0), 1000)))
}

// An owner can be stopped before it has done anything.
func TestSuspicionOfAHoldThatHasJustBegun(t *testing.T) {
	r := newRegion(1)
	b := r.call(1, Find, nameOf(0)).bucket()
	for range 3 {
		b.owner.Store(66)
		_, _, busy := r.get(2, Find, nameOf(0), 1000)
		require.Zero(t, busy.Suspected)
		busy.Operation = Suspect
		require.Equal(t, Missed, Run(busy))
		b.owner.Store(0)
		r.put(2, nameOf(0), recordOf(0, 100), 2000)
	}
}

func TestSuspicionOfAnEarlierHoldIsForgotten(t *testing.T) {
	r := newRegion(1)
	for range 3 {
		r.die(66, Find, nameOf(0), 1)
		_, _, busy := r.get(2, Find, nameOf(0), 1000)
		busy.Operation, busy.Now = Suspect, 1000
		require.Equal(t, Missed, Run(busy))
		require.Equal(t, Done, first2(r.takeOver(2, busy)))
	}
	r.die(66, Find, nameOf(0), 1)
	_, _, busy := r.get(2, Find, nameOf(0), 1000)
	busy.Operation, busy.Now = Suspect, 9000
	require.Equal(t, Missed, Run(busy))
}

func first2(status Status, _ *Call) Status { return status }

func TestSpoiltBucketIsEmptiedByTheNext(t *testing.T) {
	r := newRegion(1)
	r.put(1, nameOf(1), recordOf(1, 100), 2000)
	require.Equal(t, Done, Run(r.call(2, Spoil, nameOf(1))))
	_, status, c := r.get(1, Find, nameOf(1), 1000)
	require.Equal(t, Missed, status)
	require.EqualValues(t, 1, c.Emptied)
	_, _, c = r.get(1, Find, nameOf(1), 1000)
	require.Zero(t, c.Emptied, "once")
}

// ---- the model ----

type modelled struct {
	record  []byte
	expiry  int64
	removed bool
}

// Until a bucket is full the table is a map.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRegion(2)
		model := map[int]modelled{}
		now := int64(1000)
		for range rapid.IntRange(1, 200).Draw(t, "operations") {
			number := rapid.IntRange(0, 20).Draw(t, "name")
			name := nameOf(number)
			known, is := model[number]
			if is && known.expiry < now {
				delete(model, number)
				is = false
			}
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0, 1:
				record := recordOf(rapid.IntRange(0, 99).Draw(t, "record"), rapid.IntRange(1, 5000).Draw(t, "length"))
				c := r.call(1, Put, name)
				c.Record, c.Length, c.Now = unsafe.Pointer(&record[0]), uint64(len(record)), now
				c.Expiry = now + rapid.Int64Range(0, 50).Draw(t, "life")
				require.Equal(t, Done, Run(c))
				require.Zero(t, c.Evicted)
				model[number] = modelled{record: record, expiry: c.Expiry}
			case 2, 3:
				operation := rapid.SampledFrom([]Operation{Find, Take, Look}).Draw(t, "how")
				record, status, c := r.get(1, operation, name, now)
				require.Zero(t, c.Emptied)
				switch {
				case !is:
					require.Equal(t, Missed, status)
				case known.removed:
					require.Equal(t, Gone, status)
				default:
					require.Equal(t, Done, status)
					if operation != Look {
						require.Equal(t, known.record, record)
					}
				}
				if is && !known.removed && operation == Take {
					delete(model, number)
				}
			case 4:
				c := r.call(1, Remove, name)
				c.Now, c.Expiry = now, now+rapid.Int64Range(-1, 50).Draw(t, "life")
				status := Run(c)
				require.Equal(t, is && !known.removed, status == Done)
				delete(model, number)
				if c.Expiry >= now {
					model[number] = modelled{expiry: c.Expiry, removed: true}
				}
			case 5:
				now += rapid.Int64Range(0, 20).Draw(t, "seconds")
			}
			r.mustBeSound(t)
		}
	})
}

// mustBeSound compares what a bucket says of itself: each entry and each chunk is in one place.
func (r *region) mustBeSound(t require.TestingT) {
	for at := uint64(HeaderSize); at < r.size; at += BucketSize {
		b := (*bucket)(unsafe.Add(unsafe.Pointer(&r.words[0]), at))
		seenEntries, seenChunks := map[uint16]bool{}, map[uint16]bool{}
		for _, number := range b.heads {
			for ; number != 0; number = b.at(number).next {
				require.False(t, seenEntries[number])
				seenEntries[number] = true
				e := b.at(number)
				chunk := e.first
				for range chunksOf(uint64(e.length)) {
					require.False(t, seenChunks[chunk])
					seenChunks[chunk] = true
					chunk = b.after(chunk)
				}
			}
		}
		for number := b.freeEntry; number != 0; number = b.at(number).next {
			require.False(t, seenEntries[number])
			seenEntries[number] = true
		}
		free := 0
		for number := b.freeChunk; free < int(b.freeChunks); number = b.after(number) {
			require.False(t, seenChunks[number])
			seenChunks[number] = true
			free++
		}
		require.Len(t, seenEntries, int(b.cutEntries))
		require.Len(t, seenChunks, int(b.cutChunks))
		require.Zero(t, b.owner.Load())
	}
}

// cshim/share/arena.h has the same struct, and the same numbers.
func TestCallIsThatOfC(t *testing.T) {
	require.EqualValues(t, 128, unsafe.Sizeof(Call{}))
	require.EqualValues(t, 24, unsafe.Offsetof(Call{}.Name))
	require.EqualValues(t, 112, unsafe.Offsetof(Call{}.Operation))
	text, err := os.ReadFile("../../cshim/share/arena.h")
	require.NoError(t, err)
	find := func(list ...string) {
		at := 0
		for _, name := range list {
			next := bytes.Index(text[at:], []byte(name))
			require.GreaterOrEqual(t, next, 0, name)
			at += next
		}
	}
	find("ARENA_FORMAT = 1", "ARENA_CHECK", "ARENA_PUT", "ARENA_FIND", "ARENA_TAKE,", "ARENA_REMOVE", "ARENA_LOOK", "ARENA_TAKE_OVER", "ARENA_SUSPECT", "ARENA_SPOIL")
	require.EqualValues(t, 10, Spoil)
	find("ARENA_MISSED", "ARENA_DONE", "ARENA_GONE", "ARENA_BUSY", "ARENA_REFUSED", "ARENA_ABANDONED")
	require.EqualValues(t, 5, Abandoned)
	find("region", "size", "me", "name", "record", "length", "now", "expiry", "owner", "turn", "die_at", "step", "operation", "evicted", "emptied", "suspected")
	require.Contains(t, string(text), "ARENA_HEADER_SIZE = 4096")
	require.EqualValues(t, 4096, HeaderSize)
	require.Contains(t, string(text), "ARENA_BUCKET_SIZE = 256 << 10")
	require.EqualValues(t, 256<<10, BucketSize)
	require.Contains(t, string(text), "ARENA_RECORD_MAX = 258 * 128")
	require.EqualValues(t, 258*128, MaxRecord)
}
