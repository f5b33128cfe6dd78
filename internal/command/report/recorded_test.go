package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/report"
)

// Real programs left these traces: see TestRecord in tests/command/sslcache. What is said of each is beside it.
func TestWhatIsSaidOfRealPrograms(t *testing.T) {
	for name, findings := range map[string][]string{
		// Five clients came back to a worker that was not there any more: they were promised five minutes.
		"nginx-reloaded": {"timeout-outlives-process"},
		// Its workers share a cache of nginx's own, as Apache's do.
		"nginx-shared": nil,
		"apache":       nil,
		// A client that breaks off: the one server answers with a close-notify, to the other it is an error.
		"mosquitto": nil,
		"rsyslog":   {"bad-shutdowns"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "recorded", name)
			source, err := os.Open(path + ".jsonl")
			require.NoError(t, err)
			defer source.Close()
			result, err := report.Read(source)
			require.NoError(t, err)
			var names []string
			for _, finding := range result.Findings {
				names = append(names, finding.Name)
			}
			require.Equal(t, findings, names)
			var text strings.Builder
			require.NoError(t, result.WriteText(&text))
			expected, err := os.ReadFile(path + ".txt")
			require.NoError(t, err)
			require.Equal(t, string(expected), text.String())
		})
	}
}
