// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf_timing.h"

enum mmlens_timing timing_wanted(struct timing *t, const struct timing_sums *now, uint32_t cpus)
{
	uint64_t grown[CLASS_NR], all = 0;

	for (int c = 0; c < CLASS_NR; c++) {
		grown[c] = now->count[c] - t->last[c];
		t->last[c] = now->count[c];
		all += grown[c];
	}
	t->asked++;
	if (all <= (uint64_t)TIMING_FEW * cpus)
		return MMLENS_TIMING_EVERY;
	if ((t->asked - 1) % TIMING_EACH == 0)
		return MMLENS_TIMING_SAMPLE;
	for (int c = 0; c < CLASS_NR; c++)
		if (grown[c] >= all / 8 && now->timed[c] < TIMING_ENOUGH)
			return MMLENS_TIMING_SAMPLE;
	return MMLENS_TIMING_OFF;
}
