// Package trace reads what programs have left in their trace.
package trace

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

type caller struct{ Module, Symbol string }

// event is one line, as far as the tests ask for it.
type event struct {
	Time                                         float64
	Process, Thread, Context, Parent             int
	Operation, Session, Object, Outcome, Cause   string
	Caller                                       *caller
	Nanoseconds                                  int64
	Function, Format, Program, Libssl            string
	Version, Timeout                             int64
	Alive                                        bool
	Sessions, Events, Dropped                    int
	Number, Stored, Removed, Hits, Accept, Limit int64
	Tickets, SessionContext                      bool `json:"-"`
}

// String is what a scene is known by.
func (e event) String() string {
	parts := []string{e.Operation}
	for _, part := range []string{e.Outcome, e.Cause, e.Function} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

func program(name string, arguments ...string) harness.Program {
	return harness.Program{Source: filepath.Join("programs", name+".c"), Args: arguments}
}

// play runs a program with a trace and gives that, and what it printed.
func play(t *testing.T, program harness.Program) ([]byte, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	program.Env = append(program.Env, "SSLCACHE_TRACE="+file)
	result := program.Run(t, harness.Ours)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit, result.Stdout)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return content, result.Stdout
}

func parse(t *testing.T, content []byte) (events []event) {
	t.Helper()
	for line := range bytes.Lines(content) {
		var one event
		require.NoErrorf(t, json.Unmarshal(line, &one), "%q", line)
		require.Equal(t, byte('\n'), line[len(line)-1], "a whole line")
		if len(events) < 1000 {
			requireOrder(t, line)
		}
		events = append(events, one)
	}
	return events
}

// order is that of docs/trace.md.
var order = []string{
	"time", "process", "thread", "operation", "context", "session", "object", "outcome", "cause", "caller", "nanoseconds",
}

var field = regexp.MustCompile(`[{,]"(\w+)":`)

func requireOrder(t *testing.T, line []byte) {
	t.Helper()
	last := -1
	for _, match := range field.FindAllSubmatch(line, -1) {
		place := slices.Index(order, string(match[1]))
		if place < 0 {
			continue
		}
		require.Greaterf(t, place, last, "the order of the fields: %s", line)
		last = place
	}
	require.Regexp(t, `^\{"time":\d+\.\d{6},"process":\d+,"thread":\d+,"operation":"\w+"`, string(line))
}

// scenes are those of programs/operations.c and what must be told of each, in this order.
var scenes = map[string][]string{
	"add and remove": {
		"start exec", "context made", "add stored program", "add known program", "add replaced program",
		"remove removed program", "callback remove", "remove missing program", "callback remove",
		"remove missing program", "flush freed", "counters", "context freed", "end",
	},
	"limit": {
		"add stored program", "add stored program", "evict limit", "callback remove", "add stored program",
		"evict limit", "callback remove", "flush program", "clear program", "flush program", "callback remove", "flush freed",
	},
	"left behind":         {"add stored program", "clear freed", "flush freed", "callback remove", "context freed"},
	"TLS 1.2":             {"lookup missed", "add stored handshake", "lookup found", "clear freed", "flush freed"},
	"TLS 1.3":             {"add stored handshake", "add stored handshake", "lookup found", "add stored handshake", "flush freed"},
	"many visits":         {"add stored handshake", "lookup found", "flush automatic", "clear freed", "flush freed"},
	"bad shutdown":        {"add stored handshake", "remove removed bad_shutdown", "add stored handshake", "remove removed bad_shutdown"},
	"alert sent":          {"add stored handshake", "remove removed alert_sent"},
	"alert received":      {"add stored handshake", "remove removed alert_received"},
	"unexpected eof":      {"add stored handshake", "remove removed unexpected_eof"},
	"flush of everything": {"add stored program", "add stored program", "expire flush", "flush program", "clear program", "flush program", "flush freed"},
	"expired":             {"add stored handshake", "lookup found", "remove removed expired", "add stored handshake"},
	"single use":          {"add stored handshake", "lookup found", "remove removed single_use", "add stored handshake"},
	"client cache":        {"add stored handshake", "remove removed libssl", "add stored handshake"},
	"callbacks": {
		"callback get", "lookup missed", "add stored handshake", "callback new", "take new_callback",
		"callback get", "give get_callback", "add known callback", "lookup found_by_program", "callback remove",
	},
	"references": {
		"take SSL_get1_session", "take SSL_SESSION_dup", "take d2i_SSL_SESSION", "take SSL_SESSION_new",
		"take PEM_read_bio_SSL_SESSION", "take PEM_read_SSL_SESSION", "take SSL_SESSION_up_ref", "give SSL_SESSION_free",
	},
	"refused":              {"lookup missed", "refused no_session_context"},
	"little address space": {"context made", "add stored program", "clear freed", "flush freed", "context freed", "end"},
}

// requireStory requires these events in this order, whatever stands between them.
func requireStory(t *testing.T, story []string, events []event) {
	t.Helper()
	for _, one := range events {
		if len(story) > 0 && one.String() == story[0] {
			story = story[1:]
		}
	}
	require.Empty(t, story, "not told of, in this order")
}

func TestEveryOperationIsTold(t *testing.T) {
	for name, story := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, _ := play(t, program("operations", name))
			events := parse(t, content)
			requireStory(t, story, events)
			requireBalance(t, events)
		})
	}
}

// Each reference that the program took it gave back before the object went, and each object that it had is
// gone at the end. A token may come again, for another object at the same place.
func requireBalance(t *testing.T, events []event) {
	t.Helper()
	balance, gone := map[string]int{}, map[string]bool{}
	for _, one := range events {
		switch one.Operation {
		case "take":
			balance[one.Object]++
			gone[one.Object] = false
		case "give":
			balance[one.Object]--
		case "freed":
			require.Zero(t, balance[one.Object], "freed, but not given back")
			gone[one.Object] = true
		}
	}
	for object, references := range balance {
		require.Zero(t, references, object)
		require.True(t, gone[object], object)
	}
}

// What libssl does within itself is the same to the program in every version, and not the program's doing.
func TestEveryLibsslTellsTheSame(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"TLS 1.2", "TLS 1.3", "bad shutdown", "alert sent", "alert received", "unexpected eof", "flush of everything", "expired", "single use", "references", "left behind", "many visits", "refused"} {
				if name == "unexpected eof" && version == "1.1.1" {
					continue // it tells nobody: the session goes when the connection is freed
				}
				scene := program("operations", name)
				scene.Library = libssls.Get(t, version).Harness()
				content, _ := play(t, scene)
				events := parse(t, content)
				requireStory(t, scenes[name], events)
				requireBalance(t, events)
			}
		})
	}
}

func TestNoSecretAndNoIDInATrace(t *testing.T) {
	for _, name := range []string{"TLS 1.2", "TLS 1.3", "single use", "client cache", "callbacks", "references"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, output := play(t, program("operations", name))
			lower := bytes.ToLower(content)
			hidden := 0
			for line := range strings.Lines(output) {
				text, what, _ := strings.Cut(strings.TrimSpace(line), " ")
				raw, err := hex.DecodeString(text)
				require.NoError(t, err)
				require.Contains(t, []string{"id", "secret"}, what)
				for start := 0; start+8 <= len(raw); start++ {
					require.NotContains(t, string(content), string(raw[start:start+8]))
					require.NotContains(t, string(lower), text[2*start:2*start+16])
				}
				hidden++
			}
			require.Greater(t, hidden, 3)
		})
	}
}

func TestStartSaysWhatItIsAbout(t *testing.T) {
	content, _ := play(t, program("operations", "limit"))
	events := parse(t, content)
	start := events[0]
	require.Equal(t, "start exec", start.String())
	require.Equal(t, "sslcache-trace", start.Format)
	require.EqualValues(t, 1, start.Version)
	require.Contains(t, start.Program, "operations")
	require.Contains(t, start.Libssl, "OpenSSL "+libssls.System())
	require.Equal(t, "end", events[len(events)-1].String())
	var alive []bool
	for _, one := range events {
		require.Equal(t, start.Process, one.Process)
		if one.Operation == "evict" {
			alive = append(alive, one.Alive)
		}
		if one.Operation == "add" {
			require.Positive(t, one.Nanoseconds)
			require.EqualValues(t, 0x303, one.Version)
			require.NotNil(t, one.Caller)
			require.Contains(t, one.Caller.Module, "operations")
			require.Regexp(t, `^\+0x[0-9a-f]+$`, one.Caller.Symbol)
		}
		if one.Operation == "counters" {
			require.EqualValues(t, 2, one.Limit)
			require.EqualValues(t, 3, one.Stored)
		}
	}
	require.Equal(t, []bool{false, true}, alive)
}

func TestCallersHaveNames(t *testing.T) {
	scene := program("operations", "add and remove")
	scene.Flags = []string{"-rdynamic"}
	content, _ := play(t, scene)
	require.Contains(t, string(content), `"symbol":"add_and_remove"`)
}

func TestForkedChildrenTellTheirOwn(t *testing.T) {
	content, _ := play(t, program("operations", "forks"))
	processes := map[int][]event{}
	var sessions []string
	for _, one := range parse(t, content) {
		processes[one.Process] = append(processes[one.Process], one)
		if one.Operation == "add" || one.Operation == "remove" {
			sessions = append(sessions, one.Session)
		}
	}
	require.Len(t, processes, 3)
	require.Len(t, slices.Compact(sessions), 1, "one session has one name in all processes: %v", sessions)
	parent := 0
	for process, events := range processes {
		if events[0].Cause == "exec" {
			parent = process
			require.Equal(t, 1, strings.Count(summary(events), "add stored program"))
		}
		require.Equal(t, "start", events[0].Operation)
		require.Equal(t, "end", events[len(events)-1].Operation)
	}
	for process, events := range processes {
		if process == parent {
			continue
		}
		require.Equal(t, parent, events[0].Parent)
		requireStory(t, []string{"start fork", "remove removed program", "give SSL_SESSION_free", "flush freed", "end"}, events)
		require.NotContains(t, summary(events), "add")
		require.Equal(t, 1, events[1].Context, "a child keeps its parent's numbers")
	}
}

func summary(events []event) string {
	var lines []string
	for _, one := range events {
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}

func TestNothingLeaksInATracedProgram(t *testing.T) {
	for _, name := range []string{"add and remove", "TLS 1.3", "callbacks", "references", "bad shutdown", "single use"} {
		scene := program("operations", name)
		scene.Sanitized = true
		play(t, scene)
	}
}
