/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole files of /proc, whatever their length: a list of children comes in many reads, and a task
 * may be in 65,536 groups. What is cut off would be read as another number.
 */
#ifndef MMLENS_LIB_SLURP_H
#define MMLENS_LIB_SLURP_H

#include <stddef.h>

#include "lib/cleanup.h"

/* Its memory serves one file after another; zeroed is empty. */
struct slurp {
	char *text; /* ends with 0; NULL before the first file */
	size_t room;
};

/* -errno, -ESRCH for an empty file: what is left of a task that has gone. */
int slurp_at(struct slurp *s, int dir, const char *path);
/*
 * The same for what the kernel writes as one record (single_open(): stat, status, cgroup): a read
 * that leaves room has brought all, and there is no need to ask for the end.
 */
int slurp_record_at(struct slurp *s, int dir, const char *path);
void slurp_deinit(struct slurp *s);

#define cleanup_slurp cleanup(slurp_deinit)

#endif
