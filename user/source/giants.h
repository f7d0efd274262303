/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of many GiB on kernels that cannot tell where one is populated (no PAGEMAP_SCAN, before
 * 6.7). smaps knows how many pages each holds, so that an empty one is not read at all and a
 * sparse one only until its pages are found or GIANT_BUDGET was read in vain, and of all together no
 * longer in vain than GIANT_NS. The zero page is not in that number and may be missed: it holds
 * nothing.
 */
#ifndef MMLENS_SOURCE_GIANTS_H
#define MMLENS_SOURCE_GIANTS_H

#include <stddef.h>

#include "model/region.h"

#define GIANT_BYTES  (4ULL << 30)
#define GIANT_BUDGET (64ULL << 30)
#define GIANT_NS     2000000000ULL

struct giant {
	uint64_t start;
	uint64_t missing; /* bytes in memory or swapped, not yet met */
	uint64_t budget;  /* bytes without a page that may yet be read */
};

struct giants {
	struct giant *g;
	size_t n;
	bool known;
	struct giant *now; /* the one that is being read */
	uint64_t since;	   /* monotonic ns: when its reading was allowed */
	uint64_t vain_ns;  /* spent where nothing was met */
};

/* Whether the mapping should be read on; from now on what is met in it counts. */
bool giants_allow(struct giants *g, uint32_t pid, const struct region *r);
/* `n` entries of the mapping last allowed were read. */
void giants_met(struct giants *g, const uint64_t *entries, size_t n, uint64_t page);
/* Whether pages of the mapping last allowed are still missing. */
bool giants_missing(const struct giants *g);
void giants_deinit(struct giants *g);

#endif
