/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recorded window read back: the state, the counts, and the events as often as they are wanted.
 * A file that was cut short is read up to its last whole block, and says so.
 */
#ifndef MMLENS_SOURCE_RECORDING_H
#define MMLENS_SOURCE_RECORDING_H

#include "model/event.h"
#include "source/source.h"

struct recording {
	struct recfile *file;
	struct snapshot state;	/* when the recording began, in full */
	struct snapshot before; /* around the events: for the agreement */
	struct snapshot after;
	size_t snapshots; /* how many of these three there are */
	struct switches switches;
	struct call_names calls; /* as the machine has them where it was recorded */
	uint32_t *tgids;	 /* that were watched; none: all */
	size_t n_tgids;
	bool counted;  /* the counts of the window are there */
	bool events;   /* there is at least one */
	bool complete; /* the writer finished */
	char end[32];  /* why it is not complete, for a sentence */
};

/* -errno with its reason, or 0. */
int recording_open(struct recording *r, const char *path, struct why *why);
/* All events from the first on, until `event` returns other than 0: that is returned. -errno. */
int recording_replay(struct recording *r, int (*event)(const struct event *ev, void *arg),
		     void *arg);
void recording_close(struct recording *r);

#endif
