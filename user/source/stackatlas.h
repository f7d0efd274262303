/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the user stack of each thread of a space: one pass over its mappings, and of each stack
 * its pages and the C library's descriptor of the thread, which lies at the top of its stack.
 */
#ifndef MMLENS_SOURCE_STACKATLAS_H
#define MMLENS_SOURCE_STACKATLAS_H

#include <stddef.h>

#include "model/stack.h"

/*
 * Fills `n` stacks of one space whose `task` and, where known, `sp` are set. `pid`: any task of
 * it. -errno when its mappings cannot be read.
 */
int stackatlas_fill(uint32_t pid, struct stack *s, size_t n);

#endif
