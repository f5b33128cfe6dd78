package packaging

import (
	"debug/elf"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// found is the first group of the pattern's first match in a file of the project.
func found(t *testing.T, file, pattern string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(harness.Root(t), file))
	require.NoError(t, err)
	match := regexp.MustCompile(pattern).FindSubmatch(content)
	require.NotNilf(t, match, "%s has nothing like %s", file, pattern)
	return string(match[1])
}

// The version stands in VERSION. What must repeat it, repeats it.
func TestOneVersion(t *testing.T) {
	version := projectVersion(t)
	require.Equal(t, version, found(t, "debian/changelog", `^libsslcache \((.*?)\)`))
	require.Equal(t, version, found(t, "CHANGELOG.md", `(?m)^## (\S+) - \d{4}-\d\d-\d\d$`))

	manual := harness.Program{Source: filepath.Join(harness.Root(t), "examples", "manual.c")}
	require.Contains(t, manual.Run(t, harness.OursLinked).Stdout, "libsslcache "+version+" counted")
}

// The number in the name changes with the ABI, in all places together.
func TestOneSoname(t *testing.T) {
	library, err := elf.Open(harness.OurLibrary(t))
	require.NoError(t, err)
	defer library.Close()
	names, err := library.DynString(elf.DT_SONAME)
	require.NoError(t, err)
	require.Len(t, names, 1)
	number := found(t, "tools/install.sh", `/libsslcache\.so\.(\d+)"`)
	require.Equal(t, "libsslcache.so."+number, names[0])
	require.Equal(t, number, found(t, "debian/control", `Package: libsslcache(\d+)\n`))
	require.Equal(t, number, found(t, "debian/libsslcache"+number+".install", `/libsslcache\.so\.(\d+)\n`))
	require.Equal(t, names[0], found(t, "abi/libsslcache.abi.xml", `soname='(.*?)'`))
}
