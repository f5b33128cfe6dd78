package store

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

func parsed(t *testing.T, text string) *keyring {
	t.Helper()
	ring, err := parseKeys([]byte(text))
	require.NoError(t, err)
	t.Cleanup(ring.retire)
	return ring
}

func TestPartsOfAKeyDiffer(t *testing.T) {
	line := keyfile.Generate()
	ring := parsed(t, line+"\n"+keyfile.Generate())
	require.Len(t, ring.keys, 2)
	require.NotEqual(t, *ring.keys[0], *ring.keys[1])
	require.NotEqual(t, ring.first().naming, ring.first().sealing)
	require.Equal(t, *ring.first(), *parsed(t, line).first(), "what one process seals another opens")
}

// TestDerivationIsHKDF compares with the standard library's, which leaves its keys on the heap.
func TestDerivationIsHKDF(t *testing.T) {
	for range 20 {
		var secret keyfile.Key
		_, _ = rand.Read(secret[:])
		var derived key
		derived.derive(&secret)
		for use, want := range map[string]*macKey{
			"sslcache store: names": &derived.naming, "sslcache store: seals": &derived.sealing,
		} {
			material, err := hkdf.Key(sha256.New, secret[:], nil, use, sha256.Size)
			require.NoError(t, err)
			text := []byte(rand.Text() + rand.Text() + rand.Text() + rand.Text())
			hash := hmac.New(sha256.New, material)
			hash.Write(text)
			var sum [sha256.Size]byte
			want.mac(&sum, text[:30], text[30:])
			require.Equal(t, hash.Sum(nil), sum[:], use)
		}
		id, err := hkdf.Key(sha256.New, secret[:], nil, "sslcache store: id of the key", 4)
		require.NoError(t, err)
		require.Equal(t, id, derived.id[:])
	}
}

// TestRingIsWipedWhenNobodyUsesIt: not while a look-up or a write uses it, and then at once.
func TestRingIsWipedWhenNobodyUsesIt(t *testing.T) {
	ring := parsed(t, keyfile.Generate())
	require.True(t, ring.hold())
	require.True(t, ring.hold())
	ring.retire()
	require.False(t, ring.hold(), "a ring that was replaced is not used anew")
	ring.release()
	require.NotEqual(t, key{}, *ring.first())
	ring.release()
	require.Nil(t, ring.memory)
	ring.retire()
}
