package trace_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/report"
)

// extreme are events whose numbers no program has.
const extreme = start +
	`{"time":1e308,"process":-1,"operation":"add","context":1,"session":"ffffffffffffffff","object":"1","outcome":"stored",` +
	`"nanoseconds":9223372036854775807,"caller":{"module":"x"}}` + "\n" +
	`{"time":-1e308,"process":7,"operation":"counters","context":2,"number":18446744073709551615,"hits":1}` + "\n" +
	`{"time":1,"process":-1,"operation":"remove","context":1,"session":"ffffffffffffffff","outcome":"removed"}` + "\n" +
	`{"operation":"end"}` + "\n"

func TestExtremeNumbersBecomeAReport(t *testing.T) {
	result, err := report.Read(strings.NewReader(extreme))
	require.NoError(t, err)
	require.EqualValues(t, 5, result.Events)
	var text bytes.Buffer
	require.NoError(t, result.WriteText(&text))
	require.NoError(t, result.WriteJSON(&text))
	require.NoError(t, result.WriteHTML(&text))
	_, err = json.Marshal(result)
	require.NoError(t, err)
}

// Whatever a byte of a trace becomes, it is read or it is an error.
func TestATraceWithWrongBytesIsReadOrRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		text := []byte(extreme)
		for range 1 + random.IntN(3) {
			text[random.IntN(len(text))] = byte(random.Uint32())
		}
		result, err := report.Read(bytes.NewReader(text))
		require.True(t, result != nil || err != nil)
	}
}
