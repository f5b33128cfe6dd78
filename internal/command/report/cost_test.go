package report_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/report"
)

const startLine = `{"time":1,"process":1,"operation":"start","cause":"exec","format":"sslcache-trace","version":1,"program":"demo"}` + "\n"

// timeOf is how long a trace of so many events takes.
func timeOf(t *testing.T, events int, line func(number int) string) time.Duration {
	t.Helper()
	var text strings.Builder
	text.WriteString(startLine)
	for i := range events {
		text.WriteString(line(i) + "\n")
	}
	began := time.Now()
	result, err := report.Read(strings.NewReader(text.String()))
	require.NoError(t, err)
	require.NoError(t, result.WriteJSON(io.Discard))
	return time.Since(began)
}

// What a trace costs is a matter of its events: neither of how many contexts there are, nor of how many there were,
// nor of the words that somebody else may have written into it. Each took seconds.
func TestTheCostOfATraceIsThatOfItsEvents(t *testing.T) {
	const events = 50_000
	in := func(contexts int) func(int) string {
		return func(i int) string {
			return fmt.Sprintf(`{"time":2,"process":1,"operation":"counters","context":%d,"accept_good":%d,"number":1}`, i%contexts+1, i)
		}
	}
	alone := timeOf(t, events, in(1))
	for name, line := range map[string]func(int) string{
		"5,000 contexts": in(5000),
		"contexts that come and go": func(i int) string {
			return fmt.Sprintf(`{"time":2,"process":1,"operation":"context","context":%d,"outcome":"%s"}`, i/2+1, []string{"made", "freed"}[i%2])
		},
		"4,000 names of operations": func(i int) string {
			return fmt.Sprintf(`{"time":2,"process":1,"operation":"o%d","nanoseconds":7}`, i%4000)
		},
		"4,000 causes": func(i int) string {
			return fmt.Sprintf(`{"time":2,"process":1,"operation":"remove","outcome":"removed","cause":"c%d","context":1,"session":"%016x"}`, i%4000, i)
		},
	} {
		took := timeOf(t, events, line)
		require.Less(t, took, 6*alone+200*time.Millisecond, "%s: %s where one context takes %s", name, took, alone)
	}
}
