#!/usr/bin/env bash
# Runs a command in a root, with /proc, /sys, /dev and the network of this machine. What is mounted ends with the
# command. The root is a mount of its own, since a test in it that wants a namespace too could not make the
# mounts of its own private otherwise. As root.
# usage: [BIND='FOLDER...'] tools/inside.sh ROOT COMMAND...; those folders are in the root too, under the same names
set -euo pipefail

root=$1
shift
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
for folder in ${BIND:-}; do
    mkdir -p "$root$folder"
done
# shellcheck disable=SC2016 # the inner shell expands them
root=$root exec unshare --mount --propagation private bash -euo pipefail -c '
    mount --bind "$root" "$root"
    for folder in ${BIND:-}; do
        mount --bind "$folder" "$root$folder"
    done
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" "$@"
' bash "$@"
