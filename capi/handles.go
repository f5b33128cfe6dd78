package main

// #include "capi/core.h"
import "C"

import (
	"runtime"
	"sync"
	"unsafe"

	"libsslcache/internal/cache"

	pointer "github.com/mattn/go-pointer"
)

// keptCache is what a handle stands for: a cache, and what it calls in C.
type keptCache struct {
	*cache.Cache
	host   *C.struct_core_host
	retain func(cache.Session)
	pinned runtime.Pinner
}

// pin answers what names the cache in internal/direct: its address, until the handle is freed.
func (k *keptCache) pin() unsafe.Pointer {
	k.pinned.Pin(k.Cache)
	return unsafe.Pointer(k.Cache)
}

// go-pointer makes the handles and keeps what they stand for alive, behind one lock for the process.
// The way of an operation goes through resolved instead, which is read without a lock.
var resolved sync.Map // core_handle to *keptCache

func newHandle(kept *keptCache) C.core_handle {
	handle := C.core_handle(pointer.Save(kept))
	resolved.Store(unsafe.Pointer(handle), kept)
	return handle
}

// cacheOf gives the cache behind a handle. A handle that was never given or is freed already is a fault
// of the caller: it panics, and the operation answers 0.
func cacheOf(handle C.core_handle) *keptCache {
	kept, _ := resolved.Load(unsafe.Pointer(handle))
	return kept.(*keptCache)
}

// condemn forgets the cache behind the handle, whose operations panic from then on. It answers whom to
// tell, nil the second time: a panic is reported once.
func condemn(handle C.core_handle) *C.struct_core_host {
	kept, known := resolved.LoadAndDelete(unsafe.Pointer(handle))
	if !known {
		return nil
	}
	if kept.(*keptCache).Cache != nil {
		kept.(*keptCache).Close()
	}
	return kept.(*keptCache).host
}

func freeHandle(handle C.core_handle) {
	if kept, known := resolved.LoadAndDelete(unsafe.Pointer(handle)); known {
		kept.(*keptCache).pinned.Unpin()
		kept.(*keptCache).Free()
		pointer.Unref(unsafe.Pointer(handle))
	}
}

// frozen has the caches that are at rest for a fork. Only the thread that forks uses it.
var frozen = map[*keptCache]*cache.Frozen{}

// freezeAll stops all operations. C makes and frees no cache until thawAll.
func freezeAll() {
	resolved.Range(func(_, kept any) bool {
		frozen[kept.(*keptCache)] = kept.(*keptCache).Freeze()
		return true
	})
}

func thawAll() {
	for kept, rest := range frozen {
		rest.Thaw()
		delete(frozen, kept)
	}
}

// entriesOf lists a cache, at rest or not.
func entriesOf(kept *keptCache, cursor uint64, entries []cache.Entry) (count int, next uint64) {
	if rest := frozen[kept]; rest != nil {
		return rest.Entries(cursor, entries)
	}
	return kept.Entries(cursor, entries)
}
