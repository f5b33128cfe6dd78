#!/usr/bin/env bash
# Runs targets of make on what is committed, in a fresh root of this machine's Debian that has git, make and
# this machine's Go, and nothing else that a bare Debian has not. As root.
# usage: tools/bare.sh FOLDER TARGET...; the roots are kept and made in FOLDER
set -euo pipefail

folder=$(realpath -m "$1")
shift
project=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
goroot=$(go env GOROOT)

"$project/tools/root.sh" "$folder/bare" git make
root=$(mktemp -d "$folder/bare.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a --reflink=auto "$folder/bare/." "$root"
git clone -q "$project" "$root/root/libsslcache"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
# Go fetches modules, and trusts whom this machine trusts.
cp -L "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/certificates.pem"
mkdir -p "$root$goroot"

# What is mounted ends with the namespace of the process that mounts it. The root is a mount of its own, since
# a test in it that wants a namespace too could not make the mounts of its own private otherwise.
export root goroot
# shellcheck disable=SC2016 # the inner shell expands them
unshare --mount --propagation private bash -euo pipefail -c '
    mount --bind "$root" "$root"
    mount --bind "$goroot" "$root$goroot"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" env -i HOME=/root TERM=dumb PATH="/usr/sbin:/usr/bin:/sbin:/bin:$goroot/bin" \
        SSL_CERT_FILE=/etc/certificates.pem \
        GOPROXY="$(go env GOPROXY)" GOFLAGS="$(go env GOFLAGS)" make -C /root/libsslcache "$@"
' bash "$@"
