/*
 * say.h - the one way in which the library speaks: a line on standard error, at most once a subject.
 *
 * Only while descriptor 2 is the file that it was when the library was loaded: programs close it and get a connection
 * or a file of their own under that number. And never where it is a connection from the start (inetd).
 */
#ifndef SSLCACHE_SAY_H
#define SSLCACHE_SAY_H

#include <stdatomic.h>

/* Notes what descriptor 2 is. To be called when the library is loaded, before anything is said. */
void say_prepare(void);

/* Prints "sslcache: " and the text, unless *was_said is set already, and sets it. errno stays as it was. */
void say_once(atomic_flag *was_said, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
