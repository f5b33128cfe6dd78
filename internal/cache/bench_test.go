package cache

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
)

var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// Timeouts as a server has them: all sessions the same, or each its own.
var timeouts = map[string]func(i int) int64{
	"equal": func(i int) int64 { return 7200 + int64(i>>10) },
	"mixed": func(i int) int64 { return 7200 + int64(uint32(i)*2654435761>>8) },
}

var ruled = libssl["3.0"]

func number(i int) *Key {
	key := &Key{Version: 0x304, Length: MaxID}
	setNumber(key, i)
	return key
}

func setNumber(key *Key, i int) {
	binary.LittleEndian.PutUint64(key.ID[:], uint64(i))
	binary.LittleEndian.PutUint64(key.ID[24:], uint64(i)*0x9e3779b97f4a7c15)
}

func fill(c *Cache, from, to int, expiry func(int) int64) {
	key := number(0)
	for i := from; i < to; i++ {
		setNumber(key, i)
		c.Add(key, Session(i+1), expiry(i), 0)
	}
}

// eachSize runs a benchmark for every size and mix of timeouts.
func eachSize(b *testing.B, run func(b *testing.B, size int, expiry func(int) int64)) {
	for _, mix := range []string{"equal", "mixed"} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", mix, size), func(b *testing.B) { run(b, size, timeouts[mix]) })
		}
	}
}

// An add into a cache that grows from nothing to the size, again and again.
func BenchmarkAdd(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		b.ReportAllocs()
		b.StopTimer()
		for left := b.N; left > 0; left -= size {
			c := fresh(ruled)
			defer c.Free()
			runtime.GC()
			b.StartTimer()
			fill(c, 0, min(size, left), expiry)
			b.StopTimer()
		}
	})
}

func BenchmarkRemove(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		b.ReportAllocs()
		b.StopTimer()
		key := number(0)
		for left := b.N; left > 0; left -= size {
			c := fresh(ruled)
			defer c.Free()
			fill(c, 0, size, expiry)
			runtime.GC()
			b.StartTimer()
			for i := range min(size, left) {
				setNumber(key, i)
				c.Remove(key)
			}
			b.StopTimer()
		}
	})
}

// The life of a session in a cache of a steady size: an add, and a removal of an older one.
func BenchmarkAddRemove(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		c := fresh(ruled)
		defer c.Free()
		fill(c, 0, size, expiry)
		b.ReportAllocs()
		key := number(0)
		i := size
		for b.Loop() {
			setNumber(key, i)
			c.Add(key, Session(i+1), expiry(i), 0)
			setNumber(key, i-size)
			c.Remove(key)
			i++
		}
	})
}

// An add into a full cache, which evicts.
func BenchmarkEvict(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		c := fresh(ruled)
		defer c.Free()
		fill(c, 0, size, expiry)
		b.ReportAllocs()
		key := number(0)
		i := size
		for b.Loop() {
			setNumber(key, i)
			c.Add(key, Session(i+1), expiry(i), int64(size))
			i++
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		c := fresh(ruled)
		defer c.Free()
		fill(c, 0, size, expiry)
		b.ReportAllocs()
		key := number(0)
		i := 0
		for b.Loop() {
			setNumber(key, i*7919%size)
			if lookup(c, key, nil) == 0 {
				b.Fatal("not found")
			}
			i++
		}
	})
}

// A flush that finds all expired, each session counted as one operation.
func BenchmarkExpire(b *testing.B) {
	eachSize(b, func(b *testing.B, size int, expiry func(int) int64) {
		b.ReportAllocs()
		b.StopTimer()
		for left := b.N; left > 0; left -= size {
			c := fresh(ruled)
			defer c.Free()
			fill(c, 0, size, expiry)
			runtime.GC()
			b.StartTimer()
			cursor := uint64(0)
			for range min(size, left) {
				c.Expire(1<<62, &cursor)
			}
			b.StopTimer()
		}
	})
}

// Threads that add and remove on one cache: ns/op is the time of an add and a removal together, divided by
// the threads, so half of one thread's is perfect for two.
func BenchmarkParallel(b *testing.B) {
	for _, threads := range []int{1, 2, 4} {
		b.Run(strconv.Itoa(threads), func(b *testing.B) {
			const size = 10_000
			expiry := timeouts["equal"]
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(min(threads, runtime.NumCPU())))
			c := fresh(ruled)
			defer c.Free()
			fill(c, 0, size, expiry)
			var thread atomic.Int64
			b.SetParallelism(max(1, threads/runtime.NumCPU()))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				key := number(0)
				for i := int(thread.Add(1)) << 40; pb.Next(); i++ {
					setNumber(key, i)
					c.Add(key, Session(i), expiry(i>>10), 0)
					c.Remove(key)
				}
			})
		})
	}
}
