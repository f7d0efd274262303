/* SPDX-License-Identifier: GPL-2.0-only */
/* The stacks of a space, for `stacks` and `show`. */
#ifndef MMLENS_CMD_ATLAS_H
#define MMLENS_CMD_ATLAS_H

#include "cmd/state.h"
#include "model/stack.h"

/* All user tasks of the space; *out is the caller's to free. -errno. */
int atlas_of(const struct state *st, const struct space *sp, struct stack **out, size_t *n);
/* Writes what was found into the tasks of the snapshot. */
void atlas_apply(struct state *st, const struct stack *s, size_t n);

#endif
