package store

import (
	"crypto/sha256"
	"reflect"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapSecret returns memory for a secret: outside Go's heap, in no core dump, empty in a forked child, and never
// on a disk where the limit of the process on locked memory allows it.
func mapSecret(size int) ([]byte, error) {
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	// An old kernel may know none of them; the secret is wiped when it is not needed, with or without.
	_ = unix.Madvise(memory, unix.MADV_DONTDUMP)
	_ = unix.Madvise(memory, unix.MADV_WIPEONFORK)
	_ = unix.Mlock(memory)
	return memory, nil
}

func unmapSecret(memory []byte) {
	clear(memory)
	_ = unix.Munmap(memory)
}

// macKey is a key of HMAC-SHA256 in the form in which it is used (RFC 2104): crypto/hmac would keep a copy of it
// on Go's heap.
type macKey struct {
	inner, outer [sha256.BlockSize]byte
}

func (k *macKey) set(secret []byte) {
	k.inner, k.outer = [sha256.BlockSize]byte{}, [sha256.BlockSize]byte{}
	copy(k.inner[:], secret)
	copy(k.outer[:], secret)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
}

// mac writes the MAC over the parts, one behind the other, into sum, which may be a secret of the caller's.
func (k *macKey) mac(sum *[sha256.Size]byte, parts ...[]byte) {
	hash := sha256.New()
	defer wipe(hash)
	hash.Write(k.inner[:])
	for _, part := range parts {
		hash.Write(part)
	}
	hash.Sum(sum[:0])
	hash.Reset()
	hash.Write(k.outer[:])
	hash.Write(sum[:])
	hash.Sum(sum[:0])
}

// wipe clears what a hash or a cipher of the standard library remembers, which has no way to do so itself.
func wipe(object any) { wipeValue(reflect.ValueOf(object)) }

func wipeValue(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return
		}
		if holdsPointers(value.Type().Elem()) {
			wipeValue(value.Elem())
			return
		}
		clear(unsafe.Slice((*byte)(value.UnsafePointer()), value.Type().Elem().Size()))
	case reflect.Interface:
		if !value.IsNil() {
			wipeValue(value.Elem())
		}
	case reflect.Struct:
		for i := range value.NumField() {
			wipeValue(value.Field(i))
		}
	}
}

func holdsPointers(kind reflect.Type) bool {
	switch kind.Kind() {
	case reflect.Array:
		return holdsPointers(kind.Elem())
	case reflect.Struct:
		for i := range kind.NumField() {
			if holdsPointers(kind.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.String, reflect.Map, reflect.Chan, reflect.Func,
		reflect.UnsafePointer:
		return true
	}
	return false
}

// withCleanStack runs use, which has secrets in its variables, and clears the stack that it had. The stack is made
// large enough before: one that grows is copied, and the copy before is left as it is.
func withCleanStack(use func()) {
	clearStack()
	use()
	clearStack()
}

//go:noinline
func clearStack() {
	var frame [16 << 10]byte
	clear(frame[:])
	runtime.KeepAlive(&frame)
}
