package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// namesIn are the first groups of all matches in a file of the project.
func namesIn(t *testing.T, file, pattern string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(harness.Root(t), file))
	require.NoError(t, err)
	var names []string
	for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(content, -1) {
		names = append(names, string(match[1]))
	}
	require.NotEmpty(t, names)
	return names
}

// The manual page has each setting of the library's own list, and no other.
func TestManualPageHasEverySetting(t *testing.T) {
	require.ElementsMatch(t,
		namesIn(t, "cshim/settings/settings.h", `\bX\((SSLCACHE_\w+),`),
		namesIn(t, "docs/man/libsslcache.7", `(?m)^\.It Ev (SSLCACHE_\w+)`))
}
