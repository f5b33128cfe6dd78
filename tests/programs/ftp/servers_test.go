package ftp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// site is a server's folder, port and certificate. Its user sees the folder home and may write
// into home/up.
type site struct {
	t           *testing.T
	folder      string
	port        int
	user        string // whose password is "tester", or any
	certificate string
	key         string
}

// server is a program that demands TLS of both connections, and is otherwise as Debian has it.
type server struct {
	name  string // of its package
	start func(*site) harness.Command
	user  string
	// demands says whether it refuses data connections that do not resume.
	demands bool
}

var servers = []server{
	{name: "vsftpd", start: vsftpd, user: "anonymous", demands: true},
	{name: "proftpd-core", start: proftpd, user: "anonymous", demands: true},
	{name: "pure-ftpd", start: pureftpd, user: "tester"},
}

// owner is a user that every Debian has, with a home.
const owner = "daemon"

// newSite makes an RSA certificate: vsftpd knows no other in TLS 1.2.
func newSite(t *testing.T) *site {
	t.Helper()
	require.Zero(t, os.Geteuid(), "the servers change their user and their root: run the test as root")
	folder, err := os.MkdirTemp("", "ftp")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	s := &site{t: t, folder: folder, port: harness.FreePort(t)}
	s.certificate, s.key = s.path("certificate.pem"), s.path("key.pem")
	output, err := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", s.key, "-out", s.certificate).CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	for _, name := range []string{"home", "home/up", "empty"} {
		require.NoError(t, os.Mkdir(s.path(name), 0o755))
	}
	require.NoError(t, os.Chmod(s.path("home/up"), 0o777))
	s.write("home/a file", "with something in it\n")
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.folder, name) }

func (s *site) write(name, content string) string {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.path(name), []byte(content), 0o644))
	return s.path(name)
}

func (s *site) fill(template string) string {
	return strings.NewReplacer("{folder}", s.folder, "{port}", fmt.Sprint(s.port), "{certificate}", s.certificate,
		"{key}", s.key, "{user}", owner, "{root}", unpacked(s.t), "{modules}", modules(s.t)).Replace(template)
}

// modules loads what is a part of ProFTPD in one release of Debian, and a module of its own in another.
func modules(t *testing.T) string {
	t.Helper()
	var lines string
	for _, name := range []string{"mod_xfer", "mod_ls"} {
		if _, err := os.Stat(filepath.Join(unpacked(t), "usr", "lib", "proftpd", name+".so")); err == nil {
			lines += "LoadModule " + name + ".c\n"
		}
	}
	return lines
}

// serve starts a server, which ends with the test.
func (s *site) serve(one server, library harness.Library) {
	s.t.Helper()
	s.user = one.user
	command := one.start(s)
	command.Library = library
	running := command.Start(s.t, s.port)
	s.t.Cleanup(func() { running.Stop(syscall.SIGTERM) })
}

const vsftpdConfiguration = `
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={folder}/home
ftp_username={user}
anon_upload_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
write_enable=YES
secure_chroot_dir={folder}/empty
seccomp_sandbox=NO
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
rsa_cert_file={certificate}
rsa_private_key_file={key}
`

func vsftpd(s *site) harness.Command {
	configuration := s.write("vsftpd.conf", s.fill(vsftpdConfiguration))
	return harness.Command{Path: s.fill("{root}/usr/sbin/vsftpd"), Args: []string{configuration}}
}

const proftpdConfiguration = `
ServerType standalone
ServerName test
DefaultAddress 127.0.0.1
Port {port}
UseIPv6 off
User {user}
Group {user}
PidFile {folder}/proftpd.pid
ScoreboardFile {folder}/scoreboard
SystemLog {folder}/proftpd.log
WtmpLog off
<IfModule mod_delay.c>
  DelayEngine off
</IfModule>
AuthPAM off
RequireValidShell off
ModulePath {root}/usr/lib/proftpd
LoadModule mod_tls.c
{modules}<Anonymous {folder}/home>
  User {user}
  Group {user}
  UserAlias anonymous {user}
  AnonRequirePassword off
</Anonymous>
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile {certificate}
TLSRSACertificateKeyFile {key}
TLSVerifyClient off
TLSLog {folder}/tls.log
`

func proftpd(s *site) harness.Command {
	configuration := s.write("proftpd.conf", s.fill(proftpdConfiguration))
	return harness.Command{Path: s.fill("{root}/usr/sbin/proftpd"), Args: []string{"-n", "-c", configuration}}
}

// proftpdWithPasswords knows the user from a file of its own.
func proftpdWithPasswords(s *site) harness.Command {
	passwords := s.write("passwords", fmt.Sprintf("tester:%s:1:1::%s:/bin/sh\n", hash(s, "$6$"), s.path("home")))
	require.NoError(s.t, os.Chmod(passwords, 0o600))
	command := proftpd(s)
	before, rest, _ := strings.Cut(s.fill(proftpdConfiguration), "<Anonymous")
	_, after, _ := strings.Cut(rest, "</Anonymous>")
	s.write("proftpd.conf", before+"AuthOrder mod_auth_file.c\nAuthUserFile "+passwords+"\nDefaultRoot ~\n"+after)
	return command
}

// hash is what the system's crypt makes of the password, by the method that the setting names.
func hash(s *site, setting string) string {
	s.t.Helper()
	output, err := exec.Command("perl", "-e", "print crypt('tester', $ARGV[0])", setting+"abcdefghijklmnop$").Output()
	require.NoError(s.t, err)
	require.Contains(s.t, string(output), setting)
	return string(output)
}

// pureftpd knows the user from a database of its own: for an anonymous one the system must have a user "ftp".
// The hash is Debian's usual one.
func pureftpd(s *site) harness.Command {
	content, err := os.ReadFile(s.certificate)
	require.NoError(s.t, err)
	key, err := os.ReadFile(s.key)
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.path("both.pem"), append(content, key...), 0o600))
	passwords := s.write("passwords", fmt.Sprintf("tester:%s:1:1::%s/./::::::::::::\n", hash(s, "$y$j9T$"), s.path("home")))
	output, err := exec.Command(s.fill("{root}/usr/bin/pure-pw"), "mkdb", s.path("users"), "-f", passwords).CombinedOutput()
	require.NoErrorf(s.t, err, "%s", output)
	return harness.Command{Path: s.fill("{root}/usr/sbin/pure-ftpd"), Args: []string{
		"--bind", fmt.Sprintf("127.0.0.1,%d", s.port), "--dontresolve", "--tls", "3", "--certfile", s.path("both.pem"),
		"--login", "puredb:" + s.path("users"), "--minuid", "1", "--chrooteveryone",
	}}
}
