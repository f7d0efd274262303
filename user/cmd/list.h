/* SPDX-License-Identifier: GPL-2.0-only */
/* `list` in two halves: list_choose.c says which spaces in which order, list.c prints them. */
#ifndef MMLENS_CMD_LIST_H
#define MMLENS_CMD_LIST_H

#include "cmd/state.h"

struct list_args {
	struct common common;
	const char *comm;
	const char *user;
	const char *cgroup;
	const char *container;
	const char *sort;
	bool tree;
};

/* Spaces of the ledger, in the order of printing. */
struct choice {
	struct space **spaces;
	size_t n;
};

/* What is wrong with the options, asked before anything is read. 0 or the exit status. */
int list_check(const struct list_args *args);
/* 0 or the exit status, its line printed; memory is measured for all that were chosen. */
int list_choose(struct state *st, const struct list_args *args, int n, char **pids,
		struct choice *out);
void choice_deinit(struct choice *c);

#endif
