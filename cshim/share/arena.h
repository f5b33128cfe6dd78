/*
 * arena.h - the contract of the table of the memory store, which is Go without Go's runtime (internal/arena).
 */
#ifndef SSLCACHE_ARENA_H
#define SSLCACHE_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum arena_operation {
    ARENA_FORMAT = 1, /* writes the header of a region whose bytes are all zero */
    ARENA_CHECK,      /* DONE: the region has such a header */
    ARENA_PUT,        /* stores a record, in the place of one of the same name */
    ARENA_FIND,       /* DONE: copies the record. GONE: it was removed */
    ARENA_TAKE,       /* the same, and takes the record out in one step */
    ARENA_REMOVE,     /* takes the record out, and remembers that until `expiry` */
    ARENA_LOOK,       /* tells what FIND would, and copies nothing */
    ARENA_TAKE_OVER,  /* empties the bucket, whose owner is dead */
    ARENA_SUSPECT,    /* empties the bucket if its owner has held it for longer than a minute */
    ARENA_SPOIL,      /* has the bucket emptied by whoever holds it next, without waiting */
};

enum arena_status {
    ARENA_MISSED,
    ARENA_DONE,
    ARENA_GONE,      /* the record was removed, by whichever process */
    ARENA_BUSY,      /* another holds the bucket: `owner` and `turn` say who */
    ARENA_REFUSED,   /* no such region, or too long a record */
    ARENA_ABANDONED, /* die_at was reached: the process is to end now, with the bucket in its hands */
};

enum {
    ARENA_NAME_SIZE = 24,
    ARENA_HEADER_SIZE = 4096,
    ARENA_BUCKET_SIZE = 256 << 10,
    ARENA_RECORD_MAX = 258 * 128
};

/* What an operation needs, and what it gives: Call in internal/arena. */
struct arena_call {
    void *region;
    uint64_t size; /* of the region */
    uint64_t me;   /* who asks; not 0 */
    unsigned char name[ARENA_NAME_SIZE];
    void *record;    /* PUT: the record; FIND, TAKE: room for it */
    uint64_t length; /* of the record; FIND, TAKE: of the room, then of what was written there */
    int64_t now;     /* seconds */
    int64_t expiry;  /* PUT, REMOVE: the last second in which the record counts */
    uint64_t owner;  /* BUSY gives it, TAKE_OVER and SUSPECT take it: who holds the bucket */
    uint64_t turn;   /* goes with owner: how often the bucket was held by then */
    uint64_t die_at; /* 0, or the step of the operation at which to answer ABANDONED */
    uint64_t step;   /* which step the operation has reached; for its own use */
    uint32_t operation;
    uint32_t evicted;   /* records that gave way though they had not expired */
    uint32_t emptied;   /* 1: the bucket was in disorder, and was emptied */
    uint32_t suspected; /* 1, with BUSY: somebody has waited for this owner in vain already */
};

_Static_assert(sizeof(struct arena_call) == 128, "as Go has it: TestCallIsThatOfC");

/* Does it. The answer is one of enum arena_status. Waits for nobody. */
int64_t direct_arena_run(struct arena_call *call);

#endif
