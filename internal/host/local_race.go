//go:build race

package host

import (
	"sync"
	"unsafe"
)

// mapping returns memory of Go's: the race detector watches no other.
func mapping() (onMap func(size uint64) Address, onUnmap func(memory Address, size uint64)) {
	var lock sync.Mutex
	mapped := map[Address][]byte{} // what nobody refers to would be collected
	onMap = func(size uint64) Address {
		memory := make([]byte, size)
		at := AddressOf(unsafe.Pointer(&memory[0]))
		lock.Lock()
		defer lock.Unlock()
		mapped[at] = memory
		return at
	}
	onUnmap = func(memory Address, _ uint64) {
		lock.Lock()
		defer lock.Unlock()
		delete(mapped, memory)
	}
	return onMap, onUnmap
}
