#!/usr/bin/env bash
# The library at work: the distribution's own `openssl s_server`, preloaded, resumes the sessions of the
# distribution's own `openssl s_client` out of our cache. Then a C program that is linked with it.
# usage: examples/run.sh BUILD_FOLDER [CONNECTIONS]
set -euo pipefail

build=$(realpath "$1")
connections=${2:-20}
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$scratch"' EXIT

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>/dev/null
}

# Port 0 lets the kernel choose one that is free; s_server prints which.
start_server() {
    : >"$scratch/server.log"
    LD_PRELOAD="$build/libsslcache.so" SSLCACHE_REPORT="$scratch/report" \
        openssl s_server -accept 127.0.0.1:0 -www -no_ticket -naccept "$connections" \
        -cert "$scratch/certificate.pem" -key "$scratch/key.pem" >"$scratch/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^ACCEPT.*:\([0-9][0-9]*\).*/\1/p' "$scratch/server.log")
        [ -n "$port" ] && return
        sleep 0.1
    done
    echo "the server did not start:" && cat "$scratch/server.log" && exit 1
}

connect() { # VERSION; uses and renews the session in $scratch/session
    local resume=()
    [ -s "$scratch/session" ] && resume=(-sess_in "$scratch/session")
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" "-$1" \
        "${resume[@]}" -sess_out "$scratch/session" -ign_eof 2>/dev/null
}

count_of() { # NAME in the report's last line
    tail -n 1 "$scratch/report" | sed 's/.*"'"$1"'":\([0-9]*\).*/\1/'
}

run_version() { # VERSION TITLE
    local resumed=0
    rm -f "$scratch/session" "$scratch/report"
    start_server
    for _ in $(seq "$connections"); do
        connect "$1" >"$scratch/client.log" || { echo "a connection failed"; exit 1; }
        if grep -q '^Reused' "$scratch/client.log"; then resumed=$((resumed + 1)); fi
    done
    wait "$server" # after its last connection it ends by itself and reports
    server=
    printf '%-8s %11s %8s   %6s %6s %6s %5s\n' "$2" "$connections" "$resumed" \
        "$(count_of stored)" "$(count_of found)" "$(count_of missed)" "$(count_of peak)"
    [ "$resumed" -eq $((connections - 1)) ] || { echo "not every session was resumed"; exit 1; }
}

make_certificate
echo "$(openssl version), s_server -no_ticket under LD_PRELOAD=libsslcache.so"
printf '%-8s %11s %8s   %s\n' '' '' '' 'counted by our cache'
printf '%-8s %11s %8s   %6s %6s %6s %5s\n' version connections resumed stored found missed peak
run_version tls1_2 'TLS 1.2'
run_version tls1_3 'TLS 1.3'

command -v cc >/dev/null || exit 0 # `make` needs one; a machine with a release need not have one
echo
echo "examples/manual.c, linked with -lsslcache -lssl -lcrypto"
cc -I"$here/../include" -o "$scratch/manual" "$here/manual.c" \
    -L"$build" -Wl,-rpath,"$build" -lsslcache -lssl -lcrypto
"$scratch/manual"
