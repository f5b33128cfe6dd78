//go:build !race

package cache

import "unsafe"

// element returns the element i of a slice, which must have it. There is no check: one that fails
// calls the runtime, which is not to be called everywhere (see Try). The tests run with -race too, whose
// build has the checks.
//
//go:nosplit
func element[T any](of []T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(of)), uintptr(i)*unsafe.Sizeof(*new(T))))
}
