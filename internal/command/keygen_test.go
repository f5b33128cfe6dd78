package command

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

func TestKeygenPrintsAKeyThatTheStoreTakes(t *testing.T) {
	generate := func() []byte {
		var printed bytes.Buffer
		root := New("0")
		root.SetOut(&printed)
		root.SetArgs([]string{"keygen"})
		require.NoError(t, root.Execute())
		return printed.Bytes()
	}
	first, second := generate(), generate()
	keys, err := keyfile.Parse(append(first, second...))
	require.NoError(t, err, "and no key comes twice")
	require.Len(t, keys, 2)
}
