package store

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

var session = []byte("a session with its master secret")

func newKey(t *testing.T) *key {
	t.Helper()
	return parsed(t, keyfile.Generate()).first()
}

func sealed(t *testing.T, k *key, place []byte, singleUse bool) []byte {
	t.Helper()
	record, err := k.seal(place, session, singleUse)
	require.NoError(t, err)
	return record
}

func TestRecordOpensWhereItWasSealed(t *testing.T) {
	k, place, room := newKey(t), []byte("place"), make([]byte, 64)
	for _, singleUse := range []bool{false, true} {
		record := sealed(t, k, place, singleUse)
		length, isSingleUse, err := k.open(place, record, room)
		require.NoError(t, err)
		require.Equal(t, session, room[:length])
		require.Equal(t, singleUse, isSingleUse)
		require.NotContains(t, string(record), string(session))
	}
	require.NotEqual(t, sealed(t, k, place, false), sealed(t, k, place, false), "no nonce comes twice")
}

func TestRecordWithOneBitFlippedDoesNotOpen(t *testing.T) {
	k, place, room := newKey(t), []byte("place"), make([]byte, 64)
	record := sealed(t, k, place, false)
	for i := range record {
		for bit := range 8 {
			flipped := bytes.Clone(record)
			flipped[i] ^= 1 << bit
			_, _, err := k.open(place, flipped, room)
			require.Errorf(t, err, "byte %d, bit %d", i, bit)
			require.Equal(t, make([]byte, len(room)), room, "nothing is left in the room")
		}
	}
	for length := range record {
		_, _, err := k.open(place, record[:length], room)
		require.Errorf(t, err, "cut to %d bytes", length)
	}
}

func TestRecordOpensNowhereElse(t *testing.T) {
	k := newKey(t)
	s := &Store{application: "web"}
	home := Identity{Context: []byte("site"), Version: 0x304, ID: []byte("id")}
	record := sealed(t, k, s.place(home), false)
	for name, place := range map[string][]byte{
		"another application": (&Store{application: "mail"}).place(home),
		"another context":     s.place(Identity{Context: []byte("other"), Version: 0x304, ID: []byte("id")}),
		"another version":     s.place(Identity{Context: []byte("site"), Version: 0x303, ID: []byte("id")}),
		"another id":          s.place(Identity{Context: []byte("site"), Version: 0x304, ID: []byte("ie")}),
		"moved boundaries":    s.place(Identity{Context: []byte("sitei"), Version: 0x304, ID: []byte("d")}),
	} {
		require.NotEqualf(t, k.name(s.place(home)), k.name(place), "%s: the name", name)
		_, _, err := k.open(place, record, make([]byte, 64))
		require.Errorf(t, err, "%s: the seal", name)
	}
	_, _, err := newKey(t).open(s.place(home), record, make([]byte, 64))
	require.Error(t, err, "another key")
	_, _, err = k.open(s.place(home), record, make([]byte, len(session)-1))
	require.Error(t, err, "too little room")
}

func TestNameShowsNothing(t *testing.T) {
	place := (&Store{application: "web"}).place(Identity{Context: []byte("site"), Version: 0x304, ID: []byte("visible id")})
	one, other := newKey(t).name(place), newKey(t).name(place)
	require.NotEqual(t, one, other)
	require.NotContains(t, one, "visible")
	require.Len(t, one, len(namePrefix)+24)
}
