#!/usr/bin/env bash
# Makes a bare root of this machine's Debian, with the given packages, from the archives that apt knows
# here. A folder that is there already is left as it is.
# A name that begins with _ keeps the Go files in the root from being taken for packages of the project.
# usage: tools/root.sh FOLDER PACKAGE...
set -euo pipefail
shopt -s nullglob

folder=$1
shift
[ -e "$folder" ] && exit 0

sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
[ -e /etc/apt/sources.list ] || sources=("${sources[@]:1}")
mkdir -p "$(dirname "$folder")"
partial=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$partial"' EXIT
packages=$*
mmdebstrap --quiet --mode=root --variant=minbase --include="${packages// /,}" \
    "$(sed -n "s/^VERSION_CODENAME=//p" /etc/os-release)" "$partial" "${sources[@]}"
chmod 755 "$partial"
mv "$partial" "$folder"
