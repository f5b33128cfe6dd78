package store

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// triesVariable is how often early data is sent twice; `make replay` asks for the 10,000 of the goal.
const triesVariable = "SSLCACHE_REPLAYS"

const quickTries = 300

// TestEarlyDataIsAcceptedOnce: sent to two workers at once, one accepts it at most.
func TestEarlyDataIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	tries := quickTries
	if asked := os.Getenv(triesVariable); asked != "" {
		var err error
		tries, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	kept := startKeeper(t)
	shared := share(t, kept.address())
	certificate, key := harness.Certificate(t)
	program := harness.Program{
		Source: filepath.Join("programs", "early_data.c"), Args: []string{strconv.Itoa(tries), certificate, key},
		Env: shared.environment(), Timeout: time.Hour,
	}
	result := program.Run(t, harness.Ours)
	var done, once, twice, resumed, failed int
	_, err := fmt.Sscan(result.Stdout, &done, &once, &twice, &resumed, &failed)
	require.NoErrorf(t, err, "%s%s", result.Stdout, result.Stderr)
	t.Logf("of %d tries the early data was accepted once in %d, twice in %d; %d resumed", done, once, twice, resumed)
	require.Equal(t, tries, done)
	require.Zero(t, failed)
	require.Zero(t, twice)
	require.LessOrEqual(t, resumed, tries, "of two with one ticket, one resumes at most")
	require.Greater(t, once, tries/2, "else the store was not asked")
}

// TestDescriptorsOfTheStoreAreNotTheProgramsNorItsChildrens: and each process has connections of its own.
func TestDescriptorsOfTheStoreAreNotTheProgramsNorItsChildrens(t *testing.T) {
	for _, sanitized := range []bool{false, true} {
		t.Run(fmt.Sprintf("sanitized %t", sanitized), func(t *testing.T) {
			t.Parallel()
			kept := startKeeper(t)
			result := harness.Program{
				Source: filepath.Join("programs", "fork.c"), Env: share(t, kept.address()).environment(), Sanitized: sanitized,
			}.Run(t, harness.Ours)
			require.Empty(t, result.Stderr)
			require.Equal(t, `first: done 1 resumed 0 0 hello 1
parent: done 1 resumed 1 1 hello 1
parent has descriptors: 0
child has inherited: 0
child: done 1 resumed 1 1 hello 1
child has descriptors: 0
parent: done 1 resumed 1 1 hello 1
`, result.Stdout)
		})
	}
}

// TestCountersOfARunningProcess: what `sslcache top` reads has the store in it.
func TestCountersOfARunningProcess(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o700))
	shared.more = []string{"SSLCACHE_LIVE=1", "SSLCACHE_RUN_FOLDER=" + folder}
	certificate, key := harness.Certificate(t)
	server, port := sServer(t, shared, certificate, key)
	everybody := newClients(t, "1.2", someClients)
	everybody.visit(port)
	kept.waitForRecords(someClients)

	seen := countersOf(t, folder, server)
	require.Equal(t, someClients, seen.Written)
	require.Equal(t, "closed", seen.Breaker)
}

// countersOf are those of a server that runs, with its sockets in that folder.
func countersOf(t *testing.T, folder string, server *harness.Server) counters {
	t.Helper()
	connection, err := net.Dial("unix", filepath.Join(folder, fmt.Sprintf("%d.sock", server.Pid)))
	require.NoError(t, err)
	defer connection.Close()
	var document struct{ Store counters }
	require.NoError(t, json.NewDecoder(connection).Decode(&document))
	return document.Store
}
