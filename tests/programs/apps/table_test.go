package apps

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// row is a line of the table.
type row struct {
	program, version, variant string
	connections               int
	alone, ours               int // resumed
	stored                    uint64
	verdict                   string
}

func newRow(t *testing.T, p program, v variant, alone, ours outcome, found []string) row {
	t.Helper()
	verdict := "same"
	if len(found) > 0 {
		verdict = "differs: " + strings.Join(found, "; ")
	}
	return row{
		program: p.name, version: packageVersion(t, p.of), variant: v.String(),
		connections: ours.connections(), alone: alone.resumed, ours: ours.resumed,
		stored: ours.counters.Stored, verdict: verdict,
	}
}

// newest is the last file of a pattern: what has a version in its name is another on another Debian.
func newest(t testing.TB, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmptyf(t, found, "there is no %s: run make packages", pattern)
	return found[len(found)-1]
}

// packageVersion is the version of a package that is named, or has the file that is.
func packageVersion(t *testing.T, name string) string {
	t.Helper()
	if strings.HasPrefix(name, "/") {
		path, err := filepath.EvalSymlinks(newest(t, name))
		require.NoError(t, err)
		output, err := exec.Command("dpkg-query", "--search", path).Output()
		require.NoErrorf(t, err, "%s is of no package", path)
		name, _, _ = strings.Cut(string(output), ":")
	}
	output, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", name).Output()
	require.NoErrorf(t, err, "%s is not installed: run make packages", name)
	return string(output)
}

func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| program | version | protocol | connections | resumed alone | resumed under ours | stored by ours | verdict |\n")
	b.WriteString("| --- | --- | --- | --: | --: | --: | --: | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %d | %d | %s |\n",
			r.program, r.version, r.variant, r.connections, r.alone, r.ours, r.stored, r.verdict)
	}
	return b.String()
}

const documentText = `# Real programs

Written by ` + "`make apps`" + ` on %s, with OpenSSL %s of Debian %s. Do not edit it by hand.

Every row is two runs of a program from Debian's packages, under libssl alone and with our library
preloaded, each with a configuration and a folder of its own. Four clients (one for s_server, which keeps
no more than 127 sessions) connect at the same time, each again and again, and offer each time the last
session that they got: half of the connections before the program reloads its configuration (where it
can) and half after. The clients never have our library. Then the program is stopped as its administrator
would. For the clients of the last rows it is the other way round: the program is the client, and its
server is an ` + "`openssl s_server`" + ` under libssl alone.

The verdict is "same" if no connection failed, as many were resumed and as many refused as alone, the
program ended with the same status and left no process behind, its logs have no line that they have not
alone (times, process ids and the like apart), and our library was in each of its processes that had
libssl, and none that has one thread alone has more under ours. Programs that print the counters of their contexts must print the same.

Where sessions belong to one worker of several, chance decides how many connections come to the worker
that has the session, so the figures differ from run to run. There each connection is judged by itself: it
must be resumed if, and only if, it came to the worker that served the connection before. Kamailio does
not tell which of its processes served; there the figures without tickets are not judged.

"Stored by ours" is what the program's processes reported of our cache at their end. It is 0 where the
program keeps its sessions itself, where it asks for no cache, and where tickets need none; then the row
shows only that nothing is disturbed. A process that is killed, or leaves with _exit, reports nothing.

%s
## What some programs need to be told

- nginx gives the program that replaces it at SIGUSR2 only the environment that its configuration names:
  ` + "`env LD_PRELOAD;`" + `. A reload (SIGHUP) needs nothing.
- Postfix and Dovecot give their daemons only what ` + "`import_environment`" + ` names:
  ` + "`LD_PRELOAD=/path/to/libsslcache.so`" + ` there.
- A daemon in a chroot opens the file of SSLCACHE_REPORT inside of it.
`

func document(t *testing.T, written string) string {
	t.Helper()
	version, err := exec.Command("openssl", "version", "-v").Output()
	require.NoError(t, err)
	system, err := os.ReadFile("/etc/debian_version")
	require.NoError(t, err)
	return fmt.Sprintf(documentText, time.Now().UTC().Format("2006-01-02"), strings.Fields(string(version))[1],
		strings.TrimSpace(string(system)), written)
}
