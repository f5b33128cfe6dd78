#!/usr/bin/env bash
# Checks that what was linked works: a program keeps and finds sessions with the library, by either way into Go.
# Where it does not, the libraries are taken away, and one line says so. What is built for another processor, or under
# a sanitizer, is not run.
# usage: tools/check.sh BUILD LINKER_COMMAND
set -euo pipefail

build=$1
linker=$2
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

unset "${!SSLCACHE_@}" # what the builder's own programs are asked for
works() { # VARIABLE=VALUE
    env "$1" LD_LIBRARY_PATH="$build" timeout 60 "$scratch/manual" >"$scratch/output" 2>&1 &&
        grep -q 'counted: 2 stored, 1 replaced, 1 removed, 0 held' "$scratch/output"
}

cc -I"$root/include" -o "$scratch/manual" "$root/examples/manual.c" -L"$build" -lsslcache -lssl -lcrypto
for way in direct cgo; do
    # What the shell says of a program that crashes is no help.
    if ! works "SSLCACHE_CORE=$way" 2>/dev/null; then
        rm -f "$build"/libsslcache.so* "$build"/libsslcache-go.so*
        echo "the library that '$linker' links does not work (SSLCACHE_CORE=$way examples/manual.c): build with another linker" >&2
        exit 1
    fi
done
