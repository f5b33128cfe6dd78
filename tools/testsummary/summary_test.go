package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command returns a command line of go test for packages made of the given files: name/file.go -> text.
func command(t *testing.T, files map[string]string, arguments string) string {
	t.Helper()
	folder := t.TempDir()
	files["go.mod"] = "module example\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return "cd " + folder + " && go test -json " + arguments + " ./..."
}

func testFile(name, body string) string {
	return "package " + name + "\n\nimport (\n\t\"testing\"\n\t\"time\"\n\t\"os\"\n)\n\nvar _, _ = os.Exit, time.Now\n\n" + body
}

// summary runs commands and returns what they printed, what was printed of them, and whether all was well.
func summary(t *testing.T, commands ...string) (text string, isWell bool) {
	t.Helper()
	var out strings.Builder
	isWell = runAll(commands, &out)
	t.Log(out.String())
	return out.String(), isWell
}

func closing(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return lines[len(lines)-1]
}

func TestPassedFailedSkipped(t *testing.T) {
	text, isWell := summary(t, command(t, map[string]string{
		"tests/room/a/a_test.go": testFile("a", `
func TestPasses(t *testing.T) { t.Log("never shown") }
func TestHasParts(t *testing.T) {
	t.Run("well", func(t *testing.T) {})
	t.Run("ill", func(t *testing.T) { t.Error("this is wrong") })
	t.Run("left out", func(t *testing.T) { t.Log("first"); t.Skip("there is no moon") })
}
func TestLeftOut(t *testing.T) { t.Skip("there is no moon") }
`),
		"tools/b/b_test.go": testFile("b", "func TestPasses(t *testing.T) {}\n"),
		"c/c.go":            "package c\n",
	}, ""), "echo passed through; echo '{\"is\": \"no event\"}'")
	assert.False(t, isWell)
	assert.Contains(t, text, "--- FAIL: TestHasParts")
	assert.Contains(t, text, "this is wrong")
	assert.Contains(t, text, "FAIL\texample/tests/room/a")
	assert.Contains(t, text, "ok  \texample/tools/b")
	assert.Contains(t, text, "passed through\n{\"is\": \"no event\"}\n")
	assert.NotContains(t, text, "never shown")
	assert.NotContains(t, text, "=== RUN")
	assert.Regexp(t, ` 1 +2 +1 +2 +tests/room\n`, text)
	assert.Regexp(t, ` 1 +1 +0 +0 +tools\n`, text)
	assert.Contains(t, text, "skipped:\n  2: there is no moon\n")
	assert.Contains(t, text, "failed:\n  example/tests/room/a TestHasParts/ill\n")
	assert.Equal(t, "3 passed, 1 failed, 2 skipped", closing(text))
}

func TestAllIsWell(t *testing.T) {
	text, isWell := summary(t, command(t, map[string]string{
		"a_test.go": testFile("a", "func TestPasses(t *testing.T) {}\nfunc FuzzF(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, n int) {}) }\n"),
	}, ""))
	assert.True(t, isWell)
	assert.NotContains(t, text, "failed:")
	assert.Equal(t, "2 passed, 0 failed, 0 skipped", closing(text))
}

// What ends a package at once is told as go test tells it, with the test that ran.
func TestCutOff(t *testing.T) {
	for name, is := range map[string]struct{ body, arguments, shown, failed string }{
		"panic": {
			"func TestEnds(t *testing.T) { t.Log(\"before\"); panic(\"all is lost\") }\n", "", "panic: all is lost", "example TestEnds",
		},
		"panic elsewhere": {
			"func TestEnds(t *testing.T) { go func() { panic(\"all is lost\") }(); time.Sleep(time.Minute) }\n", "",
			"panic: all is lost", "example TestEnds",
		},
		"end of the time": {
			"func TestEnds(t *testing.T) { time.Sleep(time.Minute) }\n", "-timeout 300ms", "panic: test timed out after 300ms",
			"example TestEnds",
		},
		"exit": {
			"func TestEnds(t *testing.T) { println(\"farewell\"); os.Exit(3) }\n", "", "farewell", "example TestEnds",
		},
		"exit before any test": {
			"func TestMain(m *testing.M) { println(\"farewell\"); os.Exit(3) }\n", "", "farewell", "example (the package itself)",
		},
		"exit after all tests": {
			"func TestMain(m *testing.M) { m.Run(); println(\"farewell\"); os.Exit(3) }\nfunc TestPasses(t *testing.T) {}\n", "",
			"farewell", "example (the package itself)",
		},
		"not compiled": {"func TestEnds(t *testing.T) { nowhere() }\n", "", "undefined: nowhere", "example (the package itself)"},
		"vet":          {"func TestEnds(t *testing.T) { t.Errorf(\"%d\", \"text\") }\n", "", "wrong type", "example (the package itself)"},
	} {
		t.Run(name, func(t *testing.T) {
			text, isWell := summary(t, command(t, map[string]string{"a_test.go": testFile("a", is.body)}, is.arguments))
			assert.False(t, isWell)
			assert.Contains(t, text, is.shown)
			assert.Contains(t, text, "FAIL\texample")
			assert.Contains(t, text, "failed:\n  "+is.failed+"\n")
			assert.Regexp(t, `^[01] passed, 1 failed, 0 skipped$`, closing(text))
		})
	}
}

// A test that does not stop the others is not hidden by them, and no command by another.
func TestCommandThatFails(t *testing.T) {
	text, isWell := summary(t, "echo ill; exit 3", command(t, map[string]string{
		"a_test.go": testFile("a", "func TestPasses(t *testing.T) {}\n"),
	}, ""))
	assert.False(t, isWell)
	assert.Contains(t, text, "failed:\n  echo ill; exit 3: exit status 3\n")
	assert.Equal(t, "1 passed, 1 failed, 0 skipped", closing(text))
}

func TestNoTestRan(t *testing.T) {
	for name, commands := range map[string][]string{
		"no test in the package": {command(t, map[string]string{"a.go": "package a\n"}, "")},
		"none of that name": {
			command(t, map[string]string{"a_test.go": testFile("a", "func TestPasses(t *testing.T) {}\n")}, ""),
			command(t, map[string]string{"a_test.go": testFile("a", "func TestPasses(t *testing.T) {}\n")}, "-run Nothing"),
		},
		"no test at all": {"true"},
	} {
		t.Run(name, func(t *testing.T) {
			text, isWell := summary(t, commands...)
			assert.False(t, isWell)
			assert.Contains(t, text, "no test ran\n")
			assert.Regexp(t, `^\d passed, 1 failed, 0 skipped$`, closing(text))
		})
	}
}

// A command that ends before its tests do has failed, and so have they.
func TestStreamThatBreaksOff(t *testing.T) {
	text, isWell := summary(t, `echo '{"Action":"run","Package":"p","Test":"TestA"}'
echo '{"Action":"output","Package":"p","Test":"TestA","Output":"half a word\n"}'`)
	assert.False(t, isWell)
	assert.Contains(t, text, "half a word")
	assert.Contains(t, text, "failed:\n  p TestA\n")
	assert.Equal(t, "0 passed, 1 failed, 0 skipped", closing(text))
}
