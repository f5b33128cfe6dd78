package main

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/cache"
	"libsslcache/internal/direct"
	"libsslcache/internal/host"
)

func newKept() *keptCache {
	return &keptCache{Cache: cache.New(host.Local(), cache.Rules{})}
}

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
	sound := newHandle(newKept())
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
	freed := newHandle(newKept())
	core_cache_free(freed)
	require.Zero(t, core_number(nil))
	require.Zero(t, core_number(freed))
	require.Zero(t, core_remove(freed, nil))
	require.Nil(t, core_address(freed))
	core_lock(freed)
	core_unlock(freed)
}

func TestNoHandleIsLeft(t *testing.T) {
	before := handlesLeft()
	for range 100 {
		handle := newHandle(newKept())
		require.Same(t, cacheOf(handle), cacheOf(handle))
		core_cache_free(handle)
		core_cache_free(handle)
	}
	require.Equal(t, before, handlesLeft())
}

// TestBothWaysSeeOneCache: a child goes on with what a parent has made through a handle.
func TestBothWaysSeeOneCache(t *testing.T) {
	kept := newKept()
	handle := newHandle(kept)
	defer core_cache_free(handle)
	entry := &cache.Entry{Session: 7, Expiry: 100, Key: cache.Key{Version: 0x303, Length: 1}}
	require.EqualValues(t, 1, direct.Add(kept.Cache, entry, 0, new(direct.Answer)))

	require.EqualValues(t, 1, core_number(handle))
	require.Equal(t, unsafe.Pointer(kept.Cache), unsafe.Pointer(core_address(handle)))
	require.EqualValues(t, 7, direct.Remove((*cache.Cache)(unsafe.Pointer(core_address(handle))), entry))
	require.Zero(t, core_number(handle))
}
