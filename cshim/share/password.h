/*
 * password.h - the password of the store's server, in the file that SSLCACHE_STORE_PASSWORD_FILE names: an address
 * with a password in it is in the environment, and on a command line, where others read it.
 */
#ifndef SSLCACHE_PASSWORD_H
#define SSLCACHE_PASSWORD_H

/*
 * Reads it: a program may change its user, or its root, before it is needed. Why it can't be used, in a few words, or
 * NULL, also where there is no such file. The caller has a lock for it.
 */
const char *password_read(void);

/* The password, "" for none. */
const char *password_text(void);

#endif
