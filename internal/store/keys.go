package store

import (
	"crypto/sha256"
	"sync"
	"unsafe"

	"libsslcache/internal/store/keyfile"
)

// key is what is derived from one line of the key file: the parts have nothing to do with one another.
type key struct {
	id      [4]byte // says in a record which key sealed it
	naming  macKey  // gives the name that the server knows a session by
	sealing macKey  // gives the key of each record
}

// keyring has the keys in their order: the first seals, all open. They lie in memory of their own (secret.go),
// which is wiped when the ring has been replaced and nobody uses it any more.
type keyring struct {
	keys   []*key
	memory []byte

	mutex     sync.Mutex
	users     int
	isRetired bool
}

func (r *keyring) first() *key { return r.keys[0] }

func (r *keyring) names(place []byte) []string {
	names := make([]string, len(r.keys))
	for i, key := range r.keys {
		names[i] = key.name(place)
	}
	return names
}

// hold reports whether the ring may be used, until release.
func (r *keyring) hold() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.isRetired {
		return false
	}
	r.users++
	return true
}

func (r *keyring) release() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.users--
	r.wipeIfUnused()
}

// retire lets nobody begin to use the ring any more.
func (r *keyring) retire() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.isRetired = true
	r.wipeIfUnused()
}

// wipeIfUnused is called with the mutex held.
func (r *keyring) wipeIfUnused() {
	if r.isRetired && r.users == 0 && r.memory != nil {
		unmapSecret(r.memory)
		r.keys, r.memory = nil, nil
	}
}

// parseKeys takes the content of a key file. The ring must be retired.
func parseKeys(text []byte) (ring *keyring, err error) {
	withCleanStack(func() {
		var secrets []keyfile.Key
		if secrets, err = keyfile.Parse(text); err != nil {
			return
		}
		defer clear(secrets)
		ring, err = deriveKeys(secrets)
	})
	return ring, err
}

func deriveKeys(secrets []keyfile.Key) (*keyring, error) {
	memory, err := mapSecret(len(secrets) * int(unsafe.Sizeof(key{})))
	if err != nil {
		return nil, err
	}
	ring := &keyring{memory: memory}
	derived := unsafe.Slice((*key)(unsafe.Pointer(&memory[0])), len(secrets))
	for i := range secrets {
		derived[i].derive(&secrets[i])
		ring.keys = append(ring.keys, &derived[i])
	}
	return ring, nil
}

func (k *key) derive(secret *keyfile.Key) {
	var part [sha256.Size]byte
	defer clear(part[:])
	expand(&part, secret, "sslcache store: id of the key")
	copy(k.id[:], part[:])
	expand(&part, secret, "sslcache store: names")
	k.naming.set(part[:])
	expand(&part, secret, "sslcache store: seals")
	k.sealing.set(part[:])
}

// expand is HKDF with SHA-256 and without salt (RFC 5869), of which one block is enough.
func expand(part *[sha256.Size]byte, secret *keyfile.Key, use string) {
	extract := new(macKey)
	defer clear(extract.inner[:])
	defer clear(extract.outer[:])
	extract.set(nil)
	extract.mac(part, secret[:])
	extract.set(part[:])
	extract.mac(part, []byte(use), []byte{1})
}
