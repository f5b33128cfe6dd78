package apps

import (
	"syscall"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// telephony gives libcrypto memory that its processes share: one of them makes an SSL, and another may
// free it.
func telephony() []program {
	return []program{
		{name: "Kamailio, by name, memory shared by processes", of: "kamailio", variants: allVariants, server: kamailio},
	}
}

const kamailioConfiguration = `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
listen=tls:127.0.0.1:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "ctl.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("tls", "session_cache", 1)
modparam("tls", "session_id", "sessions")
modparam("ctl", "binrpc", "unix:{folder}/control")
request_route {
    set_reply_close();
    set_reply_no_connect();
    sl_send_reply("200", "OK");
}
`

const kamailioDomains = `
[server:default]
method = TLSv1.2+
certificate = {certificate}
private_key = {key}
[server:127.0.0.1:{port}]
method = TLSv1.2+
server_name = localhost
certificate = {certificate}
private_key = {key}
`

const sipRequest = "OPTIONS sip:a@localhost SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK1\r\n" +
	"From: <sip:b@localhost>;tag=1\r\nTo: <sip:a@localhost>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n" +
	"Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n"

// kamailio closes each connection after its answer.
func kamailio(s *site) service {
	s.write("tls.cfg", s.fill(kamailioDomains))
	configuration := s.write("kamailio.cfg", s.fill(kamailioConfiguration))
	command := harness.Command{Path: "/usr/sbin/kamailio", Args: []string{
		"-DD", "-E", "-f", configuration, "-Y", s.folder, "-m", "64", "-M", "8",
	}}
	if !s.variant.tickets {
		command.Env = append(command.Env, "OPENSSL_CONF="+s.write("openssl.cnf", withoutTickets))
	}
	return service{
		command:  command,
		startTLS: "name",
		request:  sipRequest,
		reload: func(r *run) {
			reload := harness.Command{Path: "/usr/sbin/kamcmd", Args: []string{"-s", "unix:" + s.path("control"), "tls.reload"}}
			result := reload.Run(r.t)
			require.Containsf(r.t, result.Stdout, "TLS configuration reloaded", "%s", result.Stderr)
		},
		stop:   syscall.SIGTERM,
		chance: "receive_fd(): EOF on", // whether a child sees that another has ended first
		// Each of its processes has contexts, and chance decides which of them serves.
		comparison: comparison{byChance: !s.variant.tickets},
	}
}
