package ftp

import (
	"fmt"
	"strings"

	"libsslcache/tests/harness"
)

// client is a program of Debian that speaks FTP over TLS.
type client struct {
	name     string
	packages string // whose version the table shows
	modes    []string
	command  func(*site, job) harness.Command
	// ownSessions says that it offers the session of the control connection itself.
	ownSessions bool
	// large says that the file is a large one.
	large bool
}

// job is what a client does: lists, then a file there and back if there is one.
type job struct {
	version string // 1.2 or 1.3
	lists   int
	file    string
	mode    string // passive (PASV), extended (EPSV), active (PORT)
}

var clients = []client{
	{
		name: "Python ftplib", packages: "python3", modes: []string{"passive", "extended", "active"},
		command: script("/usr/bin/python3", "client.py"), large: true,
	},
	{
		name: "Python ftplib, nothing verified", packages: "python3", modes: []string{"passive"},
		command: script("/usr/bin/python3", "client.py", "unverified"),
	},
	// Its active mode waits for ever at vsftpd and ProFTPD, without us too.
	{name: "curl", packages: "curl", modes: []string{"passive", "extended"}, command: curl, ownSessions: true},
	{
		name: "PHP ftp_ssl_connect", packages: "php-cli", modes: []string{"passive", "active"},
		command: script("/usr/bin/php", "client.php"), ownSessions: true,
	},
	{
		name: "Ruby Net::FTP", packages: "ruby", modes: []string{"passive", "active"},
		command: script("/usr/bin/ruby", "client.rb"), ownSessions: true,
	},
	{
		name: "Perl Net::FTP", packages: "libio-socket-ssl-perl", modes: []string{"passive", "active"},
		command: script("/usr/bin/perl", "client.pl"), ownSessions: true,
	},
	{name: "lftp (GnuTLS)", packages: "lftp", modes: []string{"passive"}, command: lftp, ownSessions: true},
}

// configuration keeps to one version of the protocol clients that can't be told.
const configuration = `openssl_conf = start
[start]
ssl_conf = modules
[modules]
system_default = protocol
[protocol]
MinProtocol = TLSv{version}
MaxProtocol = TLSv{version}
`

func (s *site) environment(j job) []string {
	path := s.write("openssl.cnf", strings.ReplaceAll(configuration, "{version}", j.version))
	return []string{"OPENSSL_CONF=" + path, "FTP_USER=" + s.user}
}

func script(interpreter, name string, more ...string) func(*site, job) harness.Command {
	return func(s *site, j job) harness.Command {
		arguments := []string{
			"scripts/" + name, fmt.Sprint(s.port), s.certificate, j.version, fmt.Sprint(j.lists), j.file, j.mode,
		}
		return harness.Command{Path: interpreter, Args: append(arguments, more...), Env: s.environment(j)}
	}
}

func curl(s *site, j job) harness.Command {
	base := fmt.Sprintf("ftp://localhost:%d/", s.port)
	common := []string{
		"--silent", "--show-error", "--fail", "--ssl-reqd", "--ipv4", "--cacert", s.certificate,
		"--user", s.user + ":tester", "--max-time", "60", "--tlsv" + j.version, "--tls-max", j.version,
	}
	if j.mode == "passive" {
		common = append(common, "--disable-epsv")
	}
	var arguments []string
	transfer := func(more ...string) {
		if len(arguments) > 0 {
			arguments = append(arguments, "--next")
		}
		arguments = append(append(arguments, common...), more...)
	}
	for range j.lists {
		transfer("--list-only", base)
	}
	if j.file != "" {
		transfer("--upload-file", j.file, base+"up/stored")
		transfer("--output", s.path("back"), base+"up/stored")
	}
	arguments = append(arguments, "--fail-early")
	return harness.Command{Path: "/usr/bin/curl", Args: arguments, Env: s.environment(j)}
}

func lftp(s *site, j job) harness.Command {
	commands := []string{
		"set net:max-retries 1", "set xfer:clobber true", "set net:timeout 20", "set cmd:fail-exit true", "set ftp:ssl-force true",
		"set ftp:ssl-protect-data true", "set ftp:ssl-protect-list true", "set ssl:ca-file " + s.certificate,
		fmt.Sprintf("set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS%s", j.version),
		fmt.Sprintf("open -u %s,tester -p %d ftp://localhost", s.user, s.port),
	}
	for range j.lists {
		commands = append(commands, "recls -1")
	}
	if j.file != "" {
		commands = append(commands, "put "+j.file+" -o up/stored", "get up/stored -o "+s.path("back"), "rm up/stored")
	}
	return harness.Command{Path: "/usr/bin/lftp", Args: []string{"-c", strings.Join(commands, "; ")}, Env: s.environment(j)}
}
