package apps

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// visitor is a program that is configured as a client of "openssl s_server -www", which has libssl alone.
type visitor struct {
	command harness.Command
	resumed *regexp.Regexp // what it prints of a resumed connection
	refused *regexp.Regexp // and of another
	comparison
}

func clients() []program {
	return []program{
		{name: "curl", of: "curl", variants: allVariants, quick: true, client: curl},
		{name: "Python ssl, client", of: "/usr/bin/python3", variants: allVariants, client: pythonClient},
		{name: "openssl s_client, -sess_in and -sess_out", of: "openssl", variants: allVariants, client: opensslClient},
		{name: "openssl s_client -reconnect", of: "openssl", variants: []variant{identifiers}, client: opensslReconnect},
		{name: "openssl s_time -reuse", of: "openssl", variants: allVariants, client: opensslTime},
	}
}

var (
	pageResumed = regexp.MustCompile(`(?m)^Reused, `)
	pageRefused = regexp.MustCompile(`(?m)^New, `)
)

// visit runs a client and counts what the server told it.
func visit(s *site, configured visitor) (outcome, comparison) {
	s.t.Helper()
	server := harness.Command{
		Path: "/usr/bin/openssl",
		Args: []string{
			"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", s.port), "-cert", s.certificate, "-key", s.key,
			"-www", s.variant.choose("-quiet", "-no_ticket"),
		},
	}.Start(s.t, s.port)
	r := &run{t: s.t, site: s, service: service{command: configured.command}}
	// While the server sleeps the client waits for it, and one can look at what it has loaded.
	require.NoError(s.t, syscall.Kill(server.Pid, syscall.SIGSTOP))
	r.launch()
	r.waitUntil("it has libssl", func() bool { r.inspect(); return len(r.seen.with)+len(r.seen.without) > 0 })
	require.NoError(s.t, syscall.Kill(server.Pid, syscall.SIGCONT))
	r.end()
	server.Stop(syscall.SIGTERM)
	r.seen.log = normalise(r.server.Stderr(), s, true)
	r.seen.resumed = len(configured.resumed.FindAllString(r.server.Stdout(), -1))
	r.seen.refused = len(configured.refused.FindAllString(r.server.Stdout(), -1))
	if !configured.timed {
		r.seen.failed = s.connections - r.seen.connections()
	}
	return r.seen, configured.comparison
}

// curl keeps sessions itself, for the transfers of one command.
func curl(s *site) visitor {
	return visitor{
		command: harness.Command{Path: "/usr/bin/curl", Args: []string{
			"--silent", "--show-error", "--max-time", "60", "--cacert", s.certificate,
			"--tlsv" + s.variant.version, "--tls-max", s.variant.version,
			fmt.Sprintf("https://127.0.0.1:%d/[1-%d]", s.port, s.connections),
		}},
		resumed: pageResumed, refused: pageRefused,
	}
}

func pythonClient(s *site) visitor {
	script := s.script("/usr/bin/python3", "client.py").command
	script.Args = []string{script.Args[0], fmt.Sprint(s.port), s.certificate, s.variant.version, fmt.Sprint(s.connections)}
	return visitor{command: script, resumed: pageResumed, refused: pageRefused}
}

// shell runs a command so many times.
func (s *site) shell(times int, command string) harness.Command {
	script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do %s; i=$((i + 1)); done", times, command)
	return harness.Command{Path: "/bin/sh", Args: []string{"-c", s.fill(script,
		"{version}", "-tls"+strings.ReplaceAll(s.variant.version, ".", "_"))}}
}

// opensslClient hands its session from process to process in a file.
func opensslClient(s *site) visitor {
	const command = `
{ printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:{port} {version} -quiet -ign_eof \
    -CAfile {certificate} -sess_out {folder}/session $offer; offer='-sess_in {folder}/session'; } 2>&1`
	return visitor{command: s.shell(s.connections, command), resumed: pageResumed, refused: pageRefused}
}

// opensslReconnect connects once and five times more with the same session. In TLS 1.3 it does not
// wait for a ticket, so that chance would decide.
func opensslReconnect(s *site) visitor {
	const once = 6
	s.connections -= s.connections % once
	const command = "openssl s_client -connect 127.0.0.1:{port} {version} -reconnect -CAfile {certificate} </dev/null 2>/dev/null"
	return visitor{command: s.shell(s.connections/once, command), resumed: pageResumed, refused: pageRefused}
}

// opensslTime prints a letter for each connection: r for a resumed one, * for another.
func opensslTime(s *site) visitor {
	const command = "openssl s_time -connect 127.0.0.1:{port} {version} -reuse -time 1 -www / | sed -n '/^[r*]*$/p'"
	return visitor{
		command: s.shell(1, command), resumed: regexp.MustCompile("r"), refused: regexp.MustCompile(`\*`),
		comparison: comparison{timed: true},
	}
}
