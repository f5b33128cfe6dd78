package cache

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzModel takes its bytes as operations, four each, on a cache and on the model of it. Fuzz
// it with a small -fuzzminimizetime: the hash is seeded anew each time, so no coverage comes twice.
func FuzzModel(f *testing.F) {
	f.Add([]byte{0})
	for seed := range 6 {
		operations := make([]byte, 2000)
		for i := range operations {
			operations[i] = byte(i * (i/4 + seed) >> (i % 4))
		}
		f.Add(operations)
	}
	f.Fuzz(func(t *testing.T, operations []byte) {
		if len(operations) == 0 {
			return
		}
		version := []string{"1.1.1", "3.0", "3.5"}[operations[0]%3]
		m := newMachine(libssl[version], int(operations[0]>>3)%4)
		defer m.cache.Free()
		for chosen := range slices.Chunk(operations[1:], 4) {
			if len(chosen) == 4 {
				m.operate(t, chosen[0], chosen[1], int64(chosen[2]), int64(chosen[3]))
			}
		}
		m.check(t)
	})
}

func (m *machine) operate(t *testing.T, operation, named byte, expiry, limit int64) {
	key := pickKey(int(named)%3, int(named/3)%5, named/15%4)
	switch operation % 8 {
	case 0, 1, 2:
		m.addNew(t, key, expiry, limit)
	case 3:
		m.addAgain(t, key, expiry, limit)
	case 4:
		m.remove(t, key)
	case 5:
		m.lookup(t, key)
	case 6:
		m.reschedule(t, key, limit%2 == 0, expiry)
	case 7:
		m.flush(t, expiry)
	}
}

// FuzzKey adds two keys of any bytes: they are one if and only if version, length and id are equal.
func FuzzKey(f *testing.F) {
	f.Add(int32(0x303), []byte("a"), int32(0x304), []byte("a"))
	f.Add(int32(0x303), []byte(""), int32(0x303), []byte("\x00"))
	f.Add(int32(0x303), make([]byte, MaxID), int32(0x303), make([]byte, MaxID+1))
	f.Add(int32(-1), make([]byte, MaxID), int32(-1), make([]byte, MaxID))
	f.Fuzz(func(t *testing.T, version int32, id []byte, otherVersion int32, otherID []byte) {
		one, other := keyOf(version, id), keyOf(otherVersion, otherID)
		c := fresh(libssl["3.0"])
		defer c.Free()
		require.Equal(t, len(id) <= MaxID, c.Add(one, 1, 100, 0).New)
		require.Equal(t, len(id) <= MaxID, c.Contains(one))
		same := version == otherVersion && string(id) == string(otherID) && len(id) <= MaxID
		require.Equal(t, same, c.Contains(other))
		expected := Added{New: len(otherID) <= MaxID}
		if same {
			expected.Replaced = 1
		}
		require.Equal(t, expected, c.Add(other, 2, 100, 0))
		requireSound(t, c)
	})
}

func keyOf(version int32, id []byte) *Key {
	key := &Key{Version: version, Length: uint32(len(id))}
	copy(key.ID[:], id)
	return key
}
