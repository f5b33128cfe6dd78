package harness

import "fmt"

const nginxConfiguration = `
daemon off;
user www-data;
worker_processes %d;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {
        # Each worker has its own queue, so that the kernel spreads the connections over them.
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache %s;
        ssl_session_tickets %s;
        location / { return 200 "$pid\n"; }
    }
}
`

// NginxConfiguration is that of an nginx in the foreground whose workers serve TLS, with a cache as
// ssl_session_cache takes it, and tickets "on" or "off". It answers with the process id of the worker. The
// caller fills in {folder}, which every user may write to, {port}, {certificate} and {key}.
func NginxConfiguration(workers int, cache, tickets string) string {
	return fmt.Sprintf(nginxConfiguration, workers, cache, tickets)
}
