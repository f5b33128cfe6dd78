// Package settings shows that what the user asks for with SSLCACHE_... variables is understood, done, and
// hidden from the program.
package settings

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func program(name string) harness.Program {
	return harness.Program{Source: filepath.Join("programs", name+".c")}
}

func parsed(t *testing.T, environment ...string) string {
	t.Helper()
	parser := program("parsed")
	parser.Env = environment
	result := parser.Run(t, harness.Libssl)
	require.Zero(t, result.Exit)
	require.Empty(t, result.Stderr)
	return result.Stdout
}

const nothingAsked = `disable 0 verbose 0 live 0 report '' trace '' folder ''
size -1 timeout 0 mode 0 tickets 0 client 0 seed 1
faulty 0
`

func TestNothingAsked(t *testing.T) {
	require.Equal(t, nothingAsked, parsed(t))
	require.Equal(t, nothingAsked, parsed(t, "SSLCACHE_SIZE=", "SSLCACHE_MODE=", "SSLCACHE_FAULT=", "SSLCACHE_DISABLE="))
}

func TestEverySettingIsUnderstood(t *testing.T) {
	require.Equal(t, `disable 1 verbose 1 live 1 report 'r' trace '/t' folder '/run/x'
size 0 timeout 7200 mode 3 tickets 1 client 1 seed 18446744073709551615
add=fail every 1 billionths 0 delay 0
lookup=miss every 0 billionths 100000000 delay 0
lookup=slow every 3 billionths 0 delay 50000000
expire=now every 0 billionths 1000000000 delay 0
evict=random every 0 billionths 1 delay 0
faulty 1
`, parsed(t,
		"SSLCACHE_DISABLE=1", "SSLCACHE_VERBOSE=1", "SSLCACHE_LIVE=1", "SSLCACHE_REPORT=r", "SSLCACHE_TRACE=/t",
		"SSLCACHE_RUN_FOLDER=/run/x", "SSLCACHE_SIZE=0", "SSLCACHE_TIMEOUT=2h", "SSLCACHE_MODE=no-lookup",
		"SSLCACHE_TICKETS=off", "SSLCACHE_CORE=cgo", "SSLCACHE_CLIENT=ftp", "SSLCACHE_SEED=18446744073709551615",
		"SSLCACHE_FAULT=lookup=miss:0.1,add=fail,evict=random:0.000000001,lookup=slow:50ms:1/3,expire=now:1.0"))
	for value, seconds := range map[string]string{"300": "300", "7s": "7", "5m": "300", "3000ms": "3", "2147483647": "2147483647"} {
		require.Contains(t, parsed(t, "SSLCACHE_TIMEOUT="+value), "timeout "+seconds+" ")
	}
	for value, delay := range map[string]string{"2": "2000000000", "50ms": "50000000", "7us": "7000", "1m": "60000000000"} {
		require.Contains(t, parsed(t, "SSLCACHE_FAULT=lookup=slow:"+value), "delay "+delay+"\n")
	}
}

// senseless are settings that are refused, and what the one line says of them.
var senseless = map[string]string{
	"SSLCACHE_SIZE=x":                                 "SSLCACHE_SIZE is a number of sessions, 0 for no limit, not 'x'",
	"SSLCACHE_SIZE=-1":                                "not '-1'",
	"SSLCACHE_SIZE=9223372036854775807":               "not '9223372036854775807'",
	"SSLCACHE_SIZE=18446744073709551617":              "not '18446744073709551617'",
	"SSLCACHE_TIMEOUT=0":                              "SSLCACHE_TIMEOUT is a time of whole seconds above 0",
	"SSLCACHE_TIMEOUT=1ms":                            "not '1ms'",
	"SSLCACHE_TIMEOUT=5 m":                            "not '5 m'",
	"SSLCACHE_TIMEOUT=2147483648":                     "not '2147483648'",
	"SSLCACHE_TIMEOUT=99999999999999h":                "not '99999999999999h'",
	"SSLCACHE_MODE=maybe":                             "SSLCACHE_MODE is program, on, off or no-lookup, not 'maybe'",
	"SSLCACHE_MODE=a\nb\x1b":                          "not 'a?b?'",
	"SSLCACHE_CORE=go":                                "SSLCACHE_CORE is direct or cgo, not 'go'",
	"SSLCACHE_CLIENT=on":                              "SSLCACHE_CLIENT is off or ftp, not 'on'",
	"SSLCACHE_TICKETS=on":                             "SSLCACHE_TICKETS is program, off, shared, shared!, shared13 or shared13!, not 'on'",
	"SSLCACHE_TICKET_EPOCH=1ms":                       "SSLCACHE_TICKET_EPOCH is a time of whole seconds above 0",
	"SSLCACHE_DISABLE=yes":                            "SSLCACHE_DISABLE is 0 or 1, not 'yes'",
	"SSLCACHE_VERBOSE=2":                              "SSLCACHE_VERBOSE is 0 or 1",
	"SSLCACHE_LIVE=11":                                "SSLCACHE_LIVE is 0 or 1",
	"SSLCACHE_RUN_FOLDER=run":                         "SSLCACHE_RUN_FOLDER is a path that begins with /, not 'run'",
	"SSLCACHE_SEED=1.5":                               "SSLCACHE_SEED is a number from 0 to 18446744073709551615, not '1.5'",
	"SSLCACHE_SEED=18446744073709551616":              "not '18446744073709551616'",
	"SSLCACHE_FAULT=add":                              "SSLCACHE_FAULT is add=fail, lookup=miss, lookup=slow:DURATION, expire=now, evict=random or store=kill, not 'add'",
	"SSLCACHE_FAULT=add=fail,":                        "not ''",
	"SSLCACHE_FAULT=add=fail,add=fail:0.1":            "has each fault once, not 'add=fail:0.1'",
	"SSLCACHE_FAULT=lookup=slow":                      "has a time behind lookup=slow, such as lookup=slow:50ms",
	"SSLCACHE_FAULT=lookup=slow:0.1":                  "not 'lookup=slow:0.1'",
	"SSLCACHE_FAULT=lookup=miss:1.1":                  "has a probability from 0 to 1 or a fraction 1/N at the end",
	"SSLCACHE_FAULT=lookup=miss:":                     "not 'lookup=miss:'",
	"SSLCACHE_FAULT=lookup=miss:1/0":                  "not 'lookup=miss:1/0'",
	"SSLCACHE_FAULT=lookup=miss:2/3":                  "not 'lookup=miss:2/3'",
	"SSLCACHE_FAULT=lookup=miss:0.1:0.1":              "not 'lookup=miss:0.1:0.1'",
	"SSLCACHE_TRACE=" + strings.Repeat("x", 4096):     "SSLCACHE_TRACE is longer than the 4095 bytes that can be used",
	"SSLCACHE_RUN_FOLDER=/" + strings.Repeat("x", 90): "SSLCACHE_RUN_FOLDER is longer than the 90 bytes that can be used",
	"SSLCACHE_MODE=" + strings.Repeat("y", 99):        "not '" + strings.Repeat("y", 60) + "...'",
}

func TestSenselessSettingsAreRefusedInOneLine(t *testing.T) {
	for setting, line := range senseless {
		output := parsed(t, setting)
		require.Contains(t, output, line)
		require.Equal(t, 1, strings.Count(output, "\n"), output)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	parser := program("parsed")
	for name, line := range map[string]string{
		"SSLCACHE_SIZ=3":      "SSLCACHE_SIZ is not a setting; did you mean SSLCACHE_SIZE?\n",
		"SSLCACHE_DISABLED":   "SSLCACHE_DISABLED is not a setting; did you mean SSLCACHE_DISABLE?\n",
		"SSLCACHE_COLOUR=red": "SSLCACHE_COLOUR is not a setting\n",
		"SSLCACHE_=":          "SSLCACHE_ is not a setting\n",
		"SSLCACHE_SIZE=3":     nothingAsked,
		"SSLCACH=3":           nothingAsked,
	} {
		parser.Args = []string{name}
		require.Equal(t, line, parser.Run(t, harness.Libssl).Stdout, name)
	}
}

// A program with a senseless setting is told so in one line and runs as without the library.
func TestTheLibraryLeavesTheProgramUntouched(t *testing.T) {
	visits := harness.Program{Source: filepath.Join("..", "takeover", "programs", "who_serves.c")}
	alone := visits.Run(t, harness.Libssl)
	require.Contains(t, alone.Stdout, "held 1, by libssl 1")
	for _, setting := range []string{"SSLCACHE_SIZE=many", "SSLCACHE_SIZ=3"} {
		visits.Env = []string{setting}
		for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
			result := visits.Run(t, mode)
			require.Equal(t, alone.Stdout, result.Stdout)
			require.Equal(t, alone.Exit, result.Exit)
			require.Regexp(t, `^sslcache: `+strings.SplitN(setting, "=", 2)[0]+` is [^\n]*: the program runs untouched\n$`, result.Stderr)
		}
	}
}
