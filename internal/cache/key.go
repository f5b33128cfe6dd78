package cache

import (
	"math/bits"
	"math/rand/v2"
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

// words are a key as the processor likes it: version and length, then the id.
//
//go:nosplit
func (k *Key) words() *[5]uint64 {
	return (*[5]uint64)(unsafe.Pointer(k))
}

//go:nosplit
func (k *Key) equals(other *Key) bool {
	a, b := k.words(), other.words()
	return (a[0]^b[0])|(a[1]^b[1])|(a[2]^b[2])|(a[3]^b[3])|(a[4]^b[4]) == 0
}

// A seed is the secret of a hash.
type seed [7]uint64

// newSeed draws from the runtime's ChaCha8, and not by crypto/rand: that brings the package os, which may
// open descriptors when the core starts.
func newSeed() (s seed) {
	for i := range s {
		s[i] = rand.Uint64()
	}
	return s
}

// hash is seeded, because a client may choose session ids that would collide under a known function.
// It is NH, of UMAC (RFC 4418), on words of 64 bits: for two keys chosen without knowledge of the seed
// the chance that their sums of 128 bits are the same is 2^-64. Those are then folded to 64. It stands
// here, and is not maphash, because that may grow the stack.
//
//go:nosplit
func (k *Key) hash(s *seed) uint64 {
	w := k.words()
	high1, low1 := bits.Mul64(w[1]+s[0], w[2]+s[1])
	high2, low2 := bits.Mul64(w[3]+s[2], w[4]+s[3])
	low, carry := bits.Add64(low1, low2, 0)
	high, _ := bits.Add64(high1, high2, carry)
	high, low = bits.Mul64(low^s[4], high^(w[0]*oddFactor)^s[5])
	return (high ^ low) * oddFactor
}

// So that one id under two versions gets two hashes.
const oddFactor = 0x9e3779b97f4a7c15
