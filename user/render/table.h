/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows as a table on libsmartcols. The caller owns the rows; they are read when they are added. */
#ifndef MMLENS_RENDER_TABLE_H
#define MMLENS_RENDER_TABLE_H

#include <stdio.h>

#include "render/column.h"

struct view {
	const char *columns; /* -o: "A,B" or "+C"; NULL for the defaults */
	bool json;
	bool raw; /* values with single spaces between, for scripts */
	bool noheadings;
	bool bytes; /* exact numbers instead of human ones */
};

struct table;

/*
 * `defaults` is a comma-separated list of column names. Returns NULL with errno EINVAL when
 * view->columns names a column that does not exist; `*bad` then points at it in view->columns.
 */
struct table *table_new(const struct column *cols, size_t n, const char *defaults,
			const struct view *view, const char **bad);
void table_free(struct table *t);

/*
 * Where many rows may come and none has children: they are printed to `out` in parts, so that
 * memory does not grow with them. What is left is printed by table_print().
 */
void table_stream(struct table *t, FILE *out);

/* Adds a row below `parent` (NULL: at the top); returns its handle for children. */
struct libscols_line *table_add(struct table *t, struct libscols_line *parent, const void *row);
/*
 * Prints and forgets the rows. On a terminal that is too narrow for them, columns that nobody named
 * and that can be spared are left out.
 */
int table_print(struct table *t, FILE *out);

/*
 * A whole table beside the one that -o speaks of: `n` rows of `size` bytes each. -errno.
 */
int table_rows(const struct column *cols, size_t n_cols, const char *shown, const struct view *view,
	       const void *rows, size_t n, size_t size, FILE *out);

/* The list for --list-columns. */
void columns_describe(const struct column *cols, size_t n, FILE *out);

#endif
