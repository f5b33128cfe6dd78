package tickets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// turns are what a server and its child say: sealed before, then with the file of keys replaced.
const turns = `child, sealed by the parent's inherited: inherited 1 own NEW
parent, sealed by the child's own: inherited NEW own NEW
child, sealed by the parent's own: inherited NEW own NEW
parent, sealed by the child's inherited: inherited 1 own NEW
parent, afterwards, sealed before: inherited OLD own NOT
child, afterwards, sealed by the parent's inherited: inherited 1 own NEW
child, afterwards, sealed before: inherited OLD own NOT
parent, afterwards, sealed by the child's inherited: inherited 1 own NEW
`

func expectedTurns(contextsAlike, oldOpens, oldOpensInOthers string) string {
	return strings.NewReplacer("NEW", contextsAlike, "OLD", oldOpens, "NOT", oldOpensInOthers).Replace(turns)
}

// TestAServerAndItsChildOpenEachOthers: what one seals the other opens, with an SSL_CTX of before the fork and with one
// of its own, also after the keys were replaced: each sees by itself that they were. Alone only the SSL_CTX of before
// the fork has one key.
func TestAServerAndItsChildOpenEachOthers(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		for _, version := range []string{"1.2", "1.3"} {
			forking := harness.Program{Source: filepath.Join("programs", "fork.c"), Library: b.library, Args: []string{version}}
			require.Equal(t, harness.Result{Stdout: expectedTurns("0", "1", "0")}, forking.Run(t, harness.Libssl))

			forking.Env = []string{asked, "SSLCACHE_STORE_KEY=" + b.keys}
			require.Equal(t, harness.Result{Stdout: expectedTurns("1", "1", "1")}, forking.Run(t, harness.Ours))

			next := b.keys + ".next"
			require.NoError(t, os.WriteFile(next, []byte(keyfile.Generate()+"\n"), 0o600))
			forking.Args = []string{version, b.keys, next}
			require.Equal(t, harness.Result{Stdout: expectedTurns("1", "0", "0")}, forking.Run(t, harness.Ours))
		}
	})
}
