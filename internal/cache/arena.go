package cache

// An arena is a vector that grows by whole chunks and never copies more than its first chunk, so that
// growth leaves hardly anything behind and no operation waits for a large copy. Only that first chunk is
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

// reserve makes room for the element i, where there is room for all before it, and answers whether there is.
func (a *arena[T]) reserve(i uint32) bool {
	switch {
	case a.hasRoom(i):
		return true
	case len(a.chunks) == 0:
		return a.begin(firstChunk)
	case int(i>>chunkBits) == len(a.chunks):
		return a.begin(chunkSize)
	default:
		return a.enlarge()
	}
}

func (a *arena[T]) begin(length int) bool {
	chunk := takeArray[T](length)
	if chunk == nil {
		return false
	}
	a.chunks = append(a.chunks, chunk)
	return true
}

// enlarge doubles the first chunk.
func (a *arena[T]) enlarge() bool {
	smaller := a.chunks[0]
	larger := takeArray[T](2 * len(smaller))
	if larger == nil {
		return false
	}
	copy(larger, smaller)
	a.chunks[0] = larger
	giveArray(smaller)
	return true
}

// clear gives all memory back.
func (a *arena[T]) clear() {
	for _, chunk := range a.chunks {
		giveArray(chunk)
	}
	a.chunks = nil
}
