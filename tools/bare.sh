#!/usr/bin/env bash
# Runs targets of make on what is committed, in a fresh root of a suite of Debian that has git, make and this
# machine's Go, and nothing else that a bare Debian has not. As root.
# usage: [SHARED='FOLDER...'] tools/bare.sh FOLDER SUITE TARGET...; the roots are kept and made in FOLDER. SHARED are
# folders of this machine that are to be in the root too: the caches of Go, to save time.
set -euo pipefail

folder=$(realpath -m "$1")
suite=$2
shift 2
tools=$(realpath "$(dirname "$0")")
project=$(git -C "$tools" rev-parse --show-toplevel)
goroot=$(go env GOROOT)

"$tools/root.sh" "$folder/bare-$suite" "$suite" git make
root=$(mktemp -d "$folder/run-$suite.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a --reflink=auto "$folder/bare-$suite/." "$root"
git clone -q "$project" "$root/root/libsslcache"
# Go fetches modules, and trusts whom this machine trusts.
cp -L "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/certificates.pem"

BIND="$goroot ${SHARED:-}" "$tools/inside.sh" "$root" env -i HOME=/root TERM=dumb \
    PATH="/usr/sbin:/usr/bin:/sbin:/bin:$goroot/bin" SSL_CERT_FILE=/etc/certificates.pem \
    ${SHARED:+GOMODCACHE="$(go env GOMODCACHE)" GOCACHE="$(go env GOCACHE)"} \
    GOPROXY="$(go env GOPROXY)" GOFLAGS="$(go env GOFLAGS)" make -C /root/libsslcache "$@"
