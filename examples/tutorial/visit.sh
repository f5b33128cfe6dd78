#!/bin/sh
# Asks nginx for 20 pages, once it is there. It closes each connection, and curl comes back with the session
# that it got.
until [ -S nginx.sock ]; do sleep 0.1; done
exec curl --silent --retry 9 --retry-all-errors --cacert certificate.pem --unix-socket nginx.sock \
    'https://localhost/[1-20]'
