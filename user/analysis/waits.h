/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long tasks ran and waited, from a stream of events: the delays of stat, which the kernel's
 * programs do not count while they record.
 *
 * A recording may hold only a part of what a task did, because its switches were filtered or lost.
 * So only a task all of whose switches are there is told, by the kernel's own counters of it, and a
 * wait counts when the task's next switch is seen, which is under them.
 */
#ifndef MMLENS_ANALYSIS_WAITS_H
#define MMLENS_ANALYSIS_WAITS_H

#include "model/event.h"

struct waits;

/*
 * Of the tasks that `counted` has from the kernel, those of which `seen`, a tally of the whole
 * stream, has as many switches. NULL: out of memory.
 */
struct waits *waits_new(const struct switches *counted, const struct switches *seen);
/* Each event in its order. `sides`: EVENT_SIDE_*, whose waits are asked for. */
void waits_add(struct waits *w, const struct event *ev, const struct cast *cast,
	       unsigned int sides);
/*
 * Into the delays of `out` and of its tasks. `all`: no switch of the machine was left out on
 * purpose, so that also the last wait of a task that goes on running is a wait.
 */
void waits_read(struct waits *w, struct switches *out, bool all);
void waits_free(struct waits *w);

#endif
