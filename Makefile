# libsslcache: `make help` lists the targets.

VERSION := $(shell cat VERSION)
BUILD := build
CORE_TAGS :=
GO_ARCHIVE := build/go.a
GO_LIBRARY_SOURCES := $(wildcard capi/library/*.c)
CC ?= cc
OBJCOPY ?= objcopy
GO ?= go

C_SOURCES := cshim.c $(wildcard cshim/*.c cshim/*/*.c)
C_HEADERS := $(wildcard cshim/*/*.h capi/*.h capi/*/*.h) include/sslcache.h
C_FORMATTED = $(shell git ls-files '*.c' '*.h')
FREESTANDING_SOURCES := $(shell find internal/arena internal/cache internal/direct internal/host tools/freestanding -name '*.go' -not -name '*_test.go' 2>/dev/null) go.mod go.sum
GO_SOURCES := $(shell find capi internal/arena internal/cache internal/direct internal/host internal/store \( -name '*.go' -o -name '*.s' \) -not -name '*_test.go') go.mod go.sum
COMMAND_SOURCES := $(shell find cmd internal/command internal/store/keyfile -not -type d -not -name '*_test.go') cshim/settings/settings.c cshim/settings/settings.h go.mod go.sum

CFLAGS ?= -O2 -g
GO_LDFLAGS := -s
# Thread-local storage of the static kind: reading it calls nothing, also in a signal handler.
C_FLAGS = $(DIALECT) -fPIC -ftls-model=initial-exec $(CPPFLAGS) $(CFLAGS) $(SANITIZE)
# What we stand before includes functions that OpenSSL 3.4 and later call deprecated. A warning is an error in
# `make lint` only.
DIALECT = -std=c11 -Wall -Wextra -I. -DOPENSSL_SUPPRESS_DEPRECATED -DSSLCACHE_VERSION='"$(VERSION)"'
# -Bsymbolic: what we define and call is ours, whoever stands before us. nodelete: libssl has pointers to our callbacks.
LINK_FLAGS = -shared -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,-z,now \
	-Wl,--version-script=cshim/libsslcache.map -Wl,-soname,libsslcache.so.1 $(LDFLAGS) $(SANITIZE)
LINK_STRICT = $(if $(SANITIZE),,-Wl,--no-undefined)

LIBRARIES = -lpthread -ldl
# The files of `make release`, which are linked otherwise.
RELEASE = $(BUILD)/release

# How long a fuzz target runs in `make test`.
FUZZ_TIME ?= 10s

# What `make bare` makes, and in which suite of Debian.
BARE ?= run test
SUITE ?= $(shell sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

.DELETE_ON_ERROR:
.PHONY: all help debug arm64 arm64-release release systems install uninstall deb abi abi-record run test mutate lint asan man packages bench bench-store replay apps ftp picture soak bare libssls differential clean

all: $(BUILD)/libsslcache.so $(BUILD)/libsslcache-go.so.1 $(BUILD)/checked $(BUILD)/sslcache ## build the library, build/libsslcache.so, the library that has Go's runtime, and the command build/sslcache

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the library ----

# The cache without Go's runtime: tools/freestanding takes it out of a Go binary that is never run, and fails where what Go's
# compiler has made of it can't do without.
$(BUILD)/core.s: $(FREESTANDING_SOURCES)
	@mkdir -p $(@D)
	CGO_ENABLED=0 GOOS=linux $(GO) build -buildmode=pie -buildvcs=false -trimpath -tags '$(CORE_TAGS)' \
		-o $(@:.s=.image) ./internal/direct/image
	env -u GOARCH CGO_ENABLED=0 $(GO) run ./tools/freestanding $(@:.s=.image) $@

$(BUILD)/core.o: $(BUILD)/core.s
	$(CC) -c -o $@ $<

# Go's entry moves out of .init_array: loading the library starts nothing (see capi/library/library.c). What its runtime
# asks of libc it asks of capi/library/runtime.c, which reads the runtime's table of signals too
# (capi/library/image.c: memory that is not used).
GO_LIBC := pthread_create pthread_attr_init mmap munmap sigaction abort

$(GO_ARCHIVE): $(GO_SOURCES) $(wildcard capi/*.h)
	@mkdir -p $(@D)
	$(GO) build -buildmode=c-archive -tags netgo,osusergo -trimpath -ldflags='$(GO_LDFLAGS)' -o $@ ./capi
	@rm -f $(@:.a=.h)
	$(OBJCOPY) --rename-section .init_array=sslcache_go_entry \
		--redefine-sym runtime.sigtable=go_signals --globalize-symbol go_signals \
		--redefine-sym crypto/internal/fips140/drbg.memory=go_fips_memory --globalize-symbol go_fips_memory \
		$(foreach name,$(GO_LIBC),--redefine-sym $(name)=runtime_$(name)) $@

$(BUILD)/objects/%.o: %.c $(C_HEADERS) Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -c -o $@ $<

$(BUILD)/libsslcache.so $(RELEASE)/libsslcache.so: $(C_SOURCES:%.c=$(BUILD)/objects/%.o) $(BUILD)/core.o cshim/libsslcache.map
	$(CC) $(LINK_FLAGS) $(LINK_STRICT) -o $@ $(filter %.o,$^) $(LIBRARIES)
	@ln -sf libsslcache.so $@.1

# Not sanitized: it writes its data anew as a whole (see capi/library/image.h).
$(BUILD)/libsslcache-go.so.1: override SANITIZE :=
$(BUILD)/libsslcache-go.so.1 $(RELEASE)/libsslcache-go.so.1: $(GO_LIBRARY_SOURCES:%.c=$(BUILD)/objects/%.o) $(GO_ARCHIVE) capi/library/library.map
	$(CC) -shared -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,-z,now -Wl,--version-script=capi/library/library.map \
		-Wl,-soname,libsslcache-go.so.1 $(LDFLAGS) -Wl,--no-undefined -o $@ $(filter %.o %.a,$^) $(LIBRARIES)

# Some linkers make a library of this that does not work.
$(BUILD)/checked: tools/check.sh $(BUILD)/libsslcache.so $(BUILD)/libsslcache-go.so.1
	@tools/check.sh $(BUILD) '$(CC) $(LDFLAGS)'
	@touch $@

# ---- the command ----

# Static, so that it runs on the machines whose programs it is for. C is in it for the parser of settings.
$(BUILD)/sslcache: $(COMMAND_SOURCES) VERSION
	@mkdir -p $(@D)
	CC='$(CC)' CGO_ENABLED=1 $(GO) build -tags netgo,osusergo -trimpath \
		-ldflags '-s -X main.version=$(VERSION) -linkmode external -extldflags "-static"' -o $@ ./cmd/sslcache

man: ## write the manual pages of sslcache into build/man
	env -u GOARCH CC=cc CGO_ENABLED=1 $(GO) run ./tools/manual $(VERSION) build/man

# ---- the library under sanitizers, for gdb, and for another processor ----

asan: ## build build/asan/libsslcache.so, its C part under AddressSanitizer and UBSan, the order of locks checked
	@$(MAKE) --no-print-directory BUILD=build/asan CFLAGS='-O1 -g -fno-omit-frame-pointer -DSSLCACHE_CHECK_LOCKS' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		build/asan/libsslcache.so build/asan/libsslcache-go.so.1

debug: ## build build/debug/libsslcache.so, for gdb: C not optimised, Go's indices and the order of locks checked
	@$(MAKE) --no-print-directory BUILD=build/debug GO_ARCHIVE=build/debug/go.a CORE_TAGS=debug CFLAGS='-O0 -g -DSSLCACHE_CHECK_LOCKS' GO_LDFLAGS= \
		build/debug/libsslcache.so build/debug/libsslcache-go.so.1

ARM64 = BUILD=build/arm64 GO_ARCHIVE=build/arm64/go.a GOARCH=arm64 CGO_ENABLED=1 \
	CC=aarch64-linux-gnu-gcc OBJCOPY=aarch64-linux-gnu-objcopy CPPFLAGS=-I$(CURDIR)/build/libssl/3.0-arm64/usr/include

arm64: packages ## build build/arm64/libsslcache.so with Debian's cross compiler
	$(GO) run ./tests/libssls/cmd/libssls 3.0-arm64
	@$(MAKE) --no-print-directory $(ARM64) build/arm64/libsslcache.so build/arm64/libsslcache-go.so.1

arm64-release: arm64 build/sslcache ## write a release for arm64, in build/arm64/release
	@$(MAKE) --no-print-directory $(ARM64) release

# ---- the release: one binary for old systems and new ones ----

# The newest version of glibc whose symbols the libraries of a release may need: tools/glibc has stand-ins of that
# glibc for the linker, tools/release/older.c what is newer and can be had otherwise.
RELEASE_GLIBC := 2.17
RELEASE_LIBRARIES = -nodefaultlibs -Wl,--as-needed $(RELEASE)/glibc/lib*.so.? $(RELEASE)/glibc/ld-*.so.? -lgcc $$($(CC) -print-file-name=libc_nonshared.a)
RELEASE_LINKED := $(RELEASE)/libsslcache.so $(RELEASE)/libsslcache-go.so.1
$(RELEASE_LINKED): LIBRARIES = $(RELEASE_LIBRARIES)
$(RELEASE_LINKED): $(RELEASE)/older.o $(RELEASE)/glibc/libc.so.6

$(RELEASE)/glibc/libc.so.6: tools/glibc/main.go
	@mkdir -p $(@D)
	env -u GOARCH CGO_ENABLED=0 $(GO) run ./tools/glibc -newest $(RELEASE_GLIBC) -cc '$(CC)' $(@D)

$(RELEASE)/older.o: tools/release/older.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -O2 -fPIC -fno-builtin -c -o $@ $<

release: $(RELEASE_LINKED) $(BUILD)/sslcache man ## write build/release/sslcache-VERSION-linux-ARCH.tar.gz, which needs no glibc newer than 2.17
	@OBJCOPY=$(OBJCOPY) GO=$(GO) tools/release.sh $(BUILD) $(or $(GOARCH),$(shell $(GO) env GOARCH)) $(RELEASE)

# ---- its installation ----

PREFIX := /usr/local
LIBDIR := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR := $(PREFIX)/share/man
INSTALL = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	MANDIR='$(MANDIR)' tools/install.sh

install: all man ## install under DESTDIR and PREFIX (LIBDIR, INCLUDEDIR, MANDIR)
	@$(INSTALL) install $(BUILD)

uninstall: man ## take away what `make install` has installed
	@$(INSTALL) uninstall $(BUILD)

deb: packages ## build Debian packages in build/deb from what is committed; lintian checks them
	@tools/deb.sh build/deb

# ---- its ABI ----

ABI := abi/libsslcache.abi.xml
ABI_INTERNAL := --suppressions abi/internal.suppressions

abi: packages all ## compare the ABI with the one of the last release; more functions are no difference
	abidiff --no-added-syms $(ABI_INTERNAL) $(ABI) $(BUILD)/libsslcache.so

abi-record: packages all ## record the ABI, for a release
	abidw --exported-interfaces-only $(ABI_INTERNAL) --no-corpus-path --no-comp-dir-path --no-show-locs \
		--no-elf-needed --type-id-style hash --out-file $(ABI) $(BUILD)/libsslcache.so

# ---- the two commands ----

run: ## build, and show an unmodified OpenSSL server that resumes out of our cache
	@tools/packages.sh packages
	@$(MAKE) --no-print-directory all
	@examples/run.sh $(BUILD)

test: packages ## run every test, and say at the end what ran
	@$(MAKE) --no-print-directory all asan abi release
	@$(GO) run ./tools/testsummary \
		'CGO_ENABLED=0 $(GO) test -json ./internal/arena ./internal/cache ./internal/direct' \
		'$(GO) test -json -race ./internal/... ./capi' \
		'tests/fuzz.sh $(FUZZ_TIME)' \
		'$(GO) test -json -timeout 30m ./tests/... ./tools/...'

mutate: packages all ## break 120 places in Go and C, and say which of these faults no test notices; an hour or two
	$(GO) run ./tools/mutate

# ---- more ----

# Who may include whom in cshim/: the lowest room first, each with the rooms that its files may include beside their own.
# Nobody includes a room that stands further down, so there are no circles. load.c, and cshim.c, may include all.
ROOMS := \
	'process:' \
	'settings: process' \
	'core: capi process settings' \
	'libssl: capi process' \
	'context: include process settings core libssl' \
	'trace: process settings libssl context' \
	'share: capi process settings core libssl context trace' \
	'report: process settings libssl context trace share' \
	'takeover: process settings libssl context trace share report'

lint: packages ## check the format and the sense of all code
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@! $(GO) list -deps ./capi ./internal/direct/image | grep internal/command || { echo 'the library uses what is of the command'; exit 1; }
	@unformatted=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); \
		test -z "$$unformatted" || { echo "gofumpt would change: $$unformatted"; exit 1; }
	clang-format --dry-run --Werror $(C_FORMATTED)
	$(GO) run ./tools/rooms cshim $(ROOMS)
	tools/warnings.sh $(DIALECT) -- $(C_SOURCES)
	shellcheck $$(git ls-files '*.sh') .ci/run
	mandoc -T lint -W warning docs/man/*
	$(GO) run ./tools/links $$(git ls-files '*.md' | grep -v /testdata/)

bench: all ## measure our cache beside libssl's; writes docs/performance.md
	@tools/packages.sh bench/packages
	$(GO) run ./bench

bench-store: packages all ## measure what the shared store costs; writes docs/performance-store.md
	$(GO) run ./bench/store

replay: packages all ## send early data twice to two workers that share a store, 10,000 times
	SSLCACHE_REPLAYS=10000 $(GO) test ./tests/sharing/store -run TestEarlyData -count=1 -v -timeout 60m

apps: packages all ## run real programs with and without the library; writes docs/programs.md
	SSLCACHE_APPS=all $(GO) test ./tests/programs/apps -run TestPrograms -count=1 -v -timeout 60m

ftp: packages all ## run FTP servers and clients that demand TLS; writes docs/clients-programs.md
	SSLCACHE_APPS=all $(GO) test ./tests/programs/ftp -run TestDataConnectionsResume -count=1 -v -timeout 60m

picture: packages all ## run a busy nginx and take a picture of its report; writes docs/report.png
	@tools/picture.sh $(BUILD) docs/report.png

soak: packages all ## 15 minutes of an s_server and an nginx under load, signals and reloads
	SSLCACHE_SOAK=15m $(GO) test ./tests/programs/apps -run TestSoak -count=1 -v -parallel 3 -timeout 60m

bare: packages ## run BARE, the two commands, on a bare Debian (SUITE: bookworm, trixie) that has Go, git and make
	@tools/bare.sh build/_roots $(SUITE) $(BARE)

systems: packages ## build and run on each Debian, with each Go, and the release on each; writes the table of the README
	@$(MAKE) --no-print-directory all release
	tools/systems.sh build/_roots README.md

libssls: packages ## unpack every libssl that Debian ships under build/
	$(GO) run ./tests/libssls/cmd/libssls

differential: packages all ## 100,000 scripts of operations under every libssl, alone and under ours; 20,000 by way of cgo
	SSLCACHE_SCRIPTS=100000 SSLCACHE_SCRIPTS_BY_CGO=20000 $(GO) test -timeout 0 -v ./tests/behaviour/differential

packages: ## install the Debian packages that are missing (as root)
	@tools/packages.sh packages tools/packages tests/*/*/packages

clean: ## remove build/
	rm -rf build
