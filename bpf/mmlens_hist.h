/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buckets of a histogram of durations, the same for the programs that count and for those who
 * read: below 2048 ns one bucket each 16 ns, above that eight to the doubling, up to 17 s; what is
 * longer lands in the last. So the error of a quantile is at most 16 ns or an eighth.
 */
#ifndef MMLENS_HIST_H
#define MMLENS_HIST_H

#include <linux/types.h>

#define HIST_LINEAR_SHIFT 4
#define HIST_LINEAR_BITS  11
#define HIST_LINEAR	  (1 << (HIST_LINEAR_BITS - HIST_LINEAR_SHIFT))
#define HIST_SUB_BITS	  3
#define HIST_OCTAVES	  23
#define HIST_BUCKETS	  (HIST_LINEAR + (HIST_OCTAVES << HIST_SUB_BITS))

/* Of v > 0; BPF has no instruction for it. */
static inline __attribute__((always_inline)) __u32 hist_log2(__u64 v)
{
	__u32 r = 0;

	for (__u32 step = 32; step; step >>= 1)
		if (v >> step) {
			v >>= step;
			r += step;
		}
	return r;
}

static inline __attribute__((always_inline)) __u32 hist_bucket(__u64 ns)
{
	__u32 log, at;

	if (ns < 1u << HIST_LINEAR_BITS)
		return ns >> HIST_LINEAR_SHIFT;
	log = hist_log2(ns);
	at = HIST_LINEAR + ((log - HIST_LINEAR_BITS) << HIST_SUB_BITS) +
	     ((ns >> (log - HIST_SUB_BITS)) & ((1 << HIST_SUB_BITS) - 1));
	return at < HIST_BUCKETS ? at : HIST_BUCKETS - 1;
}

/* The smallest duration of a bucket; of HIST_BUCKETS the end of the last. */
static inline __u64 hist_edge(__u32 bucket)
{
	__u32 above = bucket - HIST_LINEAR;
	__u32 octave = above >> HIST_SUB_BITS;

	if (bucket < HIST_LINEAR)
		return (__u64)bucket << HIST_LINEAR_SHIFT;
	return ((1ull << HIST_SUB_BITS) + (above & ((1 << HIST_SUB_BITS) - 1)))
	       << (HIST_LINEAR_BITS - HIST_SUB_BITS + octave);
}

#endif
