package apps

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soakVariable is how long the soak lasts; it is short without it.
const soakVariable = "SSLCACHE_SOAK"

const (
	shortSoak      = 10 * time.Second
	soakBatch      = 25 // connections of one client, the first of them without a session
	sessionTimeout = 4 * time.Second
	cycle          = sessionTimeout + 3*time.Second // in each, sessions have the time to expire
	breath         = 20 * time.Millisecond          // between batches, for the sake of the machine
)

// soaked is a server of the soak.
type soaked struct {
	name     string
	server   func(*site) service
	reloads  bool
	expires  bool             // its sessions live for sessionTimeout
	signals  []syscall.Signal // all its processes get them, between the batches
	complain []string         // what its log must not have in it
}

// TestSoak asks: does a server keep its sessions, its memory and its temper under ours for long?
func TestSoak(t *testing.T) {
	length := shortSoak
	if given := os.Getenv(soakVariable); given != "" {
		parsed, err := time.ParseDuration(given)
		require.NoError(t, err)
		length = parsed
	}
	// Signals that these programs ignore or, nginx, have handlers for; SIGUSR1 opens its log anew.
	ignored := []syscall.Signal{syscall.SIGCHLD, syscall.SIGURG, syscall.SIGCONT}
	nginxErrors := []string{"[error]", "[crit]", "[alert]", "[emerg]"}
	for _, one := range []soaked{
		{name: "openssl s_server", server: soakedOpenssl, signals: append(ignored, syscall.SIGWINCH), complain: []string{"error", "ERROR"}},
		{name: "nginx", server: soakedNginx, expires: true, signals: append(ignored, syscall.SIGUSR1), complain: nginxErrors},
		{name: "nginx, reloaded", server: soakedNginx, reloads: true, expires: true, signals: ignored, complain: nginxErrors},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			soak(t, one, length)
		})
	}
}

func soakedOpenssl(s *site) service {
	configured := opensslServer("-quiet")(s)
	i := slices.Index(configured.command.Args, "-naccept")
	configured.command.Args = slices.Delete(configured.command.Args, i, i+2)
	configured.stop = syscall.SIGTERM
	return configured
}

func soakedNginx(s *site) service {
	configured := nginx("builtin", 2)(s)
	settings := strings.NewReplacer("error.log info", "error.log notice",
		"ssl_session_cache", fmt.Sprintf("ssl_session_timeout %ds; ssl_session_cache", int(sessionTimeout.Seconds())))
	// A worker opens the log anew, at a signal, as its own user.
	s.give(s.write("error.log", ""), "www-data")
	s.write("nginx.conf", settings.Replace(s.readFile(s.path("nginx.conf"))))
	return configured
}

func soak(t *testing.T, one soaked, length time.Duration) {
	s := newSite(t, identifiers, 0, true)
	r := &run{t: t, site: s, service: one.server(s), client: compileClient(t)}
	r.start()
	var memory []int
	for end := time.Now().Add(length); time.Now().Before(end) && !t.Failed(); {
		memory = append(memory, r.soakCycle(one))
		if one.reloads {
			r.service.reload(r)
		}
	}
	r.inspect()
	assert.NotEmpty(t, r.seen.with, "our library is not in it")
	assert.Empty(t, r.seen.without, "libssl without our library")
	r.end()
	assert.Empty(t, r.seen.left, "processes stayed")
	for _, line := range r.seen.log {
		assert.Falsef(t, slices.ContainsFunc(one.complain, func(word string) bool { return strings.Contains(line, word) }), "%s", line)
	}
	assert.Zero(t, r.seen.failed, "connections failed")
	assert.Zero(t, r.seen.misplaced, "sessions were lost")
	assert.NotZero(t, r.seen.resumed)
	growth := steadyGrowth(memory)
	t.Logf("%d connections, %d resumed, memory in kB after each cycle %v, growth after warm-up %.1f %%",
		r.seen.connections(), r.seen.resumed, memory, 100*growth)
	assert.Lessf(t, growth, growthMax, "memory grows")
}

// soakCycle lets clients connect for as long as a session lives, and more; it gives the memory in use.
func (r *run) soakCycle(one soaked) int {
	r.t.Helper()
	for _, v := range []variant{identifiers, stateful} {
		r.batch(v, 1, "old."+v.version)
	}
	made := time.Now()
	for i := 0; time.Since(made) < cycle && !r.t.Failed(); i++ {
		v := []variant{identifiers, stateful}[i%2]
		r.soakBatch(v)
		for _, member := range family(r.server.Pid) {
			for _, signal := range one.signals {
				// One that has just ended needs no signal.
				_ = syscall.Kill(member.pid, signal)
			}
		}
		time.Sleep(breath)
	}
	if one.expires {
		for _, v := range []variant{identifiers, stateful} {
			assert.Equal(r.t, []string{"refused"}, r.batch(v, 1, "old."+v.version), "an expired session")
		}
	}
	for _, v := range []variant{identifiers, stateful} {
		require.NoError(r.t, os.Remove(r.site.path("old."+v.version)))
	}
	return r.residentKilobytes()
}

// soakBatch counts a batch that begins without a session, unless it was so slow that it could expire.
func (r *run) soakBatch(v variant) {
	r.t.Helper()
	begun := time.Now()
	before := r.seen
	outcomes := r.batchLines(v, soakBatch, "session")
	require.NoError(r.t, os.Remove(r.site.path("session")))
	for _, line := range outcomes {
		r.count(0, line)
	}
	if time.Since(begun) >= sessionTimeout {
		r.t.Logf("a batch took %s: its refusals are not judged", time.Since(begun))
		r.seen.misplaced = before.misplaced
	}
}

// batch returns what became of each connection of one client.
func (r *run) batch(v variant, count int, session string) []string {
	r.t.Helper()
	lines := r.batchLines(v, count, session)
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, " ")
	}
	return lines
}

func (r *run) batchLines(v variant, count int, session string) []string {
	r.t.Helper()
	r.site.variant = v
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	output, err := r.clientCommand(ctx, count, session, r.site.write("request", r.service.request)).Output()
	var exit *exec.ExitError
	if err != nil && !assert.ErrorAs(r.t, err, &exit) {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(output)), "\n")
}

// residentKilobytes is the memory that all processes of the program use.
func (r *run) residentKilobytes() int {
	sum := 0
	for _, member := range family(r.server.Pid) {
		sum += member.residentKilobytes()
	}
	return sum
}

func (p process) residentKilobytes() int {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var kilobytes int
		if _, err := fmt.Sscanf(scanner.Text(), "VmRSS: %d kB", &kilobytes); err == nil {
			return kilobytes
		}
	}
	return 0
}

// In a soak of 15 minutes one leaked session for each full handshake is more than this.
const growthMax = 0.05

// steadyGrowth is by what share the memory grew from the second third of the run to the last one: the
// medians of both. The first third is the warm-up. A run that is too short to tell has not grown.
func steadyGrowth(memory []int) float64 {
	third := len(memory) / 3
	if third < 2 {
		return 0
	}
	before, after := median(memory[third:2*third]), median(memory[2*third:])
	return float64(after-before) / float64(before)
}

func median(values []int) int {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func TestSteadyGrowth(t *testing.T) {
	assert.Zero(t, steadyGrowth([]int{1, 9, 1, 9, 1}), "too short to tell")
	assert.Zero(t, steadyGrowth([]int{10, 50, 100, 100, 100, 100}), "growth of the warm-up only")
	assert.InDelta(t, 0.5, steadyGrowth([]int{100, 100, 100, 100, 150, 150}), 1e-9)
	assert.Greater(t, steadyGrowth([]int{100, 120, 140, 160, 180, 200, 220, 240, 260}), growthMax)
}
