#!/usr/bin/env bash
# Runs each native fuzz target of the Go packages for a while.
# usage: tests/fuzz.sh TIME
set -euo pipefail

grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' internal |
    while IFS=: read -r file function; do
        go test -run '^$' -fuzz "^${function#func }\$" -fuzztime "$1" "./$(dirname "$file")"
    done
