package harness

import (
	"fmt"
	"strings"
)

const apacheConfiguration = `
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
Listen 127.0.0.1:{port}
LoadModule mpm_%s_module /usr/lib/apache2/modules/mod_mpm_%[1]s.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User www-data
Group www-data
Mutex file:{folder} default
ErrorLog {folder}/error.log
SSLEngine on
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLSessionCache %s
SSLSessionTickets %s
%s
`

// One process of Apache, so that it cannot depend on chance who has the session; event has threads in it.
const (
	ApacheEvent   = "ServerLimit 1\nStartServers 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1\nMaxSpareThreads 8"
	ApachePrefork = "ServerLimit 1\nStartServers 1\nMaxRequestWorkers 1\nMinSpareServers 1\nMaxSpareServers 1"
)

// ApacheConfiguration is that of an Apache with TLS, whose processes are those of a module, "event" or "prefork", with a
// cache as SSLSessionCache takes it, tickets "on" or "off", and further lines: DocumentRoot and the number of
// processes. The caller fills in what NginxConfiguration leaves to it too.
func ApacheConfiguration(module, cache, tickets string, more ...string) string {
	return fmt.Sprintf(apacheConfiguration, module, cache, tickets, strings.Join(more, "\n"))
}
