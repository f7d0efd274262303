/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stream of events adds up to: the counts of stat, from events instead of the kernel's own
 * tables. For a file that was cut short, and for a part of one.
 */
#ifndef MMLENS_ANALYSIS_TALLY_H
#define MMLENS_ANALYSIS_TALLY_H

#include "model/event.h"

struct tally;

struct tally *tally_new(void);
/* -ENOMEM or 0. `cast` is as of this event. */
int tally_add(struct tally *t, const struct event *ev, const struct cast *cast);
/* Into a zeroed `out`. -ENOMEM or 0. */
int tally_read(const struct tally *t, struct switches *out);
/* Only the pairs, in place of those in `out`. -ENOMEM or 0. */
int tally_read_pairs(const struct tally *t, struct switches *out);
void tally_free(struct tally *t);

#endif
