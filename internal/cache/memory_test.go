package cache

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/host"
)

// A limited host is this process with so many bytes, and knows what it gave.
type limited struct {
	*host.Host
	left   uint64
	mapped map[host.Address]uint64
}

const unlimited = 1 << 62

func newLimited(left uint64) *limited {
	l := &limited{Host: host.Local(), left: left, mapped: map[host.Address]uint64{}}
	onMap, onUnmap := l.OnMap, l.OnUnmap
	l.OnMap = func(size uint64) host.Address {
		if size > l.left {
			return 0
		}
		at := onMap(size)
		l.left -= size
		l.mapped[at] = size
		return at
	}
	l.OnUnmap = func(memory host.Address, size uint64) {
		if l.mapped[memory] != size {
			panic("what was given back is not what was mapped")
		}
		delete(l.mapped, memory)
		l.left += size
		onUnmap(memory, size)
	}
	return l
}

func (l *limited) memory(t *testing.T) *memory {
	require.True(t, beginMemory(l.Host))
	return memoryOf(l.Host)
}

func bytesAt(first host.Address, size uint64) []byte {
	return unsafe.Slice((*byte)(first.Pointer()), size)
}

func TestArraysAreZeroAndDoNotOverlap(t *testing.T) {
	h := newLimited(unlimited)
	m := h.memory(t)
	var all [][]byte
	for round := range 3 {
		for i := range 1000 {
			size := uint64(1 + i*7919%20000)
			array := bytesAt(m.allocate(h.Host, size), size)
			require.Zero(t, uintptr(unsafe.Pointer(&array[0]))%line)
			require.Equal(t, int(size), bytes.Count(array, []byte{0}))
			for j := range array {
				array[j] = byte(len(all) + 1)
			}
			all = append(all, array)
		}
		for i, array := range all {
			require.Equal(t, len(array), bytes.Count(array, []byte{byte(i + 1)}))
		}
		// Every other one goes, and comes again in another size.
		kept := all[:0:0]
		for i, array := range all {
			if i%2 == round%2 {
				m.release(h.Host, host.AddressOf(unsafe.Pointer(&array[0])), uint64(len(array)))
				continue
			}
			for j := range array {
				array[j] = byte(len(kept) + 1)
			}
			kept = append(kept, array)
		}
		all = kept
	}
	for _, array := range all {
		m.release(h.Host, host.AddressOf(unsafe.Pointer(&array[0])), uint64(len(array)))
	}
	assert.Zero(t, m.inUse)
	assert.LessOrEqual(t, len(h.mapped), 2, "the first slab, and one that is kept")
}

func TestAnArrayThatWasGivenBackIsTakenAgain(t *testing.T) {
	h := newLimited(unlimited)
	m := h.memory(t)
	m.allocate(h.Host, line)
	first := m.allocate(h.Host, 1024)
	bytesAt(first, 1024)[1023] = 7
	m.release(h.Host, first, 1024)
	again := m.allocate(h.Host, 1024)
	assert.Equal(t, first, again)
	assert.Zero(t, bytesAt(again, 1024)[1023])
	assert.EqualValues(t, line+1024, m.inUse)
}

// Each size has its list: what is in it is large enough, and what was rounded up for it is found in it.
func TestListsOfBlocks(t *testing.T) {
	for lines := uint64(1); lines <= slabSize/line; lines++ {
		size := lines * line
		require.Less(t, classOf(size), uint32(classes))
		rounded := wholeClass(size)
		require.GreaterOrEqual(t, rounded, size)
		require.LessOrEqual(t, rounded-size, size/8)
		require.Equal(t, rounded, wholeClass(rounded))
		if rounded > size {
			require.Less(t, classOf(size), classOf(rounded), size)
		}
		require.LessOrEqual(t, classOf(size-min(line, size-line)), classOf(size))
	}
}

// Of the slabs of which nothing is in use one is kept, and is as new.
func TestOneSlabIsKept(t *testing.T) {
	h := newLimited(unlimited)
	m := h.memory(t)
	var all []host.Address
	for range 20 {
		first := m.allocate(h.Host, largest-line)
		bytesAt(first, largest-line)[0] = 1
		all = append(all, first)
	}
	assert.Greater(t, len(h.mapped), 4)
	for _, first := range all {
		m.release(h.Host, first, largest-line)
	}
	assert.Zero(t, m.inUse)
	assert.Len(t, h.mapped, 2)
	assert.EqualValues(t, 1, m.empty)
	first := m.allocate(h.Host, largest-line)
	assert.Zero(t, bytesAt(first, line)[0])
	assert.Zero(t, m.empty)
	assert.Len(t, h.mapped, 2)
}

func TestALargeArrayIsAMapping(t *testing.T) {
	h := newLimited(unlimited)
	m := h.memory(t)
	first := m.allocate(h.Host, largest+1)
	require.EqualValues(t, largest+page, h.mapped[first])
	m.release(h.Host, first, largest+1)
	assert.Len(t, h.mapped, 1)
	assert.Zero(t, m.inUse)
}

// There may be more slabs than the first slab has room to know.
func TestManySlabs(t *testing.T) {
	h := newLimited(unlimited)
	m := h.memory(t)
	m.slabRoom = 4 // as if it had no more room
	var all []host.Address
	for range 100 {
		all = append(all, m.allocate(h.Host, largest))
	}
	assert.Greater(t, m.slabCount, uint32(20))
	for i := range m.slabCount - 1 {
		assert.Less(t, *m.slab(i), *m.slab(i + 1))
	}
	for _, first := range all {
		m.release(h.Host, first, largest)
	}
	assert.EqualValues(t, 2, m.slabCount)
}

// Two threads may make the first cache of a host.
func TestFirstCachesAtOnce(t *testing.T) {
	for range 100 {
		h := host.Local()
		together(2, func(int) {
			c := New(h, libssl["3.0"])
			c.Add(number(1), 1, 100, 0)
			c.Free()
		})
		assert.Zero(t, memoryOf(h).inUse)
	}
}

// What a cache had goes back with it, however full it was.
func TestFreeGivesMemoryBack(t *testing.T) {
	h := newLimited(unlimited)
	c := New(h.Host, libssl["3.5"])
	fill(c, 0, 5000, timeouts["mixed"])
	for i := range 100 {
		c.Add(number(i), Session(i+1), 1<<40, 0)
	}
	assert.Greater(t, memoryOf(h.Host).inUse, uint64(5000*80))
	c.Free()
	assert.Zero(t, memoryOf(h.Host).inUse)
	assert.Len(t, h.mapped, 2)
}

// A cache that held many and holds few gives memory back, at no moment much at once.
func TestMemoryOfACacheThatShrinks(t *testing.T) {
	for _, mix := range []string{"equal", "mixed"} {
		h := newLimited(unlimited)
		c := newCache(h.Host, libssl["3.5"], 1)
		const size, left = 50_000, 1000
		fill(c, 0, size, timeouts[mix])
		for i := 0; i < size; i += 7 { // some have another expiry than their place comes from
			c.Add(number(i), Session(i+1), 1<<40, 0)
		}
		full := memoryOf(h.Host).inUse
		for i := range size - left {
			c.Remove(number(i))
		}
		requireSound(t, c)
		few := memoryOf(h.Host).inUse
		assert.Less(t, few, full/3, "of %d bytes", full)
		for i := size - left; i < size; i++ {
			require.Equal(t, Session(i+1), c.Remove(number(i)))
		}
		c.Free()
	}
}

// The memory goals: sessions of equal timeouts, beside the SSL_SESSION.
func TestBytesAnEntry(t *testing.T) {
	if host.Checked {
		t.Skip("a million takes long where each access is watched, and needs the same memory")
	}
	for size, most := range map[int]float64{300_000: 128, 1_000_000: 96} {
		h := newLimited(unlimited)
		h.Processors = 2
		c := New(h.Host, libssl["3.0"])
		fill(c, 0, size, timeouts["equal"])
		mapped := uint64(0)
		for _, size := range h.mapped {
			mapped += size
		}
		t.Logf("%d sessions: %.1f bytes each, %.1f mapped", size,
			float64(memoryOf(h.Host).inUse)/float64(size), float64(mapped)/float64(size))
		assert.Less(t, float64(mapped)/float64(size), most)
		c.Free()
	}
}

// A process may have thousands of caches of a few sessions.
func TestBytesACache(t *testing.T) {
	h := newLimited(unlimited)
	h.Processors = 2
	const caches = 2000
	for i := range caches {
		c := New(h.Host, libssl["3.0"])
		require.True(t, c.Add(number(i), 1, 100, 0).New)
	}
	assert.Less(t, memoryOf(h.Host).inUse/caches, uint64(2048))
	assert.Less(t, len(h.mapped), 10)
}

// Where the host maps no more, nothing is added, and all goes on.
func TestAddWithoutMemory(t *testing.T) {
	for version, rules := range libssl {
		for left := uint64(firstSlab); left < 3<<20; left += left + 4096 {
			h := newLimited(left)
			c := newCache(h.Host, rules, 2)
			require.NotNil(t, c)
			added, refused := 0, 0
			for i := 0; refused < 100; i++ {
				if c.Add(number(i), Session(i+1), int64(i*7919%1000), 0).New {
					added++
				} else {
					refused++
				}
			}
			require.EqualValues(t, added, c.Number(), version)
			requireSound(t, c)
			for i := range added + 100 { // none of it fails badly
				if c.Contains(number(i)) {
					c.Reschedule(number(i), Session(i+1), 5)
					c.Add(number(i), Session(i+1), int64(i), 0)
				}
			}
			requireSound(t, c)
			h.left = unlimited
			require.True(t, c.Add(number(10_000_000), 1, 100, 0).New, "there is memory again")
			c.Free()
		}
	}
}

func TestNoMemoryForACache(t *testing.T) {
	h := newLimited(0)
	require.Nil(t, New(h.Host, Rules{}))
	h.left = firstSlab
	var all []*Cache
	for c := New(h.Host, Rules{}); c != nil; c = New(h.Host, Rules{}) {
		all = append(all, c)
	}
	require.Greater(t, len(all), 20)
	for _, c := range all {
		c.Free()
	}
	require.Zero(t, memoryOf(h.Host).inUse)
}
