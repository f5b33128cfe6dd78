package apps

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"libsslcache/tests/harness"
)

func webServers() []program {
	return []program{
		{name: "nginx, builtin cache, 1 worker", of: "nginx", variants: allVariants, quick: true, server: nginx("builtin", 1)},
		{name: "nginx, builtin cache, 2 workers", of: "nginx", variants: allVariants, server: nginx("builtin", 2)},
		{name: "nginx, shared cache, 2 workers", of: "nginx", variants: allVariants, server: nginx("shared:sessions:1m", 2)},
		{name: "nginx, no cache, 2 workers", of: "nginx", variants: allVariants, server: nginx("none", 2)},
		{name: "Apache event, SSLSessionCache none", of: "apache2", variants: allVariants, server: apache("event", "none")},
		{name: "Apache event, SSLSessionCache shmcb", of: "apache2", variants: allVariants, server: apache("event", "shmcb")},
		{name: "Apache prefork, SSLSessionCache none", of: "apache2", variants: allVariants, server: apache("prefork", "none")},
		{name: "Apache prefork, SSLSessionCache shmcb", of: "apache2", variants: allVariants, server: apache("prefork", "shmcb")},
		{name: "HAProxy, chroot", of: "haproxy", variants: allVariants, server: haproxy},
		{name: "stunnel", of: "stunnel4", variants: allVariants, server: stunnel},
		{name: "stunnel, chroot", of: "stunnel4", variants: allVariants, server: stunnelChroot},
		{name: "lighttpd", of: "lighttpd", variants: allVariants, server: lighttpd},
		{name: "lighttpd, never root", of: "lighttpd", variants: allVariants, server: lighttpdUnprivileged},
	}
}

func nginx(cache string, workers int) func(*site) service {
	return func(s *site) service {
		configuration := s.write("nginx.conf", s.fill(
			harness.NginxConfiguration(workers, cache, s.variant.choose("on", "off"))))
		return service{
			command:    harness.Command{Path: "/usr/sbin/nginx", Args: []string{"-e", s.path("error.log"), "-c", configuration}},
			request:    webRequest,
			logs:       []string{s.path("error.log")},
			reload:     func(r *run) { r.replaceWorkers(syscall.SIGHUP) },
			stop:       syscall.SIGQUIT,
			comparison: comparison{byWorker: cache == "builtin" && !s.variant.tickets},
		}
	}
}

const apachePages = `LogLevel info
DocumentRoot {folder}/pages
<Directory {folder}/pages>
    Require all granted
</Directory>`

func apache(module, cache string) func(*site) service {
	return func(s *site) service {
		processes := harness.ApacheEvent
		if module == "prefork" {
			processes = harness.ApachePrefork
		}
		if cache == "shmcb" {
			cache = "shmcb:" + s.path("sessions") + "(512000)"
		}
		s.makeFolder("pages", "root")
		s.write("pages/index.html", "Apache\n")
		text := harness.ApacheConfiguration(module, cache, s.variant.choose("on", "off"), processes, apachePages)
		configuration := s.write("apache.conf", s.fill(text))
		return service{
			command: harness.Command{Path: "/usr/sbin/apache2", Args: []string{"-f", configuration, "-DFOREGROUND"}},
			request: "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n",
			logs:    []string{s.path("error.log")},
			reload:  func(r *run) { r.replaceWorkers(syscall.SIGUSR1) },
			stop:    syscall.SIGTERM,
		}
	}
}

const haproxyConfiguration = `
global
    master-worker
    nbthread 2
    maxconn 100
    log stderr format raw local0 info
    user haproxy
    group haproxy
    chroot {folder}/jail
defaults
    mode http
    timeout connect 20s
    timeout client 20s
    timeout server 20s
frontend web
    bind 127.0.0.1:{port} ssl crt {folder}/both.pem ssl-min-ver TLSv1.2 {tickets}
    http-request return status 200 content-type text/plain string HAProxy
`

func haproxy(s *site) service {
	s.jail("jail", "root")
	s.write("both.pem", s.readFile(s.certificate)+s.readFile(s.key))
	configuration := s.write("haproxy.cfg", s.fill(haproxyConfiguration, "{tickets}", s.variant.choose("", "no-tls-tickets")))
	return service{
		command: harness.Command{Path: "/usr/sbin/haproxy", Args: []string{"-f", configuration}},
		request: webRequest,
		reload: func(r *run) {
			r.replaceWorkers(syscall.SIGUSR2)
			// The master executes itself anew; only when it says this would it survive another signal.
			r.waitForOutput("Former worker", 1)
		},
		stop: syscall.SIGTERM,
	}
}

const stunnelConfiguration = `
foreground = yes
pid =
output = {output}
debug = notice
setuid = stunnel4
setgid = stunnel4
{chroot}
[web]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{backend}
cert = {certificate}
key = {key}
sslVersionMin = TLSv1.2
{tickets}
`

func stunnel(s *site) service {
	// At a reload it reads its key and opens its log anew as the user that it has become.
	s.give(s.key, "stunnel4")
	s.give(s.write("stunnel.log", ""), "stunnel4")
	configured := configureStunnel(s, s.path("stunnel.log"), "")
	configured.logs = []string{s.path("stunnel.log")}
	configured.reload = func(r *run) {
		r.signal(syscall.SIGHUP)
		r.waitForLog(s.path("stunnel.log"), "Configuration successful", 2)
	}
	return configured
}

// stunnelChroot cannot reload: its configuration is outside.
func stunnelChroot(s *site) service {
	jail := s.jail("jail", "stunnel4")
	configured := configureStunnel(s, "/stunnel.log", "chroot = "+jail)
	configured.logs = []string{s.path("jail", "stunnel.log")}
	return configured
}

func configureStunnel(s *site, output, chroot string) service {
	configuration := s.write("stunnel.conf", s.fill(stunnelConfiguration,
		"{output}", output, "{chroot}", chroot, "{backend}", fmt.Sprint(startBackend(s.t)),
		"{tickets}", s.variant.choose("options = -NO_TICKET", "options = NO_TICKET")))
	return service{
		command: harness.Command{Path: "/usr/bin/stunnel4", Args: []string{configuration}},
		request: "hello\n",
		stop:    syscall.SIGTERM,
	}
}

const uwsgiApplication = `
import os

def application(environment, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Connection", "close")])
    return [b"%d\n" % os.getpid()]
`

// uwsgi is its HTTPS router: two processes that share the SSL_CTX that they were forked with, tickets whatever its clients'
// variant is, and no cache. Its workers have no TLS. At a reload it executes itself.
func uwsgi(s *site) service {
	return service{
		command: harness.Command{Path: "/usr/bin/uwsgi-core", Args: []string{
			"--plugin", "http,python3", "--wsgi-file", s.write("application.py", uwsgiApplication), "--need-app",
			"--https", fmt.Sprintf("127.0.0.1:%d,%s,%s", s.port, s.certificate, s.key), "--http-processes", "2",
			"--master", "--processes", "2", "--die-on-term", "--logto", s.write("uwsgi.log", ""),
		}},
		request: webRequest,
		logs:    []string{s.path("uwsgi.log")},
		reload:  func(r *run) { r.replaceWorkers(syscall.SIGHUP) },
		stop:    syscall.SIGTERM,
	}
}

// startBackend starts what is behind stunnel: it answers one line and closes.
func startBackend(t testing.TB) int {
	return harness.Serve(t, "tcp", "127.0.0.1:0", answerLine).Addr().(*net.TCPAddr).Port
}

func answerLine(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil {
		_, _ = io.WriteString(connection, line)
	}
}

const lighttpdConfiguration = `
server.modules = ("mod_openssl")
server.document-root = "{folder}/pages"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/error.log"
server.pid-file = "{folder}/lighttpd.pid"
server.username = "www-data"
server.groupname = "www-data"
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html")
ssl.engine = "enable"
ssl.pemfile = "{certificate}"
ssl.privkey = "{key}"
ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2", "Options" => "{tickets}")
`

// lighttpd cannot reload when it was started by root: it ends then.
func lighttpd(s *site) service {
	s.makeFolder("pages", "root")
	s.write("pages/index.html", "lighttpd\n")
	configuration := s.write("lighttpd.conf", s.fill(lighttpdConfiguration,
		"{tickets}", s.variant.choose("SessionTicket", "-SessionTicket")))
	return service{
		command: harness.Command{Path: "/usr/sbin/lighttpd", Args: []string{"-D", "-f", configuration}},
		request: webRequest,
		logs:    []string{s.path("error.log")},
		stop:    syscall.SIGTERM,
	}
}

func lighttpdUnprivileged(s *site) service {
	s.give(s.key, "www-data")
	configured := lighttpd(s)
	configured.command = asUser("www-data", configured.command)
	configured.reload = func(r *run) {
		r.signal(syscall.SIGUSR1)
		r.waitForLog(s.path("error.log"), "server started", 2)
	}
	return configured
}
