/* SPDX-License-Identifier: GPL-2.0-only */
/* `show` in two halves: show.c chooses what belongs to the program, show_text.c lays it out. */
#ifndef MMLENS_CMD_SHOW_H
#define MMLENS_CMD_SHOW_H

#include "cmd/state.h"

/* What was chosen: one flag per task of the snapshot, one per space of the ledger. */
struct program {
	bool *task;
	bool *space;
	bool all; /* list each task, however many there are */
};

int show_text(const struct state *st, const struct common *common, const struct program *p);

/* The table of tasks by name, kind and state, for programs with many. */
int show_groups(const struct state *st, const struct common *common, const struct program *p);

#endif
