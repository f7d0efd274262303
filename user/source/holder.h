/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leader that exits before its threads gives up its memory and its descriptors, and its entries
 * in /proc are empty from then on; those of a thread that lives show what the process still has.
 */
#ifndef MMLENS_SOURCE_HOLDER_H
#define MMLENS_SOURCE_HOLDER_H

#include <stdint.h>

/* The task by whose entries a process is seen: `pid` itself, unless it has exited and another lives. */
uint32_t holder_of(uint32_t pid);

#endif
