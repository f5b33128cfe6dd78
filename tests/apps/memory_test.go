package apps

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// sharersOfMemory are programs of many processes, and how many of 200 clients that come back must resume.
func sharersOfMemory() []program {
	return []program{
		{name: "nginx, builtin cache, 4 workers", quick: true, server: nginx("builtin", 4)},
		{name: "nginx, no cache, 4 workers", server: nginx("none", 4)},
		{name: "Apache prefork, SSLSessionCache none", server: apache("prefork", "none")},
		{name: "stunnel", server: stunnel},
		{name: "Python ssl, prefork, 2 workers", server: python(2)},
		{name: "Perl Net::SSLeay, fork per connection", server: perl("fork")},
		{name: "Dovecot, chroot, process per connection", server: dovecot(1)},
		{name: "PostgreSQL, fork per connection", quick: true, server: postgresql},
	}
}

// TestMemoryStore: with SSLCACHE_STORE=memory clients resume with whichever process they meet, reload included.
// SSLCACHE_APPS=all asks for all programs.
func TestMemoryStore(t *testing.T) {
	require.Zero(t, os.Geteuid(), "servers change their user and their root: run the test as root")
	all := os.Getenv(sizeVariable) == "all"
	for _, p := range sharersOfMemory() {
		for _, v := range []variant{identifiers, stateful} {
			if !all && !p.quick {
				continue
			}
			t.Run(p.name+", "+v.String(), func(t *testing.T) {
				bare := newSite(t, v, allConnections, false)
				alone, _ := serve(bare, p.server(bare))
				s := newSite(t, v, allConnections, true)
				s.environment = append(s.environment,
					"SSLCACHE_STORE=memory", "SSLCACHE_MODE=on", "SSLCACHE_SESSION_CONTEXT=site")
				ours, _ := serve(s, p.server(s))
				t.Logf("libssl alone: %d of %d resumed; with memory: %d, %d refused",
					alone.resumed, alone.connections()-alone.fresh, ours.resumed, ours.refused)
				require.Zero(t, ours.failed)
				require.GreaterOrEqual(t, ours.resumed*100, (ours.connections()-ours.fresh)*98)
			})
		}
	}
}
