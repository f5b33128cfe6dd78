package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

func TestPartsOfAKeyDiffer(t *testing.T) {
	line := keyfile.Generate()
	ring, err := parseKeys([]byte(line + "\n" + keyfile.Generate()))
	require.NoError(t, err)
	require.Len(t, ring.keys, 2)
	require.NotEqual(t, ring.keys[0], ring.keys[1])
	require.NotEqual(t, ring.first().naming, ring.first().sealing)

	again, err := parseKeys([]byte(line))
	require.NoError(t, err)
	require.Equal(t, ring.first(), again.first(), "what one process seals another opens")
}
