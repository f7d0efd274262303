/* SPDX-License-Identifier: GPL-2.0-only */
/* Who descends from whom, in one snapshot. */
#ifndef MMLENS_ANALYSIS_FAMILY_H
#define MMLENS_ANALYSIS_FAMILY_H

#include "model/snapshot.h"

/*
 * The thread groups of `roots` and of all that descends from them, each once, roots first. The
 * array is the caller's to free; -ENOMEM leaves *out untouched.
 */
int family(const struct snapshot *s, const uint32_t *roots, size_t n_roots, uint32_t **out,
	   size_t *n_out);

/*
 * What the thread group of `t` is to that of `me`: parent, child, sibling or descendant; NULL for
 * itself, for kernel threads and for strangers.
 */
const char *family_relation(const struct snapshot *s, const struct task *t, const struct task *me);

#endif
