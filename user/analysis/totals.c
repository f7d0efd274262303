// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/totals.h"

static void add(struct sum *sum, uint64_t bytes)
{
	if (bytes == MEMORY_UNKNOWN)
		return;
	sum->bytes += bytes;
	sum->of++;
}

void totals_add(struct totals *t, const struct space *sp)
{
	t->spaces++;
	t->tasks += sp->tasks;
	add(&t->rss, sp->memory.rss);
	add(&t->pss, sp->memory.pss);
	add(&t->claimed, sp->memory.claimed);
}

uint64_t totals_bytes(const struct totals *t, const struct sum *sum)
{
	return sum->of || !t->spaces ? sum->bytes : MEMORY_UNKNOWN;
}
