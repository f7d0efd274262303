/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters of a window, applied to the events of a recorded one as the programs apply them. */
#ifndef MMLENS_CMD_SIFT_H
#define MMLENS_CMD_SIFT_H

#include "cmd/filters.h"
#include "model/snapshot.h"

/* Zeroed before sift_init(); the filters are a large table, so it is no local of anyone. */
struct sift {
	struct filters filters;
	uint32_t *tgids; /* of -p and all that descends from them; NULL: not asked */
	size_t n_tgids;
	size_t room;
};

/* `s`: who was there when the window began. 0 or the exit status, its line printed. */
int sift_init(struct sift *f, const struct window_args *args, const struct snapshot *s);
/* Whether anything is asked for. */
bool sift_chooses(const struct sift *f);
/*
 * EVENT_SIDE_*, which of its tasks passes, 0: none does; -ENOMEM. Births are learnt from, so every event of the stream must
 * go through it, in order. Who a task is and what was lost always passes.
 */
int sift_event(struct sift *f, const struct event *ev, const struct cast *cast);
void sift_deinit(struct sift *f);

#endif
