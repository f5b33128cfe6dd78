"""A TLS server: server.py PORT CERTIFICATE KEY tickets|none WORKERS

With 0 workers each connection has a thread, and at SIGHUP the server forks and leaves the rest to its
child. Else there are so many processes, forked when the context is there, each with a socket of its
own. The answer is the process's id. SIGTERM ends it.
"""

import os
import signal
import socket
import ssl
import sys
import threading


def make_context(certificate, key, tickets):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if tickets == "none":
        context.options |= ssl.OP_NO_TICKET
    return context


def serve(context, connection):
    connection.settimeout(20)
    with context.wrap_socket(connection, server_side=True) as secured:
        secured.recv(4096)
        secured.sendall(b"%d\n" % os.getpid())
        secured.unwrap().close()


def report(context):
    figures = context.session_stats()
    print(" ".join(f"{name} {figures[name]}" for name in sorted(figures)), flush=True)


class HandOver(Exception):
    pass


def end(number, frame):
    raise SystemExit


def hand_over(number, frame):
    raise HandOver


def accept_threaded(context, listener):
    try:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(context, connection)).start()
    finally:
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(20)
        report(context)


def wait_and_end(workers):
    try:
        while True:
            signal.pause()
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        for worker in workers:
            os.waitpid(worker, 0)


def threaded(context, listener):
    try:
        accept_threaded(context, listener)
    except HandOver:
        worker = os.fork()
        if worker == 0:
            accept_threaded(context, listener)
        wait_and_end([worker])


def listen(port, shared):
    return socket.create_server(("127.0.0.1", int(port)), backlog=128, reuse_port=shared)


def accept(context, listener):
    while True:
        connection, _ = listener.accept()
        serve(context, connection)


def prefork(context, port, count):
    workers = []
    for _ in range(count):
        worker = os.fork()
        if worker == 0:
            accept(context, listen(port, True))
        workers.append(worker)
    wait_and_end(workers)


def main():
    port, certificate, key, tickets, workers = sys.argv[1:]
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, hand_over)
    context = make_context(certificate, key, tickets)
    if workers == "0":
        threaded(context, listen(port, False))
    else:
        prefork(context, port, int(workers))


main()
