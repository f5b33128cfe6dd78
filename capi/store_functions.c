//go:build store

// Only the core that has the store has this table: cshim/process/generation.c asks whether it is there.
#include "capi/store.h"

const struct store_functions sslcache_store_functions = {
#define X(result, name, arguments) .name = core_##name,
    STORE_FUNCTIONS(X)
#undef X
};
