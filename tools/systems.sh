#!/usr/bin/env bash
# Builds and runs the library from source in a bare root of each Debian, and the released binary in one that has
# openssl only, and writes what came of it into the table of the README. As root.
# usage: tools/systems.sh ROOTS README
set -euo pipefail

roots=$1
readme=$2
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The modules and what was compiled are this machine's, to save time.
shared="$(go env GOMODCACHE) $(go env GOCACHE)"

value() { # PATTERN in what a run in the root printed
    sed -n "s/$1/\1/p" "$scratch/log" | head -n 1
}

row() { # SYSTEM SUITE
    local source=no released=no
    # shellcheck disable=SC2016 # it is Markdown
    if SHARED=$shared "$here/tools/bare.sh" "$roots" "$2" run >"$scratch/log" 2>&1; then
        source='`make run`'
    else
        tail -n 20 "$scratch/log" >&2
    fi
    local openssl go
    openssl=$(value '^OpenSSL \([0-9.a-z]*\) .*')
    go=$(value '.* code of go\([0-9.]*\) runs .*')
    if SSLCACHE_SYSTEMS=all go test ./tests/packaging/release -count=1 -v -run "TestReleaseRuns/^$2\$" >"$scratch/released" 2>&1 &&
        grep -q "^    --- PASS: TestReleaseRuns/$2 " "$scratch/released"; then
        released="runs, glibc $(sed -n 's/.*ldd.* \([0-9.]*\)$/\1/p' "$scratch/released" | tail -n 1)"
    else
        tail -n 20 "$scratch/released" >&2
    fi
    echo "| $1 | $openssl | $go | $source | $released |"
    [ "$source" != no ] && [ "$released" != no ]
}

failed=0
{
    echo '| system | OpenSSL | Go | built from source | released binary |'
    echo '|---|---|---|---|---|'
    row 'Debian 11' bullseye || failed=1
    row 'Debian 12' bookworm || failed=1
    row 'Debian 13' trixie || failed=1
    row 'Debian sid' sid || failed=1
    row 'Debian sid with experimental' experimental || failed=1
} >"$scratch/table"
cat "$scratch/table"
sed -i -e "/^| system | OpenSSL /,/^\$/{/^\$/!d}" "$readme"
sed -i -e "/^<!-- make systems -->\$/r $scratch/table" "$readme"
exit "$failed"
