/* SPDX-License-Identifier: GPL-2.0-only */
/* One event as a line: for people, or as an object of NDJSON. */
#ifndef MMLENS_RENDER_EVENTS_H
#define MMLENS_RENDER_EVENTS_H

#include <stdio.h>

#include "model/event.h"
#include "render/json.h"

/* How the lines of one stream are written. */
struct event_style {
	bool color;	/* by space */
	uint64_t since; /* where the clock of the lines begins */
};

/*
 * {ts cpu class how cost prev next} for a switch; all others begin with "event". Nothing for
 * EVENT_TASK: the others name the tasks in full.
 */
void json_event(struct json *j, const struct event *ev, const struct cast *cast);
/* "   0.001234   1 thread  312ns S memcached/163 @cc -> mc-worker/168 @cc", with newline. */
void print_event(FILE *out, const struct event *ev, const struct cast *cast,
		 const struct event_style *style);

#endif
