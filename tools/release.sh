#!/usr/bin/env bash
# Packs a release: the libraries, the command, the header, sslcache.pc, the manual pages, the completion, and the
# licences of all that is in it. The same files always give the same archive.
# usage: [OBJCOPY=..] [GO=..] tools/release.sh BUILD ARCH RELEASE; the libraries are those in RELEASE
set -euo pipefail
shopt -s nullglob

build=$1
arch=$2
release=$3
root=$(cd "$(dirname "$0")/.." && pwd)
go=${GO:-go}
name=sslcache-$(cat "$root/VERSION")-linux-$arch
stage=$release/stage
place=$stage/$name

rm -rf "$stage"
mkdir -p "$stage/built"
for library in libsslcache.so libsslcache-go.so.1; do
    "${OBJCOPY:-objcopy}" --strip-debug "$release/$library" "$stage/built/$library"
done
cp "$build/sslcache" "$stage/built/"
# The completion is that of the command for this machine.
SSLCACHE=build/sslcache DESTDIR=$place PREFIX='' LIBDIR=/lib INCLUDEDIR=/include MANDIR=/share/man \
    "$root/tools/install.sh" install "$stage/built" build/man

# It lies where it was unpacked.
# shellcheck disable=SC2016 # pkg-config expands them
sed -e 's|@PREFIX@|${pcfiledir}/../..|' -e 's|@LIBDIR@|${prefix}/lib|' -e 's|@INCLUDEDIR@|${prefix}/include|' \
    -e "s|@VERSION@|$(cat "$root/VERSION")|" "$root/include/sslcache.pc.in" >"$place/lib/pkgconfig/sslcache.pc"

cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$place/"
mkdir -p "$place/licenses"
# shellcheck disable=SC2016 # a template of Go
"$go" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/sslcache ./capi | sort -u |
    while read -r module folder; do
        found=("$folder"/LICENSE* "$folder"/LICENCE* "$folder"/COPYING*)
        [ ${#found[@]} -gt 0 ] || { echo "no licence in $module" >&2 && exit 1; }
        cat "${found[@]}" >"$place/licenses/${module//\//-}"
    done
cp "$("$go" env GOROOT)/LICENSE" "$place/licenses/go"

find "$place" -type d -exec chmod 755 {} + # whatever the umask is
find "$place" -type f -exec chmod u=rw,go=r {} +
chmod 755 "$place/bin/sslcache"
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}" \
    -cf - "$name" | gzip -9n >"$release/$name.tar.gz"
rm -rf "$stage"
echo "$release/$name.tar.gz"
