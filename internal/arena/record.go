package arena

import (
	"math/bits"
	"unsafe"
)

// A record lies in chunks, word by word, and has a check sum.

// beginSum starts the sum with what an entry says of its record. It finds what went wrong by accident: against
// whoever writes into a region there are seals.
//
//go:nosplit
func beginSum(e *entry) uint64 {
	sum := addToSum(addToSum(addToSum(magic, e.name[0]), e.name[1]), e.name[2])
	return addToSum(addToSum(sum, uint64(e.expiry)), uint64(e.length))
}

//go:nosplit
func addToSum(sum, word uint64) uint64 {
	high, low := bits.Mul64(sum^word, 0x9e3779b97f4a7c15)
	return bits.RotateLeft64(high^low, 23) + word
}

// copyIn writes what is left of a record into a chunk, as far as it goes.
//
//go:nosplit
func copyIn(words *[chunkWords]uint64, from unsafe.Pointer, left, sum uint64) uint64 {
	for i := range words {
		at := uint64(8 * i)
		if at >= left {
			break
		}
		var word uint64
		if left-at >= 8 {
			word = *(*uint64)(unsafe.Add(from, at))
		} else {
			for k := at; k < left; k++ {
				word |= uint64(*(*byte)(unsafe.Add(from, k))) << (8 * (k - at))
			}
		}
		words[i] = word
		sum = addToSum(sum, word)
	}
	return sum
}

// copyOut reads what is left of a record from a chunk, as far as it goes.
//
//go:nosplit
func copyOut(words *[chunkWords]uint64, to unsafe.Pointer, left, sum uint64) uint64 {
	for i := range words {
		at := uint64(8 * i)
		if at >= left {
			break
		}
		word := words[i]
		if left-at >= 8 {
			*(*uint64)(unsafe.Add(to, at)) = word
		} else {
			for k := at; k < left; k++ {
				*(*byte)(unsafe.Add(to, k)) = byte(word >> (8 * (k - at)))
			}
		}
		sum = addToSum(sum, word)
	}
	return sum
}
