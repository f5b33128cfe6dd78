#!/usr/bin/env bash
# Builds the Debian packages from what is committed, in a copy of its own, and has lintian look at them.
#
# Go comes from this machine, not from a package, and its modules from where `go` finds them here: the
# build gets its settings and caches, for debhelper gives it an empty home. A distribution, which builds
# without a network, would add the modules first (`go mod vendor`).
# usage: tools/deb.sh FOLDER; the packages are then in FOLDER
set -euo pipefail

folder=$(realpath -m "$1")
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)

rm -rf "$folder"
mkdir -p "$folder/source"
git -C "$root" archive HEAD | tar -x -C "$folder/source"
export GOENV GOMODCACHE GOCACHE
GOENV=$(go env GOENV) GOMODCACHE=$(go env GOMODCACHE) GOCACHE=$(go env GOCACHE)

log=$folder/build.log
(cd "$folder/source" && dpkg-buildpackage -us -uc -b -Ppkg.libsslcache.own-go) >"$log" 2>&1 ||
    { tail -n 40 "$log" && exit 1; }
lintian --fail-on error,warning --allow-root "$folder"/*.changes
ls "$folder"/*.deb
