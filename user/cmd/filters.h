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

#endif
