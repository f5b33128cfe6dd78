package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A package each, with what C must not run; and what the message says of it.
var refused = []struct{ name, code, message string }{
	{"grows", `func F(i int) int { return g(i) }
//go:noinline
func g(i int) int { return i + 1 + h(i) }
//go:noinline
func h(i int) int { var room [1000]byte; room[i%1000] = 1; return int(room[i%7]) }`, "bad/grows.F needs the runtime's g: it may grow the stack"},
	{"panics", `//go:nosplit
func F(of *[4]int, i int) int { return of[i] }`, "it calls runtime.panic"},
	{"divides", `//go:nosplit
func F(a, b int) int { return a / b }`, "it calls runtime.panicdivide"},
	{"stores", `var kept struct{ p *int }
//go:nosplit
func F(to **int, p *int) { *to = p }`, "needs data: runtime.writeBarrier"},
	{"allocates", `//go:nosplit
func F(n int) *int { return g(n) }
//go:noinline
//go:nosplit
func g(n int) *int { return &n }`, "needs data|it calls runtime.newobject"},
	{"variable", `var count int
//go:nosplit
func F() int { count++; return count }`, "needs data: bad/variable.count"},
	{"constant", `var table = [4]int{3, 5, 7, 11}
//go:nosplit
func F(i uint) int { return table[i&3] }`, "needs data: bad/constant.table"},
	{"indirect", `//go:nosplit
func F(f func() int) int { return f() }`, "calls through a register"},
	{"method", `//go:nosplit
func F(e error) string { return e.Error() }`, "calls through a register"},
	{"copies", `//go:nosplit
func F(to, from *[999]byte) { *to = *from }`, "it calls runtime.memmove|it calls runtime.duffcopy"},
	{"starts", `//go:nosplit
func F() { go func() {}() }`, "needs data"},
	{"assembly", `//go:nosplit
func F(i int) int { return f(i) }
//go:noescape
func f(i int) int`, "needs thread-local storage|needs the runtime's g|needs a register of the system"},
	{"elsewhere", `import "strconv"
//go:nosplit
func F(i int) string { return strconv.Itoa(i) }`, "it calls (internal/)?strconv"},
}

// What is taken, beside.
const accepted = `package accepted

//go:nosplit
func SumOf(a, b, c, d, e, f int) int { return a + 2*b + 3*c + 4*d + 5*e + add(f, 6) }

//go:noinline
//go:nosplit
func add(f, times int) (sum int) {
	for range times {
		sum += f
	}
	return sum
}

func notExported() {}
`

func buildImage(t *testing.T, goarch string) *image {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{
		"go.mod": "module bad\n\ngo 1.24\n", "accepted/a.go": accepted,
		"assembly/f.s": "#include \"textflag.h\"\n\nTEXT ·f(SB), NOSPLIT, $0-16\n\tRET\n",
	}
	imports, uses := "import \"bad/accepted\"\n", "\tprintln(accepted.SumOf != nil)\n\tkeep(accepted.SumOf)\n"
	for _, c := range refused {
		files[c.name+"/a.go"] = "package " + c.name + "\n\n" + c.code + "\n"
		imports += "import \"bad/" + c.name + "\"\n"
		uses += "\tkeep(" + c.name + ".F)\n"
	}
	files["main.go"] = "package main\n\n" + imports + "\nvar kept []any\n\nfunc keep(f any) { kept = append(kept, f) }\n\nfunc main() {\n" + uses + "\tprintln(len(kept))\n}\n"
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	build := exec.Command("go", "build", "-buildmode=pie", "-o", "image", ".")
	build.Dir = folder
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch)
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	read, err := open(filepath.Join(folder, "image"))
	require.NoError(t, err)
	return read
}

func TestWhatNeedsARuntimeIsRefused(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		t.Run(goarch, func(t *testing.T) {
			read := buildImage(t, goarch)
			for _, c := range refused {
				if c.name == "assembly" && goarch == "arm64" {
					continue // where Go needs nothing of the runtime after such a call
				}
				_, err := reach(read, rules{from: "bad/" + c.name, packages: []string{"bad/" + c.name}})
				if assert.Error(t, err, c.name) {
					assert.Regexp(t, c.message, err.Error(), c.name)
					assert.NotContains(t, err.Error(), "\n")
				}
			}
			_, err := reach(read, rules{from: "bad/none"})
			assert.ErrorContains(t, err, "no exported functions")

			taken, err := reach(read, rules{from: "bad/accepted", packages: []string{"bad/accepted"}, prefix: "ours_"})
			require.NoError(t, err)
			assert.Len(t, taken.functions, 2)
			assert.Len(t, taken.entries, 1)
			text := string(write(taken))
			assert.Contains(t, text, ".globl ours_sum_of")
			assert.NotContains(t, strings.ToLower(text), "notexported")
			assert.Equal(t, text, string(write(taken)))
		})
	}
}

func TestNamesInC(t *testing.T) {
	assert.Equal(t, "cache_new", nameInC("CacheNew"))
	assert.Equal(t, "add", nameInC("Add"))
	assert.Equal(t, "cache.Cache.Add", labelOf("libsslcache/internal/cache.(*Cache).Add"))
	assert.True(t, isEntry("a/direct.Add", "a/direct"))
	assert.False(t, isEntry("a/direct.add", "a/direct"))
	assert.False(t, isEntry("a/direct.Add.func1", "a/direct"))
	assert.False(t, isEntry("a/direct.(*T).Add", "a/direct"))
}
