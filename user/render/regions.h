/* SPDX-License-Identifier: GPL-2.0-only */
/* Mappings and what was counted over their pages. */
#ifndef MMLENS_RENDER_REGIONS_H
#define MMLENS_RENDER_REGIONS_H

#include "model/region.h"
#include "render/column.h"
#include "render/json.h"

struct region_row {
	const struct region *region;
	const struct page_counts *counts;
	uint32_t page_size;
};

extern const struct column region_columns[];
extern const size_t region_columns_n;

/* An object of counts, as in `totals` and in the `pages` of compare. */
void json_page_counts(struct json *j, const char *key, const struct page_counts *c,
		      uint32_t page_size);

#endif
