package store

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// Sessions are found by a context that would have made them, and by no other.
const withSessionContext = `  made: done 1 resumed 0 0 hello 1
alike
  offered: done 1 resumed 1 1 hello 1
  made: done 1 resumed 0 0 hello 1
alike, with certificates
  offered: done 1 resumed 1 1 hello 1
  made: done 1 resumed 0 0 hello 1
another certificate
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
none asked for, then one
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
asked for, then required
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
another name is trusted
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
a callback of its own
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
two callbacks of their own
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
the program's own context
  offered: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
the connection alone requires one
  offered: done 1 resumed 0 0 hello 1
  offered again: done 1 resumed 1 1 hello 1
  made: done 1 resumed 0 0 hello 1
the connection has a callback of its own
  offered: done 1 resumed 0 0 hello 1
  offered again: done 1 resumed 0 0 hello 1
  made: done 1 resumed 0 0 hello 1
a client
  offered: done 1 resumed 1 1 hello 1
`

// TestSessionContext: a server that sets none shares its sessions, and one that asks for certificates resumes.
func TestSessionContext(t *testing.T) {
	for _, sanitized := range []bool{false, true} {
		result := harness.Program{
			Source: filepath.Join("programs", "session_context.c"), Sanitized: sanitized,
			Env: append(share(t, "memory").environment(), "SSLCACHE_SESSION_CONTEXT=site"),
		}.Run(t, harness.Ours)
		require.Empty(t, result.Stderr)
		require.Equal(t, withSessionContext, result.Stdout)
	}
}

// TestWithoutSessionContext: nothing is shared, and a line says why; the failures of libssl are those of libssl.
func TestWithoutSessionContext(t *testing.T) {
	program := harness.Program{Source: filepath.Join("programs", "session_context.c")}
	alone := program.Run(t, harness.Libssl)
	require.Contains(t, alone.Stdout, "the server failed: session id context uninitialized")
	program.Env = share(t, "memory").environment()
	ours := program.Run(t, harness.Ours)
	require.Equal(t, alone.Stdout, ours.Stdout)
	require.Contains(t, ours.Stderr, "sessions without a session id context are not shared")
	require.Contains(t, ours.Stderr, "no SSLCACHE_SESSION_CONTEXT=NAME does")
}
