package tickets

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// Once through the three steps of a new key, and one more.
const ticketThreads, keyReplacements = 8, 4

// threaded has the keys replaced in three steps, with old and next in the file, while its threads run.
func (b *bench) threaded(version string) harness.Program {
	b.t.Helper()
	old, next := keyfile.Generate(), keyfile.Generate()
	b.writeKeys(old)
	arguments := []string{strconv.Itoa(keyReplacements), strconv.Itoa(ticketThreads), version, b.keys}
	for i, lines := range []string{old + "\n" + next, next + "\n" + old, next} {
		file := fmt.Sprintf("%s.%d", b.keys, i)
		require.NoError(b.t, os.WriteFile(file, []byte(lines+"\n"), 0o600))
		arguments = append(arguments, file)
	}
	return harness.Program{
		Source: filepath.Join("programs", "threads.c"), Library: b.library, Args: arguments,
		Env: []string{asked, "SSLCACHE_STORE_KEY=" + b.keys},
	}
}

// requireShared reads what threads.c printed.
func requireShared(t *testing.T, result harness.Result) {
	t.Helper()
	var done, offered, resumed, failed int
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
	_, err := fmt.Sscanf(result.Stdout, "done %d offered %d resumed %d failed %d\n", &done, &offered, &resumed, &failed)
	require.NoError(t, err, result.Stdout)
	t.Log(result.Stdout)
	assert.Zero(t, failed)
	assert.Greater(t, done, 100)
	assert.Equal(t, offered, resumed, "each key opens one step longer than it seals")
}

// TestThreadsShareWhileKeysAreReplaced: eight threads, contexts that come and go, under every libssl.
func TestThreadsShareWhileKeysAreReplaced(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		for _, version := range []string{"1.2", "1.3"} {
			requireShared(t, b.threaded(version).Run(t, harness.Ours))
		}
	})
}

// TestNoRaceInTheKeysOfTickets: the same with the C part under ThreadSanitizer.
func TestNoRaceInTheKeysOfTickets(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			requireShared(t, newBench(t).threaded(version).ThreadSanitized(t).Run(t))
		})
	}
}
