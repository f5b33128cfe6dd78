package apps

import (
	"embed"
	"fmt"
	"syscall"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

//go:embed scripts
var scripts embed.FS

func languages() []program {
	return []program{
		{name: "Python ssl, threads", of: "/usr/bin/python3", variants: allVariants, quick: true, server: python(0)},
		{name: "Python ssl, forks after serving", of: "/usr/bin/python3", variants: allVariants, quick: true, server: pythonHandsOver},
		{name: "Python ssl, prefork, 2 workers", of: "/usr/bin/python3", variants: allVariants, server: python(2)},
		{name: "Ruby OpenSSL, threads", of: "ruby3.1", variants: allVariants, server: ruby("internal")},
		{name: "Ruby OpenSSL, its own callbacks", of: "ruby3.1", variants: allVariants, server: ruby("own")},
		{name: "Perl Net::SSLeay", of: "libnet-ssleay-perl", variants: allVariants, server: perl("single")},
		{name: "Perl Net::SSLeay, fork per connection", of: "libnet-ssleay-perl", variants: allVariants, server: perl("fork")},
		{name: "openssl s_server", of: "openssl", variants: allVariants, quick: true, server: opensslServer()},
		{name: "openssl s_server -ext_cache", of: "openssl", variants: allVariants, server: opensslServer("-ext_cache")},
		{name: "openssl s_server, ulimit -u 1", of: "openssl", variants: allVariants, server: opensslLimited("--nproc=1")},
		{name: "openssl s_server, ulimit -v 400000", of: "openssl", variants: allVariants, quick: true, server: opensslLimited("--as=409600000")},
		{name: "openssl s_server, ulimit -d 24576", of: "openssl", variants: allVariants, server: opensslLimited("--data=25165824")},
	}
}

// script makes a service of one of our scripts.
func (s *site) script(interpreter, name string, arguments ...string) service {
	content, err := scripts.ReadFile("scripts/" + name)
	require.NoError(s.t, err)
	path := s.write(name, string(content))
	all := append([]string{path, fmt.Sprint(s.port), s.certificate, s.key, s.variant.choose("tickets", "none")}, arguments...)
	return service{
		command:    harness.Command{Path: interpreter, Args: all},
		request:    "hello\n",
		stop:       syscall.SIGTERM,
		comparison: comparison{exactOutput: true},
	}
}

func python(workers int) func(*site) service {
	return func(s *site) service {
		configured := s.script("/usr/bin/python3", "server.py", fmt.Sprint(workers))
		configured.byWorker = workers > 0 && !s.variant.tickets
		return configured
	}
}

// pythonHandsOver has a child, forked when sessions are in its cache, that inherits them.
func pythonHandsOver(s *site) service {
	configured := python(0)(s)
	configured.reload = func(r *run) {
		r.signal(syscall.SIGHUP)
		r.waitUntil("a child", func() bool { return len(r.children()) == 1 })
	}
	return configured
}

func ruby(cache string) func(*site) service {
	return func(s *site) service { return s.script("/usr/bin/ruby", "server.rb", cache) }
}

func perl(mode string) func(*site) service {
	return func(s *site) service { return s.script("/usr/bin/perl", "server.pl", mode) }
}

// opensslServer ends by itself, and prints its figures, after its last connection.
func opensslServer(more ...string) func(*site) service {
	return func(s *site) service {
		arguments := []string{
			"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", s.port), "-cert", s.certificate, "-key", s.key,
			"-www", "-naccept", fmt.Sprint(s.connections),
		}
		if !s.variant.tickets {
			arguments = append(arguments, "-no_ticket")
		}
		return service{
			command:    harness.Command{Path: "/usr/bin/openssl", Args: append(arguments, more...)},
			request:    webRequest,
			oneClient:  true,
			comparison: comparison{exactOutput: true},
		}
	}
}

// opensslLimited has less than most programs are allowed, and keeps its sessions in our cache all the
// same. The limit on threads is not for root, and counts all of a user's.
func opensslLimited(limit string) func(*site) service {
	return func(s *site) service {
		const name = "games"
		s.give(s.key, name)
		configured := opensslServer()(s)
		command := configured.command
		command.Args = append([]string{limit, command.Path}, command.Args...)
		command.Path = "/usr/bin/prlimit"
		configured.command = asUser(name, command)
		configured.stored = !s.variant.tickets
		return configured
	}
}
