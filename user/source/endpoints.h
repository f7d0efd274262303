/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes hold that may lead to others: descriptors, mappings, queues, tracers. */
#ifndef MMLENS_SOURCE_ENDPOINTS_H
#define MMLENS_SOURCE_ENDPOINTS_H

#include "model/channel.h"

/*
 * Reads all processes (b 0) or the two. What vanishes meanwhile is left out; what may not be seen
 * is counted. -errno or 0.
 */
int endpoints_read(uint32_t a, uint32_t b, struct endpoints *out);
/* Of these processes only. */
int endpoints_read_some(const uint32_t *pids, size_t n, struct endpoints *out);

/*
 * source/sockets.c: fills type and peer of the socket endpoints, as the network namespaces of their
 * holders tell, and drops those that lead to no other task. -ENOMEM or 0.
 */
int sockets_resolve(struct endpoints *es);

/* A type that only sockets_resolve() settles. */
#define CHANNEL_SOCKET CHANNEL_NR

#endif
