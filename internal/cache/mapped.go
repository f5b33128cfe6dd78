//go:build !race

package cache

import "syscall"

// mapped gives so many bytes of zero from the kernel, or nil.
func mapped(size int) []byte {
	mapping, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil
	}
	return mapping
}

func unmapped(mapping []byte) {
	_ = syscall.Munmap(mapping)
}
