/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages counted: pure functions over entries of pagemap, labelled as model/region.h says.
 *
 * A page that is not in memory in at least one of two spaces is `absent`: no frame, no comparison.
 * The zero page is one frame like any other, so two pages never written are the same frame; they
 * are counted as `zero` too, and never as left shared by fork.
 */
#ifndef MMLENS_ANALYSIS_PAGES_H
#define MMLENS_ANALYSIS_PAGES_H

#include <stddef.h>

#include "model/region.h"

/* Adds `n` pages of one space. */
void pages_count(struct page_counts *c, const uint64_t *a, size_t n, bool shared);
/* Adds `n` pages of two spaces; `shared`: the mapping is. */
void pages_count_pair(struct page_counts *c, const uint64_t *a, const uint64_t *b, size_t n,
		      bool shared);
/* How many of `n` pages were read differently the second time, labels apart. */
uint64_t pages_changed(const uint64_t *before, const uint64_t *after, size_t n);

/* All the pages of a mapping are in `c->pages`; what was not read was not there. */
void pages_rest_absent(struct page_counts *c);
void pages_add(struct page_counts *sum, const struct page_counts *c);

#endif
