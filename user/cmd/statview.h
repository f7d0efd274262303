/* SPDX-License-Identifier: GPL-2.0-only */
/* What stat shows of a window's counts: for the living window and for a recorded one. */
#ifndef MMLENS_CMD_STATVIEW_H
#define MMLENS_CMD_STATVIEW_H

#include <stdio.h>

#include "analysis/correlate.h"
#include "analysis/groups.h"
#include "render/json.h"
#include "render/table.h"

enum stat_by {
	BY_CLASS,
	BY_TASK,
	BY_PAIR,
	BY_CPU,
	BY_CGROUP,
	BY_NR
};

struct statview {
	const struct switches *switches;
	const struct agreement *agreement; /* NULL: the window has not ended */
	const struct snapshot *snapshot;   /* who the agreement is with */
	const struct view *view;
	bool by[BY_NR]; /* the tables of the text */
	bool tlb_asked;
	const struct snapshot *recorded; /* elsewhere or long ago: pids of it are anybody's here */
};

/* The tables by their words, NULL for the usual ones. 0 or the exit status, its line printed. */
int statview_choose(const char *by, struct statview *v);
/* The members of an open object behind its head. */
void statview_json(struct json *j, const struct statview *v);
/* The sentences below the tables. */
void statview_summary(FILE *out, const struct statview *v);
/* The exit status. */
int statview_text(const struct statview *v);

#endif
