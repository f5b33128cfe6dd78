package printable

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatATerminalObeysIsEscaped(t *testing.T) {
	for text, safe := range map[string]string{
		"nginx: worker\n":      "nginx: worker\n",
		"Grüße, 世界":            "Grüße, 世界",
		"\x1b]0;title\x07":     `\x1b]0;title\a`,
		"a\u009b31mb":          `a\u009b31mb`,
		"a\u202eb\u2028":       `a\u202eb\u2028`,
		"half \xff\xc3":        `half \xff\xc3`,
		"tab\tand\rreturn\x7f": `tab\tand\rreturn\x7f`,
	} {
		require.Equal(t, safe, Text(text))
	}
	require.Equal(t, `one\ntwo`, Line("one\ntwo"))
}

func TestJSONStaysTheSameJSON(t *testing.T) {
	for _, text := range []string{"plain", "\u009b31m", "\u202e\x7f", "\U000e0001 tag", "\x1b[2J"} {
		var written strings.Builder
		require.NoError(t, json.NewEncoder(JSON(&written)).Encode(text))
		require.False(t, strings.ContainsFunc(written.String(), isUnprintable), "%q", written.String())
		var read string
		require.NoError(t, json.Unmarshal([]byte(written.String()), &read))
		require.Equal(t, text, read)
	}
}
