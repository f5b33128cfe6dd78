// Package apps runs real programs from Debian's packages under libssl alone and under libsslcache, and
// compares what their clients, their logs and their exit say.
//
// Every program runs on loopback, with a configuration of its own in a folder of its own, started and
// ended by its process id. The client that counts resumptions (client.c) never runs under ours.
package apps

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// variant is a protocol version with or without tickets.
type variant struct {
	version string // as client.c takes it
	tickets bool
}

// The three ways to resume: by session id, by stateful ticket and by stateless ticket.
var (
	identifiers = variant{version: "1.2"}
	stateful    = variant{version: "1.3"}
	stateless   = variant{version: "1.3", tickets: true}
)

var allVariants = []variant{identifiers, stateful, stateless}

func (v variant) String() string {
	if v.tickets {
		return "TLS " + v.version + ", tickets"
	}
	return "TLS " + v.version + ", no tickets"
}

// choose returns one of two words of a configuration.
func (v variant) choose(tickets, none string) string {
	if v.tickets {
		return tickets
	}
	return none
}

// site is the folder and the port that one run of a program has for itself.
type site struct {
	t           testing.TB
	folder      string // every user may read it and write into it
	port        int
	address     string // where it is to be asked
	certificate string
	key         string
	variant     variant
	connections int
	reports     []string // inside and outside of a jail
	environment []string // what loads our library and asks for its report, for programs that clear theirs
}

// path is the name of a file of the site.
func (s *site) path(elements ...string) string {
	return filepath.Join(append([]string{s.folder}, elements...)...)
}

// write makes a file of the site.
func (s *site) write(name, content string) string {
	path := s.path(name)
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func (s *site) readFile(path string) string {
	content, err := os.ReadFile(path)
	require.NoError(s.t, err)
	return string(content)
}

// makeFolder makes a folder of the site that belongs to owner.
func (s *site) makeFolder(name, owner string) string {
	path := s.path(name)
	require.NoError(s.t, os.MkdirAll(path, 0o755))
	s.give(path, owner)
	return path
}

// jail makes a folder that the program will chroot to. What runs there finds, under the path that it
// was told outside, a file for its report.
func (s *site) jail(name, owner string) string {
	path := s.makeFolder(name, owner)
	require.NoError(s.t, os.MkdirAll(filepath.Join(path, s.folder), 0o755))
	s.makeReport(filepath.Join(path, s.folder, "report"))
	return path
}

// makeReport makes an empty report to which every user may add.
func (s *site) makeReport(path string) {
	require.NoError(s.t, os.WriteFile(path, nil, 0o600))
	require.NoError(s.t, os.Chmod(path, 0o666))
	s.reports = append(s.reports, path)
}

func (s *site) give(path, name string) {
	owner, err := user.Lookup(name)
	require.NoError(s.t, err)
	id, err := strconv.Atoi(owner.Uid)
	require.NoError(s.t, err)
	require.NoError(s.t, os.Chown(path, id, -1))
}

// fill replaces {words} in a configuration with what the site has.
func (s *site) fill(template string, more ...string) string {
	words := append(more,
		"{folder}", s.folder,
		"{port}", fmt.Sprint(s.port),
		"{certificate}", s.certificate,
		"{key}", s.key,
	)
	return strings.NewReplacer(words...).Replace(template)
}

// service is a program that is configured and can be started.
type service struct {
	command   harness.Command
	startTLS  string                          // as client.c takes it
	request   string                          // what the client sends; the program closes the connection after it
	client    func(count int) harness.Command // makes so many connections, where client.c can't
	outcomes  func(output string) string      // what that client said, in lines as client.c prints them
	datagrams bool                            // it does not listen for connections; ready says when it is
	ready     string                          // what it prints when it is; "": then it listens
	logs      []string                        // files, beside its standard output and error
	reload    func(*run)                      // nil: the program cannot, or there is nothing to reload
	stop      syscall.Signal                  // 0: it ends by itself after its last connection
	oneClient bool                            // it keeps so few sessions that those of one client push out another's
	chance    string                          // what is in a line of its log that chance brings
	comparison
}

// comparison says how the outcomes of two runs are compared.
type comparison struct {
	byWorker    bool // a session belongs to one worker, and the answer ends with the worker's id
	exactOutput bool // the figures that it prints are the same in every run
	timed       bool // it connects as often as it can in some time
	byChance    bool // which connections resume is chance, alone too, and the answer does not tell
	stored      bool // its sessions are in our cache
}

// asUser runs a command that refuses to be root; it has the same process id.
func asUser(name string, command harness.Command) harness.Command {
	change := []string{"--reuid=" + name, "--regid=" + name, "--init-groups", command.Path}
	command.Path, command.Args = "/usr/bin/setpriv", append(change, command.Args...)
	return command
}

// program is one row of the table for each of its variants: a server or a client.
type program struct {
	name     string
	of       string // the Debian package whose version the table shows, or a file of it (a pattern)
	variants []variant
	quick    bool // runs in the short test too
	sharing  sharing
	server   func(*site) service
	client   func(*site) visitor
}

// sharing is what is to be known of a program whose tickets are shared.
type sharing struct {
	forced    bool // it has ticket keys of its own, which are taken over
	unrotated bool // it reads the keys when it starts, and can't open the file afterwards
	learns    bool // it chooses a certificate by name for each connection: each process refuses a name once
	byPort    bool // its port is in what its tickets are good for
}

// measure runs a program once, from its start to its end.
func (p program) measure(t testing.TB, v variant, connections int, ours bool) (outcome, comparison) {
	t.Helper()
	s := newSite(t, v, connections, ours)
	if p.client != nil {
		return visit(s, p.client(s))
	}
	return serve(s, p.server(s))
}

const webRequest = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
