#!/usr/bin/env bash
# Installs what was built, or takes it away again: one list serves both.
# usage: [DESTDIR=..] PREFIX=.. LIBDIR=.. INCLUDEDIR=.. MANDIR=.. tools/install.sh install|uninstall BUILD [MANUAL]
# SSLCACHE is the command that tells its completion, where the one in BUILD is for another processor.
set -euo pipefail

action=$1
build=$2
manual=${3:-$build/man}
command=${SSLCACHE:-$build/sslcache}
root=$(cd "$(dirname "$0")/.." && pwd)

place() { # FILE TARGET [MODE]
    case $action in
    install) install -D -m "${3:-644}" "$1" "${DESTDIR:-}$2" ;;
    uninstall) rm -f "${DESTDIR:-}$2" ;;
    esac
}

place_link() { # TEXT TARGET
    case $action in
    install) ln -sf "$1" "${DESTDIR:-}$2" ;;
    uninstall) rm -f "${DESTDIR:-}$2" ;;
    esac
}

fill_in() { # TEMPLATE
    sed -e "s|@PREFIX@|$PREFIX|" -e "s|@LIBDIR@|$LIBDIR|" -e "s|@INCLUDEDIR@|$INCLUDEDIR|" \
        -e "s|@VERSION@|$(cat "$root/VERSION")|" "$1"
}

page_target() { # PAGE; section 3sslcache lives in man3
    local name section
    name=$(basename "$1")
    section=${name##*.}
    echo "$MANDIR/man${section:0:1}/$name"
}

place "$build/libsslcache.so" "$LIBDIR/libsslcache.so.1"
place_link libsslcache.so.1 "$LIBDIR/libsslcache.so"
place "$build/libsslcache-go.so.1" "$LIBDIR/libsslcache-go.so.1"
place "$root/include/sslcache.h" "$INCLUDEDIR/sslcache.h"
place <(fill_in "$root/include/sslcache.pc.in") "$LIBDIR/pkgconfig/sslcache.pc"

for page in "$root"/docs/man/*; do
    place "$page" "$(page_target "$page")"
done
for name in SSL_add_session SSL_CTX_remove_session SSL_remove_session; do
    place_link SSL_CTX_add_session.3sslcache "$MANDIR/man3/$name.3sslcache"
done

place "$build/sslcache" "$PREFIX/bin/sslcache" 755
for page in "$manual"/*; do
    place "$page" "$(page_target "$page")"
done
place <("$command" completion bash) "$PREFIX/share/bash-completion/completions/sslcache"
place <("$command" completion zsh) "$PREFIX/share/zsh/site-functions/_sslcache"
place <("$command" completion fish) "$PREFIX/share/fish/vendor_completions.d/sslcache.fish"

# Where it was installed for this machine, the dynamic linker has to be told.
if [ -z "${DESTDIR:-}" ] && [ "$(id -u)" -eq 0 ]; then
    ldconfig
fi
