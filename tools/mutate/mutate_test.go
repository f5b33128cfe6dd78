package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func changes(places []place) []string {
	var lines []string
	for _, place := range places {
		lines = append(lines, place.kind+": "+place.before+" => "+place.after)
	}
	return lines
}

func TestPlacesInC(t *testing.T) {
	places := placesInC("f.c", `#define LIMIT (2 + \
    3)
/* a == b, über */
static int f(int count)
{
    if (count < 3 && g("a == b // 4"))
        return 0;
    forget(count);
    return count + sizeof(char[5]);
}
`)
	assert.ElementsMatch(t, []string{
		`comparison: if (count < 3 && g("a == b // 4")) => if (count <= 3 && g("a == b // 4"))`,
		`and, or: if (count < 3 && g("a == b // 4")) => if (count < 3 || g("a == b // 4"))`,
		`constant: if (count < 3 && g("a == b // 4")) => if (count < 4 && g("a == b // 4"))`,
		`condition true: if (count < 3 && g("a == b // 4")) => if ((count < 3 && g("a == b // 4")) || 1)`,
		`condition false: if (count < 3 && g("a == b // 4")) => if ((count < 3 && g("a == b // 4")) && 0)`,
		`constant: return 0; => return 1;`,
		`answer: return 0; => return 1;`,
		`call left out: forget(count); => ;`,
		`arithmetic: return count + sizeof(char[5]); => return count - sizeof(char[5]);`,
	}, changes(places))
}

func TestPlacesInGo(t *testing.T) {
	file := t.TempDir() + "/f.go"
	content := []byte(`package f

const limit = 3 // a == b

func f(count int) (bool, error) {
	if err := g(count - 1); err != nil {
		return false, err
	}
	forget("a == b")
	count++
	return limit >= count, nil
}
`)
	require.NoError(t, os.WriteFile(file, content, 0o600))
	places, err := placesInGo(file, content)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{
		"arithmetic: if err := g(count - 1); err != nil { => if err := g(count + 1); err != nil {",
		"constant: if err := g(count - 1); err != nil { => if err := g(count - 2); err != nil {",
		"comparison: if err := g(count - 1); err != nil { => if err := g(count - 1); err == nil {",
		"condition true: if err := g(count - 1); err != nil { => if err := g(count - 1); (err != nil) || true {",
		"condition false: if err := g(count - 1); err != nil { => if err := g(count - 1); (err != nil) && false {",
		"answer: return false, err => return true, err",
		"answer: return false, err => return false, nil",
		`call left out: forget("a == b") => `,
		"arithmetic: count++ => count--",
		"comparison: return limit >= count, nil => return limit > count, nil",
	}, changes(places))
}

func TestFilesOfOtherMachinesAreLeftOut(t *testing.T) {
	file := t.TempDir() + "/f.go"
	content := []byte("//go:build race\n\npackage f\n\nvar a = 1\n")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	places, err := placesInGo(file, content)
	require.NoError(t, err)
	assert.Empty(t, places)
}

// The same seed draws the same places, each kind in its turn, no line twice.
func TestDraw(t *testing.T) {
	content := strings.Repeat("    return 0;\n    go();\n", 50)
	first, second := draw(placesInC("f.c", content), 1), draw(placesInC("f.c", content), 1)
	assert.Equal(t, first, second)
	assert.NotEqual(t, first, draw(placesInC("f.c", content), 2))
	require.Len(t, first, 100)
	lines := map[int]bool{}
	for _, place := range first {
		assert.False(t, lines[place.line], "line %d", place.line)
		lines[place.line] = true
	}
	assert.Equal(t, "call left out", first[1].kind)
	assert.NotEqual(t, first[0].kind, first[1].kind)
}

func TestAppliedChangesNothingElse(t *testing.T) {
	content := "int a;\nint f(void)\n{\n    return 1;\n}\n"
	places := placesInC("f.c", content)
	require.NotEmpty(t, places)
	for _, place := range places {
		assert.Equal(t, strings.Replace(content, "return 1", "return "+place.text, 1), string(place.applied([]byte(content))))
	}
}

func TestRoomOf(t *testing.T) {
	t.Chdir("../..")
	assert.Equal(t, room{tests: []string{"./internal/store"}}, roomOf("internal/store/store.go"))
	assert.Equal(t, []string{"./internal/cache", "./internal/direct"}, roomOf("internal/cache/cache.go").tests)
	assert.Contains(t, roomOf("cshim/share/tickets.c").tests, "./tests/sharing/tickets")
	assert.NotContains(t, roomOf("cshim.c").tests, "./tests/sharing/tickets")
	assert.Equal(t, library, roomOf("cshim/new/file.c").make)
}

func TestPlan(t *testing.T) {
	file := t.TempDir() + "/f.c"
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("    go();\n", 30)), 0o600))
	all, err := newPlan([]string{file, "main.go"}, 1, 40)
	require.NoError(t, err)
	assert.Equal(t, []int{20, 20}, []int{all[0].number, all[1].number})
	many, err := newPlan([]string{file, "main.go"}, 1, 70)
	require.NoError(t, err)
	assert.Equal(t, []int{40, 30}, []int{many[0].number, many[1].number})

	seventh := all[1].places[7]
	all.cut("c", 7)
	assert.Equal(t, []int{0, 13}, []int{all[0].number, all[1].number})
	assert.Equal(t, seventh, all[1].places[0])
}

// A fault in a copy is noticed by a test that fails, and by one that does not end; the copy is mended after it.
func TestJudge(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may make a process namespace")
	}
	folder := t.TempDir()
	source := "package f\n\nfunc f(n int) int {\n\tfor n < 3 {\n\t\tn++\n\t}\n\tprint(1)\n\treturn n + 1\n}\n"
	test := "package f\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) {\n\tif f(0) != 4 {\n\t\tt.Fail()\n\t}\n}\n"
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(folder+"/"+name, []byte(content), 0o600))
	}
	write("go.mod", "module f\n\ngo 1.26\n")
	write("f.go", source)
	write("f_test.go", test)
	places, err := placesInGo(folder+"/f.go", []byte(source))
	require.NoError(t, err)
	t.Chdir(folder)
	outcomes := map[string]string{}
	copied := newProject(folder)
	copied.allowance = 5e9
	for _, place := range places {
		place.file = "f.go"
		outcome, err := copied.judge(t.Context(), place)
		require.NoError(t, err)
		outcomes[place.after] = outcome
		mended, err := os.ReadFile(folder + "/f.go")
		require.NoError(t, err)
		require.Equal(t, source, string(mended))
	}
	assert.Equal(t, map[string]string{
		"for n <= 3 {": noticed,
		"for n < 4 {":  noticed,
		"n--":          noticed,
		"":             survived,
		"print(2)":     survived,
		"return n - 1": noticed,
		"return n + 2": noticed,
	}, outcomes)
}
