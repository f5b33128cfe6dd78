#!/usr/bin/env bash
# Installs the Debian packages that the given lists name, a word each, and that are missing. Who may not install
# them, or has another distribution, is told in one line what is missing and what installs it. One that has another name
# in another release of Debian is a word with all names, this|that.
# usage: tools/packages.sh LIST...
set -euo pipefail

# What stands for a package where there is no dpkg: a test of what it brings, and its name in Fedora and RHEL.
has_header() { printf '#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1; }
stands_for() { # PACKAGE; sets name, and succeeds where what the package brings is there
    case $1 in
    gcc) name=gcc && command -v cc >/dev/null ;;
    binutils) name=binutils && command -v objcopy >/dev/null ;;
    libc6-dev) name=glibc-static && has_header stdio.h && [ -e "$(cc -print-file-name=libc.a)" ] ;;
    libssl-dev) name=openssl-devel && has_header openssl/ssl.h ;;
    openssl) name=openssl && command -v openssl >/dev/null ;;
    *) name=$1 && false ;;
    esac
}

is_there() { # NAME|NAME...; sets name
    local names alternative
    IFS='|' read -ra names <<<"$1"
    for alternative in "${names[@]}"; do
        is_installed "$alternative" && return
    done
    [ ${#names[@]} -eq 1 ] || name=$1
    return 1
}

is_installed() { # NAME; sets name
    name=$1
    if command -v dpkg-query >/dev/null; then
        [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true)" = "install ok installed" ]
    else
        stands_for "$1"
    fi
}

mapfile -t packages < <(sed 's/#.*//' "$@" | tr -s ' ' '\n' | grep . | sort -u)
missing=()
for package in "${packages[@]}"; do
    is_there "$package" || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v dpkg-query >/dev/null; then
    echo "missing here: ${missing[*]}; where dnf installs packages: dnf install ${missing[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "missing here: ${missing[*]}; to install them: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "installing ${missing[*]}"
# Daemons stay where they are: the tests start their own. The policy goes when the installation is done.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null

known() { # NAME|NAME...: prints the one that this release has
    local names
    IFS='|' read -ra names <<<"$1"
    for name in "${names[@]}"; do
        [ -z "$(apt-cache madison "$name")" ] || break
    done
    echo "$name"
}
mapfile -t chosen < <(for package in "${missing[@]}"; do known "$package"; done)
apt-get install -q -y --no-install-recommends "${chosen[@]}" >/dev/null
