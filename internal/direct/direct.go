// Package direct is the way from C to Go code that runs without Go's runtime.
//
// Each exported function here is one that C calls: CacheNew as direct_cache_new, Add as direct_add. It takes up to
// six words, numbers or pointers, and gives at most one. It runs where C called it, on C's stack, as a function of C
// would; no runtime was started, and none is there.
//
// tools/freestanding makes it so. It reads a Go binary (image), follows every call from these functions, and writes
// what it reached as one file of assembler, which is linked into libsslcache.so: the bytes that Go's compiler has made, and
// before each entry the instructions that take C's arguments to Go's registers. It refuses code that a process without
// a runtime could not run. So such code, here, in internal/cache and in internal/arena,
//
//   - is marked go:nosplit, function for function: nothing can grow C's stack;
//   - keeps no pointer but in local variables: what lies in memory is a host.Address, or an index;
//   - allocates nothing, and starts no goroutine;
//   - cannot panic: no index of a slice or array that the compiler has to check (host.Checked), no division by what may be
//     0, no shift by a signed number, no conversion or assertion of an interface;
//   - calls through no variable: no func value, no method of an interface;
//   - has no variables of the package, and no constants that are too large for an instruction: no string, no table;
//   - copies and clears memory by words, where it is more than the compiler does in place;
//   - asks the process for what it needs by the methods of host.Host, and waits only in host.Lock.
//
// To add an entry: write an exported function in this package, and name it in All.
package direct
