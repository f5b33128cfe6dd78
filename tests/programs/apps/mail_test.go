package apps

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func mailAndDatabases() []program {
	return []program{
		{name: "Postfix, chroot", of: "postfix", variants: allVariants, server: postfix},
		{name: "Dovecot, chroot, process per connection", of: "dovecot-core", variants: allVariants, server: dovecot(1)},
		{name: "Dovecot, chroot, one process", of: "dovecot-core", variants: allVariants, server: dovecot(0)},
		{name: "PostgreSQL, fork per connection", of: postgresqlPrograms + "postgres", variants: []variant{identifiers, stateful}, quick: true, server: postgresql},
		{name: "Redis", of: "redis-server", variants: allVariants, server: redis},
	}
}

const postfixMain = `
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = localhost
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {folder}/data/postfix.log
maillog_file_prefixes = {folder}
import_environment = {environment}
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_session_cache_database = btree:{folder}/data/sessions
smtpd_tls_loglevel = 1
tls_ssl_options = {tickets}
smtpd_client_connection_rate_limit = 0
`

const postfixMaster = `
127.0.0.1:{port} inet n - y - - smtpd
pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - y 1000? 1 tlsmgr
rewrite unix - - y - - trivial-rewrite
anvil unix - - y - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
`

func postfix(s *site) service {
	s.jail("spool", "root")
	s.makeFolder("data", "postfix")
	s.makeFolder("configuration", "root")
	// Postfix passes to its daemons only what it is told to.
	environment := "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LIBSSLCACHE_TEST " +
		strings.Join(s.environment, " ")
	s.write("configuration/main.cf", s.fill(postfixMain,
		"{environment}", environment, "{tickets}", s.variant.choose("", "NO_TICKET")))
	s.write("configuration/master.cf", s.fill(postfixMaster))
	// It makes the folders of the spool, and says what it does not like.
	check := harness.Command{Path: "/usr/sbin/postfix", Args: []string{"-c", s.path("configuration"), "check"}}
	require.Zero(s.t, check.Run(s.t).Exit)
	log := s.path("data", "postfix.log")
	return service{
		command: harness.Command{
			Path: "/usr/lib/postfix/sbin/master", Args: []string{"-c", s.path("configuration"), "-d"},
			Env: []string{"MAIL_LOGTAG=postfix"},
		},
		startTLS: "smtp",
		request:  "QUIT\r\n",
		logs:     []string{log},
		reload: func(r *run) {
			r.signal(syscall.SIGHUP)
			r.waitForLog(log, "reload -- version", 1)
		},
		stop: syscall.SIGTERM,
	}
}

const dovecotConfiguration = `
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
import_environment = TZ LIBSSLCACHE_TEST {environment}
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
ssl_options = {tickets}
disable_plaintext_auth = yes
passdb {
  driver = static
  args = password=unused
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service imap-login {
  chroot = login
  service_count = {count}
  process_min_avail = 1
  process_limit = {limit}
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }
}
`

// dovecot serves so many connections with a process; 0 is all of them with one. Its login process
// limits itself to no thread and little memory.
func dovecot(connections int) func(*site) service {
	return func(s *site) service {
		limit := 8
		if connections == 0 {
			limit = 1
		}
		s.makeFolder("run", "root")
		s.jail("run/login", "root")
		configuration := s.write("dovecot.conf", s.fill(dovecotConfiguration,
			"{environment}", strings.Join(s.environment, " "), "{count}", fmt.Sprint(connections),
			"{limit}", fmt.Sprint(limit), "{tickets}", s.variant.choose("", "no_ticket")))
		return service{
			command: harness.Command{Path: "/usr/sbin/dovecot", Args: []string{"-F", "-c", configuration}},
			request: "a LOGOUT\r\n",
			reload: func(r *run) {
				r.signal(syscall.SIGHUP)
				r.waitForOutput("SIGHUP received - reloading configuration", 1)
			},
			stop:       syscall.SIGTERM,
			comparison: comparison{stored: !s.variant.tickets},
		}
	}
}

const postgresqlConfiguration = `
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}/data'
fsync = off
ssl = on
ssl_cert_file = '{certificate}'
ssl_key_file = '{key}'
ssl_min_protocol_version = 'TLSv1.2'
log_connections = on
`

// postgresqlPrograms is the folder of the programs, which has the number of a version in its name.
const postgresqlPrograms = "/usr/lib/postgresql/*/bin/"

func postgresql(s *site) service {
	data := s.makeFolder("data", "postgres")
	require.NoError(s.t, syscall.Chmod(data, 0o700))
	s.give(s.key, "postgres")
	programs := filepath.Dir(newest(s.t, postgresqlPrograms+"postgres")) + "/"
	initialise := harness.Command{
		Path: programs + "initdb", Args: []string{"--no-sync", "--auth=trust", "--no-locale", "-D", data},
	}
	require.Zero(s.t, asUser("postgres", initialise).Run(s.t).Exit)
	s.write("data/postgresql.conf", s.fill(postgresqlConfiguration))
	return service{
		command:  asUser("postgres", harness.Command{Path: programs + "postgres", Args: []string{"-D", data}}),
		startTLS: "postgres",
		request:  postgresqlRequest("postgres"),
		ready:    "database system is ready to accept connections",
		reload: func(r *run) {
			r.signal(syscall.SIGHUP)
			r.waitForOutput("received SIGHUP, reloading configuration files", 1)
		},
		stop: syscall.SIGINT,
	}
}

// postgresqlRequest is the start of a session of the user, and its end.
func postgresqlRequest(user string) string {
	parameters := "user\x00" + user + "\x00database\x00postgres\x00\x00"
	length := 8 + len(parameters)
	return string([]byte{0, 0, byte(length >> 8), byte(length), 0, 3, 0, 0}) + parameters + "X\x00\x00\x00\x04"
}

const redisConfiguration = `
bind 127.0.0.1
port 0
tls-port {port}
tls-cert-file {certificate}
tls-key-file {key}
tls-ca-cert-file {certificate}
tls-auth-clients no
tls-session-caching yes
dir {folder}
logfile {folder}/redis.log
save ""
`

// redis has no option for tickets: OpenSSL's own configuration turns them off for every context.
const withoutTickets = `
openssl_conf = all
[all]
ssl_conf = contexts
[contexts]
system_default = every
[every]
Options = -SessionTicket
`

// Redis makes its context anew when a setting of it changes, and forks to save.
func redis(s *site) service {
	configuration := s.write("redis.conf", s.fill(redisConfiguration))
	command := harness.Command{Path: "/usr/bin/redis-server", Args: []string{configuration}}
	if !s.variant.tickets {
		command.Env = append(command.Env, "OPENSSL_CONF="+s.write("openssl.cnf", withoutTickets))
	}
	log := s.path("redis.log")
	return service{
		command: command,
		request: "PING\r\nQUIT\r\n",
		logs:    []string{log},
		reload: func(r *run) {
			r.ask("CONFIG SET tls-session-cache-timeout 600\r\nBGSAVE\r\nQUIT\r\n")
			r.waitForLog(log, "Background saving terminated with success", 1)
		},
		stop: syscall.SIGTERM,
	}
}
