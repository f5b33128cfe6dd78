// Package sslcache runs real programs under the command sslcache, and looks at what it says about them and
// at what they notice of it.
package sslcache

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/summary"
	"libsslcache/tests/harness"
)

// report is what `sslcache run --json` writes.
type report struct {
	summary.Summary
	Findings []finding.Finding
}

// sslcache is the command with its arguments.
func sslcache(t testing.TB, arguments ...string) harness.Command {
	t.Helper()
	return harness.Command{Path: harness.OurCommand(t), Args: arguments}
}

// shell is a script that runs under sslcache.
func shell(t testing.TB, script string, flags ...string) harness.Command {
	t.Helper()
	return sslcache(t, append(append([]string{"run"}, flags...), "--", "/bin/sh", "-c", script)...)
}

// program compiles one of the C programs of this folder.
func program(t testing.TB, name string) string {
	t.Helper()
	return harness.Program{Source: filepath.Join("programs", name+".c")}.Compile(t, harness.Libssl)
}

// run runs a program under sslcache to its end and gives its report.
func run(t testing.TB, words []string, flags ...string) report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	arguments := append([]string{"run", "--json", "-o", path}, flags...)
	result := sslcache(t, append(append(arguments, "--"), words...)...).Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	require.Empty(t, result.Stderr)
	return readReport(t, path)
}

func readReport(t testing.TB, path string) report {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var made report
	require.NoError(t, json.Unmarshal(content, &made), string(content))
	return made
}

func names(made report) []string {
	all := []string{}
	for _, one := range made.Findings {
		all = append(all, one.Name)
	}
	return all
}

// waitUntil waits for a condition, but not for ever.
func waitUntil(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 40*time.Second, 10*time.Millisecond, what)
}

func linesOf(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
