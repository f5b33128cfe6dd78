package apps

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

// sharer is a program of many processes.
type sharer struct {
	program
	isStarted bool // its processes are started by exec, and share a file: memory of a family is gone then
}

func sharersOfMemory() []sharer {
	return []sharer{
		{program: program{name: "nginx, builtin cache, 4 workers", quick: true, server: nginx("builtin", 4)}},
		{program: program{name: "nginx, no cache, 4 workers", server: nginx("none", 4)}},
		{program: program{name: "Apache prefork, SSLSessionCache none", server: apache("prefork", "none")}},
		{program: program{name: "stunnel", server: stunnel}},
		{program: program{name: "Python ssl, prefork, 2 workers", server: python(2)}},
		{program: program{name: "Perl Net::SSLeay, fork per connection", server: perl("fork")}},
		{program: program{name: "Dovecot, chroot, process per connection", server: dovecot(1)}, isStarted: true},
		{program: program{name: "uwsgi, HTTPS router, 2 processes", server: uwsgi}, isStarted: true},
		{program: program{name: "PostgreSQL, fork per connection", quick: true, server: postgresql}},
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
				s.environment = append(s.environment, "SSLCACHE_MODE=on", "SSLCACHE_TICKETS=off", "SSLCACHE_SESSION_CONTEXT=site")
				s.environment = append(s.environment, p.store(s)...)
				ours, _ := serve(s, p.server(s))
				t.Logf("libssl alone: %d of %d resumed; with memory: %d, %d refused",
					alone.resumed, alone.connections()-alone.fresh, ours.resumed, ours.refused)
				require.Zero(t, ours.failed)
				require.GreaterOrEqual(t, ours.resumed*100, (ours.connections()-ours.fresh)*98)
			})
		}
	}
}

func (p sharer) store(s *site) []string {
	if !p.isStarted {
		return []string{"SSLCACHE_STORE=memory"}
	}
	keys := s.write("keys", keyfile.Generate())
	require.NoError(s.t, os.Chmod(keys, 0o600))
	return []string{"SSLCACHE_STORE=memory:" + s.path("sessions") + "?size=4m", "SSLCACHE_STORE_KEY=" + keys}
}
