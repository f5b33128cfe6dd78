package cache

// An arena is a vector that grows by whole chunks and never copies more than its first chunk, so that
// growth leaves no garbage behind and no operation waits for a large copy. Only that first chunk is
// smaller at birth: a process may have thousands of nearly empty caches. How many elements it has is
// for its shard to know.
type arena[T any] struct {
	chunks [][]T
}

const (
	chunkBits  = 8
	chunkSize  = 1 << chunkBits
	firstChunk = 4
)

// at returns the element i, for which there must be room. It stays valid until the next reserve.
//
//go:nosplit
func (a *arena[T]) at(i uint32) *T {
	return element(*element(a.chunks, int(i>>chunkBits)), int(i%chunkSize))
}

// hasRoom says whether there is room for the element i.
//
//go:nosplit
func (a *arena[T]) hasRoom(i uint32) bool {
	chunk := int(i >> chunkBits)
	return chunk < len(a.chunks) && int(i%chunkSize) < len(*element(a.chunks, chunk))
}

// reserve makes room for the element i, where there is room for all before it.
func (a *arena[T]) reserve(i uint32) {
	switch {
	case a.hasRoom(i):
	case len(a.chunks) == 0:
		a.chunks = append(a.chunks, make([]T, firstChunk))
	case int(i>>chunkBits) == len(a.chunks):
		a.chunks = append(a.chunks, make([]T, chunkSize))
	default:
		larger := make([]T, 2*len(a.chunks[0]))
		copy(larger, a.chunks[0])
		a.chunks[0] = larger
	}
}
