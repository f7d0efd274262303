/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of --tid, --space, --cgroup, --comm, --cpu and --class, judged. */
#ifndef MMLENS_CMD_FILTERS_H
#define MMLENS_CMD_FILTERS_H

#include "cmd/window.h"
#include "source/bpf_switch.h"

#define FILTERS_MAX 2048

struct filters {
	struct switch_want wants[FILTERS_MAX];
	size_t n;
	uint32_t classes; /* bit per enum switch_class; 0: all */
};

/* 0 or the exit status, its line printed. */
int filters_parse(struct filters *f, const struct window_args *args);

/*
 * Turns the ids of spaces that one witness told into those that the programs of this run see: by who
 * lives there. 0 or the exit status, its line printed.
 */
int filters_find_spaces(struct filters *f, const struct window_args *args,
			const struct snapshot *told);

#endif
