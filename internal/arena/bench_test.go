package arena

import (
	"fmt"
	"sync/atomic"
	"testing"
	"unsafe"
)

// How long an operation takes does not depend on how many records there are.
func BenchmarkOperations(b *testing.B) {
	for _, number := range []int{1_000, 10_000, 100_000, 1_000_000} {
		size := max(64<<20, number*400)
		r := newRegion((size - HeaderSize) / BucketSize)
		names := make([]Name, number)
		record := recordOf(1, 220)
		for i := range names {
			names[i] = nameOf(i)
			r.put(1, names[i], record, 2000+int64(i%1000))
		}
		for _, benchmark := range []struct {
			name      string
			operation Operation
		}{{"find", Find}, {"put", Put}} {
			b.Run(fmt.Sprintf("%s/records=%d", benchmark.name, number), func(b *testing.B) {
				var next atomic.Uint64
				b.RunParallel(func(pb *testing.PB) {
					room := make([]byte, MaxRecord)
					for pb.Next() {
						c := r.call(next.Load()+1, benchmark.operation, names[next.Add(7919)%uint64(number)])
						c.Record, c.Length, c.Expiry = unsafe.Pointer(&room[0]), MaxRecord, 2500
						if benchmark.operation == Put {
							c.Length = uint64(len(record))
						}
						Run(c)
					}
				})
			})
		}
	}
}
