// Package fault makes the cache fail on purpose, again and again in the same way.
package fault

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

const (
	tls12  = 0x303
	tls13  = 0x304
	rounds = 60
)

// run returns what a program saw: adds and visits as letters, see programs/faults.c.
func run(t *testing.T, version int, environment ...string) (adds, visits, output string) {
	t.Helper()
	result := faults(version, environment...).Run(t, harness.Ours)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
	return after(result.Stdout, "adds: "), after(result.Stdout, "visits: "), result.Stdout
}

func faults(version int, environment ...string) harness.Program {
	return harness.Program{
		Source: filepath.Join("programs", "faults.c"),
		Args:   []string{strconv.Itoa(version), "0"}, Env: environment,
	}
}

func after(output, title string) string {
	_, rest, _ := strings.Cut(output, title)
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

func each(t *testing.T, check func(t *testing.T, version int)) {
	t.Helper()
	for _, version := range []int{tls12, tls13} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			t.Parallel()
			check(t, version)
		})
	}
}

var (
	added   = strings.Repeat("A", rounds)
	refused = strings.Repeat("r", rounds)
	full    = strings.Repeat("f", rounds)
	resumed = "f" + strings.Repeat("R", rounds-1)
)

func TestWithoutFaultNothingFails(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		adds, visits, output := run(t, version, "SSLCACHE_FAULT=add=fail:0,lookup=miss:0", "SSLCACHE_SEED=5")
		require.Equal(t, added, adds)
		require.Equal(t, resumed, visits)
		alone := faults(version).Run(t, harness.Libssl)
		require.Equal(t, alone.Stdout, output)
	})
}

func TestAddFails(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		adds, visits, output := run(t, version, "SSLCACHE_FAULT=add=fail")
		require.Equal(t, refused, adds)
		require.Equal(t, full, visits)
		require.NotContains(t, output, "some", "no reference is lost, no error left behind")

		adds, _, _ = run(t, version, "SSLCACHE_FAULT=add=fail:1/3")
		require.Equal(t, strings.Repeat("AAr", rounds/3), adds)
	})
}

func TestLookupMisses(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		adds, visits, output := run(t, version, "SSLCACHE_FAULT=lookup=miss")
		require.Equal(t, added, adds)
		require.Equal(t, full, visits)
		require.Contains(t, output, "hits 0 misses "+map[int]string{tls12: "60", tls13: "59"}[version]+" timeouts 0")

		_, visits, _ = run(t, version, "SSLCACHE_FAULT=lookup=miss:0.3")
		require.Contains(t, visits, "R")
		require.Contains(t, visits[1:], "f")
	})
}

func TestLookupIsSlow(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		_, visits, _ := run(t, version, "SSLCACHE_FAULT=lookup=slow:1ms")
		require.Equal(t, resumed, visits, "late, but found")
	})
}

// libssl counts and removes the session as one that has expired: in TLS 1.3 it stays inside.
func TestLookupFindsWhatHasExpired(t *testing.T) {
	removed := map[int]string{tls12: "held 1 removed 14", tls13: "held 75 removed 0"}
	for _, libssl := range libssls.Versions {
		t.Run(libssl, func(t *testing.T) {
			each(t, func(t *testing.T, version int) {
				program := faults(version, "SSLCACHE_FAULT=expire=now:1/4")
				program.Library = libssls.Get(t, libssl).Harness()
				result := program.Run(t, harness.Ours)
				require.Equal(t, strings.Repeat("fRRR", rounds/4), after(result.Stdout, "visits: "))
				require.Contains(t, result.Stdout, "hits 45 ")
				require.Contains(t, result.Stdout, "timeouts 14 ")
				require.Contains(t, result.Stdout, removed[version])
			})
		})
	}
}

func TestRandomEviction(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		_, _, output := run(t, version, "SSLCACHE_FAULT=evict=random")
		require.Contains(t, output, "held 1 full 59 ", "all but the newcomer went, with their callback and counter")

		_, _, output = run(t, version, "SSLCACHE_FAULT=evict=random:0.2")
		require.Regexp(t, `added: removed( s\d+){5,25} freed( s\d+){5,25} held`, output)
	})
}

func TestTheSameSeedFailsInTheSameWay(t *testing.T) {
	each(t, func(t *testing.T, version int) {
		all := "SSLCACHE_FAULT=add=fail:0.2,lookup=miss:0.2,expire=now:0.1,evict=random:0.2"
		_, _, first := run(t, version, all, "SSLCACHE_SEED=17")
		_, _, again := run(t, version, all, "SSLCACHE_SEED=17")
		_, _, other := run(t, version, all, "SSLCACHE_SEED=18")
		require.Equal(t, first, again)
		require.NotEqual(t, first, other)
	})
}

// One fault more, or one asked more often, leaves the others as they are.
func TestFaultsDoNotDisturbOneAnother(t *testing.T) {
	alone, _, _ := run(t, tls12, "SSLCACHE_FAULT=add=fail:0.3")
	together, _, _ := run(t, tls12, "SSLCACHE_FAULT=add=fail:0.3,lookup=miss:0.5,evict=random:0.5")
	require.Contains(t, alone, "r")
	require.Equal(t, alone, together)
}

func TestForkedChildrenHaveStreamsOfTheirOwn(t *testing.T) {
	program := faults(tls12, "SSLCACHE_FAULT=add=fail:0.3,lookup=miss:0.3")
	program.Args[1] = "1"
	first, again := program.Run(t, harness.Ours).Stdout, program.Run(t, harness.Ours).Stdout
	require.Equal(t, first, again)
	streams := map[string]bool{}
	for line := range strings.Lines(first) {
		if strings.HasPrefix(line, "adds: ") {
			streams[line] = true
		}
	}
	require.Len(t, streams, 3)
}

func TestNothingLeaksWhereThingsFail(t *testing.T) {
	program := faults(tls13, "SSLCACHE_FAULT=add=fail:0.3,lookup=miss:0.2,expire=now:0.2,evict=random:0.3,lookup=slow:1us")
	program.Sanitized = true
	result := program.Run(t, harness.Ours)
	require.Empty(t, result.Stderr)
	require.Zero(t, result.Exit)
}
