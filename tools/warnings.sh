#!/usr/bin/env bash
# Compiles C with gcc and with clang against the headers of every libssl, and fails where one warns.
# usage: tools/warnings.sh FLAG... -- SOURCE...
set -euo pipefail

flags=()
while [ "$1" != -- ]; do
    flags+=("$1")
    shift
done
shift

go run ./tests/libssls/cmd/libssls -headers | while read -r version headers; do
    for compiler in gcc clang; do
        echo "$compiler, headers of OpenSSL $version"
        printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" \
            "$compiler" "${flags[@]}" -Werror -fsyntax-only ${headers:+"-I$headers"}
    done
done
