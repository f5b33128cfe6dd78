#!/usr/bin/env bash
# Runs each native fuzz target of the Go packages for a while. An input is hardly minimised: hashes are
# seeded anew in each run, so its coverage can't be repeated and a longer search for less would stall.
# At the end of the time Go sometimes says that its own deadline was exceeded, and means no input: what it then writes is
# that line alone, and it is not shown as a failure.
# usage: tests/fuzz.sh TIME
set -euo pipefail

fuzz() {
    local output
    if output=$(go test -run '^$' -fuzz "^$1\$" -fuzztime "$2" -fuzzminimizetime 20x "$3" 2>&1); then
        printf '%s\n' "$output"
    elif grep -q '^    context deadline exceeded$' <<<"$output" && ! grep -q 'Failing input' <<<"$output"; then
        sed '/^--- FAIL/,$d' <<<"$output"
        printf 'ok  \t%s\tno input failed until the end of the time\n' "$3"
    else
        printf '%s\n' "$output"
        return 1
    fi
}

grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' internal |
    while IFS=: read -r file function; do
        fuzz "${function#func }" "$1" "./$(dirname "$file")"
    done
