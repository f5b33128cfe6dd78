/* say.h - the one way in which the library speaks: a line on standard error, at most once a
 * subject. */
#ifndef SSLCACHE_SAY_H
#define SSLCACHE_SAY_H

#include <stdatomic.h>

/* Prints "sslcache: " and the text, unless *said is set already. errno stays as it was. */
void say_once(atomic_flag *said, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
