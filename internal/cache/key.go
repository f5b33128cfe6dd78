package cache

import (
	"math/bits"
	"unsafe"
)

// MaxID is the longest session id of the protocol.
const MaxID = 32

// Key names a session: its protocol version, and the first Length bytes of ID; those beyond them are
// zero. Length 0 is a key like any other. A Length above MaxID is no key: nothing is added or found
// under it.
type Key struct {
	Version int32
	Length  uint32
	ID      [MaxID]byte
}

//go:nosplit
func (k *Key) valid() bool {
	return k.Length <= MaxID
}

// An id is a session id as the processor likes it.
type id [MaxID / 8]uint64

// words returns the id in place.
//
//go:nosplit
func (k *Key) words() *id {
	return (*id)(unsafe.Pointer(&k.ID))
}

// head is version and length in a word.
//
//go:nosplit
func (k *Key) head() uint64 {
	return uint64(uint32(k.Version)) | uint64(k.Length)<<32
}

// A seed is the secret of a hash.
type seed = [7]uint64

// hash is seeded, because a client may choose session ids that would collide under a known function.
// It is NH, of UMAC (RFC 4418), on words of 64 bits: for two keys chosen without knowledge of the seed
// the chance that their sums of 128 bits are the same is 2^-64. Those are then folded to 64. It stands
// here, and is not maphash, because that needs Go's runtime.
//
//go:nosplit
func hash(head uint64, w *id, s *seed) uint64 {
	high1, low1 := bits.Mul64(w[0]+s[0], w[1]+s[1])
	high2, low2 := bits.Mul64(w[2]+s[2], w[3]+s[3])
	low, carry := bits.Add64(low1, low2, 0)
	high, _ := bits.Add64(high1, high2, carry)
	high, low = bits.Mul64(low^s[4], high^(head*oddFactor)^s[5])
	return (high ^ low) * oddFactor
}

//go:nosplit
func (k *Key) hash(s *seed) uint64 {
	return hash(k.head(), k.words(), s)
}

// So that one id under two versions gets two hashes.
const oddFactor = 0x9e3779b97f4a7c15
