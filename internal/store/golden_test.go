package store

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// What another release has stored under a name must be found under it and open. Where one of these has to change, the
// version of the record and placeGeneration change with it: two releases then do not share, which CHANGELOG.md says.
const (
	goldenKey    = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	goldenName   = "sslcache:n6svmqa8fq9Rue36JavSbJei"
	goldenRecord = "01000bda1ee22ae2eaff6946eaa52925a1371a93c542cd16f8cc57b60c294ddc8fc26af4648b" +
		"5c431a4185465ae4f72c7350156d33c019931894fc983e078edd0e237c"
	goldenOneUse = "01010bda1ee271c51eeeaeefa6ed9e7df65c59000e12b6400f25132ea10acd18bf820eb14ebf" +
		"4c150b73a49cdfd0fa849c93399fa55483aa1e11a5e778e2e8a60c446a"
	goldenSession = "a session as libssl serialises it"
)

var goldenIdentity = Identity{Context: []byte("site"), Version: 0x304, ID: []byte{0, 1, 2, 0xfe, 0xff}}

func TestGoldenRecordAndName(t *testing.T) {
	s := &Store{application: "nginx"}
	k, place := parsed(t, goldenKey).first(), s.place(goldenIdentity)
	require.Equal(t, goldenName, k.name(place))
	for text, singleUse := range map[string]bool{goldenRecord: false, goldenOneUse: true} {
		record, err := hex.DecodeString(text)
		require.NoError(t, err)
		room := make([]byte, len(goldenSession))
		length, isSingleUse, err := k.open(place, record, room)
		require.NoError(t, err)
		require.Equal(t, goldenSession, string(room[:length]))
		require.Equal(t, singleUse, isSingleUse)

		fresh, err := k.seal(place, room, singleUse)
		require.NoError(t, err)
		require.Equal(t, record[:headerSize], fresh[:headerSize], "version, flags and id of the key")
		require.Len(t, fresh, len(record))
	}
}
