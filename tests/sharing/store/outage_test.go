package store

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store"
)

// found counts those of the first sessions that are found.
func found(s *store.Store, many int) (count int) {
	room := make([]byte, 1000)
	for i := range many {
		if s.Get(number(i), false, room) > 0 {
			count++
		}
	}
	return count
}

// TestRemovalMeetsAnErrorThatPasses: a real server refuses, and later does not.
func TestRemovalMeetsAnErrorThatPasses(t *testing.T) {
	ctx := context.Background()
	for name, server := range map[string]struct {
		answer       string
		before, then []any
	}{
		"a replica":        {"READONLY", []any{"REPLICAOF", "127.0.0.1", "1"}, []any{"REPLICAOF", "NO", "ONE"}},
		"too many clients": {"max number of clients|reset|EOF|broken pipe", []any{"CONFIG", "SET", "maxclients", "1"}, []any{"CONFIG", "SET", "maxclients", "1000"}},
		"too few replicas": {"NOREPLICAS", []any{"CONFIG", "SET", "min-replicas-to-write", "1"}, []any{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"a password":       {"NOAUTH", []any{"CONFIG", "SET", "requirepass", "sesame"}, []any{"CONFIG", "SET", "requirepass", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := startKeeper(t)
			s := openStore(t, kept.address())
			s.Put(number(0), make([]byte, 500), time.Hour, false)
			require.Eventually(t, func() bool { return s.Stats().Written == 1 }, patience, time.Millisecond)
			require.NoError(t, kept.client.Do(ctx, server.before...).Err())
			require.NoError(t, kept.client.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
			s.DeleteWithin(number(0), time.Hour)
			require.Eventually(t, func() bool { return s.Stats().Failure != "" }, patience, time.Millisecond)
			require.Regexp(t, server.answer, s.Stats().Failure)
			require.Equal(t, uint64(1), s.Stats().Queued)
			require.NoError(t, kept.client.Do(ctx, server.then...).Err())
			require.Eventually(t, func() bool { return s.Stats().Deleted == 1 }, patience, time.Millisecond, "%+v", statsOf{s})
			require.Empty(t, kept.records())
		})
	}
}

// TestOneNodeOfAClusterIsGone: look-ups of what the others keep go on, though removals wait for the one.
func TestOneNodeOfAClusterIsGone(t *testing.T) {
	t.Parallel()
	nodes, address := startCluster(t)
	s := openFar(t, address) // as near as any, but with the timeout that holds where nothing is said
	const many = 300
	for i := range many {
		s.Put(number(i), make([]byte, 500), time.Hour, false)
	}
	require.Eventually(t, func() bool { return s.Stats().Written == many }, patience, time.Millisecond, "%+v", statsOf{s})
	alive := len(nodes[0].records()) + len(nodes[1].records())
	require.Less(t, alive, many)
	nodes[2].process.Stop(syscall.SIGKILL)
	for i := range many {
		if s.Get(number(i), false, make([]byte, 1000)) == 0 {
			s.DeleteWithin(number(i), time.Hour)
		}
	}
	require.NotZero(t, s.Stats().Queued, "removals wait")
	const rounds = 10
	sum := 0
	for range rounds {
		sum += found(s, many)
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("with one of three nodes gone %d look-ups found %d sessions, of %d that the others keep; %+v",
		rounds*many, sum, rounds*alive, s.Stats())
	require.GreaterOrEqual(t, sum*10, rounds*alive*9)
	require.True(t, s.Stats().Open)
}
