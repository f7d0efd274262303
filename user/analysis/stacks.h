/* SPDX-License-Identifier: GPL-2.0-only */
/* The stacks of one space held against each other. */
#ifndef MMLENS_ANALYSIS_STACKS_H
#define MMLENS_ANALYSIS_STACKS_H

#include <stddef.h>

#include "model/stack.h"

/*
 * Sorts by address and marks the stacks of two threads that overlap; returns how many. A vfork
 * child on its parent's stack is as it should be.
 */
size_t stacks_overlaps(struct stack *s, size_t n);
/* The largest users first; those not known last. */
void stacks_sort(struct stack *s, size_t n);

#endif
