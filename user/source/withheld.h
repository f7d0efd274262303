/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the reader is not shown: how many tasks, and which right would show them. /proc is asked,
 * because a witness cannot count what it does not see.
 */
#ifndef MMLENS_SOURCE_WITHHELD_H
#define MMLENS_SOURCE_WITHHELD_H

#include "model/snapshot.h"
#include "source/source.h"

/* Threads of the whole host by /proc/loadavg, taken before a pass; 0 when it cannot be told. */
uint64_t withheld_census(void);

/*
 * Adds to `withheld` the tasks that /proc has, or says there are, and a sealed snapshot of the
 * living system lacks; says in `withheld_why` what would show them. `census` is of before the pass.
 */
void withheld_count(struct snapshot *s, uint64_t census);

/* The same of these tasks alone. */
void withheld_count_named(struct snapshot *s, const uint32_t *tids, size_t n);

/* Whether a task of that tid is there though no witness showed it; `why` says what hides it. */
bool withheld_task(uint32_t tid, const char *source, struct why *why);

/* Whether /proc keeps the very pids of others from us, so that "no such task" cannot be said. */
bool withheld_pids(void);

/* The right that would show all of a task that is shown in part only. */
void withheld_right(uint32_t tid, struct why *why);

#endif
