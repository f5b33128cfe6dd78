package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/cache"
)

func handlesLeft() (left int) {
	resolved.Range(func(_, _ any) bool {
		left++
		return true
	})
	return left
}

func TestPanicStaysInsideAndItsCacheAnswers0(t *testing.T) {
	// A cache that is not there: whatever is asked of it panics.
	broken := newHandle(&keptCache{})
	sound := newHandle(&keptCache{Cache: cache.New(cache.Rules{})})
	before := panics.Load()

	require.Zero(t, core_number(broken))
	require.Equal(t, before+1, panics.Load())
	require.Zero(t, core_number(broken), "from then on it is not asked again")
	require.Equal(t, before+2, panics.Load())
	require.Equal(t, 1, handlesLeft(), "a cache that panicked is forgotten")

	require.Zero(t, core_number(sound))
	require.Equal(t, before+2, panics.Load(), "another cache goes on")
	core_cache_free(sound)
}

func TestHandleThatIsNoneAnswers0(t *testing.T) {
	freed := newHandle(&keptCache{Cache: cache.New(cache.Rules{})})
	core_cache_free(freed)
	require.Zero(t, core_number(nil))
	require.Zero(t, core_number(freed))
	require.Zero(t, core_remove(freed, nil))
}

func TestNoHandleIsLeft(t *testing.T) {
	before := handlesLeft()
	for range 100 {
		handle := newHandle(&keptCache{Cache: cache.New(cache.Rules{})})
		require.Same(t, cacheOf(handle), cacheOf(handle))
		core_cache_free(handle)
		core_cache_free(handle)
	}
	require.Equal(t, before, handlesLeft())
}

func TestFrozenCacheIsListedAndThaws(t *testing.T) {
	kept := &keptCache{Cache: cache.New(cache.Rules{})}
	handle := newHandle(kept)
	defer core_cache_free(handle)
	kept.Add(&cache.Key{Version: 0x303, Length: 1}, 7, 100, 0)

	core_freeze()
	entries := make([]cache.Entry, 2)
	count, next := entriesOf(kept, 0, entries)
	core_thaw()

	require.Equal(t, 1, count)
	require.Zero(t, next)
	require.Equal(t, cache.Session(7), entries[0].Session)
	require.Empty(t, frozen)
	require.NotZero(t, kept.Remove(&cache.Key{Version: 0x303, Length: 1}), "it goes on")
}
