package cache

import "hash/maphash"

// MaxID is the longest session id of the protocol.
const MaxID = 32

// Key names a session: its protocol version, and the first Length bytes of ID. What ID holds beyond
// them means nothing. Length 0 is a key like any other. A Length above MaxID is no key: nothing is
// added or found under it.
type Key struct {
	Version int32
	Length  uint32
	ID      [MaxID]byte
}

func (k *Key) valid() bool {
	return k.Length <= MaxID
}

// assign makes k the same key with nothing beyond the id.
func (k *Key) assign(given *Key) {
	*k = *given
	if k.Length < MaxID {
		clear(k.ID[k.Length:])
	}
}

// names says whether the key, as a caller gave it, is the one that was assigned.
func (k *Key) names(assigned *Key) bool {
	if k.Version != assigned.Version || k.Length != assigned.Length {
		return false
	}
	if k.Length == MaxID {
		return k.ID == assigned.ID
	}
	return string(k.ID[:k.Length]) == string(assigned.ID[:k.Length])
}

// hash is seeded, because a client may choose session ids that would collide under a known function.
// The version is mixed in by an odd factor, so that one id under two versions gets two hashes.
func (k *Key) hash(seed maphash.Seed) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return maphash.Bytes(seed, k.ID[:k.Length]) ^ uint64(uint32(k.Version))*odd
}
