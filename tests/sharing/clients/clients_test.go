// Package clients asks which connections of a client resume the session of another one that it has open
// (SSLCACHE_CLIENT=ftp), and which must not.
package clients

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

const asked = "SSLCACHE_CLIENT=ftp"

// What four data connections in a row say.
var (
	resumed = strings.Repeat("data: resumed 1, offered 1\n", 4)
	full    = strings.Repeat("data: resumed 0, offered 0\n", 4)
)

// The last line of a scenario: what the program reads of its SSL_CTX.
const (
	context     = "mode 2, callbacks as set 0, new_cb called 0, sessions 0\n"
	later       = "mode 130, callbacks as set 0, new_cb called 0, sessions 0\n"
	withNewCall = "mode 2, callbacks as set 1, new_cb called 0, sessions 0\n"
)

// scenario is one of programs/scenarios.c.
type scenario struct {
	name  string
	alone string
	ours  string
	only  string // the one version of the protocol that it is about
}

// refusals are the scenarios in which there must be no resumption, and no offer.
var refusals = []string{
	"other_context", "other_address", "other_host", "other_address_name", "other_flags", "other_sni",
	"other_verify_mode", "other_callback", "other_protocols", "other_context_protocols", "stapling", "unverified", "trusted_later", "let_pass",
	"own_verifier", "dane", "shut_down", "cleared", "closed_socket", "closed_by_server", "freed",
	"thread_context", "same_port", "reading",
}

func scenarios() []scenario {
	all := []scenario{
		{name: "resumes", alone: full + withNewCall, ours: resumed + withNewCall},
		{name: "identifiers", alone: full + context, ours: resumed + context},
		{name: "thread", alone: full + context, ours: resumed + context},
		{name: "handshake", alone: full + context, ours: resumed + context},
		{name: "step_by_step", alone: full + context, ours: resumed + context},
		{name: "two_servers", alone: full, ours: resumed},
		{
			name: "single_use", only: "1.3", alone: full + withNewCall,
			ours: strings.Replace(resumed, "1, offered 1\ndata: resumed 1, offered 1\ndata: resumed 1, offered 1\ndata: resumed 1",
				"1, offered 1\ndata: resumed 1, offered 1\ndata: resumed 1, offered 1\ndata: resumed 0", 1) + withNewCall,
		},
		{name: "many_threads", alone: "resumed 0 of 40\n", ours: "resumed 40 of 40\n"},
		{name: "context_protocols", alone: full + context, ours: resumed + context},
		{name: "mode_later", alone: full + later, ours: resumed + later},
		{name: "own_session", alone: resumed + context, ours: resumed + context},
		{
			name: "refused", alone: full + context,
			ours: strings.Replace(full, "offered 0", "offered 1", 1) + context,
		},
		{
			name: "breaks_off", alone: full + context,
			ours: strings.Replace(full, "resumed 0, offered 0", "failed, offered 1", 1) + context,
		},
		{
			name: "forked", alone: "child: resumed 0, offered 0\n" + full + context,
			ours: "child: resumed 0, offered 0\n" + resumed + context,
		},
		{
			name:  "expired",
			alone: strings.ReplaceAll(full, "resumed 0", "failed") + context,
			ours:  strings.ReplaceAll(full, "resumed 0", "failed") + context,
		},
	}
	for _, name := range refusals {
		all = append(all, scenario{name: name, alone: full + context, ours: full + context})
	}
	return all
}

func (s scenario) run(t *testing.T, program harness.Program, mode harness.Mode, expected string) {
	t.Helper()
	result := program.Run(t, mode)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
	require.Equalf(t, expected, result.Stdout, "%s", mode)
}

// some are the scenarios that go different ways through our code.
var some = []string{
	"resumes", "identifiers", "step_by_step", "two_servers", "single_use", "own_session", "refused", "breaks_off",
	"many_threads", "mode_later", "forked", "other_host", "unverified", "closed_by_server", "freed", "cleared",
}

func every(string) bool { return true }

func oneOfSome(name string) bool { return slices.Contains(some, name) }

// forEachScenario runs a check for each scenario that is wanted, and each version of the protocol.
func forEachScenario(t *testing.T, wanted func(string) bool, check func(t *testing.T, s scenario, program harness.Program)) {
	t.Helper()
	for _, version := range []string{"1.2", "1.3"} {
		for _, s := range scenarios() {
			if !wanted(s.name) || s.only != "" && s.only != version {
				continue
			}
			t.Run(version+" "+s.name, func(t *testing.T) {
				t.Parallel()
				check(t, s, harness.Program{Source: "programs/scenarios.c", Args: []string{version, s.name}})
			})
		}
	}
}

func withSetting(program harness.Program) harness.Program {
	program.Env = []string{asked}
	return program
}

func TestWhatResumesAndWhatMustNot(t *testing.T) {
	forEachScenario(t, every, func(t *testing.T, s scenario, program harness.Program) {
		s.run(t, program, harness.Libssl, s.alone)
		if oneOfSome(s.name) {
			s.run(t, program, harness.Ours, s.alone)
			s.run(t, withSetting(program), harness.OursLinked, s.ours)
		}
		s.run(t, withSetting(program), harness.Ours, s.ours)
	})
}

// libssl 1.1.1 does not tell which names a connection verifies, so nothing is offered there.
func TestUnderEveryOtherLibssl(t *testing.T) {
	for _, version := range libssls.Versions {
		library := libssls.Get(t, version).Harness()
		if library.Path == "" {
			continue // the machine's own, as above
		}
		t.Run(version, func(t *testing.T) {
			forEachScenario(t, oneOfSome, func(t *testing.T, s scenario, program harness.Program) {
				program.Library = library
				expected := s.ours
				if version == "1.1.1" {
					expected = s.alone
				}
				s.run(t, withSetting(program), harness.Ours, expected)
			})
		})
	}
}

func TestNoLeakAndNoInvalidAccess(t *testing.T) {
	forEachScenario(t, oneOfSome, func(t *testing.T, s scenario, program harness.Program) {
		program.Sanitized = true
		s.run(t, withSetting(program), harness.Ours, s.ours)
	})
}

// Where a setting says that no session is found, clients find none.
func TestAModeThatFindsNothingOffersNothing(t *testing.T) {
	for _, mode := range []string{"off", "no-lookup"} {
		program := harness.Program{
			Source: "programs/scenarios.c", Args: []string{"1.3", "thread"},
			Env: []string{asked, "SSLCACHE_MODE=" + mode},
		}
		require.Equal(t, full+context, program.Run(t, harness.Ours).Stdout)
	}
}

// TestTimeOfADataConnection shows the figures with -v. That of a connection without the setting is for comparison only.
func TestTimeOfADataConnection(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		program := harness.Program{Source: "programs/scenarios.c", Args: []string{version, "timed"}}
		full, of := fastest(t, program, harness.Libssl)
		require.Zero(t, of)
		unasked, of := fastest(t, program, harness.Ours)
		require.Zero(t, of)
		resumed, of := fastest(t, withSetting(program), harness.Ours)
		require.Equal(t, 100, of)
		t.Logf("TLS %s: a data connection takes %d µs alone, %d µs under ours without the setting, %d µs with it",
			version, full, unasked, resumed)
		require.Less(t, resumed, full, "TLS %s", version)
	}
}

// fastest returns the least time of several runs, in microseconds, and how many connections resumed in it.
func fastest(t *testing.T, program harness.Program, mode harness.Mode) (least, resumed int) {
	t.Helper()
	least = math.MaxInt
	for range 3 {
		var microseconds, count int
		result := program.Run(t, mode)
		_, err := fmt.Sscanf(result.Stdout, "microseconds %d resumed %d\n", &microseconds, &count)
		require.NoError(t, err, result.Stderr)
		if microseconds < least {
			least, resumed = microseconds, count
		}
	}
	return least, resumed
}
