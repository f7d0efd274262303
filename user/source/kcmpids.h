/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ids for what tasks share, from nothing but pairwise comparison: kcmp(2) orders the kernel's
 * objects without showing them, so sorting by it numbers each object in O(n log n) calls, as CRIU
 * does. Threads are compared with their group's first, which takes one call for all but the odd.
 *
 * kcmp(2) calls two absent objects equal. Each task is therefore first compared with one that
 * surely has none (a zombie), and such a task gets the id 0: known to have none.
 */
#ifndef MMLENS_SOURCE_KCMPIDS_H
#define MMLENS_SOURCE_KCMPIDS_H

#include "model/snapshot.h"

/* 0 equal, 1 less, 2 greater, 3 different without an order, or -errno. */
typedef int (*kcmp_fn)(uint32_t a, uint32_t b, enum resource r);

struct kcmp_world {
	kcmp_fn compare;
	uint32_t nobody; /* a task without any of the resources but its signal handlers */
};

/*
 * Sets the resources that kcmp(2) judges in a sealed snapshot; `lean`: the space alone. A task
 * that may not be compared keeps them unknown and is counted in `withheld`, one that vanished
 * meanwhile in `raced`. -ENOMEM or 0.
 */
int kcmpids_assign(struct snapshot *s, const struct kcmp_world *world, bool lean);

/* The system call itself, and the zombie for `nobody` (0 when none can be made) and its end. */
int kcmp_system(uint32_t a, uint32_t b, enum resource r);
uint32_t kcmp_nobody_new(void);
void kcmp_nobody_free(uint32_t pid);

/*
 * A word for an object by its oldest user: that one's tid, and start in units of 10 ms. No two
 * living tasks have the same, and it stays as long as that task does.
 */
uint64_t kcmpids_word(const struct task *user);

#endif
