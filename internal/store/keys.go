package store

import (
	"crypto/hkdf"
	"crypto/sha256"

	"libsslcache/internal/store/keyfile"
)

// key is what is derived from one line of the key file: the parts have nothing to do with one another.
type key struct {
	id      [4]byte  // says in a record which key sealed it
	naming  [32]byte // gives the name that the server knows a session by
	sealing [32]byte // gives the key of each record
}

// keyring has the keys in their order: the first seals, all open.
type keyring struct {
	keys []*key
}

func (r *keyring) first() *key { return r.keys[0] }

func (r *keyring) names(place []byte) []string {
	names := make([]string, len(r.keys))
	for i, key := range r.keys {
		names[i] = key.name(place)
	}
	return names
}

// parseKeys takes the content of a key file.
func parseKeys(text []byte) (*keyring, error) {
	secrets, err := keyfile.Parse(text)
	if err != nil {
		return nil, err
	}
	defer clear(secrets)
	ring := &keyring{}
	for i := range secrets {
		derived, err := deriveKey(&secrets[i])
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, derived)
	}
	return ring, nil
}

func deriveKey(secret *keyfile.Key) (*key, error) {
	derived := &key{}
	for _, part := range []struct {
		use string
		to  []byte
	}{
		{"sslcache store: id of the key", derived.id[:]},
		{"sslcache store: names", derived.naming[:]},
		{"sslcache store: seals", derived.sealing[:]},
	} {
		material, err := hkdf.Key(sha256.New, secret[:], nil, part.use, len(part.to))
		if err != nil {
			return nil, err
		}
		copy(part.to, material)
		clear(material)
	}
	return derived, nil
}
