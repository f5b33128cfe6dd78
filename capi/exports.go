// Command capi is Go's half of the C API where Go's runtime runs: the functions that core.h lists, and those of
// store.h, exported to C. Each finds what is behind the handle and hands the call on; nothing else happens here.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/.. -O2
#include "capi/core.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"libsslcache/internal/cache"
	"libsslcache/internal/direct"
	"libsslcache/internal/host"
)

func main() {}

// Structs of C are handed on as they are: both sides must see the same. Each line compiles only if its two numbers
// are equal.
var (
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_entry{})-unsafe.Sizeof(cache.Entry{})]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.expiry)-unsafe.Offsetof(cache.Entry{}.Expiry)]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.version)-unsafe.Offsetof(cache.Entry{}.Key)]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.id)-unsafe.Offsetof(cache.Entry{}.Key)-unsafe.Offsetof(cache.Key{}.ID)]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_answer{})-unsafe.Sizeof(direct.Answer{})]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_answer{}.more)-unsafe.Offsetof(direct.Answer{}.More)]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_found{})-unsafe.Sizeof(direct.Found{})]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_rules{})-unsafe.Sizeof(direct.Rules{})]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_stats{})-unsafe.Sizeof(cache.Stats{})]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_host{})-unsafe.Sizeof(host.Host{})]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_host{}.memory)-unsafe.Offsetof(host.Host{}.Memory)]
)

// panics counts what recoverPanic caught.
var panics atomic.Uint64

// recoverPanic keeps a panic inside: the program under us must go on. The operation returns 0, and so
// do all that follow on this cache, for a lock of it may be held for ever.
func recoverPanic(handle C.core_handle) {
	if recover() == nil {
		return
	}
	panics.Add(1)
	if tell := invalidate(handle); tell != nil {
		tell()
	}
}

func entryOf(entry *C.struct_core_entry) *cache.Entry {
	return (*cache.Entry)(unsafe.Pointer(entry))
}

func answerOf(answer *C.struct_core_answer) *direct.Answer {
	return (*direct.Answer)(unsafe.Pointer(answer))
}

func sessionsOf(sessions *C.core_session) *cache.Session {
	return (*cache.Session)(unsafe.Pointer(sessions))
}

//export core_cache_new
func core_cache_new(owner *C.struct_core_host, rules *C.struct_core_rules) C.core_handle {
	defer recoverPanic(nil)
	created := direct.CacheNew(hostOf(owner), (*direct.Rules)(unsafe.Pointer(rules)))
	if created == nil {
		return nil
	}
	return newHandle(&keptCache{Cache: created, owner: owner})
}

//export core_cache_free
func core_cache_free(handle C.core_handle) {
	defer recoverPanic(handle)
	freeHandle(handle)
}

//export core_add
func core_add(handle C.core_handle, entry *C.struct_core_entry, limit C.int64_t, answer *C.struct_core_answer) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Add(cacheOf(handle), entryOf(entry), int64(limit), answerOf(answer)))
}

//export core_evict
func core_evict(handle C.core_handle, limit C.int64_t, newcomer C.core_session, answer *C.struct_core_answer) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Evict(cacheOf(handle), int64(limit), cache.Session(newcomer), answerOf(answer)))
}

//export core_evict_random
func core_evict_random(handle C.core_handle, random C.uint64_t, newcomer C.core_session) C.core_session {
	defer recoverPanic(handle)
	return C.core_session(direct.EvictRandom(cacheOf(handle), uint64(random), cache.Session(newcomer)))
}

//export core_lookup
func core_lookup(handle C.core_handle, entry *C.struct_core_entry, found *C.struct_core_found) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Lookup(cacheOf(handle), entryOf(entry), (*direct.Found)(unsafe.Pointer(found))))
}

//export core_release
func core_release(held unsafe.Pointer) {
	defer recoverPanic(nil)
	direct.Release((*cache.Held)(held))
}

//export core_contains
func core_contains(handle C.core_handle, entry *C.struct_core_entry) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Contains(cacheOf(handle), entryOf(entry)))
}

//export core_remove
func core_remove(handle C.core_handle, entry *C.struct_core_entry) C.core_session {
	defer recoverPanic(handle)
	return C.core_session(direct.Remove(cacheOf(handle), entryOf(entry)))
}

//export core_expire
func core_expire(handle C.core_handle, now C.int64_t, cursor *C.uint64_t, sessions *C.core_session, room C.uint64_t) C.uint64_t {
	defer recoverPanic(handle)
	return C.uint64_t(direct.Expire(cacheOf(handle), int64(now), (*uint64)(cursor), sessionsOf(sessions), uint64(room)))
}

//export core_drain
func core_drain(handle C.core_handle, cursor *C.uint64_t, sessions *C.core_session, room C.uint64_t) C.uint64_t {
	defer recoverPanic(handle)
	return C.uint64_t(direct.Drain(cacheOf(handle), (*uint64)(cursor), sessionsOf(sessions), uint64(room)))
}

//export core_reschedule
func core_reschedule(handle C.core_handle, entry *C.struct_core_entry) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Reschedule(cacheOf(handle), entryOf(entry)))
}

//export core_number
func core_number(handle C.core_handle) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(direct.Number(cacheOf(handle)))
}

//export core_stats
func core_stats(handle C.core_handle, stats *C.struct_core_stats) {
	defer recoverPanic(handle)
	direct.Stats(cacheOf(handle), (*cache.Stats)(unsafe.Pointer(stats)))
}

//export core_entries
func core_entries(handle C.core_handle, cursor *C.uint64_t, entries *C.struct_core_entry, room C.uint64_t) C.uint64_t {
	defer recoverPanic(handle)
	return C.uint64_t(direct.Entries(cacheOf(handle), (*uint64)(cursor), entryOf(entries), uint64(room)))
}

//export core_lock
func core_lock(handle C.core_handle) {
	defer recoverPanic(handle)
	direct.Lock(cacheOf(handle))
}

//export core_unlock
func core_unlock(handle C.core_handle) {
	defer recoverPanic(handle)
	direct.Unlock(cacheOf(handle))
}

//export core_lock_memory
func core_lock_memory(owner *C.struct_core_host) {
	defer recoverPanic(nil)
	direct.LockMemory(hostOf(owner))
}

//export core_unlock_memory
func core_unlock_memory(owner *C.struct_core_host) {
	defer recoverPanic(nil)
	direct.UnlockMemory(hostOf(owner))
}

// core_address returns what the direct way knows a cache by: a forked child, whose runtime is dead, goes on with it.
//
//export core_address
func core_address(handle C.core_handle) C.core_handle {
	defer recoverPanic(handle)
	return C.core_handle(unsafe.Pointer(cacheOf(handle)))
}

// core_ready returns when the runtime serves, as every exported function does.
//
//export core_ready
func core_ready() {}

func cBool(truth bool) C.uint8_t {
	if truth {
		return 1
	}
	return 0
}
