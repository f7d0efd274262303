// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf_timing.h"

bool timing_wanted(struct timing *t, const struct timing_sums *now, uint32_t cpus)
{
	uint64_t grown[CLASS_NR], all = 0;

	for (int c = 0; c < CLASS_NR; c++) {
		grown[c] = now->count[c] - t->last[c];
		t->last[c] = now->count[c];
		all += grown[c];
	}
	if (t->asked++ % TIMING_EACH == 0 || all <= (uint64_t)TIMING_FEW * cpus)
		return true;
	for (int c = 0; c < CLASS_NR; c++)
		if (grown[c] >= all / 8 && now->timed[c] < TIMING_ENOUGH)
			return true;
	return false;
}
