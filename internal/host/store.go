//go:build race || !amd64

package host

import "sync/atomic"

//go:nosplit
func release(held *atomic.Uint32) {
	held.Store(0)
}

// Show sets what others read without the lock under which it is called.
//
//go:nosplit
func Show(to *atomic.Uint64, value uint64) {
	to.Store(value)
}

// ShowSigned does the same.
//
//go:nosplit
func ShowSigned(to *atomic.Int64, value int64) {
	to.Store(value)
}
