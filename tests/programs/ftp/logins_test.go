package ftp

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// logins is what clients and the server said of some log-ins.
type logins struct {
	right []string // with the right password: curl's status and what it printed
	wrong string   // with another
	log   []string // the server's own, without what differs from run to run
	exit  int      // of the server
}

// Times, process ids and ports.
var figures = regexp.MustCompile(`[0-9]+`)

func logIn(t *testing.T, one server, version string, ours bool) logins {
	t.Helper()
	s := newSite(t)
	s.user = one.user
	command := one.start(s)
	if ours {
		command.Preload = []string{harness.OurLibrary(t)}
	}
	running := command.Start(t, s.port)
	loaded, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", running.Pid))
	require.NoError(t, err)
	require.Equal(t, ours, strings.Contains(string(loaded), "/libsslcache.so"))
	var seen logins
	client := curl(s, job{version: version, lists: 3, mode: "passive"})
	for range 2 {
		seen.right = append(seen.right, said(client.Run(t)))
	}
	for i, argument := range client.Args {
		client.Args[i] = strings.Replace(argument, ":tester", ":another", 1)
	}
	seen.wrong = said(client.Run(t))
	ended := running.Stop(syscall.SIGTERM)
	seen.exit = ended.Exit
	all := ended.Stdout + ended.Stderr
	for _, name := range []string{"proftpd.log", "tls.log", "vsftpd.log"} {
		content, _ := os.ReadFile(s.path(name))
		all += string(content)
	}
	for line := range strings.Lines(strings.ReplaceAll(all, s.folder, "FOLDER")) {
		seen.log = append(seen.log, figures.ReplaceAllString(strings.TrimSpace(line), "N"))
	}
	slices.Sort(seen.log)
	seen.log = slices.Compact(seen.log)
	return seen
}

func said(result harness.Result) string {
	return fmt.Sprintf("%d: %s%s", result.Exit, result.Stdout, result.Stderr)
}

// TestLogins asks: does a log-in at a server under our library end as it ends without it? ProFTPD
// keeps capabilities while it changes its user, and pure-ftpd limits its memory before it computes the
// hash of a password, which takes 16 MB.
func TestLogins(t *testing.T) {
	// In TLS 1.2 a session is stored before the log-in.
	versions := []string{"1.2"}
	if os.Getenv(sizeVariable) == "all" {
		versions = append(versions, "1.3")
	}
	for _, one := range []server{
		servers[0],
		{name: "proftpd-core", start: proftpdWithPasswords, user: "tester"},
		servers[2],
	} {
		for _, version := range versions {
			t.Run(one.name+", TLS "+version, func(t *testing.T) {
				alone := logIn(t, one, version, false)
				for _, outcome := range alone.right {
					require.Regexp(t, "^0: .*a file", strings.ReplaceAll(outcome, "\n", " "))
				}
				if one.user != "anonymous" {
					require.Regexp(t, "^67: ", alone.wrong, "curl: access denied")
				}
				assert.Equal(t, alone, logIn(t, one, version, true))
			})
		}
	}
}
