package apps

import (
	"fmt"
	"strings"
	"syscall"

	"libsslcache/tests/harness"
)

// radiusServers keep the sessions of EAP methods, and hang their own data on SSL objects under
// indices that libcrypto never gave them.
func radiusServers() []program {
	versions := []variant{identifiers, stateful}
	return []program{
		{name: "FreeRADIUS, EAP-TLS with its cache", of: "freeradius", variants: versions, server: freeradius("TLS")},
		{name: "FreeRADIUS, PEAP with its cache", of: "freeradius", variants: versions, quick: true, server: freeradius("PEAP")},
	}
}

const freeradiusConfiguration = `
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}/configuration
logdir = {folder}
run_dir = {folder}
max_requests = 16384
security {
    user = freerad
    group = freerad
}
client localhost {
    ipaddr = 127.0.0.1
    secret = secret
}
thread pool {
    start_servers = 2
    max_servers = 2
    min_spare_servers = 1
    max_spare_servers = 2
    max_requests_per_server = 0
}
modules {
    mschap {
    }
    eap {
        default_eap_type = {method}
        tls-config common {
            certificate_file = {certificate}
            private_key_file = {key}
            ca_file = {certificate}
            tls_min_version = "{version}"
            tls_max_version = "{version}"
            cache {
                enable = yes
                name = sessions
                persist_dir = {folder}/sessions
            }
        }
        tls {
            tls = common
        }
        peap {
            tls = common
            default_eap_type = mschapv2
            virtual_server = tunnel
        }
        mschapv2 {
        }
    }
}
server {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }
    authorize {
        eap
    }
    authenticate {
        eap
    }
}
server tunnel {
    authorize {
        update control {
            &Cleartext-Password := "tester"
            &Proxy-To-Realm := LOCAL
        }
        eap
    }
    authenticate {
        mschap
        eap
    }
}
`

const supplicantConfiguration = `
network={
    key_mgmt=WPA-EAP
    eap={method}
    identity="tester"
    password="tester"
    ca_cert="{certificate}"
    client_cert="{certificate}"
    private_key="{folder}/supplicant.pem"
    phase1="tls_disable_tlsv1_3={without13}"
    phase2="auth=MSCHAPV2"
}
`

func freeradius(method string) func(*site) service {
	return func(s *site) service {
		s.makeFolder("sessions", "freerad")
		// It refuses a configuration in a folder into which every user may write.
		s.makeFolder("configuration", "root")
		s.write("supplicant.pem", s.readFile(s.key))
		s.give(s.key, "freerad")
		words := []string{"{version}", s.variant.version, "{method}", method, "{without13}", "0"}
		if s.variant.version == "1.2" {
			words[len(words)-1] = "1"
		}
		supplicant := s.write("supplicant.conf", s.fill(supplicantConfiguration, words...))
		words[3] = strings.ToLower(method)
		s.write("configuration/radiusd.conf", s.fill(freeradiusConfiguration, words...))
		return service{
			command: harness.Command{Path: "/usr/sbin/freeradius", Args: []string{
				"-f", "-l", "stdout", "-d", s.path("configuration"), "-n", "radiusd",
			}},
			ready:     "Ready to process requests",
			datagrams: true,
			client: func(count int) harness.Command {
				return harness.Command{Path: "/usr/bin/eapol_test", Args: []string{
					"-c", supplicant, "-a", "127.0.0.1", "-p", fmt.Sprint(s.port), "-s", "secret", "-r", fmt.Sprint(count - 1),
				}}
			},
			outcomes: authentications,
			stop:     syscall.SIGTERM,
		}
	}
}

// authentications reads the log of eapol_test: its first authentication has no session to offer, and
// with TLS 1.3 it says of one handshake twice whether it was resumed. Of a log without any the last line is given back.
func authentications(log string) string {
	var lines strings.Builder
	offered := false
	for each := range strings.SplitSeq(log, "CTRL-EVENT-EAP-STARTED") {
		switch {
		case !strings.Contains(each, "OpenSSL: Handshake finished - resumed="):
			continue
		case !strings.Contains(each, "CTRL-EVENT-EAP-SUCCESS"):
			lines.WriteString("failed\n")
		case strings.Contains(each, "OpenSSL: Handshake finished - resumed=1"):
			lines.WriteString("resumed\n")
		case offered:
			lines.WriteString("refused\n")
		default:
			lines.WriteString("new\n")
		}
		offered = true
	}
	if !offered {
		return log[strings.LastIndex(strings.TrimSpace(log), "\n")+1:]
	}
	return lines.String()
}
