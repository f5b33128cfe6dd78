package main

/*
#include "capi/core.h"

static inline void call_panicked(struct core_host *host) { host->panicked(); }
*/
import "C"

import (
	"sync"
	"unsafe"

	"libsslcache/internal/cache"
	"libsslcache/internal/host"

	pointer "github.com/mattn/go-pointer"
)

// keptCache is what a handle stands for.
type keptCache struct {
	*cache.Cache // in the host's memory
	owner        *C.struct_core_host
}

// go-pointer makes the handles and keeps what they stand for alive, behind one lock for the process.
// The way of an operation goes through resolved instead, which is read without a lock.
var resolved sync.Map // core_handle to *keptCache

func newHandle(kept *keptCache) C.core_handle {
	handle := C.core_handle(pointer.Save(kept))
	resolved.Store(unsafe.Pointer(handle), kept)
	return handle
}

// cacheOf returns the cache behind a handle. A handle that was never given or is freed already is a fault
// of the caller: it panics, and the operation returns 0.
func cacheOf(handle C.core_handle) *cache.Cache {
	kept, _ := resolved.Load(unsafe.Pointer(handle))
	return kept.(*keptCache).Cache
}

// invalidate forgets the cache behind the handle, whose operations panic from then on. It returns how to tell its
// owner, nil the second time: a panic is reported once.
func invalidate(handle C.core_handle) (tell func()) {
	kept, known := resolved.LoadAndDelete(unsafe.Pointer(handle))
	if !known || kept.(*keptCache).owner == nil {
		return nil
	}
	return func() { C.call_panicked(kept.(*keptCache).owner) }
}

func freeHandle(handle C.core_handle) {
	if kept, known := resolved.LoadAndDelete(unsafe.Pointer(handle)); known {
		kept.(*keptCache).Free()
		pointer.Unref(unsafe.Pointer(handle))
	}
}

// adopted are the hosts whose functions are Go's, and what keeps those alive.
var (
	adopted      = map[*host.Host]*host.Host{}
	adoptedMutex sync.Mutex
)

// hostOf gives C's host to Go code, which can't call the functions that are in it: this process's own, which do the
// same, are put in their place. C puts its own back where it goes on without us.
func hostOf(owner *C.struct_core_host) *host.Host {
	h := (*host.Host)(unsafe.Pointer(owner))
	adoptedMutex.Lock()
	defer adoptedMutex.Unlock()
	if adopted[h] == nil {
		ours := host.Local()
		h.OnMap, h.OnUnmap, h.OnPause = ours.OnMap, ours.OnUnmap, ours.OnPause
		adopted[h] = ours
	}
	return h
}
