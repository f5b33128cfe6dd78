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

// scriptsVariable says how many scripts are written for each version of libssl.
const scriptsVariable = "SSLCACHE_SCRIPTS"

func checkScripts(t *testing.T, count int, check func(t *rapid.T, script string)) {
	t.Helper()
	require.NoError(t, flag.Set("rapid.checks", strconv.Itoa(count)))
	require.NoError(t, flag.Set("rapid.nofailfile", "true"))
	rapid.Check(t, func(t *rapid.T) { check(t, scripts().Draw(t, "script")) })
}

// scriptCount is how many scripts are written for each version, unless scriptsVariable says so.
func scriptCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv(scriptsVariable)
	if text == "" {
		return 300
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err, scriptsVariable)
	return count
}

func eachVersion(t *testing.T, test func(t *testing.T, libssl libssls.Libssl)) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) { test(t, libssls.Get(t, version)) })
	}
}

// libssl must give the same answer to a script each time, or it could not be the judge.
func TestLibsslIsStable(t *testing.T) {
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		once, again := newProcess(t, libssl, ""), newProcess(t, libssl, "")
		checkScripts(t, 100, func(t *rapid.T, script string) { compare(t, script, once, again) })
	})
}

// Whatever is done, nothing tells our cache from libssl's.
func TestScripts(t *testing.T) {
	ours := harness.OurLibrary(t)
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		alone, preloaded := newProcess(t, libssl, ""), newProcess(t, libssl, ours)
		checkScripts(t, scriptCount(t), func(t *rapid.T, script string) { compare(t, script, alone, preloaded) })
	})
}

// Every difference that was ever found, and what no chance would find, has a script of its own.
func TestCases(t *testing.T) {
	ours := harness.OurLibrary(t)
	eachVersion(t, func(t *testing.T, libssl libssls.Libssl) {
		compareCases(t, newProcess(t, libssl, ""), newProcess(t, libssl, ours))
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
