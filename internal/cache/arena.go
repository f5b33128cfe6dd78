package cache

// An arena is a vector that grows by whole chunks and never copies more than its first chunk, so that
// growth leaves no garbage behind and no operation waits for a large copy. Only that first chunk is
// smaller at birth: a process may have thousands of nearly empty caches.
type arena[T any] struct {
	chunks [][]T
	length uint32
}

const (
	chunkBits  = 8
	chunkSize  = 1 << chunkBits
	firstChunk = 4
)

// at returns the element i, which must be below the length. It stays valid until the next reserve.
//
//go:nosplit
func (a *arena[T]) at(i uint32) *T {
	return element(*element(a.chunks, int(i>>chunkBits)), int(i%chunkSize))
}

// hasRoom says whether extend may be called.
//
//go:nosplit
func (a *arena[T]) hasRoom() bool {
	chunk := int(a.length >> chunkBits)
	return chunk < len(a.chunks) && int(a.length%chunkSize) < len(*element(a.chunks, chunk))
}

// extend appends an element, and says its number. There must be room for it.
//
//go:nosplit
func (a *arena[T]) extend() uint32 {
	a.length++
	return a.length - 1
}

// reserve makes room for one more.
func (a *arena[T]) reserve() {
	switch {
	case a.hasRoom():
	case len(a.chunks) == 0:
		a.chunks = append(a.chunks, make([]T, firstChunk))
	case int(a.length>>chunkBits) == len(a.chunks):
		a.chunks = append(a.chunks, make([]T, chunkSize))
	default:
		larger := make([]T, 2*len(a.chunks[0]))
		copy(larger, a.chunks[0])
		a.chunks[0] = larger
	}
}
