package tickets

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// forEachQUIC runs a check with a bench for each version that has QUIC servers, and libssl's part of somebody else's.
func forEachQUIC(t *testing.T, check func(t *testing.T, b *bench)) {
	t.Helper()
	forEachLibssl(t, func(t *testing.T, b *bench) {
		if version := filepath.Base(t.Name()); version == "1.1.1" || version == "3.0" {
			t.Skip("libssl " + version + " has no QUIC server")
		}
		check(t, b)
	})
}

// TestQUICServersOfLibsslAreLeftAlone: their tickets open where libssl alone opens them.
func TestQUICServersOfLibsslAreLeftAlone(t *testing.T) {
	forEachQUIC(t, func(t *testing.T, b *bench) {
		for _, way := range []string{"stateless", "elsewhere"} {
			quic := harness.Program{Source: filepath.Join("..", "..", "process", "hazards", "programs", "quic.c"), Library: b.library, Args: []string{way}}
			alone := quic.Run(t, harness.Libssl)
			quic.Env = []string{asked, "SSLCACHE_STORE_KEY=" + b.keys}
			require.Equal(t, alone, quic.Run(t, harness.Ours), way)
			require.Contains(t, alone.Stdout, "connection 1: resumed 1")
			require.Equal(t, way == "stateless", strings.Contains(alone.Stdout, "connection 2: resumed 1"), way)
		}
	})
}

// earlyOverQUIC are what quic_early.c prints: of one session that is offered to the server that has made it, twice, and
// then to another; and of one that goes the other way round.
func earlyOverQUIC(outcomes ...string) harness.Result {
	places := []string{"here", "here again", "there after here", "there", "there again", "here after there"}
	var lines strings.Builder
	for i, place := range places {
		lines.WriteString(place + ": " + outcomes[i] + "\n")
	}
	return harness.Result{Stdout: lines.String()}
}

const (
	accepted    = "resumed 1 accepted 1 can read it 1"
	withoutData = "resumed 1 accepted 0 can read it 0"
	full        = "resumed 0 accepted 0 can read it 0"
)

// TestEarlyDataOverQUIC: none is accepted of a shared ticket, and no secret given away that reads it. With libssl's
// guard against replays a session is good for early data once, for all servers that share the memory store.
func TestEarlyDataOverQUIC(t *testing.T) {
	forEachQUIC(t, func(t *testing.T, b *bench) {
		run := func(mode harness.Mode, way string, environment ...string) harness.Result {
			return harness.Program{
				Source: filepath.Join("programs", "quic_early.c"), Library: b.library, Args: []string{way}, Env: environment,
			}.Run(t, mode)
		}
		keys := "SSLCACHE_STORE_KEY=" + b.keys
		const memory = "SSLCACHE_STORE=memory"

		again := earlyOverQUIC(accepted, accepted, full, full, full, accepted)
		require.Equal(t, again, run(harness.Libssl, "reusable"))
		require.Equal(t, again, run(harness.Ours, "reusable"))
		shared := earlyOverQUIC(withoutData, withoutData, withoutData, withoutData, withoutData, withoutData)
		require.Equal(t, shared, run(harness.Ours, "reusable", asked, keys))
		require.Equal(t, shared, run(harness.Ours, "reusable", asked, memory))

		once := earlyOverQUIC(accepted, full, full, full, full, accepted)
		require.Equal(t, once, run(harness.Libssl, "single"))
		require.Equal(t, once, run(harness.Ours, "single"))
		require.Equal(t, once, run(harness.Ours, "single", asked, keys), "these tickets are stateful")
		onceForAll := earlyOverQUIC(accepted, full, full, accepted, full, full)
		require.Equal(t, onceForAll, run(harness.Ours, "single", memory))
		require.Equal(t, onceForAll, run(harness.Ours, "single", asked, memory))
	})
}
