package main

/*
#include "capi/core.h"
#include "capi/store.h"

static inline void call_answered(struct store_settings *settings, struct store_request *request)
{
	settings->answered(request);
}
*/
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"libsslcache/internal/store"
)

// openedStore is a store and what C has opened it with.
type openedStore struct {
	*store.Store
	settings *C.struct_store_settings
}

// opened is the store of this process, or nil.
var opened atomic.Pointer[openedStore]

//export core_store_open
func core_store_open(settings *C.struct_store_settings, problem *C.char, size C.uint32_t) C.int {
	defer recoverPanic(nil)
	fresh, err := store.Open(store.Settings{
		Address:     C.GoString(settings.address),
		Password:    C.GoString(settings.password),
		Application: C.GoString(settings.application),
		Timeout:     time.Duration(settings.timeout),
	})
	if err != nil {
		writeText(problem, size, err.Error())
		return 0
	}
	opened.Store(&openedStore{fresh, settings})
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

//export core_store_serve
func core_store_serve(request *C.struct_store_request) {
	defer recoverPanic(nil)
	kept := opened.Load()
	switch request.operation {
	case C.STORE_PUT:
		kept.Put(identityOf(request), bytesOf(request.session, request.length),
			time.Duration(request.life)*time.Second, request.single_use != 0)
	case C.STORE_REMOVE:
		kept.DeleteWithin(identityOf(request), time.Duration(request.life)*time.Second)
	default:
		go lookUp(kept.Store, kept.settings, request)
	}
}

// lookUp answers a request, whatever happens.
func lookUp(from *store.Store, settings *C.struct_store_settings, request *C.struct_store_request) {
	room := bytesOf(request.session, request.length)
	request.length = 0
	defer C.call_answered(settings, request)
	defer recoverPanic(nil)
	request.length = C.uint32_t(from.Get(identityOf(request), request.operation == C.STORE_TAKE, room))
}

//export core_store_stats
func core_store_stats(answer *C.struct_store_stats) {
	defer recoverPanic(nil)
	stats := opened.Load().Stats()
	*answer = C.struct_store_stats{
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
		open:      cBool(stats.Open),
	}
	writeText(&answer.failure[0], C.uint32_t(len(answer.failure)), stats.Failure)
}

// bytesOf is C's memory, for as long as C leaves it to us.
func bytesOf(start *C.uchar, length C.uint32_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(start)), length)
}

// identityOf reads the identity in place.
func identityOf(request *C.struct_store_request) store.Identity {
	return store.Identity{
		Context: bytesOf(&request.context[0], C.uint32_t(request.context_length)),
		Version: int32(request.version),
		ID:      bytesOf(&request.id[0], C.uint32_t(request.id_length)),
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
