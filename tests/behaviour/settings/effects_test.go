package settings

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// all are settings that change what is done; the program reads none of it.
var all = []string{
	"SSLCACHE_SIZE=3", "SSLCACHE_TIMEOUT=99", "SSLCACHE_MODE=on", "SSLCACHE_MODE=off",
	"SSLCACHE_MODE=no-lookup", "SSLCACHE_TICKETS=off",
}

func TestTheProgramReadsWhatItSetItself(t *testing.T) {
	for _, version := range libssls.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			readback := program("readback")
			readback.Library = libssls.Get(t, version).Harness()
			alone := readback.Run(t, harness.Libssl)
			require.Contains(t, alone.Stdout, "both have it: context 1 connection 1")
			for _, setting := range all {
				readback.Env = []string{setting}
				ours := readback.Run(t, harness.Ours)
				require.Empty(t, ours.Stderr)
				require.Equal(t, alone.Stdout, ours.Stdout, setting)
			}
		})
	}
}

func TestNothingLeaks(t *testing.T) {
	readback := program("readback")
	readback.Sanitized = true
	readback.Env = all
	require.Empty(t, readback.Run(t, harness.Ours).Stderr)
}

const (
	tls12 = 0x303
	tls13 = 0x304
	off   = 0
	on    = 2
)

// effects runs the server and gives what it printed, by the beginning of the line.
func effects(t *testing.T, setting string, version, mode int, tickets bool) map[string]string {
	t.Helper()
	effects := program("effects")
	effects.Env = []string{setting}
	effects.Args = []string{strconv.Itoa(version), strconv.Itoa(mode), "0"}
	if tickets {
		effects.Args[2] = "1"
	}
	result := effects.Run(t, harness.Ours)
	require.Zero(t, result.Exit)
	require.Empty(t, result.Stderr)
	lines := map[string]string{}
	for line := range strings.Lines(result.Stdout) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		lines[name] = rest
	}
	return lines
}

const (
	full    = "done 1 resumed 0 0 hello 1"
	resumed = "done 1 resumed 1 1 hello 1"
	none    = "SSLCACHE_VERBOSE=0"
)

func TestTicketsOff(t *testing.T) {
	for _, version := range []int{tls12, tls13} {
		tickets := effects(t, none, version, on, true)
		require.Equal(t, resumed, tickets["second"])
		require.Contains(t, tickets, "held 0")

		cached := effects(t, "SSLCACHE_TICKETS=off", version, on, true)
		require.Equal(t, resumed, cached["second"])
		require.NotContains(t, cached, "held 0")
		require.NotContains(t, cached, "timeout 4321 ticket of some")

		require.Equal(t, "0", tickets["stored after the option was cleared"])
		require.Equal(t, "1", cached["stored after the option was cleared"])

		nowhere := effects(t, "SSLCACHE_TICKETS=off", version, off, true)
		require.Equal(t, full, nowhere["second"], "without tickets and without cache there is no resumption")
	}
}

func TestModes(t *testing.T) {
	for _, version := range []int{tls12, tls13} {
		program := effects(t, none, version, on, false)
		require.Equal(t, resumed, program["second"])
		require.Equal(t, resumed, program["out of it"])
		require.NotContains(t, program, "held 0")
		require.Equal(t, full, effects(t, none, version, off, false)["second"])

		forced := effects(t, "SSLCACHE_MODE=on", version, off, false)
		require.Equal(t, resumed, forced["second"])
		require.NotContains(t, forced, "held 0")

		nothing := effects(t, "SSLCACHE_MODE=off", version, on, false)
		require.Equal(t, full, nothing["second"])
		require.Equal(t, full, nothing["out of it"])
		require.Contains(t, nothing, "held 0")
		require.Equal(t, "0, found: 0", nothing["kept outside"])

		blind := effects(t, "SSLCACHE_MODE=no-lookup", version, on, false)
		require.Equal(t, full, blind["second"])
		require.NotContains(t, blind, "held 0", "sessions are stored")
		require.Equal(t, resumed, blind["out of it"], "the program's own look-up is its own")
	}
}

func TestTimeout(t *testing.T) {
	for _, version := range []int{tls12, tls13} {
		lines := effects(t, "SSLCACHE_TIMEOUT=50", version, on, false)
		require.Contains(t, strings.Join(keys(lines), "\n"), "timeout 50 ticket")
		require.Equal(t, "50", lines["timeout of an added session"])
		require.Equal(t, "50", lines["and set again"])
	}
}

func TestSizeIsTheNumberOfSessions(t *testing.T) {
	for _, version := range libssls.Versions {
		effects := program("effects")
		effects.Library = libssls.Get(t, version).Harness()
		effects.Args = []string{strconv.Itoa(tls12), strconv.Itoa(on), "0"}
		for size, held := range map[string]string{"0": "10", "1": "1", "2": "2", "4": "4", "11": "10"} {
			effects.Env = []string{"SSLCACHE_SIZE=" + size}
			require.Contains(t, effects.Run(t, harness.Ours).Stdout, "of ten sessions: "+held+"\n", size)
		}
	}
}

func keys(lines map[string]string) (names []string) {
	for name := range lines {
		names = append(names, name)
	}
	return names
}
