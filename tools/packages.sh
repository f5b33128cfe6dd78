#!/usr/bin/env bash
# Installs the Debian packages that the given lists name, a word each, and that are missing.
# usage: tools/packages.sh LIST...
set -euo pipefail

mapfile -t packages < <(sed 's/#.*//' "$@" | tr -s ' ' '\n' | grep .)
missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
    echo "these packages are missing and only root can install them: ${missing[*]}" >&2
    exit 1
fi

# Daemons stay where they are: the tests start their own. The policy goes when the installation is done.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
