package apps

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

const (
	patience = 30 * time.Second // for each thing that is waited for
	parallel = 4                // clients at a time, at most
	phases   = 2                // before the reload and after it
)

// run is a program while it runs.
type run struct {
	t       testing.TB
	site    *site
	service service
	server  *harness.Server
	client  string
	seen    outcome
	workers [parallel]string // who has the session that the client will offer
}

// outcome is all that a run is compared by.
type outcome struct {
	fresh, resumed, refused, failed int

	misplaced int      // resumed by a worker that has not the session, or refused by the one that has it
	log       []string // what the program wrote, without what differs from run to run
	exit      int
	with      []string       // processes that use libssl and have our library
	without   []string       // processes that use libssl and have not
	left      []string       // processes that were there after the program's end
	threads   map[string]int // the most that a process of that name had
	counters  harness.Counters
}

func (o outcome) connections() int {
	return o.fresh + o.resumed + o.refused + o.failed
}

// newSite makes a folder that is short enough for the sockets in it and open to every user.
func newSite(t testing.TB, v variant, connections int, ours bool) *site {
	t.Helper()
	folder, err := os.MkdirTemp("", "apps")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	// The umask must not take away what the program's user needs.
	require.NoError(t, os.Chmod(folder, 0o777))
	s := &site{t: t, folder: folder, port: harness.FreePort(t), variant: v, connections: connections}
	certificate, key := harness.Certificate(t)
	s.certificate = s.write("certificate.pem", s.readFile(certificate))
	s.key = s.write("key.pem", s.readFile(key))
	require.NoError(t, os.Chmod(s.key, 0o600))
	if ours {
		// A child that makes its core anew opens the library's file as the program's user.
		library := s.write("libsslcache.so", s.readFile(harness.OurLibrary(t)))
		s.environment = []string{"LD_PRELOAD=" + library, "SSLCACHE_REPORT=" + s.path("report")}
		s.makeReport(s.path("report"))
	}
	return s
}

// serve runs a server for the clients.
func serve(s *site, configured service) (outcome, comparison) {
	s.t.Helper()
	r := &run{t: s.t, site: s, service: configured, client: compileClient(s.t)}
	r.start()
	for phase := range phases {
		if phase > 0 && r.service.reload != nil {
			r.service.reload(r)
		}
		r.connect(phase, s.connections/phases)
		r.inspect()
	}
	r.end()
	return r.seen, configured.comparison
}

func compileClient(t testing.TB) string {
	t.Helper()
	return harness.Program{Source: "client/client.c"}.Compile(t, harness.Libssl)
}

func (r *run) start() {
	r.t.Helper()
	r.launch()
	r.waitUntil("it listens", func() bool { return r.service.datagrams || listening(r.site.port) })
	r.waitForOutput(r.service.ready, 1)
}

func (r *run) launch() {
	r.t.Helper()
	command := r.service.command
	command.Env = append(slices.Clone(command.Env), r.site.environment...)
	r.server = command.Start(r.t, 0)
}

// waitUntil fails the test if the condition does not come, or if the program ended.
func (r *run) waitUntil(what string, condition func() bool) {
	r.t.Helper()
	met := false
	waitFor(func() bool {
		met = condition()
		return met || syscall.Kill(r.server.Pid, 0) != nil
	})
	require.Truef(r.t, met, "%s: never happened: %s\n%s", r.service.command.Path, what, strings.Join(r.output(), "\n"))
}

// waitFor waits for a condition, but not forever.
func waitFor(condition func() bool) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && !condition(); {
		time.Sleep(10 * time.Millisecond)
	}
}

func (r *run) waitForLog(path, text string, count int) {
	r.t.Helper()
	r.waitUntil(text, func() bool {
		content, err := os.ReadFile(path)
		return err == nil && strings.Count(string(content), text) >= count
	})
}

func (r *run) waitForOutput(text string, count int) {
	r.t.Helper()
	r.waitUntil(text, func() bool { return strings.Count(r.server.Stdout()+r.server.Stderr(), text) >= count })
}

func (r *run) signal(signal syscall.Signal) {
	r.t.Helper()
	require.NoError(r.t, syscall.Kill(r.server.Pid, signal))
}

// replaceWorkers sends a signal and waits until other processes have the place of all the workers.
func (r *run) replaceWorkers(signal syscall.Signal) {
	r.t.Helper()
	before := r.children()
	r.signal(signal)
	r.waitUntil("new workers", func() bool {
		return !slices.ContainsFunc(before, process.alive) && len(r.children()) > 0 && listening(r.site.port)
	})
}

func (r *run) children() []process {
	return slices.DeleteFunc(family(r.server.Pid), func(p process) bool { return p.pid == r.server.Pid })
}

// clientCommand is one client with a bound; it never has our library.
func (r *run) clientCommand(ctx context.Context, count int, session, request string) *exec.Cmd {
	if r.service.client != nil {
		client := r.service.client(count)
		return exec.CommandContext(ctx, client.Path, client.Args...)
	}
	arguments := []string{
		fmt.Sprint(r.site.port), r.site.variant.version, fmt.Sprint(count), r.site.path(session), request,
	}
	if r.service.startTLS != "" {
		arguments = append(arguments, r.service.startTLS)
	}
	command := exec.CommandContext(ctx, r.client, arguments...)
	command.Env = []string{}
	return command
}

// connect lets the clients connect so many times in all, at the same time.
func (r *run) connect(phase, connections int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	request := r.site.write("request", r.service.request)
	number := parallel
	if r.service.oneClient {
		number = 1
	}
	count := connections / number
	var outputs, complaints [parallel]bytes.Buffer
	var clients sync.WaitGroup
	for i := range number {
		command := r.clientCommand(ctx, count, fmt.Sprintf("session.%d", i), request)
		command.Stdout, command.Stderr = &outputs[i], &complaints[i]
		// Its status says again what its lines say.
		clients.Go(func() { _ = command.Run() })
	}
	clients.Wait()
	require.NoErrorf(r.t, ctx.Err(), "the clients of phase %d did not end", phase)
	for i := range number {
		output := outputs[i].String()
		if r.service.outcomes != nil {
			output = r.service.outcomes(output)
		}
		r.take(i, count, output, complaints[i].String())
	}
}

// take counts all that a client printed, a line for each connection.
func (r *run) take(client, connections int, output, complaints string) {
	r.t.Helper()
	lines := strings.Split(strings.TrimSpace(output), "\n")
	require.Lenf(r.t, lines, connections, "client %d says %q and %q", client, lines, complaints)
	if complaints != "" {
		r.t.Logf("client %d: %s", client, complaints)
	}
	for _, line := range lines {
		r.count(client, line)
	}
}

// count takes in what a client said of one connection.
func (r *run) count(client int, line string) {
	what, answer, _ := strings.Cut(line, " ")
	switch what {
	case "new":
		r.seen.fresh++
	case "resumed":
		r.seen.resumed++
	case "refused":
		r.seen.refused++
	default:
		r.seen.failed++
		return
	}
	// The session is where the last connection was: there it was resumed or made.
	offered := what != "new"
	if offered && (what == "resumed") != (answer == r.workers[client]) {
		r.seen.misplaced++
	}
	r.workers[client] = answer
}

// ask sends one request of its own, on one connection that is not counted.
func (r *run) ask(request string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	output, err := r.clientCommand(ctx, 1, "session.ask", r.site.write("question", request)).CombinedOutput()
	require.NoErrorf(r.t, err, "%s", output)
}

// inspect looks which processes have our library, while they run.
func (r *run) inspect() {
	if r.seen.threads == nil {
		r.seen.threads = map[string]int{}
	}
	for _, one := range family(r.server.Pid) {
		r.seen.threads[one.name] = max(r.seen.threads[one.name], one.threads)
		switch {
		case !one.maps("libssl.so"):
		case one.maps("libsslcache.so"):
			r.seen.with = append(r.seen.with, one.name)
		default:
			r.seen.without = append(r.seen.without, one.name)
		}
	}
}

// end stops the program as its administrator would, and collects what it leaves.
func (r *run) end() {
	r.t.Helper()
	members := family(r.server.Pid)
	if r.service.stop != 0 {
		r.signal(r.service.stop)
	}
	waitFor(func() bool { return !slices.ContainsFunc(members, process.alive) })
	for _, one := range members {
		if one.alive() {
			r.seen.left = append(r.seen.left, one.name)
			_ = syscall.Kill(one.pid, syscall.SIGKILL)
		}
	}
	r.seen.exit = r.server.Stop(syscall.SIGKILL).Exit
	r.seen.log = r.output()
	r.seen.counters = r.site.counters()
}

// reported is what all processes of the program reported at their end, one line each.
func (s *site) reported() string {
	var all string
	for _, path := range s.reports {
		all += s.readFile(path)
	}
	return all
}

func (s *site) counters() harness.Counters {
	return harness.ReadReport(s.t, s.write("reports", s.reported()))
}

// output is all that the program wrote so far.
func (r *run) output() []string {
	all := r.server.Stdout() + "\n" + r.server.Stderr()
	for _, path := range r.service.logs {
		// A program that failed early has no log.
		content, _ := os.ReadFile(path)
		all += "\n" + string(content)
	}
	lines := normalise(all, r.site, r.service.exactOutput)
	return slices.DeleteFunc(lines, func(line string) bool {
		return r.service.chance != "" && strings.Contains(line, r.service.chance)
	})
}
