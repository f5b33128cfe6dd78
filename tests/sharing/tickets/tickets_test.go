// Package tickets asks which server opens which ticket when tickets are shared, under every libssl: in one process,
// where each SSL_CTX stands for a server, in two, and between real programs.
package tickets

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// bench is what the runs of a test have in common.
type bench struct {
	t                testing.TB
	certificate, key string
	keys             string // the key file
	library          harness.Library
	ours             string // our library, "" for the one that make built
	sanitized        bool
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, keys: filepath.Join(t.TempDir(), "keys")}
	b.certificate, b.key = harness.Certificate(t)
	b.writeKeys(keyfile.Generate())
	return b
}

func (b *bench) writeKeys(lines ...string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(b.keys, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (b *bench) command(mode harness.Mode, scenario string, more ...string) harness.Command {
	b.t.Helper()
	program := harness.Program{
		Source: filepath.Join("programs", "tickets.c"), Library: b.library, Sanitized: b.sanitized,
		Args: append([]string{scenario, b.certificate, b.key}, more...),
	}
	if b.ours == "" || mode == harness.Libssl {
		return program.Command(b.t, mode)
	}
	command := program.Command(b.t, harness.Libssl)
	command.Preload = []string{b.ours}
	return command
}

// shared runs a scenario under ours, with what is asked beside a key file; it must complain of nothing.
func (b *bench) shared(scenario string, environment ...string) string {
	b.t.Helper()
	command := b.command(harness.Ours, scenario)
	command.Env = append(command.Env, "SSLCACHE_STORE_KEY="+b.keys)
	command.Env = append(command.Env, environment...)
	result := command.Run(b.t)
	require.Empty(b.t, result.Stderr)
	require.Zero(b.t, result.Exit, result.Stdout)
	return result.Stdout
}

const asked = "SSLCACHE_TICKETS=shared"

func (b *bench) alone(scenario string) string {
	b.t.Helper()
	result := b.command(harness.Libssl, scenario).Run(b.t)
	require.Empty(b.t, result.Stderr)
	require.Zero(b.t, result.Exit, result.Stdout)
	return result.Stdout
}

// forEachLibssl runs a check with a bench for each version.
func forEachLibssl(t *testing.T, check func(t *testing.T, b *bench)) {
	t.Helper()
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.library = libssls.Get(t, version).Harness()
			check(t, b)
		})
	}
}

// resumed are the names of the lines that end with 1.
func resumed(output string) []string {
	var names []string
	for line := range strings.Lines(output) {
		if name, yes := strings.CutSuffix(line, ": 1\n"); yes {
			names = append(names, name)
		}
	}
	return names
}

func both(names ...string) []string {
	var all []string
	for _, version := range []string{"1.2", "1.3"} {
		for _, name := range names {
			all = append(all, version+" "+name)
		}
	}
	return all
}

var same = []string{"nothing", "nothing, with clients' certificates"}

func TestATicketOpensWhereNothingDiffers(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Empty(t, resumed(b.alone("labels")))
		require.Equal(t, both(same...), resumed(b.shared("labels", asked)))
	})
}

func TestSharedForTLS13Only(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Equal(t, both(same...)[2:], resumed(b.shared("labels", "SSLCACHE_TICKETS=shared13")))
	})
}

// crossings are the lines of the scenario names in which another host's ticket was taken.
func crossings(output, where string) []string {
	var found []string
	line := regexp.MustCompile(`(?m)^(\S+) (\S+) at (\S+): here (\d) there (\d)$`)
	for _, match := range line.FindAllStringSubmatch(output, -1) {
		taken := map[string]string{"here": match[4], "there": match[5]}[where]
		if match[2] != match[3] && taken == "1" {
			found = append(found, fmt.Sprintf("%s %s at %s", match[1], match[2], match[3]))
		}
	}
	return found
}

const combinations = 2 * 4 * 3 // versions, names, other names

// TestNoTicketOpensAtAnotherVirtualHost: libssl alone opens all of them in its own process, since the callback for
// server names comes after a ticket was opened.
func TestNoTicketOpensAtAnotherVirtualHost(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Len(t, crossings(b.alone("names"), "here"), combinations)
		output := b.shared("names", asked)
		require.Empty(t, crossings(output, "here"))
		require.Empty(t, crossings(output, "there"))
		for _, host := range both("none", "plain.example", "open.example", "closed.example") {
			name := host[len("1.x "):]
			assert.Contains(t, output, fmt.Sprintf("%s at %s: here 1 there 1\n", host, name))
			assert.Contains(t, output, host+": first 0\n", "before the name was served for the first time")
		}
	})
}

// variant builds a library whose keys may leave out a part.
func (b *bench) variant() {
	b.t.Helper()
	root := harness.Root(b.t)
	object := filepath.Join(b.t.TempDir(), "leave_out.o")
	output, err := exec.Command("cc", "-std=c11", "-fPIC", "-I"+root, "-c", filepath.Join("programs", "leave_out.c"), "-o", object).CombinedOutput()
	require.NoErrorf(b.t, err, "%s", output)
	harness.Make(b.t, "BUILD=build/leave_out", "CFLAGS=-O0 -g", "build/leave_out/libsslcache.so",
		"LDFLAGS="+object+" -Wl,--wrap=ticket_keys_seal,--wrap=ticket_keys_open")
	b.ours = filepath.Join(root, "build", "leave_out", "libsslcache.so")
}

// TestEachPartOfAKeyIsNeeded leaves out one part of the key after the other, and sees what happens then.
func TestEachPartOfAKeyIsNeeded(t *testing.T) {
	b := newBench(t)
	b.variant()
	require.Equal(t, both(same...), resumed(b.shared("labels", asked)))

	t.Run("identity", func(t *testing.T) {
		require.Equal(t, both(append(same, "certificate", "certificates", "trusted certificates", "named authorities")...),
			resumed(b.shared("labels", asked, "LEAVE_OUT=identity")))
	})
	t.Run("verify mode", func(t *testing.T) {
		require.Equal(t, both(append(same, "insists on certificates")...),
			resumed(b.shared("labels", asked, "LEAVE_OUT=verify mode")))
	})
	t.Run("server name", func(t *testing.T) {
		require.NotEmpty(t, crossings(b.shared("names", asked, "LEAVE_OUT=server name"), "there"))
	})
	t.Run("session id context", func(t *testing.T) {
		const foreign = "  data 'here', argument 'there'\n"
		require.Equal(t, 2, strings.Count(b.shared("data", asked), foreign))
		require.Equal(t, 4, strings.Count(b.shared("data", asked, "LEAVE_OUT=session id context"), foreign),
			"the program's callback sees the data of a ticket that is none of its own")
	})
	t.Run("epoch", func(t *testing.T) {
		require.Contains(t, b.shared("epochs", asked), "1.2 300: resumed 1 renewed 1\n")
		require.Contains(t, b.shared("epochs", asked, "LEAVE_OUT=epoch"), "1.2 300: resumed 1 renewed 0\n",
			"the key is never another")
	})
}

func TestTheProgramsOwnKeysWin(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Equal(t, b.alone("own"), b.shared("own", asked))
		forced := b.shared("own", "SSLCACHE_TICKETS=shared!")
		require.Equal(t, 16, strings.Count(forced, "own 0 here 1 same 1 other 1"), forced)
		require.Equal(t, 4, strings.Count(forced, "read back 1"), forced)
	})
}

func TestAProgramWithoutTicketsHasNone(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Equal(t, b.alone("off"), b.shared("off", asked))
	})
}

func TestTheProgramsDataGoOn(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		for _, version := range []string{"1.2", "1.3"} {
			require.Contains(t, b.alone("data"), "  data 'here', argument 'here'\n"+version+" here 1\n"+version+" there 0\n")
			require.Contains(t, b.shared("data", asked), "  data 'here', argument 'here'\n"+version+" here 1\n"+
				"  data 'here', argument 'there'\n"+version+" there 1\n"+version+" strange 0\n")
		}
	})
}

func TestEarlyDataIsNeverAccepted(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Equal(t, "may send 1\nhere: resumed 1 accepted 1\nthere: resumed 0 accepted 0\n", b.alone("early"))
		require.Equal(t, "may send 1\nhere: resumed 1 accepted 0\nthere: resumed 1 accepted 0\n", b.shared("early", asked))
	})
}

// renewals are those of sessions of 400 seconds, so that an epoch is 100: by an opener whose clock is so many seconds
// after the beginning of the epoch that has sealed. A client of TLS 1.3 offers no ticket of the future, so a clock that
// is behind shows in TLS 1.2 only here.
const renewals = `1.2 0: resumed 1 renewed 0
1.2 99: resumed 1 renewed 0
1.2 100: resumed 1 renewed 1
1.2 199: resumed 1 renewed 1
1.2 300: resumed 1 renewed 1
1.2 399: resumed 1 renewed 1
1.2 -1: resumed 1 renewed 0
1.2 -100: resumed 1 renewed 0
1.2 -300: resumed 0 renewed 0
`

func TestKeysFollowTheTime(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		output := b.shared("epochs", asked)
		for line := range strings.Lines(renewals) {
			require.Contains(t, output, line)
		}
		require.Len(t, regexp.MustCompile(`(?m)^1.3 \d+: resumed 1 renewed 1$`).FindAllString(output, -1), 6, output)
	})
}

func TestADamagedTicketIsAFullHandshake(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		output := b.shared("damaged", asked)
		require.Empty(t, resumed(output))
		require.Equal(t, 14, strings.Count(output, ": 0\n"), output)
	})
}

func TestNothingLeaksAndNothingIsTouchedThatIsNotOurs(t *testing.T) {
	b := newBench(t)
	b.sanitized = true
	for _, scenario := range []string{"labels", "names", "own", "data", "early", "epochs", "damaged"} {
		b.shared(scenario, asked)
		b.shared(scenario, "SSLCACHE_TICKETS=shared!")
	}
}
