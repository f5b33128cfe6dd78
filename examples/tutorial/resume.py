"""A server and a client of TLS in one process: ten visits, each with the session of the one before."""

import ssl

server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain("certificate.pem", "key.pem")
client_context = ssl.create_default_context(cafile="certificate.pem")


def both(*steps):
    """Lets both sides go on until neither waits for the other."""
    waiting = list(steps)
    while waiting:
        for step in list(waiting):
            try:
                step()
                waiting.remove(step)
            except ssl.SSLWantReadError:
                pass


def visit(session):
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    both(client.do_handshake, server.do_handshake)
    server.write(b"hello")
    client.read()
    both(client.unwrap, server.unwrap)
    return client.session, client.session_reused


session, answers = None, ""
for _ in range(10):
    session, resumed = visit(session)
    answers += "resumed " if resumed else "new "
print(answers)
