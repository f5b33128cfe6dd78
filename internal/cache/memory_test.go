package cache

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newMemory() *memory {
	return &memory{free: map[int][]*byte{}, mapped: mapped}
}

func bytesAt(first *byte, size int) []byte {
	return unsafe.Slice(first, size)
}

func (m *memory) inUse() (bytes int) {
	for _, s := range m.slabs {
		bytes += s.used
	}
	return bytes
}

func TestArraysAreZeroAndDoNotOverlap(t *testing.T) {
	m := newMemory()
	var all [][]byte
	for i := range 3000 {
		size := wholeLines(1 + i*7%9000)
		array := bytesAt(m.take(size), size)
		assert.Zero(t, uintptr(unsafe.Pointer(&array[0]))%cacheLine)
		require.Equal(t, size, bytes.Count(array, []byte{0}))
		for j := range array {
			array[j] = byte(i)
		}
		all = append(all, array)
	}
	for i, array := range all {
		require.Equal(t, len(array), bytes.Count(array, []byte{byte(i)}))
	}
	for _, array := range all {
		m.give(&array[0], len(array))
	}
	assert.Empty(t, m.slabs)
}

func TestAnArrayThatWasGivenBackIsTakenAgain(t *testing.T) {
	m := newMemory()
	m.take(cacheLine)
	first := m.take(1024)
	bytesAt(first, 1024)[1023] = 7
	m.give(first, 1024)
	assert.NotSame(t, first, m.take(512))
	again := m.take(1024)
	assert.Same(t, first, again)
	assert.Zero(t, bytesAt(again, 1024)[1023])
	assert.Equal(t, cacheLine+512+1024, m.inUse())
}

// Of the slabs of which nothing is in use one is kept, and is as new.
func TestOneSlabIsKept(t *testing.T) {
	m := newMemory()
	var all []*byte
	for range 3 * slabSize / largest {
		first := m.take(largest)
		bytesAt(first, largest)[0] = 1
		all = append(all, first)
	}
	require.Len(t, m.slabs, 3)
	for _, first := range all {
		m.give(first, largest)
	}
	assert.Empty(t, m.slabs)
	assert.Empty(t, m.free[largest])
	require.NotNil(t, m.spare)
	kept := m.spare
	first := m.take(cacheLine)
	assert.True(t, kept.has(first))
	assert.Zero(t, bytesAt(first, cacheLine)[0])
	assert.Nil(t, m.spare)
}

// The spare slab may be the small one that a process begins with.
func TestASpareThatIsTooSmallWaits(t *testing.T) {
	m := newMemory()
	m.give(m.take(cacheLine), cacheLine)
	require.Len(t, m.spare.bytes, firstSlab)
	m.take(2 * firstSlab)
	require.NotNil(t, m.spare)
	assert.Len(t, m.begun.bytes, slabSize)
}

func TestALargeArrayHasASlabToItself(t *testing.T) {
	m := newMemory()
	m.take(cacheLine)
	size := 2*slabSize + cacheLine
	first := m.take(size)
	assert.Zero(t, uintptr(unsafe.Pointer(first))%slabSize, "it may have large pages")
	bytesAt(first, size)[size-1] = 1
	m.give(first, size)
	assert.Len(t, m.slabs, 1)
	assert.Nil(t, m.spare)
}

// What a cache had goes back with it, however full it was.
func TestFreeGivesMemoryBack(t *testing.T) {
	before := arrays.inUse()
	c := New(libssl["3.0"])
	fill(c, 0, 5000, timeouts["mixed"])
	assert.Greater(t, arrays.inUse(), before+5000*80)
	c.Free()
	assert.Equal(t, before, arrays.inUse())
	assert.Zero(t, c.Lookup(number(1), nil))
	_, done := c.TryAdd(number(1), 1, 100, 0)
	assert.False(t, done)
}

// Where the kernel maps no more, nothing is added, and all goes on.
func TestAddWithoutMemory(t *testing.T) {
	c := newCache(libssl["3.0"], 1)
	defer c.Free()
	fill(c, 0, 1000, timeouts["mixed"])
	arrays.mapped = func(int) []byte { return nil }
	added, refused := 0, 0
	for i := 1000; refused < 100 && i < 10_000_000; i++ { // what other caches gave back is used first
		if c.Add(number(i), Session(i+1), 100, 0).New {
			added++
		} else {
			refused++
		}
	}
	arrays.mapped = mapped
	assert.Positive(t, refused)
	assert.EqualValues(t, 1000+added, c.Number())
	requireSound(t, c)
	assert.True(t, c.Add(number(10_000_000), 1, 100, 0).New, "there is memory again")
}
