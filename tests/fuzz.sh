#!/usr/bin/env bash
# Runs each native fuzz target of the Go packages for a while. An input is hardly minimised: hashes are
# seeded anew in each run, so its coverage can't be repeated and a longer search for less would stall.
# usage: tests/fuzz.sh TIME
set -euo pipefail

grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' internal |
    while IFS=: read -r file function; do
        go test -run '^$' -fuzz "^${function#func }\$" -fuzztime "$1" -fuzzminimizetime 20x "./$(dirname "$file")"
    done
