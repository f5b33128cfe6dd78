// Package locks shows that a build with checks ends a process that takes the library's locks in the wrong order, and that
// the order is the documented one.
package locks

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// compile gives the path of a program with the checks, made of this source and the library's own.
func compile(t *testing.T, source string) string {
	t.Helper()
	root, program := harness.Root(t), filepath.Join(t.TempDir(), "program")
	output, err := exec.Command("cc", "-std=c11", "-D_GNU_SOURCE=", "-DSSLCACHE_CHECK_LOCKS", "-Wall", "-Wextra", "-Werror", "-g",
		"-I"+root, source, filepath.Join(root, "cshim", "process", "lock_order.c"), "-o", program, "-lpthread").CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	return program
}

func TestTheOrderIsChecked(t *testing.T) {
	program := compile(t, filepath.Join("programs", "orders.c"))
	const wrong = "sslcache: the lock 'contexts' is waited for while 'connections' is held\n"
	for order, complaint := range map[string]string{
		"in_order":                   "",
		"against_the_order":          wrong,
		"twice":                      "sslcache: the lock 'contexts' is waited for while 'contexts' is held\n",
		"without_waiting":            "",
		"behind_one_without_waiting": wrong,
		"in_time":                    wrong,
		"of_two_threads":             "",
		"in_a_child":                 "",
	} {
		t.Run(order, func(t *testing.T) {
			var said bytes.Buffer
			command := exec.Command(program, order)
			command.Stderr = &said
			written, err := command.Output()
			require.Equal(t, complaint, said.String())
			require.Empty(t, written)
			if complaint == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "aborted")
			}
		})
	}
}

// TestTheOrderIsTheDocumentedOne compares the list in C with the table in docs/architecture.md.
func TestTheOrderIsTheDocumentedOne(t *testing.T) {
	names, err := exec.Command(compile(t, filepath.Join("programs", "orders.c")), "names").Output()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", "architecture.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Locks\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \| `+"`").FindAllStringSubmatch(section, -1) {
		documented = append(documented, row[1])
	}
	require.Equal(t, strings.Split(strings.TrimSpace(string(names)), "\n"), documented)
}

// TestSanitizedLibraryChecks fails where `make asan` builds a library without the checks.
func TestSanitizedLibraryChecks(t *testing.T) {
	symbols, err := exec.Command("nm", harness.OurSanitizedLibrary(t)).Output()
	require.NoError(t, err)
	require.Contains(t, string(symbols), "lock_order_check")
	symbols, err = exec.Command("nm", harness.OurLibrary(t)).Output()
	require.NoError(t, err)
	require.NotContains(t, string(symbols), "lock_order_check", "what is installed has no checks")
}
