// Package direct lets C call the cache without Go's scheduler.
//
// A call from C to Go the usual way takes a processor of the scheduler, changes to a goroutine's stack, and
// gives both back: about as much time as libssl needs for a whole add. The functions here run where C
// called them, on its stack, as a signal handler of the runtime does. So they do nothing that needs a
// scheduler: they are the operations of cache.Cache that begin with Try, which wait for nothing, ask for no
// memory and never panic. The garbage collector need not know of them: it moves nothing, all that they
// touch is there until the cache is freed that C has a handle of, and they write no pointer into it. Where
// they would have to do more they answer NotDone, and C calls the usual way.
//
// direct_test.go holds the code to this: it reads what the compiler made of it.
package direct

import (
	"unsafe"

	"libsslcache/internal/cache"
)

// What an operation answers that was left undone. Else it is 1 for yes and 0 for no.
const NotDone = -1

// Entry is struct core_entry (capi/core.h).
type Entry struct {
	Session  cache.Session
	Expiry   int64
	Sequence uint64
	Key      cache.Key
}

// Answer is struct core_answer.
type Answer struct {
	Replaced cache.Session
	Session  cache.Session
	More     bool
}

// Found is struct core_found.
type Found struct {
	Session cache.Session
	Held    unsafe.Pointer
}

// Table is struct core_direct: the addresses of functions that C may call.
type Table struct {
	Add, Evict, Lookup, Release, Contains, Remove, Expired uintptr
}
