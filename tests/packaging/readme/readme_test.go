// Package readme runs what README.md tells its reader to run.
package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"libsslcache/tests/harness"
)

// A block is one indented piece of code in the document, and the paragraph before it. Fenced blocks, which
// show a session with its output, are another kind.
type block struct {
	before string
	lines  []string
}

func blocks(t *testing.T, path string) []block {
	t.Helper()
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	var found []block
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		if node.Kind() != ast.KindCodeBlock {
			continue
		}
		code := block{}
		if previous := node.PreviousSibling(); previous != nil {
			code.before = string(previous.Lines().Value(source))
		}
		for line := range strings.Lines(string(node.Lines().Value(source))) {
			code.lines = append(code.lines, strings.TrimRight(line, "\n"))
		}
		found = append(found, code)
	}
	require.NotEmpty(t, found)
	return found
}

// place is a folder that looks like the project after make, with a file of the reader's own.
func place(t *testing.T) string {
	t.Helper()
	harness.OurLibrary(t)
	folder := t.TempDir()
	for name, target := range map[string]string{"include": "include", "build": "build", "server.c": "examples/manual.c"} {
		require.NoError(t, os.Symlink(filepath.Join(harness.Root(t), target), filepath.Join(folder, name)))
	}
	return folder
}

func shell(t *testing.T, folder, line string) string {
	t.Helper()
	command := exec.Command("bash", "-c", line)
	command.Dir = folder
	// A make that runs the tests has told its children of its jobs.
	command.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	command.WaitDelay = time.Minute
	output, err := command.CombinedOutput()
	require.NoErrorf(t, err, "%s\n%s", line, output)
	return string(output)
}

// How each command of the README is tried; nginx is told to look at its configuration and end.
var trials = map[string]func(t *testing.T, line string){
	"make run": func(t *testing.T, line string) {
		shown := shell(t, harness.Root(t), line)
		require.Contains(t, withoutRelease(shown), withoutRelease(output(t)))
	},
	"make test": func(t *testing.T, line string) {
		require.Contains(t, shell(t, harness.Root(t), line+" --dry-run"), "./tests/...")
	},
	"(umask 077; build/sslcache keygen > keys)": func(t *testing.T, line string) {
		shown := shell(t, place(t), line+" && stat -c %a keys && wc -c < keys")
		require.Equal(t, "600\n45\n", shown, "32 bytes in base64, and the end of the line")
	},
	"LD_PRELOAD=$PWD/build/libsslcache.so SSLCACHE_STORE=valkey://localhost SSLCACHE_STORE_KEY=$PWD/keys SSLCACHE_TICKETS=off nginx -c /etc/nginx/nginx.conf": func(t *testing.T, line string) {
		folder := place(t)
		shell(t, folder, "(umask 077; build/sslcache keygen > keys)")
		requireNginxIsContent(t, folder, line)
	},
	"LD_PRELOAD=$PWD/build/libsslcache.so SSLCACHE_STORE=memory SSLCACHE_TICKETS=off nginx -c /etc/nginx/nginx.conf": func(t *testing.T, line string) {
		requireNginxIsContent(t, place(t), line)
	},
	"LD_PRELOAD=$PWD/build/libsslcache.so SSLCACHE_TICKETS=shared SSLCACHE_STORE_KEY=$PWD/keys nginx -c /etc/nginx/nginx.conf": func(t *testing.T, line string) {
		folder := place(t)
		shell(t, folder, "(umask 077; build/sslcache keygen > keys)")
		requireNginxIsContent(t, folder, line)
	},
	"LD_PRELOAD=$PWD/build/libsslcache.so SSLCACHE_CLIENT=ftp python3 mirror.py": func(t *testing.T, line string) {
		folder := place(t)
		mirror := "import ftplib\nprint(ftplib.FTP_TLS().passiveserver)\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, "mirror.py"), []byte(mirror), 0o644))
		require.Equal(t, "True\n", shell(t, folder, line))
	},
	"cc -Iinclude server.c -Lbuild -lsslcache -lssl -lcrypto": func(t *testing.T, line string) {
		shown := shell(t, place(t), line+" && LD_LIBRARY_PATH=build ./a.out")
		require.Contains(t, shown, "counted: 2 stored")
	},
}

func requireNginxIsContent(t *testing.T, folder, line string) {
	t.Helper()
	shown := shell(t, folder, line+" -t")
	require.Contains(t, shown, "test is successful")
	require.NotContains(t, shown, "sslcache:", "nothing is wrong with the settings")
}

// isOutput: the block shows what a command prints.
func (b block) isOutput() bool { return strings.Contains(b.before, "ends with") }

// output is what the README says that make run ends with.
func output(t *testing.T) string {
	t.Helper()
	for _, code := range blocks(t, filepath.Join(harness.Root(t), "README.md")) {
		if code.isOutput() {
			return strings.Join(code.lines, "\n")
		}
	}
	require.Fail(t, "README.md does not show what make run prints")
	return ""
}

// release is how OpenSSL names one: 1.1.1 says less.
var release = regexp.MustCompile(`OpenSSL \d+\.\S+ +\d+ \w+ \d{4}( \(Library: [^)]*\))?`)

func withoutRelease(shown string) string { return release.ReplaceAllString(shown, "OpenSSL") }

func TestCommandsOfTheREADME(t *testing.T) {
	tried := map[string]bool{}
	for _, code := range blocks(t, filepath.Join(harness.Root(t), "README.md")) {
		if code.isOutput() {
			continue
		}
		for _, line := range code.lines {
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			trial, known := trials[line]
			require.Truef(t, known, "no trial for %q", line)
			tried[line] = true
			t.Run(strings.Fields(line)[0], func(t *testing.T) { trial(t, line) })
		}
	}
	require.Len(t, tried, len(trials), "a trial is for a command that the README does not have")
}
