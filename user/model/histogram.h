/* SPDX-License-Identifier: GPL-2.0-only */
/* Durations in the buckets of mmlens_hist.h, and what they come to. */
#ifndef MMLENS_MODEL_HISTOGRAM_H
#define MMLENS_MODEL_HISTOGRAM_H

#include "mmlens_hist.h"
#include "model/switches.h"

struct histogram {
	uint64_t n;
	uint64_t sum;
	uint64_t max;
	uint64_t bucket[HIST_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
struct cost histogram_cost(const struct histogram *h);

#endif
