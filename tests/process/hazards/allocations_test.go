package hazards

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// allocationsVariable asks, as "all", for every allocation to fail once, which takes ten minutes for each way of sharing
// and wants a longer -timeout; else it is every 23rd where sessions are shared, and each where they are not.
const (
	allocationsVariable = "SSLCACHE_ALLOCATIONS"
	quickStep           = 23
)

// withoutMemory runs allocations.c while the allocation of that number fails.
type withoutMemory struct {
	name        string
	environment func(folder string) []string
	elsewhere   string // how many resume at another server, once nothing fails any more
}

func withMemory(string) []string { return []string{"SSLCACHE_STORE=memory"} }

func withFile(folder string) []string {
	return []string{"SSLCACHE_STORE=memory:" + filepath.Join(folder, "sessions") + "?size=1m", "SSLCACHE_STORE_KEY=" + filepath.Join(folder, "keys")}
}

func withTickets(folder string) []string {
	return []string{"SSLCACHE_TICKETS=shared", "SSLCACHE_STORE_KEY=" + filepath.Join(folder, "keys")}
}

func withTicketsOfFamily(string) []string {
	return []string{"SSLCACHE_TICKETS=shared", "SSLCACHE_STORE=memory"}
}

func withTrace(folder string) []string {
	return []string{"SSLCACHE_TRACE=" + filepath.Join(folder, "trace")}
}

func waysWithoutMemory() []withoutMemory {
	return []withoutMemory{
		{"not shared", func(string) []string { return nil }, "0 stateful 0 stateless"},
		{"memory store", withMemory, "4 stateful 0 stateless"},
		{"memory store in a file", withFile, "4 stateful 0 stateless"},
		{"tickets", withTickets, "0 stateful 4 stateless"},
		{"tickets of a family", withTicketsOfFamily, "4 stateful 4 stateless"},
		{"traced", withTrace, "0 stateful 0 stateless"},
	}
}

// fail runs the program, and returns how many allocations there were, what else the library said, and how many resumed
// elsewhere.
func (w withoutMemory) fail(t *testing.T, failing, keys string, number int, alone harness.Result) (count int, said []string, elsewhere string) {
	t.Helper()
	folder := t.TempDir()
	counted := filepath.Join(folder, "count")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "keys"), []byte(keys), 0o600))
	command := program("allocations").Command(t, harness.Ours)
	command.Preload = append([]string{failing}, command.Preload...)
	command.Env = append(command.Env, append(w.environment(folder), fmt.Sprintf("FAILING=%d", number), "FAILING_COUNT="+counted)...)
	result := command.Run(t)
	require.Equal(t, alone.Stdout, result.Stdout, "allocation %d failed", number)
	require.Equal(t, alone.Exit, result.Exit, "allocation %d failed", number)
	said = strings.Split(strings.TrimSpace(result.Stderr), "\n")
	said = slices.DeleteFunc(said, func(line string) bool {
		after, is := strings.CutPrefix(line, "elsewhere: ")
		if is {
			elsewhere = after
		}
		return is || strings.Contains(line, "sessions without a session id context are not shared")
	})
	content, err := os.ReadFile(counted)
	require.NoError(t, err)
	count, err = strconv.Atoi(strings.TrimSpace(string(content)))
	require.NoError(t, err)
	return count, said, elsewhere
}

// TestAnAllocationFails lets an allocation of the library fail, the first, then a later one and so on, until there are no
// more: the program goes on and ends as under libssl alone. An add whose memory fails answers 0, a handshake is full, no
// error stays in libcrypto's queue, no session is lost or kept, and no lock stays taken.
func TestAnAllocationFails(t *testing.T) {
	failing := module(t, "failing")
	keys := keyfile.Generate() + "\n"
	alone := program("allocations").Run(t, harness.Libssl)
	require.Zero(t, alone.Exit)
	require.Contains(t, alone.Stdout, "sessions that live 0, errors 0")
	for i, way := range waysWithoutMemory() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			step := quickStep
			if os.Getenv(allocationsVariable) == "all" || i == 0 {
				step = 1
			}
			number := 1 + i%step
			for ; ; number += step {
				count, said, elsewhere := way.fail(t, failing, keys, number, alone)
				if count < number {
					assert.Empty(t, said, "nothing failed")
					assert.Equal(t, way.elsewhere, elsewhere)
					assert.Greater(t, count, 20, "else nothing is counted")
					t.Logf("%d allocations", count)
					return
				}
				assert.LessOrEqual(t, len(said), 1, said)
				for _, line := range said {
					assert.Regexp(t, "^sslcache: ", line)
				}
			}
		})
	}
}
