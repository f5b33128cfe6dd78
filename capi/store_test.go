//go:build store

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStoreThatIsNotOpenAnswers0(t *testing.T) {
	before := panics.Load()
	core_store_put(nil, nil, 0, 0, 0)
	core_store_remove(nil)
	core_store_stats(nil)
	require.Zero(t, core_store_get(nil, 0, nil, 0))
	require.Equal(t, before, panics.Load())
	require.Zero(t, core_store_keys(nil, 0, nil, 0))
	require.Equal(t, before+1, panics.Load(), "a fault of the caller stays inside")
}
