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

#endif
