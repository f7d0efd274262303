/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream of events as a trace that the Perfetto UI opens: a track for each CPU whose slices are
 * the tasks that ran, named and so coloured by space; a track for each task, grouped by space; a
 * flow from each wake-up to the run it led to; and for each CPU a counter of address-space loads.
 */
#ifndef MMLENS_RENDER_PERFETTO_H
#define MMLENS_RENDER_PERFETTO_H

#include <stdio.h>

#include "model/event.h"

struct perfetto;

struct perfetto *perfetto_new(FILE *out);
/* What goes wrong is kept, and nothing is written from then on. */
void perfetto_event(struct perfetto *p, const struct event *ev, const struct cast *cast);
/* Ends what still runs and frees. -errno of what could not be written or kept. */
int perfetto_end(struct perfetto *p);

#endif
