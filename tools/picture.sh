#!/usr/bin/env bash
# Makes the picture of a report: nginx with a cache of its own serves clients that come back and clients that are new, for
# SECONDS, under `sslcache run --trace`; the page that `sslcache report` makes of the trace is opened in Chromium.
# usage: tools/picture.sh BUILD PICTURE.png [SECONDS]
set -euo pipefail

build=$(realpath "$1")
picture=$(realpath -m "$2")
seconds=${3:-60}
examples=$(realpath "$(dirname "$0")/../examples/tutorial")
scratch=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$scratch"' EXIT
cd "$scratch"

"$examples/certificate.sh"
# A port that was free a moment ago, and nginx ends at once should it be taken by now.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -e "s/listen unix:nginx.sock ssl/listen 127.0.0.1:$port ssl/" -e 's/builtin;/builtin:2000;/' -e 's/TLSv1.2;/TLSv1.2 TLSv1.3;/' \
    "$examples/nginx.conf" >nginx.conf

"$build/sslcache" run --trace nginx.jsonl -o summary -- nginx -p "$scratch" -e error.log -c "$scratch/nginx.conf" &
server=$!
until openssl s_client -connect "127.0.0.1:$port" </dev/null >/dev/null 2>&1; do
    kill -0 "$server" || { cat error.log summary; exit 1; }
    sleep 0.1
done

end=$((SECONDS + seconds))
load() { # FLAG SECONDS OF_SECONDS: so long out of so long, of clients with one version of TLS each
    while [ $SECONDS -lt $end ]; do
        openssl s_time -connect "127.0.0.1:$port" -www / "$1" -time "$2" "${@:4}" >/dev/null 2>&1 || true
        sleep $(($3 - $2))
    done
}
load -reuse 5 6 -tls1_2 &
load -new 2 10 -tls1_2 &
load -reuse 3 9 -tls1_3 &
load -new 1 5 -tls1_3 &
loads=$(jobs -p | grep -vx "$server")
# shellcheck disable=SC2086 # one process id a word
wait $loads
kill "$server"
wait "$server"
server=
cat summary

"$build/sslcache" report nginx.jsonl -o report.html
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$scratch/chromium" \
    --window-size=1240,1900 --screenshot="$picture" "file://$scratch/report.html" 2>chromium.log ||
    { cat chromium.log >&2; exit 1; }
