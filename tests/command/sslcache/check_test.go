package sslcache

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckHoldsAProgramToItsBounds(t *testing.T) {
	t.Parallel()
	clean, leaky, small := program(t, "clean"), program(t, "leaked_references"), program(t, "live_sessions_evicted")
	for name, one := range map[string]struct {
		bounds []string
		script string
		status int
		says   []string
	}{
		"all hold": {
			[]string{"--min-resumed", "50%", "--max-evicted=0", "--max-missed=3", "--no-leaks", "--no-findings"},
			clean, 0,
			[]string{
				"held: --min-resumed=50%: 50% of 20 handshakes", "held: --max-missed=3: 3 look-ups missed",
				"held: --max-evicted=0: 0 sessions evicted", "held: --no-leaks: none", "held: --no-findings: none",
			},
		},
		"too few resumed": {
			[]string{"--min-resumed", "0.51"}, clean, 1, []string{"broken: --min-resumed=0.51: 50% of 20 handshakes"},
		},
		"two of three broken": {
			[]string{"--max-missed=2", "--max-held=1", "--no-leaks"},
			clean, 1,
			[]string{
				"broken: --max-missed=2: 3 look-ups missed", "broken: --max-held=1: 6 sessions held at one time",
				"held: --no-leaks: none",
			},
		},
		"evicted":              {[]string{"--max-evicted=3"}, small, 1, []string{"broken: --max-evicted=3: 5 sessions evicted"}},
		"no leak but findings": {[]string{"--no-leaks"}, small, 0, []string{"held: --no-leaks: none"}},
		"the program fails": {
			[]string{"--no-leaks"}, clean + "; exit 9", 3, []string{"held: --no-leaks: none", "the program sh ended with status 9"},
		},
		"the program is killed": {
			[]string{"--no-leaks"}, clean + "; kill -KILL $$", 3, []string{"held: --no-leaks: none", "the program sh was ended by SIGKILL"},
		},
		"the program may fail": {
			[]string{"--no-leaks", "--ignore-status"}, clean + "; exit 9", 0, []string{"held: --no-leaks: none"},
		},
		"both": {
			[]string{"--max-missed=2"},
			clean + "; exit 9", 1,
			[]string{"broken: --max-missed=2: 3 look-ups missed", "the program sh ended with status 9"},
		},
		"no TLS": {
			[]string{"--no-leaks"}, "true", 1, []string{"broken: --no-leaks: libsslcache.so saw no TLS in the program"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := sslcache(t, append(append([]string{"check"}, one.bounds...), "--", "sh", "-c", one.script)...).Run(t)
			var expected []string
			for _, line := range one.says {
				expected = append(expected, "sslcache: "+line)
			}
			require.Equal(t, expected, linesOf(result.Stderr))
			require.Equal(t, one.status, result.Exit)
		})
	}
	result := sslcache(t, "check", "--no-leaks", "--", leaky).Run(t)
	require.Equal(t, 1, result.Exit)
	require.Contains(t, result.Stderr, "broken: --no-leaks: leaked-references in ")
	require.Contains(t, result.Stderr, "3 references to 3 sessions never given back (SSL_get1_session called by ")
}

func TestCheckWritesItsVerdictsAndItsReport(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	junit, text := filepath.Join(folder, "junit.xml"), filepath.Join(folder, "report.txt")
	result := sslcache(t, "check", "--max-missed=2", "--junit", junit, "-o", text, "--", program(t, "clean")).Run(t)
	require.Equal(t, 1, result.Exit)
	content, err := os.ReadFile(junit)
	require.NoError(t, err)
	var read struct {
		XMLName  xml.Name `xml:"testsuite"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
	}
	require.NoError(t, xml.Unmarshal(content, &read))
	require.Equal(t, 2, read.Tests)
	require.Equal(t, 1, read.Failures)
	content, err = os.ReadFile(text)
	require.NoError(t, err)
	require.Contains(t, string(content), "connections  20, 10 resumed (50%)")
}

func TestATraceThatIsBrokenHoldsNothing(t *testing.T) {
	t.Parallel()
	script := `echo Segmentation fault > "$SSLCACHE_TRACE"; ` + program(t, "clean")
	result := sslcache(t, "check", "--max-evicted=0", "--", "sh", "-c", program(t, "clean")+"; "+script).Run(t)
	require.Equal(t, 1, result.Exit)
	require.Contains(t, result.Stderr, "broken: --max-evicted=0: it can't be told, since the trace can't be read to its end: line ")
}

func TestWhatCannotBeWrittenFailsTheCheck(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--junit", "--output"} {
		result := sslcache(t, "check", "--max-evicted=0", flag, "/dev/full", "--", program(t, "clean")).Run(t)
		require.Equal(t, 125, result.Exit, flag)
		require.Contains(t, result.Stderr, "can't be written: no space left on device")
	}
}

func TestAProgramThatIsNotFoundIsInTheJUnitFile(t *testing.T) {
	t.Parallel()
	junit := filepath.Join(t.TempDir(), "junit.xml")
	result := sslcache(t, "check", "--no-leaks", "--junit", junit, "--", "no-such-program").Run(t)
	require.Equal(t, 127, result.Exit)
	content, err := os.ReadFile(junit)
	require.NoError(t, err)
	require.Contains(t, string(content), `<failure message="no-such-program is not found in PATH">`)
}

func TestHandshakesOfForkedChildrenAreCountedOnce(t *testing.T) {
	t.Parallel()
	made := run(t, []string{program(t, "forked_visits")})
	require.EqualValues(t, 30, made.Connections, "both ends of eleven and of four")
	require.EqualValues(t, 28, made.Resumed, "all but the first")
	require.Equal(t, 4, made.Forks)
	require.EqualValues(t, 14, made.Found)
	require.EqualValues(t, 1, made.Stored)
}
