/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two witnesses held against each other: the switches that eBPF counted for a task, and the growth
 * of the kernel's own nvcsw + nivcsw between two snapshots taken while eBPF was counting.
 *
 * The programs keep the kernel's counter as it was before the first and at the last switch they
 * saw. A task agrees if none in between was missed (after - before is what was counted) and the
 * snapshots' growth lies inside that span; no tolerance is needed for the window's edges.
 */
#ifndef MMLENS_ANALYSIS_CORRELATE_H
#define MMLENS_ANALYSIS_CORRELATE_H

#include "model/snapshot.h"
#include "model/switches.h"

struct disagreement {
	struct task_key key;
	char comm[16];
	uint64_t counted; /* by eBPF */
	uint64_t grown;	  /* nvcsw + nivcsw between the snapshots */
};

#define DISAGREEMENTS_MAX 16

struct agreement {
	size_t tasks; /* alive at both ends, all of whose switches were to be counted */
	size_t agree;
	struct disagreement worst[DISAGREEMENTS_MAX];
	size_t n_worst;
};

/* `tgids` limits the judgement to thread groups that were watched; n_tgids 0: all tasks. */
void correlate(const struct snapshot *before, const struct snapshot *after,
	       const struct switches *sw, const uint32_t *tgids, size_t n_tgids,
	       struct agreement *out);

#endif
