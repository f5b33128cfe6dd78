/* image.h - the data of this library, as they are before its Go runtime starts. */
#ifndef SSLCACHE_IMAGE_H
#define SSLCACHE_IMAGE_H

#include <stdbool.h>

#include "capi/library.h"

/*
 * Before the first start: notes the data. In a forked child of a process that had a runtime: writes them back, so that
 * the next runtime finds all as the first did; what the dead one had mapped stays, shared with the parent. False: there
 * is no memory.
 */
bool image_renew(struct go_image *image);

#endif
