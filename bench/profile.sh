#!/usr/bin/env bash
# bench/profile.sh LIBRARY [SESSIONS] - where the instructions of an operation go, alone and with our library preloaded, as a
# table in Markdown. It counts instructions under valgrind's callgrind, so other programs on the machine change nothing.
# `make bench` puts it on its page.
set -euo pipefail

library=$(realpath "${1:?which library? build/libsslcache.so}")
cd "$(dirname "$0")/.."
sessions=${2:-10000}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

command -v valgrind >/dev/null || { echo "profile: valgrind is not there; apt-get install valgrind" >&2; exit 1; }

# Not inlined, so that each operation has a function that callgrind can be told of.
cc -std=c11 -D_GNU_SOURCE -O2 -fno-inline -o "$folder/bench" bench/program/*.c -lssl -lcrypto -pthread -ldl

# count NAME FUNCTION LIBRARY - counts what FUNCTION of the C program and all it calls execute.
count() {
	LD_PRELOAD=$3 valgrind --tool=callgrind --toggle-collect="$2" --callgrind-out-file="$folder/$1" \
		"$folder/bench" operations --sessions "$sessions" --operations "$sessions" >/dev/null 2>"$folder/log" ||
		{ cat "$folder/log" >&2; exit 1; }
}

# shares NAME - the instructions of libssl, libcrypto and libc; of the cache in Go; of our C.
shares() {
	callgrind_annotate --threshold=100 "$folder/$1" 2>/dev/null | awk '
		/^ *[0-9,]+ \(.*:.*\[/ { n = $1; gsub(/,/, "", n)
			if (!/libsslcache/) theirs += n
			else if (/:(cache|direct|host)\.|:direct_/) cache += n
			else ours += n }
		END { printf "%d %d %d\n", theirs, cache, ours }'
}

# row WHAT FUNCTION TIMES - one operation, which FUNCTION and what it calls do TIMES times in all.
row() {
	local alone ours
	count alone "$2" ""
	count ours "$2" "$library"
	read -r alone _ _ < <(shares alone)
	read -ra ours < <(shares ours)
	awk -v what="$1" -v n="$3" -v alone="$alone" -v theirs="${ours[0]}" -v cache="${ours[1]}" -v own="${ours[2]}" 'BEGIN {
		total = theirs + cache + own
		printf "| %s | %d | %d | %.2f × | %d | %d | %d |\n", what, alone / n, total / n, total / alone, theirs / n, cache / n, own / n }'
}

echo "| instructions, $sessions sessions | libssl alone | ours | | of ours: in libssl and libc | in the cache | in our C |"
echo "|---|---|---|---|---|---|---|"
row "add, from an empty cache" fill $((4 * sessions + 1)) # in the four measurements that begin with a new context, and to warm up
row "a pair of add and remove" measure_pairs "$sessions"
row "flush, for each session" flush_all $((2 * sessions))
row "add into a full cache" measure_evictions "$sessions"
