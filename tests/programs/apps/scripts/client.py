"""A TLS client that resumes: client.py PORT CERTIFICATE VERSION COUNT

It prints what the server, an "openssl s_server -www", says of each connection.
"""

import socket
import ssl
import sys

port, certificate, version, count = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
number = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
context.minimum_version = context.maximum_version = number
session = None
for _ in range(int(count)):
    plain = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
    with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secured:
        secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
        page = b"".join(iter(lambda: secured.recv(65536), b""))
        session = secured.session
    sys.stdout.write(page.decode())
