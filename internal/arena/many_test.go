package arena

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// wait does a call as C does: until the bucket is free, or its owner has died.
func (r *region) wait(c *Call, isDead func(owner uint64) bool) Status {
	for {
		length := c.Length
		status := Run(c)
		if status != Busy {
			return status
		}
		if isDead(c.Owner) {
			r.takeOver(c.Me, c)
		}
		c.Length = length
		runtime.Gosched()
	}
}

// Many "processes" at once, some of which die in the middle: nobody finds another's record or a torn one, and
// of all who take a record one gets it.
func TestManyAtOnceSomeOfWhomDie(t *testing.T) {
	const workers, rounds, names = 8, 3000, 400
	r := newRegion(3)
	var dead sync.Map
	var taken, put [names]atomic.Int64
	var deaths, emptied atomic.Int64
	isDead := func(owner uint64) bool {
		_, is := dead.Load(owner)
		return is
	}
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			me := uint64(worker + 1)
			room := make([]byte, MaxRecord)
			for range rounds {
				number := random.IntN(names)
				c := r.call(me, []Operation{Put, Find, Take, Remove}[random.IntN(4)], nameOf(number))
				c.Expiry = c.Now + int64(random.IntN(100))
				record := recordOf(number, 100+number*7)
				if c.Operation == Put {
					c.Record, c.Length = unsafe.Pointer(&record[0]), uint64(len(record))
					put[number].Add(1)
				} else {
					c.Record, c.Length = unsafe.Pointer(&room[0]), MaxRecord
				}
				if random.IntN(50) == 0 {
					c.DieAt = 1 + random.Uint64N(6)
				}
				status := r.wait(c, isDead)
				emptied.Add(int64(c.Emptied))
				switch {
				case status == Abandoned:
					deaths.Add(1)
					dead.Store(me, true)
					me += workers // the next process
				case status == Done && c.Operation == Find || status == Done && c.Operation == Take:
					if !bytes.Equal(record, room[:c.Length]) {
						t.Errorf("%d is another's", number)
					}
					if c.Operation == Take {
						taken[number].Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	require.Positive(t, deaths.Load())
	require.Zero(t, emptied.Load(), "nothing was found in disorder but behind the lock of a dead owner")
	for number := range names {
		require.LessOrEqual(t, taken[number].Load(), put[number].Load())
	}
}
