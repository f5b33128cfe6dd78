package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// A record is
//
//	version  1 byte, 1
//	flags    1 byte, 1: single-use
//	key id   4 bytes
//	nonce    12 bytes
//	sealed   the session and 16 bytes of the seal
//
// sealed with AES-256-GCM under a key of its own, a MAC over the session's place. So no number of records
// wears a key out, and a record under another name, of another application, session id context, protocol
// version or id does not open. Header and place are its associated data.
const (
	recordVersion   = 1
	flagSingleUse   = 1
	headerSize      = 2 + len(key{}.id)
	sealOverhead    = 12 + 16
	namePrefix      = "sslcache:"
	nameSize        = 18 // of the MAC: 144 bits, 24 letters
	placeGeneration = "sslcache session 1"
)

var errSealed = errors.New("the record does not open")

// place writes down where a session belongs, so that no two places read the same.
func (s *Store) place(identity Identity) []byte {
	place := make([]byte, 0, 128)
	for _, part := range [][]byte{[]byte(placeGeneration), []byte(s.application), identity.Context, identity.ID} {
		place = binary.BigEndian.AppendUint32(place, uint32(len(part)))
		place = append(place, part...)
	}
	return binary.BigEndian.AppendUint32(place, uint32(identity.Version))
}

// name is what the server knows the session by.
func (k *key) name(place []byte) (name string) {
	withCleanStack(func() {
		var sum [sha256.Size]byte
		k.naming.mac(&sum, place)
		name = namePrefix + base64.RawURLEncoding.EncodeToString(sum[:nameSize])
	})
	return name
}

// withCipher lets use have the cipher of one record, of which nothing is left afterwards.
func (k *key) withCipher(place []byte, use func(seal cipher.AEAD) error) (err error) {
	withCleanStack(func() {
		var secret [sha256.Size]byte
		defer clear(secret[:])
		k.sealing.mac(&secret, place)
		var block cipher.Block
		if block, err = aes.NewCipher(secret[:]); err != nil {
			return
		}
		defer wipe(block)
		var seal cipher.AEAD
		if seal, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return
		}
		defer wipe(seal)
		err = use(seal)
	})
	return err
}

func (k *key) seal(place, session []byte, singleUse bool) ([]byte, error) {
	record := make([]byte, 0, headerSize+sealOverhead+len(session))
	record = append(record, recordVersion, 0)
	if singleUse {
		record[1] = flagSingleUse
	}
	record = append(record, k.id[:]...)
	err := k.withCipher(place, func(seal cipher.AEAD) error {
		record = seal.Seal(record, nil, session, associated(record, place))
		return nil
	})
	return record, err
}

// open writes the session into room, and nothing where it fails.
func (k *key) open(place, record, room []byte) (length int, singleUse bool, err error) {
	if !k.hasSealed(record) || len(record)-headerSize-sealOverhead > len(room) {
		return 0, false, errSealed
	}
	err = k.withCipher(place, func(seal cipher.AEAD) error {
		session, err := seal.Open(room[:0], nil, record[headerSize:], associated(record[:headerSize], place))
		if err != nil {
			return errSealed
		}
		length = len(session)
		return nil
	})
	return length, err == nil && record[1] == flagSingleUse, err
}

func (k *key) hasSealed(record []byte) bool {
	return len(record) > headerSize+sealOverhead && record[0] == recordVersion && [4]byte(record[2:headerSize]) == k.id
}

func associated(header, place []byte) []byte {
	return append(append(make([]byte, 0, len(header)+len(place)), header...), place...)
}
