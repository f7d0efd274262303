/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/maps, one mapping at a time: memory does not grow with the subject. The kernel keeps
 * the order of addresses, but mappings may come and go between two reads of it.
 */
#ifndef MMLENS_SOURCE_MAPS_H
#define MMLENS_SOURCE_MAPS_H

#include <stddef.h>

#include "model/region.h"

struct maps;

/* -errno: -ESRCH and -ENOENT: no such process; -EACCES: not for you. */
int maps_open(uint32_t pid, struct maps **out);
/* Takes the descriptor, for tests. */
int maps_from(int fd, struct maps **out);
void maps_close(struct maps *m);

/* 1 and a mapping, 0 behind the last, -errno; -EPROTO for a line that is none. */
int maps_next(struct maps *m, struct region *r);
/* Overlaps that were skipped because the mappings changed while they were read. */
uint64_t maps_raced(const struct maps *m);

/* One line without its newline; -EPROTO. */
int maps_parse(const char *line, struct region *r);

#endif
