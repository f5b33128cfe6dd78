package cache

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumberIsNeverBelow0(t *testing.T) {
	c := New(Rules{CountsNewcomer: true})
	c.number.Add(-1) // as an eviction leaves it that has claimed what another thread removed just now
	require.Zero(t, c.Number())
	require.Zero(t, c.Stats().Number)
}
