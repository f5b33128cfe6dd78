#!/usr/bin/env bash
# Makes a bare root of a suite of Debian with the given packages, from the archives that apt knows here: the
# suite of this machine from its own sources, another one from the same mirrors. A folder that is there
# already is left as it is.
# A name that begins with _ keeps the Go files in the root from being taken for packages of the project.
# usage: tools/root.sh FOLDER SUITE PACKAGE...; experimental is sid with what is named NAME/experimental
set -euo pipefail
shopt -s nullglob

folder=$1
suite=$2
shift 2
[ -e "$folder" ] && exit 0

mkdir -p "$(dirname "$folder")"
partial=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$partial" "$partial.sources"' EXIT
if [ "$suite" = "$(sed -n "s/^VERSION_CODENAME=//p" /etc/os-release)" ]; then
    sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
    [ -e /etc/apt/sources.list ] || sources=("${sources[@]:1}")
else
    sources=("$partial.sources")
    (cd "$(dirname "$0")/.." && go run ./tests/libssls/cmd/sources "$suite") >"$partial.sources"
fi
packages=$*
# A mirror that stands still is good enough for a test: who signed it is checked all the same.
mmdebstrap --quiet --mode=root --variant=minbase --include="${packages// /,}" \
    --aptopt='Acquire::Check-Valid-Until "false"' "${suite/experimental/sid}" "$partial" "${sources[@]}"
# A key that the sources name, and this suite keeps elsewhere.
sed -n 's/^Signed-By: *\(\/.*\)/\1/p; s/.*signed-by=\([^] ]*\).*/\1/p' "${sources[@]}" | while read -r key; do
    [ -e "$partial$key" ] || install -D -m 644 "$key" "$partial$key"
done
if [ "$suite" = experimental ]; then
    printf 'Package: openssl libssl*\nPin: release a=experimental\nPin-Priority: 990\n' \
        >"$partial/etc/apt/preferences.d/experimental"
fi
chmod 755 "$partial"
mv "$partial" "$folder"
