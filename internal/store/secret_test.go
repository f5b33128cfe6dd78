package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A cipher of the standard library may keep its keys in its own struct, in another, or behind an interface.
func TestWipeReachesWhatAnObjectHolds(t *testing.T) {
	type keys struct{ words [4]uint64 }
	near, behind := &keys{[4]uint64{1, 2}}, &keys{[4]uint64{3, 4}}
	wipe(&struct {
		pointer *keys
		inside  any
		none    any
		missing *keys
	}{pointer: near, inside: behind})
	require.Equal(t, keys{}, *near)
	require.Equal(t, keys{}, *behind)
}
