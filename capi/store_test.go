package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaultsOfTheCallerOfTheStoreStayInside(t *testing.T) {
	before := panics.Load()
	core_store_serve(nil)
	core_store_stats(nil)
	require.Zero(t, core_store_keys(nil, 0, nil, 0))
	require.Equal(t, before+3, panics.Load())
}
