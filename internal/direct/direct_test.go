//go:build amd64 || arm64

package direct

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/cache"
)

const module = "libsslcache/internal/"

// What the functions may call beside those of this project: plain assembly that knows no scheduler.
var harmless = map[string]bool{"runtime.memmove": true, "runtime.memequal": true}

// A function as the compiler made it: what it calls, and whether it asks for a larger stack.
type function struct {
	calls []string
	grows bool
}

// Lines of go tool objdump: the head of a function, and a call or a jump in it.
var (
	head = regexp.MustCompile(`^TEXT (.+)\(SB\) `)
	call = regexp.MustCompile(`\t(?:CALL|JMP|B) (.+)\(SB\)`)
	// A call through a register goes nobody knows where.
	unknown = regexp.MustCompile(`\t(?:CALL|JMP) (?:\*?[A-Z0-9]+|\(.*\)|.*\(R?[A-Z0-9]+\))\s*$`)
)

func disassemble(t *testing.T) map[string]*function {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "direct.test")
	output, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	listing, err := exec.Command("go", "tool", "objdump", "-s", module+"(cache|direct)", binary).Output()
	require.NoError(t, err)

	functions := map[string]*function{}
	var current *function
	for lines := bufio.NewScanner(bytes.NewReader(listing)); lines.Scan(); {
		line := lines.Text()
		if named := head.FindStringSubmatch(line); named != nil {
			current = &function{}
			functions[named[1]] = current
		} else if called := call.FindStringSubmatch(line); called != nil {
			current.calls = append(current.calls, called[1])
			current.grows = current.grows || strings.HasPrefix(called[1], "runtime.morestack")
		} else if unknown.MatchString(line) {
			current.calls = append(current.calls, strings.TrimSpace(line))
		}
	}
	return functions
}

// Every function that C can reach calls only its like: none grows the stack, allocates, panics, takes part
// in garbage collection, or goes to the runtime for anything else.
func TestNothingNeedsAScheduler(t *testing.T) {
	functions := disassemble(t)
	reached := map[string]bool{}
	var follow func(name, by string)
	follow = func(name, by string) {
		if reached[name] || harmless[name] {
			return
		}
		reached[name] = true
		found := functions[name]
		require.NotNilf(t, found, "%s calls %s", by, name)
		require.Falsef(t, found.grows, "%s, which %s calls, may grow the stack", name, by)
		for _, called := range found.calls {
			follow(called, name)
		}
	}
	for _, name := range []string{"add", "evict", "lookup", "release", "contains", "remove", "expired"} {
		follow(module+"direct."+name, "C")
		follow(module+"direct."+name+".abi0", "C")
	}
	require.Greater(t, len(reached), 30, "it followed the calls")
}

// The functions themselves, called as Go calls: what C sees is tested with C.
func TestOperations(t *testing.T) {
	c := cache.New(cache.Rules{CountsNewcomer: true})
	entry := func(id byte, session cache.Session) *Entry {
		return &Entry{Session: session, Expiry: 100, Key: cache.Key{Version: 0x303, Length: 1, ID: [cache.MaxID]byte{id}}}
	}
	answer := Answer{Replaced: 7, Session: 7, More: true}
	require.EqualValues(t, NotDone, add(c, entry(1, 1), 0, &answer), "there is no room yet")
	require.Equal(t, Answer{Replaced: 7, Session: 7, More: true}, answer)
	for id := range byte(200) { // each shard is made, and gets room
		c.Add(&entry(id, 1).Key, 1, 100, 0)
	}
	for id := range byte(200) {
		c.Remove(&entry(id, 1).Key)
	}

	require.EqualValues(t, 1, add(c, entry(1, 1), 0, &answer))
	require.Equal(t, Answer{}, answer)
	require.EqualValues(t, 0, add(c, entry(1, 1), 0, &answer), "it is there already")
	require.EqualValues(t, 1, add(c, entry(1, 2), 0, &answer))
	require.Equal(t, Answer{Replaced: 1}, answer)

	var found Found
	require.EqualValues(t, 1, lookup(c, entry(1, 0), &found))
	require.Equal(t, cache.Session(2), found.Session)
	var removed cache.Session
	require.EqualValues(t, NotDone, remove(c, entry(1, 0), &removed), "it is held")
	release((*cache.Held)(found.Held))
	require.EqualValues(t, 0, lookup(c, entry(9, 0), &found))
	require.Zero(t, found.Session)

	require.EqualValues(t, 1, add(c, entry(2, 3), 2, &answer))
	require.Equal(t, Answer{More: true}, answer)
	require.EqualValues(t, 1, evict(c, 2, 3, &answer))
	require.Equal(t, Answer{Session: 2}, answer)

	require.EqualValues(t, 0, expired(c, 100))
	require.EqualValues(t, 1, expired(c, 101))
	require.EqualValues(t, 1, contains(c, entry(2, 0)))
	require.EqualValues(t, 0, contains(c, entry(1, 0)))
	require.EqualValues(t, 1, remove(c, entry(2, 0), &removed))
	require.Equal(t, cache.Session(3), removed)
	require.EqualValues(t, 0, remove(c, entry(2, 0), &removed))
	require.Zero(t, removed)
}

func TestTableIsFilled(t *testing.T) {
	var table Table
	require.True(t, Fill(&table))
	for _, address := range []uintptr{table.Add, table.Evict, table.Lookup, table.Release, table.Contains, table.Remove, table.Expired} {
		require.NotZero(t, address)
	}
}
