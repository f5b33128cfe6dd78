package report_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/report"
)

func TestATextNamesEveryFigure(t *testing.T) {
	sample := readSample(t)
	var text strings.Builder
	require.NoError(t, sample.WriteText(&text))
	expected, err := os.ReadFile("testdata/sample.txt")
	require.NoError(t, err)
	require.Equal(t, string(expected), text.String())
}

func TestATimeHasTheUnitThatSuitsIt(t *testing.T) {
	for seconds, text := range map[float64]string{
		2e-7: "200 ns", 2e-5: "20.0 µs", 0.02: "20.0 ms", 2: "2.0 s", 600: "10.0 min", 7200: "2.0 h",
	} {
		require.Equal(t, text, report.Seconds(seconds))
	}
}

func readSample(t *testing.T) *report.Report {
	t.Helper()
	file, err := os.Open("testdata/sample.jsonl")
	require.NoError(t, err)
	defer file.Close()
	result, err := report.Read(file)
	require.NoError(t, err)
	return result
}

func TestDataConnectionsHaveALineWhereThereAreAny(t *testing.T) {
	const start = `{"time":1,"process":1,"operation":"start","cause":"exec","format":"sslcache-trace","version":1,"program":"demo"}` + "\n"
	const data = `{"time":2,"process":1,"operation":"client","outcome":"resumed"}` + "\n" +
		`{"time":2,"process":1,"operation":"client","outcome":"resumed"}` + "\n" +
		`{"time":3,"process":1,"operation":"client","outcome":"refused"}` + "\n"
	written := func(trace string) string {
		result, err := report.Read(strings.NewReader(trace))
		require.NoError(t, err)
		var text strings.Builder
		require.NoError(t, result.WriteText(&text))
		return text.String()
	}
	require.Contains(t, written(start+data), "\n  clients      2 data connections resumed, 1 refused, 0 broken off\n")
	require.NotContains(t, written(start), "clients")
}
