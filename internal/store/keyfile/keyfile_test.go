package keyfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysAreReadInTheirOrder(t *testing.T) {
	one, other := bytes.Repeat([]byte{1}, Size), bytes.Repeat([]byte{2}, Size)
	text := "# the newest first\n" + base64.StdEncoding.EncodeToString(one) + "\n\n  " + hex.EncodeToString(other) + "\r\n"
	keys, err := Parse([]byte(text))
	require.NoError(t, err)
	require.Equal(t, []Key{Key(one), Key(other)}, keys)
}

func TestFileThatIsNone(t *testing.T) {
	sound := Generate()
	secret := strings.Repeat("A", 40)
	const noKey = "line 1: not a key, which is 32 bytes in base64 or hexadecimal"
	many := ""
	for range Most + 1 {
		many += Generate() + "\n"
	}
	for name, want := range map[string]struct{ text, complaint string }{
		"empty":       {"", "no key in it"},
		"a comment":   {"# " + sound, "no key in it"},
		"too short":   {sound + "\n" + secret, strings.Replace(noKey, "1", "2", 1)},
		"31 bytes":    {base64.StdEncoding.EncodeToString(make([]byte, 31)), noKey},
		"33 bytes":    {base64.StdEncoding.EncodeToString(make([]byte, 33)), noKey},
		"not base64":  {strings.Repeat("!", 44), noKey},
		"twice":       {sound + "\n" + sound, "line 2: the same key again"},
		"too many":    {many, "more than 8 keys"},
		"binary data": {"\x00\xff\x00", noKey},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(want.text))
			require.EqualError(t, err, want.complaint)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestGeneratedKeysDiffer(t *testing.T) {
	keys, err := Parse([]byte(Generate() + "\n" + Generate() + "\n"))
	require.NoError(t, err)
	require.NotEqual(t, keys[0], keys[1])
}
