// Package keyfile is the format of the file that SSLCACHE_STORE_KEY names: a key a line, 32 bytes in
// base64 or hexadecimal. Empty lines, and lines that begin with #, are left out.
package keyfile

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Size is the length of a key, in bytes.
const Size = 32

// Most bounds a rotation: a lookup asks under each key's name.
const Most = 8

// blanks are left out around a key. The library reads the same file in C (cshim/share/key_file.c), which knows
// those of ASCII only.
const blanks = " \t\n\v\f\r"

// Key is a secret: whoever has one wipes it.
type Key [Size]byte

// Generate returns a new line for a key file.
func Generate() string {
	var key Key
	_, _ = rand.Read(key[:]) // it never fails
	defer clear(key[:])
	return base64.StdEncoding.EncodeToString(key[:])
}

// Parse returns the keys of a file in their order, one at least. What it says of a line never has the line
// in it.
func Parse(text []byte) ([]Key, error) {
	keys := make([]Key, 0, Most)
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.Trim(line, blanks)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if len(keys) == Most {
			return nil, fmt.Errorf("more than %d keys", Most)
		}
		next, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if contains(keys, &next) {
			return nil, fmt.Errorf("line %d: the same key again", number)
		}
		keys = append(keys, next)
		clear(next[:])
	}
	if len(keys) == 0 {
		return nil, errors.New("no key in it")
	}
	return keys, nil
}

func contains(keys []Key, wanted *Key) bool {
	for i := range keys {
		if keys[i] == *wanted {
			return true
		}
	}
	return false
}

var errNoKey = fmt.Errorf("not a key, which is %d bytes in base64 or hexadecimal", Size)

func parseLine(line []byte) (key Key, err error) {
	var secret [Size + 1]byte // room to see that there is too much
	defer clear(secret[:])
	length := 0
	switch len(line) {
	case hex.EncodedLen(Size):
		length, err = hex.Decode(secret[:], line)
	case base64.StdEncoding.EncodedLen(Size):
		length, err = base64.StdEncoding.Decode(secret[:], line)
	}
	if err != nil || length != Size {
		return key, errNoKey
	}
	return Key(secret[:Size]), nil
}
