// Package tutorial runs the commands of the documents that show some, and compares what they print with what
// is there.
package tutorial

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

var update = flag.Bool("update", false, "write what the commands print into the document")

// command is a line of the document that starts with "$ ", and what it printed.
type command struct {
	line   int // of the document, from 0
	text   string
	output []string
}

const (
	fence  = "```"
	prompt = "$ "
	mark   = "\x1e" // before the output of each command
)

// commandsOf finds the commands in the console blocks of a document.
func commandsOf(document []string) []command {
	var all []command
	inside := false
	for i, line := range document {
		switch {
		case strings.HasPrefix(line, fence):
			inside = line == fence+"console"
		case !inside:
		case strings.HasPrefix(line, prompt):
			all = append(all, command{line: i, text: strings.TrimPrefix(line, prompt)})
		default:
			all[len(all)-1].output = append(all[len(all)-1].output, line)
		}
	}
	return all
}

// run runs the commands in one shell and gives what each of them printed.
func run(t *testing.T, commands []command) []command {
	t.Helper()
	var script strings.Builder
	script.WriteString("exec 2>&1\n")
	for _, one := range commands {
		fmt.Fprintf(&script, "printf '%s'\n%s\n", mark, one.text)
	}
	path := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(path, []byte(script.String()), 0o600))
	result := harness.Command{
		Path: "/bin/bash", Args: []string{"-c", `cd "$0" && . "$1"`, project(t), path}, Timeout: 5 * time.Minute,
	}.Run(t)
	outputs := strings.Split(result.Stdout, mark)
	require.Len(t, outputs, len(commands)+1, result.Stdout)
	var ran []command
	for i, one := range commands {
		ran = append(ran, command{line: one.line, text: one.text, output: lines(outputs[i+1])})
	}
	return ran
}

func lines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// project is a folder with as much of the project as the tutorial uses, to write into.
func project(t *testing.T) string {
	t.Helper()
	// nginx makes the name of its socket from that of the folder: it must be short.
	folder, err := os.MkdirTemp("", "tutorial")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	require.FileExists(t, harness.OurCommand(t))
	require.FileExists(t, harness.OurLibrary(t))
	require.NoError(t, os.Symlink(filepath.Join(harness.Root(t), "build"), filepath.Join(folder, "build")))
	require.NoError(t, os.CopyFS(filepath.Join(folder, "examples"), os.DirFS(filepath.Join(harness.Root(t), "examples"))))
	return folder
}

// varying is what differs from run to run: times, and numbers of processes. All else has to be the same.
var varying = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`\d+(\.\d+)? (ns|µs|ms|s|min)\b`), "TIME"},
	{regexp.MustCompile(`time="\d+\.\d+"`), `time="TIME"`},
	{regexp.MustCompile(`process="\d+"`), `process="PROCESS"`},
	{regexp.MustCompile(`\+0x[0-9a-f]+`), "+OFFSET"},
}

// leak is the finding of a leak that Python 3.11 has, and no newer one.
var leak = regexp.MustCompile(`(?m)^warning: leaked-references in python3: .*\n(    .*\n)+\n`)

func normalise(lines []string) []string {
	var all []string
	for line := range strings.Lines(leak.ReplaceAllString(strings.Join(lines, "\n")+"\n", "")) {
		line = strings.TrimSuffix(line, "\n")
		for _, one := range varying {
			line = one.pattern.ReplaceAllString(line, one.replacement)
		}
		all = append(all, strings.TrimRight(line, " "))
	}
	return all
}

func TestWhatADocumentShowsIsWhatHappens(t *testing.T) {
	for _, name := range []string{"README.md", "docs/tutorial.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, name)
		})
	}
}

func compare(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(harness.Root(t), name)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	document := strings.Split(string(content), "\n")
	written := commandsOf(document)
	require.NotEmpty(t, written)
	ran := run(t, written)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(rewrite(document, written, ran)), 0o644))
		return
	}
	for i, one := range written {
		require.Equalf(t, normalise(one.output), normalise(ran[i].output),
			"%s:%d: %s\n(go test ./tests/packaging/tutorial -update writes what it prints now)", name, one.line+1, one.text)
	}
}

// rewrite returns the document with what the commands printed now.
func rewrite(document []string, written, ran []command) string {
	var all []string
	next := 0
	for i, one := range written {
		all = append(all, document[next:one.line+1]...)
		for _, line := range ran[i].output {
			all = append(all, strings.TrimRight(line, " "))
		}
		next = one.line + 1 + len(one.output)
	}
	return strings.Join(append(all, document[next:]...), "\n")
}

func TestAnotherOutputWouldBeSeen(t *testing.T) {
	document := strings.Split("text\n$ not a command\n```console\n$ echo 1\n1\n$ true\n```\n```\n$ neither\n```", "\n")
	written := commandsOf(document)
	require.Equal(t, []command{{line: 3, text: "echo 1", output: []string{"1"}}, {line: 5, text: "true"}}, written)
	ran := run(t, []command{{text: "echo 12 ms, 3"}, {text: "echo error >&2"}, {text: "true"}})
	require.Equal(t, []string{"TIME, 3"}, normalise(ran[0].output))
	require.Equal(t, []string{"error"}, ran[1].output)
	require.Empty(t, ran[2].output)
	require.Equal(t, strings.Join(document, "\n"), rewrite(document, written, written))
}
