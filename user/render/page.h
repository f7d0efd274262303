/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame and the tables of an HTML page that needs neither network nor script. */
#ifndef MMLENS_RENDER_PAGE_H
#define MMLENS_RENDER_PAGE_H

#include <stdio.h>

#include "render/column.h"

#define PAGE_COLUMNS 16
#define PAGE_ROWS    200 /* of a table; those behind are counted */

/* `n` rows of `size` bytes; `shown` is a comma-separated list of column names. */
struct page_table {
	const struct column *cols;
	size_t n_cols;
	const char *shown;
	const void *rows;
	size_t n;
	size_t size;
};

/* Both are text of our own. */
void page_begin(FILE *out, const char *title, const char *heading);
void page_end(FILE *out);
/* Text of others: nothing of it is taken for markup. */
void page_escaped(FILE *out, const char *s);
void page_rows(FILE *out, const struct page_table *t);

#endif
