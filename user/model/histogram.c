// SPDX-License-Identifier: GPL-2.0-only
#include "model/histogram.h"

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->n++;
	h->sum += ns;
	h->max = ns > h->max ? ns : h->max;
	h->bucket[hist_bucket(ns)]++;
}

/* The upper edge of the bucket in which the quantile lies, but never above what was seen. */
static uint64_t quantile(const struct histogram *h, unsigned int percent)
{
	uint64_t rank = (h->n * percent + 99) / 100, seen = 0;

	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		seen += h->bucket[b];
		if (seen >= rank)
			return hist_edge(b + 1) < h->max ? hist_edge(b + 1) : h->max;
	}
	return h->max;
}

struct cost histogram_cost(const struct histogram *h)
{
	struct cost c;

	if (!h->n)
		return (struct cost){ 0 };
	c = (struct cost){
		.n = h->n,
		.mean = h->sum / h->n,
		.p50 = quantile(h, 50),
		.p90 = quantile(h, 90),
		.p99 = quantile(h, 99),
		.max = h->max,
	};
	for (size_t i = 0; i < COST_QUANTILES; i++)
		c.q[i] = quantile(h, cost_percent(i));
	return c;
}
