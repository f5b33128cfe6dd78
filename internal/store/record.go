package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
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

func mac(secret, text []byte) []byte {
	hash := hmac.New(sha256.New, secret)
	hash.Write(text)
	return hash.Sum(nil)
}

// name is what the server knows the session by.
func (k *key) name(place []byte) string {
	return namePrefix + base64.RawURLEncoding.EncodeToString(mac(k.naming[:], place)[:nameSize])
}

func (k *key) cipher(place []byte) (cipher.AEAD, error) {
	secret := mac(k.sealing[:], place)
	defer clear(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k *key) seal(place, session []byte, singleUse bool) ([]byte, error) {
	seal, err := k.cipher(place)
	if err != nil {
		return nil, err
	}
	record := make([]byte, 0, headerSize+sealOverhead+len(session))
	record = append(record, recordVersion, 0)
	if singleUse {
		record[1] = flagSingleUse
	}
	record = append(record, k.id[:]...)
	return seal.Seal(record, nil, session, associated(record, place)), nil
}

// open writes the session into room, and nothing where it fails.
func (k *key) open(place, record, room []byte) (length int, singleUse bool, err error) {
	if !k.hasSealed(record) || len(record)-headerSize-sealOverhead > len(room) {
		return 0, false, errSealed
	}
	seal, err := k.cipher(place)
	if err != nil {
		return 0, false, err
	}
	session, err := seal.Open(room[:0], nil, record[headerSize:], associated(record[:headerSize], place))
	if err != nil {
		return 0, false, errSealed
	}
	return len(session), record[1] == flagSingleUse, nil
}

func (k *key) hasSealed(record []byte) bool {
	return len(record) > headerSize+sealOverhead && record[0] == recordVersion && [4]byte(record[2:headerSize]) == k.id
}

func associated(header, place []byte) []byte {
	return append(append(make([]byte, 0, len(header)+len(place)), header...), place...)
}
