package apps

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// Stateless tickets, as TLS 1.2 and 1.3 have them.
var ticketVariants = []variant{{version: "1.2", tickets: true}, stateless}

// How many connections a program serves in each version when it shares its tickets: SSLCACHE_APPS=all asks for all,
// and ticketsVariable for another number. Without them two programs run, each with one version.
const (
	ticketsVariable        = "SSLCACHE_TICKET_CONNECTIONS"
	allTicketConnections   = 10000
	quickTicketConnections = 280
)

// sharers are the programs whose tickets are shared.
func sharers() []program {
	return []program{
		{name: "openssl s_server", quick: true, server: lasting(opensslServer("-quiet"))},
		// From 1.23.2 on it counts the life of a session of TLS 1.3 itself, by its own 5 minutes and its own clock.
		{name: "nginx, 2 workers", quick: true, server: nginx("none; ssl_session_timeout 1h", 2)},
		{name: "HAProxy", server: haproxy},
		{name: "Apache prefork", server: apache("prefork", "none")},
		{name: "Apache event", server: apache("event", "none")},
		{name: "stunnel", sharing: sharing{unrotated: true}, server: stunnel},
		{name: "Python ssl, 2 workers", server: python(2)},
		{name: "lighttpd, keys of its own taken over", sharing: sharing{forced: true, learns: true, unrotated: true}, server: lighttpd},
		{name: "mosquitto", sharing: sharing{unrotated: true, byPort: true}, server: mosquitto},
	}
}

// lasting is an s_server that does not end by itself.
func lasting(server func(*site) service) func(*site) service {
	return func(s *site) service {
		s.connections = 1 << 30
		configured := server(s)
		configured.stop = syscall.SIGTERM
		return configured
	}
}

const mosquittoConfiguration = `
listener {port} {address}
certfile {certificate}
keyfile {key}
tls_version tlsv1.2
allow_anonymous true
persistence false
`

func mosquitto(s *site) service {
	s.give(s.key, "mosquitto")
	return service{
		command: harness.Command{Path: "/usr/sbin/mosquitto", Args: []string{"-c", s.write("mosquitto.conf", s.fill(mosquittoConfiguration, "{address}", s.address))}},
		// CONNECT with no name, and DISCONNECT.
		request: "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\xe0\x00",
		stop:    syscall.SIGTERM,
	}
}

// fleet are servers of one kind and the clients that go from one to the other.
type fleet struct {
	t                testing.TB
	program          program
	variant          variant
	ours             bool
	certificate, key string
	folder           string // of the clients' sessions
	keys             string // the key file
	clock            string // the library that sets the clock
	each             int    // connections in a phase
	port             int    // of all servers, where they must have the same
	sum              tally
	mutex            sync.Mutex
}

// tally is how connections went.
type tally struct{ fresh, resumed, refused, failed int }

func (t *tally) add(other tally) {
	t.fresh += other.fresh
	t.resumed += other.resumed
	t.refused += other.refused
	t.failed += other.failed
}

func newFleet(t testing.TB, p program, v variant, ours bool, connections int) *fleet {
	t.Helper()
	folder := t.TempDir()
	f := &fleet{
		t: t, program: p, variant: v, ours: ours, folder: folder, keys: filepath.Join(folder, "keys"),
		clock: filepath.Join(folder, "clock.so"), each: connections / ticketPhases, port: harness.FreePort(t),
	}
	certificate, key := harness.Certificate(t)
	f.certificate, f.key = readAll(t, certificate), readAll(t, key)
	output, err := exec.Command("cc", "-shared", "-fPIC", "-o", f.clock, "client/clock.c").CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	return f
}

func readAll(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

func (f *fleet) writeKeys(lines ...string) {
	f.t.Helper()
	// As an administrator would: never half a file.
	next := f.keys + ".next"
	require.NoError(f.t, os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(f.t, os.Rename(next, f.keys))
}

// start starts a server on a port and in a folder of its own, whose clock is so many seconds ahead.
func (f *fleet) start(ahead int) *run { return f.startAt("127.0.0.1", ahead) }

// startOther starts one beside it, on another host if that is needed to have the same port.
func (f *fleet) startOther() *run {
	if f.program.sharing.byPort {
		return f.startAt("127.0.0.2", 0)
	}
	return f.start(0)
}

func (f *fleet) startAt(address string, ahead int) *run {
	f.t.Helper()
	s := newSite(f.t, f.variant, f.each, f.ours)
	s.address = address
	if f.program.sharing.byPort {
		s.port = f.port
	}
	require.NoError(f.t, os.WriteFile(s.certificate, []byte(f.certificate), 0o644))
	require.NoError(f.t, os.WriteFile(s.key, []byte(f.key), 0o600))
	preload := f.clock
	if f.ours {
		preload = s.path("libsslcache.so") + ":" + f.clock
		// Some keep sessions for 5 minutes: then clocks may differ by 75 seconds.
		asked := "SSLCACHE_TICKETS=shared"
		if f.program.sharing.forced {
			asked += "!"
		}
		s.environment = append(s.environment, asked, "SSLCACHE_STORE_KEY="+f.keys, "SSLCACHE_TIMEOUT=1h")
	}
	if ahead != 0 {
		s.environment = append(slices.DeleteFunc(s.environment, func(line string) bool { return strings.HasPrefix(line, "LD_PRELOAD=") }),
			"LD_PRELOAD="+preload, fmt.Sprintf("CLOCK_AHEAD=%d", ahead))
	}
	r := &run{t: f.t, site: s, service: f.program.server(s), client: compileClient(f.t)}
	if address == "127.0.0.1" {
		r.start()
		return r
	}
	r.launch()
	r.waitUntil("it listens", func() bool {
		connection, err := net.Dial("tcp", r.address())
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
	return r
}

func (r *run) address() string { return fmt.Sprintf("%s:%d", r.site.address, r.site.port) }

func (f *fleet) stop(r *run) harness.Result {
	f.t.Helper()
	assert.NoError(f.t, syscall.Kill(r.server.Pid, 0), "the server ended before it was told to: %s", r.server.Stderr())
	members := family(r.server.Pid)
	result := r.server.Stop(r.service.stop)
	waitFor(func() bool { return !slices.ContainsFunc(members, process.alive) })
	return result
}

const ticketClients = 4

// visit lets each client connect so many times to each of the servers in turn.
func (f *fleet) visit(times int, servers ...*run) tally {
	f.t.Helper()
	var sum tally
	var clients sync.WaitGroup
	for client := range ticketClients {
		clients.Go(func() {
			for _, server := range servers {
				one := f.connect(client, times, server)
				f.mutex.Lock()
				sum.add(one)
				f.sum.add(one)
				f.mutex.Unlock()
			}
		})
	}
	clients.Wait()
	return sum
}

func (f *fleet) connect(client, times int, r *run) tally {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	request := filepath.Join(f.folder, fmt.Sprintf("request.%d", client))
	assert.NoError(f.t, os.WriteFile(request, []byte(r.service.request), 0o600))
	command := exec.CommandContext(ctx, r.client, r.address(), f.variant.version, fmt.Sprint(times),
		filepath.Join(f.folder, fmt.Sprintf("session.%d", client)), request)
	command.Env = []string{}
	var output, complaints bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaints
	_ = command.Run() // its status says again what its lines say
	var seen tally
	for line := range strings.Lines(output.String()) {
		switch what, _, _ := strings.Cut(strings.TrimSpace(line), " "); what {
		case "new":
			seen.fresh++
		case "resumed":
			seen.resumed++
		case "refused":
			seen.refused++
		}
	}
	seen.failed = times - seen.fresh - seen.resumed - seen.refused
	if seen.failed > 0 {
		f.t.Logf("client %d: %s%s", client, output.String(), complaints.String())
	}
	return seen
}

// keysAreLookedAt is a little longer than it takes until a server that may read its keys has seen that they changed.
const keysAreLookedAt = 1100 * time.Millisecond

// reload lets a server read its configuration and its keys anew, as its administrator would; one that cannot looks
// by itself, once a second.
func (f *fleet) reload(r *run) {
	f.t.Helper()
	if r.service.reload != nil {
		r.service.reload(r)
	}
	time.Sleep(keysAreLookedAt)
}

const ticketPhases = 7

// phases runs two servers through what happens to them, and gives the tallies of each phase.
func (f *fleet) phases() map[string]tally {
	f.t.Helper()
	seen := map[string]tally{}
	old, next := keyfile.Generate(), keyfile.Generate()
	f.writeKeys(old)
	one, other := f.start(0), f.startOther()
	times := max(f.each/ticketClients/4, 1)
	f.visit(1, one)

	seen["the other instance"] = f.visit(times, other, one, other, one)

	f.stop(one)
	one = f.start(0)
	seen["restart"] = f.visit(times, one, other, one, other)

	f.reload(one)
	seen["reload"] = f.visit(times, one, other, one, other)

	if !f.program.sharing.unrotated {
		seen["rotation"] = f.rotate(times, one, other, old, next)
	}
	f.stop(one)

	one = f.start(300)
	seen["clock 5 minutes ahead"] = f.visit(times, one, other, one, other)
	f.stop(one)
	one = f.start(-300)
	seen["clock 5 minutes behind"] = f.visit(times, one, other, one, other)
	f.stop(one)
	f.stop(other)

	f.writeKeys(keyfile.Generate())
	one, other = f.start(0), f.startOther()
	seen["file replaced"] = f.visit(times, one, other, one, other)

	f.writeKeys("no key")
	time.Sleep(keysAreLookedAt)
	seen["file broken"] = f.visit(times, one, other, one, other)
	f.stop(one)
	f.stop(other)
	return seen
}

// rotate brings in a new key in three steps while clients connect.
func (f *fleet) rotate(times int, one, other *run, old, next string) tally {
	f.t.Helper()
	ended := make(chan tally)
	go func() { ended <- f.visit(times, one, other, one, other) }()
	var sum tally
	for _, lines := range [][]string{{old, next}, {next, old}} {
		f.writeKeys(lines...)
		f.reload(one)
		f.reload(other)
	}
	sum.add(<-ended)
	sum.add(f.visit(max(times/4, 1), one, other))
	return sum
}

// TestTicketsAreShared: two servers, alone and under ours, through restarts, reloads, rotations, wrong clocks and
// other keys. No handshake fails, and a client is refused only where no server can know its ticket.
func TestTicketsAreShared(t *testing.T) {
	require.Zero(t, os.Geteuid(), "servers change their user and their root: run the test as root")
	connections := quickTicketConnections
	all := os.Getenv(sizeVariable) == "all"
	if number, err := strconv.Atoi(os.Getenv(ticketsVariable)); err == nil {
		connections, all = number, true
	} else if all {
		connections = allTicketConnections
	}
	for i, p := range sharers() {
		for j, v := range ticketVariants {
			if !all && (!p.quick || i != j) {
				continue
			}
			t.Run(p.name+", TLS "+v.version, func(t *testing.T) {
				t.Parallel()
				alone := newFleet(t, p, v, false, quickTicketConnections)
				before := alone.phases()
				ours := newFleet(t, p, v, true, connections)
				after := ours.phases()
				for phase, seen := range after {
					t.Logf("%-24s alone %+v, ours %+v", phase, before[phase], seen)
					refused := 0
					if phase == "file replaced" {
						refused = ticketClients
					}
					if p.sharing.learns {
						refused += 2 * ticketClients
					}
					assert.LessOrEqual(t, seen.refused, refused, phase)
				}
				t.Logf("%d connections under ours, %d failed", ours.sum.fresh+ours.sum.resumed+ours.sum.refused, ours.sum.failed)
				assert.Zero(t, alone.sum.failed)
				assert.Zero(t, ours.sum.failed)
				assert.Positive(t, before["the other instance"].refused, "libssl alone shares nothing")
			})
		}
	}
}
