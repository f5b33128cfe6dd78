package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// The committed document has a row for each program of the list, names in it no function that its first table has not,
// and counts there the rows that name it. This needs no package.
func TestProgramsOfTheDocumentFit(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(harness.Root(t), matrixFile))
	require.NoError(t, err)
	tables, rest, found := strings.Cut(string(document), "\n## Programs\n")
	require.True(t, found)
	counted := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|.* (\\d+) \\|$").FindAllStringSubmatch(tables, -1) {
		count, err := strconv.Atoi(row[2])
		require.NoError(t, err)
		counted[row[1]] = count
	}
	require.NotEmpty(t, counted)

	functions := regexp.MustCompile("`(\\w+)`")
	common := functions.FindAllString(regexp.MustCompile("(?m)^Each .*$").FindString(rest), -1)
	named := map[string]int{}
	var documented []program
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \| (.*) \| (.*) \| (.*) \|$`).FindAllStringSubmatch(rest, -1) {
		if row[1] == "program" || row[1] == "---" {
			continue
		}
		documented = append(documented, program{row[1], strings.Split(row[2], ", ")})
		imported := functions.FindAllString(row[3]+row[4], -1)
		if len(imported) > 0 {
			imported = append(imported, common...)
		}
		for _, name := range imported {
			named[strings.Trim(name, "`")]++
		}
	}
	assert.Equal(t, programs, documented)
	for name, count := range named {
		assert.Contains(t, counted, name)
		assert.Equal(t, counted[name], count, name)
	}
	for name, count := range counted {
		assert.Equal(t, named[name], count, name)
	}
}

// What a file takes from libssl is found; what it takes from elsewhere, and what is no ELF file, is not.
func TestImportsAreRead(t *testing.T) {
	folder := t.TempDir()
	source := filepath.Join(folder, "program.c")
	require.NoError(t, os.WriteFile(source, []byte("#include <openssl/err.h>\n#include <openssl/ssl.h>\n#include <stdio.h>\n"+
		"int main(void) { SSL_CTX_free(SSL_CTX_new(TLS_method())); ERR_clear_error(); return puts(\"\"); }\n"), 0o644))
	message, err := exec.Command("cc", "-o", filepath.Join(folder, "program"), source, "-lssl", "-lcrypto").CombinedOutput()
	require.NoError(t, err, string(message))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "short"), []byte("#"), 0o644))

	names, err := folderImports(folder)
	require.NoError(t, err)
	assert.Equal(t, []string{"SSL_CTX_free", "SSL_CTX_new", "TLS_method"}, names)

	require.NoError(t, os.WriteFile(filepath.Join(folder, "broken"), []byte("\x7fELF and no more"), 0o644))
	_, err = folderImports(folder)
	require.ErrorContains(t, err, "broken")
}

func TestKeptImportsAreThoseOfEveryPackage(t *testing.T) {
	kept := imports{}
	for _, program := range programs {
		for _, name := range program.packages {
			kept[name] = nil
		}
	}
	assert.True(t, kept.complete())
	delete(kept, "nginx")
	assert.False(t, kept.complete())
	assert.True(t, slices.IsSortedFunc(programs, func(a, b program) int {
		return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name))
	}))
}
