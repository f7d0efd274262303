/* SPDX-License-Identifier: GPL-2.0-only */
/* What a witness can tell: of each fact, of how many of the tasks it was known. */
#ifndef MMLENS_ANALYSIS_REACH_H
#define MMLENS_ANALYSIS_REACH_H

#include "model/snapshot.h"

struct reach {
	const char *fact; /* a JSON key of the task */
	size_t asked;	  /* tasks that can have it */
	size_t known;
};

/* One entry for each fact, in the order of the output; `out` has room for REACH_MAX. */
#define REACH_MAX 40
size_t reach_of(const struct snapshot *s, struct reach *out);

#endif
