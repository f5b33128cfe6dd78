#!/bin/sh
# A test as a server's own project would have it: start the server, use it, stop it.
set -eu
nginx -p "$PWD" -e error.log -c "$PWD/nginx.conf" &
./visit.sh | uniq -c
kill "$!"
wait "$!"
