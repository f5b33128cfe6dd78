#!/usr/bin/env bash
# Writes an overlay (go build -overlay) for Go's runtime into a folder, and prints the build flag for it.
#
# Every call from C waits for the end of package initialisation by receiving from a closed channel, and
# that takes the channel's lock: one lock for all threads of the process, long after it is of use. The
# overlay asks first whether the channel is closed. Where the runtime does not have that line (a later
# Go), nothing is overlaid and nothing printed.
# usage: tools/overlay.sh FOLDER
set -euo pipefail

folder=$(realpath -m "$1")
source=$(go env GOROOT)/src/runtime/cgocall.go
wait='if gp.m.ncgo == 0 {'
ask='if gp.m.ncgo == 0 \&\& (*(**hchan)(unsafe.Pointer(\&main_init_done))).closed == 0 {'

mkdir -p "$folder"
sed "s/$wait/$ask/" "$source" >"$folder/cgocall.go"
[ "$(grep -c "$wait" "$source")" -eq 1 ] && grep -q '^		<-main_init_done$' "$source" || exit 0
printf '{"Replace": {"%s": "%s/cgocall.go"}}\n' "$source" "$folder" >"$folder/overlay.json"
echo "-overlay=$folder/overlay.json"
