package store

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

// recordInC is cshim/share/record.c, which the memory store has: there is one kind of record.
type recordInC struct {
	t       *testing.T
	program string
	secret  keyfile.Key
	ofStore *Store
	whose   Identity
}

func newRecordInC(t *testing.T) *recordInC {
	t.Helper()
	program := filepath.Join(t.TempDir(), "record")
	output, err := exec.Command("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I../..", "-o", program, "testdata/record.c", "-lcrypto").CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	r := &recordInC{t: t, program: program, ofStore: &Store{application: "nginx"}}
	for i := range r.secret {
		r.secret[i] = byte(i)
	}
	r.whose = Identity{Context: []byte("a context"), ID: []byte{1, 2, 3, 255}, Version: 0x304}
	return r
}

func (r *recordInC) run(what string, text []byte, singleUse bool) string {
	r.t.Helper()
	flag := "0"
	if singleUse {
		flag = "1"
	}
	output, err := exec.Command(r.program, what, hex.EncodeToString(r.secret[:]), hex.EncodeToString([]byte(r.ofStore.application)),
		hex.EncodeToString(r.whose.Context), hex.EncodeToString(r.whose.ID), fmt.Sprint(r.whose.Version), hex.EncodeToString(text), flag).Output()
	require.NoError(r.t, err)
	return string(output)
}

// key is what Go derives from the secret.
func (r *recordInC) key() *key {
	r.t.Helper()
	ring, err := deriveKeys([]keyfile.Key{r.secret})
	require.NoError(r.t, err)
	r.t.Cleanup(ring.retire)
	return ring.first()
}

func TestRecordIsThatOfC(t *testing.T) {
	c := newRecordInC(t)
	ours := c.key()
	place := c.ofStore.place(c.whose)

	// Neither may drift, not even both.
	const golden = "8bb38885932143758c5db4b8c8ccf396109f"
	name := c.run("name", nil, false)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(ours.name(place), namePrefix))
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(raw), name)
	require.Equal(t, golden, name)

	for _, length := range []int{1, 150, 20000} {
		session := []byte(strings.Repeat("s", length))
		for _, singleUse := range []bool{false, true} {
			sealed, err := hex.DecodeString(c.run("seal", session, singleUse))
			require.NoError(t, err)
			room := make([]byte, length)
			got, single, err := ours.open(place, sealed, room)
			require.NoError(t, err)
			require.Equal(t, session, room[:got])
			require.Equal(t, singleUse, single)

			record, err := ours.seal(place, session, singleUse)
			require.NoError(t, err)
			require.Equal(t, len(record), len(sealed))
			flag := map[bool]string{false: " 0", true: " 1"}[singleUse]
			require.Equal(t, hex.EncodeToString(session)+flag, c.run("open", record, false))
		}
	}
}

// Each bit, and each place, is sealed.
func TestChangedRecordDoesNotOpenInC(t *testing.T) {
	c := newRecordInC(t)
	ours := c.key()
	record, err := ours.seal(c.ofStore.place(c.whose), []byte("session"), false)
	require.NoError(t, err)
	require.NotEqual(t, "refused", c.run("open", record, false))
	for i := range record {
		record[i] ^= 1
		require.Equal(t, "refused", c.run("open", record, false), i)
		record[i] ^= 1
	}
	for _, short := range []int{0, 1, 6, 34, len(record) - 1} {
		require.Equal(t, "refused", c.run("open", record[:short], false))
	}
	for _, other := range []Identity{
		{Context: []byte("b context"), ID: c.whose.ID, Version: c.whose.Version},
		{Context: c.whose.Context, ID: []byte{1, 2, 3}, Version: c.whose.Version},
		{Context: c.whose.Context, ID: c.whose.ID, Version: 0x303},
	} {
		elsewhere := *c
		elsewhere.whose = other
		require.Equal(t, "refused", elsewhere.run("open", record, false))
	}
	c.secret[0]++
	require.Equal(t, "refused", c.run("open", record, false))
}
