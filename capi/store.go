//go:build store

package main

/*
#include "capi/core.h"
#include "capi/store.h"

static inline void call_connected(struct core_store_settings *settings, int descriptor)
{
	settings->connected(descriptor);
}

static inline void call_disconnected(struct core_store_settings *settings, int descriptor)
{
	settings->disconnected(descriptor);
}
*/
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"libsslcache/internal/store"
)

// opened is the store of this process, or nil.
var opened atomic.Pointer[store.Store]

//export core_store_open
func core_store_open(settings *C.struct_core_store_settings, problem *C.char, size C.uint32_t) C.int {
	defer recoverPanic(nil)
	fresh, err := store.Open(store.Settings{
		Address:      C.GoString(settings.address),
		Application:  C.GoString(settings.application),
		Timeout:      time.Duration(settings.timeout),
		Connected:    func(descriptor int) { C.call_connected(settings, C.int(descriptor)) },
		Disconnected: func(descriptor int) { C.call_disconnected(settings, C.int(descriptor)) },
	})
	if err != nil {
		writeText(problem, size, err.Error())
		return 0
	}
	opened.Store(fresh)
	return 1
}

//export core_store_keys
func core_store_keys(text *C.uchar, length C.uint32_t, problem *C.char, size C.uint32_t) C.int {
	defer recoverPanic(nil)
	if err := opened.Load().SetKeys(bytesOf(text, length)); err != nil {
		writeText(problem, size, err.Error())
		return 0
	}
	return 1
}

//export core_store_put
func core_store_put(place *C.struct_core_place, session *C.uchar, length C.uint32_t, life C.int64_t, singleUse C.int) {
	defer recoverPanic(nil)
	if kept := opened.Load(); kept != nil {
		kept.Put(identityOf(place), bytesOf(session, length), time.Duration(life)*time.Second, singleUse != 0)
	}
}

//export core_store_get
func core_store_get(place *C.struct_core_place, take C.int, room *C.uchar, size C.uint32_t) C.uint32_t {
	defer recoverPanic(nil)
	kept := opened.Load()
	if kept == nil {
		return 0
	}
	return C.uint32_t(kept.Get(identityOf(place), take != 0, bytesOf(room, size)))
}

//export core_store_remove
func core_store_remove(place *C.struct_core_place) {
	defer recoverPanic(nil)
	if kept := opened.Load(); kept != nil {
		kept.Delete(identityOf(place))
	}
}

//export core_store_stats
func core_store_stats(answer *C.struct_core_store_stats) {
	defer recoverPanic(nil)
	kept := opened.Load()
	if kept == nil {
		return
	}
	stats := kept.Stats()
	*answer = C.struct_core_store_stats{
		written:   C.uint64_t(stats.Written),
		deleted:   C.uint64_t(stats.Deleted),
		found:     C.uint64_t(stats.Found),
		missed:    C.uint64_t(stats.Missed),
		refused:   C.uint64_t(stats.Refused),
		timed_out: C.uint64_t(stats.TimedOut),
		failed:    C.uint64_t(stats.Failed),
		skipped:   C.uint64_t(stats.Skipped),
		dropped:   C.uint64_t(stats.Dropped),
		queued:    C.uint64_t(stats.Queued),
		openings:  C.uint64_t(stats.Openings),
		waited:    C.uint64_t(stats.Waited),
		slowest:   C.uint64_t(stats.Slowest),
		open:      cBool(stats.Open),
	}
	writeText(&answer.failure[0], C.uint32_t(len(answer.failure)), stats.Failure)
}

// bytesOf is the caller's memory, for the time of the call.
func bytesOf(start *C.uchar, length C.uint32_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(start)), length)
}

func identityOf(place *C.struct_core_place) store.Identity {
	return store.Identity{
		Context: bytesOf(place.context, place.context_length),
		Version: int32(place.version),
		ID:      bytesOf(place.id, place.id_length),
	}
}

// writeText writes a line with a zero at its end, as much as there is room for, and nothing in it that
// could not stand in JSON or on a terminal.
func writeText(to *C.char, size C.uint32_t, text string) {
	room := unsafe.Slice((*byte)(unsafe.Pointer(to)), size)
	count := copy(room[:size-1], text)
	room[count] = 0
	for i, letter := range room[:count] {
		if letter < ' ' || letter > '~' || letter == '"' || letter == '\\' {
			room[i] = '?'
		}
	}
}
