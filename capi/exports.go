// Command capi is the boundary between the thin C layer and the Go core: the functions that core.h
// declares, exported to C. Each finds the cache behind the handle, hands the call on and writes the
// answer; nothing else happens here.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/.. -O2
#include "capi/core.h"

static inline void call_retain(struct core_host *host, core_session session)
{
	host->retain(session);
}

static inline void call_panicked(struct core_host *host) { host->panicked(); }
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"libsslcache/internal/cache"
	"libsslcache/internal/direct"
)

func main() {}

// A direct call hands structs of C on as they are: both sides must see the same. Each line compiles only
// if its two numbers are equal.
var (
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_entry{})-unsafe.Sizeof(direct.Entry{})]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.expiry)-unsafe.Offsetof(direct.Entry{}.Expiry)]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.version)-unsafe.Offsetof(direct.Entry{}.Key)]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_entry{}.id)-unsafe.Offsetof(direct.Entry{}.Key)-unsafe.Offsetof(cache.Key{}.ID)]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_answer{})-unsafe.Sizeof(direct.Answer{})]
	_ = [1]int{}[unsafe.Offsetof(C.struct_core_answer{}.more)-unsafe.Offsetof(direct.Answer{}.More)]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_found{})-unsafe.Sizeof(direct.Found{})]
	_ = [1]int{}[unsafe.Sizeof(C.struct_core_direct{})-unsafe.Sizeof(direct.Table{})]
)

// panics counts what recoverPanic caught.
var panics atomic.Uint64

// recoverPanic keeps a panic inside: the program under us must go on. The operation answers 0, and so
// do all that follow on this cache, for a lock of it may be held for ever.
func recoverPanic(handle C.core_handle) {
	if recover() == nil {
		return
	}
	panics.Add(1)
	if host := condemn(handle); host != nil {
		C.call_panicked(host)
	}
}

// keyOf reads the key of an entry in place: a session id lies in the entry as it lies in a cache.Key.
func keyOf(entry *C.struct_core_entry) *cache.Key {
	return (*cache.Key)(unsafe.Pointer(&entry.version))
}

//export core_cache_new
func core_cache_new(rules *C.struct_core_rules, host *C.struct_core_host, named *unsafe.Pointer) C.core_handle {
	defer recoverPanic(nil)
	kept := &keptCache{
		Cache: cache.New(cache.Rules{
			CountsNewcomer: rules.counts_newcomer != 0,
			ByInsertion:    rules.by_insertion != 0,
			ReaddMoves:     rules.readd_moves != 0,
		}),
		host:   host,
		retain: func(session cache.Session) { C.call_retain(host, C.core_session(session)) },
	}
	*named = kept.pin()
	return newHandle(kept)
}

//export core_cache_free
func core_cache_free(handle C.core_handle) {
	defer recoverPanic(handle)
	freeHandle(handle)
}

//export core_add
func core_add(handle C.core_handle, entry *C.struct_core_entry, limit C.int64_t, answer *C.struct_core_answer) C.int {
	defer recoverPanic(handle)
	added := cacheOf(handle).Add(keyOf(entry), cache.Session(entry.session), int64(entry.expiry), int64(limit))
	answer.replaced = C.core_session(added.Replaced)
	answer.session = C.core_session(added.Evicted)
	answer.more = cBool(added.More)
	return C.int(cBool(added.New))
}

//export core_evict
func core_evict(handle C.core_handle, limit C.int64_t, newcomer C.core_session, answer *C.struct_core_answer) C.int {
	defer recoverPanic(handle)
	victim, more := cacheOf(handle).Evict(int64(limit), cache.Session(newcomer))
	answer.session = C.core_session(victim)
	answer.more = cBool(more)
	return C.int(cBool(victim != 0))
}

//export core_evict_random
func core_evict_random(handle C.core_handle, random C.uint64_t, newcomer C.core_session) C.core_session {
	defer recoverPanic(handle)
	return C.core_session(cacheOf(handle).EvictRandom(uint64(random), cache.Session(newcomer)))
}

//export core_lookup
func core_lookup(handle C.core_handle, entry *C.struct_core_entry) C.core_session {
	defer recoverPanic(handle)
	kept := cacheOf(handle)
	return C.core_session(kept.Lookup(keyOf(entry), kept.retain))
}

//export core_contains
func core_contains(handle C.core_handle, entry *C.struct_core_entry) C.int {
	defer recoverPanic(handle)
	return C.int(cBool(cacheOf(handle).Contains(keyOf(entry))))
}

//export core_remove
func core_remove(handle C.core_handle, entry *C.struct_core_entry) C.core_session {
	defer recoverPanic(handle)
	return C.core_session(cacheOf(handle).Remove(keyOf(entry)))
}

//export core_expire
func core_expire(handle C.core_handle, now C.int64_t, cursor *C.uint64_t, sessions *C.core_session, room C.uint32_t) C.uint32_t {
	defer recoverPanic(handle)
	kept := cacheOf(handle)
	return fill(sessions, room, func() cache.Session { return kept.Expire(int64(now), (*uint64)(cursor)) })
}

//export core_drain
func core_drain(handle C.core_handle, sessions *C.core_session, room C.uint32_t) C.uint32_t {
	defer recoverPanic(handle)
	return fill(sessions, room, cacheOf(handle).Drain)
}

//export core_reschedule
func core_reschedule(handle C.core_handle, entry *C.struct_core_entry) C.int {
	defer recoverPanic(handle)
	return C.int(cBool(cacheOf(handle).Reschedule(keyOf(entry), cache.Session(entry.session), int64(entry.expiry))))
}

//export core_number
func core_number(handle C.core_handle) C.int64_t {
	defer recoverPanic(handle)
	return C.int64_t(cacheOf(handle).Number())
}

//export core_stats
func core_stats(handle C.core_handle, answer *C.struct_core_stats) {
	defer recoverPanic(handle)
	stats := cacheOf(handle).Stats()
	*answer = C.struct_core_stats{
		number:   C.uint64_t(stats.Number),
		peak:     C.uint64_t(stats.Peak),
		stored:   C.uint64_t(stats.Stored),
		found:    C.uint64_t(stats.Found),
		missed:   C.uint64_t(stats.Missed),
		replaced: C.uint64_t(stats.Replaced),
		evicted:  C.uint64_t(stats.Evicted),
		expired:  C.uint64_t(stats.Expired),
		removed:  C.uint64_t(stats.Removed),
	}
}

//export core_entries
func core_entries(handle C.core_handle, cursor *C.uint64_t, entries *C.struct_core_entry, room C.uint32_t) C.uint32_t {
	defer recoverPanic(handle)
	listed := make([]cache.Entry, room)
	count, next := entriesOf(cacheOf(handle), uint64(*cursor), listed)
	out := unsafe.Slice(entries, room)
	for i := range listed[:count] {
		writeEntry(&out[i], &listed[i])
	}
	*cursor = C.uint64_t(next)
	return C.uint32_t(count)
}

//export core_freeze
func core_freeze() {
	defer recoverPanic(nil)
	freezeAll()
}

//export core_thaw
func core_thaw() {
	defer recoverPanic(nil)
	thawAll()
}

//export core_direct
func core_direct(table *C.struct_core_direct) C.int {
	return C.int(cBool(direct.Fill((*direct.Table)(unsafe.Pointer(table)))))
}

//export core_panics
func core_panics() C.uint64_t {
	return C.uint64_t(panics.Load())
}

// fill writes down what take gives, until it gives nothing or there is no more room.
func fill(sessions *C.core_session, room C.uint32_t, take func() cache.Session) C.uint32_t {
	out := unsafe.Slice(sessions, room)
	for i := range out {
		session := take()
		if session == 0 {
			return C.uint32_t(i)
		}
		out[i] = C.core_session(session)
	}
	return room
}

func writeEntry(to *C.struct_core_entry, from *cache.Entry) {
	to.session = C.core_session(from.Session)
	to.expiry = C.int64_t(from.Expiry)
	to.sequence = C.uint64_t(from.Sequence)
	*keyOf(to) = from.Key
}

func cBool(truth bool) C.uint8_t {
	if truth {
		return 1
	}
	return 0
}
