/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tasks of one cgroup did, added up. */
#ifndef MMLENS_MODEL_GROUP_H
#define MMLENS_MODEL_GROUP_H

#include "model/switches.h"

struct group {
	uint64_t id;	 /* of the cgroup: its inode number */
	uint32_t member; /* a tid in it */
	size_t tasks;
	uint64_t switches;
	uint64_t loads; /* of its tasks to another space */
	uint64_t on_cpu;
	uint64_t off[DELAY_NR];
	bool delays_known; /* of some: the times are theirs */
	char path[256];	   /* empty: not known */
};

struct groups {
	struct group *rows; /* most switches first; owned */
	size_t n;
};

#endif
