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
			quic := harness.Program{Source: filepath.Join("..", "hazards", "programs", "quic.c"), Library: b.library, Args: []string{way}}
			alone := quic.Run(t, harness.Libssl)
			quic.Env = []string{asked, "SSLCACHE_STORE_KEY=" + b.keys}
			require.Equal(t, alone, quic.Run(t, harness.Ours), way)
			require.Contains(t, alone.Stdout, "connection 1: resumed 1")
			require.Equal(t, way == "stateless", strings.Contains(alone.Stdout, "connection 2: resumed 1"), way)
		}
	})
}
