/* SPDX-License-Identifier: GPL-2.0-only */
/* What a space holds in memory, as /proc tells it. */
#ifndef MMLENS_SOURCE_PROCMEM_H
#define MMLENS_SOURCE_PROCMEM_H

#include "model/memory.h"

/*
 * Reads through any living task of the space. Fields the reader may not see, or of a task that
 * has gone, stay MEMORY_UNKNOWN; `claimed` is left alone. Returns -errno when nothing was read.
 */
int procmem_read(uint32_t tid, struct memory *m);

/* Its parts, for tests: rss of a statm file (-ESRCH of a task without a space), pss of a smaps_rollup. */
int procmem_parse_statm(const char *statm, struct memory *m);
void procmem_parse_rollup(const char *rollup, struct memory *m);

#endif
