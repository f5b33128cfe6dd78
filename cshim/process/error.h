/* error.h - the names of errors. glibc has them from 2.32 on only, and strerror(3) speaks the language of
 * the program and may load a catalogue for it. */
#ifndef SSLCACHE_ERROR_H
#define SSLCACHE_ERROR_H

/* The name of an errno: "ENOENT". It is safe in a signal handler and leaves errno as it is. */
const char *error_name(int error);

#endif
