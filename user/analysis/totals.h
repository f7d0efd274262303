/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What spaces add up to. A sum goes over what is known, and says of how many spaces that is: one
 * may have gone since, or belong to another user.
 */
#ifndef MMLENS_ANALYSIS_TOTALS_H
#define MMLENS_ANALYSIS_TOTALS_H

#include "analysis/ledger.h"

struct sum {
	uint64_t bytes;
	size_t of; /* spaces */
};

struct totals {
	size_t spaces;
	size_t tasks;
	struct sum rss;
	struct sum pss;
	struct sum claimed;
};

void totals_add(struct totals *t, const struct space *sp);
/* MEMORY_UNKNOWN where there are spaces and nothing is known of any. */
uint64_t totals_bytes(const struct totals *t, const struct sum *sum);

#endif
