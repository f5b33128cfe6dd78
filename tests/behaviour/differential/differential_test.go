// Package differential gives the same scripts of session-cache operations to libssl alone and to libssl
// with our cache under it, and lets libssl be the judge.
package differential

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// ways are those in which C calls the cache, and how many scripts each is given for each version of libssl.
var ways = []way{
	{"direct", "SSLCACHE_SCRIPTS", 300},
	{"cgo", "SSLCACHE_SCRIPTS_BY_CGO", 100},
}

type way struct {
	core     string // SSLCACHE_CORE
	variable string // where another number of scripts is asked for
	usual    int
}

func checkScripts(t *testing.T, count int, check func(t *rapid.T, script string)) {
	t.Helper()
	require.NoError(t, flag.Set("rapid.checks", strconv.Itoa(count)))
	require.NoError(t, flag.Set("rapid.nofailfile", "true"))
	rapid.Check(t, func(t *rapid.T) { check(t, scripts().Draw(t, "script")) })
}

func (w way) scripts(t *testing.T) int {
	t.Helper()
	text := os.Getenv(w.variable)
	if text == "" {
		return w.usual
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err, w.variable)
	return count
}

func eachWay(t *testing.T, test func(t *testing.T, libssl libssls.Libssl, way way)) {
	for _, way := range ways {
		t.Run(way.core, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, libssl libssls.Libssl) { test(t, libssl, way) })
		})
	}
}

func eachVersion(t *testing.T, test func(t *testing.T, libssl libssls.Libssl)) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) { test(t, libssls.Get(t, version)) })
	}
}

// libssl must give the same answer to a script each time, or it could not be the judge.
func TestLibsslIsStable(t *testing.T) {
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		once, again := newJudge(t, libssl), newJudge(t, libssl)
		checkScripts(t, 100, func(t *rapid.T, script string) { compare(t, script, once, again) })
	})
}

// Whatever is done, nothing tells our cache from libssl's.
func TestScripts(t *testing.T) {
	eachWay(t, func(t *testing.T, libssl libssls.Libssl, way way) {
		alone, preloaded := newJudge(t, libssl), newCandidate(t, libssl, way)
		checkScripts(t, way.scripts(t), func(t *rapid.T, script string) { compare(t, script, alone, preloaded) })
	})
}

// Every difference that was ever found, and what no chance would find, has a script of its own.
func TestCases(t *testing.T) {
	eachWay(t, func(t *testing.T, libssl libssls.Libssl, way way) {
		compareCases(t, newJudge(t, libssl), newCandidate(t, libssl, way))
	})
}

// The same cases and some scripts again, with a look at our memory: nothing is leaked, and nothing
// touched that was given back.
func TestMemory(t *testing.T) {
	alone, sanitized := newSanitizedProcess(t, harness.Libssl), newSanitizedProcess(t, harness.Ours)
	compareCases(t, alone, sanitized)
	checkScripts(t, 100, func(t *rapid.T, script string) { compare(t, script, alone, sanitized) })
}

func compareCases(t *testing.T, judge, candidate *process) {
	t.Helper()
	files, err := filepath.Glob("cases/*.script")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".script"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			compare(t, string(script), judge, candidate)
		})
	}
}

// judged is what testing.TB and rapid.T have in common.
type judged interface {
	Helper()
	Fatalf(format string, arguments ...any)
}

func compare(t judged, script string, judge, candidate *process) {
	t.Helper()
	judged := make(chan string, 1)
	go func() { judged <- judge.run(script) }()
	actual := candidate.run(script)
	expected := <-judged
	if strings.Contains(expected, driverEnded) {
		t.Fatalf("libssl alone does not survive\n%s\n%s", script, expected)
	}
	if expected != actual {
		t.Fatalf("not as libssl does it:\n%s\n%s", script, difference(expected, actual))
	}
}

// difference shows where the outputs part, and the operation in which they do.
func difference(expected, actual string) string {
	wanted, got := strings.Split(expected, "\n"), strings.Split(actual, "\n")
	part, operation := 0, ""
	for part < len(wanted) && part < len(got) && wanted[part] == got[part] {
		if strings.HasPrefix(wanted[part], ">") {
			operation = wanted[part]
		}
		part++
	}
	return operation + "\nlibssl:\n" + around(wanted, part) + "\nours:\n" + around(got, part)
}

func around(lines []string, part int) string {
	return strings.Join(lines[max(0, part-5):min(part+10, len(lines))], "\n")
}
