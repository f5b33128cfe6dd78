# libsslcache: `make help` lists the targets.

VERSION := $(shell cat VERSION)
BUILD := build
CC ?= cc
OBJCOPY ?= objcopy
GO ?= go

C_SOURCES := cshim.c $(wildcard cshim/*.c)
C_HEADERS := $(wildcard cshim/*.h) capi/core.h include/sslcache.h
GO_SOURCES := $(shell find capi internal -name '*.go' -not -name '*_test.go') go.mod go.sum

CFLAGS ?= -O2 -g
C_FLAGS = -std=c11 -Wall -Wextra -Werror -fPIC -I. \
	-DSSLCACHE_VERSION='"$(VERSION)"' $(CFLAGS) $(SANITIZE)
# -Bsymbolic: a copy of the library in a forked child must call its own functions. nodelete: a Go
# runtime can't be unloaded.
LINK_FLAGS = -shared -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,-z,now -Wl,--no-undefined \
	-Wl,--version-script=cshim/libsslcache.map -Wl,-soname,libsslcache.so.1

.PHONY: all help
all: $(BUILD)/libsslcache.so ## build the library

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- the library ----

$(BUILD)/core.a: $(GO_SOURCES) capi/core.h
	@mkdir -p $(@D)
	$(GO) build -buildmode=c-archive -trimpath -ldflags='-s' -o $@ ./capi
	@rm -f $(BUILD)/core.h
# Go's entry moves out of .init_array: loading the library starts nothing (see cshim/core.c).
	$(OBJCOPY) --rename-section .init_array=sslcache_go_entry $@

$(BUILD)/objects/%.o: %.c $(C_HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -c -o $@ $<

$(BUILD)/libsslcache.so: $(C_SOURCES:%.c=$(BUILD)/objects/%.o) $(BUILD)/core.a cshim/libsslcache.map
	$(CC) $(LINK_FLAGS) $(SANITIZE) -o $@ $(filter %.o %.a,$^) -lpthread -ldl
