#!/usr/bin/env bash
# Writes an overlay (go build -overlay) for Go's runtime into a folder, and prints the build flag for it.
#
# Every call from C waits for the end of package initialisation by receiving from a closed channel, and
# that takes the channel's lock: one lock for all threads of the process, long after it is of use. The
# overlay asks first whether the channel is closed. Where the runtime does not have that line (a later
# Go), that file is not overlaid.
#
# Go's threads let some signals through whatever mask they are born with, SIGCHLD and SIGPROF among
# them. A signal that all threads of the program block, to take it with sigwait or signalfd, would be
# delivered to one of Go's and be lost. The overlay takes that mark (_SigUnblock) off all signals but the
# two that glibc keeps for itself. A core without this is no core: the build fails.
#
# Go's files of the standard streams put descriptors that do not block under its poller, which opens
# descriptors of its own: the overlay leaves the streams alone, we never use them.
#
# Go ends the process where its poller's descriptor is gone. A program may close all descriptors that are
# not its own: the overlay lets Go poll in vain then, ten milliseconds at a time. Requests to the store
# run into their timeouts, and the program goes on.
#
# At its start Go looks at cgroup files even where GODEBUG says that it should not, and leaves one open
# when descriptors are short. The overlay does not let it look.
# usage: tools/overlay.sh FOLDER
set -euo pipefail

folder=$(realpath -m "$1")
runtime=$(go env GOROOT)/src/runtime
wait='if gp.m.ncgo == 0 {'
ask='if gp.m.ncgo == 0 \&\& (*(**hchan)(unsafe.Pointer(\&main_init_done))).closed == 0 {'
table=sigtab_linux_generic.go

mkdir -p "$folder"
sed '/"signal 3[23]"/!s/ + _SigUnblock//' "$runtime/$table" >"$folder/$table"
[ "$(grep -c _SigUnblock "$folder/$table")" -eq 2 ] || {
    echo "tools/overlay.sh: the signals of this Go are not as expected" >&2
    exit 1
}
replaced="\"$runtime/$table\": \"$folder/$table\""
if [ "$(grep -c "$wait" "$runtime/cgocall.go")" -eq 1 ] && grep -q '^		<-main_init_done$' "$runtime/cgocall.go"; then
    sed "s/$wait/$ask/" "$runtime/cgocall.go" >"$folder/cgocall.go"
    replaced="$replaced, \"$runtime/cgocall.go\": \"$folder/cgocall.go\""
fi
sed '/^\tdefaultGOMAXPROCSInit()$/d' "$runtime/proc.go" >"$folder/proc.go"
replaced="$replaced, \"$runtime/proc.go\": \"$folder/proc.go\""
sed -E 's/NewFile\(uintptr\((syscall\.Std[a-z]+)\), ("[^"]*")\)/newFile(\1, \2, kindNewFile, false)/' \
    "$runtime/../os/file.go" >"$folder/file.go"
[ "$(grep -c ', kindNewFile, false)' "$folder/file.go")" -eq 3 ] || {
    echo "tools/overlay.sh: the standard streams of this Go are not as expected" >&2
    exit 1
}
replaced="$replaced, \"$(realpath "$runtime/../os/file.go")\": \"$folder/file.go\""
poller=netpoll_epoll.go
sed 's/^\t\t\tthrow("runtime: netpoll failed")$/\t\t\tif delay != 0 {\n\t\t\t\tusleep(10000)\n\t\t\t}\n\t\t\treturn gList{}, 0/
    /println("runtime: epollwait on fd"/d' "$runtime/$poller" >"$folder/$poller"
[ "$(grep -c 'usleep(10000)' "$folder/$poller")" -eq 1 ] || {
    echo "tools/overlay.sh: the poller of this Go is not as expected" >&2
    exit 1
}
replaced="$replaced, \"$runtime/$poller\": \"$folder/$poller\""
printf '{"Replace": {%s}}\n' "$replaced" >"$folder/overlay.json"
echo "-overlay=$folder/overlay.json"
