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

// at returns the element i, which must be below the length. It stays valid until the next grow.
func (a *arena[T]) at(i uint32) *T {
	return &a.chunks[i>>chunkBits][i%chunkSize]
}

// grow appends a zero element.
func (a *arena[T]) grow() {
	switch {
	case a.length == 0 && len(a.chunks) == 0:
		a.chunks = append(a.chunks, make([]T, firstChunk))
	case int(a.length>>chunkBits) == len(a.chunks):
		a.chunks = append(a.chunks, make([]T, chunkSize))
	case a.length < chunkSize && int(a.length) == len(a.chunks[0]):
		larger := make([]T, 2*len(a.chunks[0]))
		copy(larger, a.chunks[0])
		a.chunks[0] = larger
	}
	a.length++
}
